"""A paper venue: the simulated venue on live rows, with books of its own as an exchange has, on a host of its own."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from libra_ray.kernel.apart.execution_desk import REPORTS
from libra_ray.kernel.apart.host_view import halt_on_faults
from libra_ray.kernel.apart.letters import AdoptOrder, VenueBooks, VenueRestarted
from libra_ray.kernel.apart.links import is_replay, link, link_of, made_once, open_door
from libra_ray.kernel.apart.plan import KernelPlan, client_id
from libra_ray.kernel.settings import VenueSettings
from libra_ray.messages.batches import batch_rows
from libra_ray.messages.commands import CancelOrder, Command, ModifyOrder, SubmitOrder, SubmitOrderList
from libra_ray.messages.events import (
    AccountBooked,
    MarginCall,
    OrderCancelRejected,
    OrderEvent,
    OrderInitialized,
    OrderModifyRejected,
    OrderPendingCancel,
    OrderPendingUpdate,
    OrderSubmitted,
    PositionClosed,
)
from libra_ray.messages.schemas import SCHEMAS, Bar, Row, Schema
from libra_ray.model.enums import OrderStatus
from libra_ray.model.instruments import Instrument
from libra_ray.model.orders import Order
from libra_ray.runtime import NEVER_NS, Actor, ActorConfig, Kind, LocalHost, Timer
from libra_ray.simulation.row_by_row import RowByRow

__all__ = ["PaperVenue"]

_PLAIN_PERIOD: Final = re.compile(r"[1-9]\d*(ms|s|m|h|d|w)")
_OUR_STEPS: Final = (OrderSubmitted, OrderPendingUpdate, OrderPendingCancel)
_OF_FILLS: Final = ("DEPOSIT", "TRADE", "PNL", "FEE")
_SCHEMA_OF: Final[Mapping[type[Row], Schema]] = {schema.row: schema for schema in SCHEMAS.values()}
_DUE: Final = "due"


class PaperVenue(Actor):
    """Takes commands at `{venue}.execute`, matches them on the rows that are published, and reports what came of it.

    Attributes:
        resent: orders that had come before; they are ignored.
        books: its own cache, portfolio and funds.
    """

    def wire(self, host: LocalHost, plan: KernelPlan, venue: VenueSettings) -> None:
        """Open its books. Called once, after it was added to `host`."""
        self._host, self._venue = host, venue
        mine = [made for made in plan.instruments if made.venue == venue.name]
        self._instruments: dict[str, Instrument] = {made.id: made for made in mine}
        self._market = RowByRow([venue], mine, seed=plan.seed, start_ns=host.clock.now_ns())
        self._kernel = self._market.kernel
        self.books = self._kernel.books
        self._orders = self._kernel.cache.orders
        self._report_to = link(host, REPORTS)
        self.resent = 0
        numbers = plan.venues.index(venue) * 10**12 + (host.epoch - 1) * 10**9
        self._market.venues[venue.name].count_from((host.epoch - 1) * 10**9)
        self._kernel.portfolio.count_positions_from(numbers)
        for topic in ("events.order.*", "events.position.*", "events.account.*"):
            self._kernel.bus.subscribe(topic, self._on_event)
        self._kernel.start()
        open_door(host, f"{venue.name}.execute", self, self._execute)
        halt_on_faults(host)
        self._former: dict[str, None] | None = None  # orders that an earlier life had, once anything is known of it
        self._over: dict[str, None] = {}
        self._waiting: list[Command] | None = None
        if host.epoch > 1:
            self._waiting = []
            host.keepers[f"#{venue.name}"] = _Beginning(self._begin_anew)

    def on_start(self) -> None:
        """Listen to the market."""
        name = self._venue.name
        for kind in ("quotes", "trades", "mark_prices", "funding_rates"):
            self.subscribe(f"data.{kind}.{name}.*", self._on_row)
        self.subscribe(f"data.bars.*.{name}-*", self._on_row)
        # As a plain function it is given changes of books as they come, also where others here are given books.
        self._host.bus.subscribe(f"data.book.*.{name}.*", link_of(self, self._on_book))

    # ------------------------------------------------------------------ commands

    def _execute(self, command: Command) -> None:
        """Endpoint `{venue}.execute`."""
        if is_replay(self._host):
            self._note_former(command)
            return
        if isinstance(command, VenueBooks):
            self._take_books(command)
            return
        if self._waiting is not None:
            self._waiting.append(command)
            return
        now_ns = self._stand_now()
        execution = self._kernel.execution
        if isinstance(command, SubmitOrder | SubmitOrderList):
            copies = command.orders if isinstance(command, SubmitOrderList) else (command.order,)
            orders = tuple(self._arrived(each) for each in copies if self._is_new(each.client_order_id))
            self.resent += len(copies) - len(orders)
            if isinstance(command, SubmitOrderList) and orders:
                execution.execute(SubmitOrderList(now_ns, command.strategy_id, orders))
            elif orders:
                execution.execute(SubmitOrder(now_ns, command.strategy_id, orders[0]))
        elif isinstance(command, ModifyOrder | CancelOrder):
            order = self._orders.get(command.order.client_order_id)
            if order is None:
                self._refuse(command, now_ns)
                return
            at_venue = self._kernel.clients[self._venue.name]
            if isinstance(command, ModifyOrder):
                at_venue.modify(msgspec.structs.replace(command, ts_ns=now_ns, order=order))
            else:
                at_venue.cancel(order, now_ns, command.code)
        self._settle()

    def _refuse(self, command: ModifyOrder | CancelOrder, ts_ns: int) -> None:
        """The order has never come here."""
        order, refusal = command.order, OrderModifyRejected if isinstance(command, ModifyOrder) else OrderCancelRejected
        head = (ts_ns, order.strategy_id, order.instrument_id, order.client_order_id)
        self._report_to(refusal(*head, "UNKNOWN_ORDER"))

    def _arrived(self, sent: Order) -> Order:
        """The venue's own object of an order, as it comes in."""
        order = self._orders[sent.client_order_id] = msgspec.structs.replace(sent, status=OrderStatus.INITIALIZED)
        return order

    def _is_new(self, order_id: str) -> bool:
        return order_id not in self._orders and order_id not in self._over

    # ------------------------------------------------------------------ a later life

    def on_save(self) -> Mapping[str, bytes]:
        """Which orders it has: in a later life they are gone."""
        return {"orders": msgspec.json.encode(list(self._kernel.cache.working))}

    def on_load(self, state: Mapping[str, bytes]) -> None:
        """Take note of them."""
        self._former = dict.fromkeys(msgspec.json.decode(state["orders"], type=list[str])) | (self._former or {})

    def _note_former(self, command: Command) -> None:
        """A command that an earlier life was given: an order in it has ended with that life."""
        orders = command.orders if isinstance(command, SubmitOrderList) else ()
        former = self._former = {} if self._former is None else self._former
        for order in (command.order,) if isinstance(command, SubmitOrder) else orders:
            former[order.client_order_id] = None

    def _begin_anew(self) -> None:
        """Say which orders are gone, and wait to be told what is held: until then nothing is taken in."""
        gone = None if self._former is None else tuple(self._former)
        self._over.update(self._former or {})
        self._report_to(VenueRestarted(self.clock.now_ns(), "", self._venue.name, gone))

    def _take_books(self, told: VenueBooks) -> None:
        portfolio = self.books.portfolio
        for life in told.positions:
            portfolio.open[life.position_id] = life.restored(self.books)
            portfolio.net[life.instrument_id] = portfolio.net_raw(life.instrument_id) + life.quantity_raw
        account = portfolio.accounts[self._venue.name]
        account.totals.clear()
        for balance in told.balances:
            account.book(balance.total_raw, balance.currency)
        self._over.update(dict.fromkeys(told.canceled))
        waiting, self._waiting = self._waiting, None
        for command in waiting or ():
            self._execute(command)

    # ------------------------------------------------------------------ the market and time

    def _on_row(self, row: Any) -> None:  # noqa: ANN401 - whatever is published of this venue
        schema = _SCHEMA_OF.get(type(row))
        made = self._instruments.get(row.spec.instrument_id) if schema is not None else None
        if schema is None or made is None:
            return
        period = row.period if isinstance(row, Bar) else ""
        if period and not _PLAIN_PERIOD.fullmatch(period):
            return  # made by the data engine: such bars are no market
        _, _, ts_event_ns, *values = msgspec.structs.astuple(row)
        now_ns = max(row.ts_ns, self._kernel.clock.now_ns())
        self._market.push(schema, made, period, (now_ns, ts_event_ns, *values))
        self._settle()

    def _on_book(self, message: Any) -> None:  # noqa: ANN401 - a batch, or one of its rows
        for row in (message,) if isinstance(message, Row) else batch_rows(message) or ():
            self._on_row(row)

    def _stand_now(self) -> int:
        """Let time pass up to now; returns the venue's time."""
        now_ns = max(self.clock.now_ns(), self._kernel.clock.now_ns())
        self._market.advance_to(now_ns)
        return now_ns

    def _settle(self) -> None:
        self._kernel.host.settle()
        due_ns = self._market.next_due_ns
        if due_ns < NEVER_NS:
            self.clock.set_alert(_DUE, at_ns=due_ns, callback=self._on_due)

    def _on_due(self, _timer: Timer) -> None:
        self._stand_now()
        self._settle()

    # ------------------------------------------------------------------ reports

    def _on_event(self, event: object) -> None:
        """What happened here is reported, but for what the execution engine does itself: its steps, and its books."""
        if isinstance(event, OrderInitialized):
            order = self._orders[event.client_order_id]  # only what it makes itself is taken up here
            self._report_to(AdoptOrder(event.ts_ns, order.strategy_id, order))
        elif isinstance(event, OrderEvent):
            if not isinstance(event, _OUR_STEPS):
                self._report_to(event)
        elif isinstance(event, AccountBooked):
            if event.kind not in _OF_FILLS:
                self._report_to(event)
        elif isinstance(event, MarginCall) or (isinstance(event, PositionClosed) and not event.client_order_id):
            self._report_to(event)


class _Beginning:
    """Makes a venue begin anew in a later life of its host, when all that is known of the earlier one is in."""

    def __init__(self, begin: Callable[[], None]) -> None:
        self.on_ready = begin

    def on_save(self) -> Mapping[str, bytes]:
        """Nothing of its own."""
        return {}

    def on_load(self, state: Mapping[str, bytes]) -> None:
        """Nothing of its own."""


def add_paper_venue(host: LocalHost, plan: KernelPlan, venue: str) -> PaperVenue:
    """Build the paper venue of that name, add it to `host` and wire it; once in a life of the host."""
    made_once(host, client_id(venue))
    settings = next(one for one in plan.venues if one.name == venue)
    actor = PaperVenue(ActorConfig(actor_id=client_id(venue)))
    host.add(actor, Kind.EXECUTION)
    actor.wire(host, plan, settings)
    return actor
