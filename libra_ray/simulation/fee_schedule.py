"""What a fill costs: the venue's fee model, and the currency that it is paid in."""

from datetime import UTC, datetime
from fractions import Fraction
from typing import Final

from libra_ray.kernel.settings import FixedFee, MakerTaker, PerContractFee, TieredFee, VenueSettings
from libra_ray.model.contract_terms import ContractTerms
from libra_ray.model.enums import AccountType
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import Currency, Rate, currency
from libra_ray.model.orders import Order
from libra_ray.portfolio import Portfolio

__all__ = ["FeeSchedule"]

NS_PER_SECOND: Final = 10**9


class FeeSchedule:
    """Commissions at one venue. Each is rounded half-even to its currency once; positive is paid, negative received.

    Attributes:
        is_plain: the rates of `ContractTerms` hold, in their own currency, so that nobody needs to ask here.
    """

    def __init__(self, settings: VenueSettings, portfolio: Portfolio) -> None:
        self._venue = settings.name
        self._portfolio = portfolio
        self._fees = settings.fees
        self._decimals = settings.currencies
        code = None if settings.fees is None else settings.fees.currency
        is_inverse = any(terms.inverse for terms in portfolio.terms.values() if terms.venue == settings.name)
        self._code = None if code == "quote" and not is_inverse else code
        self.is_plain = self._code is None and isinstance(settings.fees, MakerTaker | None)
        self._traded: dict[str, Fraction] = {}
        self._month = (0, 0)
        self._tiers: list[tuple[Fraction, Rate, Rate]] = []
        if isinstance(settings.fees, TieredFee):
            self._tiers = [
                (Fraction(low), Rate.parse(maker), Rate.parse(taker)) for low, maker, taker in settings.fees.tiers
            ]

    def charge(
        self, order: Order, terms: ContractTerms, px_raw: int, qty_raw: int, *, is_taker: bool, ts_ns: int
    ) -> tuple[int, Currency]:
        """The commission of one fill, raw, and its currency."""
        amount = self._amount(order, terms, px_raw, qty_raw, is_taker=is_taker, ts_ns=ts_ns)
        return self._in_currency(amount, terms, px_raw)

    def _amount(
        self, order: Order, terms: ContractTerms, px_raw: int, qty_raw: int, *, is_taker: bool, ts_ns: int
    ) -> Fraction:
        """The commission in whole units of `terms.fee_unit`, not rounded."""
        fees = self._fees
        instrument = terms.instrument
        if isinstance(fees, FixedFee | PerContractFee):
            return self._flat(order, qty_raw, instrument.size_precision)
        units = Fraction(qty_raw * instrument.multiplier.num, instrument.multiplier.den * 10**instrument.size_precision)
        price = Fraction(px_raw, 10**instrument.price_precision)
        if isinstance(fees, TieredFee):
            self._begin_month(ts_ns)
        rate = self._own_rate(instrument, is_taker=is_taker)
        notional = units / price if instrument.inverse else units * price
        return notional * Fraction(rate.num, rate.den)

    def count(self, terms: ContractTerms, px_raw: int, qty_raw: int) -> None:
        """A fill is made: its notional in quote currency counts for the tier of the next one."""
        if not isinstance(self._fees, TieredFee):
            return
        instrument = terms.instrument
        quoted = Fraction(
            qty_raw * instrument.multiplier.num, instrument.multiplier.den * 10**instrument.size_precision
        )
        if not instrument.inverse:
            quoted *= Fraction(px_raw, 10**instrument.price_precision)
        code = instrument.quote.code
        self._traded[code] = self._traded.get(code, Fraction(0)) + quoted

    def _flat(self, order: Order, qty_raw: int, size_precision: int) -> Fraction:
        """A fee that does not look at the price."""
        fees = self._fees
        if isinstance(fees, PerContractFee):
            return Fraction(fees.amount) * Fraction(qty_raw, 10**size_precision)
        assert isinstance(fees, FixedFee)  # noqa: S101  # asked of flat fees only
        return Fraction(0) if fees.once and order.filled_raw else Fraction(fees.amount)

    def to_hold_back(self, order: Order, notional: Fraction) -> Fraction:
        """The taker fee on all that is left of a buy of `notional`, by the tier as it stands; both in quote currency.

        0 where the fee is paid in another currency.
        """
        fees = self._fees
        instrument = self._portfolio.terms[order.instrument_id].instrument
        if self._code not in (None, "quote", instrument.quote.code) or instrument.inverse:
            return Fraction(0)
        if isinstance(fees, FixedFee | PerContractFee):
            return self._flat(order, order.leaves_raw, order.size_precision)
        rate = self._own_rate(instrument, is_taker=True)
        return max(notional * Fraction(rate.num, rate.den), Fraction(0))

    def _own_rate(self, instrument: Instrument, *, is_taker: bool) -> Rate:
        """The rate of the notional; a tier by what was traded in the month of the last fill, before the next one."""
        fees = self._fees
        if isinstance(fees, TieredFee):
            traded = self._traded.get(instrument.quote.code, Fraction(0))
            tier = next(tier for tier in reversed(self._tiers) if tier[0] <= traded)
            return tier[2] if is_taker else tier[1]
        if isinstance(fees, MakerTaker):
            return Rate.parse(fees.taker if is_taker else fees.maker)
        return instrument.taker_fee if is_taker else instrument.maker_fee

    def _begin_month(self, ts_ns: int) -> None:
        """Tiers count what the account traded since the UTC month began."""
        now = datetime.fromtimestamp(ts_ns // NS_PER_SECOND, UTC)
        if (now.year, now.month) != self._month:
            self._month = (now.year, now.month)
            self._traded.clear()

    def _in_currency(self, amount: Fraction, terms: ContractTerms, px_raw: int) -> tuple[int, Currency]:
        unit, code = terms.fee_unit, self._code
        instrument = terms.instrument
        if instrument.inverse and code not in (None, "base", unit.code):
            unit = instrument.quote  # what was counted in base currency
            if not isinstance(self._fees, FixedFee | PerContractFee):
                amount *= Fraction(px_raw, 10**instrument.price_precision)
        if code == "base" and instrument.base is not None and unit.code != instrument.base.code:
            price = Fraction(px_raw, 10**instrument.price_precision)
            return round(amount / price * 10**instrument.base.precision), instrument.base
        own_raw = round(amount * 10**unit.precision)
        if code is None or code in (unit.code, "base", "quote"):
            return own_raw, unit
        paid_in = currency(code, self._decimals)
        converted = self._portfolio.rates.convert(own_raw, unit, paid_in)
        if converted is None:
            return own_raw, unit
        account = self._portfolio.accounts[self._venue]
        if account.kind is AccountType.CASH and converted > account.total_raw(code):
            return own_raw, unit
        return converted, paid_in
