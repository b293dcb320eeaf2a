"""The desk of the order emulator: orders that are held, the market that they look at, and how they leave."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Protocol

from libra_ray.execution.emulated_triggers import (
    Held,
    Prices,
    is_activated,
    is_hit,
    moved,
    released_px,
    source_px,
)
from libra_ray.execution.emulated_watch import Watch, data_patterns
from libra_ray.execution.port import ExecutionPort
from libra_ray.messages.commands import Command
from libra_ray.messages.events import OrderDenied, OrderEmulated, OrderEvent, OrderExpired, OrderReleased, OrderUpdated
from libra_ray.model.enums import TimeInForce
from libra_ray.model.instruments import Instrument
from libra_ray.model.orders import TRAILING_TYPES, Order
from libra_ray.runtime import NEVER_NS, Actor, Timer

__all__ = ["EmulatedDesk", "EmulatorCache"]


class _Rows(Protocol):
    def of(self, instrument_id: str) -> Prices: ...


class EmulatorCache(Protocol):
    """What the emulator looks at."""

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """All that are loaded, by id."""
        ...

    @property
    def orders(self) -> Mapping[str, Order]:
        """All orders, by client order id."""
        ...

    @property
    def working(self) -> Mapping[str, Order]:
        """Orders submitted and not closed."""
        ...

    @property
    def rows(self) -> _Rows:
        """The market."""
        ...


class EmulatedDesk(Actor):
    """Holds orders, tests them at each row of what they look at, and lets them go.

    What a row sets off is said at once, before any strategy sees the row; a released order is sent when its turn comes,
    as everything that is made while a row is given to the actors.
    """

    def _open(
        self,
        cache: EmulatorCache,
        engine: ExecutionPort,
        forward: Callable[[Command], None],
        day_end_ns: Callable[[Order, int], int | None],
    ) -> None:
        self._cache, self._engine, self._forward, self._day_end_ns = cache, engine, forward, day_end_ns
        self._held: dict[str, Held] = {}
        self._watches: dict[str, Watch] = {}
        self._due: dict[str, None] = {}

    @property
    def held_orders(self) -> list[Order]:
        """What is held, in order of arrival."""
        return [held.order for held in self._held.values()]

    @abstractmethod
    def execute(self, command: Command) -> None:
        """Endpoint `OrderEmulator.execute`."""

    @abstractmethod
    def _send(self, held: Held) -> None:
        """The turn of an order that was let go."""

    @abstractmethod
    def _follow(self) -> None:
        """Links follow what has happened to the orders that are noted in `_due`."""

    @abstractmethod
    def _finish(self, _message: None = None) -> None:
        """After all that was done in one turn."""

    def head(self, order: Order) -> tuple[int, str, str, str]:
        """How an event of an order begins, now."""
        return self.clock.now_ns(), order.strategy_id, order.instrument_id, order.client_order_id

    # ------------------------------------------------------------------ holding

    def _is_held(self, held: Held) -> bool:
        return self._held.get(held.order.client_order_id) is held

    def _hold(self, order: Order) -> Held:
        held = self._held[order.client_order_id] = Held.of(order, self._cache.instruments)
        if order.time_in_force is TimeInForce.GTD:
            held.ends_ns = order.expire_ns
        elif order.time_in_force is TimeInForce.DAY:
            held.ends_ns = self._day_end_ns(order, self.clock.now_ns())
        self._engine.hold(order, self.execute)
        return held

    def _set_alert(self, held: Held) -> None:
        if held.ends_ns is not None and held.ends_ns < NEVER_NS:
            self.clock.set_alert(held.order.client_order_id, at_ns=held.ends_ns, callback=self._on_alert)

    def _watch(self, held: Held) -> None:
        watch = self._watches.get(held.watched_id)
        if watch is None:
            prices = self._cache.rows.of(held.watched_id)
            watch = self._watches[held.watched_id] = Watch(held.watched_id, prices, self._on_market)
            for pattern in data_patterns(held.watched_id):
                self.subscribe(pattern, watch.on_row)
        watch.add(held)

    def _unwatch(self, held: Held) -> None:
        self.clock.cancel_timer(held.order.client_order_id)
        watch = self._watches.get(held.watched_id)
        if watch is not None:
            watch.remove(held)
            if not watch.held:
                del self._watches[held.watched_id]
                for pattern in data_patterns(held.watched_id):
                    self.unsubscribe(pattern, watch.on_row)

    def _drop(self, held: Held) -> None:
        """No longer held, whatever comes next."""
        del self._held[held.order.client_order_id]
        self._engine.unhold(held.order)
        self._unwatch(held)

    # ------------------------------------------------------------------ from arrival to release

    def begin(self, held: Held) -> None:
        """An order is EMULATED from here on; one that is hit already is released instead, at once."""
        order = held.order
        held.is_waiting = False
        if order.type in TRAILING_TYPES:
            self._start_to_follow(held, self._px_of(held))
        if not self._release_if_hit(held):
            self._engine.process_local(OrderEmulated(*self.head(order)))
            self._watch(held)
            self._set_alert(held)

    def _px_of(self, held: Held) -> int | None:
        return source_px(held.order, self._cache.rows.of(held.watched_id))

    def _release_if_hit(self, held: Held) -> bool:
        """Let go what its price has hit: it is sent in its turn, and can still be canceled here until then."""
        px = self._px_of(held)
        if px is None or not is_hit(held, px):
            return False
        shown_px = released_px(held, px)
        self._unwatch(held)
        held.is_released = True
        self._host.queue.append((self, self._send, held))  # before anything that somebody makes of the event
        self._engine.process_local(OrderReleased(*self.head(held.order), shown_px))
        return True

    def _start_to_follow(self, held: Held, px: int | None) -> None:
        held.is_following = is_activated(held, px)
        if held.is_following and px is not None:
            self._move(held, px, stands=True)

    def _move(self, held: Held, px: int, *, stands: bool = False) -> None:
        """A trailing trigger follows the market."""
        change = moved(held, px, stands=stands)
        if change is not None:
            head = self.head(held.order)
            self._engine.process_local(OrderUpdated(*head, None, change.price_raw, change.trigger_raw))

    # ------------------------------------------------------------------ the market and time

    def _on_market(self, watch: Watch) -> None:
        """A row sets something off: expiries, then each order in order of arrival, the hit before the move."""
        self._host.stage(self, self._finish, None)
        there = list(watch.held.values())
        now_ns = self.clock.now_ns()
        for held in there:
            if held.expires_ns <= now_ns and self._is_held(held):
                self._expire(held)
        self._follow()
        for held in there:
            if not self._is_held(held) or self._release_if_hit(held) or held.order.type not in TRAILING_TYPES:
                continue
            px = self._px_of(held)
            if held.is_following and px is not None:
                self._move(held, px)
            elif not held.is_following:
                self._start_to_follow(held, px)

    def _on_alert(self, timer: Timer) -> None:
        held = self._held.get(timer.name)
        if held is not None:
            self._expire(held)
            self._finish()

    def _expire(self, held: Held) -> None:
        now_ns, *head = self.head(held.order)
        self.end(held, OrderExpired(now_ns if held.ends_ns is None else held.ends_ns, *head))

    def end(self, held: Held, event: OrderEvent) -> None:
        """A held order ends here, by `event`; what depends on it follows."""
        self._drop(held)
        if isinstance(event, OrderDenied):
            self._engine.refuse(held.order, event)
        else:
            self._engine.process_local(event)
        self._due[held.order.client_order_id] = None
