"""The desk of an execution algorithm: primaries come in, their ledgers are kept, and they end in order.

Nothing here is for the author of an algorithm; `ExecAlgorithm` is.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from libra_ray.execution import ExecutionPort
from libra_ray.messages.commands import CancelOrder, Command, ModifyOrder, RefuseCommand, SubmitOrder
from libra_ray.messages.events import (
    OrderCanceled,
    OrderCancelRejected,
    OrderDenied,
    OrderEvent,
    OrderExpired,
    OrderModifyRejected,
    OrderUpdated,
)
from libra_ray.model.enums import OrderStatus, TimeInForce
from libra_ray.model.orders import Order
from libra_ray.portfolio import Cache
from libra_ray.runtime import Delivery, Injected, LocalHost, Rank, State, Timer
from libra_ray.runtime.outbox import Staged
from libra_ray.runtime.views import Handler
from libra_ray.strategy.order_hooks import HOOK_OF_EVENT, OrderHooks
from libra_ray.strategy.primary_work import PrimaryWork

__all__ = ["PrimaryDesk"]

_ALERT = "expiry of "
_BEFORE_STRATEGIES = 1
_ENDED = (State.FAULTING, State.FAULTED, State.DISPOSING, State.DISPOSED)


class PrimaryDesk(OrderHooks):
    """Keeps one ledger per primary. What it does to orders it does in turns of its own, never inside a handler."""

    KNOWN_HOOKS: ClassVar[frozenset[str]] = OrderHooks.KNOWN_HOOKS | {"on_order", "on_primary_ended"}

    cache: Injected[Cache] = Injected()

    def on_order(self, primary: Order) -> None:
        """An order that names this algorithm has arrived. What is not understood is answered by `deny_primary`."""

    def on_primary_ended(self, primary: Order) -> None:
        """Nothing more can be cut from it: it was sent, denied or is being canceled. Drop plans and timers for it."""

    # --- orders come in -----------------------------------------------------------------------------------------

    def receive(self, command: Command) -> None:
        """Endpoint `{actor_id}.execute`. Once it has failed, new orders go to the risk engine to be denied."""
        if self.state not in _ENDED:
            self._inbox(command)
        elif isinstance(command, SubmitOrder):
            self._risk(command)

    def _execute(self, command: Command) -> None:
        """Primaries, and what their strategies want changed."""
        if isinstance(command, SubmitOrder):
            self._take_up(command)
        elif isinstance(command, CancelOrder | ModifyOrder):
            work = self._works.get(command.order.client_order_id)
            if work is None:
                self._execution.execute(command)
            elif isinstance(command, ModifyOrder):
                self._change(work, command)
            else:
                self._begin_to_end(work, "")

    def _take_up(self, command: SubmitOrder) -> None:
        primary = command.order
        self._execution.take(primary)
        if not self._can_be_cut(primary, command.ts_ns):
            self._risk(command)  # it says why
            return
        primary.exec_spawn_id = primary.client_order_id
        work = PrimaryWork(primary)
        self._works[primary.client_order_id] = self._by_order[primary.client_order_id] = work
        self._execution.hold(primary, self.receive)
        self.subscribe(f"events.order.{primary.strategy_id}", self._hear, _BEFORE_STRATEGIES)
        if primary.time_in_force is TimeInForce.GTD and primary.expire_ns is not None:
            self.clock.set_alert(_alert_of(primary), at_ns=primary.expire_ns, callback=self._on_expiry)
        if primary.quote_quantity:
            text = f"ORD006 {self.actor_id} cuts units of {primary.instrument_id}, not an amount. Drop quote_quantity."
            self._at_once(self._deny, (work, "FLAGS_CONFLICT", text))
            return
        self.on_order(primary)

    def _can_be_cut(self, primary: Order, now_ns: int) -> bool:
        """Whether it is an order that could go to the venue some day: others are denied by the risk engine at once."""
        instrument = self.cache.instruments.get(primary.instrument_id)
        order_id = primary.client_order_id
        is_new = self.cache.orders.get(order_id) is primary and order_id not in self._works
        if instrument is None or not is_new or primary.status not in (OrderStatus.INITIALIZED, OrderStatus.RELEASED):
            return False
        if primary.time_in_force is TimeInForce.GTD and (primary.expire_ns is None or primary.expire_ns <= now_ns):
            return False
        if primary.quote_quantity:
            return True
        is_on_grid = primary.size_precision == instrument.size_precision
        return is_on_grid and primary.quantity_raw > 0 and primary.quantity_raw % instrument.step_raw == 0

    def _change(self, work: PrimaryWork, command: ModifyOrder) -> None:
        """Its strategy wants a primary changed; the quantity is what the primary itself still has."""
        primary = work.primary
        if work.is_ending or not work.is_local:
            self._execution.refuse(primary, OrderModifyRejected(*self._head(primary), "ORDER_CLOSED"))
            return
        if command.quantity_raw is not None:
            work.original_raw += command.quantity_raw - primary.quantity_raw
        asked = (
            (command.quantity_raw, primary.quantity_raw),
            (command.price_raw, primary.price_raw),
            (command.trigger_raw, primary.trigger_raw),
        )
        quantity, price, trigger = (None if new == old else new for new, old in asked)
        self._execution.process_local(OrderUpdated(*self._head(primary), quantity, price, trigger))

    # --- turns of what handlers have staged ---------------------------------------------------------------------

    def _at_once(self, turn: Handler, message: object, *, is_fact: bool = False) -> None:
        """`turn(message)` when the running handler has returned, before anything that is queued.

        What a handler wants is taken back if it raises; a fact is not.
        """
        queue, entry = self._host.queue, (turn, message)
        if not self._soon:
            queue.appendleft((self, self._take_soon, None))
        self._soon.append(entry)
        if not is_fact:
            self._host.stage_undo(self, partial(self._soon.remove, entry))

    def _take_soon(self, _message: None) -> None:
        if self._soon:
            turn, message = self._soon.pop(0)
            if self._soon:
                self._host.queue.appendleft((self, self._take_soon, None))
            turn(message)

    def _cut(self, child: Order) -> None:
        """The turn of a child that a handler made: it goes out of the primary, or ends where that is no more."""
        work = self._by_order[child.client_order_id]
        if work.cut(child):
            primary = work.primary
            left = primary.quantity_raw - child.quantity_raw
            self._execution.process_local(OrderUpdated(*self._head(primary), left, None, None))
        else:
            self._end_unsent(child)
            self._forget_if_over(work)

    def _send_child(self, child: Order) -> None:
        if not child.is_closed:
            self._risk(SubmitOrder(self.clock.now_ns(), child.strategy_id, child))

    def _send_primary(self, work: PrimaryWork) -> None:
        primary = work.primary
        if work.is_local and not work.is_ending:
            self._let_go(work)
            self._risk(SubmitOrder(self.clock.now_ns(), primary.strategy_id, primary))

    def _deny(self, asked: tuple[PrimaryWork, str, str]) -> None:
        work, code, message = asked
        if work.is_local and not work.is_ending and not work.out_raw:
            self._let_go(work)
            self._execution.refuse(work.primary, OrderDenied(*self._head(work.primary), code, message))

    def _end_by_algorithm(self, asked: tuple[PrimaryWork, str]) -> None:
        self._begin_to_end(*asked)

    # --- ends ---------------------------------------------------------------------------------------------------

    def _on_expiry(self, timer: Timer) -> None:
        work = self._works.get(timer.name.removeprefix(_ALERT))
        if work is not None and not work.is_ending:
            work.expires = True
            self._begin_to_end(work, "EXPIRED")

    def _begin_to_end(self, work: PrimaryWork, code: str) -> None:
        """A primary is canceled or expires: first its open children are canceled, and give back what they have left."""
        if work.is_local and not work.is_ending:
            work.is_ending, work.end_code = True, code
            self.on_primary_ended(work.primary)
            self._at_once(self._cancel_children, work)

    def _cancel_children(self, work: PrimaryWork) -> None:
        """Cancels go out in order of birth; the primary ends with the last open child."""
        for child in work.open_children:
            self._cancel_child(child)
        self._end_if_alone(work)

    def _cancel_child(self, child: Order) -> None:
        if child.client_order_id in self.cache.working:
            self._execution.execute(CancelOrder(self.clock.now_ns(), child.strategy_id, child))
        elif child.status is OrderStatus.INITIALIZED:
            self._end_unsent(child)

    def _end_unsent(self, child: Order) -> None:
        """A child that was made and not sent is canceled."""
        self._execution.take(child)
        self._execution.process_local(OrderCanceled(*self._head(child), ""))

    def _end_if_alone(self, work: PrimaryWork, *, despite: Order | None = None) -> None:
        """`despite`: a child that the venue would not cancel."""
        primary = work.primary
        if not work.is_ending or primary.is_closed or any(child is not despite for child in work.unsettled):
            return
        self._execution.unhold(primary)
        self.clock.cancel_timer(_alert_of(primary))
        if work.expires and primary.status is OrderStatus.INITIALIZED and primary.expire_ns is not None:
            _, *head = self._head(primary)
            self._execution.process_local(OrderExpired(primary.expire_ns, *head))
        else:
            self._execution.process_local(OrderCanceled(*self._head(primary), work.end_code))

    def _let_go(self, work: PrimaryWork) -> None:
        """A primary leaves: what its strategy wants of it goes to the venue from here on."""
        work.is_gone = True
        self._execution.unhold(work.primary)
        self.clock.cancel_timer(_alert_of(work.primary))
        self.on_primary_ended(work.primary)

    # --- events -------------------------------------------------------------------------------------------------

    def _hear(self, event: OrderEvent) -> None:
        """An event of a strategy that has primaries here: the ledger first, then the hooks."""
        work = self._by_order.get(event.client_order_id)
        if work is None:
            return
        order = self.cache.orders[event.client_order_id]
        if order is not work.primary:
            if order.is_closed or isinstance(event, OrderUpdated | OrderCancelRejected):
                self._at_once(self._settle, (work, order, type(event) is OrderCancelRejected), is_fact=True)
        elif type(event) is OrderCanceled and work.open_children:
            self._at_once(self._cancel_children, work, is_fact=True)
        for handler in self._handlers.get(type(event), ()):
            handler(event)
        self._forget_if_over(work)

    def _settle(self, asked: tuple[PrimaryWork, Order, bool]) -> None:
        """What has become of a child changes its primary."""
        work, child, is_stuck = asked
        primary = work.primary
        back = work.settled(child)
        quantity = max(primary.quantity_raw + back, primary.filled_raw)
        if quantity != primary.quantity_raw:
            if work.is_local:
                self._execution.process_local(OrderUpdated(*self._head(primary), quantity, None, None))
            elif not primary.is_closed:
                command = ModifyOrder(self.clock.now_ns(), primary.strategy_id, primary, quantity, None, None)
                self._host.stage(self, self._risk, command)
        if work.is_ending and (child.is_closed or is_stuck):
            self._end_if_alone(work, despite=child if is_stuck else None)
        self._forget_if_over(work)

    def _forget_if_over(self, work: PrimaryWork) -> None:
        primary = work.primary
        if not work.is_over or self._works.get(primary.client_order_id) is not work:
            return
        del self._works[primary.client_order_id]
        for order in (primary, *work.children):
            self._by_order.pop(order.client_order_id, None)
        if not any(other.primary.strategy_id == primary.strategy_id for other in self._works.values()):
            self.unsubscribe(f"events.order.{primary.strategy_id}", self._hear)

    # --- for the host and the kernel ----------------------------------------------------------------------------

    def link_order_path(self, execution: ExecutionPort, risk: Handler) -> None:
        """Give it the order path. Called once by the kernel, after it was added."""
        self._execution, self._risk = execution, risk
        self._inbox = Delivery(self._host, self, self._execute, keeps=True)

    def works(self, client_order_id: str) -> bool:
        """Whether that is a primary of this algorithm."""
        return client_order_id in self._works

    def give_up(self, _message: None = None) -> None:
        """It has faulted: children are canceled, and primaries that were not sent end with `ALGORITHM_FAULTED`."""
        for work in list(self._works.values()):
            is_local = work.is_local
            for child in work.open_children:
                self._cancel_child(child)
                self._settle((work, child, False))
            if is_local and not work.primary.is_closed:
                self._execution.unhold(work.primary)
                self._execution.process_local(OrderCanceled(*self._head(work.primary), "ALGORITHM_FAULTED"))
        self._forget()

    def _last_words(self, staged: list[Staged]) -> list[Staged]:
        """No child and no primary is sent any more: `give_up` ends them all."""
        spoken: list[Staged] = []
        for actor, handler, message in staged:
            if handler == self._send_primary:
                message.stay()
            elif isinstance(message, ModifyOrder):
                spoken.append((self, self._risk, RefuseCommand(message.ts_ns, message.strategy_id, message)))
            elif handler != self._send_child:
                spoken.append((actor, handler, message))
        return spoken

    def _bind(self, host: LocalHost, actor_id: str, rank: Rank) -> None:
        super()._bind(host, actor_id, rank)
        self._works: dict[str, PrimaryWork] = {}
        self._by_order: dict[str, PrimaryWork] = {}
        self._soon: list[tuple[Handler, Any]] = []
        self._handlers: dict[type, tuple[Callable[[Any], None], ...]] = {}
        for event, hook in HOOK_OF_EVENT.items():
            called = [getattr(self, name) for name in (hook, "on_order_event", "on_event") if self._overrides(name)]
            if called:
                self._handlers[event] = tuple(called)

    def _forget(self) -> None:
        super()._forget()
        self._works.clear()
        self._by_order.clear()
        self._soon.clear()

    def _head(self, order: Order) -> tuple[int, str, str, str]:
        return self.clock.now_ns(), order.strategy_id, order.instrument_id, order.client_order_id

    @classmethod
    def _overrides(cls, name: str) -> bool:
        return getattr(cls, name) is not getattr(PrimaryDesk, name)


def _alert_of(primary: Order) -> str:
    return f"{_ALERT}{primary.client_order_id}"
