"""How many orders or changes passed lately: a window that slides."""

from collections import deque

__all__ = ["PassRate"]


class PassRate:
    """At most `limit` in any window `(now - interval_ns, now]`.

    Asking and counting are apart, unlike in `bus.Throttler`: an order that another limit denies, and a list of which
    one order is denied, use nothing. The caller brings the time, which must not go back. O(1) amortised.
    """

    __slots__ = ("_passed_ns", "interval_ns", "limit")

    def __init__(self, limit: int, interval_ns: int) -> None:
        self.limit, self.interval_ns = limit, interval_ns
        self._passed_ns: deque[int] = deque()

    def has_room(self, ts_ns: int, ahead: int = 0) -> bool:
        """Whether one more may pass at `ts_ns`, after `ahead` others that are not counted yet."""
        stamps = self._passed_ns
        if len(stamps) + ahead < self.limit:
            return True
        gone_ns = ts_ns - self.interval_ns
        while stamps and stamps[0] <= gone_ns:
            stamps.popleft()
        return len(stamps) + ahead < self.limit

    def count(self, ts_ns: int) -> None:
        """One has passed."""
        self._passed_ns.append(ts_ns)
