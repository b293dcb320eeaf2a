"""Which items a worker gets next: chunks that last long enough to hide a call, and no item lost or charged wrongly."""

from collections import deque
from dataclasses import dataclass
from typing import Final

__all__ = ["Chunk", "WorkQueue"]

CALL_NS: Final = 50_000_000
"""What a call should last: a Ray call costs about a millisecond."""
CHUNK_ITEMS_MAX: Final = 1_000
SMOOTHING: Final = 0.3


@dataclass(frozen=True, slots=True)
class Chunk:
    """Positions of items that one call works off, in order. `is_suspect`: a worker died with it; it goes alone."""

    positions: tuple[int, ...]
    is_suspect: bool = False


class WorkQueue:
    """Hands out each of `count` items, again if its worker died, until it is done or given up.

    Items whose worker died while it worked on them are charged and handed out again, one by one and each alone on its
    worker: a worker that dies may take the answers of the calls before with it, and an innocent neighbour must not be
    charged for that again. After `retries_max` retries an item is given up.
    """

    def __init__(self, count: int, *, calls_at_once: int, retries_max: int = 2) -> None:
        self._count = count
        self._next = 0
        self._finished = 0
        self._again: deque[Chunk] = deque()
        self._deaths: dict[int, int] = {}
        self._retries_max = retries_max
        self._calls_at_once = calls_at_once
        self._item_ns: float | None = None

    @property
    def has_waiting(self) -> bool:
        """Whether `take` has something. False while all is handed out, though some may come back."""
        return bool(self._again) or self._next < self._count

    @property
    def has_suspect(self) -> bool:
        """Whether the next chunk is a suspect one."""
        return bool(self._again)

    @property
    def left(self) -> int:
        """How many items are neither done nor given up."""
        return self._count - self._finished

    @property
    def is_finished(self) -> bool:
        """Whether every item is done or given up."""
        return self._finished == self._count

    def take(self) -> Chunk:
        """The next chunk. Raises `IndexError` when nothing waits."""
        if self._again or self._next == self._count:
            return self._again.popleft()
        start, self._next = self._next, self._next + self._size(self._count - self._next)
        return Chunk(tuple(range(start, self._next)))

    def done(self, chunk: Chunk, *, worked_ns: int) -> None:
        """Learn from a finished chunk how long an item lasts."""
        item_ns = worked_ns / len(chunk.positions)
        known_ns = item_ns if self._item_ns is None else self._item_ns
        self._item_ns = known_ns + SMOOTHING * (item_ns - known_ns)
        self._finished += len(chunk.positions)

    def put_back(self, chunk: Chunk) -> None:
        """A chunk behind the one on which its worker died: not charged."""
        self._again.appendleft(Chunk(chunk.positions, is_suspect=True))

    def died(self, chunk: Chunk) -> list[int]:
        """Its worker died on this chunk: charge its items, and return those that are now given up."""
        given_up = []
        for position in reversed(chunk.positions):
            self._deaths[position] = self.deaths(position) + 1
            if self._deaths[position] > self._retries_max:
                given_up.append(position)
            else:
                self._again.appendleft(Chunk((position,), is_suspect=True))
        self._finished += len(given_up)
        return given_up[::-1]

    def deaths(self, position: int) -> int:
        """How many workers died on this item."""
        return self._deaths.get(position, 0)

    def _size(self, left: int) -> int:
        """One item until its time is known; towards the end less, so that no worker waits for another."""
        if self._item_ns is None:
            return 1
        lasting = CHUNK_ITEMS_MAX if self._item_ns <= 0 else int(CALL_NS / self._item_ns) + 1
        return max(1, min(lasting, CHUNK_ITEMS_MAX, left // self._calls_at_once))
