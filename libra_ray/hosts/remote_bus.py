"""The bus of a host whose peers are other processes: `Bus`, and beyond it the wire.

Inside the host a message is a function call, as ever. Beyond it market data and what is sent to an endpoint go straight
to the hosts that the table names; other topics go to the bus host, which sends them on.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol

from libra_ray.bus import Bus, DeadReason, NoReceiver, Request, Subscription
from libra_ray.bus.wire.frames import Frame, Kind, Part
from libra_ray.clock import Clock
from libra_ray.errors import EndpointTakenError
from libra_ray.hosts.context import BUS
from libra_ray.hosts.host_table import NUMBER_BITS, TableCopy, host_number
from libra_ray.hosts.lanes import lane_of
from libra_ray.hosts.market_links import MarketLinks
from libra_ray.hosts.market_views import MarketViews, call_plainly
from libra_ray.messages.codec import decode, encode
from libra_ray.runtime.inbox import Lane
from libra_ray.runtime.topics import MARKET_DATA_PREFIX
from libra_ray.runtime.views import Handler

__all__ = ["ReliableWire", "RemoteBus"]

EPOCH_BITS: Final = 12
COUNT_BITS: Final = 63 - NUMBER_BITS - EPOCH_BITS
DEADLINE_BYTES: Final = 8

Way = Callable[[object], None]
"""Sends a message of one topic to the other hosts that listen to it."""


class ReliableWire(Protocol):
    """What the bus needs of a port."""

    def post(
        self,
        peer_id: str,
        kind: Kind,
        lane: Lane,
        destination: str,
        message_type: str,
        body: bytes,
        *,
        origin: str = "",
        ts_ns: int = 0,
        extra: int = 0,
    ) -> bool:
        """Send, once and in order; False when the peer's window is full and it goes later."""


class RemoteBus(Bus):
    """Topics, endpoints and requests of this host and of all others.

    Counters are of this host: what it published and what reached it. A link and a subscription reach what the table
    names when they are used. What a handler of another host raises stays there.

    Attributes:
        copy: the table of all hosts.
        market: market data to and from other hosts.
        origin: the actor whose messages leave now.
        views: how batches become what handlers are given.
        additions: how many subscriptions and endpoints were added here whose messages must not be missed.
        call: how a plain function is called with what another host published.
        is_muted: what would go to other hosts is dropped: it has left in an earlier life (replay).
    """

    def __init__(self, host_id: str, epoch: int, wire: ReliableWire, clock: Clock, market: MarketLinks) -> None:
        super().__init__(clock)
        self.host_id, self.epoch = host_id, epoch
        self.copy = TableCopy(host_id, epoch)
        self.market = market
        self.origin = ""
        self.is_muted = False
        self.views = MarketViews()
        self.call: Callable[[Handler, object], object] = call_plainly
        self.additions = 0
        self._wire = wire
        self._ways: dict[str, Way | None] = {}
        self._ways_version = 0
        self._id_base = (host_number(host_id) << EPOCH_BITS | epoch % (1 << EPOCH_BITS)) << COUNT_BITS

    @property
    def version(self) -> int:
        """Grows with every change of this host's table or of the others'."""
        return self.table.version + self.copy.changes

    def on_change(self, call: Callable[[], object]) -> None:
        super().on_change(call)
        self.copy.on_change.append(call)

    @property
    def patterns(self) -> tuple[str, ...]:
        """What this host subscribes to, each once; what `only_follows` is no reason to send anything here."""
        wanted = (one for one in self.table.all_subscriptions() if not getattr(one.receiver, "only_follows", False))
        return tuple(dict.fromkeys(one.pattern for one in wanted))

    # --- topics -------------------------------------------------------------------------------------------------

    def subscribe(self, pattern: str, handler: Handler, priority: int = 0) -> bool:
        """As `Bus.subscribe`. Handlers of one host go by priority; hosts by how much of the topic they name."""
        if not super().subscribe(pattern, handler, priority):
            return False
        if pattern.startswith(MARKET_DATA_PREFIX):
            self.market.inbound.joined(pattern, handler)
        else:
            self.additions += 1
        return True

    def restore(self, subscription: Subscription[Handler]) -> None:
        super().restore(subscription)
        self.additions += 1

    def publish(self, topic: str, message: object) -> None:
        """To the handlers of this host that match, called now, and to other hosts that have such.

        Raises `ValueError` for what is no topic, `UnsendableError` for what does not encode or is too long.
        """
        if self._ways_version != self.copy.changes:
            self._ways.clear()
            self._ways_version = self.copy.changes
        try:
            way = self._ways[topic]
        except KeyError:
            way = self._way(topic)
        if way is not None and not self.is_muted:
            way(message)
        if topic.startswith(MARKET_DATA_PREFIX):
            self.views.deliver(message, self.arrived(topic))
        else:
            super().publish(topic, message)

    def receivers(self, topic: str) -> tuple[Handler, ...]:
        """Who is called for `topic` in this host, in that order, then who sends it to other hosts, if any listen."""
        way = self._way(topic)
        local = super().receivers(topic)
        return local if way is None else (*local, way)

    def arrived(self, topic: str) -> tuple[Handler, ...]:
        """Who is called for a message that came from another host; it counts as published here."""
        route = self._fresh.get(topic)
        if route is None:
            try:
                route = self._resolve(topic)
            except ValueError as error:
                self.bury(DeadReason.BAD_FRAME, topic, str(error))
                return ()
        route.published += 1
        return route.handlers

    def deliver_market(self, message: object, handlers: tuple[Handler, ...]) -> None:
        """Give a batch of another host to handlers of this one."""
        self.views.deliver(message, handlers, self.call)

    def deliver_late(self, topic: str, read: Callable[[], object], handlers: tuple[Handler, ...]) -> None:
        """The same with what `read` gives, unless that is None: now, or where it can wait when somebody looks."""
        if not self.views.put_off(topic, read, handlers):
            message = read()
            if message is not None:
                self.deliver_market(message, handlers)

    def _way(self, topic: str) -> Way | None:
        others = self.copy.others_for(topic)
        if topic.startswith(MARKET_DATA_PREFIX):
            way: Way | None = partial(self.market.outbound.publish, topic, others)
        else:
            way = partial(self._post, BUS, Kind.PUBLISH, topic) if others else None
        self._ways[topic] = way
        return way

    # --- endpoints ----------------------------------------------------------------------------------------------

    def register(self, endpoint: str, handler: Handler) -> None:
        """Make `handler` the receiver. Raises `EndpointTakenError` when it has one, here or in another host.

        When two hosts register it before either hears of the other, the later one loses it, and its actor faults.
        """
        if self.copy.owner(endpoint) is not None:
            raise EndpointTakenError(endpoint)
        super().register(endpoint, handler)
        self.additions += 1

    def link(self, endpoint: str) -> Handler:
        """The receiver in this host, or what sends to the other host that has it. Raises `NoReceiverError`."""
        if self.table.receiver(endpoint) is None and self.copy.owner(endpoint) is not None:
            return partial(self.send, endpoint)
        return super().link(endpoint)

    def has_endpoint(self, endpoint: str) -> bool:
        """Whether somebody receives what is sent to `endpoint`, as far as this host knows."""
        return super().has_endpoint(endpoint) or self.copy.owner(endpoint) is not None

    def send(self, endpoint: str, message: object) -> bool:
        """To the receiver of `endpoint`, here or in another host; False, and a dead letter, when there is none.

        Raises `UnsendableError` for what goes to another host and does not encode or is too long.
        """
        if self.table.receiver(endpoint) is None:
            owner = self.copy.owner(endpoint)
            if owner is not None:
                if not self.is_muted:
                    self._hand_over(owner, endpoint, message)
                return True
        return super().send(endpoint, message)

    def take(self, endpoint: str) -> Handler | None:
        """The receiver in this host of a message from another; it counts as sent here."""
        receiver = self.table.receiver(endpoint)
        if receiver is not None:
            self._sent[endpoint] += 1
        return receiver

    def _hand_over(self, owner: str, endpoint: str, message: object) -> None:
        if isinstance(message, Request):
            type_name, body = encode(message.body)
            deadline = message.deadline_ns.to_bytes(DEADLINE_BYTES, "big")
            lane, correlation_id = lane_of(message.body), message.correlation_id
            self._wire.post(
                owner, Kind.REQUEST, lane, endpoint, type_name, deadline + body,
                origin=message.source, ts_ns=message.ts_ns, extra=correlation_id,
            )  # fmt: skip
        else:
            self._post(owner, Kind.SEND, endpoint, message)

    # --- requests -----------------------------------------------------------------------------------------------

    def next_correlation_id(self) -> int:
        """A new id, which tells the host and its epoch: an answer finds its way by it alone."""
        return self._id_base + super().next_correlation_id()

    def reply(self, correlation_id: int, reply: object) -> bool:
        """End a request of this host or of another; False, and a dead letter, when that host is not known.

        Whether a request of another host has ended before is found out there, and is a dead letter there.
        """
        asker = self.copy.host_of_number(correlation_id >> (EPOCH_BITS + COUNT_BITS))
        if asker is None or asker == self.host_id:
            return super().reply(correlation_id, reply)
        if not self.is_muted:
            self._post(asker, Kind.REPLY, f"reply:{correlation_id}", reply, extra=correlation_id)
        return True

    def request_in(self, frame: Frame, body: Part) -> Request:
        """The request that a frame carries. Raises `DecodeError`."""
        deadline_ns = int.from_bytes(body[:DEADLINE_BYTES], "big")
        asked = decode(frame.type, body[DEADLINE_BYTES:])
        return Request(frame.extra, frame.destination, asked, frame.origin, frame.ts_ns, deadline_ns)

    def refuse(self, request: Request) -> None:
        """Nobody here receives at the endpoint of a request that came from another host."""
        self.bury(DeadReason.NO_RECEIVER, request.endpoint, request)
        end = NoReceiver(request.correlation_id, request.endpoint, self._clock.now_ns())
        self.reply(request.correlation_id, end)

    def _was_asked(self, correlation_id: int) -> bool:
        own_base = self._id_base >> (EPOCH_BITS + COUNT_BITS)
        if correlation_id >> (EPOCH_BITS + COUNT_BITS) != own_base:
            return False
        is_this_life = correlation_id >> COUNT_BITS == self._id_base >> COUNT_BITS
        return not is_this_life or super()._was_asked(correlation_id - self._id_base)

    # --- the wire -----------------------------------------------------------------------------------------------

    def bury(self, reason: DeadReason, destination: str, message: Any) -> None:  # noqa: ANN401 - any message
        """Make a dead letter: counted, kept, and published on `dead_letters`."""
        self._bury(reason, destination, message)

    def _post(self, peer_id: str, kind: Kind, destination: str, message: object, *, extra: int = 0) -> None:
        type_name, body = encode(message)
        self._wire.post(
            peer_id, kind, lane_of(message), destination, type_name, body,
            origin=self.origin, ts_ns=self._clock.now_ns(), extra=extra,
        )  # fmt: skip
