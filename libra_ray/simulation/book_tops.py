"""What compiled handlers see of a book: best prices and sizes after each message, made ahead of it in chunks."""

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from libra_ray.matching import ScoutBook
from libra_ray.messages.schemas import LAST_IN_MESSAGE

if TYPE_CHECKING:
    from libra_ray.simulation.stream_state import StreamState
    from libra_ray.strategy.compiled.bridge import RowScanner

__all__ = ["BookTops"]

CHUNK_ROWS: Final = 65_536
Ints = npt.NDArray[np.int64]
_CHANGES: Final = ("action", "side", "price", "qty", "order_id", "flags")
NOTHING: Final = np.zeros(0, np.int64)


class BookTops:
    """Runs ahead of one stream of changes, in standard precision, that alone makes a book."""

    def __init__(self, state: "StreamState", *, by_order: bool, tick: int) -> None:
        self._state, self._tick, self._by_order = state, tick, by_order
        self._book: ScoutBook | None = None
        self._end = 0
        self._ends = self._seen_ends = NOTHING
        self._times: tuple[Ints, ...] = ()
        self._columns: tuple[Ints, ...] = ()

    def scan(self, scanner: "RowScanner", start: int, stop: int) -> int:
        """Let a handler see the messages in rows [start, stop), up to one at which it has something to send.

        Returns the row after the last message that was passed; `start` where the next one is to be delivered alone.
        """
        while self._end <= start:
            self._load()
        stop = min(stop, self._end)
        first, last = (int(place) for place in self._seen_ends.searchsorted((start, stop)))
        done = scanner.scan(self._times, self._columns, first, last) if first < last else last
        if done < last or scanner.has_staged:
            return int(self._seen_ends[done - 1]) + 1 if done > first else start
        whole = int(self._ends.searchsorted(stop))
        return max(start, int(self._ends[whole - 1]) + 1) if whole else start

    def _load(self) -> None:
        """The next chunk: all messages that end in it, and those of them that leave a bid and an ask."""
        state = self._state
        if self._book is None:
            self._book = ScoutBook(self._tick, by_order=self._by_order, wide=False)
        first, end = self._end, min(self._end + CHUNK_ROWS, state.rows)
        action, side, price, qty, order_id, flags = (state.column(name) for name in _CHANGES)
        tops = self._book.bbo_columns(action, side, price, qty, order_id, flags, first, end)
        self._ends = np.flatnonzero(np.asarray(flags[first:end]) & LAST_IN_MESSAGE) + first
        seen = self._ends[(tops[2][self._ends - first] > 0) & (tops[3][self._ends - first] > 0)]
        self._columns = tuple(np.ascontiguousarray(column[seen - first]) for column in tops)
        self._times = tuple(np.asarray(state.column(name))[seen] for name in ("ts_init_ns", "ts_event_ns"))
        self._seen_ends, self._end = seen, end
