"""The execution engine: sends what the risk engine let pass, and folds what comes back."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, Protocol

from libra_ray.errors import InvalidOrderTransitionError, quoted
from libra_ray.execution.audience import Audience
from libra_ray.execution.client import ExecutionClient
from libra_ray.execution.fills_seen import FillsSeen, Known
from libra_ray.execution.fold import FoldedOrders, OrderFold
from libra_ray.execution.initialized import rare_terms
from libra_ray.execution.record import RunRecord
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
    InstrumentHalted,
    MarginCall,
    OrderAccepted,
    OrderCancelRejected,
    OrderDenied,
    OrderEvent,
    OrderFilled,
    OrderInitialized,
    OrderPendingCancel,
    OrderPendingUpdate,
    OrderSubmitted,
    PositionEvent,
)
from libra_ray.model.enums import OrderStatus
from libra_ray.model.orders import Order
from libra_ray.runtime import Actor
from libra_ray.runtime.views import Handler

__all__ = ["ExecutionEngine"]


NEVER_ACCEPTED = 2**63
_INITIALIZED: Final = OrderStatus.INITIALIZED
_SUBMITTED: Final = OrderStatus.SUBMITTED
_FILLED: Final = OrderStatus.FILLED
_DENIABLE: Final = (OrderStatus.INITIALIZED, OrderStatus.RELEASED)


class _Positions(Protocol):
    def on_fill(self, fill: OrderFilled) -> list[PositionEvent | AccountBooked]: ...


class ExecutionEngine(OrderFold, Actor):
    """The only writer of orders. Each event is applied, recorded and published before the next one is made.

    Attributes:
        holders: orders that are kept before the venue, by client order id, with who keeps each.
        duplicate_fills: fills that venues reported again.
    """

    def wire(
        self,
        orders: FoldedOrders,
        portfolio: _Positions,
        clients: Mapping[str, ExecutionClient],
        record: RunRecord,
        *,
        audience: Audience,
        publish: Callable[[str, object], None],
        on_booked: Callable[[str, int], None],
        halt: Callable[[InstrumentHalted], None],
        overfills: Collection[str] = (),
    ) -> None:
        """Give it what it writes to and whom it tells; clients by instrument id. Called once, before start.

        `halt` is told when a report cannot be; `overfills`: instruments whose fills beyond an order's leaves are facts.
        """
        self._fold(orders)
        self._portfolio, self._clients, self._record = portfolio, clients, record
        self._audience, self._publish, self._publish_report = audience, publish, publish
        self._hears = audience.hears
        self._on_booked = on_booked
        self._events = record.events
        self.holders: dict[str, tuple[Order, Handler]] = {}
        self._halt, self._overfills = halt, overfills
        self._seen = FillsSeen(record.events)
        self.duplicate_fills = 0

    def delay_reports(self, publish: Callable[[str, Any], None]) -> None:
        """Let what venues report be published by `publish`, which may do so later. Called once, before start."""
        self._publish_report = publish

    # ------------------------------------------------------------------ commands

    def take(self, order: Order) -> None:
        """A new order is taken up: it is on record from here on."""
        if self._orders.new.pop(order.client_order_id, None) is None or order.status is not _INITIALIZED:
            return  # an emulator or algorithm took it up before, or it is sent a second time and will be denied
        self._record.orders.append(order)
        event = OrderInitialized(
            order.ts_init_ns,
            order.strategy_id,
            order.instrument_id,
            order.client_order_id,
            order.side,
            order.type,
            order.quantity_raw,
            order.size_precision,
            order.price_raw,
            order.trigger_raw,
            order.price_precision,
            order.time_in_force,
            order.expire_ns,
            order.post_only,
            order.reduce_only,
            order.quote_quantity,
            rare_terms(order),
        )
        self._events.append(event)
        if self._hears[order.strategy_id]:
            self._publish(self._audience.order_topic(order.strategy_id), event)

    def execute(self, command: Command) -> None:
        """Endpoint `ExecEngine.execute`: approved orders and modifications, and cancels."""
        if type(command) is SubmitOrder:
            order, ts_ns = command.order, command.ts_ns
            self._mark_submitted(order, ts_ns)
            self._clients[order.instrument_id].submit(order, ts_ns)
        elif type(command) is SubmitOrderList:
            for order in command.orders:
                self._mark_submitted(order, command.ts_ns)
            self._clients[command.orders[0].instrument_id].submit_list(command.orders, command.ts_ns)
        elif type(command) is ModifyOrder:
            self._modify(command)
        elif type(command) is CancelOrder:
            self._cancel(command.order, command.ts_ns, command.code)
        elif type(command) is CancelAllOrders:
            self._cancel_all(command)

    def hold(self, order: Order, holder: Handler) -> None:
        """`order` is kept before the venue, by the order emulator or an algorithm: its cancels go to `holder`."""
        self.holders[order.client_order_id] = (order, holder)

    def unhold(self, order: Order) -> None:
        """Nobody keeps it any longer: it went on, or has ended."""
        self.holders.pop(order.client_order_id, None)

    def holds(self, order: Order) -> bool:
        """Whether somebody keeps it before the venue."""
        return order.client_order_id in self.holders

    def go_on(self, acceptances: int, canceling: Iterable[str]) -> None:
        """Go on where an earlier life stood: so many acceptances, and cancels of these orders on their way."""
        self.acceptances = acceptances
        self.canceling.update((order_id, self._orders.orders[order_id]) for order_id in canceling)

    def recall(self, order: Order) -> None:
        """An order of an earlier life, from a snapshot: known and on record again, as it stands."""
        self._orders.orders[order.client_order_id] = order
        self._record.orders.append(order)

    def _mark_submitted(self, order: Order, ts_ns: int) -> None:
        order.move(_SUBMITTED, ts_ns)
        self._orders.working[order.client_order_id] = order
        if self._hears[order.strategy_id]:
            self._tell_pending(OrderSubmitted, order, ts_ns)

    def _modify(self, command: ModifyOrder) -> None:
        order = command.order
        held = self.holders.get(order.client_order_id)
        if held is not None:
            held[1](command)
            return
        order.move(OrderStatus.PENDING_UPDATE, command.ts_ns)
        self._tell_pending(OrderPendingUpdate, order, command.ts_ns)
        self._clients[order.instrument_id].modify(command)

    def _cancel(self, order: Order, ts_ns: int, code: str = "") -> None:
        if order.client_order_id in self.canceling:
            return  # one is on its way already
        held = self.holders.get(order.client_order_id)
        if held is not None:
            held[1](CancelOrder(ts_ns, order.strategy_id, order, code))
            return
        if order.client_order_id not in self._orders.working:
            code = "ORDER_CLOSED" if order.is_closed else "UNKNOWN_ORDER"
            event = OrderCancelRejected(ts_ns, order.strategy_id, order.instrument_id, order.client_order_id, code)
            self.process(event)
            return
        self.canceling[order.client_order_id] = order
        order.move(OrderStatus.PENDING_CANCEL, ts_ns)
        self._tell_pending(OrderPendingCancel, order, ts_ns)
        self._clients[order.instrument_id].cancel(order, ts_ns, code)

    def _cancel_all(self, command: CancelAllOrders) -> None:
        """In order of acceptance; then what is in flight or held, in order of submission."""
        held = [order for order, _ in self.holders.values()]
        working = sorted(self._orders.working.values(), key=lambda order: order.acceptance or NEVER_ACCEPTED)
        for order in [*working, *held]:
            wanted = command.instrument_id in (None, order.instrument_id)
            if order.strategy_id == command.strategy_id and wanted and not order.is_closed:
                self._cancel(order, command.ts_ns)

    def _tell_pending(self, kind: type[OrderEvent], order: Order, ts_ns: int) -> None:
        """SUBMITTED and PENDING_* are not on record; they are built only where somebody listens."""
        strategy_id, audience = order.strategy_id, self._audience
        if self._hears[strategy_id] and audience.has_receivers(audience.order_topic(strategy_id)):
            event = kind(ts_ns, strategy_id, order.instrument_id, order.client_order_id)
            self._publish(audience.order_topic(strategy_id), event)

    # ------------------------------------------------------------------ events

    def refuse(self, order: Order, event: OrderEvent) -> None:
        """The risk engine's answer: `OrderDenied`, or `OrderModifyRejected` which leaves the order as it is."""
        if type(event) is OrderDenied and order.status in _DENIABLE:
            order.move(OrderStatus.DENIED, event.ts_ns)
            order.code, order.message = event.code, event.message
        self._events.append(event)
        self._publish(self._audience.order_topic(order.strategy_id), event)

    def process_local(self, event: OrderEvent) -> None:
        """An event of ours, by the order emulator, an algorithm or the risk engine: applied and published at once."""
        order = self._orders.orders[event.client_order_id]
        self._apply(order, event)
        self._events.append(event)
        if self._hears[event.strategy_id]:
            self._publish(self._audience.order_topic(event.strategy_id), event)

    def process(self, event: OrderEvent) -> None:
        """A venue's event: apply it to the order, positions and account, record it, publish what came of it.

        What cannot be is refused, leaves the order as it is, and halts the instrument: a step that the state table
        does not allow, an order that nobody sent, a trade id with other content, a fill beyond the leaves.
        """
        order = self._orders.orders.get(event.client_order_id)
        if order is None:
            self._refuse(event, "UNKNOWN_ORDER", f"no order {quoted(event.client_order_id)} is known")
            return
        try:
            if type(event) is OrderFilled:
                self._take_fill(order, event)
                return
            self._apply(order, event)
        except InvalidOrderTransitionError as error:
            self._refuse(event, "ILLEGAL_TRANSITION", error.message)
            return
        self._events.append(event)
        if self._hears[event.strategy_id]:
            self._publish_report(self._audience.order_topic(event.strategy_id), event)

    def book(self, events: list[PositionEvent | AccountBooked]) -> None:
        """What a venue books without a fill: funding, settlement, fees of its own."""
        for event in events:
            self._events.append(event)
            if isinstance(event, AccountBooked):
                self._on_booked(event.instrument_id, event.ts_ns)
                self._publish_report(self._audience.account_topic(event.account_id), event)
            else:
                self._publish_report(self._audience.position_topic(event.strategy_id), event)

    def adopt(self, order: Order) -> None:
        """An order that a venue makes itself, to liquidate: it is on record and at work at once."""
        self._orders.orders[order.client_order_id] = self._orders.new[order.client_order_id] = order
        self.take(order)
        self._mark_submitted(order, order.ts_init_ns)

    def announce(self, call: MarginCall) -> None:
        """A venue calls for margin."""
        self._events.append(call)
        self._publish(self._audience.account_topic(call.account_id), call)

    def _refuse(self, event: OrderEvent, code: str, message: str) -> None:
        self._halt(InstrumentHalted(event.ts_ns, event.instrument_id, event.client_order_id, code, message))

    def _take_fill(self, order: Order, event: OrderFilled) -> None:
        """A reported fill: one that was applied before is not applied again, one that cannot be halts."""
        known = self._seen.look(event)
        if known is Known.SAME:
            self.duplicate_fills += 1
            return
        if known is Known.OTHER:
            what = f"trade {quoted(event.trade_id)} is reported again with another quantity or price"
            self._refuse(event, "FILL_CONFLICT", what)
            return
        is_over = order.filled_raw + event.last_qty_raw > order.quantity_raw and not order.is_closed
        if is_over and event.instrument_id not in self._overfills:
            what = f"a fill of {event.last_qty} is more than the {order.leaves_qty} left of {order.client_order_id}"
            self._refuse(event, "OVERFILL", what)
            return
        self.fill(order, event, allow_overfill=is_over)

    def accept(self, order: Order, event: OrderAccepted) -> None:
        """Apply an acceptance of an order that is known: the way of a simulated venue, which has it in hand."""
        self._accept(order, event)
        self._events.append(event)
        if self._hears[event.strategy_id]:
            self._publish_report(self._audience.order_topic(event.strategy_id), event)

    def fill(self, order: Order, event: OrderFilled, *, allow_overfill: bool = False) -> None:
        """Apply a fill that is known to be new: the way of a simulated venue, which made it."""
        order.fill(event.last_qty_raw, event.last_px_raw, event.ts_ns, allow_overfill=allow_overfill)
        if order.status is _FILLED:
            self._orders.working.pop(order.client_order_id, None)
        born = self._portfolio.on_fill(event)
        self._events += (event, *born)
        self._on_booked(event.instrument_id, event.ts_ns)
        if self._hears[event.strategy_id]:
            self._publish_fill(event, born)

    def _publish_fill(self, event: OrderFilled, born: list[PositionEvent | AccountBooked]) -> None:
        publish, audience = self._publish_report, self._audience
        publish(audience.order_topic(event.strategy_id), event)
        for fact in born:
            topic = (
                audience.account_topic(fact.account_id)
                if isinstance(fact, AccountBooked)
                else audience.position_topic(event.strategy_id)
            )
            publish(topic, fact)
