"""What an account holds back, and whether one more order fits."""

from collections.abc import Iterator

from libra_ray.model.accounts import Account
from libra_ray.model.enums import AccountType, InstrumentKind
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import Currency, Rate
from libra_ray.model.orders import Order
from libra_ray.model.rules.fixed_point import rescale_half_even
from libra_ray.model.rules.margin import cash_locked, instrument_margin, worst_notional
from libra_ray.portfolio.portfolio import Portfolio

__all__ = ["Funds"]

INSUFFICIENT_BALANCE = "INSUFFICIENT_BALANCE"
INSUFFICIENT_MARGIN = "INSUFFICIENT_MARGIN"


class Funds:
    """Locked amounts of one venue's account.

    CASH: an open buy locks price x leaves plus the taker fee in quote currency, rounded up; an open sell of a pair its
    leaves in base currency. MARGIN: per instrument, rate x the larger of |P + B| and |P - S|.
    """

    def __init__(self, portfolio: Portfolio, venue: str, leverage: Rate, *, leveraged: bool) -> None:
        self._portfolio = portfolio
        self._venue = venue
        self._leverage = leverage if leveraged else Rate(1, 1)

    @property
    def account(self) -> Account:
        """Whose money it is."""
        return self._portfolio.accounts[self._venue]

    def refusal(self, orders: list[Order]) -> str | None:
        """The denial code where the account cannot carry `orders` on top of what works; None where it can."""
        if self.account.kind is AccountType.CASH:
            return self._cash_refusal(orders)
        return self._margin_refusal(orders)

    def locked(self) -> dict[str, int]:
        """Locked amounts by currency code, raw."""
        if self.account.kind is AccountType.CASH:
            held: dict[str, int] = {}
            for order in self._working():
                self._lock_cash(order, held)
            return held
        return self._locked_margin()

    # ------------------------------------------------------------------ cash

    def _cash_refusal(self, new: list[Order]) -> str | None:
        needed: dict[str, int] = {}
        for order in new:
            self._lock_cash(order, needed)
        if not any(needed.values()):
            return None
        held = self.locked()
        for code, amount in needed.items():
            if amount > self.account.total_raw(code) - held.get(code, 0):
                return INSUFFICIENT_BALANCE
        return None

    def _lock_cash(self, order: Order, held: dict[str, int]) -> None:
        instrument = self._portfolio.cache.instruments[order.instrument_id]
        if order.is_buy:
            px_raw = self.order_px(order)
            if px_raw is None:
                return
            num, den = self._cash_factor(instrument)
            amount = cash_locked(px_raw, order.leaves_raw, num, den)
            held[instrument.quote.code] = held.get(instrument.quote.code, 0) + amount
        elif instrument.kind is InstrumentKind.PAIR and instrument.base is not None:
            amount = rescale_half_even(order.leaves_raw, instrument.size_precision, instrument.base.precision)
            held[instrument.base.code] = held.get(instrument.base.code, 0) + amount

    def _cash_factor(self, instrument: Instrument) -> tuple[int, int]:
        """(1 + taker fee) x multiplier over all scales, as a fraction of price x quantity."""
        fee_num, fee_den = self._portfolio.terms[instrument.id].taker_factor
        scale = 10 ** (instrument.price_precision + instrument.size_precision)
        num = instrument.multiplier.num * 10**instrument.quote.precision
        den = instrument.multiplier.den * scale
        return num * fee_den + max(fee_num, 0) * den, den * fee_den

    # ------------------------------------------------------------------ margin

    def _margin_refusal(self, new: list[Order]) -> str | None:
        """Refused where margin grows, and grows beyond equity. An order that lowers or keeps it passes."""
        grown: dict[str, int] = {}
        by_name: dict[str, list[Order]] = {new[0].instrument_id: new} if len(new) == 1 else {}
        for order in new if len(new) > 1 else ():
            by_name.setdefault(order.instrument_id, []).append(order)
        for name, mine in by_name.items():
            instrument = self._portfolio.cache.instruments[name]
            if instrument.margin_init.num == 0:
                continue
            before, after = self._worst_notionals(instrument, mine)
            if after > before:
                (old, unit), (wanted, _) = self._margin(before, instrument), self._margin(after, instrument)
                grown[unit.code] = grown.get(unit.code, 0) + wanted - old
        if not grown:
            return None
        held = self._locked_margin()
        for code, amount in grown.items():
            if amount > 0 and held.get(code, 0) + amount > self._equity(code):
                return INSUFFICIENT_MARGIN
        return None

    def _locked_margin(self) -> dict[str, int]:
        """Initial margin by currency of everything held and working."""
        names = dict.fromkeys(order.instrument_id for order in self._working())
        names.update(dict.fromkeys(p.terms.instrument_id for p in self._portfolio.positions_open(venue=self._venue)))
        held: dict[str, int] = {}
        for name in names:
            instrument = self._portfolio.cache.instruments[name]
            if instrument.margin_init.num:
                amount, unit = self._margin(self._worst_notionals(instrument, [])[0], instrument)
                held[unit.code] = held.get(unit.code, 0) + amount
        return held

    def _worst_notionals(self, instrument: Instrument, new: list[Order]) -> tuple[int, int]:
        """The larger exposure of one instrument without and with `new`, in units of `_notional_scale`."""
        name, portfolio = instrument.id, self._portfolio
        rows = portfolio.cache.rows.of(name)
        top = rows.bid_ask()
        net = portfolio.net.get(name, 0)
        held = 0
        if net and top is not None:
            mark_twice = top[0] + top[1] if rows.marks is None else rows.mark_twice() or 0
            held = _notional(instrument, mark_twice, abs(net)) if mark_twice else 0
            if net < 0:
                held = -held
        buys = sells = 0
        for order in portfolio.cache.working.values():
            if order.instrument_id == name:
                bought, sold = _on_order(instrument, order, top)
                buys, sells = buys + bought, sells + sold
        before = worst_notional(held, buys, sells)
        if not new:
            return before, before
        for order in new:
            bought, sold = _on_order(instrument, order, top)
            buys, sells = buys + bought, sells + sold
        return before, worst_notional(held, buys, sells)

    def _margin(self, notional: int, instrument: Instrument) -> tuple[int, Currency]:
        """The margin of a notional, rounded half-even once, in the currency that it is held in."""
        rate = instrument.margin_init
        num, den = _notional_scale(instrument)
        num, den = num * rate.num * self._leverage.den, den * rate.den * self._leverage.num
        amount, base, unit = instrument_margin(notional, num, den), self.account.base, instrument.settlement
        if base is None or base.code == unit.code:
            return amount, unit
        converted = self._portfolio.rates.convert(amount, unit, base)
        return (amount, unit) if converted is None else (converted, base)

    def _equity(self, code: str) -> int:
        """Total plus open profit in one currency, or everything in the base currency."""
        account, portfolio = self.account, self._portfolio
        if account.base is not None:
            return portfolio.equity_raw(self._venue)
        worth = account.total_raw(code)
        for position in portfolio.positions_open(venue=self._venue):
            if position.currency.code == code:
                worth += portfolio.unrealized_raw(position)
        return worth

    # ------------------------------------------------------------------ both

    def order_px(self, order: Order) -> int | None:
        """At what price an order counts: its own, else its trigger, else the opposite best; None where unknown."""
        return _px_of(order, self._portfolio.cache.rows.of(order.instrument_id).bid_ask())

    def _working(self) -> Iterator[Order]:
        instruments = self._portfolio.cache.instruments
        return (o for o in self._portfolio.cache.working.values() if instruments[o.instrument_id].venue == self._venue)


def _px_of(order: Order, top: tuple[int, int] | None) -> int | None:
    if order.price_raw is not None:
        return order.price_raw
    if order.trigger_raw is not None:
        return order.trigger_raw
    return None if top is None else top[1 if order.is_buy else 0]


def _on_order(instrument: Instrument, order: Order, top: tuple[int, int] | None) -> tuple[int, int]:
    """Notional that an order may buy and sell; reduce-only orders add none."""
    px_raw = None if order.reduce_only else _px_of(order, top)
    if px_raw is None:
        return 0, 0
    notional = _notional(instrument, 2 * px_raw, order.leaves_raw)
    return (notional, 0) if order.is_buy else (0, notional)


_INVERSE_SCALE = 10**24


def _notional(instrument: Instrument, px_twice_raw: int, qty_raw: int) -> int:
    """A notional in units of `_notional_scale`: exact for linear contracts, at 24 decimals for inverse ones."""
    if instrument.inverse:
        return (2 * qty_raw * _INVERSE_SCALE) // px_twice_raw
    return px_twice_raw * qty_raw


def _notional_scale(instrument: Instrument) -> tuple[int, int]:
    """Settlement raw per unit of `_notional`, as a fraction."""
    multiplier = instrument.multiplier
    num = multiplier.num * 10**instrument.settlement.precision
    if instrument.inverse:
        return num * 10**instrument.price_precision, multiplier.den * _INVERSE_SCALE * 10**instrument.size_precision
    return num, 2 * multiplier.den * 10 ** (instrument.price_precision + instrument.size_precision)
