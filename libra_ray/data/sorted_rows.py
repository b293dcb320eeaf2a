"""Rows in the order of their times, however many: chunks are kept as they came and given out by stretches of time."""

import mmap
import tempfile
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from libra_ray.data.arrow_arrays import Int64s, arrow_ints, int64s_of

__all__ = ["SortedRows", "spooled"]

STRETCH_ROWS: Final = 1 << 17


class SortedRows:
    """The rows of all batches by `ts_init_ns`, those of one time in the order they came.

    `moved` rows stood behind a later one; it is known after the last row.

    Args:
        spool: keep the batches in a nameless temporary file instead of in memory.

    """

    def __init__(self, batches: Iterable[pa.Table], schema: pa.Schema, *, spool: bool) -> None:
        self._batches, self._schema, self._spool = batches, schema, spool
        self._before: int | None = None
        self.moved = 0

    def __iter__(self) -> Iterator[pa.Table]:
        counted = self._counted()
        chunks = spooled(counted, self._schema) if self._spool else list(counted)
        if not self.moved:
            yield from chunks
            return
        times = [_times(chunk) for chunk in chunks]
        starts = [0] * len(chunks)
        for limit in _limits(times):
            parts = []
            for number, ts_ns in enumerate(times):
                stop = len(ts_ns) if limit is None else int(np.searchsorted(ts_ns, limit, side="left"))
                if stop > starts[number]:
                    parts.append(chunks[number].slice(starts[number], stop - starts[number]))
                    starts[number] = stop
            if parts:
                yield _in_order(pa.concat_tables(parts).combine_chunks())

    def _counted(self) -> Iterator[pa.Table]:
        for batch in self._batches:
            ts_ns = _times(batch)
            if len(ts_ns):
                first_falls = self._before is not None and ts_ns[0] < self._before
                falls = int(np.count_nonzero(ts_ns[1:] < ts_ns[:-1]))
                self.moved += falls + bool(first_falls)
                self._before = int(ts_ns[-1])
                yield _in_order(batch) if falls else batch


def spooled(batches: Iterable[pa.Table], schema: pa.Schema) -> list[pa.Table]:
    """The batches in a nameless temporary file, mapped: their pages can leave the memory when it is short."""
    with tempfile.TemporaryFile() as file:
        with pa.ipc.new_stream(file, schema) as writer:
            for batch in batches:
                writer.write_table(batch)
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    reader = pa.ipc.open_stream(pa.py_buffer(mapped))
    return [pa.Table.from_batches([batch]) for batch in reader]


def _limits(times: list[Int64s]) -> list[int | None]:
    """Times between which there are about `STRETCH_ROWS` rows; the last stretch has no end."""
    samples = np.sort(np.concatenate([ts_ns[:: max(len(ts_ns) // 64, 1)] for ts_ns in times]))
    count = max(sum(map(len, times)) // STRETCH_ROWS, 0)
    places = [(number + 1) * len(samples) // (count + 1) for number in range(count)]
    return [*sorted({int(samples[place]) for place in places if place < len(samples)}), None]


def _in_order(table: pa.Table) -> pa.Table:
    """The rows by time, those of one time as they are."""
    return table.take(arrow_ints(np.argsort(_times(table), kind="stable"))).combine_chunks()


def _times(table: pa.Table) -> Int64s:
    column = table.column("ts_init_ns")
    return int64s_of(column.chunk(0)) if column.num_chunks else np.empty(0, np.int64)
