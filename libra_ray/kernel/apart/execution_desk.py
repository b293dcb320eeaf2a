"""The execution engine on a host of its own: the one authority over orders, positions and accounts."""

from collections.abc import Mapping

import msgspec

from libra_ray.execution import Audience, ExecutionEngine, RunRecord
from libra_ray.kernel.apart.host_view import STATE_ASKED, STATE_FOR_ALL, halt_on_faults
from libra_ray.kernel.apart.letters import (
    AdoptOrder,
    AskState,
    FaultPolicy,
    HoldOrder,
    OrderReport,
    TakeOrder,
    UnholdOrder,
    VenueBooks,
    VenueRestarted,
)
from libra_ray.kernel.apart.links import Endpoint, link, open_door
from libra_ray.kernel.apart.plan import KernelPlan
from libra_ray.kernel.apart.projection import LOCAL
from libra_ray.kernel.apart.row_view import RowView
from libra_ray.kernel.apart.state import Balance, PositionState, loaded_pages, restore, saved_pages, state_pages
from libra_ray.kernel.books import Books
from libra_ray.messages.commands import (
    CancelAllOrders,
    CancelOrder,
    Command,
    ModifyOrder,
    SubmitOrder,
    SubmitOrderList,
)
from libra_ray.messages.events import (
    AccountBooked,
    ComponentStateChanged,
    InstrumentHalted,
    MarginCall,
    OrderCanceled,
    OrderCancelRejected,
    OrderDenied,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderModifyRejected,
    OrderRejected,
    PositionClosed,
    TradingStateChanged,
)
from libra_ray.model.enums import OrderSide, OrderStatus, OrderType
from libra_ray.model.numbers import Currency
from libra_ray.model.on_grid import put_on_grid
from libra_ray.model.order_states import is_legal
from libra_ray.model.orders import Order
from libra_ray.model.positions import Position
from libra_ray.runtime import LocalHost, State

__all__ = ["EXECUTION", "REPORTS", "ExecutionDesk", "VenueLink"]

EXECUTION = "ExecEngine"
REPORTS = f"{EXECUTION}.report"
"""Where venues report; our own side comes in at `ExecEngine.execute`."""

_ENDS = (OrderCanceled, OrderExpired, OrderRejected)
_SENDABLE = (OrderStatus.INITIALIZED, OrderStatus.RELEASED)


class VenueLink:
    """An `ExecutionClient` whose venue is somewhere else."""

    def __init__(self, host: LocalHost, venue: str) -> None:
        self._send = link(host, f"{venue}.execute")

    def submit(self, order: Order, ts_ns: int) -> None:
        """Send an approved order."""
        self._send(SubmitOrder(ts_ns, order.strategy_id, order))

    def submit_list(self, orders: tuple[Order, ...], ts_ns: int) -> None:
        """Send approved orders that depend on each other."""
        self._send(SubmitOrderList(ts_ns, orders[0].strategy_id, orders))

    def modify(self, command: ModifyOrder) -> None:
        """Change a working order."""
        self._send(command)

    def cancel(self, order: Order, ts_ns: int, code: str = "") -> None:
        """Take an order off."""
        self._send(CancelOrder(ts_ns, order.strategy_id, order, code))


class _More(msgspec.Struct):
    """What the engine's host saves beside the pages of the state."""

    holders: dict[str, str]
    canceling: list[str]
    canceled_early: dict[str, str]
    failed_ns: dict[str, int]
    closing: int
    fills: dict[str, list[OrderFilled]]


class HolderLink:
    """Sends to who keeps an order before the venue; two of one endpoint are equal."""

    __slots__ = ("_send", "endpoint")

    def __init__(self, host: LocalHost, endpoint: str) -> None:
        self.endpoint, self._send = endpoint, link(host, endpoint)

    def __call__(self, command: object) -> None:
        self._send(command)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HolderLink) and other.endpoint == self.endpoint

    def __hash__(self) -> int:
        return hash(self.endpoint)


class ExecutionDesk:
    """Stands before an `ExecutionEngine`: makes its own orders of those that come, and keeps out what comes too late.

    Attributes:
        books: the system's own.
        record: events in order of birth, orders.
        resent: commands with new orders that had come before, which are ignored; stray: news of orders that are over.
    """

    def __init__(self, host: LocalHost, engine: ExecutionEngine, plan: KernelPlan) -> None:
        self.books = Books(plan.venues, plan.instruments, host.clock.now_ns())
        self.record = RunRecord()
        self.record.events.extend(self.books.deposits)
        self.resent = self.stray = 0
        self._host, self._engine = host, engine
        self._orders = self.books.cache.orders
        self._canceled_early: dict[str, str] = {}  # codes of cancels that came before their orders
        self._failed_ns: dict[str, int] = {}  # when strategies failed whose orders are not to work
        self._closing = 0
        self._risk = link(host, "RiskEngine.execute")
        self._fills: dict[str, list[OrderFilled]] = {}  # of orders that are open: a venue may report one again
        host.keepers[f"#{EXECUTION}"] = self
        halt_on_faults(host)
        bus, books = host.bus, self.books
        clients = {venue: VenueLink(host, venue) for venue in books.venues}
        engine.wire(
            books.cache,
            books.portfolio,
            {made.id: clients[made.venue] for made in books.cache.instruments.values()},
            self.record,
            audience=Audience(bus, [one.account_id for one in books.portfolio.accounts.values()]),
            publish=bus.publish,
            on_booked=_nothing,
            halt=self._halt,
            overfills=books.overfilled,
        )
        if any(venue.base_currency is not None for venue in books.venues.values()):
            RowView(host, books.cache, [spec.name for spec in plan.bars]).want_all()  # bookings are converted
        open_door(host, f"{EXECUTION}.execute", engine, self.execute)
        open_door(host, REPORTS, engine, self.report)
        bus.subscribe(STATE_ASKED, Endpoint(host, engine, self._on_asked))
        bus.subscribe(f"events.system.{EXECUTION}", self._on_own_state)
        bus.subscribe("events.risk", Endpoint(host, engine, self._on_risk_event))

    # ------------------------------------------------------------------ our side

    def execute(self, message: Command | OrderEvent) -> None:
        """Endpoint `ExecEngine.execute`."""
        if isinstance(message, SubmitOrder | SubmitOrderList):
            self._submit(message)
        elif isinstance(message, ModifyOrder):
            self._modify(message)
        elif isinstance(message, CancelOrder):
            self._cancel(message)
        elif isinstance(message, OrderEvent):
            self._apply_local(message)
        elif isinstance(message, OrderReport):
            self._apply_report(message)
        elif isinstance(message, TakeOrder):
            self._take(message.order)
        elif isinstance(message, HoldOrder | UnholdOrder):
            self._hold(message)
        elif isinstance(message, FaultPolicy):
            self._on_strategy_fault(message)
        else:
            self._engine.execute(message)

    def _submit(self, command: SubmitOrder | SubmitOrderList) -> None:
        copies = command.orders if isinstance(command, SubmitOrderList) else (command.order,)
        orders = tuple(self._take(copy) for copy in copies)
        if any(order.status not in _SENDABLE for order in orders):
            self.resent += 1
            return
        for order in orders:
            put_on_grid(order, self.books.cache.instruments[order.instrument_id])
        stopped = [self._stopped_code(order) for order in orders]
        sent = tuple(order for order, code in zip(orders, stopped, strict=True) if code is None)
        for order, code in zip(orders, stopped, strict=True):
            if code is not None:
                self._engine.process_local(OrderCanceled(*_head(order, command.ts_ns), code))
        if isinstance(command, SubmitOrderList) and sent:
            self._engine.execute(SubmitOrderList(command.ts_ns, command.strategy_id, sent))
        elif sent:
            self._engine.execute(SubmitOrder(command.ts_ns, command.strategy_id, sent[0]))

    def _stopped_code(self, order: Order) -> str | None:
        """Why an order that was let pass is not to be sent: it was canceled, or its strategy has failed meanwhile."""
        early = self._canceled_early.pop(order.client_order_id, None)
        if early is not None:
            return early
        failed_ns = self._failed_ns.get(order.strategy_id)
        return "STRATEGY_FAULTED" if failed_ns is not None and order.ts_init_ns < failed_ns else None

    def _take(self, copy: Order) -> Order:
        """The engine's own object of an order; one that is new is taken up."""
        order = self._orders.get(copy.client_order_id)
        if order is None:
            order = msgspec.structs.replace(copy)
            cache = self.books.cache
            if order.status is OrderStatus.INITIALIZED:
                cache.orders[order.client_order_id] = cache.new[order.client_order_id] = order
                self._engine.take(order)
            else:
                self._engine.recall(order)
        return order

    def _modify(self, command: ModifyOrder) -> None:
        order = self._orders.get(command.order.client_order_id)
        if order is None:
            self._refuse_change(command.order, command.ts_ns, "UNKNOWN_ORDER")
        elif self._engine.holds(order) or is_legal(order.status, OrderStatus.PENDING_UPDATE):
            self._engine.execute(msgspec.structs.replace(command, order=order))
        else:
            code = "UNKNOWN_ORDER" if order.status in LOCAL else "ORDER_CLOSED"
            self._refuse_change(order, command.ts_ns, code)

    def _refuse_change(self, order: Order, ts_ns: int, code: str) -> None:
        self._engine.refuse(order, OrderModifyRejected(*_head(order, ts_ns), code))

    def _cancel(self, command: CancelOrder) -> None:
        copy = command.order
        order = self._orders.get(copy.client_order_id)
        if order is None:
            self._engine.refuse(copy, OrderCancelRejected(*_head(copy, command.ts_ns), "UNKNOWN_ORDER"))
        elif order.status in _SENDABLE and not self._engine.holds(order):
            self._canceled_early[order.client_order_id] = command.code  # it is on its way through the risk engine
        elif order.status is OrderStatus.EMULATED and not self._engine.holds(order):
            self._engine.process_local(OrderCanceled(*_head(order, command.ts_ns), command.code))  # nobody has it
        else:
            self._engine.execute(msgspec.structs.replace(command, order=order))

    def _apply_local(self, event: OrderEvent) -> None:
        """An event of the order emulator or of an algorithm about an order that it keeps."""
        order = self._orders.get(event.client_order_id)
        if order is None or order.is_closed:
            self.stray += 1
        elif order.status in LOCAL:
            self._engine.process_local(event)
            if isinstance(event, _ENDS):
                self._engine.unhold(order)
        elif isinstance(event, OrderCanceled | OrderExpired):
            # It was sent before its end was wanted: it is taken off where it is now.
            self._engine.execute(CancelOrder(event.ts_ns, event.strategy_id, order))
        else:
            self.stray += 1

    def _apply_report(self, report: OrderReport) -> None:
        order = self._take(report.order)
        if isinstance(report.event, OrderDenied | OrderModifyRejected):
            self._canceled_early.pop(order.client_order_id, None)
            self._engine.refuse(order, report.event)
        else:
            self._apply_local(report.event)

    def _hold(self, message: HoldOrder | UnholdOrder) -> None:
        order = self._orders.get(message.client_order_id)
        link_to = HolderLink(self._host, message.holder)
        if order is None:
            self.stray += 1
        elif isinstance(message, UnholdOrder):
            if self._engine.holds(order) and self._engine.holders[order.client_order_id][1] == link_to:
                self._engine.unhold(order)
        elif order.status in LOCAL:
            self._engine.hold(order, link_to)
        else:
            self.stray += 1  # it has gone on: a holder in its second life remembers what it held in its first

    # ------------------------------------------------------------------ the venues' side

    def report(self, message: object) -> None:
        """Endpoint `ExecEngine.report`."""
        if isinstance(message, OrderFilled):
            order = self._orders.get(message.client_order_id)
            if order is not None:
                order.venue_order_id = order.venue_order_id or message.venue_order_id
                self._fills.setdefault(order.client_order_id, []).append(message)
            self._engine.process(message)
        elif isinstance(message, OrderEvent):
            self._engine.process(message)
        elif isinstance(message, AccountBooked):
            self._book(message)
        elif isinstance(message, PositionClosed):
            if message.position_id in self.books.portfolio.open:
                self.books.portfolio.on_settled(message)
                self._engine.book([message])
        elif isinstance(message, AdoptOrder):
            if message.order.client_order_id not in self._orders:
                self._engine.adopt(msgspec.structs.replace(message.order))
        elif isinstance(message, MarginCall):
            self._engine.announce(message)
        elif isinstance(message, VenueRestarted):
            self._on_venue_restart(message)

    def _book(self, told: AccountBooked) -> None:
        """A venue has booked something without a fill: the same amount is booked here."""
        portfolio, unit = self.books.portfolio, Currency(told.currency, told.precision)
        account = next(one for one in portfolio.accounts.values() if one.account_id == told.account_id)
        self._engine.book([portfolio.book(account, told.kind, told.amount_raw, unit, told.ts_ns, told.instrument_id)])

    def _on_venue_restart(self, told: VenueRestarted) -> None:
        """The orders that a venue had are canceled; it is told what is held with it, after all its reports."""
        books, ids = self.books, told.client_order_ids
        working = books.cache.working
        mine = [name for name, order in working.items() if books.venue_of(order).name == told.venue]
        gone = [name for name in mine if ids is None or name in ids]
        for name in gone:
            self._engine.process(OrderCanceled(*_head(working[name], told.ts_ns), "VENUE_RESTARTED"))
        positions = tuple(map(PositionState.of, books.portfolio.positions_open(venue=told.venue)))
        account = books.portfolio.accounts[told.venue]
        balances = tuple(Balance(told.venue, account.currencies[code], raw) for code, raw in account.totals.items())
        link(self._host, f"{told.venue}.execute")(VenueBooks(told.ts_ns, "", positions, balances, tuple(gone)))

    def _halt(self, event: InstrumentHalted) -> None:
        self.record.events.append(event)
        self._host.bus.publish("events.risk", event)

    # ------------------------------------------------------------------ faults of strategies

    def _on_strategy_fault(self, command: FaultPolicy) -> None:
        """Cancel, or cancel and close; what the strategy sent and is still under way is canceled when it comes."""
        if command.policy == "keep":
            return
        strategy_id, ts_ns = command.strategy_id, command.ts_ns
        self._failed_ns[strategy_id] = ts_ns
        self._engine.execute(CancelAllOrders(ts_ns, strategy_id, None))
        if command.policy == "flatten":
            for position in list(self.books.portfolio.open.values()):
                if position.strategy_id == strategy_id:
                    self._closing += 1
                    order_id = f"{strategy_id}-FLAT-{self._closing}"
                    self._risk(SubmitOrder(ts_ns, strategy_id, _closing(position, order_id, ts_ns)))

    # ------------------------------------------------------------------ the state

    def _on_asked(self, question: AskState) -> None:
        self._tell_state(question.topic)

    def _on_own_state(self, event: ComponentStateChanged) -> None:
        if event.to_state == State.RUNNING:
            self._tell_state(STATE_FOR_ALL)

    def _tell_state(self, topic: str) -> None:
        for page in state_pages(self.books, self._engine.acceptances, self._host.clock.now_ns()):
            self._host.bus.publish(topic, page)

    # ------------------------------------------------------------------ lives of the host

    def on_save(self) -> Mapping[str, bytes]:
        """The books, and what of their orders is known here alone."""
        self._fills = {name: fills for name, fills in self._fills.items() if not self._orders[name].is_closed}
        holders = {
            order_id: holder.endpoint
            for order_id, (_, holder) in self._engine.holders.items()
            if isinstance(holder, HolderLink)
        }
        more = _More(
            holders, list(self._engine.canceling), self._canceled_early, self._failed_ns, self._closing, self._fills
        )
        pages = saved_pages(self.books, self._engine.acceptances, self._host.clock.now_ns())
        return {**pages, "more": msgspec.msgpack.encode(more)}

    def on_load(self, state: Mapping[str, bytes]) -> None:
        """Go on with the same orders, positions and accounts. What was on record before is not any more."""
        pages, more = loaded_pages(state), msgspec.msgpack.decode(state["more"], type=_More)
        restore(self.books, pages)
        self._engine.go_on(pages[-1].acceptances, more.canceling)
        for order_id, endpoint in more.holders.items():
            self._engine.hold(self._orders[order_id], HolderLink(self._host, endpoint))
        self._canceled_early, self._failed_ns = more.canceled_early, more.failed_ns
        self._closing, self._fills = more.closing, more.fills
        self.record.orders.extend(self._orders.values())
        self.record.events.extend(fill for fills in more.fills.values() for fill in fills)

    def on_ready(self) -> None:
        """The state is told when the engine runs."""

    def _on_risk_event(self, event: object) -> None:
        if isinstance(event, TradingStateChanged):
            self.record.events.append(event)


def _head(order: Order, ts_ns: int) -> tuple[int, str, str, str]:
    return ts_ns, order.strategy_id, order.instrument_id, order.client_order_id


def _closing(position: Position, order_id: str, ts_ns: int) -> Order:
    """The reduce-only market order that closes a position."""
    instrument = position.terms.instrument
    side = OrderSide.SELL if position.quantity_raw > 0 else OrderSide.BUY
    return Order(
        order_id, position.strategy_id, instrument.id, side, OrderType.MARKET, abs(position.quantity_raw),
        instrument.size_precision, None, None, instrument.price_precision, ts_ns, reduce_only=True,
        position_id=position.position_id if position.is_hedged else None,
    )  # fmt: skip


def _nothing(_instrument_id: str, _ts_ns: int) -> None:
    """Equity is sampled where the market is: by the portfolio's host."""
