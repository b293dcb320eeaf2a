"""Foreign files to batches: CSV and Parquet of bars, quotes and trades, checked, with every change counted.

The checks and their order: the id and the options; the file itself; its packing and encoding; its columns; its size;
then the rows (`faults.Check`). The first error does not depend on how the file is cut into batches; nothing is written.
"""

import mmap
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa

from libra_ray.data.arrow_arrays import Int64s, arrow_bools, arrow_ints
from libra_ray.data.column_names import matched_columns
from libra_ray.data.dataset import Dataset, Stream
from libra_ray.data.faults import Check, Faults
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.raw_files import RawFile
from libra_ray.data.raw_tables import ParquetTable, RawTable, TextTable
from libra_ray.data.times import time_text
from libra_ray.data.wrangler import ROW, Wrangler
from libra_ray.errors import ConfigError, DataError, did_you_mean, quoted
from libra_ray.messages.schemas import BARS, QUOTES, TRADES, Schema
from libra_ray.model.identifiers import check_instrument_id, period_ns
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import STANDARD_PRECISION_MAX

__all__ = ["Import", "ImportReport", "import_file"]

KINDS: Final = {schema.name: schema for schema in (BARS, QUOTES, TRADES)}


@dataclass(frozen=True)
class ImportReport:
    """What an import read, and each change that a policy made to the data.

    Attributes:
        source: the file's name.
        columns: our name -> the file's column.
        ts_unit: of epoch times, declared or found; None for texts and timestamps.
        rows_read, rows: data rows of the file, and rows of the result.
        sorted_rows: rows that stood behind a later time and were moved by `sort`.
        start_ns, end_ns: first and last `ts_init_ns`.

    """

    source: str
    columns: dict[str, str]
    ts_unit: str | None
    rows_read: int
    rows: int
    dropped_null: int
    dropped_bad_bars: int
    dropped_duplicates: int
    sorted_rows: int
    rounded_values: int
    off_tick_rows: int
    start_ns: int
    end_ns: int


@dataclass(frozen=True, eq=False)
class Import:
    """Checked rows in the order of their replay, in one chunk or many, and how they came about."""

    schema: Schema
    instrument: Instrument
    period: str
    table: pa.Table
    report: ImportReport

    @cached_property
    def stream(self) -> Stream:
        """The rows as a stream: many chunks become one, by a copy."""
        return Stream(self.schema, self.instrument, self.period, self.table, order_known=True)

    @property
    def dataset(self) -> Dataset:
        """The rows as a dataset of one stream."""
        return Dataset([self.stream])


def import_file(
    path: str | os.PathLike[str],
    instrument: Instrument,
    kind: str,
    *,
    period: str = "",
    options: ImportOptions | None = None,
    **given: Any,  # noqa: ANN401  # the fields of ImportOptions, checked there
) -> Import:
    """Read a CSV (also `.gz`, `.zip` of one file) or Parquet file of `kind` `bars`, `quotes` or `trades`.

    `given` are fields of `ImportOptions`, instead of `options`: `import_file("b.csv", eurusd, "quotes", tz="UTC")`.
    Raises `ConfigError` for a wrong option, `DataError` for the first fault of the file, with the others in `more`.
    """
    schema = _checked_kind(kind, period)
    chosen = options if options is not None else ImportOptions.of(given)
    check_instrument_id(instrument.id)
    file = RawFile.check(path, max_decompressed_bytes=chosen.max_decompressed_bytes)
    table: RawTable = (
        ParquetTable(file)
        if file.is_parquet
        else TextTable(file, column_names=chosen.column_names, delimiter=chosen.delimiter)
    )
    indices = matched_columns(schema, table.header, chosen.columns, place=table.header_place, wording=chosen.wording)
    _check_size(file.name, table.rows, instrument, chosen)
    headers = {name: table.header[index] for name, index in indices.items()}
    wrangler = Wrangler(schema, instrument, period, chosen, table, headers)
    batches = (
        wrangler.batch(raw.first_row, dict(zip(indices, raw.columns, strict=True)))
        for raw in table.batches(list(indices.values()))
    )
    rows = _collected(batches, schema.arrow(instrument, period=period), spool=chosen.streaming)
    wrangler.finish()
    ordered, sorted_rows, dropped = _ordered(rows, schema, chosen, wrangler.faults)
    error = wrangler.faults.first_error(table)
    if error is not None:
        raise error
    if not ordered.num_rows:
        raise DataError("DATA008", file.name, "0 data rows", "Check the file or the date range.")
    counts = wrangler.counts
    ts_ns = _joined(ordered, "ts_init_ns")
    return Import(
        schema,
        instrument,
        period,
        ordered.drop_columns([ROW]),
        ImportReport(
            source=file.name,
            columns=headers,
            ts_unit=wrangler.time_unit,
            rows_read=table.rows,
            rows=ordered.num_rows,
            dropped_null=counts.dropped_null,
            dropped_bad_bars=counts.dropped_bad_bars,
            dropped_duplicates=dropped,
            sorted_rows=sorted_rows,
            rounded_values=counts.rounded_rows,
            off_tick_rows=counts.off_tick_rows,
            start_ns=int(ts_ns[0]),
            end_ns=int(ts_ns[-1]),
        ),
    )


def _checked_kind(kind: str, period: str) -> Schema:
    if kind not in KINDS:
        raise ConfigError("CONF002", "kind", f"{quoted(kind)} is not importable", did_you_mean(kind, list(KINDS)), kind)
    if kind == BARS.name:
        period_ns(period)
    elif period:
        raise ConfigError("CONF002", "period", f"{kind} have no period", "Leave it out.", period)
    return KINDS[kind]


def _check_size(name: str, rows: int, instrument: Instrument, options: ImportOptions) -> None:
    if rows <= 0:
        raise DataError("DATA008", name, "0 data rows", "Check the file or the date range.")
    width = 8 if instrument.price_precision <= STANDARD_PRECISION_MAX else 16
    if rows * width > options.max_batch_bytes and not options.streaming:
        product = f"{rows:,} rows x {width} bytes = {rows * width:,} bytes"
        what = f"{product} exceed the limit of {options.max_batch_bytes:,} for one batch"
        fix = f"Use {options.wording.option('streaming')} or raise data.max_batch_bytes."
        raise DataError("DATA007", name, what, fix)


def _collected(batches: Iterator[pa.Table], schema: pa.Schema, *, spool: bool) -> pa.Table:
    """The batches behind each other: in memory, or in a nameless temporary file that is mapped."""
    schema = schema.append(pa.field(ROW, pa.int64(), nullable=False))
    if not spool:
        tables = list(batches)
        return pa.concat_tables(tables) if tables else pa.Table.from_batches([], schema)
    with tempfile.TemporaryFile() as file:
        with pa.ipc.new_stream(file, schema) as writer:
            for batch in batches:
                writer.write_table(batch)
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return pa.ipc.open_stream(pa.py_buffer(mapped)).read_all()


def _ordered(table: pa.Table, schema: Schema, options: ImportOptions, faults: Faults) -> tuple[pa.Table, int, int]:
    """The rows in the order of time, each bar once by the policy; how many were moved and dropped."""
    ts_ns = _joined(table, "ts_init_ns")
    behind = np.flatnonzero(ts_ns[1:] < ts_ns[:-1]) + 1
    if len(behind) and not options.sort:
        at = int(behind[0])
        now, before = time_text(int(ts_ns[at])), time_text(int(ts_ns[at - 1]))
        what = f"time {now} is earlier than {before} before it"
        fix = f"Sort the file or use {options.wording.option('sort')}."
        row = int(_joined(table, ROW)[at])
        faults.add(Check.ORDER, "DATA002", row, what, fix, value=now, count=len(behind), always_counted=True)
    if len(behind):
        order = np.argsort(ts_ns, kind="stable")
        table, ts_ns = table.take(arrow_ints(order)), ts_ns[order]
    dropped = 0
    if schema is BARS:
        table, dropped = _once(table, ts_ns, options, faults)
    return table, len(behind), dropped


def _once(table: pa.Table, ts_ns: Int64s, options: ImportOptions, faults: Faults) -> tuple[pa.Table, int]:
    """One bar of each time: the first or the last in the file."""
    same = ts_ns[1:] == ts_ns[:-1]
    count = int(same.sum())
    if not count:
        return table, 0
    keep = np.ones(len(ts_ns), bool)
    if options.dedup == "last":
        keep[:-1] = ~same
    else:
        keep[1:] = ~same
    if options.dedup == "error":
        at = np.flatnonzero(same) + 1
        rows = _joined(table, ROW)[at]
        first = int(at[int(rows.argmin())])
        what = f"second bar for {time_text(int(ts_ns[first]))}"
        options_text = f"{options.wording.option('dedup', 'first')}, {options.wording.option('dedup', 'last')}"
        fix = f"Use {options_text} or remove it."
        faults.add(Check.REPEATED, "DATA003", int(rows.min()), what, fix, count=count, always_counted=True)
    return table.filter(arrow_bools(keep)), count


def _joined(table: pa.Table, name: str) -> Int64s:
    """A column of 64-bit integers over all chunks."""
    chunks = [
        np.frombuffer(c.buffers()[1], np.int64, len(c), c.offset * 8) for c in table.column(name).chunks if len(c)
    ]
    if len(chunks) == 1:
        return chunks[0]
    return np.concatenate(chunks) if chunks else np.empty(0, np.int64)
