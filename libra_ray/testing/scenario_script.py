"""The strategy that plays a scenario's script."""

from collections.abc import Callable, Sequence
from typing import Any

from libra_ray.messages.commands import SetTradingState
from libra_ray.messages.events import OrderEvent, OrderFilled
from libra_ray.messages.schemas import Bar, Quote, Row, Trade
from libra_ray.model.enums import ContingencyType, TradingState
from libra_ray.model.orders import Order
from libra_ray.runtime import Timer
from libra_ray.strategy import Strategy, StrategyConfig
from libra_ray.testing.scenario_form import (
    ActionBlock,
    AlertOp,
    BracketOp,
    CancelAllOp,
    CancelOp,
    CloseOp,
    ModifyOp,
    OrderForm,
    SubmitListOp,
    SubmitOp,
    TimerOp,
    TradingStateOp,
)
from libra_ray.testing.scenario_values import ts_ns

__all__ = ["EVENT_NAMES", "ScriptedStrategy"]

EVENT_NAMES = {
    "OrderDenied": "DENIED",
    "OrderEmulated": "EMULATED",
    "OrderReleased": "RELEASED",
    "OrderRejected": "REJECTED",
    "OrderAccepted": "ACCEPTED",
    "OrderUpdated": "UPDATED",
    "OrderTriggered": "TRIGGERED",
    "OrderCanceled": "CANCELED",
    "OrderExpired": "EXPIRED",
    "OrderFilled": "FILLED",
    "OrderModifyRejected": "MODIFY_REJECTED",
    "OrderCancelRejected": "CANCEL_REJECTED",
}


class ScriptedStrategy(Strategy):
    """Does what the blocks say; keeps what it sees in `timeline` and the labels of its orders."""

    config: StrategyConfig

    def script(
        self,
        actions: Sequence[ActionBlock],
        instruments: Sequence[str],
        topics: Sequence[str],
        built: Sequence[str] = (),
    ) -> None:
        """Give it its part; `built` are topics of bars that the data engine makes. Called before it is added."""
        self._actions, self._instruments, self._topics, self._built = actions, instruments, topics, built
        self.timeline: list[list[Any]] = []
        self.by_label: dict[str, Order] = {}
        self.labels: dict[str, str] = {}
        self._opened: dict[str, str] = {}
        self._rows_seen = 0
        self._events_seen: dict[tuple[str, str], int] = {}

    # ------------------------------------------------------------------ when

    def on_start(self) -> None:
        for topic in self._topics:
            self.subscribe(topic)
        for topic in self._built:
            self.subscribe(topic, self._note_bar)
        for number, block in enumerate(self._actions):
            if block.time is not None:
                self.clock.set_alert(f"block-{number}", at_ns=ts_ns(block.time), callback=self._block(block))
            if block.start:
                self._do(block.do)

    def on_bar(self, bar: Bar) -> None:
        self._row(bar)

    def on_quote(self, quote: Quote) -> None:
        self._row(quote)

    def on_trade(self, trade: Trade) -> None:
        self._row(trade)

    def on_data(self, data: Row) -> None:
        self._row(data)

    def on_book(self, book: object) -> None:
        self._row(book)

    def _row(self, _row: object) -> None:
        index = self._rows_seen
        self._rows_seen += 1
        self.timeline.append(["row", index])
        for block in self._actions:
            if block.at == index:
                self._do(block.do)

    def on_order_event(self, event: OrderEvent) -> None:
        name = EVENT_NAMES.get(type(event).__name__)
        if name is None:
            return
        if isinstance(event, OrderFilled):
            self._note_opening(event.client_order_id)
        label = self.label_of(event.client_order_id)
        seen = self._events_seen[label, name] = self._events_seen.get((label, name), 0) + 1
        for block in self._actions:
            if block.on is not None and block.on[:2] == (label, name):
                wanted = block.on[2] if len(block.on) > 2 else 1  # noqa: PLR2004
                if seen == wanted:
                    self._do(block.do)

    def _block(self, block: ActionBlock) -> Callable[[Timer], None]:
        return lambda _timer: self._do(block.do)

    # ------------------------------------------------------------------ what

    def _do(self, operations: Sequence[Any]) -> None:
        for operation in operations:
            match operation:
                case SubmitOp():
                    self._submit(operation)
                case ModifyOp():
                    order = self.by_label[operation.order]
                    self.modify_order(
                        order, quantity=operation.qty, price=operation.price, trigger_price=operation.trigger
                    )
                case CancelOp():
                    self.cancel_order(self.by_label[operation.order])
                case CancelAllOp():
                    self.cancel_all_orders(operation.instrument)
                case CloseOp():
                    self._close(operation)
                case TradingStateOp():
                    command = SetTradingState(
                        self.clock.now_ns(), self.actor_id, TradingState(operation.state), "script"
                    )
                    self._host.stage(self, self._risk, command)
                case AlertOp():
                    self._alert(operation)
                case TimerOp():
                    interval_ns = ts_ns(operation.interval) - ts_ns("0")
                    self.clock.set_timer(operation.name, interval_ns=interval_ns, callback=self._note_timer)
                case SubmitListOp():
                    self._submit_list(operation)
                case BracketOp():
                    self._bracket(operation)
                case _:
                    raise TypeError(operation)

    def _submit(self, form: OrderForm) -> None:
        self.submit_order(self._made(form))

    def _made(self, form: OrderForm) -> Order:
        algorithm = {} if form.algo is None else form.algo.model_dump(exclude_none=True, exclude={"id"})
        order = self.orders.order(
            form.instrument or self._instruments[0],
            form.side,
            form.qty,
            type=form.type,
            price=form.price,
            trigger_price=form.trigger,
            trigger_type=form.trigger_type,
            time_in_force=form.tif,
            expire_ns=None if form.expire is None else ts_ns(form.expire),
            post_only=form.post_only,
            reduce_only=form.reduce_only,
            quote_quantity=form.quote_qty,
            display_qty=form.display,
            trailing_offset=form.offset,
            trailing_offset_type=form.offset_type or "PRICE",
            limit_offset=form.limit_offset,
            activation_price=form.activation,
            emulation_trigger=form.emulate,
            exec_algorithm_id=None if form.algo is None else form.algo.id,
            exec_algorithm_params=algorithm or None,
            position_id=None if form.position is None else self._position_of(form.position),
        )
        self._name(form.order, order)
        return order

    def _note_opening(self, client_order_id: str) -> None:
        """A fill may have opened a position, which keeps that name after it is closed."""
        for position in self.portfolio.positions():
            if position.opening_order_id == client_order_id:
                self._opened[client_order_id] = position.position_id

    def _position_of(self, label: str) -> str:
        """The id of the position that the order of a label opened; the label itself where it opened none."""
        order = self.by_label.get(label)
        return label if order is None else self._opened.get(order.client_order_id, label)

    def _submit_list(self, operation: SubmitListOp) -> None:
        orders = [self._made(form) for form in operation.orders]
        for form, order in zip(operation.orders, orders, strict=True):
            order.contingency_type = None if form.contingency is None else ContingencyType(form.contingency)
            order.parent_order_id = None if form.parent is None else self.by_label[form.parent].client_order_id
            order.linked_order_ids = tuple(self.by_label[label].client_order_id for label in form.linked or ())
            order.order_list_id = orders[0].client_order_id
        self.submit_order_list(orders)

    def _bracket(self, operation: BracketOp) -> None:
        entry = {"price": operation.price, "trigger_price": operation.trigger, "post_only": operation.post_only}
        orders = self.orders.bracket(
            operation.instrument or self._instruments[0],
            operation.side,
            operation.qty,
            stop_loss=operation.sl,
            take_profit=operation.tp,
            entry={"type": operation.type or "MARKET", **entry},
        )
        for suffix, order in zip(("", "-SL", "-TP"), orders, strict=True):
            self._name(f"{operation.order}{suffix}", order)
        self.submit_order_list(orders)

    def _close(self, operation: CloseOp) -> None:
        if operation.position is None:
            position = self.portfolio.position(operation.instrument or self._instruments[0])
        else:
            position = self.portfolio.by_id(self._position_of(operation.position))
        if position is not None:
            order = self.orders.closing(position)
            self._name(operation.order, order)
            self.submit_order(order)

    def label_of(self, client_order_id: str) -> str:
        """The label of an order: as the script named it; children of an algorithm and a venue's orders by their id."""
        label = self.labels.get(client_order_id)
        if label is None:
            parent, dash, number = client_order_id.rpartition("-E")
            label = f"{self.labels[parent]}-E{number}" if dash and parent in self.labels else client_order_id
            self.labels[client_order_id] = label
            order = self.cache.order(client_order_id)
            if order is not None:
                self.by_label[label] = order
        return label

    def _name(self, label: str, order: Order) -> None:
        """A label stands for a client order id: an order of a label that is there already comes with its id."""
        first = self.by_label.setdefault(label, order)
        if first is not order:
            order.client_order_id = first.client_order_id
        self.labels[order.client_order_id] = label

    def _alert(self, operation: AlertOp) -> None:
        def fire(timer: Timer) -> None:
            self._note_timer(timer)
            self._do(operation.do)

        self.clock.set_alert(operation.name, at_ns=ts_ns(operation.ts), callback=fire)

    def _note_bar(self, bar: Bar) -> None:
        numbers = (bar.open, bar.high, bar.low, bar.close, bar.volume)
        self.timeline.append(["bar", bar.period, bar.ts_ns, *map(str, numbers)])

    def _note_timer(self, timer: Timer) -> None:
        self.timeline.append(["timer", timer.name, timer.due_ns])
