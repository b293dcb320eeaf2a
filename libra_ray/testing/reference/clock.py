"""Timers and alerts of actors (matching 1, number 6)."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["ALGORITHM_RANK", "STRATEGY_RANK", "Clock", "Timer"]

ALGORITHM_RANK = 0
STRATEGY_RANK = 1


@dataclass
class Timer:
    """A timer or alert; `interval` 0 is an alert."""

    ts: int
    rank: int
    set_no: int
    act: Callable[[int], None]
    interval: int


class Clock:
    """All timers of a run."""

    def __init__(self) -> None:
        self.timers: list[Timer] = []
        self._count = 0

    def set(self, ts: int, rank: int, act: Callable[[int], None], interval: int = 0) -> Timer:
        """Call `act` with the timer's time at `ts`, and then each `interval`."""
        self._count += 1
        timer = Timer(ts, rank, self._count, act, interval)
        self.timers.append(timer)
        return timer

    def drop(self, timer: Timer) -> None:
        """Never call it again."""
        if timer in self.timers:
            self.timers.remove(timer)

    def next_ts(self) -> int | None:
        """The earliest time that is set."""
        return min((timer.ts for timer in self.timers), default=None)

    def fire_next(self, now: int) -> bool:
        """Call the first timer that is due by (registration rank, set sequence). False: none is due."""
        due = [timer for timer in self.timers if timer.ts <= now]
        if not due:
            return False
        timer = min(due, key=lambda timer: (timer.ts, timer.rank, timer.set_no))
        ts = timer.ts
        if timer.interval:
            timer.ts += timer.interval
        else:
            self.timers.remove(timer)
        timer.act(ts)
        return True
