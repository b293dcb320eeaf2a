"""The market as it reaches one host: each row stands in the cache when the first handler sees it.

Where nobody is given rows, most are never looked at: those are read when somebody asks the cache for the last one.
"""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import pyarrow as pa

from libra_ray.messages.batches import batch_rows
from libra_ray.messages.schemas import Bar, MarkPrice, Quote, Trade
from libra_ray.portfolio import Cache, Cursor
from libra_ray.runtime import Delivery, LocalHost
from libra_ray.runtime.topics import MARKET_DATA_PREFIX, quotes_topic, trades_topic

__all__ = ["RowView"]


class _First(Delivery):
    """A handler that rows come to before they come to any actor, and that needs no actor to run.

    Attributes:
        only_follows: it takes what comes to this host anyway, and is no reason to send anything here.
    """

    __slots__ = ("_view", "only_follows")

    def __init__(self, view: "RowView") -> None:
        self._view = view
        self.handler, self.rank_no, self.keeps = view.take, -1, False
        self.only_follows = True

    def __call__(self, row: Any) -> None:  # noqa: ANN401 - whatever market data there is
        self.handler(row)

    def put_off(self, topic: str, read: Callable[[], object]) -> bool:
        """A batch that no actor here is given: `read` gives it, None where it is none. False: it cannot be put off."""
        return self._view.put_off(topic, read)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _First) and other.handler == self.handler

    def __hash__(self) -> int:
        return hash(self.handler)

    def __repr__(self) -> str:
        return "RowView"


class _LateCursor(Cursor[Any]):
    """A cursor that is brought up to date when somebody looks.

    Attributes:
        catch_up: what that takes; None where nothing came since.
    """

    __slots__ = ("_row", "catch_up")

    def __init__(self) -> None:
        self.catch_up: Callable[[], None] | None = None
        super().__init__()

    @property
    def row(self) -> Any:  # noqa: ANN401 - as the cursor's
        """The last row."""
        catch_up, self.catch_up = self.catch_up, None
        if catch_up is not None:
            catch_up()
        return self._row

    @row.setter
    def row(self, row: Any) -> None:  # noqa: ANN401 - as the cursor's
        self._row = row


class RowView:
    """Follows what somebody in this host subscribes to; parts of the kernel want all that there is.

    Args: names of bars that the data engine makes, which make no price.
    """

    def __init__(self, host: LocalHost, cache: Cache, built: Collection[str]) -> None:
        self._cache, self._built = cache, built
        self._late: dict[str, _LateCursor] = {}  # by topic
        self._door = _First(self)
        host.bus.subscribe(f"{MARKET_DATA_PREFIX}*", self._door)

    def want_all(self) -> None:
        """All market data is to come to this host, before it says what it subscribes to."""
        self._door.only_follows = False

    def take(self, row: object) -> None:
        """One row, of whatever kind; kinds that make no price are passed over."""
        if isinstance(row, Quote | Trade | Bar | MarkPrice):
            self._cursor(row).row = row

    def put_off(self, topic: str, read: Callable[[], object]) -> bool:
        """Take the rows that `read` gives when somebody looks. False: it is not known yet where they go."""
        cursor = self._late.get(topic)
        if cursor is not None:
            cursor.catch_up = partial(self._take_all, read)
        return cursor is not None

    def _take_all(self, read: Callable[[], object]) -> None:
        message = read()
        rows = batch_rows(message) if isinstance(message, pa.Table | pa.RecordBatch) else (message,)
        for row in rows or ():
            self.take(row)

    def _cursor(self, row: Quote | Trade | Bar | MarkPrice) -> Cursor[Any]:
        rows = self._cache.rows.of(row.spec.instrument_id)
        if isinstance(row, Bar):
            if row.period in self._built:
                return self._cache.rows.cursor_of_built(row.spec.instrument_id, row.period)
            return rows.cursor_of_bars(row.period)
        if isinstance(row, Quote):
            rows.quotes = rows.quotes or self._late_cursor(quotes_topic(row.spec.instrument_id))
            return rows.quotes
        if isinstance(row, Trade):
            rows.trades = rows.trades or self._late_cursor(trades_topic(row.spec.instrument_id))
            return rows.trades
        rows.marks = rows.marks or Cursor()
        return rows.marks

    def _late_cursor(self, topic: str) -> _LateCursor:
        return self._late.setdefault(topic, _LateCursor())
