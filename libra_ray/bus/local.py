"""The bus inside a host: a message is a function call through the routing table."""

from collections import deque
from collections.abc import Callable
from typing import Any, Final

import msgspec

from libra_ray.bus.letters import DeadLetter, DeadReason, NoReceiver, Request, TimedOut
from libra_ray.bus.table import RoutingTable, Subscription
from libra_ray.clock import Clock, VirtualClock
from libra_ray.errors import NoReceiverError
from libra_ray.runtime.hooks import check_handler
from libra_ray.runtime.views import Deadlines, Handler, ReplyHandler

__all__ = ["DEAD_LETTERS_TOPIC", "Bus", "TopicCount"]

DEAD_LETTERS_TOPIC: Final = "dead_letters"


class TopicCount(msgspec.Struct, frozen=True):
    """How often a topic was published, and how many calls of handlers that made."""

    published: int
    delivered: int


class _Route:
    """One known topic: its resolved handlers and its counters.

    `delivered` is not counted call by call: it is what earlier sets of handlers had, plus the present set times the
    messages since it was resolved.
    """

    __slots__ = ("delivered_before", "handlers", "published", "published_before")

    def __init__(self) -> None:
        self.handlers: tuple[Handler, ...] = ()
        self.published = self.published_before = self.delivered_before = 0

    @property
    def delivered(self) -> int:
        return self.delivered_before + (self.published - self.published_before) * len(self.handlers)

    def point_to(self, handlers: tuple[Handler, ...]) -> None:
        self.delivered_before, self.published_before = self.delivered, self.published
        self.handlers = handlers


class _Waiting(msgspec.Struct, frozen=True):
    """A request without an end yet."""

    endpoint: str
    on_reply: ReplyHandler
    rank_no: int


class Bus:
    """Topics, endpoints, requests. What a handler raises passes through to whoever published.

    Publishing to a known topic is one look-up, one count and the calls; the pattern work is done once per (topic,
    version of the table). A change made inside a handler takes effect after the message in hand.

    Attributes:
        table: who receives what; read it, and change it through the bus only.
        dead_letters: the last `dead_letters_max` of them, oldest first.
        dead_counts: how many there were, by reason.
        origin: the actor whose messages leave now, where a host or a recorder says so; else empty.

    """

    def __init__(self, clock: Clock | None = None, *, dead_letters_max: int = 1_000) -> None:
        self.dead_letters: deque[DeadLetter] = deque(maxlen=dead_letters_max)
        self.dead_counts: dict[DeadReason, int] = dict.fromkeys(DeadReason, 0)
        self._clock: Clock = clock if clock is not None else VirtualClock()
        self.table: RoutingTable[Handler] = RoutingTable()
        self._fresh: dict[str, _Route] = {}
        self._routes: dict[str, _Route] = {}
        self._sent: dict[str, int] = {}
        self._waiting: dict[int, _Waiting] = {}
        self._requests = 0
        self._deadlines: Deadlines | None = None
        self.origin = ""

    def attach(self, deadlines: Deadlines) -> None:
        """Time-outs are kept by `deadlines` (a host) from now on."""
        self._deadlines = deadlines

    @property
    def clock(self) -> Clock:
        """The clock by which messages are stamped."""
        return self._clock

    @property
    def deadlines(self) -> Deadlines | None:
        """Who keeps time-outs: the host of this bus; None while there is none."""
        return self._deadlines

    @property
    def version(self) -> int:
        """Grows with every change of the routing table."""
        return self.table.version

    def on_change(self, call: Callable[[], object]) -> None:
        """`call` whenever `version` grows."""
        self.table.on_change.append(call)

    # --- topics -------------------------------------------------------------------------------------------------

    def publish(self, topic: str, message: object) -> None:
        """Call every handler whose pattern matches `topic`. Raises `ValueError` when that is no topic."""
        route = self._fresh.get(topic)
        if route is None:
            route = self._resolve(topic)
        route.published += 1
        for handler in route.handlers:
            handler(message)

    def subscribe(self, pattern: str, handler: Handler, priority: int = 0) -> bool:
        """Call `handler` for matching topics; False when this pair was subscribed, which then stays as it was.

        Higher priority first, equal priority in order of subscription; market data (`data.`) goes by the rank that the
        handler or its actor carries. Raises `ValueError` for a bad pattern or a negative priority.
        """
        check_handler(handler, f"subscription to {pattern}")
        if not self.table.subscribe(pattern, handler, priority):
            return False
        self._fresh.clear()
        return True

    def unsubscribe(self, pattern: str, handler: Handler) -> bool:
        """False when the pair was not subscribed."""
        return self.withdraw(pattern, handler) is not None

    def withdraw(self, pattern: str, handler: Handler) -> Subscription[Handler] | None:
        """Unsubscribe, and return what `restore` takes to undo that; None when the pair was not subscribed."""
        subscription = self.table.withdraw(pattern, handler)
        if subscription is not None:
            self._fresh.clear()
        return subscription

    def restore(self, subscription: Subscription[Handler]) -> None:
        """Put back what `withdraw` returned, at its old place in the order."""
        self.table.restore(subscription)
        self._fresh.clear()

    def receivers(self, topic: str) -> tuple[Handler, ...]:
        """Who is called for `topic`, in that order."""
        return (self._fresh.get(topic) or self._resolve(topic)).handlers

    def subscriptions(self) -> list[tuple[str, Handler]]:
        """Every (pattern, handler), in the order of subscription."""
        return [(each.pattern, each.receiver) for each in self.table.all_subscriptions()]

    # --- endpoints ----------------------------------------------------------------------------------------------

    def register(self, endpoint: str, handler: Handler) -> None:
        """Make `handler` the receiver of `endpoint`. Raises `EndpointTakenError` when it has one."""
        check_handler(handler, f"endpoint {endpoint}")
        self.table.register(endpoint, handler)
        self._sent.setdefault(endpoint, 0)

    def unregister(self, endpoint: str) -> bool:
        """False when nobody had it."""
        return self.table.unregister(endpoint)

    def link(self, endpoint: str) -> Handler:
        """The receiver of `endpoint`, resolved once, to be called directly: for the links of the order path.

        Calls of a link are not counted here, and it outlives the endpoint. Raises `NoReceiverError`.
        """
        receiver = self.table.receiver(endpoint)
        if receiver is None:
            raise NoReceiverError(endpoint)
        return receiver

    def has_endpoint(self, endpoint: str) -> bool:
        """Whether somebody receives what is sent to `endpoint`."""
        return self.table.receiver(endpoint) is not None

    def send(self, endpoint: str, message: object) -> bool:
        """Call the receiver of `endpoint`; False, and a dead letter, when there is none."""
        receiver = self.table.receiver(endpoint)
        if receiver is None:
            self._bury(DeadReason.NO_RECEIVER, endpoint, message)
            return False
        self._sent[endpoint] += 1
        receiver(message)
        return True

    # --- requests -----------------------------------------------------------------------------------------------

    def next_correlation_id(self) -> int:
        """A new id: 1, 2, 3, ..."""
        self._requests += 1
        return self._requests

    def request(
        self,
        endpoint: str,
        message: object,
        *,
        timeout_ns: int,
        on_reply: ReplyHandler,
        rank_no: int = 0,
        source: str = "",
        correlation_id: int | None = None,
    ) -> int:
        """Give `endpoint` a `Request` with `message` as body; returns its correlation id.

        `on_reply(correlation_id, end)` is called exactly once, with the reply, `TimedOut` or `NoReceiver`; without a
        receiver, and for a receiver that answers at once, before this returns. `rank_no` orders time-outs of one time.
        Raises `ValueError` when `timeout_ns` is not positive, `RuntimeError` while no host keeps the deadlines.
        """
        if timeout_ns < 1:
            raise ValueError(f"request to {endpoint}: timeout_ns {timeout_ns} is not positive")
        if self._deadlines is None:
            raise RuntimeError("requests need a host that keeps their deadlines: Bus.attach")
        if correlation_id is None:
            correlation_id = self.next_correlation_id()
        now_ns = self._clock.now_ns()
        request = Request(correlation_id, endpoint, message, source, now_ns, now_ns + timeout_ns)
        if not self.has_endpoint(endpoint):
            self._bury(DeadReason.NO_RECEIVER, endpoint, request)
            on_reply(correlation_id, NoReceiver(correlation_id, endpoint, now_ns))
            return correlation_id
        self._waiting[correlation_id] = _Waiting(endpoint, on_reply, rank_no)
        self._deadlines.set_deadline(correlation_id, request.deadline_ns, rank_no, self._time_out)
        self.send(endpoint, request)
        return correlation_id

    def reply(self, correlation_id: int, reply: object) -> bool:
        """End a request; False, and a dead letter, when it has ended before or never was."""
        waiting = self._waiting.pop(correlation_id, None)
        if waiting is None:
            reason = DeadReason.LATE_REPLY if self._was_asked(correlation_id) else DeadReason.UNKNOWN_REQUEST
            self._bury(reason, f"reply:{correlation_id}", reply)
            return False
        if self._deadlines is not None:
            self._deadlines.cancel_deadline(correlation_id, waiting.rank_no)
        waiting.on_reply(correlation_id, reply)
        return True

    # --- counters -----------------------------------------------------------------------------------------------

    @property
    def topic_counts(self) -> dict[str, TopicCount]:
        """Counters of each topic that was ever published or looked up, in the order of their first use."""
        return {topic: TopicCount(route.published, route.delivered) for topic, route in self._routes.items()}

    @property
    def endpoint_counts(self) -> dict[str, int]:
        """Messages handed over at each endpoint, requests included, links not."""
        return dict(self._sent)

    @property
    def requests_open(self) -> int:
        """Requests that have no end yet."""
        return len(self._waiting)

    # --- inside -------------------------------------------------------------------------------------------------

    def _resolve(self, topic: str) -> _Route:
        handlers = self.table.resolve(topic)
        route = self._routes.get(topic)
        if route is None:
            route = self._routes[topic] = _Route()
        if route.handlers != handlers:
            route.point_to(handlers)
        self._fresh[topic] = route
        return route

    def _was_asked(self, correlation_id: int) -> bool:
        return 0 < correlation_id <= self._requests

    def _time_out(self, correlation_id: int) -> None:
        waiting = self._waiting.pop(correlation_id, None)
        if waiting is not None:
            waiting.on_reply(correlation_id, TimedOut(correlation_id, waiting.endpoint, self._clock.now_ns()))

    def _bury(self, reason: DeadReason, destination: str, message: Any) -> None:  # noqa: ANN401 - any message
        self.dead_counts[reason] += 1
        letter = DeadLetter(reason, destination, message, self._clock.now_ns(), self.dead_counts[reason])
        self.dead_letters.append(letter)
        self.publish(DEAD_LETTERS_TOPIC, letter)
