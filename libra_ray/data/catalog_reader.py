"""Rows of a catalog's files: those row groups and columns that are asked for, whole or batch by batch."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from libra_ray.data.arrow_arrays import int64s_of
from libra_ray.data.catalog_manifest import Entry
from libra_ray.data.catalog_store import Store
from libra_ray.errors import ConfigError, DataError, did_you_mean, quoted

__all__ = ["EntriesNow", "batches_of", "read_entry", "rows_at_most", "schema_of", "tables_of", "touches"]

UNREADABLE: Final = (pa.ArrowException, OSError, ValueError, RuntimeError)
"""What Arrow raises for a damaged file: some of its own checks come as bare errors of the language below."""
EntriesNow: TypeAlias = Callable[[], Sequence[Entry]]
"""The entries of one stream, in order of time, as the manifest has them now."""
Rows = TypeVar("Rows", pa.RecordBatch, pa.Table)


def touches(entry: Entry, first: int | None, stop: int | None) -> bool:
    """Whether a file has rows with `first <= ts < stop`, as far as its range says."""
    return (first is None or entry.end_ns >= first) and (stop is None or entry.start_ns < stop)


def schema_of(wanted: pa.Schema, columns: Sequence[str] | None) -> pa.Schema:
    """The wanted columns, times in front. Raises `ConfigError` CONF008 for a name that there is not."""
    if columns is None:
        return wanted
    for name in columns:
        if name not in wanted.names:
            fix = did_you_mean(name, wanted.names)
            raise ConfigError("CONF008", "columns", f"{quoted(name)} is no column", fix, name)
    names = [name for name in wanted.names if name in columns or name == "ts_init_ns"]
    return pa.schema([wanted.field(name) for name in names], metadata=wanted.metadata)


def read_entry(store: Store, entry: Entry, wanted: pa.Schema) -> pa.Table:
    """All rows of a file, in the types of `wanted`.

    Raises `DataError` DATA023 where the file is not there, DATA011 where it is unreadable.
    """
    with _opened(store, entry) as file:
        return _groups_of(file, entry, wanted, None, None)


def rows_at_most(store: Store, entries_now: EntriesNow, first: int | None, stop: int | None) -> int:
    """How many rows the row groups have that touch the range; of each file its end alone is read.

    Raises as `read_entry` does.
    """
    return sum(
        file.metadata.row_group(group).num_rows
        for entry, file, start, end in _files(store, entries_now, first, stop)
        for group in _groups(file, entry, start, end)
    )


def tables_of(
    store: Store, entries_now: EntriesNow, wanted: pa.Schema, first: int | None, stop: int | None
) -> list[pa.Table]:
    """Rows with `first <= ts < stop`, a table a file. Raises as `read_entry` does."""
    return [
        _between(_groups_of(file, entry, wanted, start, end), start, end)
        for entry, file, start, end in _files(store, entries_now, first, stop)
    ]


def batches_of(
    store: Store,
    entries_now: EntriesNow,
    wanted: pa.Schema,
    first: int | None,
    stop: int | None,
    batch_rows: int,
) -> Iterator[pa.RecordBatch]:
    """Rows with `first <= ts < stop` in batches of at most `batch_rows`; memory is bounded by a row group's columns.

    Raises as `read_entry` does.
    """
    for entry, file, start, end in _files(store, entries_now, first, stop):
        try:
            for group in _groups(file, entry, start, end):  # one at a time: Arrow keeps what it has begun to read
                for batch in file.iter_batches(batch_rows, row_groups=[group], columns=wanted.names):
                    cut = _between(batch, start, end)
                    if cut.num_rows:
                        yield cut.cast(wanted)
        except UNREADABLE as error:
            raise _unreadable(entry.file, error) from error


def _files(
    store: Store, entries_now: EntriesNow, first: int | None, stop: int | None
) -> Iterator[tuple[Entry, pq.ParquetFile, int | None, int]]:
    """The files of a range, open one after the other, each with the range of its rows that is wanted.

    A file that is gone was joined with others since: the manifest is read again. Files never share a time, so nothing
    comes twice and nothing is left out; rows behind all that were there at first are not wanted.
    """
    waiting = deque(entry for entry in entries_now() if touches(entry, first, stop))
    end = max((entry.end_ns + 1 for entry in waiting), default=0)
    end = end if stop is None else min(end, stop)
    while waiting:
        entry = waiting.popleft()
        try:
            file = _opened(store, entry)
        except DataError:
            now = [each for each in entries_now() if touches(each, first, end)]
            if entry in now:
                raise
            waiting = deque(now)
            continue
        with file:
            yield entry, file, first, end
        first = entry.end_ns + 1


def _groups_of(file: pq.ParquetFile, entry: Entry, wanted: pa.Schema, first: int | None, stop: int | None) -> pa.Table:
    try:
        return file.read_row_groups(_groups(file, entry, first, stop), columns=wanted.names).cast(wanted)
    except UNREADABLE as error:
        raise _unreadable(entry.file, error) from error


def _opened(store: Store, entry: Entry) -> pq.ParquetFile:
    name = entry.file
    try:
        file = store.parquet(name)
    except FileNotFoundError as error:
        fix = "Restore the file, or import the data again."
        raise DataError("DATA023", name, "the file that the manifest names is not there", fix) from error
    except UNREADABLE as error:
        raise _unreadable(name, error) from error
    rows = sum(file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups))
    if rows != entry.rows:
        file.close()
        what = f"{rows:,} rows where the manifest says {entry.rows:,}"
        raise DataError("DATA023", name, what, "Restore the file, or import the data again.")
    return file


def _unreadable(name: str, error: Exception) -> DataError:
    what = f"unreadable ({str(error).splitlines()[0]})"
    return DataError("DATA011", name.rpartition("/")[2], what, "The file is damaged; import the data again.")


def _groups(file: pq.ParquetFile, entry: Entry, first: int | None, stop: int | None) -> list[int]:
    """The row groups that may have rows with `first <= ts < stop`, as the manifest says where each begins.

    Not as the file's statistics say: where those are damaged, Arrow ends the process when it is asked for them.
    """
    starts, count = entry.groups_ns, file.metadata.num_row_groups
    if len(starts) != count:
        return list(range(count))
    spans = enumerate(zip(starts, (*starts[1:], entry.end_ns), strict=True))
    return [
        group for group, (start, end) in spans if (first is None or end >= first) and (stop is None or start < stop)
    ]


def _between(rows: Rows, first: int | None, stop: int | None) -> Rows:
    """The rows inside the range, without a copy: times ascend."""
    times = rows.column("ts_init_ns")
    chunks = [int64s_of(chunk) for chunk in (times.chunks if isinstance(times, pa.ChunkedArray) else [times])]
    begin = 0 if first is None else sum(int(np.searchsorted(chunk, first)) for chunk in chunks)
    end = len(times) if stop is None else sum(int(np.searchsorted(chunk, stop)) for chunk in chunks)
    return rows.slice(begin, max(end - begin, 0))
