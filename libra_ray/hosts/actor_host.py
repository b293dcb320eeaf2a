"""The host of actors in a process of its own: the wall clock, a bus that reaches further, and letters that come in."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from libra_ray.bus import DeadReason
from libra_ray.bus.wire.frames import Frame, Part
from libra_ray.bus.wire.frames import Kind as FrameKind
from libra_ray.clock import Clock
from libra_ray.errors import StrategyError, UnsendableError
from libra_ray.hosts.context import HostProgram
from libra_ray.hosts.remote_bus import RemoteBus
from libra_ray.messages.codec import DecodeError, decode
from libra_ray.runtime.actor import Actor
from libra_ray.runtime.delivery import Delivery
from libra_ray.runtime.host import SETTLE_MESSAGES_MAX, LocalHost
from libra_ray.runtime.lifecycle import ACTIVE_STATES, State
from libra_ray.runtime.rank import Kind
from libra_ray.runtime.views import Handler

__all__ = ["ActorHost", "LinkHeld", "Saved"]

Saved = dict[str, dict[str, bytes]]
"""By actor id, what its `on_save` gave."""

_SAVED_STATES: Final = ACTIVE_STATES | {State.STOPPED}


class LinkHeld(msgspec.Struct, frozen=True):
    """What `host_id` sends in lanes RISK and ORDERS to `peer_id` has been held for `held_ns`: the peer is too slow.

    On topic `events.system.{host_id}`, once each time. Trading must halt.
    """

    host_id: str
    peer_id: str
    held_ns: int
    ts_ns: int


class ActorHost(LocalHost):
    """A `LocalHost` on the wall clock whose bus reaches other hosts. Residents are given it in `make`.

    Attributes:
        bus: the bus, which is a `RemoteBus`.
        program: what this process was given.
        adopt: takes an actor in, with its kind, and returns its id. It is `add`; whoever wires a kernel here may put
            something else in its place, and ready residents and the command `AddActor` will use that.
        on_held: called with (host id, for how long in ns) when a link of the order path has been full for a second.
        market_views: how batches become what handlers are given.
    """

    bus: RemoteBus

    def __init__(self, program: HostProgram, clock: Clock, bus: RemoteBus) -> None:
        super().__init__(clock, bus, program.seed, epoch=program.epoch)
        self.program = program
        self.adopt: Callable[[Actor, Kind], str] = self.add
        self.on_held: Callable[[str, int], object] | None = None
        self.market_views = bus.views
        bus.call = self.call
        self._has_begun = False
        self._receive: dict[int, Callable[[Frame, Part], None]] = {
            FrameKind.SEND: self._on_send,
            FrameKind.PUBLISH: self._on_publish,
            FrameKind.REQUEST: self._on_request,
            FrameKind.REPLY: self._on_reply,
        }

    # --- what comes in ------------------------------------------------------------------------------------------

    def receive(self, frame: Frame, body: Part) -> None:
        """Hand a letter of another host to whom it is for. What cannot be handed over is a dead letter.

        What handlers sent is queued, not settled.
        """
        receive = self._receive.get(frame.kind)
        if receive is None:
            self.bus.bury(DeadReason.BAD_FRAME, frame.destination, f"kind {frame.kind} is not for a host of actors")
            return
        try:
            receive(frame, body)
        except DecodeError as error:
            self.bus.bury(DeadReason.UNDECODABLE, frame.destination, str(error))

    def _on_send(self, frame: Frame, body: Part) -> None:
        message = decode(frame.type, body)
        handler = self.bus.take(frame.destination)
        if handler is None:
            self.bus.bury(DeadReason.NO_RECEIVER, frame.destination, message)
        else:
            self.call(handler, message)

    def _on_publish(self, frame: Frame, body: Part) -> None:
        message = decode(frame.type, body)
        for handler in self.bus.arrived(frame.destination):
            self.call(handler, message)

    def _on_request(self, frame: Frame, body: Part) -> None:
        request = self.bus.request_in(frame, body)
        handler = self.bus.take(frame.destination)
        if handler is None:
            self.bus.refuse(request)
        else:
            self.call(handler, request)

    def _on_reply(self, frame: Frame, body: Part) -> None:
        self.bus.reply(frame.extra, decode(frame.type, body))
        if self.staged:
            self.commit()

    def call(self, handler: Handler, message: object) -> None:
        """Call a handler of this host from outside: what it staged is queued; its raise is its actor's fault.

        What is no actor's is raised again.
        """
        try:
            handler(message)
        except Exception as error:  # noqa: BLE001 - raised again unless the handler is an actor's
            owner = getattr(handler, "__self__", None)
            self.on_handler_error(owner if isinstance(owner, Actor) else None, error)
        if self.staged:
            self.commit()

    # --- what goes out ------------------------------------------------------------------------------------------

    def settle(self) -> int:
        """Take what is queued until nothing is left, whatever the table of all hosts knows."""
        settled = 0
        while self.queue or self.staged:
            settled += self.settle_some(lambda: False)
        return settled

    def settle_some(self, must_pause: Callable[[], bool]) -> int:
        """Take what is queued, first in first out, until nothing is left or `must_pause()` after a message.

        What cannot be sent is the fault of the actor that wanted to. More than 65,536 messages fault the last sender.
        """
        if self._settling:
            return 0
        self._settling = True
        queue, staged, bus = self.queue, self.staged, self.bus
        settled = 0
        try:
            if staged:
                self.commit()
            while queue:
                sender, handler, message = queue.popleft()
                settled += 1
                if settled % (SETTLE_MESSAGES_MAX + 1) == 0:
                    self._stop_runaway(sender, f"sent message {settled:,} of one settle")
                bus.origin = sender.actor_id
                try:
                    handler(message)
                except (UnsendableError, StrategyError) as error:
                    self.on_handler_error(sender, error)
                except Exception as error:  # noqa: BLE001 - raised again unless the handler is an actor's
                    owner = getattr(handler, "__self__", None)
                    self.on_handler_error(owner if isinstance(owner, Actor) else None, error)
                if staged:
                    self.commit()
                if must_pause():
                    break
        finally:
            self._settling = False
            bus.origin = ""
        return settled

    def endpoint_lost(self, endpoint: str, error: Exception) -> None:
        """Another host had `endpoint` before: take it back here, and fault the actor that registered it."""
        receiver = self.bus.table.receiver(endpoint)
        if receiver is None:
            return
        self.bus.unregister(endpoint)
        owner = receiver.actor if isinstance(receiver, Delivery) else getattr(receiver, "__self__", None)
        self.on_handler_error(owner if isinstance(owner, Actor) else None, error)

    # --- states that outlive the process ------------------------------------------------------------------------

    def save_all(self, earlier: Saved) -> Saved:
        """What `on_save` of each keeper and actor gives; of those that cannot be asked now, what it gave `earlier`."""
        saved: Saved = {name: dict(keeper.on_save()) for name, keeper in self.keepers.items()}
        for actor_id, actor in list(self.actors.items()):
            state = self.save(actor_id) if actor.state in _SAVED_STATES else None
            if state is not None:
                saved[actor_id] = dict(state)
            elif actor_id in earlier:
                saved[actor_id] = earlier[actor_id]
        return saved

    def start_together(
        self, actor_ids: Sequence[str], saved: Mapping[str, Mapping[str, bytes]], missed: Iterable[tuple[Frame, Part]]
    ) -> list[str]:
        """The first half of starting these: `on_start` and `on_load` of each, then the letters `missed` once more.

        What handlers make of those letters stays in this host: the rest has left in an earlier life. Returns whom
        `complete` is to be called for.
        """
        is_first, self._has_begun = not self._has_begun, True
        for name, keeper in self.keepers.items() if is_first else ():
            if name in saved:
                keeper.on_load(saved[name])
        waiting = list(self.queue)
        starting = [actor_id for actor_id in actor_ids if self.begin_start(actor_id, saved.get(actor_id))]
        self.order_by_rank(waiting)
        letters = list(missed)
        if letters:
            self._replay([self.actor(actor_id) for actor_id in starting], letters)
        for keeper in self.keepers.values() if is_first else ():
            keeper.on_ready()
        return [actor_id for actor_id in starting if self.actor(actor_id).state is State.STARTING]

    def _replay(self, actors: Sequence[Actor], letters: Sequence[tuple[Frame, Part]]) -> None:
        bus, queue = self.bus, self.queue
        of_start: deque[Any] = deque(queue)
        queue.clear()
        bus.is_muted = True
        for actor in actors:
            actor.is_active = True
        try:
            for frame, body in letters:
                # The end of a request that this life never made is nobody's; one made now ends by its time-out.
                if frame.kind != FrameKind.REPLY:
                    self.receive(frame, body)
                    self.settle()
        finally:
            bus.is_muted = False
            for actor in actors:
                actor.is_active = actor.state in ACTIVE_STATES
        queue.extendleft(reversed(of_start))
