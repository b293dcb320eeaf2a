"""A system whose market comes row by row: from a test, or as it happens. The loop's own step, a row at a time."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np

from libra_ray.data import Stream
from libra_ray.execution import ExecutionClient
from libra_ray.kernel import KernelParts, RiskSettings, TradingKernel, VenueSettings
from libra_ray.messages.schemas import BOOK_SNAPSHOTS, Row, Schema
from libra_ray.model.instruments import Instrument
from libra_ray.portfolio import Cursor
from libra_ray.simulation.backtest import attach, cursor_of, delayed_reports, make_venue
from libra_ray.simulation.market import Market
from libra_ray.simulation.replay import Replay
from libra_ray.simulation.stream_state import StreamState
from libra_ray.simulation.venue import SimulatedVenue

__all__ = ["GrowingStream", "RowByRow"]

ROWS_KEPT: Final = 4_096
"""So many rows of a stream are kept at least; twice as many are the most."""


class _Tail:
    """A column of which only the latest rows are kept; places count from the first row there ever was."""

    __slots__ = ("_first", "_values")

    def __init__(self) -> None:
        self._values: list[int] = []
        self._first = 0

    def __getitem__(self, place: Any) -> Any:  # noqa: ANN401 - as of a list: an index or a slice
        if isinstance(place, slice):
            return self._values[place.start - self._first : place.stop - self._first]
        return self._values[place - self._first]

    def append(self, value: int) -> None:
        self._values.append(value)

    def forget_old(self) -> None:
        dropped = len(self._values) - ROWS_KEPT
        del self._values[:dropped]
        self._first += dropped


class GrowingStream(StreamState):
    """A stream that grows by one row at a time, and remembers the latest."""

    is_complete = False

    def __init__(self, schema: Schema, instrument: Instrument, period: str, cursor: Cursor[Any]) -> None:
        empty = schema.table(instrument, {name: [] for name in ("ts_init_ns", *schema.names[2:])}, period=period)
        super().__init__(Stream(schema, instrument, period, empty), cursor, batch_rows=1)
        self._tails = [_Tail() for _ in schema.names]
        self._columns = self._tails  # type: ignore[assignment]  # read by place, as any column

    def fill_book(self, start: int, stop: int) -> None:
        """Apply rows [start, stop) to the book: as arrays, which is what it takes in standard precision."""
        book = self.book
        if book is None:
            return
        names = ["action", "order_id", "side", "price", "qty"]
        if self.schema is BOOK_SNAPSHOTS:
            del names[:2]
        rows = [self.column(name)[start:stop] for name in names]
        columns = rows if book.wide else [np.array(row, np.int64) for row in rows]
        *first, side, price, qty = columns
        if first:
            book.apply(first[0], side, price, qty, first[1], 0, stop - start)
        else:
            book.replace(side, price, qty, 0, stop - start)

    def push(self, values: Sequence[int]) -> tuple[int, Row]:
        """Add a row; its index and the row."""
        for column, value in zip(self._tails, values, strict=True):
            column.append(value)
        self.rows += 1
        return self.rows - 1, self.schema.row(self.spec, *values)

    @property
    def is_long(self) -> bool:
        """Whether older rows should be forgotten; nobody may need them then."""
        return self.rows % ROWS_KEPT == 0 and self.rows > ROWS_KEPT

    def forget_old(self) -> None:
        """Keep the latest rows only."""
        for column in self._tails:
            column.forget_old()


class RowByRow:
    """Kernel, simulated venues and the loop over rows that come one by one.

    Attributes:
        kernel: the system's parts; actors are added to it.
        venues, markets: by name, and by instrument id.
    """

    def __init__(
        self,
        venues: Sequence[VenueSettings],
        instruments: Iterable[Instrument],
        *,
        risk: RiskSettings | None = None,
        seed: int = 0,
        start_ns: int = 0,
        client: Callable[[SimulatedVenue], ExecutionClient] | None = None,
    ) -> None:
        """`client` stands between the execution engine and each venue."""
        self.venues: dict[str, SimulatedVenue] = {}
        self.markets: dict[str, Market] = {}
        self._streams: dict[tuple[str, str, str], GrowingStream] = {}

        def make_client(settings: VenueSettings, parts: KernelParts) -> ExecutionClient:
            venue = self.venues[settings.name] = make_venue(settings, parts, self.markets, seed)
            return venue if client is None else client(venue)

        self.kernel = TradingKernel(
            venues=venues,
            instruments=instruments,
            risk=risk or RiskSettings(),
            make_client=make_client,
            seed=seed,
            start_ns=start_ns,
        )
        self.kernel.data.wire((), dict)
        reports = delayed_reports(self.kernel, self.venues)
        self._replay = Replay(self.kernel, [], self.markets, self.venues, reports)
        for simulated in self.venues.values():
            simulated.begin(start_ns)

    def push(self, schema: Schema, instrument: Instrument, period: str, values: Sequence[int]) -> None:
        """A row: its times, then its values, raw, in the order of the schema. What it sets off is settled.

        Raises `ValueError` for a row that is older than the time it is.
        """
        if values[0] < self.kernel.clock.now_ns():
            raise ValueError(f"a row at {values[0]} is older than {self.kernel.clock.now_ns()}")
        stream = self._stream(schema, instrument, period)
        index, row = stream.push(values)
        self._replay.replay_row(stream, index, row)
        if stream.is_long:
            self.markets[instrument.id].stand_at_latest()
            stream.forget_old()

    def advance_to(self, ts_ns: int) -> None:
        """Let time pass up to and including `ts_ns`, with everything due on the way."""
        self.kernel.host.settle()
        self._replay.settle_until(ts_ns)
        self.kernel.clock.advance_to(ts_ns)

    @property
    def next_due_ns(self) -> int:
        """When something is due next besides rows."""
        return self._replay.next_due_ns

    def _stream(self, schema: Schema, made: Instrument, period: str) -> GrowingStream:
        key = (schema.name, made.id, period)
        stream = self._streams.get(key)
        if stream is None:
            empty = schema.table(made, {name: [] for name in ("ts_init_ns", *schema.names[2:])}, period=period)
            cursor = cursor_of(Stream(schema, made, period, empty), self.kernel.cache)
            stream = self._streams[key] = GrowingStream(schema, made, period, cursor)
            attach(stream, self.markets[made.id], self.venues[made.venue].settings)
        return stream
