"""The local host: carries actors in this process, one thread, in one order that a seed reproduces."""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from loguru import logger

from libra_ray.clock import Clock, VirtualClock
from libra_ray.errors import ConfigError, InvalidTransitionError, StrategyError, quoted
from libra_ray.runtime.actor import Actor
from libra_ray.runtime.actor_config import how_to_give
from libra_ray.runtime.delivery import Delivery
from libra_ray.runtime.faults import Fault, fault_of
from libra_ray.runtime.hooks import check_hooks
from libra_ray.runtime.lifecycle import NEXT, State, Trigger, next_state
from libra_ray.runtime.lifecycle_driver import LifecycleDriver
from libra_ray.runtime.outbox import Entry
from libra_ray.runtime.rank import Kind, Rank
from libra_ray.runtime.timers import NEVER_NS, Alarm
from libra_ray.runtime.views import BusPort, Handler, Keeper, Log

__all__ = ["SETTLE_MESSAGES_MAX", "LocalHost"]

SETTLE_MESSAGES_MAX: Final = 65_536
"""More messages than this in one settle fault the actor that sent the last one."""

_NO_OPS: Final = frozenset({Actor.on_bar, Actor.on_quote, Actor.on_trade, Actor.on_book, Actor.on_data})


class LocalHost(LifecycleDriver):
    """Registers actors, drives their lifecycle, runs their handlers and settles what they send.

    A loop over market rows may call handlers itself, at the price of one list test a row:

        try:
            handler(row)
            if host.staged:
                host.commit()
        except Exception as error:
            host.on_handler_error(actor, error)

    A handler that staged nothing and did not raise has changed nothing. After any other the loop looks anew at all it
    has cached: `queue` (then `settle`), `timers.next_ns` (an alert may now be due before the next row) and `version`
    (other `row_handlers`).

    Attributes:
        clock, bus, seed, epoch: as given. `timers.next_ns` is when the next timer is due.
        cache, portfolio: what actors added from now on are given; see `provide`.
        keepers: what has a state beside the actors, by name; a name is no actor's id.
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
        super().__init__(clock, bus, epoch)
        self.seed = seed
        self.log_of = log_of or _loguru_of
        self.cache: Any = None
        self.portfolio: Any = None
        self.keepers: dict[str, Keeper] = {}
        self._added: dict[str, int] = {}
        self._registered = 0
        self._settling = False
        self._fired = self._fired_ns = 0
        bus.attach(self)

    # --- registration -------------------------------------------------------------------------------------------

    def add(self, actor: Actor, kind: Kind = Kind.ACTOR) -> str:
        """INITIALIZE `actor` and return its id: `config.actor_id`, or `{ClassName}-{n}` with n from 1 per class.

        Raises `ConfigError` CONF007 for an id that is taken, `StrategyError` STRAT003 for an `on_...` method that is no
        hook and STRAT004 for what is no actor and for an `__init__` that did not call `super().__init__`.
        """
        if not isinstance(actor, Actor):
            raise _no_actor(actor)
        name = type(actor).__name__
        check_hooks(type(actor))
        # Not `vars(actor)`: once its dict was seen, Python 3.11 reads each attribute of an object ten times as slowly.
        if not (hasattr(actor, "config") and hasattr(actor, "state")):
            fix = "Call super().__init__(config) first."
            raise StrategyError("STRAT004", None, f"{name}.__init__ did not initialize Actor", fix, name)
        to_state = next_state(name, actor.state, Trigger.INITIALIZE)
        actor_id = actor.config.actor_id or self._new_id(name)
        if actor_id in self.actors:
            what = f"actor id {quoted(actor_id)} is given 2 times"
            raise ConfigError("CONF007", None, what, "Give each actor an actor_id of its own.", actor_id)
        actor._bind(self, actor_id, Rank(kind, self._registered))  # noqa: SLF001 - the host is the actor's other half
        self._registered += 1
        self.actors[actor_id] = actor
        self._move(actor, Trigger.INITIALIZE, to_state)
        return actor_id

    def remove(self, actor_id: str) -> None:
        """Forget a DISPOSED actor; its id is free again. Raises `InvalidTransitionError` in any other state."""
        actor = self.actor(actor_id)
        if actor.state is not State.DISPOSED:
            raise InvalidTransitionError(actor_id, actor.state, "REMOVE")
        del self.actors[actor_id]

    def provide(self, *, cache: object = None, portfolio: object = None) -> None:
        """Give these views to the actors there are and to those to come; None leaves a view as it is."""
        for name, view in (("cache", cache), ("portfolio", portfolio)):
            if view is not None:
                setattr(self, name, view)
                for actor in self.actors.values():
                    setattr(actor, name, view)

    def rng(self, actor_id: str, purpose: str) -> np.random.Generator:
        """A counter-based generator keyed by (seed, actor id, purpose): the same in every run, process and order."""
        key = blake2b(f"{self.seed}\0{actor_id}\0{purpose}".encode(), digest_size=16).digest()
        return np.random.Generator(np.random.Philox(key=int.from_bytes(key, "little")))

    @property
    def version(self) -> int:
        """Grows when a subscription, an endpoint or the set of active actors changes."""
        return self.activity + self.bus.version

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

    # --- all together -------------------------------------------------------------------------------------------

    def start_all(self, actor_ids: Sequence[str]) -> list[Fault]:
        """Start these in this order, going on past failures; returns the faults this met.

        What their `on_start` sent is queued by rank of the sender, not by order of start. The caller settles.
        """
        before, waiting = len(self.faults), list(self.queue)
        for actor_id in actor_ids:
            self.start(actor_id)
        self.order_by_rank(waiting)
        return self.faults[before:]

    def order_by_rank(self, waiting: Sequence[Entry]) -> None:
        """Order what is queued behind `waiting` by the rank of its sender, as what starting brought about must be."""
        born = [self.queue[index] for index in range(len(waiting), len(self.queue))]
        self.queue.clear()
        self.queue.extend(waiting)
        self.queue.extend(sorted(born, key=lambda entry: entry[0].rank_no))

    def stop_all(self, actor_ids: Sequence[str]) -> list[Fault]:
        """Stop those of these that can be stopped, in reverse order, settling after each; returns the faults met."""
        before = len(self.faults)
        for actor_id in reversed(actor_ids):
            if (self.actor(actor_id).state, Trigger.STOP) in NEXT:
                self.stop(actor_id)
                self.settle()
        return self.faults[before:]

    def dispose_all(self, actor_ids: Sequence[str]) -> list[Fault]:
        """Dispose of those of these that can be, the failed too, in reverse order; returns the faults this met."""
        before = len(self.faults)
        for actor_id in reversed(actor_ids):
            if (self.actor(actor_id).state, Trigger.DISPOSE) in NEXT:
                self.dispose(actor_id)
                self.settle()
        return self.faults[before:]

    # --- messages -----------------------------------------------------------------------------------------------

    def settle(self) -> int:
        """Take what is queued, first in first out, until nothing is left; returns how many messages that were.

        A call from inside a settle returns at once: what it wanted settled is settled by the outer one. More than
        65,536 messages fault the actor that sent the last one (STRAT002); the rest is still delivered.
        """
        if self._settling:
            return 0
        self._settling = True
        queue, staged = self.queue, self.staged
        settled, most = 0, SETTLE_MESSAGES_MAX
        try:
            if staged:
                self.commit()
            while queue:
                sender, handler, message = queue.popleft()
                settled += 1
                if settled > most:
                    self._stop_runaway(sender, f"sent message {SETTLE_MESSAGES_MAX + 1:,} of one settle")
                    most = settled + SETTLE_MESSAGES_MAX
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
        """Run the handler of the first timer, whatever the time. Does not move the clock and does not settle."""
        alarm = self.timers.pop_due(NEVER_NS)
        if alarm is not None:
            self.fire(alarm)

    def fire(self, alarm: Alarm) -> None:
        """Run the handler of a timer that has been taken from `timers`.

        More than 65,536 at one time fault the actor whose timer that is (STRAT002): they would never end.
        """
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

    def _stop_runaway(self, actor: Actor, what: str) -> None:
        fix = "Break the circle: what happens at one time must not always lead to more at the same time."
        error = StrategyError("STRAT002", None, f"{actor.actor_id} {what}", fix, actor.actor_id)
        if (actor.state, Trigger.FAULT) not in NEXT:
            raise error
        self._enter_fault(actor, fault_of(actor, actor.actor_id, error, self.clock.now_ns(), "(runaway)"))


def _no_actor(given: object) -> StrategyError:
    return StrategyError("STRAT004", None, f"{quoted(given)} is not an actor", how_to_give(given), str(given))


def _loguru_of(actor_id: str) -> Log:
    return logger.bind(actor_id=actor_id)
