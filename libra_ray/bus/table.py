"""The routing table: who receives what. It knows names and receivers and calls nobody.

A receiver is whatever the carrier delivers to: a handler inside a host, an address between hosts.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from libra_ray.bus.patterns import is_literal, matcher
from libra_ray.errors import EndpointTakenError, NotInitializedError
from libra_ray.runtime.topics import MARKET_DATA_PREFIX, check_pattern, check_topic

__all__ = ["UNRANKED", "RoutingTable", "Subscription", "rank_of"]

R = TypeVar("R", bound=Hashable)

UNRANKED = 2**63 - 1
"""The rank of a receiver that carries none: after all that do."""


@dataclass(frozen=True, slots=True)
class Subscription(Generic[R]):
    """One (pattern, receiver) pair. `seq` is its place in the order of subscription."""

    pattern: str
    receiver: R
    priority: int
    seq: int
    matches: Callable[[str], bool] | None

    @property
    def call_order(self) -> tuple[int, int]:
        """Higher priority first, then in order of subscription."""
        return (-self.priority, self.seq)

    @property
    def row_order(self) -> tuple[int, int]:
        """Market data: by rank, then in order of subscription."""
        return (rank_of(self.receiver), self.seq)


class RoutingTable(Generic[R]):
    """Subscriptions and endpoints.

    Attributes:
        version: grows with every change, so that what was resolved can be cached.
        on_change: called with every change: for who is asked too often to compare versions.
    """

    def __init__(self) -> None:
        self.version = 0
        self.on_change: list[Callable[[], object]] = []
        self._literal: dict[str, dict[R, Subscription[R]]] = {}
        self._wild: dict[tuple[str, R], Subscription[R]] = {}
        self._endpoints: dict[str, R] = {}
        self._seq = 0

    def subscribe(self, pattern: str, receiver: R, priority: int = 0) -> bool:
        """Add the pair; False, and nothing changes, when it is there already, whatever its priority.

        Raises `ValueError` for a bad pattern or a negative priority.
        """
        check_pattern(pattern)
        if not isinstance(priority, int):
            raise TypeError(f"priority {priority!r} of {pattern!r} is not an integer")
        if priority < 0:
            raise ValueError(f"priority {priority} of {pattern!r} is negative")
        if self._find(pattern, receiver) is not None:
            return False
        self._seq += 1
        matches = None if is_literal(pattern) else matcher(pattern)
        self.restore(Subscription(pattern, receiver, priority, self._seq, matches))
        return True

    def withdraw(self, pattern: str, receiver: R) -> Subscription[R] | None:
        """Remove the pair and return its subscription; None when it is not there."""
        subscription = self._find(pattern, receiver)
        if subscription is None:
            return None
        if subscription.matches is not None:
            del self._wild[pattern, receiver]
        else:
            del self._literal[pattern][receiver]
            if not self._literal[pattern]:
                del self._literal[pattern]
        self._changed()
        return subscription

    def restore(self, subscription: Subscription[R]) -> None:
        """Put back what `withdraw` returned, at its old place in the order."""
        if subscription.matches is not None:
            self._wild[subscription.pattern, subscription.receiver] = subscription
        else:
            self._literal.setdefault(subscription.pattern, {})[subscription.receiver] = subscription
        self._changed()

    def subscriptions(self, topic: str) -> list[Subscription[R]]:
        """What matches `topic`, in the order in which receivers are called. Raises `ValueError` for a bad topic.

        Cost: one look-up, and one pattern match for each subscription with a wildcard.
        """
        check_topic(topic)
        found = list(self._literal.get(topic, {}).values())
        found += [each for each in self._wild.values() if each.matches is not None and each.matches(topic)]
        if topic.startswith(MARKET_DATA_PREFIX):
            return sorted(found, key=lambda each: each.row_order)
        return sorted(found, key=lambda each: each.call_order)

    def all_subscriptions(self) -> list[Subscription[R]]:
        """Every subscription there is, in the order in which they were made."""
        literal = [each for by_receiver in self._literal.values() for each in by_receiver.values()]
        return sorted([*literal, *self._wild.values()], key=lambda each: each.seq)

    def resolve(self, topic: str) -> tuple[R, ...]:
        """The receivers of `topic`, in the order in which they are called, one that matches twice twice."""
        return tuple(each.receiver for each in self.subscriptions(topic))

    def register(self, endpoint: str, receiver: R) -> None:
        """Make `receiver` the one of `endpoint`. Raises `EndpointTakenError` when it has one."""
        check_topic(endpoint)
        if endpoint in self._endpoints:
            raise EndpointTakenError(endpoint)
        self._endpoints[endpoint] = receiver
        self._changed()

    def unregister(self, endpoint: str) -> bool:
        """False when nobody had it."""
        if self._endpoints.pop(endpoint, None) is None:
            return False
        self._changed()
        return True

    def receiver(self, endpoint: str) -> R | None:
        """Who receives at `endpoint`."""
        return self._endpoints.get(endpoint)

    @property
    def endpoints(self) -> list[str]:
        """Endpoints that have a receiver, in order of registration."""
        return list(self._endpoints)

    def _changed(self) -> None:
        self.version += 1
        for call in self.on_change:
            call()

    def _find(self, pattern: str, receiver: R) -> Subscription[R] | None:
        wild = self._wild.get((pattern, receiver))
        return wild if wild is not None else self._literal.get(pattern, {}).get(receiver)


def rank_of(receiver: object) -> int:
    """The rank number that a receiver, or the actor whose method it is, carries; `UNRANKED` when neither does."""
    for carrier in (receiver, getattr(receiver, "__self__", None)):
        try:
            rank_no = getattr(carrier, "rank_no", None)
        except NotInitializedError:
            continue
        if isinstance(rank_no, int):
            return rank_no
    return UNRANKED
