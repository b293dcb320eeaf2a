"""One frame of a file on its way to our types: batch after batch, checked, in order, with every change counted."""

from collections.abc import Callable, Iterator

import pyarrow as pa

from libra_ray.data.formats.frames import Frame, declared_options
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.import_report import ImportReport
from libra_ray.data.raw_tables import RawBatch
from libra_ray.data.row_checks import RowChecks
from libra_ray.data.sorted_rows import SortedRows
from libra_ray.data.text_cells import Column
from libra_ray.data.text_tables import CellBatch, TextTable
from libra_ray.data.wrangler import ROW, Wrangler
from libra_ray.errors import DataError
from libra_ray.messages.schemas import SCHEMAS
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import STANDARD_PRECISION_MAX

__all__ = ["ImportStream"]


class ImportStream:
    """Checked rows of one type and instrument, to be gone through once.

    Each table has the columns of `schema.arrow(instrument, period=period)` and is a few hundred thousand rows at most;
    memory is bounded by that. After the last one the stream raises the first fault of the whole file, if there is any,
    with the others in `more`; whoever writes the tables somewhere takes them back then. Else `report` is there.

    Args:
        source: the file's name.
        format_name: how it is written.

    Raises `DataError` DATA008 for no rows, DATA007 for more than a batch may have unless `streaming`.

    """

    def __init__(
        self,
        frame: Frame,
        instrument: Instrument,
        period: str,
        options: ImportOptions,
        *,
        source: str,
        format_name: str,
    ) -> None:
        self.schema, self.instrument, self.period = SCHEMAS[frame.kind], instrument, period
        self.options = declared_options(frame, options)
        self.source, self.format_name, self.frame = source, format_name, frame
        self.arrow = self.schema.arrow(instrument, period=period)
        self._table = frame.table
        span = frame.period or period
        self._wrangler = Wrangler(self.schema, instrument, period, self.options, frame.table, frame.columns, span=span)
        self._checks = RowChecks(self.schema, period, self.options, self._wrangler.faults)
        self._report: ImportReport | None = None
        self._moved = 0
        _check_size(source, frame.table.rows, instrument, self.options)

    @property
    def report(self) -> ImportReport:
        """What was read and changed. Raises `ValueError` before the last row was taken."""
        if self._report is None:
            raise ValueError("the import is not finished")
        return self._report

    def __iter__(self) -> Iterator[pa.Table]:
        for table in self.checked():
            if not self._wrangler.faults:
                yield table.drop_columns([ROW])
        error = self._wrangler.faults.first_error(self._table)
        if error is not None:
            raise error
        if not self._checks.found.rows:
            raise DataError("DATA008", self.source, "0 data rows", "Check the file or the date range.")
        self._report = self.summary()

    def checked(self) -> Iterator[pa.Table]:
        """All rows that have no fault of their own, with `ROW` behind, whatever else is wrong."""
        batches = self._made()
        if self.options.sort:
            schema = self.arrow.append(pa.field(ROW, pa.int64(), nullable=False))
            ordered = SortedRows(batches, schema, spool=self.options.streaming)
            for batch in ordered:
                yield from self._passed(self._checks.take(batch))
            self._moved = ordered.moved
        else:
            for batch in batches:
                yield from self._passed(self._checks.take(batch))
        yield from self._passed(self._checks.finish())
        self._wrangler.finish()

    def _passed(self, tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
        for table in tables:
            if table.num_rows:
                _check_size(self.source, self._checks.found.rows, self.instrument, self.options)
                yield table

    @property
    def zone(self) -> str:
        """Where the zone of the times comes from, in words; after `checked` is through."""
        return self._wrangler.zone

    @property
    def disorder(self) -> int:
        """Rows whose time is earlier than that of the row before them; after `checked` is through."""
        return self._moved or self._checks.found.behind_rows

    def first_error(self) -> DataError | None:
        """The fault that the import would be refused for, after `checked` is through."""
        return self._wrangler.faults.first_error(self._table)

    def summary(self) -> ImportReport:
        """The counts as they stand."""
        counts, found = self._wrangler.counts, self._checks.found
        return ImportReport(
            source=self.source,
            columns=dict(self.frame.columns),
            ts_unit=self._wrangler.time_unit,
            rows_read=self._table.rows,
            rows=found.rows,
            dropped_null=counts.dropped_null,
            dropped_bad_bars=counts.dropped_bad_bars,
            dropped_duplicates=found.dropped_duplicates,
            sorted_rows=self._moved,
            rounded_values=counts.rounded_values,
            off_tick_rows=counts.off_tick_rows,
            start_ns=self._checks.start_ns,
            end_ns=self._checks.end_ns,
            format=self.format_name,
            filled_bars=found.filled_bars,
            gaps=found.gaps,
            missing_bars=found.missing_bars,
            longest_gap=found.longest_gap,
            early_bars=found.early_bars,
            same_time_rows=found.same_time_rows,
            crossed_rows=found.crossed_rows,
            locked_rows=found.locked_rows,
            counts=dict(self.frame.counts),
            notes=self.frame.notes,
        )

    def _made(self) -> Iterator[pa.Table]:
        """The rows as our types, each batch as the file has them."""
        names = list(self.frame.columns)
        header = list(self._table.header)
        indices = [header.index(self.frame.columns[name]) for name in names]
        self._refuse_nested(names, indices)
        read: Callable[[list[int]], Iterator[RawBatch | CellBatch]]
        read = self._table.cells if isinstance(self._table, TextTable) else self._table.batches
        for raw in read(indices):
            columns: dict[str, Column] = dict(zip(names, raw.columns, strict=True))
            made = self._wrangler.batch(raw.first_row, columns, raw.rows)
            if made.num_rows:
                yield made

    def _refuse_nested(self, names: list[str], indices: list[int]) -> None:
        """A column of lists is no column of values, and may be large: it is not read at all."""
        type_of = getattr(self._table, "column_type", None)
        if type_of is None:
            return
        for name, index in zip(names, indices, strict=True):
            kind = type_of(index)
            if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
                word = "a time" if name in ("ts", "ts_init") else "a number"
                what = f"column '{self.frame.columns[name]}' of type {kind} is not {word}"
                raise DataError("DATA009", self._table.place(0), what, "Map another column.", str(kind))


def _check_size(name: str, rows: int, instrument: Instrument, options: ImportOptions) -> None:
    if rows <= 0:
        raise DataError("DATA008", name, "0 data rows", "Check the file or the date range.")
    width = 8 if instrument.price_precision <= STANDARD_PRECISION_MAX else 16
    if rows * width > options.max_batch_bytes and not options.streaming:
        product = f"{rows:,} rows x {width} bytes = {rows * width:,} bytes"
        what = f"{product} exceed the limit of {options.max_batch_bytes:,} for one batch"
        fix = f"Use {options.wording.option('streaming')} or raise data.max_batch_bytes."
        raise DataError("DATA007", name, what, fix)
