"""The bus as an actor has it: what it sends is staged, what it receives is minded by its host."""

from functools import partial
from typing import TYPE_CHECKING, Any

from libra_ray.errors import NoReceiverError
from libra_ray.messages.commands import Command
from libra_ray.runtime.delivery import Delivery
from libra_ray.runtime.hooks import check_handler
from libra_ray.runtime.sendable import check_sendable
from libra_ray.runtime.timers import NEVER_NS, whole_ns
from libra_ray.runtime.topics import check_pattern, check_topic
from libra_ray.runtime.views import Handler, Replyable, ReplyHandler

if TYPE_CHECKING:
    from libra_ray.runtime.actor import Actor
    from libra_ray.runtime.host import LocalHost

__all__ = ["ActorBus"]

_HOOK_OF_TOPIC = (
    ("data.bars.", "on_bar"),
    ("data.quotes.", "on_quote"),
    ("data.trades.", "on_trade"),
    ("data.book.", "on_book"),
    ("data.", "on_data"),
    ("signals.", "on_signal"),
)
_KEPT_PREFIX = "events."


class ActorBus:
    """Messages leave when the running handler has returned, in the order in which they were sent.

    Subscriptions and endpoints take effect after the message in hand and are taken back if the handler raises; reset,
    fault and disposal remove them all. What ends a request of before them is discarded and counted.
    """

    def __init__(self, host: "LocalHost", actor: "Actor") -> None:
        self._host, self._actor, self._bus = host, actor, host.bus
        self._staged = host.staged
        self._subscriptions: dict[tuple[str, Delivery], None] = {}
        self._endpoints: dict[str, None] = {}
        self._releases = 0

    def publish(self, topic: str, message: object) -> None:
        """To all subscribers of `topic`. Raises `ValueError` for a bad topic, `UnsendableError` for a bad message."""
        check_topic(topic)
        check_sendable(message)
        self._staged.append((self._actor, self._publish, (topic, message)))

    def send(self, endpoint: str, message: object) -> bool:
        """To the one receiver of `endpoint`; a dead letter when it has none by then. False when it has none now.

        Raises `NoReceiverError` for a command that nobody would receive: an order must never vanish.
        """
        check_topic(endpoint)
        check_sendable(message)
        is_received = self._bus.has_endpoint(endpoint)
        if not is_received and isinstance(message, Command):
            raise NoReceiverError(endpoint)
        self._staged.append((self._actor, self._send, (endpoint, message)))
        return is_received

    def command(self, endpoint: str, message: object) -> None:
        """As `send`, for what must never vanish: raises `NoReceiverError` now when `endpoint` has no receiver."""
        receiver = self._bus.link(endpoint)
        check_sendable(message)
        self._staged.append((self._actor, receiver, message))

    def request(self, endpoint: str, message: object, *, timeout_ns: int, callback: ReplyHandler | None = None) -> int:
        """Ask `endpoint`; `callback` (default `on_reply`) is given (correlation id, reply, `TimedOut` or `NoReceiver`).

        Raises `TypeError` when `timeout_ns` is no integer, `ValueError` when it is not positive or has no end.
        """
        check_topic(endpoint)
        timeout_ns = whole_ns(timeout_ns, f"request to {endpoint}: timeout_ns")
        if not 1 <= timeout_ns < NEVER_NS - self._actor.clock.now_ns():
            raise ValueError(f"request to {endpoint}: timeout_ns {timeout_ns} is not positive, or ends after 2262")
        check_sendable(message)
        if callback is not None:
            check_handler(callback, f"request to {endpoint}: callback")
        correlation_id = self._bus.next_correlation_id()
        on_reply = partial(self._end_request, self._releases, callback or self._actor.on_reply)
        self._staged.append((self._actor, self._request, (endpoint, message, timeout_ns, on_reply, correlation_id)))
        return correlation_id

    def reply(self, request: Replyable, reply: object) -> None:
        """Answer `request`. The first answer counts; a later one, or one after the time-out, is a dead letter."""
        check_sendable(reply)
        self._staged.append((self._actor, self._reply, (request.correlation_id, reply)))

    def subscribe(self, pattern: str, handler: Handler | None = None, priority: int = 0) -> bool:
        """Receive what is published on matching topics; False when this was subscribed already.

        Without a handler it is the hook of the topic: `on_bar`, `on_quote`, `on_trade`, `on_book`, `on_data`,
        `on_signal`, for anything else `on_event`. Higher priority first, except for market data, which goes by rank.
        What comes while the actor does not run is kept for patterns that begin with `events.`, and where it is an event
        of an order or position; else it is discarded.
        Raises `ValueError` for a bad pattern or a negative priority.
        """
        check_pattern(pattern)
        delivery = self._delivery(pattern, handler)
        check_handler(delivery.handler, f"subscription to {pattern}")
        if not self._bus.subscribe(pattern, delivery, priority):
            return False
        self._subscriptions[pattern, delivery] = None
        self._host.stage_undo(self._actor, partial(self._forget, pattern, delivery))
        return True

    def unsubscribe(self, pattern: str, handler: Handler | None = None) -> bool:
        """Undo `subscribe` with the same arguments; False when that was not subscribed."""
        delivery = self._delivery(pattern, handler)
        withdrawn = self._bus.withdraw(pattern, delivery)
        if withdrawn is None:
            return False
        del self._subscriptions[pattern, delivery]
        self._host.stage_undo(self._actor, partial(self._remember, pattern, delivery, withdrawn))
        return True

    def register(self, endpoint: str, handler: Handler) -> None:
        """Receive what is sent to `endpoint`. Raises `EndpointTakenError` when it has a receiver."""
        check_handler(handler, f"endpoint {endpoint}")
        self._bus.register(endpoint, Delivery(self._host, self._actor, handler, keeps=True))
        self._endpoints[endpoint] = None
        self._host.stage_undo(self._actor, partial(self._unregister, endpoint))

    def release(self) -> None:
        """Remove all subscriptions and endpoints, at once. Called by the host."""
        for pattern, delivery in self._subscriptions:
            self._bus.unsubscribe(pattern, delivery)
        for endpoint in self._endpoints:
            self._bus.unregister(endpoint)
        self._subscriptions.clear()
        self._endpoints.clear()
        self._releases += 1

    def _delivery(self, pattern: str, handler: Handler | None) -> Delivery:
        if handler is None:
            name = next((hook for prefix, hook in _HOOK_OF_TOPIC if pattern.startswith(prefix)), "on_event")
            handler = getattr(self._actor, name)
        return Delivery(self._host, self._actor, handler, keeps=pattern.startswith(_KEPT_PREFIX))

    def _forget(self, pattern: str, delivery: Delivery) -> None:
        self._subscriptions.pop((pattern, delivery), None)
        self._bus.unsubscribe(pattern, delivery)

    def _remember(self, pattern: str, delivery: Delivery, withdrawn: object) -> None:
        self._subscriptions[pattern, delivery] = None
        self._bus.restore(withdrawn)

    def _unregister(self, endpoint: str) -> None:
        if self._endpoints.pop(endpoint, "") is None:
            self._bus.unregister(endpoint)

    def _publish(self, publication: tuple[str, Any]) -> None:
        self._bus.publish(*publication)

    def _send(self, letter: tuple[str, Any]) -> None:
        self._bus.send(*letter)

    def _request(self, asked: tuple[str, Any, int, ReplyHandler, int]) -> None:
        endpoint, message, timeout_ns, on_reply, correlation_id = asked
        self._bus.request(
            endpoint,
            message,
            timeout_ns=timeout_ns,
            on_reply=on_reply,
            rank_no=self._actor.rank_no,
            source=self._actor.actor_id,
            correlation_id=correlation_id,
        )

    def _end_request(self, releases: int, handler: ReplyHandler, correlation_id: int, end: object) -> None:
        """Give the end of a request to the actor, unless it was reset since it asked."""
        if releases == self._releases:
            self._host.deliver(self._actor, handler, correlation_id, end)
        else:
            self._host.hold(self._actor, handler, (correlation_id, end), keep=False)

    def _reply(self, answer: tuple[int, Any]) -> None:
        self._bus.reply(*answer)
