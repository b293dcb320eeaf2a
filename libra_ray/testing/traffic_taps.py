"""Taps: what crosses a bus, told to a sink as it happens. A tap is put on a running host or bus and taken off again.

It stands in the place of some of their methods, so that a host without a tap pays nothing.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol, TypeAlias

from libra_ray.bus import Bus, Request
from libra_ray.bus.wire.frames import VERSION, Frame, Kind, Part
from libra_ray.bus.wire.letter import RELIABLE_KINDS, Letter
from libra_ray.clock import Clock
from libra_ray.hosts.lanes import lane_of
from libra_ray.hosts.market_inbound import Audience
from libra_ray.hosts.remote_bus import RemoteBus
from libra_ray.messages.codec import encode
from libra_ray.messages.commands import Command
from libra_ray.messages.events import ComponentStateChanged
from libra_ray.runtime import Actor, Alarm, Delivery, Lane, LocalHost, Signal
from libra_ray.runtime.topics import MARKET_DATA_PREFIX
from libra_ray.runtime.views import Handler
from libra_ray.testing.traffic import Crossing

__all__ = ["BusTap", "PortTap", "Sink", "Wire"]

Sink: TypeAlias = Callable[[Crossing], object]

_DEADLINE_BYTES: Final = 8


class Wire(Protocol):
    """What a tap needs of a `Port`."""

    host_id: str
    epoch: int

    @property
    def take(self) -> Callable[..., Any]:
        """Gives the next letter."""

    @property
    def post(self) -> Callable[..., bool]:
        """Sends reliably."""

    @property
    def post_unreliable(self) -> Callable[..., bool]:
        """Sends at once."""


class _Replaced:
    """Methods of one object with others in their place, until `undo`."""

    def __init__(self, target: object) -> None:
        self._target = target
        self._names: list[str] = []

    def put(self, name: str, method: Callable[..., object]) -> None:
        if name in vars(self._target):
            raise ValueError(f"{type(self._target).__name__}.{name} has another in its place: it is recorded already")
        setattr(self._target, name, method)
        self._names.append(name)

    def undo(self) -> None:
        for name in self._names:
            delattr(self._target, name)
        self._names.clear()


class _Spoken:
    """A staged call that says, while it runs, whose it is. To the host it looks as the handler itself."""

    __slots__ = ("actor_id", "bus", "handler")

    def __init__(self, bus: Bus, actor_id: str, handler: Handler) -> None:
        self.bus, self.actor_id, self.handler = bus, actor_id, handler

    @property
    def __self__(self) -> object:
        return getattr(self.handler, "__self__", None)

    def __call__(self, message: Any) -> object:  # noqa: ANN401 - the handler knows what it takes
        before, self.bus.origin = self.bus.origin, self.actor_id
        try:
            return self.handler(message)
        finally:
            self.bus.origin = before


class BusTap:
    """On a host, or on a bus alone: every publication, sending, request and reply, and on a host every timer.

    What a host receives from other hosts is told as it is handed over. A link that was resolved before the tap came is
    a direct call past the bus and not seen; what is published inside such a call is told as of who received the call.
    A message that does not encode raises `UnsendableError` at its sender.
    """

    def __init__(self, target: LocalHost | Bus, sink: Sink) -> None:
        """Raises `ValueError` when there is a tap already, `TypeError` for a bus that is none of the library's."""
        bus = target.bus if isinstance(target, LocalHost) else target
        if not isinstance(bus, Bus):
            raise TypeError(f"{type(bus).__name__} is no Bus and has no place for a tap")
        self._bus, self._sink = bus, sink
        self._clock: Clock = bus.clock
        self._seqs: dict[str, int] = {}
        self._is_arriving = False
        self._on_bus = _Replaced(bus)
        self._publish, self._send, self._reply, self._link = bus.publish, bus.send, bus.reply, bus.link
        for name in ("publish", "send", "reply", "link"):
            self._on_bus.put(name, getattr(self, f"_tapped_{name}"))
        self._on_host: _Replaced | None = None
        self._on_market: _Replaced | None = None
        self._host_id, self._epoch = "", 0
        if isinstance(bus, RemoteBus):
            self._tap_market(bus)
        if isinstance(target, LocalHost):
            self._tap_host(target)

    def remove(self) -> None:
        """Take the tap off; handlers and links that it gave out go on unseen."""
        self._sink = _ignored
        for replaced in (self._on_bus, self._on_host, self._on_market):
            if replaced is not None:
                replaced.undo()

    def see_published(self, topic: str, message: object) -> None:
        """Tell a publication that is handed over past the bus."""
        lane = Lane.MARKET_DATA if topic.startswith(MARKET_DATA_PREFIX) else lane_of(message)
        self._tell("PUBLISH", lane, topic, message)

    # --- the bus ------------------------------------------------------------------------------------------------

    def _tapped_publish(self, topic: str, message: object) -> None:
        self.see_published(topic, message)
        self._publish(topic, message)

    def _tapped_send(self, endpoint: str, message: object) -> bool:
        if self._bus.has_endpoint(endpoint):  # else it is a dead letter, and that is published
            self._tell_sent(endpoint, message)
        return self._send(endpoint, message)

    def _tapped_reply(self, correlation_id: int, reply: object) -> bool:
        if self._is_arriving:
            self._is_arriving = False
        else:
            self._tell("REPLY", lane_of(reply), f"reply:{correlation_id}", reply, extra=correlation_id)
        return self._reply(correlation_id, reply)

    def _tapped_link(self, endpoint: str) -> Handler:
        receiver = self._link(endpoint)
        if isinstance(receiver, partial) and receiver.func == self._tapped_send:
            return receiver
        return partial(self._call_link, endpoint, receiver, _owner_id(receiver))

    def _call_link(self, endpoint: str, receiver: Handler, owner_id: str, message: object) -> None:
        self._tell_sent(endpoint, message)
        bus = self._bus
        before, bus.origin = bus.origin, owner_id
        try:
            receiver(message)
        finally:
            bus.origin = before

    def _tell_sent(self, endpoint: str, message: object) -> None:
        if isinstance(message, Request):
            timeout_ns, number = message.deadline_ns - message.ts_ns, message.correlation_id
            lane, source = lane_of(message.body), message.source
            self._tell("REQUEST", lane, endpoint, message.body, source, extra=number, timeout_ns=timeout_ns)
        else:
            self._tell("SEND", lane_of(message), endpoint, message)

    def _tell(
        self,
        kind: str,
        lane: Lane,
        destination: str,
        message: object,
        source: str = "",
        *,
        extra: int = 0,
        timeout_ns: int = 0,
    ) -> None:
        source = source or self._bus.origin or _source_in(message)
        if isinstance(message, ComponentStateChanged):
            source = message.actor_id
        type_name, body = encode(message)
        self._sink(Crossing(
            self._clock.now_ns(), lane, source, self._next_seq(source), kind, destination, type_name, body,
            extra, timeout_ns, self._host_id, self._epoch,
        ))  # fmt: skip

    def _next_seq(self, source: str) -> int:
        seq = self._seqs[source] = self._seqs.get(source, 0) + 1
        return seq

    # --- market data of other hosts -----------------------------------------------------------------------------

    def _tap_market(self, bus: RemoteBus) -> None:
        self._host_id, self._epoch = bus.host_id, bus.epoch
        self._batch: Frame | None = None
        self._deliver, self._receive_market = bus.deliver_market, bus.market.receive
        self._on_bus.put("deliver_market", self._tapped_deliver)
        self._on_bus.put("deliver_late", self._tapped_deliver_late)
        self._on_market = _Replaced(bus.market)
        self._on_market.put("receive", self._tapped_receive_market)

    def _tapped_receive_market(self, letter: Letter, audience: Audience) -> None:
        self._batch = letter.frame
        self._receive_market(letter, audience)

    def _tapped_deliver(self, message: object, handlers: tuple[Handler, ...]) -> None:
        """A batch is announced by a frame and may lie elsewhere: it is told as it is handed over."""
        frame = self._batch
        if frame is not None:
            type_name, body = encode(message)
            self._sink(Crossing(
                self._clock.now_ns(), Lane.MARKET_DATA, frame.origin, frame.seq, "PUBLISH", frame.destination,
                type_name, body, host=frame.source, epoch=frame.epoch, peer=self._host_id,
            ))  # fmt: skip
        self._deliver(message, handlers)

    def _tapped_deliver_late(self, _topic: str, read: Callable[[], object], handlers: tuple[Handler, ...]) -> None:
        """What is to be told cannot wait until somebody looks."""
        message = read()
        if message is not None:
            self._tapped_deliver(message, handlers)

    # --- the host -----------------------------------------------------------------------------------------------

    def _tap_host(self, host: LocalHost) -> None:
        self._host = host
        self._on_host = _Replaced(host)
        self._commit, self._fire = host.commit, host.fire
        self._on_host.put("commit", self._tapped_commit)
        self._on_host.put("fire", self._tapped_fire)
        receive = getattr(host, "receive", None)
        if receive is not None:
            self._on_host.put("receive", partial(self._tapped_receive, receive))

    def _tapped_commit(self, start: int = 0) -> None:
        staged, bus = self._host.staged, self._bus
        for index in range(start, len(staged)):
            actor, handler, message = staged[index]
            if handler is not None:
                staged[index] = (actor, _Spoken(bus, actor.actor_id, handler), message)
        self._commit(start)

    def _tapped_fire(self, alarm: Alarm) -> None:
        rank_no, name = alarm.key
        owner = next((each.actor_id for each in self._host.actors.values() if each.rank_no == rank_no), "")
        now_ns, seq = self._clock.now_ns(), self._next_seq(owner)
        if isinstance(name, str):
            self._sink(Crossing(now_ns, Lane.CONTROL, owner, seq, "TIMER", name, extra=alarm.due_ns))
        else:
            self._sink(Crossing(now_ns, Lane.CONTROL, owner, seq, "DEADLINE", "", extra=name))
        self._fire(alarm)

    def _tapped_receive(self, receive: Callable[[Frame, memoryview], None], frame: Frame, body: memoryview) -> None:
        self._sink(_of_frame(frame, body, self._clock.now_ns(), self._host_id))
        self._is_arriving = frame.kind == Kind.REPLY
        try:
            receive(frame, body)
        finally:
            self._is_arriving = False


class PortTap:
    """On a port: every frame that its host posts and every letter that it takes, in that order.

    The number of a frame that is posted is counted from 1 by peer and lane, as in a link that begins with the tap.
    """

    def __init__(self, port: Wire, clock: Clock, sink: Sink) -> None:
        """Raises `ValueError` when there is a tap already."""
        self._port, self._clock, self._sink = port, clock, sink
        self._replaced = _Replaced(port)
        self._seqs: dict[tuple[str, Lane], int] = {}
        self._take, self._post, self._post_unreliable = port.take, port.post, port.post_unreliable
        for name in ("take", "post", "post_unreliable"):
            self._replaced.put(name, getattr(self, f"_tapped_{name}"))

    def remove(self) -> None:
        """Take the tap off."""
        self._sink = _ignored
        self._replaced.undo()

    def _tapped_take(self, **how: Any) -> Any:  # noqa: ANN401 - as the port's own
        letter = self._take(**how)
        if letter is not None:
            self._sink(_of_frame(letter.frame, letter.body, self._clock.now_ns(), self._port.host_id))
        return letter

    def _tapped_post(
        self,
        peer_id: str,
        kind: Kind,
        lane: Lane,
        destination: str,
        message_type: str,
        body: Part,
        **more: Any,  # noqa: ANN401 - as the port's own
    ) -> bool:
        self._tell(peer_id, kind, lane, destination, message_type, body, **more)
        return self._post(peer_id, kind, lane, destination, message_type, body, **more)

    def _tapped_post_unreliable(
        self,
        peer_id: str,
        kind: Kind,
        destination: str,
        message_type: str,
        body: Part,
        *,
        lane: Lane = Lane.CONTROL,
        **more: Any,  # noqa: ANN401 - as the port's own
    ) -> bool:
        self._tell(peer_id, kind, lane, destination, message_type, body, **more)
        return self._post_unreliable(peer_id, kind, destination, message_type, body, lane=lane, **more)

    def _tell(
        self,
        peer_id: str,
        kind: Kind,
        lane: Lane,
        destination: str,
        message_type: str,
        body: Part,
        *,
        seq: int = 0,
        origin: str = "",
        ts_ns: int = 0,
        extra: int = 0,
    ) -> None:
        port = self._port
        if kind in RELIABLE_KINDS:
            seq = self._seqs[peer_id, lane] = self._seqs.get((peer_id, lane), 0) + 1
        frame = Frame(
            VERSION, kind, port.host_id, port.epoch, lane, destination, seq, ts_ns, message_type, origin, extra
        )
        self._sink(_of_frame(frame, body, self._clock.now_ns(), peer_id))


def _of_frame(frame: Frame, body: Any, now_ns: int, peer: str) -> Crossing:  # noqa: ANN401 - any buffer
    kind, content, timeout_ns = Kind(frame.kind), bytes(body), 0
    if kind == Kind.REQUEST:
        timeout_ns = int.from_bytes(content[:_DEADLINE_BYTES], "big") - frame.ts_ns
        content = content[_DEADLINE_BYTES:]
    return Crossing(
        now_ns, frame.lane, frame.origin, frame.seq, kind.name, frame.destination, frame.type, content,
        frame.extra, timeout_ns, frame.source, frame.epoch, peer,
    )  # fmt: skip


def _owner_id(receiver: Handler) -> str:
    """The actor that receives, where it is one."""
    owner = receiver.actor if isinstance(receiver, Delivery) else getattr(receiver, "__self__", None)
    return owner.actor_id if isinstance(owner, Actor) else ""


def _source_in(message: object) -> str:
    """Who sent it, where the message itself says so."""
    if isinstance(message, Command):
        return message.strategy_id
    return message.source if isinstance(message, Signal | Request) else ""


def _ignored(_crossing: Crossing) -> None:
    """What comes after the tap is off."""
