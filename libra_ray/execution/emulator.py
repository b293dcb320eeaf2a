"""The order emulator: holds orders here until the market reaches their trigger, then lets them go to the venue."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from libra_ray.execution.emulated_form import emulation_refusal
from libra_ray.execution.emulated_links import Links
from libra_ray.execution.emulated_state import decoded, encoded
from libra_ray.execution.emulated_triggers import (
    Held,
    Prices,
    become_released,
    is_activated,
    is_hit,
    moved,
    released_px,
)
from libra_ray.execution.emulated_watch import Watch, data_patterns
from libra_ray.execution.engine import ExecutionEngine
from libra_ray.messages.commands import CancelOrder, Command, ModifyOrder, SubmitOrder, SubmitOrderList
from libra_ray.messages.events import (
    OrderCanceled,
    OrderDenied,
    OrderEmulated,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReleased,
    OrderUpdated,
)
from libra_ray.model.enums import OrderStatus
from libra_ray.model.instruments import Instrument
from libra_ray.model.orders import TRAILING_TYPES, Order
from libra_ray.runtime import Actor, Timer

__all__ = ["OrderEmulator"]

_LOCAL = (OrderStatus.INITIALIZED, OrderStatus.EMULATED)
_LINKING = (OrderFilled, OrderCanceled, OrderDenied, OrderExpired, OrderRejected)
_BEFORE_OTHERS = 1


class _Rows(Protocol):
    def of(self, instrument_id: str) -> Prices: ...


class _Cache(Protocol):
    @property
    def instruments(self) -> Mapping[str, Instrument]: ...

    @property
    def orders(self) -> dict[str, Order]: ...

    @property
    def working(self) -> Mapping[str, Order]: ...

    @property
    def rows(self) -> _Rows: ...


class OrderEmulator(Actor):
    """Endpoint `OrderEmulator.execute`: orders with an `emulation_trigger`, and lists with such an order in them.

    It looks at each row of the instruments that it holds orders on, before any strategy does. What a row sets off is
    done when the row has been given to all, in the order in which commands are taken; so one order of a pair that fills
    cancels the other before that one is let go. It subscribes to nothing while it holds nothing.
    """

    def wire(
        self,
        cache: _Cache,
        engine: ExecutionEngine,
        *,
        forward: Callable[[Command], None],
        fills_whole: Callable[[Order], bool],
    ) -> None:
        """Give it what it looks at and where released orders go. Called once by the kernel, before start.

        `forward`: the algorithm that an order names, else the risk engine. `fills_whole`: whether the venue of an order
        lets children go only once their parent is filled.
        """
        self._cache, self._engine, self._forward = cache, engine, forward
        self._held: dict[str, Held] = {}
        self._watches: dict[str, Watch] = {}
        self._links = Links(self, cache.orders, self._held, fills_whole)
        self._due: dict[str, None] = {}
        self._heard_of: dict[str, None] = {}

    @property
    def held_orders(self) -> list[Order]:
        """What is held, in order of arrival."""
        return [held.order for held in self._held.values()]

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
        for held in arrived:
            if held.order.client_order_id not in self._held:
                continue  # went along with another one, or was ended by it
            if self._links.waits(held.order):
                held.is_waiting = True
                self._set_alert(held)
            elif held.is_emulated:
                self.begin(held)
            else:
                self._send_plain(arrived)
            self._follow()

    def _is_known(self, order: Order) -> bool:
        known = self._cache.orders.get(order.client_order_id)
        return known is not order or order.status is not OrderStatus.INITIALIZED or order.client_order_id in self._held

    def _refusal(self, orders: Sequence[Order]) -> tuple[Order, str, str] | None:
        now_ns = self.clock.now_ns()
        for order in orders:
            if order.emulation_trigger is not None:
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

    def _send_plain(self, arrived: Sequence[Held]) -> None:
        """Orders of a list that need not be held go on, together."""
        orders = [
            held.order
            for held in arrived
            if held.order.client_order_id in self._held and not held.is_emulated and not self._links.waits(held.order)
        ]
        self._send(orders)

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
        self._engine.process(OrderUpdated(*self.head(order), quantity, price, trigger))
        if not held.is_waiting:
            self._release_if_hit(held)

    # ------------------------------------------------------------------ holding

    def _hold(self, order: Order) -> Held:
        instruments = self._cache.instruments
        watched = instruments.get(order.trigger_instrument_id or order.instrument_id)
        held = Held.of(order, instruments.get(order.instrument_id), watched)
        self._held[order.client_order_id] = held
        self._engine.hold(order, self.execute)
        return held

    def _set_alert(self, held: Held) -> None:
        if held.order.expire_ns is not None:
            self.clock.set_alert(held.order.client_order_id, at_ns=held.order.expire_ns, callback=self._on_alert)

    def begin(self, held: Held) -> None:
        """An order is EMULATED from here on; one that is hit already is let go at once."""
        order = held.order
        held.is_waiting = False
        px = self._px_of(held)
        if order.type in TRAILING_TYPES:
            self._start_to_follow(held, px)
        self._engine.process(OrderEmulated(*self.head(order)))
        if not self._release_if_hit(held):
            self._watch(held)
            self._set_alert(held)

    def _px_of(self, held: Held) -> int | None:
        watch = self._watches.get(held.watched_id)
        if watch is None:
            watch = Watch(held.watched_id, self._cache.rows.of(held.watched_id), self._call)
        return watch.px_of(held)

    def _watch(self, held: Held) -> None:
        watch = self._watches.get(held.watched_id)
        if watch is None:
            prices = self._cache.rows.of(held.watched_id)
            watch = self._watches[held.watched_id] = Watch(held.watched_id, prices, self._call)
            for pattern in data_patterns(held.watched_id):
                self.subscribe(pattern, watch.on_row)
        watch.add(held)

    def _drop(self, held: Held) -> None:
        """No longer held, whatever comes next."""
        order_id = held.order.client_order_id
        del self._held[order_id]
        self._engine.unhold(held.order)
        self.clock.cancel_timer(order_id)
        watch = self._watches.get(held.watched_id)
        if watch is not None:
            watch.remove(held)
            if not watch.held:
                del self._watches[held.watched_id]
                for pattern in data_patterns(held.watched_id):
                    self.unsubscribe(pattern, watch.on_row)

    # ------------------------------------------------------------------ the market

    def _call(self, watch: Watch) -> None:
        """A row has set something off; it is done in its turn."""
        self._host.stage(self, self._act, watch)

    def _act(self, watch: Watch) -> None:
        """What the market did to the orders held on one instrument: expiries, releases, then moves."""
        now_ns = self.clock.now_ns()
        there = list(watch.held.values())
        for held in there:
            if held.order.expire_ns is not None and held.order.expire_ns <= now_ns and self._is_held(held):
                self._expire(held)
                self._follow()
        for held in there:
            if self._is_held(held) and self._release_if_hit(held):
                self._follow()
        for held in there:
            if self._is_held(held) and held.order.type in TRAILING_TYPES:
                px = watch.px_of(held)
                if held.is_following and px is not None:
                    self._move(held, px)
                else:
                    self._start_to_follow(held, px)
        self._finish()

    def _is_held(self, held: Held) -> bool:
        return self._held.get(held.order.client_order_id) is held

    def _release_if_hit(self, held: Held) -> bool:
        px = self._px_of(held)
        if px is None or not is_hit(held, px):
            return False
        order = held.order
        shown_px = released_px(held, px)
        companions = [
            each.order
            for each in self._held.values()
            if not each.is_emulated and each.is_waiting and self._goes_with(each.order, order)
        ]
        self._links.note_released(held)
        self._drop(held)
        become_released(order)
        self._engine.process(OrderReleased(*self.head(order), shown_px))
        if order.exec_algorithm_id is None:
            self._send([order, *companions])
        else:
            self._send([order])
            self._send(companions)
        return True

    def _goes_with(self, order: Order, ancestor: Order) -> bool:
        """Whether an order that is not emulated waits for `ancestor`, at first or second hand."""
        parent_id = order.parent_order_id
        while parent_id is not None and parent_id != ancestor.client_order_id:
            parent = self._held.get(parent_id)
            parent_id = None if parent is None or parent.is_emulated else parent.order.parent_order_id
        return parent_id is not None

    def _send(self, orders: Sequence[Order]) -> None:
        """Orders go on to the venue, those of one list together."""
        for order in orders:
            held = self._held.get(order.client_order_id)
            if held is not None:
                self._drop(held)
        now_ns = self.clock.now_ns()
        if len(orders) == 1:
            self._forward(SubmitOrder(now_ns, orders[0].strategy_id, orders[0]))
        elif orders:
            self._forward(SubmitOrderList(now_ns, orders[0].strategy_id, tuple(orders)))

    def _start_to_follow(self, held: Held, px: int | None) -> None:
        held.is_following = is_activated(held, px)
        if held.is_following and px is not None:
            self._move(held, px, stands=True)

    def _move(self, held: Held, px: int, *, stands: bool = False) -> None:
        """A trailing trigger follows the market."""
        change = moved(held, px, stands=stands)
        if change is not None:
            head = self.head(held.order)
            self._engine.process(OrderUpdated(*head, None, change.price_raw, change.trigger_raw))

    # ------------------------------------------------------------------ time

    def _on_alert(self, timer: Timer) -> None:
        held = self._held.get(timer.name)
        if held is not None:
            self._expire(held)
            self._finish()

    def _expire(self, held: Held) -> None:
        order = held.order
        _, *head = self.head(order)
        self.end(held, OrderExpired(order.expire_ns or self.clock.now_ns(), *head))

    # ------------------------------------------------------------------ links

    def head(self, order: Order) -> tuple[int, str, str, str]:
        """How an event of an order begins, now."""
        return self.clock.now_ns(), order.strategy_id, order.instrument_id, order.client_order_id

    def end(self, held: Held, event: OrderEvent) -> None:
        """A held order ends here, by `event`; what depends on it follows."""
        self._drop(held)
        if isinstance(event, OrderDenied):
            self._engine.refuse(held.order, event)
        else:
            self._engine.process(event)
        self._due[held.order.client_order_id] = None

    def resize(self, held: Held, quantity_raw: int) -> None:
        """Links give a held order another quantity."""
        self._engine.process(OrderUpdated(*self.head(held.order), quantity_raw, None, None))

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
                self._host.stage(self, self._finish_turn, None)
            self._due[event.client_order_id] = None

    def _finish_turn(self, _message: None) -> None:
        self._finish()

    def _follow(self) -> None:
        while self._due:
            order_id = next(iter(self._due))
            del self._due[order_id]
            self._links.follow(self._cache.orders[order_id])

    def _finish(self) -> None:
        """After all that was done: links follow, and only strategies whose orders matter are listened to."""
        self._follow()
        self._links.follow_related()
        wanted = dict.fromkeys(f"events.order.{order.strategy_id}" for order in self._links.followed.values())
        for topic in [name for name in self._heard_of if name not in wanted]:
            self.unsubscribe(topic, self._hear)
            del self._heard_of[topic]
        for topic in wanted:
            if topic not in self._heard_of:
                self.subscribe(topic, self._hear, _BEFORE_OTHERS)
                self._heard_of[topic] = None

    # ------------------------------------------------------------------ restart

    def on_reset(self) -> None:
        """Hold nothing."""
        for held in list(self._held.values()):
            self._drop(held)
        self._finish()

    def on_save(self) -> Mapping[str, bytes]:
        """Held orders and their triggers."""
        if not self._held:
            return {}
        return {"held": encoded(list(self._held.values()), self._links.released)}

    def on_load(self, state: Mapping[str, bytes]) -> None:
        """Go on with the same triggers. An order that has gone on since the snapshot is left where it is."""
        if "held" not in state:
            return
        snapshots, released = decoded(state["held"])
        for snapshot in snapshots:
            order = self._cache.orders.get(snapshot.order.client_order_id)
            if order is None:
                order = snapshot.restored()
                self._engine.adopt(order)
            if order.status not in _LOCAL:
                continue
            held = self._hold(order)
            held.asked_raw, held.is_waiting, held.is_following = (
                snapshot.asked_raw,
                snapshot.is_waiting,
                snapshot.is_following,
            )
            self._set_alert(held)
            if not held.is_waiting and held.is_emulated:
                self._watch(held)
        self._links.released.update({name: raw for name, raw in released.items() if name in self._cache.orders})
        self._finish()
