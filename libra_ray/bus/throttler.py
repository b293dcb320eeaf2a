"""Throttler: at most so many messages in any window of time. Integers only, but for the share in use."""

from collections import deque
from collections.abc import Callable
from enum import StrEnum
from operator import index
from typing import Any, Final, Generic, Literal, TypeVar

from libra_ray.runtime.actor_clock import ActorClock
from libra_ray.runtime.timers import Timer, whole_ns

__all__ = ["Admission", "ThrottledSender", "Throttler"]

T = TypeVar("T")

QUEUED_MAX: Final = 65_536


class Admission(StrEnum):
    """What became of a message."""

    PASSED = "PASSED"
    QUEUED = "QUEUED"
    DENIED = "DENIED"


class Throttler(Generic[T]):
    """At most `limit` messages in any window `(now - interval_ns, now]`, which slides.

    The caller brings the time, which must not go back. `on_excess="deny"` refuses what is above the limit; `"queue"`
    keeps it, at most 65,536 and then refuses, for `release` in order of arrival. Each call is O(1) amortised.

    Attributes:
        passed, denied: counters.

    """

    __slots__ = ("_last_ns", "_passed_ns", "_queue", "denied", "interval_ns", "limit", "on_excess", "passed")

    def __init__(self, limit: int, interval_ns: int, on_excess: Literal["deny", "queue"] = "deny") -> None:
        limit, interval_ns = index(limit), whole_ns(interval_ns, "interval_ns")
        if limit < 1 or interval_ns < 1 or on_excess not in ("deny", "queue"):
            raise ValueError(f"no throttler of {limit} per {interval_ns} ns that would {on_excess!r}")
        self.limit, self.interval_ns, self.on_excess = limit, interval_ns, on_excess
        self.passed = self.denied = 0
        self._passed_ns: deque[int] = deque()
        self._queue: deque[T] = deque()
        self._last_ns = 0

    def allows(self, ts_ns: int) -> bool:
        """Whether a message passes at `ts_ns`; counted as passed or denied. The short way for `deny`."""
        stamps = self._passed_ns
        if len(stamps) >= self.limit:
            self._slide(ts_ns)
        if len(stamps) >= self.limit or self._queue:
            self.denied += 1
            return False
        stamps.append(ts_ns)
        self._last_ns = ts_ns
        self.passed += 1
        return True

    def offer(self, ts_ns: int, message: T) -> Admission:
        """Whether `message` passes now, waits (nothing overtakes what waits), or is refused."""
        if self.on_excess == "deny":
            return Admission.PASSED if self.allows(ts_ns) else Admission.DENIED
        self._slide(ts_ns)
        if not self._queue and len(self._passed_ns) < self.limit:
            self._pass(ts_ns)
            return Admission.PASSED
        if len(self._queue) >= QUEUED_MAX:
            self.denied += 1
            return Admission.DENIED
        self._queue.append(message)
        return Admission.QUEUED

    def release(self, ts_ns: int) -> list[T]:
        """What waited and passes at `ts_ns`, in order of arrival."""
        self._slide(ts_ns)
        released: list[T] = []
        while self._queue and len(self._passed_ns) < self.limit:
            released.append(self._queue.popleft())
            self._pass(ts_ns)
        return released

    @property
    def next_release_ns(self) -> int | None:
        """When the first waiting message may pass; None when none waits."""
        if not self._queue:
            return None
        return self._passed_ns[0] + self.interval_ns if len(self._passed_ns) >= self.limit else self._last_ns

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return len(self._queue)

    def used(self, ts_ns: int | None = None) -> float:
        """The share of the limit that is in use at `ts_ns` (default: when last asked), 0 to 1."""
        self._slide(self._last_ns if ts_ns is None else ts_ns)
        return len(self._passed_ns) / self.limit

    def _pass(self, ts_ns: int) -> None:
        self._passed_ns.append(ts_ns)
        self.passed += 1

    def _slide(self, ts_ns: int) -> None:
        """Forget what has left the window."""
        stamps, gone_ns = self._passed_ns, ts_ns - self.interval_ns
        while stamps and stamps[0] <= gone_ns:
            stamps.popleft()
        self._last_ns = ts_ns


class ThrottledSender:
    """Sends what the throttler lets pass, and what had to wait by an alert of the actor's clock.

    `send(message)` is called in order of arrival; `name` is the alert's, unique to this sender within the actor.
    """

    def __init__(self, throttler: Throttler[Any], clock: ActorClock, name: str, send: Callable[[Any], object]) -> None:
        self.throttler, self._clock, self._name, self._send = throttler, clock, name, send

    def __call__(self, message: Any) -> Admission:  # noqa: ANN401 - whatever `send` takes
        admission = self.throttler.offer(self._clock.now_ns(), message)
        if admission is Admission.PASSED:
            self._send(message)
        elif admission is Admission.QUEUED:
            self._wait()
        return admission

    def _wait(self) -> None:
        release_ns = self.throttler.next_release_ns
        if release_ns is not None:
            self._clock.set_alert(self._name, at_ns=release_ns, callback=self._release)

    def _release(self, _timer: Timer) -> None:
        for message in self.throttler.release(self._clock.now_ns()):
            self._send(message)
        self._wait()
