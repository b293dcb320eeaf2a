"""The lifecycle driver: moves actors through the table, runs their handlers, and answers what they raise."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from libra_ray.clock import Clock
from libra_ray.errors import StrategyError, did_you_mean, quoted
from libra_ray.messages.events import ComponentStateChanged
from libra_ray.runtime.actor import Actor
from libra_ray.runtime.faults import RAISED, Fault, charged, fault_of
from libra_ray.runtime.lifecycle import ACTIVE_STATES, NEXT, State, Trigger, next_state
from libra_ray.runtime.outbox import Outbox
from libra_ray.runtime.timers import TimerQueue
from libra_ray.runtime.topics import state_topic
from libra_ray.runtime.views import BusPort

__all__ = ["HELD_EVENTS_MAX", "FaultHandler", "LifecycleDriver"]

HELD_EVENTS_MAX: Final = 65_536
"""More events than this kept for one actor that does not run fault it: events are never dropped."""

FaultHandler: TypeAlias = Callable[[Actor, Fault], object]

_ENDED: Final = frozenset({State.FAULTING, State.FAULTED, State.DISPOSING, State.DISPOSED})


class LifecycleDriver(Outbox):
    """The part of a host that minds single actors. `LocalHost` documents the attributes."""

    def __init__(self, clock: Clock, bus: BusPort, epoch: int) -> None:
        super().__init__()
        self.clock, self.bus, self.epoch = clock, bus, epoch
        self.timers = TimerQueue()
        self.actors: dict[str, Actor] = {}
        self.faults: list[Fault] = []
        self.discarded: dict[str, int] = {}
        self.on_faulted: FaultHandler | None = None
        self.on_kernel_fault: FaultHandler | None = None
        self._held: dict[str, deque[tuple[Callable[..., object], tuple[Any, ...]]]] = {}
        self._announcements: deque[ComponentStateChanged] = deque()
        self._announcing = False
        self.activity = 0

    def actor(self, actor_id: str) -> Actor:
        """The actor of that id. Raises `LookupError`, with the closest id, when there is none."""
        try:
            return self.actors[actor_id]
        except KeyError:
            raise LookupError(f"no actor {quoted(actor_id)}. {did_you_mean(actor_id, list(self.actors))}") from None

    # --- handlers -----------------------------------------------------------------------------------------------

    def run(self, actor: Actor, handler: Callable[..., object], *args: object) -> bool:
        """Call `handler(*args)` of `actor` with its outbox: commit when it returns, fault the actor when it raises.

        The state is not looked at. Returns whether the handler returned.
        """
        start = len(self.staged)
        try:
            handler(*args)
        except RAISED as error:
            self.on_handler_error(actor, error, start, handler)
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

    def hold(self, actor: Actor, handler: Callable[..., object], args: tuple[Any, ...], *, keep: bool) -> None:
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

    def on_handler_error(
        self, actor: Actor | None, error: BaseException, start: int = 0, handler: Callable[..., object] | None = None
    ) -> None:
        """A handler of `actor` raised: discard its outbox, record the fault, then FAULT or DEGRADE the actor.

        Without an actor the error is no fault of anybody here and is raised again.
        """
        self.rollback(start)
        if actor is None:
            raise error
        actor._rollback()  # noqa: SLF001
        self._fail(actor, fault_of(actor, actor.actor_id, charged(error), self.clock.now_ns(), handler=handler))

    @property
    def held_events(self) -> int:
        """Events that wait for actors that do not run."""
        return sum(map(len, self._held.values()))

    # --- lifecycle ----------------------------------------------------------------------------------------------

    def start(self, actor_id: str, saved: Mapping[str, bytes] | None = None) -> bool:
        """START: `on_start`, then `on_load(saved)` if given. Returns whether it now runs.

        Like the other triggers: raises `InvalidTransitionError` when the state does not allow it.
        """
        return self.begin_start(actor_id, saved) and self.complete_start(actor_id)

    def begin_start(self, actor_id: str, saved: Mapping[str, bytes] | None = None) -> bool:
        """The first half of `start`: the actor is STARTING when this returns True, and what comes for it waits."""
        actor = self.actor(actor_id)
        self._move(actor, Trigger.START)
        well = self.run(actor, actor.on_start)
        if well and saved is not None:
            well = self.run(actor, actor.on_load, saved)
        return well and actor.state is State.STARTING

    def complete_start(self, actor_id: str) -> bool:
        """The second half: START_COMPLETED, then the events that waited. Returns whether it now runs."""
        actor = self.actor(actor_id)
        self._move(actor, Trigger.START_COMPLETED)
        self._deliver_held(actor)
        return actor.is_active

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
        """What `on_save` gives; None when it raised or is no mapping of text to bytes, which faults the actor."""
        actor = self.actor(actor_id)
        start = len(self.staged)
        try:
            saved = _saved(actor.on_save())
        except RAISED as error:
            self.on_handler_error(actor, error, start, actor.on_save)
            return None
        self.commit(start)
        return saved

    # --- inside -------------------------------------------------------------------------------------------------

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
        actor._state = to_state  # noqa: SLF001 - the host is the actor's other half
        if to_state not in ACTIVE_STATES or not self._held.get(actor.actor_id):
            self._set_active(actor)
        event = ComponentStateChanged(
            actor.actor_id, from_state, to_state, trigger, self.clock.now_ns(), self.epoch, reason
        )
        self._announcements.append(event)
        if not self._announcing:
            self._announce()
        self._set_active(actor)  # not before, where events are kept: what is announced comes behind them
        return to_state

    def _set_active(self, actor: Actor) -> None:
        is_active = actor.state in ACTIVE_STATES
        if is_active is not actor.is_active:
            actor.is_active = is_active
            self.activity += 1

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
        self.run(actor, self._speak_last, actor, fault.error)
        self._release(actor)
        self._move(actor, Trigger.FAULT_COMPLETED, reason=fault.reason)
        answer = self.on_kernel_fault if actor.rank.kind.is_kernel else self.on_faulted
        if answer is not None:
            answer(actor, fault)

    def _speak_last(self, actor: Actor, error: Exception) -> None:
        start = len(self.staged)
        actor.on_fault(error)
        self.staged[start:] = actor._last_words(self.staged[start:])  # noqa: SLF001 - the actor's other half

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


def _saved(given: object) -> dict[str, bytes]:
    """What `on_save` gave. Raises `TypeError` for what a snapshot could not give back in the next life."""
    if not isinstance(given, Mapping):
        raise TypeError(f"on_save gave {quoted(given)}, not a mapping of names to bytes")
    for name, value in given.items():
        if not isinstance(name, str) or not isinstance(value, bytes | bytearray | memoryview):
            raise TypeError(f"on_save gave {quoted(value)} for {quoted(name)}: names are text, values are bytes")
    return {name: bytes(value) for name, value in given.items()}
