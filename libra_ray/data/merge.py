"""Many streams in one order: by time, then by the stream's place in the list, then by row.

The order is delivered as runs, the longest stretches of rows that come from one stream, so that a replay works batch
by batch and looks at single rows only where streams really alternate.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Run", "merged_runs"]

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
