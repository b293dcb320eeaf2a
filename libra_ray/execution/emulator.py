"""The order emulator: holds orders here until the market reaches their trigger, then lets them go to the venue."""

from collections.abc import Callable, Mapping, Sequence

from libra_ray.execution.emulated_desk import EmulatedDesk, EmulatorCache
from libra_ray.execution.emulated_form import emulation_refusal
from libra_ray.execution.emulated_links import Links
from libra_ray.execution.emulated_state import decoded, encoded
from libra_ray.execution.emulated_triggers import Held
from libra_ray.execution.port import ExecutionPort
from libra_ray.messages.commands import CancelOrder, Command, ModifyOrder, SubmitOrder, SubmitOrderList
from libra_ray.messages.events import (
    OrderCanceled,
    OrderDenied,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderUpdated,
)
from libra_ray.model.enums import OrderStatus
from libra_ray.model.orders import Order

__all__ = ["OrderEmulator"]

_LOCAL = (OrderStatus.INITIALIZED, OrderStatus.EMULATED, OrderStatus.RELEASED)
_LINKING = (OrderFilled, OrderCanceled, OrderDenied, OrderExpired, OrderRejected)
_BEFORE_ALGORITHMS = 2


class OrderEmulator(EmulatedDesk):
    """Endpoint `OrderEmulator.execute`: orders with an `emulation_trigger`, and lists with such an order in them.

    Children of a held parent wait here; links between held orders, and between held ones and others, are minded here,
    those among orders at the venue there. While nothing is held nothing is subscribed to, neither data nor events.
    """

    def wire(
        self,
        cache: EmulatorCache,
        engine: ExecutionPort,
        *,
        forward: Callable[[Command], None],
        day_end_ns: Callable[[Order, int], int | None],
        fills_whole: Callable[[Order], bool],
    ) -> None:
        """Give it what it looks at and where released orders go. Called once by the kernel, before start.

        `forward`: the algorithm that an order names, else the risk engine. By the settings of an order's venue,
        `day_end_ns`: when a DAY order that arrives at a time ends; `fills_whole`: children are let go only once their
        parent is filled.
        """
        self._open(cache, engine, forward, day_end_ns)
        self._links = Links(self, self._cache.orders, self._held, fills_whole)
        self._heard_of: dict[str, None] = {}

    # ------------------------------------------------------------------ commands

    def execute(self, command: Command) -> None:
        """Take up, change or cancel held orders; anything else goes on to where it would have gone."""
        if isinstance(command, SubmitOrder):
            self._take_up(command, (command.order,))
        elif isinstance(command, SubmitOrderList):
            self._take_up(command, command.orders)
        elif isinstance(command, CancelOrder | ModifyOrder) and command.order.client_order_id in self._held:
            held = self._held[command.order.client_order_id]
            if isinstance(command, ModifyOrder):
                self._modify(held, command)
            else:
                self.end(held, OrderCanceled(*self.head(held.order), ""))
        else:
            self._engine.execute(command)
        self._finish()

    def _take_up(self, command: Command, orders: Sequence[Order]) -> None:
        for order in orders:
            self._engine.take(order)
        if any(self._is_known(order) for order in orders):
            self._forward(command)  # the risk engine says why
            return
        found = self._refusal(orders)
        if found is not None:
            self._deny(orders, *found)
            return
        arrived = [self._hold(order) for order in orders]
        self._listen()
        for held in arrived:
            if self._is_held(held) and not held.is_released:  # else it went along with another, or was ended by it
                self._arrive(held, arrived)
                self._follow()

    def _is_known(self, order: Order) -> bool:
        known = self._cache.orders.get(order.client_order_id)
        return known is not order or order.status is not OrderStatus.INITIALIZED or order.client_order_id in self._held

    def _refusal(self, orders: Sequence[Order]) -> tuple[Order, str, str] | None:
        now_ns = self.clock.now_ns()
        for order in orders:
            refusal = emulation_refusal(order, self._cache.instruments, now_ns)
            if refusal is not None:
                return order, *refusal
        return None

    def _deny(self, orders: Sequence[Order], culprit: Order, code: str, message: str) -> None:
        for order in orders:
            why = (code, message)
            if order is not culprit:
                why = ("LIST_DENIED", "ORD017 another order of its list is denied.")
            self._engine.refuse(order, OrderDenied(*self.head(order), *why))

    def _arrive(self, held: Held, arrived: Sequence[Held]) -> None:
        if self._links.waits(held.order):
            held.is_waiting = True
            self._set_alert(held)
        elif held.is_emulated:
            self._links.begin(held)
        else:
            plain = [one for one in arrived if not one.is_emulated and self._is_held(one)]
            self._pass_on([one.order for one in plain if not self._links.waits(one.order)])

    def _modify(self, held: Held, command: ModifyOrder) -> None:
        order = held.order
        scale = 1
        if command.price_precision is not None:
            scale = 10 ** max(order.price_precision - command.price_precision, 0)
        asked = (
            (command.quantity_raw, order.quantity_raw),
            (None if command.price_raw is None else command.price_raw * scale, order.price_raw),
            (None if command.trigger_raw is None else command.trigger_raw * scale, order.trigger_raw),
        )
        quantity, price, trigger = (None if new == old else new for new, old in asked)
        if quantity is not None:
            held.asked_raw = quantity
        self._engine.process_local(OrderUpdated(*self.head(order), quantity, price, trigger))
        if not held.is_waiting and not held.is_released:
            self._release_if_hit(held)

    # ------------------------------------------------------------------ on to the venue

    def _send(self, held: Held) -> None:
        """The turn of an order that was let go; children that wait for nothing but its release go along."""
        if not self._is_held(held):
            return  # canceled meanwhile
        order = held.order
        self._links.note_released(held)
        companions = [
            one.order
            for one in self._held.values()
            if not one.is_emulated and one.is_waiting and self._goes_with(one.order, order)
        ]
        if order.exec_algorithm_id is None:
            self._pass_on([order, *companions])
        else:
            self._pass_on([order])
            self._pass_on(companions)
        self._finish()

    def _goes_with(self, order: Order, ancestor: Order) -> bool:
        """Whether an order that is not emulated waits for `ancestor`, at first or second hand."""
        parent_id = order.parent_order_id
        while parent_id is not None and parent_id != ancestor.client_order_id:
            parent = self._held.get(parent_id)
            parent_id = None if parent is None or parent.is_emulated else parent.order.parent_order_id
        return parent_id is not None

    def _pass_on(self, orders: Sequence[Order]) -> None:
        """Orders go on, those of one list together."""
        for order in orders:
            self._drop(self._held[order.client_order_id])
        now_ns = self.clock.now_ns()
        if len(orders) == 1:
            self._forward(SubmitOrder(now_ns, orders[0].strategy_id, orders[0]))
        elif orders:
            self._forward(SubmitOrderList(now_ns, orders[0].strategy_id, tuple(orders)))

    # ------------------------------------------------------------------ links

    def resize(self, held: Held, quantity_raw: int) -> None:
        """Links give a held order another quantity."""
        self._engine.process_local(OrderUpdated(*self.head(held.order), quantity_raw, None, None))

    def raise_at_venue(self, order: Order, quantity_raw: int) -> None:
        """A child that was let go follows the fills of its parent."""
        if order.client_order_id in self._cache.working:
            now_ns, strategy_id, *_ = self.head(order)
            self._engine.execute(ModifyOrder(now_ns, strategy_id, order, quantity_raw, None, None))

    def cancel_elsewhere(self, order: Order) -> None:
        """The venue, or an algorithm, is told to cancel the sibling of an order that has ended here."""
        if order.client_order_id in self._cache.working or self._engine.holds(order):
            now_ns, strategy_id, *_ = self.head(order)
            self._engine.execute(CancelOrder(now_ns, strategy_id, order))

    def _hear(self, event: OrderEvent) -> None:
        """An event of a strategy's order: what depends on it follows in its turn, on the sum of the execution."""
        if event.client_order_id in self._links.followed and isinstance(event, _LINKING):
            if not self._due:
                self._host.stage(self, self._finish, None)
            self._due[event.client_order_id] = None

    def _follow(self) -> None:
        while self._due:
            order_id = next(iter(self._due))
            del self._due[order_id]
            self._links.follow(self._cache.orders[order_id])

    def _finish(self, _message: None = None) -> None:
        self._follow()
        self._listen()

    def _listen(self) -> None:
        """Only strategies whose orders matter are listened to."""
        self._links.follow_related()
        wanted = dict.fromkeys(f"events.order.{order.strategy_id}" for order in self._links.followed.values())
        for topic in [name for name in self._heard_of if name not in wanted]:
            self.unsubscribe(topic, self._hear)
            del self._heard_of[topic]
        for topic in wanted:
            if topic not in self._heard_of:
                self.subscribe(topic, self._hear, _BEFORE_ALGORITHMS)
                self._heard_of[topic] = None

    # ------------------------------------------------------------------ restart

    def is_held(self, client_order_id: str) -> bool:
        """Whether an order is kept here."""
        return client_order_id in self._held

    def let_go(self, client_order_id: str) -> None:
        """An order has gone on without this emulator's doing: it is kept here no longer."""
        held = self._held.get(client_order_id)
        if held is not None and not held.is_released:
            self._drop(held)
            self._finish()

    def on_reset(self) -> None:
        """Hold nothing."""
        for held in list(self._held.values()):
            self._drop(held)
        self._finish()

    def on_save(self) -> Mapping[str, bytes]:
        """Held orders and their triggers."""
        return {"held": encoded(list(self._held.values()), self._links.released)} if self._held else {}

    def on_load(self, state: Mapping[str, bytes]) -> None:
        """Go on with the same triggers. An order that has gone on since the snapshot is left where it is."""
        if "held" not in state:
            return
        snapshots, released = decoded(state["held"])
        for saved in snapshots:
            order = self._cache.orders.get(saved.order.client_order_id)
            if order is None:
                order = saved.restored()
                self._engine.recall(order)
            if order.status not in _LOCAL:
                continue
            held = self._hold(order)
            held.asked_raw, held.ends_ns = saved.asked_raw, saved.ends_ns
            held.is_waiting, held.is_following = saved.is_waiting, saved.is_following
            if order.status is OrderStatus.RELEASED:
                held.is_released = True
                self._host.stage(self, self._send, held)
                continue
            self._set_alert(held)
            if not held.is_waiting:
                self._watch(held)
        self._links.released.update({name: raw for name, raw in released.items() if name in self._cache.orders})
        self._finish()
