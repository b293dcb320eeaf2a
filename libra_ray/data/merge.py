"""Many streams in one order: by time, then by the stream's place in the list, then by row.

The order is delivered as runs, the longest stretches of rows that come from one stream, so that a replay works batch
by batch and looks at single rows only where streams really alternate.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from libra_ray.data.arrow_arrays import Int64s, int64s_of

__all__ = ["MergedBatch", "Run", "merge_batches", "merged_runs"]

WINDOW_ROWS: Final = 32_768
"""Rows of one stream that are sorted against the others at a time; bounds memory at about 50 bytes x streams x rows."""


class Run(NamedTuple):
    """Rows `start` to `stop` (exclusive) of stream number `stream` follow each other in the merged order."""

    stream: int
    start: int
    stop: int


def merged_runs(times: Sequence[npt.NDArray[np.int64]], *, window_rows: int = WINDOW_ROWS) -> Iterator[Run]:
    """The merged order of `times`, each sorted ascending, as maximal runs.

    Neighbours are never of one stream, every row occurs once. O(rows log streams) vectorised; one stream costs nothing.
    """
    stream, start, stop = -1, 0, 0
    for part in _window_runs(times, window_rows):
        if part.stream == stream:
            stop = part.stop
            continue
        if stream >= 0:
            yield Run(stream, start, stop)
        stream, start, stop = part
    if stream >= 0:
        yield Run(stream, start, stop)


class MergedBatch(NamedTuple):
    """Rows of stream number `stream` that follow each other in the merged order."""

    stream: int
    batch: pa.RecordBatch


def merge_batches(streams: Sequence[Iterator[pa.RecordBatch]]) -> Iterator[MergedBatch]:
    """The merged order of streams that come batch by batch, each ascending in `ts_init_ns`.

    Runs are maximal inside what is there at a time. Memory: two batches a stream.
    """
    buffers: list[pa.RecordBatch | None] = [next(stream, None) for stream in streams]
    times = [None if batch is None else _times_of(batch) for batch in buffers]
    while any(ts is not None for ts in times):
        # Whatever is still to come of a stream is not before the last row that it has shown.
        bound = min(int(ts[-1]) for ts in times if ts is not None)
        stops = [0 if ts is None else int(np.searchsorted(ts, bound, side="left")) for ts in times]
        if not any(stops):
            grown = next(
                (
                    at
                    for at, ts in enumerate(times)
                    if ts is not None and int(ts[-1]) == bound and _grow(at, streams, buffers, times)
                ),
                None,
            )
            if grown is not None:
                continue
            # Nothing more comes of those that end here: their rows of this time go, stream by stream.
            stops = [0 if ts is None else int(np.searchsorted(ts, bound, side="right")) for ts in times]
        windows = [np.empty(0, np.int64) if ts is None else ts[:stop] for ts, stop in zip(times, stops, strict=True)]
        for run in merged_runs(windows):
            batch = buffers[run.stream]
            assert batch is not None  # noqa: S101  # it has the rows of the run
            yield MergedBatch(run.stream, batch.slice(run.start, run.stop - run.start))
        for at, stop in enumerate(stops):
            batch, ts = buffers[at], times[at]
            if not stop or batch is None or ts is None:
                continue
            rest = batch.slice(stop)
            buffers[at] = rest if rest.num_rows else next(streams[at], None)
            now = buffers[at]
            times[at] = None if now is None else _times_of(now)


def _grow(
    at: int,
    streams: Sequence[Iterator[pa.RecordBatch]],
    buffers: list[pa.RecordBatch | None],
    times: list[Int64s | None],
) -> bool:
    """Add a stream's next batch to what is there of it; whether there was one."""
    following, batch = next(streams[at], None), buffers[at]
    if following is None or batch is None:
        return False
    joined = pa.Table.from_batches([batch, following]).combine_chunks().to_batches()[0]
    buffers[at], times[at] = joined, _times_of(joined)
    return True


def _times_of(batch: pa.RecordBatch) -> Int64s:
    return int64s_of(batch.column("ts_init_ns"))


def _window_runs(times: Sequence[npt.NDArray[np.int64]], window_rows: int) -> Iterator[Run]:
    """Runs that are maximal inside a window of time; the windows follow each other."""
    cursors = [0] * len(times)
    while True:
        active = [index for index, ts in enumerate(times) if cursors[index] < len(ts)]
        if len(active) <= 1:
            yield from (Run(index, cursors[index], len(times[index])) for index in active)
            return
        far = [
            times[index][cursors[index] + window_rows]
            for index in active
            if cursors[index] + window_rows < len(times[index])
        ]
        # Rows before the nearest far row: at most `window_rows` of each stream, and all of them precede what is left.
        stops = {
            index: int(np.searchsorted(times[index], min(far), side="left")) if far else len(times[index])
            for index in active
        }
        if all(stops[index] == cursors[index] for index in active):
            # More rows of one time than a window holds: they go stream by stream, and need no sorting.
            for index in active:
                stop = int(np.searchsorted(times[index], min(far), side="right"))
                if stop > cursors[index]:
                    yield Run(index, cursors[index], stop)
                    cursors[index] = stop
            continue
        yield from _sorted_window(times, {index: (cursors[index], stops[index]) for index in active})
        for index, stop in stops.items():
            cursors[index] = stop


def _sorted_window(times: Sequence[npt.NDArray[np.int64]], rows: dict[int, tuple[int, int]]) -> Iterator[Run]:
    """Runs of the rows `{stream: (start, stop)}`: a stable sort of their concatenation is the merged order."""
    filled = {index: span for index, span in rows.items() if span[0] < span[1]}
    if len(filled) == 1:
        index, (start, stop) = filled.popitem()
        yield Run(index, start, stop)
        return
    order = np.argsort(
        np.concatenate([times[index][start:stop] for index, (start, stop) in filled.items()]), kind="stable"
    )
    owners = np.repeat(np.fromiter(filled, np.int64), [stop - start for start, stop in filled.values()])[order]
    edges = np.flatnonzero(owners[1:] != owners[:-1]) + 1
    lengths = np.diff(np.concatenate(([0], edges, [len(owners)]))).tolist()
    streams = owners[np.concatenate(([0], edges))].tolist()
    cursors = {index: start for index, (start, _) in filled.items()}
    for stream, length in zip(streams, lengths, strict=True):
        start = cursors[stream]
        cursors[stream] = start + length
        yield Run(stream, start, start + length)
