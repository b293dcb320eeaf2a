"""Books in a host of actors: changes of a book come as batches, `on_book` is given the book as it stands."""

from collections.abc import Iterator, Mapping
from typing import Final

import pyarrow as pa

from libra_ray.kernel.settings import VenueSettings
from libra_ray.matching import Column, DepthBook
from libra_ray.messages.batches import batch_schema, batch_spec
from libra_ray.messages.schemas import BOOK_SNAPSHOTS, LAST_IN_MESSAGE, RowSpec, raw_column
from libra_ray.portfolio import Cache
from libra_ray.simulation.book_view import OrderBook

__all__ = ["BookKeeper"]

_LEVELS: Final = ("side", "price", "qty")


class BookKeeper:
    """One book per instrument, made of what comes. Where a venue has depth its prices are the instrument's prices.

    Args: the cache of the host; venues by name.
    """

    def __init__(self, cache: Cache, venues: Mapping[str, VenueSettings]) -> None:
        self._cache, self._venues = cache, venues
        self._books: dict[str, tuple[DepthBook, OrderBook]] = {}

    def views(self, batch: pa.Table | pa.RecordBatch) -> Iterator[OrderBook]:
        """Take a batch in, message by message; the book after each. Of an instrument that is not loaded, nothing."""
        schema = batch_schema(batch)
        if schema is None:
            return
        spec = batch_spec(schema, batch)
        book = self._book(spec.instrument_id)
        if book is None:
            return
        depth, view = book
        columns = {name: raw_column(batch, name) for name in schema.names}
        start = 0
        for at, flags in enumerate(columns["flags"]):
            if not flags & LAST_IN_MESSAGE:
                continue
            self._apply(depth, columns, start, at + 1, is_whole=schema is BOOK_SNAPSHOTS)
            start = at + 1
            view.ts_ns, view.ts_event_ns = int(columns["ts_init_ns"][at]), int(columns["ts_event_ns"][at])
            yield view
        self._apply(depth, columns, start, batch.num_rows, is_whole=schema is BOOK_SNAPSHOTS)

    @staticmethod
    def _apply(depth: DepthBook, columns: Mapping[str, Column], start: int, stop: int, *, is_whole: bool) -> None:
        if start == stop:
            return
        side, price, qty = (columns[name] for name in _LEVELS)
        if is_whole:
            depth.replace(side, price, qty, start, stop)
        else:
            depth.apply(columns["action"], side, price, qty, columns["order_id"], start, stop)

    def _book(self, instrument_id: str) -> tuple[DepthBook, OrderBook] | None:
        known = self._books.get(instrument_id)
        made = self._cache.instruments.get(instrument_id)
        if known is None and made is not None:
            kind = self._venues[made.venue].book
            wide = made.is_high_precision
            depth = DepthBook(made.tick_raw, by_order=kind == "L3", consumes=False, wide=wide)
            if kind != "L1":
                self._cache.rows.of(instrument_id).book = depth
            known = self._books[instrument_id] = depth, OrderBook(depth, RowSpec.of(made))
        return known
