"""Where a replay stands in one stream, and how far ahead nothing touches a waiting order."""

from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any, Final

import numpy as np

from libra_ray.data import Stream
from libra_ray.matching import NEVER_FALL, NEVER_RISE, Column, next_quote_touch, next_touch
from libra_ray.messages.schemas import BARS, MARK_PRICES, QUOTES, TRADES, Row, RowSpec
from libra_ray.portfolio import Cursor
from libra_ray.runtime import Actor
from libra_ray.runtime.views import Handler

__all__ = ["Reach", "StreamState"]

BLOCK_ROWS_MIN: Final = 64
BLOCK_ROWS_MAX: Final = 65_536


class Reach:
    """The nearest prices at which waiting orders of one instrument are reached.

    Attributes:
        bid_fall, bid_rise: the bid falls to the highest sell stop, or rises to the lowest sell limit.
        ask_fall, ask_rise: the ask falls to the highest buy limit, or rises to the lowest buy stop.
    """

    __slots__ = ("ask_fall", "ask_rise", "bid_fall", "bid_rise")

    def __init__(self) -> None:
        self.bid_fall = self.ask_fall = NEVER_FALL
        self.bid_rise = self.ask_rise = NEVER_RISE

    @property
    def fall(self) -> int:
        """The highest price that a falling market reaches."""
        return max(self.bid_fall, self.ask_fall)

    @property
    def rise(self) -> int:
        """The lowest price that a rising market reaches."""
        return min(self.bid_rise, self.ask_rise)


class StreamState:
    """One stream of a run: its columns as integers, its cursor, and the horizon of its look-ahead.

    Attributes:
        views: the rows, each built when it is asked for, from blocks of `batch_rows`; read once, in order.
        matches: whether rows of this stream can execute orders.
        touch: the next row that touches an order, or the first row not looked at yet; rows before it need no venue.
    """

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
        self.views = chain.from_iterable(self._blocks())
        self._sought_ns = -1
        self._sought_row = 0
        self._scanned = 0
        self._block = BLOCK_ROWS_MIN

    def column(self, name: str) -> Column:
        """A column's raw integers."""
        return self._columns[self.schema.names.index(name)]

    def _blocks(self) -> Iterator[Iterator[Row]]:
        for at in range(0, self.rows, self.batch_rows):
            end = min(at + self.batch_rows, self.rows)
            lists = [
                column[at:end].tolist() if isinstance(column, np.ndarray) else column[at:end]
                for column in self._columns
            ]
            yield map(self.schema.row, repeat(self.spec), *lists)

    def first_at(self, ts_ns: int, start: int, stop: int) -> int:
        """The first row in [start, stop) that is not before `ts_ns`; `stop` where there is none."""
        if ts_ns != self._sought_ns:
            # Whoever is due next is sought again and again until it is due: search the whole stream once.
            self._sought_ns = ts_ns
            self._sought_row = int(self.ts.searchsorted(ts_ns))
        return min(max(self._sought_row, start), stop)

    # ------------------------------------------------------------------ looking ahead

    def forget_horizon(self) -> None:
        """An order is new or changed: look again from the next row on, in small blocks first."""
        self._scanned = 0
        self._block = BLOCK_ROWS_MIN

    def next_touch(self, reach: Reach, start: int, stop: int) -> int:
        """The first row in [start, stop) that touches an order; `stop` where none does.

        Looks ahead in blocks that double, and remembers how far it has looked: O(1) per row over a whole run.
        """
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
        return stop
