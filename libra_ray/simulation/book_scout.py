"""Looking ahead in the changes of a book: a second book runs ahead and notes where the best prices will be."""

from typing import TYPE_CHECKING, Final

from libra_ray.matching import Column, ScoutBook, next_quote_touch
from libra_ray.simulation.reach import Reach

if TYPE_CHECKING:
    from libra_ray.simulation.stream_state import StreamState

__all__ = ["BookScout"]

CHUNK_ROWS: Final = 65_536


class BookScout:
    """Best bid and ask after each message, made in chunks as far as somebody looks, and dropped once passed."""

    def __init__(self, tick: int, *, by_order: bool, wide: bool) -> None:
        self._book = ScoutBook(tick, by_order=by_order, wide=wide)
        self._chunks: dict[int, tuple[Column, Column]] = {}
        self._done = 0

    def forget_before(self, row: int) -> None:
        """The replay has come to `row`: nobody looks before it any more."""
        for number in [number for number in self._chunks if number < row // CHUNK_ROWS]:
            del self._chunks[number]

    def next_touch(self, state: "StreamState", reach: Reach, start: int, stop: int) -> int:
        """The first row in [start, stop) whose message leaves the best prices at a price of `reach`."""
        at = start
        while at < stop:
            number = at // CHUNK_ROWS
            first = number * CHUNK_ROWS
            bid, ask = self._chunk(state, number)
            end = min(stop, first + CHUNK_ROWS)
            sells, buys = (reach.bid_fall, reach.bid_rise), (reach.ask_fall, reach.ask_rise)
            found = next_quote_touch(bid, ask, at - first, end - first, sells, buys) + first
            if found < end:
                return found
            at = end
        return stop

    def _chunk(self, state: "StreamState", number: int) -> tuple[Column, Column]:
        while number not in self._chunks:
            first = self._done
            end = min(first + CHUNK_ROWS, state.rows)
            bid, ask, _, _ = self._book.bbo_columns(
                state.column("action"),
                state.column("side"),
                state.column("price"),
                state.column("qty"),
                state.column("order_id"),
                state.column("flags"),
                first,
                end,
            )
            if first // CHUNK_ROWS >= number:
                self._chunks[first // CHUNK_ROWS] = (bid, ask)
            self._done = end
        return self._chunks[number]
