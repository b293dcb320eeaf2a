"""The market as it reaches one host: each row stands in the cache when the first handler sees it."""

from collections.abc import Collection
from typing import Any

from libra_ray.messages.schemas import Bar, MarkPrice, Quote, Row, Trade
from libra_ray.portfolio import Cache, Cursor
from libra_ray.runtime import Delivery, LocalHost
from libra_ray.runtime.topics import MARKET_DATA_PREFIX

__all__ = ["RowView"]


class _First(Delivery):
    """A handler that rows come to before they come to any actor, and that needs no actor to run.

    Attributes:
        only_follows: it takes what comes to this host anyway, and is no reason to send anything here.
    """

    __slots__ = ("only_follows",)

    def __init__(self, view: "RowView") -> None:
        self.handler, self.rank_no, self.keeps = view.take, -1, False
        self.only_follows = True

    def __call__(self, row: Any) -> None:  # noqa: ANN401 - whatever market data there is
        self.handler(row)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _First) and other.handler == self.handler

    def __hash__(self) -> int:
        return hash(self.handler)

    def __repr__(self) -> str:
        return "RowView"


class RowView:
    """Follows what somebody in this host subscribes to; parts of the kernel want all that there is.

    Args: names of bars that the data engine makes, which make no price.
    """

    def __init__(self, host: LocalHost, cache: Cache, built: Collection[str]) -> None:
        self._cache, self._built = cache, built
        self._door = _First(self)
        host.bus.subscribe(f"{MARKET_DATA_PREFIX}*", self._door)

    def want_all(self) -> None:
        """All market data is to come to this host, before it says what it subscribes to."""
        self._door.only_follows = False

    def take(self, row: Row) -> None:
        """One row, of whatever kind; kinds that make no price are passed over."""
        if isinstance(row, Quote | Trade | Bar | MarkPrice):
            self._cursor(row).row = row

    def _cursor(self, row: Quote | Trade | Bar | MarkPrice) -> Cursor[Any]:
        rows = self._cache.rows.of(row.spec.instrument_id)
        if isinstance(row, Bar):
            if row.period in self._built:
                return self._cache.rows.cursor_of_built(row.spec.instrument_id, row.period)
            return rows.cursor_of_bars(row.period)
        if isinstance(row, Quote):
            rows.quotes = rows.quotes or Cursor()
            return rows.quotes
        if isinstance(row, Trade):
            rows.trades = rows.trades or Cursor()
            return rows.trades
        rows.marks = rows.marks or Cursor()
        return rows.marks
