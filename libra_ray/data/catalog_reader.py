"""Rows of a catalog's files: those row groups and columns that are asked for, whole or batch by batch."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from libra_ray.data.catalog_manifest import Entry
from libra_ray.data.catalog_store import Store
from libra_ray.errors import ConfigError, DataError, did_you_mean, quoted

__all__ = ["batches_of", "read_entry", "schema_of", "touches"]


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


def read_entry(store: Store, name: str, wanted: pa.Schema, first: int | None, stop: int | None) -> pa.Table:
    """Row groups that touch the range, in the types of `wanted`; rows outside of it may be among them.

    Raises `DataError` DATA023 where the file is not there, DATA011 where it is unreadable.
    """
    with _opened(store, name) as file:
        try:
            return file.read_row_groups(_groups(file, first, stop), columns=wanted.names).cast(wanted)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _unreadable(name, error) from error


def batches_of(
    store: Store,
    entries: Sequence[Entry],
    wanted: pa.Schema,
    first: int | None,
    stop: int | None,
    batch_rows: int,
) -> Iterator[pa.RecordBatch]:
    """Rows with `first <= ts < stop` in batches of at most `batch_rows`; memory is bounded by a row group's columns.

    Raises as `read_entry` does.
    """
    for entry in entries:
        if not touches(entry, first, stop):
            continue
        with _opened(store, entry.file) as file:
            try:
                groups = _groups(file, first, stop)
                for batch in file.iter_batches(batch_rows, row_groups=groups, columns=wanted.names):
                    cut = _between(batch, first, stop)
                    if cut.num_rows:
                        yield cut.cast(wanted)
            except (pa.ArrowException, OSError, ValueError) as error:
                raise _unreadable(entry.file, error) from error


def _opened(store: Store, name: str) -> pq.ParquetFile:
    try:
        return store.parquet(name)
    except FileNotFoundError as error:
        fix = "Restore the file, or import the data again."
        raise DataError("DATA023", name, "the file that the manifest names is not there", fix) from error
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(name, error) from error


def _unreadable(name: str, error: Exception) -> DataError:
    what = f"unreadable ({str(error).splitlines()[0]})"
    return DataError("DATA011", name.rpartition("/")[2], what, "The file is damaged; import the data again.")


def _groups(file: pq.ParquetFile, first: int | None, stop: int | None) -> list[int]:
    return [
        index
        for index in range(file.metadata.num_row_groups)
        if _group_touches(file.metadata.row_group(index).column(0).statistics, first, stop)
    ]


def _group_touches(statistics: "pq.Statistics | None", first: int | None, stop: int | None) -> bool:
    if statistics is None or not statistics.has_min_max:
        return True
    return (first is None or statistics.max >= first) and (stop is None or statistics.min < stop)


def _between(batch: pa.RecordBatch, first: int | None, stop: int | None) -> pa.RecordBatch:
    """The rows of a batch inside the range, without a copy: times ascend."""
    times = batch.column("ts_init_ns")
    begin = 0 if first is None else int(pc.sum(pc.less(times, first)).as_py() or 0)
    end = len(times) if stop is None else int(pc.sum(pc.less(times, stop)).as_py() or 0)
    return batch.slice(begin, max(end - begin, 0))
