"""What an account is booked without an order: funding, roll-over, expiry; and liquidation, by orders of the venue."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from libra_ray.messages.rows import RATE_PRECISION
from libra_ray.messages.schemas import FundingRate
from libra_ray.model.enums import InstrumentKind, OrderSide, OrderType
from libra_ray.model.instruments import Instrument
from libra_ray.model.orders import Order
from libra_ray.model.positions import Position
from libra_ray.runtime import NEVER_NS
from libra_ray.simulation.market import Market
from libra_ray.simulation.steps import Steps
from libra_ray.simulation.working import Working

__all__ = ["Settlements", "next_rollover_ns"]

NS_PER_SECOND: Final = 10**9
DAYS_PER_YEAR: Final = 365
ROLLOVER_HOUR: Final = 17
WEDNESDAY: Final = 2
WEEKEND: Final = 5
_NEW_YORK: Final = "America/New_York"


class Settlements(Steps):
    """Bookings of one venue that are no fills.

    Attributes:
        next_rollover_ns, next_contract_end_ns: when they are due; `NEVER_NS` where there is none.
    """

    __slots__ = ("_liquidations", "next_contract_end_ns", "next_rollover_ns")

    next_rollover_ns: int
    next_contract_end_ns: int
    _liquidations: int

    # ------------------------------------------------------------------ funding and roll-over

    def _pay_funding(self, market: Market, row: FundingRate) -> None:
        """Signed notional at mark x rate, in settlement currency, of each position: a long pays a positive rate."""
        mark_twice = market.rows.mark_twice()
        instrument = market.instrument
        if not mark_twice:
            return
        for position in list(self._portfolio.positions_open(instrument.id)):
            notional = _notional(instrument, Fraction(mark_twice, 2), position.quantity_raw)
            amount = -notional * Fraction(row.rate_raw, 10**RATE_PRECISION)
            self._book("FUNDING", amount, position)

    def roll_over(self, ts_ns: int) -> None:
        """17:00 New York: a pair's position earns (base rate - quote rate) / 365 of its notional, Wednesday thrice."""
        self._now_ns = ts_ns
        now = datetime.fromtimestamp(ts_ns // NS_PER_SECOND, ZoneInfo(_NEW_YORK))
        days = 3 if now.weekday() == WEDNESDAY else 1
        rates = {code: Fraction(rate) for code, rate in self.settings.rollover.items()}
        for position in list(self._portfolio.positions_open(venue=self.settings.name)):
            instrument = position.terms.instrument
            base, quote = instrument.base, instrument.quote
            if instrument.kind is not InstrumentKind.PAIR or base is None or not {base.code, quote.code} <= set(rates):
                continue
            top = self.markets[instrument.id].rows.bid_ask()
            if top is not None:
                notional = _notional(instrument, Fraction(sum(top), 2), position.quantity_raw)
                yearly = rates[base.code] - rates[quote.code]
                self._book("ROLLOVER", notional * yearly * days / DAYS_PER_YEAR, position)
        self.next_rollover_ns = next_rollover_ns(ts_ns)
        self._check_account()

    def _book(self, kind: str, amount: Fraction, position: Position) -> None:
        unit = position.currency
        raw = round(amount * 10**unit.precision)
        if raw:
            account = self._portfolio.accounts[self.settings.name]
            self._links.book([self._portfolio.book(account, kind, raw, unit, self._now_ns, position.instrument_id)])

    # ------------------------------------------------------------------ expiry

    def expire_contracts(self, ts_ns: int) -> None:
        """Contracts whose time has come: open orders end, positions close at the settlement price."""
        self._now_ns = ts_ns
        ends = []
        for market in self.markets.values():
            end_ns = market.instrument.expiration_ns
            if end_ns is not None and end_ns <= ts_ns and market.is_alive:
                market.is_alive = False
                self._end_contract(market)
            elif end_ns is not None and market.is_alive:
                ends.append(end_ns)
        self.next_contract_end_ns = min(ends, default=NEVER_NS)

    def _end_contract(self, market: Market) -> None:
        name = market.instrument.id
        held = [w for w in self.held.values() if w.order.instrument_id == name]
        for working in [*market.working.values(), *held]:
            if not working.order.is_closed:
                self._cancel(working, "INSTRUMENT_EXPIRED")
        px = self._settlement_px(market)
        for position in list(self._portfolio.positions_open(name)):
            if px is not None:
                self._links.book(self._portfolio.settle(position, px, self._now_ns))

    def _settlement_px(self, market: Market) -> Fraction | None:
        """Given, else mark (a row, else the mid), else last: raw, and exact."""
        given = self.settings.settlement_prices.get(market.instrument.id)
        if given is not None:
            return Fraction(given) * Fraction(10**market.instrument.price_precision)
        twice: int | None = market.rows.mark_twice()
        return None if twice is None else Fraction(twice, 2)

    # ------------------------------------------------------------------ liquidation

    def _liquidate(self) -> None:
        """In one go: all orders end, every position is closed by a market order of the venue."""
        working = [w for market in self.markets.values() for w in market.working.values()]
        for each in sorted(working, key=lambda w: w.accepted):
            if not each.order.is_closed:
                self._cancel(each, "LIQUIDATION")
        for each in list(self.held.values()):
            if not each.order.is_closed:
                self._cancel(each, "LIQUIDATION")
        for position in list(self._portfolio.positions_open(venue=self.settings.name)):
            self._close_by_venue(position)

    def _close_by_venue(self, position: Position) -> None:
        self._liquidations += 1
        instrument = position.terms.instrument
        side = OrderSide.SELL if position.quantity_raw > 0 else OrderSide.BUY
        order = Order(
            f"LIQ-{self._liquidations}",
            position.strategy_id,
            instrument.id,
            side,
            OrderType.MARKET,
            abs(position.quantity_raw),
            instrument.size_precision,
            None,
            None,
            instrument.price_precision,
            self._now_ns,
            position_id=position.position_id if position.is_hedged else None,
        )
        self._links.adopt(order)
        working = self._register(order)
        market = working.market
        market.stand_at_latest()
        if market.book.opposite_px(is_buy=order.is_buy) is None:
            self._reject(working, "NO_MARKET")
            return
        value_before = order.fill_value_raw
        self._execute_taker(working)
        fee = Fraction(self.settings.liquidation_fee)
        if fee and order.filled_raw:
            px = Fraction(order.fill_value_raw - value_before, order.filled_raw)
            self._book("LIQUIDATION_FEE", -abs(_notional(instrument, px, order.filled_raw)) * fee, position)

    def _register(self, order: Order) -> Working:
        """An order reaches the venue: it is given its number and id."""
        self._orders_seen += 1
        order.venue_order_id = f"{self._order_prefix}{self._orders_seen}"
        return Working.of(order, self.markets[order.instrument_id], self._orders_seen)

    def _check_account(self) -> None:
        if self.account_watch.is_on:
            self.account_watch.check(self._now_ns)


def _notional(instrument: Instrument, px_raw: Fraction, quantity_raw: int) -> Fraction:
    """Signed notional in whole units of settlement currency; inverse: quantity x multiplier / price."""
    multiplier = instrument.multiplier
    units = Fraction(quantity_raw * multiplier.num, multiplier.den * 10**instrument.size_precision)
    price: Fraction = px_raw / 10**instrument.price_precision
    return units / price if instrument.inverse else units * price


def next_rollover_ns(ts_ns: int) -> int:
    """The first 17:00 New York after `ts_ns` that is not on a weekend."""
    zone = ZoneInfo(_NEW_YORK)
    day = datetime.fromtimestamp(ts_ns // NS_PER_SECOND, zone).date()
    while True:
        due = datetime(day.year, day.month, day.day, ROLLOVER_HOUR, tzinfo=zone).astimezone(UTC)
        due_ns = int(due.timestamp()) * NS_PER_SECOND
        if due_ns > ts_ns and day.weekday() < WEEKEND:
            return due_ns
        day += timedelta(days=1)
