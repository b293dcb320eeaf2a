"""Timers: what is due next, in the order (due time, rank of the owner, sequence in which it was set)."""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from operator import index
from typing import Final, SupportsIndex, TypeAlias

import msgspec

from libra_ray.messages.codec import register

__all__ = ["NEVER_NS", "Alarm", "Timer", "TimerKey", "TimerQueue", "whole_ns"]

NEVER_NS: Final = 2**63 - 1
"""Later than every time there is: what an empty queue answers."""

_STALE_MAX: Final = 64

TimerKey: TypeAlias = tuple[int, str | int]
"""(rank number of the owner, name). Names given by actors are text; numbers are the host's own deadlines."""


def whole_ns(value: SupportsIndex, what: str) -> int:
    """`value` as an `int`. Raises `TypeError`, which says of what, for a float and all else that is no integer."""
    try:
        return index(value)
    except TypeError:
        raise TypeError(f"{what} is {value!r}, not a whole number of nanoseconds; write for example 10**9") from None


class Timer(msgspec.Struct, frozen=True, gc=False):
    """What `on_timer` is given. `due_ns` is when it was due, which live may lie before `clock.now_ns()`."""

    name: str
    due_ns: int


class Alarm(msgspec.Struct, frozen=True, eq=False):
    """One entry of the queue: when, whose, and what to call.

    `interval_ns` 0 fires once; otherwise it repeats while the next due time is not after `stop_ns`.
    """

    due_ns: int
    key: TimerKey
    seq: int
    fire: Callable[["Alarm"], None]
    interval_ns: int = 0
    stop_ns: int = NEVER_NS

    @property
    def is_endless(self) -> bool:
        """It repeats and has no end."""
        return self.interval_ns > 0 and self.stop_ns == NEVER_NS

    def after(self) -> "Alarm | None":
        """The next firing, which keeps the set sequence; None when this was the last."""
        due_ns = self.due_ns + self.interval_ns
        if not self.interval_ns or due_ns > self.stop_ns:
            return None
        return Alarm(due_ns, self.key, self.seq, self.fire, self.interval_ns, self.stop_ns)


class TimerQueue:
    """A heap with lazy cancel. `next_ns` is a plain attribute, so that a loop over rows may look at it each row.

    Setting and popping cost O(log n); a canceled entry stays in the heap until it surfaces or until stale entries
    outnumber live ones, then the heap is rebuilt: memory stays proportional to what is set.
    """

    __slots__ = ("_heap", "_live", "_seq", "next_ns")

    next_ns: int
    """When the first live timer is due; `NEVER_NS` when there is none. Read only."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, Alarm]] = []
        self._live: dict[TimerKey, Alarm] = {}
        self._seq = 0
        self.next_ns = NEVER_NS

    def __len__(self) -> int:
        return len(self._live)

    @property
    def entries(self) -> int:
        """How many entries the heap holds, stale ones included."""
        return len(self._heap)

    def next_due_ns(self) -> int:
        """`next_ns`, as a call."""
        return self.next_ns

    def next_seq(self) -> int:
        """A new set sequence. One that is not used afterwards leaves a gap, which harms nothing."""
        self._seq += 1
        return self._seq

    def get(self, key: TimerKey) -> Alarm | None:
        """The live timer of that key."""
        return self._live.get(key)

    def put(self, alarm: Alarm) -> Alarm | None:
        """Set `alarm`. It takes the place of the one with its key, which is returned."""
        replaced = self._live.get(alarm.key)
        self._live[alarm.key] = alarm
        heappush(self._heap, (alarm.due_ns, alarm.key[0], alarm.seq, alarm))
        self._settle_top()
        return replaced

    def cancel(self, key: TimerKey) -> Alarm | None:
        """Cancel and return the timer of that key; None when there is none."""
        alarm = self._live.pop(key, None)
        if alarm is not None:
            self._settle_top()
        return alarm

    def cancel_all(self, rank_no: int) -> int:
        """Cancel everything that the actor of that rank has set; returns how many. Deadlines of the host go on."""
        keys = [key for key in self._live if key[0] == rank_no and isinstance(key[1], str)]
        for key in keys:
            del self._live[key]
        self._settle_top()
        return len(keys)

    def names(self, rank_no: int) -> list[str]:
        """Names of the actor's timers, in the order in which they were set."""
        mine = [alarm for key, alarm in self._live.items() if key[0] == rank_no and isinstance(key[1], str)]
        return [str(alarm.key[1]) for alarm in sorted(mine, key=lambda alarm: alarm.seq)]

    def pop_due(self, ts_ns: int) -> Alarm | None:
        """Take the first timer with `due_ns <= ts_ns`; a repeating one is set anew before it is returned."""
        if self.next_ns > ts_ns or not self._heap:
            return None
        alarm = heappop(self._heap)[3]
        following = alarm.after()
        if following is None:
            del self._live[alarm.key]
        else:
            self._live[alarm.key] = following
            heappush(self._heap, (following.due_ns, following.key[0], following.seq, following))
        self._settle_top()
        return alarm

    def has_finite(self) -> bool:
        """Something is set that will not go on for ever. O(n)."""
        return any(not alarm.is_endless for alarm in self._live.values())

    def _settle_top(self) -> None:
        """Bring a live entry to the top, and rebuild when stale ones are the majority."""
        heap, live = self._heap, self._live
        if len(heap) > _STALE_MAX and len(heap) > 2 * len(live):
            heap[:] = [(alarm.due_ns, alarm.key[0], alarm.seq, alarm) for alarm in live.values()]
            heapify(heap)
        while heap and live.get(heap[0][3].key) is not heap[0][3]:
            heappop(heap)
        self.next_ns = heap[0][0] if heap else NEVER_NS


register(Timer)
