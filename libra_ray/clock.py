"""Clocks: time is asked for, as an int of nanoseconds UTC, and never read past them.

`VirtualClock` is moved by whoever runs a simulation; `LiveClock` is the library's only reader of the wall clock.
"""

import time
from typing import Protocol

__all__ = ["Clock", "LiveClock", "VirtualClock"]


class Clock(Protocol):
    """What knows the time. It never goes back."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        ...


class VirtualClock:
    """Time that stands still until it is moved.

    A loop that already replays ordered rows assigns `ts_ns` directly, which costs one attribute store a row; everybody
    else uses `advance_to`, which refuses to go back.
    """

    __slots__ = ("ts_ns",)

    ts_ns: int

    def __init__(self, ts_ns: int = 0) -> None:
        self.ts_ns = ts_ns

    def now_ns(self) -> int:
        return self.ts_ns

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
