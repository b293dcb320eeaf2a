"""Many streams in one order: by time, then by the stream's place in the list, then by row.

The order is delivered as runs, the longest stretches of rows that come from one stream, so that a replay works batch
by batch and looks at single rows only where streams really alternate; or as arrays of streams and rows, where they
alternate so much that a run is hardly more than a row.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from libra_ray.data.arrow_arrays import Int64s, int64s_of

__all__ = ["MergedBatch", "MergedRows", "Run", "merge_batches", "merged_rows", "merged_runs"]

WINDOW_ROWS: Final = 8_192
"""Rows of one stream that are sorted against the others at a time; bounds memory at about 50 bytes x streams x rows."""

Int32s = npt.NDArray[np.int32]


class Run(NamedTuple):
    """Rows `start` to `stop` (exclusive) of stream number `stream` follow each other in the merged order."""

    stream: int
    start: int
    stop: int


class MergedRows(NamedTuple):
    """A stretch of the merged order: place by place the stream's number and the row in it."""

    streams: Int32s
    rows: Int64s


class MergedBatch(NamedTuple):
    """A stretch of the merged order, and the batches that it is of.

    Attributes:
        batches: one a stream, None where it gives no row.
        streams: place by place the number of the stream.
        rows: the row in that stream's batch.

    """

    batches: tuple[pa.RecordBatch | None, ...]
    streams: Int32s
    rows: Int64s

    @property
    def num_rows(self) -> int:
        """How many rows."""
        return len(self.rows)

    def runs(self) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Stream by stream the rows that follow each other, without a copy."""
        for run in _runs_of(MergedRows(self.streams, self.rows)):
            batch = self.batches[run.stream]
            if batch is not None:
                yield run.stream, batch.slice(run.start, run.stop - run.start)


def merged_runs(times: Sequence[npt.NDArray[np.int64]], *, window_rows: int = WINDOW_ROWS) -> Iterator[Run]:
    """The merged order of `times`, each sorted ascending, as maximal runs.

    Neighbours are never of one stream, every row occurs once. O(rows log streams) vectorised; one stream costs nothing.
    """
    last: Run | None = None
    for window in _windows(times, window_rows):
        runs = list(window) if len(window) == 1 else _runs_of(_sorted(times, window))
        if last is not None and runs[0].stream == last.stream:
            runs[0] = Run(last.stream, last.start, runs[0].stop)
        elif last is not None:
            yield last
        last = runs.pop()
        yield from runs
    if last is not None:
        yield last


def merged_rows(times: Sequence[npt.NDArray[np.int64]], *, window_rows: int = WINDOW_ROWS) -> Iterator[MergedRows]:
    """The merged order of `times`, each sorted ascending, in stretches of at most `window_rows` rows a stream."""
    for window in _windows(times, window_rows):
        if len(window) > 1:
            yield _sorted(times, window)
            continue
        ((stream, start, stop),) = window
        for at in range(start, stop, window_rows):
            rows = np.arange(at, min(at + window_rows, stop), dtype=np.int64)
            yield MergedRows(np.full(len(rows), stream, np.int32), rows)


def merge_batches(streams: Sequence[Iterator[pa.RecordBatch]]) -> Iterator[MergedBatch]:
    """The merged order of streams that come batch by batch, each ascending in `ts_init_ns`.

    Memory: two batches a stream, and those that are of one time alone.
    """
    buffers: list[pa.RecordBatch | None] = [_following(stream) for stream in streams]
    times = [_NO_TIMES if batch is None else _times_of(batch) for batch in buffers]
    while filled := [at for at, batch in enumerate(buffers) if batch is not None]:
        # Whatever is still to come of a stream is not before the last row that it has shown.
        bound = min(int(times[at][-1]) for at in filled)
        stops = [int(np.searchsorted(ts, bound, side="left")) for ts in times]
        if not any(stops):
            if any(int(times[at][-1]) == bound and _grow(at, streams, buffers, times) for at in filled):
                continue
            # Nothing more comes of those that end here: the rows of this time go, stream by stream.
            stops = [int(np.searchsorted(ts, bound, side="right")) for ts in times]
        given = tuple(batch if stop else None for batch, stop in zip(buffers, stops, strict=True))
        for part in merged_rows([ts[:stop] for ts, stop in zip(times, stops, strict=True)]):
            yield MergedBatch(given, *part)
        for at in filled:
            batch = buffers[at]
            if batch is None or not stops[at]:
                continue
            buffers[at] = now = batch.slice(stops[at]) if stops[at] < len(batch) else _following(streams[at])
            times[at] = _NO_TIMES if now is None else _times_of(now)


_NO_TIMES: Final[Int64s] = np.empty(0, np.int64)


def _following(stream: Iterator[pa.RecordBatch]) -> pa.RecordBatch | None:
    """The next batch that has a row."""
    return next((batch for batch in stream if batch.num_rows), None)


def _grow(
    at: int,
    streams: Sequence[Iterator[pa.RecordBatch]],
    buffers: list[pa.RecordBatch | None],
    times: list[Int64s],
) -> bool:
    """Add a stream's next batch to what is there of it; whether there was one."""
    following, batch = _following(streams[at]), buffers[at]
    if following is None or batch is None:
        return False
    joined = pa.Table.from_batches([batch, following]).combine_chunks().to_batches()[0]
    buffers[at], times[at] = joined, _times_of(joined)
    return True


def _times_of(batch: pa.RecordBatch) -> Int64s:
    return int64s_of(batch.column("ts_init_ns"))


def _windows(times: Sequence[npt.NDArray[np.int64]], window_rows: int) -> Iterator[list[Run]]:
    """Stretches of time that follow each other: of each stream that has rows there, which; never none."""
    cursors = [0] * len(times)
    while active := [index for index, ts in enumerate(times) if cursors[index] < len(ts)]:
        if len(active) == 1:
            yield [Run(active[0], cursors[active[0]], len(times[active[0]]))]
            return
        far = [
            times[index][cursors[index] + window_rows]
            for index in active
            if cursors[index] + window_rows < len(times[index])
        ]
        # Rows before the nearest far row: at most `window_rows` of each stream, and all of them precede what is left.
        window = _until(times, cursors, active, min(far) if far else None, "left")
        if window:
            yield window
        else:
            # More rows of one time than a window holds: they go stream by stream, and need no sorting.
            window = _until(times, cursors, active, min(far), "right")
            yield from ([run] for run in window)
        for run in window:
            cursors[run.stream] = run.stop


def _until(
    times: Sequence[npt.NDArray[np.int64]],
    cursors: Sequence[int],
    active: Sequence[int],
    bound: np.int64 | None,
    side: Literal["left", "right"],
) -> list[Run]:
    """What each stream has from its cursor to the bound; those that have nothing are left out."""
    stops = [len(times[at]) if bound is None else int(np.searchsorted(times[at], bound, side=side)) for at in active]
    return [Run(at, cursors[at], stop) for at, stop in zip(active, stops, strict=True) if stop > cursors[at]]


def _sorted(times: Sequence[npt.NDArray[np.int64]], window: Sequence[Run]) -> MergedRows:
    """A stable sort of the window's rows, one stream behind the other, is the merged order."""
    counts = np.array([run.stop - run.start for run in window])
    order = np.argsort(np.concatenate([times[run.stream][run.start : run.stop] for run in window]), kind="stable")
    streams = np.repeat(np.array([run.stream for run in window], np.int32), counts)
    first_places = np.cumsum(counts) - counts
    shifts = np.repeat(np.array([run.start for run in window]) - first_places, counts)
    return MergedRows(streams[order], order + shifts[order])


def _runs_of(merged: MergedRows) -> list[Run]:
    """The maximal runs of a stretch, which has a row at least."""
    streams, rows = merged
    edges = np.flatnonzero(streams[1:] != streams[:-1]) + 1
    begins = np.concatenate(([0], edges))
    starts = rows[begins]
    stops = starts + np.diff(np.concatenate((begins, [len(streams)])))
    return list(map(Run, streams[begins].tolist(), starts.tolist(), stops.tolist()))
