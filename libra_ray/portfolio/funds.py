"""What an account holds back, and whether one more order fits."""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from math import ceil, gcd

from libra_ray.model.accounts import Account
from libra_ray.model.enums import AccountType, InstrumentKind
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import Currency, Rate
from libra_ray.model.open_orders import counted_px, counted_units, waits_for_parent
from libra_ray.model.orders import Order
from libra_ray.model.rules.fixed_point import div_ceil
from libra_ray.model.rules.margin import cash_locked, notional_units, worst_notional
from libra_ray.portfolio.notionals import Sums, on_order, unit_factor, worth_factor
from libra_ray.portfolio.portfolio import Portfolio

__all__ = ["Funds"]

INSUFFICIENT_BALANCE = "INSUFFICIENT_BALANCE"
INSUFFICIENT_MARGIN = "INSUFFICIENT_MARGIN"
_UNLEVERED = Rate(1, 1)


class Funds:
    """Locked amounts of one venue's account. Children that are not released lock nothing.

    CASH: an open buy locks price x leaves plus the taker fee in quote currency, rounded up; an open sell of a pair its
    leaves in base currency; where the account has a base currency, that amount in it. MARGIN: per instrument, rate x
    the larger of |P + B| and |P - S|, positions net over all strategies, orders without those that only reduce; the sum
    per currency is rounded once.
    """

    def __init__(
        self,
        portfolio: Portfolio,
        venue: str,
        leverage: Rate,
        *,
        leveraged: bool,
        leverages: Mapping[str, Rate] | None = None,
        links: bool = True,
    ) -> None:
        """`links`: whether the venue holds children until their parent fills."""
        self._portfolio = portfolio
        self._cache = portfolio.cache
        self._venue = venue
        self._leverage = leverage if leveraged else _UNLEVERED
        self._leverages = dict(leverages or {}) if leveraged else {}
        self._factors: tuple[dict[str, tuple[int, int]], ...] = ({}, {})  # of initial and of maintenance margin
        self._links = links
        self._is_cash = self.account.kind is AccountType.CASH
        self._base = self.account.base
        self._fee_of: Callable[[Order, Fraction], Fraction] | None = None

    @property
    def account(self) -> Account:
        """Whose money it is."""
        return self._portfolio.accounts[self._venue]

    def hold_back_by(self, fee: Callable[[Order, Fraction], Fraction]) -> None:
        """Let open buys of a cash account lock `fee(order, notional)`, in quote currency, not the instrument's rate."""
        self._fee_of = fee

    def refusal(self, orders: list[Order]) -> str | None:
        """The denial code where the account cannot carry `orders` on top of what works; None where it can.

        Each of `orders` counts: children that will wait for their parent are not to be among them.
        """
        if self._is_cash:
            return self._cash_refusal(orders)
        instruments = self._cache.instruments
        if len(orders) == 1:
            order = orders[0]
            if order.reduce_only or instruments[order.instrument_id].margin_init.num == 0:
                return None
        return self._margin_refusal(orders)

    def locked(self) -> dict[str, int]:
        """Locked amounts by currency code, raw: initial margin, or what cash orders must be able to pay."""
        if self._is_cash:
            held: dict[str, int] = {}
            for order in self._working():
                self._lock_cash(order, held)
            return held
        return self._locked_margin()

    def maintenance(self) -> dict[str, int]:
        """Maintenance margin of what is held, by currency code, raw: |P| x rate (/ leverage) over the instruments."""
        parts = Sums()
        for name in dict.fromkeys(p.instrument_id for p in self._portfolio.positions_open(venue=self._venue)):
            instrument = self._cache.instruments[name]
            worth = abs(self._held_notional(instrument)) if instrument.margin_maint.num else 0
            if worth:
                parts.add(*self._margin(worth, instrument, maintenance=True))
        return parts.rounded()

    def equity(self, code: str) -> int:
        """Total plus open profit in one currency, raw; of an account with a base currency everything, in that."""
        account, portfolio = self.account, self._portfolio
        if account.base is not None and account.base.code == code:
            return portfolio.equity_raw(self._venue)
        worth = account.total_raw(code)
        for position in portfolio.positions_open(venue=self._venue):
            if position.currency.code == code:
                worth += portfolio.unrealized_raw(position)
        return worth

    def order_px(self, order: Order) -> int | None:
        """At what price an order counts: its own, else its trigger, else the opposite best; None where unknown."""
        return counted_px(order, self._cache.rows.of(order.instrument_id))

    def waits(self, order: Order) -> bool:
        """Whether it is a child that is not released yet, and so locks nothing."""
        return self._links and waits_for_parent(order, self._cache.orders)

    def leverage_of(self, instrument_id: str) -> Rate:
        """By how much margin is divided: the instrument's own, else the account's; 1 in the `standard` model."""
        return self._leverages.get(instrument_id, self._leverage)

    # ------------------------------------------------------------------ cash

    def _cash_refusal(self, new: list[Order]) -> str | None:
        needed: dict[str, int] = {}
        for order in new:
            self._lock_cash(order, needed)
        if not any(needed.values()):
            return None
        held, account = self.locked(), self.account
        for code, amount in needed.items():
            if amount and amount > account.total_raw(code) - held.get(code, 0):
                return INSUFFICIENT_BALANCE
        return None

    def _lock_cash(self, order: Order, held: dict[str, int]) -> None:
        """Add what an order locks to `held`; an order without a price to count at locks nothing yet."""
        instrument = self._cache.instruments[order.instrument_id]
        px_raw = self.order_px(order)
        if order.is_buy:
            unit = instrument.quote
            if px_raw is None and not order.quote_quantity:
                return
            amount = self._to_pay(order, instrument, px_raw or 0)
        elif instrument.kind is InstrumentKind.PAIR and instrument.base is not None:
            unit = instrument.base
            units = counted_units(order, instrument, px_raw)
            if units is None:
                return
            amount = div_ceil(units * 10**unit.precision, 10**instrument.size_precision)
        else:
            return
        amount, unit = self._in_base(amount, unit)
        held[unit.code] = held.get(unit.code, 0) + amount

    def _in_base(self, amount: int, unit: Currency) -> tuple[int, Currency]:
        """In the account's base currency, rounded up; as it is where there is none or no rate is known."""
        base = self._base
        if base is None or base.code == unit.code or amount == 0:
            return amount, unit
        rate = self._portfolio.rates.rate(unit.code, base.code)
        if rate is None:
            return amount, unit
        return div_ceil(amount * rate[0] * 10**base.precision, rate[1] * 10**unit.precision), base

    def _to_pay(self, order: Order, instrument: Instrument, px_raw: int) -> int:
        """What an open buy must be able to pay, raw: its notional and the taker fee, rounded up; never below 0."""
        num, den = worth_factor(instrument)
        fee_num, fee_den = self._portfolio.terms[instrument.id].taker_factor
        if self._fee_of is None and not order.quote_quantity:
            return cash_locked(px_raw, order.leaves_raw, num * fee_den + max(fee_num, 0) * den, den * fee_den)
        scale: int = 10**instrument.quote.precision
        if order.quote_quantity:
            notional = Fraction(order.leaves_raw, 10**order.size_precision)
        else:
            notional = Fraction(px_raw * order.leaves_raw * num, den * scale)
        fee = notional * Fraction(max(fee_num, 0) * den, fee_den * num)
        if self._fee_of is not None:
            fee = self._fee_of(order, notional)
        return max(0, ceil((notional + fee) * scale))

    # ------------------------------------------------------------------ margin

    def _margin_refusal(self, new: list[Order]) -> str | None:
        """Refused where margin grows, and grows beyond equity. An order that lowers or keeps it passes."""
        by_name: dict[str, list[Order]] = {}
        for order in new:
            by_name.setdefault(order.instrument_id, []).append(order)
        now, then = Sums(), Sums()
        grows = False
        for name, mine in by_name.items():
            instrument = self._cache.instruments[name]
            if instrument.margin_init.num:
                before, after = self._worst_notionals(instrument, mine)
                grows = grows or after > before
                now.add(*self._margin(before, instrument))
                then.add(*self._margin(after, instrument))
        if not grows:
            return None
        self._add_margins(now, then, without=by_name)
        locked = now.rounded()
        for code, amount in then.rounded().items():
            if amount > locked.get(code, 0) and amount > self.equity(code):
                return INSUFFICIENT_MARGIN
        return None

    def _locked_margin(self) -> dict[str, int]:
        """Initial margin by currency of everything held and working."""
        parts = Sums()
        self._add_margins(parts, without={})
        return parts.rounded()

    def _add_margins(self, *sums: Sums, without: Mapping[str, object]) -> None:
        """Add what each instrument with a position or an order holds back, except those `without`."""
        names = dict.fromkeys(order.instrument_id for order in self._working())
        names.update(dict.fromkeys(p.instrument_id for p in self._portfolio.positions_open(venue=self._venue)))
        for name in names:
            instrument = self._cache.instruments[name]
            if instrument.margin_init.num and name not in without:
                worst = self._worst_notionals(instrument, [])[0]
                part = self._margin(worst, instrument)
                for each in sums:
                    each.add(*part)

    def _worst_notionals(self, instrument: Instrument, new: list[Order]) -> tuple[int, int]:
        """The larger exposure of one instrument without and with `new`, in notional units."""
        name = instrument.id
        prices = self._cache.rows.of(name)
        held = self._held_notional(instrument)
        buys = sells = 0
        for order in self._cache.working.values():
            is_mine = order.instrument_id == name
            if is_mine and (order.parent_order_id is None or not self.waits(order)):
                bought, sold = on_order(instrument, order, prices)
                buys, sells = buys + bought, sells + sold
        before = worst_notional(held, buys, sells)
        if not new:
            return before, before
        for order in new:
            bought, sold = on_order(instrument, order, prices)
            buys, sells = buys + bought, sells + sold
        return before, worst_notional(held, buys, sells)

    def _held_notional(self, instrument: Instrument) -> int:
        """The signed notional of the net position at the mark price, in notional units."""
        net = self._portfolio.net_raw(instrument.id)
        mark_twice = self._cache.rows.of(instrument.id).mark_twice() if net else None
        if mark_twice is None:
            return 0
        worth = notional_units(mark_twice, abs(net), inverse=instrument.inverse)
        return worth if net > 0 else -worth

    def _margin(self, notional: int, instrument: Instrument, *, maintenance: bool = False) -> tuple[int, int, Currency]:
        """The margin of a notional as a fraction of the smallest unit of the currency that it is held in."""
        factors = self._factors[maintenance]
        factor = factors.get(instrument.id)
        if factor is None:
            leverage = self.leverage_of(instrument.id)
            rate = instrument.margin_maint if maintenance else instrument.margin_init
            num, den = unit_factor(instrument)
            num, den = num * rate.num * leverage.den, den * rate.den * leverage.num
            shared = gcd(num, den)
            factor = factors[instrument.id] = (num // shared, den // shared)
        num, den = notional * factor[0], factor[1]
        base, unit = self._base, instrument.settlement
        if base is None or base.code == unit.code:
            return num, den, unit
        known = self._portfolio.rates.rate(unit.code, base.code)
        if known is None:
            return num, den, unit
        return num * known[0] * 10**base.precision, den * known[1] * 10**unit.precision, base

    def _working(self) -> Iterator[Order]:
        """Orders on this account that count."""
        terms = self._portfolio.terms
        for order in self._cache.working.values():
            is_mine = terms[order.instrument_id].venue == self._venue
            if is_mine and (order.parent_order_id is None or not self.waits(order)):
                yield order
