"""Clocks: time is asked for, as an int of nanoseconds UTC, and never read past them.

`VirtualClock` is moved by whoever runs a simulation; `LiveClock` is the library's only reader of the wall clock.
"""

import time
from typing import Any, Protocol

__all__ = ["Clock", "LiveClock", "Stamped", "VirtualClock"]


class Clock(Protocol):
    """What knows the time. It never goes back."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        ...


class _HasTime(Protocol):
    @property
    def ts_ns(self) -> int: ...


class Stamped(Protocol):
    """A cursor over rows that carry their time."""

    @property
    def row(self) -> _HasTime | Any:  # noqa: ANN401 - None before the first row, when nobody asks
        """The row it stands at."""
        ...


class VirtualClock:
    """Time that stands still until it is moved.

    A loop that already replays ordered rows lets it `follow` its cursor, so that a row costs the clock nothing, or
    assigns `ts_ns`; everybody else uses `advance_to`, which refuses to go back.
    """

    __slots__ = ("_followed", "ts_ns")

    ts_ns: int

    def __init__(self, ts_ns: int = 0) -> None:
        self.ts_ns = ts_ns
        self._followed: Stamped | None = None

    def now_ns(self) -> int:
        followed = self._followed
        return self.ts_ns if followed is None else followed.row.ts_ns

    def follow(self, cursor: "Stamped") -> None:
        """Be at the time of the cursor's row, whichever that is when somebody asks, until `stand_at`."""
        self._followed = cursor

    def stand_at(self, ts_ns: int) -> None:
        """Stand still at `ts_ns` again."""
        self._followed = None
        self.ts_ns = ts_ns

    def advance_to(self, ts_ns: int) -> None:
        """Move to `ts_ns`; staying is allowed. Raises `ValueError` when that lies in the past."""
        if ts_ns < self.ts_ns:
            raise ValueError(f"time cannot go back from {self.ts_ns} to {ts_ns}")
        self.ts_ns = ts_ns

    def __repr__(self) -> str:
        return f"VirtualClock({self.ts_ns})"


class LiveClock:
    """The wall clock, made monotone: a step back of the machine's clock holds time until it is caught up."""

    __slots__ = ("_last_ns",)

    def __init__(self) -> None:
        self._last_ns = 0

    def now_ns(self) -> int:
        self._last_ns = max(self._last_ns, time.time_ns())
        return self._last_ns
