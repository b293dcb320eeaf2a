"""The local host: carries actors in this process, one thread, in one order that a seed reproduces."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from loguru import logger

from libra_ray.clock import Clock, VirtualClock
from libra_ray.errors import ConfigError, StrategyError, did_you_mean, quoted
from libra_ray.messages.events import ComponentStateChanged
from libra_ray.runtime.actor import Actor
from libra_ray.runtime.delivery import Delivery
from libra_ray.runtime.faults import Fault, fault_of
from libra_ray.runtime.hooks import check_hooks
from libra_ray.runtime.lifecycle import ACTIVE_STATES, NEXT, State, Trigger, next_state
from libra_ray.runtime.outbox import Outbox
from libra_ray.runtime.rank import Kind, Rank
from libra_ray.runtime.timers import NEVER_NS, Alarm, TimerQueue
from libra_ray.runtime.topics import state_topic
from libra_ray.runtime.views import BusPort, Handler, Log

__all__ = ["HELD_EVENTS_MAX", "SETTLE_MESSAGES_MAX", "LocalHost"]

SETTLE_MESSAGES_MAX: Final = 65_536
"""More messages than this in one settle fault the actor that sent the last one."""

HELD_EVENTS_MAX: Final = 65_536
"""More events than this kept for one actor that does not run fault it: events are never dropped."""

FaultHandler = Callable[[Actor, Fault], object]


class LocalHost(Outbox):
    """Registers actors, drives their lifecycle, runs their handlers and settles what they send.

    A loop over market rows may call handlers itself, at the price of one list test a row:

        try:
            handler(row)
            if host.staged:
                host.commit()
        except Exception as error:
            host.on_handler_error(actor, error)

    and then `host.settle()` while `host.queue` is not empty. Who is called for a topic (`row_handlers`) changes only
    when `version` does, which is never inside a handler that staged nothing and did not raise.

    Attributes:
        clock, bus, seed, epoch: as given. `timers.next_ns` is when the next timer is due.
        cache, portfolio: what actors added from now on are given; see `provide`.
        actors: by id, in order of registration.
        faults: what actors raised, in order. A run that ends with any has failed.
        on_faulted: called with (actor, fault) when an actor outside the kernel has become FAULTED.
        on_kernel_fault: the same for a part of the kernel: trading must halt.
        discarded: messages and timers that came while their actor did not run, by actor id.

    """

    def __init__(
        self,
        clock: Clock,
        bus: BusPort,
        seed: int = 0,
        *,
        epoch: int = 1,
        log_of: Callable[[str], Log] | None = None,
    ) -> None:
        super().__init__()
        self.clock, self.bus, self.seed, self.epoch = clock, bus, seed, epoch
        self.log_of = log_of or _loguru_of
        self.timers = TimerQueue()
        self.cache: Any = None
        self.portfolio: Any = None
        self.actors: dict[str, Actor] = {}
        self.faults: list[Fault] = []
        self.discarded: dict[str, int] = {}
        self.on_faulted: FaultHandler | None = None
        self.on_kernel_fault: FaultHandler | None = None
        self._added: dict[str, int] = {}
        self._held: dict[str, deque[tuple[Handler, tuple[Any, ...]]]] = {}
        self._announcements: deque[ComponentStateChanged] = deque()
        self._announcing = False
        self._settling = False
        self._fired = self._fired_ns = 0
        self._activity = 0
        bus.attach(self)

    # --- registration -------------------------------------------------------------------------------------------

    def add(self, actor: Actor, kind: Kind = Kind.ACTOR) -> str:
        """INITIALIZE `actor` and return its id: `config.actor_id`, or `{ClassName}-{n}` with n from 1 per class.

        Raises `ConfigError` CONF007 for an id that is taken, `StrategyError` STRAT003 for an `on_...` method that is no
        hook and STRAT004 for an `__init__` that did not call `super().__init__`.
        """
        name = type(actor).__name__
        check_hooks(type(actor))
        if "config" not in vars(actor) or "state" not in vars(actor):
            fix = "Call super().__init__(config) first."
            raise StrategyError("STRAT004", None, f"{name}.__init__ did not initialize Actor", fix, name)
        to_state = next_state(name, actor.state, Trigger.INITIALIZE)
        actor_id = actor.config.actor_id or self._new_id(name)
        if actor_id in self.actors:
            what = f"actor id {quoted(actor_id)} is given 2 times"
            raise ConfigError("CONF007", None, what, "Give each actor an actor_id of its own.", actor_id)
        actor._bind(self, actor_id, Rank(kind, len(self.actors)))  # noqa: SLF001 - the host is the actor's other half
        self.actors[actor_id] = actor
        self._move(actor, Trigger.INITIALIZE, to_state)
        return actor_id

    def provide(self, *, cache: object = None, portfolio: object = None) -> None:
        """Give these views to the actors there are and to those to come; None leaves a view as it is."""
        for name, view in (("cache", cache), ("portfolio", portfolio)):
            if view is not None:
                setattr(self, name, view)
                for actor in self.actors.values():
                    setattr(actor, name, view)

    def actor(self, actor_id: str) -> Actor:
        """The actor of that id. Raises `LookupError`, with the closest id, when there is none."""
        try:
            return self.actors[actor_id]
        except KeyError:
            raise LookupError(f"no actor {quoted(actor_id)}. {did_you_mean(actor_id, list(self.actors))}") from None

    def rng(self, actor_id: str, purpose: str) -> np.random.Generator:
        """A counter-based generator keyed by (seed, actor id, purpose): the same in every run, process and order."""
        key = blake2b(f"{self.seed}\0{actor_id}\0{purpose}".encode(), digest_size=16).digest()
        return np.random.Generator(np.random.Philox(key=int.from_bytes(key, "little")))

    @property
    def version(self) -> int:
        """Grows when a subscription, an endpoint or the set of active actors changes."""
        return self._activity + self.bus.version

    def row_handlers(self, topic: str) -> tuple[tuple[Actor | None, Handler], ...]:
        """Who must be called for a row of a market-data topic, by rank: subscribed, active, with a handler of its own.

        A subscriber that is no actor stands with None. Valid until `version` changes.
        """
        found: list[tuple[Actor | None, Handler]] = []
        for receiver in self.bus.receivers(topic):
            if not isinstance(receiver, Delivery):
                found.append((None, receiver))
            elif receiver.actor.is_active and getattr(receiver.handler, "__func__", None) not in _NO_OPS:
                found.append((receiver.actor, receiver.handler))
        return tuple(found)

    # --- handlers -----------------------------------------------------------------------------------------------

    def run(self, actor: Actor, handler: Callable[..., object], *args: object) -> bool:
        """Call `handler(*args)` of `actor` with its outbox: commit when it returns, fault the actor when it raises.

        The state is not looked at. Returns whether the handler returned.
        """
        start = len(self.staged)
        try:
            handler(*args)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises faults its actor, and is recorded
            self.on_handler_error(actor, error, start)
            return False
        if len(self.staged) > start:
            self.commit(start)
        return True

    def deliver(self, actor: Actor, handler: Callable[..., object], *args: object) -> bool:
        """`run` when `actor` is active; otherwise keep the event until it runs again. Returns whether it ran well."""
        if actor.is_active:
            return self.run(actor, handler, *args)
        self.hold(actor, handler, args, keep=True)
        return False

    def deliver_now(self, actor: Actor, handler: Callable[..., object], *args: object) -> bool:
        """`run` when `actor` is active; otherwise discard and count."""
        if actor.is_active:
            return self.run(actor, handler, *args)
        self.hold(actor, handler, args, keep=False)
        return False

    def hold(self, actor: Actor, handler: Handler, args: tuple[Any, ...], *, keep: bool) -> None:
        """What becomes of a message for an actor that is not active: kept in order, or discarded and counted."""
        actor_id = actor.actor_id
        if not keep or actor.state in _ENDED:
            self.discarded[actor_id] = self.discarded.get(actor_id, 0) + 1
            return
        held = self._held.setdefault(actor_id, deque())
        held.append((handler, args))
        if len(held) > HELD_EVENTS_MAX:
            what = f"{actor_id} is {actor.state} and has more than {HELD_EVENTS_MAX:,} events waiting"
            error = StrategyError("STRAT005", None, what, "Resume or dispose of it.", actor_id)
            self._fail(actor, fault_of(actor, actor_id, error, self.clock.now_ns(), "(waiting)"))

    def on_handler_error(self, actor: Actor | None, error: Exception, start: int = 0) -> None:
        """A handler of `actor` raised: discard its outbox, record the fault, then FAULT or DEGRADE the actor.

        Without an actor the error is no fault of anybody here and is raised again.
        """
        self.rollback(start)
        if actor is None:
            raise error
        actor._rollback()  # noqa: SLF001
        self._fail(actor, fault_of(actor, actor.actor_id, error, self.clock.now_ns()))

    def settle(self) -> int:
        """Take what is queued, first in first out, until nothing is left; returns how many messages that were.

        A call from inside a settle returns at once: what it wanted settled is settled by the outer one. More than
        65,536 messages fault the actor that sent the last one (STRAT002); the rest is still delivered.
        """
        if self._settling:
            return 0
        self._settling = True
        queue, staged = self.queue, self.staged
        settled = left = 0
        try:
            if staged:
                self.commit()
            while queue:
                sender, handler, message = queue.popleft()
                settled += 1
                left += 1
                if left > SETTLE_MESSAGES_MAX:
                    self._stop_runaway(sender, f"sent message {left:,} of one settle")
                    left = 0
                try:
                    handler(message)
                except Exception as error:  # noqa: BLE001 - raised again unless the handler is an actor's
                    owner = getattr(handler, "__self__", None)
                    self.on_handler_error(owner if isinstance(owner, Actor) else None, error)
                if staged:
                    self.commit()
        finally:
            self._settling = False
        return settled

    # --- time ---------------------------------------------------------------------------------------------------

    def fire_next(self) -> None:
        """Run the handler of the first timer, whatever the time. Does not move the clock and does not settle.

        More than 65,536 at one time fault the actor whose timer that is (STRAT002): they would never end.
        """
        alarm = self.timers.pop_due(NEVER_NS)
        if alarm is None:
            return
        now_ns = self.clock.now_ns()
        self._fired = self._fired + 1 if now_ns == self._fired_ns else 1
        self._fired_ns = now_ns
        if self._fired > SETTLE_MESSAGES_MAX:
            self._fired = 0
            owner = next(actor for actor in self.actors.values() if actor.rank_no == alarm.key[0])
            self._stop_runaway(owner, f"fired timer {SETTLE_MESSAGES_MAX + 1:,} of one time, '{alarm.key[1]}'")
        else:
            alarm.fire(alarm)

    def advance_to(self, ts_ns: int) -> None:
        """Move the virtual clock to `ts_ns`, firing every timer due on the way, each at its time and then settled."""
        clock = self._virtual_clock()
        self.settle()
        while self.timers.next_ns <= ts_ns:
            clock.ts_ns = max(clock.ts_ns, self.timers.next_ns)
            self.fire_next()
            self.settle()
        clock.advance_to(ts_ns)

    def run_until_idle(self) -> int:
        """Jump from timer to timer until only endless ones are left; returns the time then."""
        clock = self._virtual_clock()
        self.settle()
        while self.timers.has_finite():
            self.advance_to(max(clock.ts_ns, self.timers.next_ns))
        return clock.ts_ns

    def set_deadline(self, number: int, due_ns: int, rank_no: int, call: Callable[[int], None]) -> None:
        """`Deadlines` for the bus: `call(number)` at `due_ns`, in the order of timers."""

        def fire(_alarm: Alarm) -> None:
            call(number)

        self.timers.put(Alarm(due_ns, (rank_no, number), self.timers.next_seq(), fire))

    def cancel_deadline(self, number: int, rank_no: int) -> None:
        """`Deadlines` for the bus."""
        self.timers.cancel((rank_no, number))

    # --- lifecycle ----------------------------------------------------------------------------------------------

    def start(self, actor_id: str, saved: Mapping[str, bytes] | None = None) -> bool:
        """START: `on_start`, then `on_load(saved)` if given. Returns whether it now runs.

        Like the other triggers: raises `InvalidTransitionError` when the state does not allow it.
        """
        actor = self.actor(actor_id)
        hooks: list[tuple[Callable[..., object], tuple[object, ...]]] = [(actor.on_start, ())]
        if saved is not None:
            hooks.append((actor.on_load, (saved,)))
        return self._step(actor, Trigger.START, Trigger.START_COMPLETED, *hooks)

    def stop(self, actor_id: str) -> bool:
        """STOP: `on_stop`."""
        actor = self.actor(actor_id)
        return self._step(actor, Trigger.STOP, Trigger.STOP_COMPLETED, (actor.on_stop, ()))

    def resume(self, actor_id: str) -> bool:
        """RESUME: `on_resume`, then the events that were kept."""
        actor = self.actor(actor_id)
        return self._step(actor, Trigger.RESUME, Trigger.RESUME_COMPLETED, (actor.on_resume, ()))

    def reset(self, actor_id: str) -> bool:
        """RESET: `on_reset`; subscriptions, endpoints, timers and kept events go."""
        actor = self.actor(actor_id)
        return self._step(actor, Trigger.RESET, Trigger.RESET_COMPLETED, (actor.on_reset, ()), (self._as_new, (actor,)))

    def dispose(self, actor_id: str) -> bool:
        """DISPOSE: `on_dispose`; the actor is DISPOSED even if that raises, which is recorded."""
        actor = self.actor(actor_id)
        self._move(actor, Trigger.DISPOSE)
        well = self.run(actor, actor.on_dispose)
        self._release(actor)
        self._move(actor, Trigger.DISPOSE_COMPLETED, reason="" if well else self.faults[-1].reason)
        return well

    def degrade(self, actor_id: str, reason: str) -> bool:
        """DEGRADE: `on_degrade(reason)`."""
        actor = self.actor(actor_id)
        done = Trigger.DEGRADE_COMPLETED
        return self._step(actor, Trigger.DEGRADE, done, (actor.on_degrade, (reason,)), reason=reason)

    def fault(self, actor_id: str, error: Exception) -> None:
        """FAULT by decision, with that error: recorded, `on_fault(error)`, then FAULTED."""
        actor = self.actor(actor_id)
        next_state(actor_id, actor.state, Trigger.FAULT)
        self._enter_fault(actor, fault_of(actor, actor_id, error, self.clock.now_ns(), "(decision)"))

    def save(self, actor_id: str) -> Mapping[str, bytes] | None:
        """What `on_save` gives; None when it raised, which faults the actor."""
        actor = self.actor(actor_id)
        saved: list[Mapping[str, bytes]] = []
        return saved[0] if self.run(actor, lambda: saved.append(actor.on_save())) else None

    def start_all(self, actor_ids: Sequence[str]) -> list[Fault]:
        """Start these in this order, going on past failures; returns the faults this met.

        What their `on_start` sent is queued by rank of the sender, not by order of start. The caller settles.
        """
        before, waiting = len(self.faults), list(self.queue)
        for actor_id in actor_ids:
            self.start(actor_id)
        born = [self.queue[index] for index in range(len(waiting), len(self.queue))]
        self.queue.clear()
        self.queue.extend(waiting)
        self.queue.extend(sorted(born, key=lambda entry: entry[0].rank_no))
        return self.faults[before:]

    def stop_all(self, actor_ids: Sequence[str]) -> list[Fault]:
        """Stop those of these that can be stopped, in reverse order, settling after each; returns the faults met."""
        before = len(self.faults)
        for actor_id in reversed(actor_ids):
            if (self.actor(actor_id).state, Trigger.STOP) in NEXT:
                self.stop(actor_id)
                self.settle()
        return self.faults[before:]

    # --- inside -------------------------------------------------------------------------------------------------

    def _new_id(self, class_name: str) -> str:
        number = self._added.get(class_name, 0) + 1
        while f"{class_name}-{number}" in self.actors:
            number += 1
        self._added[class_name] = number
        return f"{class_name}-{number}"

    def _virtual_clock(self) -> VirtualClock:
        if not isinstance(self.clock, VirtualClock):
            raise TypeError(f"{type(self.clock).__name__} cannot be moved; only a VirtualClock can")
        return self.clock

    def _step(
        self,
        actor: Actor,
        trigger: Trigger,
        completed: Trigger,
        *hooks: tuple[Callable[..., object], tuple[object, ...]],
        reason: str = "",
    ) -> bool:
        """Into the transitional state, through the hooks, and out of it unless a hook raised or led elsewhere."""
        during = self._move(actor, trigger, reason=reason)
        for hook, args in hooks:
            if not self.run(actor, hook, *args):
                return False
        if actor.state is not during:
            return False
        arrived = self._move(actor, completed, reason=reason)
        if actor.is_active:
            self._deliver_held(actor)
        return actor.state is arrived or actor.is_active

    def _move(self, actor: Actor, trigger: Trigger, to_state: State | None = None, *, reason: str = "") -> State:
        """One transition of the table, announced. Raises `InvalidTransitionError` and leaves the state."""
        from_state = actor.state
        to_state = to_state or next_state(actor.actor_id, from_state, trigger)
        actor.state = to_state
        is_active = to_state in ACTIVE_STATES
        if is_active is not actor.is_active:
            actor.is_active = is_active
            self._activity += 1
        event = ComponentStateChanged(
            actor.actor_id, from_state, to_state, trigger, self.clock.now_ns(), self.epoch, reason
        )
        self._announcements.append(event)
        if not self._announcing:
            self._announce()
        return to_state

    def _announce(self) -> None:
        """Publish transitions in the order in which they happened, also those that publishing them brings about."""
        self._announcing = True
        try:
            while self._announcements:
                event = self._announcements.popleft()
                self.bus.publish(state_topic(event.actor_id), event)
        finally:
            self._announcing = False

    def _fail(self, actor: Actor, fault: Fault) -> None:
        """Answer a fault by the state: a first one may degrade, most fault; where the table has no FAULT, record."""
        may_degrade = actor.config.on_error == "degrade" and actor.state is State.RUNNING
        if may_degrade:
            self.faults.append(fault)
            self.degrade(actor.actor_id, fault.reason)
        elif (actor.state, Trigger.FAULT) in NEXT:
            self._enter_fault(actor, fault)
        else:
            self.faults.append(fault)

    def _enter_fault(self, actor: Actor, fault: Fault) -> None:
        self.faults.append(fault)
        self._move(actor, Trigger.FAULT, reason=fault.reason)
        self.run(actor, actor.on_fault, fault.error)
        self._release(actor)
        self._move(actor, Trigger.FAULT_COMPLETED, reason=fault.reason)
        answer = self.on_kernel_fault if actor.rank.kind.is_kernel else self.on_faulted
        if answer is not None:
            answer(actor, fault)

    def _stop_runaway(self, actor: Actor, what: str) -> None:
        fix = "Break the circle: what happens at one time must not always lead to more at the same time."
        error = StrategyError("STRAT002", None, f"{actor.actor_id} {what}", fix, actor.actor_id)
        if (actor.state, Trigger.FAULT) not in NEXT:
            raise error
        self._enter_fault(actor, fault_of(actor, actor.actor_id, error, self.clock.now_ns(), "(runaway)"))

    def _deliver_held(self, actor: Actor) -> None:
        held = self._held.get(actor.actor_id)
        while held and actor.is_active:
            handler, args = held.popleft()
            self.run(actor, handler, *args)

    def _release(self, actor: Actor) -> None:
        """Nothing reaches the actor any more by itself; what was kept for it is counted as discarded."""
        self.timers.cancel_all(actor.rank_no)
        actor.bus.release()
        dropped = len(self._held.pop(actor.actor_id, ()))
        if dropped:
            self.discarded[actor.actor_id] = self.discarded.get(actor.actor_id, 0) + dropped

    def _as_new(self, actor: Actor) -> None:
        self._release(actor)
        actor._forget()  # noqa: SLF001


_ENDED: Final = frozenset({State.FAULTING, State.FAULTED, State.DISPOSING, State.DISPOSED})
_NO_OPS: Final = frozenset({Actor.on_bar, Actor.on_quote, Actor.on_trade, Actor.on_book, Actor.on_data})


def _loguru_of(actor_id: str) -> Log:
    return logger.bind(actor_id=actor_id)
