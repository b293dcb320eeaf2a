"""Where a replay stands in one stream, and how far ahead nothing touches a waiting order."""

from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from operator import length_hint
from typing import Any, Final

import numpy as np

from libra_ray.data import Stream
from libra_ray.matching import Column, DepthBook, next_quote_touch, next_touch
from libra_ray.messages.schemas import (
    BARS,
    BOOK_DELTAS,
    BOOK_SNAPSHOTS,
    FUNDING_RATES,
    LAST_IN_MESSAGE,
    MARK_PRICES,
    QUOTES,
    TRADES,
    Row,
    RowSpec,
)
from libra_ray.portfolio import Cursor
from libra_ray.runtime import Actor
from libra_ray.runtime.views import Handler
from libra_ray.simulation.book_scout import BookScout
from libra_ray.simulation.book_tops import BookTops
from libra_ray.simulation.reach import Reach

__all__ = ["StreamState"]

BLOCK_ROWS_MIN: Final = 64
BLOCK_ROWS_MAX: Final = 65_536


class StreamState:
    """One stream of a run: its columns as integers, its cursor, and the horizon of its look-ahead.

    Attributes:
        views: the rows, each built when it is asked for, from blocks of `batch_rows`; read once, in order. `next_row`
            is the index of the one that comes next.
        matches: whether rows of this stream can execute orders.
        is_booking: each of its rows is booked on the accounts.
        is_book: its rows are changes or levels of a book; those of one message go together.
        book: the book that they make, None where nobody needs it.
        scout, tops: what looks ahead in it for orders, and for compiled handlers; None where nothing can.
    """

    is_complete = True
    """All rows are there; a feed that grows row by row has no range to look ahead to."""

    def __init__(self, stream: Stream, cursor: Cursor[Any], *, batch_rows: int) -> None:
        self.stream = stream
        self.schema = stream.schema
        self.spec = RowSpec.of(stream.instrument, stream.period)
        self.cursor = cursor
        self.topic = stream.topic
        self.ts = stream.ts_ns
        self.rows = len(self.ts)
        self.matches = False
        self.batch_rows = batch_rows
        self.instrument_id = stream.instrument.id
        self.venue = stream.instrument.venue
        self.handlers: tuple[tuple[Actor | None, Handler], ...] = ()
        self.handlers_version = -1
        self._columns: list[Column] = [
            stream.raw(name) for name in ("ts_init_ns", "ts_event_ns", *self.schema.names[2:])
        ]
        self.is_booking = stream.schema is FUNDING_RATES
        self.is_book = stream.schema is BOOK_DELTAS or stream.schema is BOOK_SNAPSHOTS
        self.book: DepthBook | None = None
        self.scout: BookScout | None = None
        self.tops: BookTops | None = None
        self.views = chain.from_iterable(self._blocks())
        self._block_end = 0
        self._unread: Iterator[int] = iter(())
        self._range: tuple[int, int] | None = None
        self._sought_ns = -1
        self._sought_row = 0
        self._scanned = 0
        self._block = BLOCK_ROWS_MIN

    def column(self, name: str) -> Column:
        """A column's raw integers."""
        return self._columns[self.schema.names.index(name)]

    def arrays(self, names: Sequence[str]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Both times, and the columns of these names: int64 arrays, in standard precision."""
        return (self._columns[0], self._columns[1]), tuple(self.column(name) for name in names)

    def _blocks(self) -> Iterator[Iterator[Row]]:
        for at in range(0, self.rows, self.batch_rows):
            end = min(at + self.batch_rows, self.rows)
            self._block_end = end
            yield self._rows_between(at, end)

    def _rows_between(self, start: int, stop: int) -> Iterator[Row]:
        """Rows [start, stop). Its lists live as long as there is a row to read: the next block takes their memory."""
        ts, ts_event, *values = (column[start:stop] for column in self._columns)
        times = _as_list(ts)
        # Most sources stamp a row once: then both times of it are one integer.
        event_times = times if np.array_equal(ts, ts_event) else _as_list(ts_event)
        self._unread = iter(times)
        return map(self.schema.row, repeat(self.spec), self._unread, event_times, *map(_as_list, values))

    def next_row(self) -> int:
        """The index of the row that `views` gives next: what its iterators have left tells, so no loop need count."""
        return self._block_end - length_hint(self._unread)

    def row_at(self, index: int) -> Row:
        """One row's view."""
        return self.schema.row(self.spec, *(int(column[index]) for column in self._columns))

    def price_range(self) -> tuple[int, int] | None:
        """The lowest and highest price of all rows; None for a stream that has no prices to look ahead to."""
        names = _PRICES.get(self.schema.name)
        if names is None or not self.is_complete:
            return None
        if self._range is None:
            low, high = (self.column(name) for name in names)
            both = [int(min(low)), int(max(high))] if isinstance(low, list) else [int(np.min(low)), int(np.max(high))]
            self._range = both[0], both[1]
        return self._range

    # ------------------------------------------------------------------ messages of a book

    def message_end(self, at: int, stop: int) -> int:
        """One past the last row of the message that row `at` belongs to, within the rows up to `stop`."""
        flags = self.column("flags")
        while at < stop - 1 and not flags[at] & LAST_IN_MESSAGE:
            at += 1
        return at + 1

    def is_message_end(self, index: int) -> bool:
        """Whether a row is the last one of its message."""
        return bool(self.column("flags")[index] & LAST_IN_MESSAGE)

    def fill_book(self, start: int, stop: int) -> None:
        """Apply rows [start, stop) to the book."""
        book = self.book
        if book is None:
            return
        side, price, qty = self.column("side"), self.column("price"), self.column("qty")
        if self.schema is BOOK_SNAPSHOTS:
            book.replace(side, price, qty, start, stop)
        else:
            book.apply(self.column("action"), side, price, qty, self.column("order_id"), start, stop)

    def first_at(self, ts_ns: int, start: int, stop: int) -> int:
        """The first row in [start, stop) that is not before `ts_ns`; `stop` where there is none."""
        if ts_ns != self._sought_ns:
            # Whoever is due next is sought again and again until it is due: search the whole stream once.
            self._sought_ns = ts_ns
            self._sought_row = int(self.ts.searchsorted(ts_ns))
        sought = self._sought_row
        if sought < start:
            return start
        return sought if sought < stop else stop  # noqa: FURB136 - a fifth of the time of min(), at each stretch

    # ------------------------------------------------------------------ looking ahead

    def forget_horizon(self) -> None:
        """An order is new or changed: look again from the next row on, in small blocks first."""
        self._scanned = 0
        self._block = BLOCK_ROWS_MIN

    def next_touch(self, reach: Reach, start: int, stop: int) -> int:
        """The first row in [start, stop) that touches an order; `stop` where none does.

        Looks ahead in blocks that double, and remembers how far it has looked: O(1) per row over a whole run.
        """
        if self.scout is not None:
            self.scout.forget_before(start)
        while self._scanned < stop:
            at = max(start, self._scanned)
            end = min(at + self._block, self.rows)
            found = self._scan(reach, at, end)
            if found < end:
                self._scanned = found
                return min(found, stop)
            self._scanned = end
            self._block = min(self._block * 2, BLOCK_ROWS_MAX)
        return stop

    def _scan(self, reach: Reach, start: int, stop: int) -> int:
        if self.schema is QUOTES:
            bid, ask = self.column("bid_px"), self.column("ask_px")
            sells, buys = (reach.bid_fall, reach.bid_rise), (reach.ask_fall, reach.ask_rise)
            return next_quote_touch(bid, ask, start, stop, sells, buys)
        if self.schema is BARS:
            return next_touch(self.column("low"), self.column("high"), start, stop, reach.fall, reach.rise)
        if self.schema is TRADES or self.schema is MARK_PRICES:
            price = self.column("price")
            return next_touch(price, price, start, stop, reach.fall, reach.rise)
        if self.scout is not None:
            return self.scout.next_touch(self, reach, start, stop)
        return start if self.is_book else stop


def _as_list(column: Column) -> Sequence[int]:
    return column.tolist() if isinstance(column, np.ndarray) else column


_PRICES: Final = {
    QUOTES.name: ("bid_px", "ask_px"),
    BARS.name: ("low", "high"),
    TRADES.name: ("price", "price"),
    MARK_PRICES.name: ("price", "price"),
}
