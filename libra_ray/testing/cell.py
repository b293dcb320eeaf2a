"""A cell: one fused system on simulated time, driven row by row from a test."""

from collections.abc import Sequence
from typing import Any, Final, Literal, TypeVar

from libra_ray.errors import LibraError
from libra_ray.messages.commands import CancelOrder, Command, ModifyOrder, SubmitOrder, SubmitOrderList
from libra_ray.messages.events import AnyEvent
from libra_ray.messages.rows import RATE_PRECISION
from libra_ray.messages.schemas import (
    BARS,
    BOOK_DELTAS,
    FUNDING_RATES,
    LAST_IN_MESSAGE,
    MARK_PRICES,
    QUOTES,
    TRADES,
    Schema,
)
from libra_ray.model.enums import AggressorSide
from libra_ray.model.identifiers import period_ns
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import DecimalLike, parse_decimal
from libra_ray.model.orders import Order
from libra_ray.model.positions import Position
from libra_ray.model.rules.fixed_point import rescale_half_even
from libra_ray.runtime import Actor
from libra_ray.simulation import System
from libra_ray.simulation.row_by_row import RowByRow
from libra_ray.simulation.venue import SimulatedVenue
from libra_ray.strategy import OrderFactory, Strategy, StrategyConfig

__all__ = ["Cell"]

A = TypeVar("A", bound=Actor)
C = TypeVar("C", bound=Command)
E = TypeVar("E", bound=AnyEvent)

SECOND_NS = 10**9
PLENTY = 1_000_000
_ACTIONS: Final = ("ADD", "UPDATE", "DELETE", "CLEAR")


class Hand(Strategy):
    """Sends what the test itself sends."""

    config: StrategyConfig


class RecordingClient:
    """Notes what is sent to a venue, and passes it on."""

    def __init__(self, venue: SimulatedVenue, sent: list[Command]) -> None:
        self._venue, self._sent = venue, sent

    def submit(self, order: Order, ts_ns: int) -> None:
        self._sent.append(SubmitOrder(ts_ns, order.strategy_id, order))
        self._venue.submit(order, ts_ns)

    def submit_list(self, orders: tuple[Order, ...], ts_ns: int) -> None:
        self._sent.append(SubmitOrderList(ts_ns, orders[0].strategy_id, orders))
        self._venue.submit_list(orders, ts_ns)

    def modify(self, command: ModifyOrder) -> None:
        self._sent.append(command)
        self._venue.modify(command)

    def cancel(self, order: Order, ts_ns: int, code: str = "") -> None:
        self._sent.append(CancelOrder(ts_ns, order.strategy_id, order, code))
        self._venue.cancel(order, ts_ns, code)


class Cell:
    """One system for a unit test: actors, risk and execution engine, simulated venues; the test is the market.

        cell = Cell(lr.equity("ACME.SIM", quote="USD"))
        strategy = cell.add(MyStrategy())
        cell.quote("ACME.SIM", "9.98", "10.02")
        assert [str(order.order.quantity) for order in cell.sent(SubmitOrder)] == ["100"]

    Time begins at `start_ns` and moves with each row, by `step_ns` unless a row says when it is. A fault of an actor
    is raised where it happens: a test must not pass over it.

    Attributes:
        kernel: the system's parts, for whoever looks deeper.
        orders: makes orders that `submit` sends; their strategy is `Hand`.
    """

    def __init__(
        self,
        *instruments: Instrument,
        start_ns: int = 0,
        step_ns: int = SECOND_NS,
        seed: int = 0,
        risk: dict[str, Any] | None = None,
        **venue: Any,  # noqa: ANN401 - see VenueSettings
    ) -> None:
        system = System("cell", seed=seed).risk(**(risk or {}))
        for name in dict.fromkeys(instrument.venue for instrument in instruments):
            system.add_venue(name, **{"balances": ["1_000_000 USD"], **venue})
        self._commands: list[Command] = []
        self._step_ns = step_ns
        self._rows = RowByRow(
            system.venues,
            instruments,
            risk=system.risk_settings,
            seed=seed,
            start_ns=start_ns,
            client=lambda venue: RecordingClient(venue, self._commands),
        )
        self.kernel = self._rows.kernel
        self._hand = Hand(StrategyConfig(actor_id="Hand"))
        self.kernel.add(self._hand)
        self.kernel.start()
        self.orders: OrderFactory = self._hand.orders

    # ------------------------------------------------------------------ actors and orders

    def add(self, actor: A) -> A:
        """Take an actor or strategy in, start it, and settle what its `on_start` sent; returns the actor."""
        self.kernel.host.start(self.kernel.add(actor))
        self._settle()
        return actor

    def submit(self, order: Order) -> Order:
        """Send an order of `orders` through the whole order path; returns the order as it is then."""
        self._hand.submit_order(order)
        self._settle()
        return order

    def submit_list(self, orders: Sequence[Order]) -> tuple[Order, ...]:
        """Send orders that depend on each other; returns them as they are then."""
        self._hand.submit_order_list(orders)
        self._settle()
        return tuple(orders)

    def modify(
        self,
        client_order_id: str,
        *,
        quantity: DecimalLike | None = None,
        price: DecimalLike | None = None,
        trigger_price: DecimalLike | None = None,
    ) -> None:
        """Change an order, whoever sent it. Raises `KeyError` for an id that nobody used."""
        order = self.kernel.cache.orders[client_order_id]
        self._hand.modify_order(order, quantity=quantity, price=price, trigger_price=trigger_price)
        self._settle()

    def cancel(self, client_order_id: str) -> None:
        """Cancel an order, whoever sent it. Raises `KeyError` for an id that nobody used."""
        self._hand.cancel_order(self.kernel.cache.orders[client_order_id])
        self._settle()

    # ------------------------------------------------------------------ the market

    def quote(
        self,
        instrument_id: str,
        bid: DecimalLike,
        ask: DecimalLike,
        *,
        bid_size: DecimalLike = PLENTY,
        ask_size: DecimalLike = PLENTY,
        ts_ns: int | None = None,
    ) -> None:
        """A quote."""
        made = self.kernel.cache.instrument(instrument_id)
        sizes = (made.quantity(bid_size).raw, made.quantity(ask_size).raw)
        self._row(QUOTES, made, "", ts_ns, made.price(bid).raw, made.price(ask).raw, *sizes)

    def trade(
        self,
        instrument_id: str,
        price: DecimalLike,
        size: DecimalLike,
        *,
        aggressor: AggressorSide = AggressorSide.NONE,
        ts_ns: int | None = None,
    ) -> None:
        """A trade."""
        made = self.kernel.cache.instrument(instrument_id)
        self._row(TRADES, made, "", ts_ns, made.price(price).raw, made.quantity(size).raw, int(aggressor))

    def bar(
        self,
        instrument_id: str,
        period: str,
        prices: tuple[DecimalLike, DecimalLike, DecimalLike, DecimalLike],
        *,
        volume: DecimalLike = PLENTY,
        ts_ns: int | None = None,
    ) -> None:
        """A bar of open, high, low, close; by default one period after the time it is now."""
        made = self.kernel.cache.instrument(instrument_id)
        raws = (made.price(price).raw for price in prices)
        at_ns = self.now_ns + period_ns(period) if ts_ns is None else ts_ns
        self._row(BARS, made, period, at_ns, *raws, made.quantity(volume).raw)

    def mark(self, instrument_id: str, price: DecimalLike, *, ts_ns: int | None = None) -> None:
        """A mark price."""
        made = self.kernel.cache.instrument(instrument_id)
        self._row(MARK_PRICES, made, "", ts_ns, made.price(price).raw)

    def funding(self, instrument_id: str, rate: DecimalLike, *, ts_ns: int | None = None) -> None:
        """A funding payment at `rate`."""
        made = self.kernel.cache.instrument(instrument_id)
        raw = rescale_half_even(*parse_decimal(rate), RATE_PRECISION)
        self._row(FUNDING_RATES, made, "", ts_ns, raw)

    def delta(
        self,
        instrument_id: str,
        side: Literal["BID", "ASK"],
        price: DecimalLike,
        size: DecimalLike,
        *,
        action: Literal["ADD", "UPDATE", "DELETE", "CLEAR"] = "UPDATE",
        order_id: int = 0,
        is_last: bool = True,
        ts_ns: int | None = None,
    ) -> None:
        """A change of the book: of a level's size, or of an order. Rows up to one with `is_last` are one message."""
        made = self.kernel.cache.instrument(instrument_id)
        codes = (1 + _ACTIONS.index(action), 1 if side == "BID" else 2)
        values = (made.price(price).raw, made.quantity(size).raw, order_id, LAST_IN_MESSAGE if is_last else 0)
        self._row(BOOK_DELTAS, made, "", ts_ns, *codes, *values)

    def _row(self, schema: Schema, made: Instrument, period: str, ts_ns: int | None, *values: int) -> None:
        at_ns = self.now_ns + self._step_ns if ts_ns is None else ts_ns
        self._rows.push(schema, made, period, (at_ns, at_ns, *values))
        self._raise_faults()

    # ------------------------------------------------------------------ time

    @property
    def now_ns(self) -> int:
        """The time, nanoseconds UTC."""
        return self.kernel.clock.now_ns()

    def advance_to(self, ts_ns: int) -> None:
        """Let time pass up to and including `ts_ns`, with everything due on the way."""
        self._settle()
        self._rows.advance_to(ts_ns)
        self._raise_faults()

    def step(self, until_ns: int) -> bool:
        """Let the next thing that is due happen, at its time; False when none is by `until_ns`, which then it is."""
        self._settle()
        due_ns = max(self._rows.next_due_ns, self.now_ns)
        self.advance_to(min(due_ns, until_ns))
        return due_ns <= until_ns

    def run_until_idle(self) -> None:
        """Jump from timer to timer until none is set that ends."""
        self._settle()
        timers = self.kernel.host.timers
        while timers.has_finite():
            self.advance_to(max(self.now_ns, timers.next_ns))

    # ------------------------------------------------------------------ what came of it

    def sent(self, kind: type[C]) -> list[C]:
        """Commands of one kind that reached a venue, in order: what the risk engine denied is not among them."""
        return [command for command in self._commands if isinstance(command, kind)]

    def events(self, kind: type[E]) -> list[E]:
        """Events of one kind on record, in order of birth; SUBMITTED and PENDING_* are not on record."""
        return [event for event in self.kernel.record.events if isinstance(event, kind)]

    def position(self, instrument_id: str, actor: Actor | None = None) -> Position | None:
        """The open position of a strategy, or of the test's own orders; None when flat."""
        return self.kernel.portfolio.position(instrument_id, (actor or self._hand).actor_id)

    def _settle(self) -> None:
        self.kernel.host.settle()
        self._raise_faults()

    def _raise_faults(self) -> None:
        faults = self.kernel.host.faults
        if faults:
            fault = faults.pop(0)
            error = fault.to_error()
            raise error if isinstance(error, Exception) else LibraError(str(fault))
