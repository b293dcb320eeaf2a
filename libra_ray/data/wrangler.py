"""Raw columns to batches of a schema: each row checked, each change of the data counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import numpy as np
import pyarrow as pa

from libra_ray.data.arrow_arrays import Int64s, Mask, arrow_ints, int64s_of
from libra_ray.data.code_columns import CODES, codes_of
from libra_ray.data.column_names import COLUMNS
from libra_ray.data.column_values import filtered, is_below_zero, is_less, is_missing, is_number_like, is_zero, text_at
from libra_ray.data.declared_times import likely_form
from libra_ray.data.faults import Check, Faults
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.number_columns import decimals_of
from libra_ray.data.raw_tables import RawTable
from libra_ray.data.text_cells import Cells, Column
from libra_ray.data.time_texts import TimeReader, offset_text
from libra_ray.errors import quoted
from libra_ray.messages.rows import RATE_PRECISION
from libra_ray.messages.schemas import BARS, LAST_IN_MESSAGE, QUOTES, TRADES, Field, Kind, Schema, raw_column
from libra_ray.model.identifiers import period_ns
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import decimal_text

__all__ = ["ROW", "Counts", "Wrangler"]

ROW: Final = "row"
"""A column beside the schema's: the number of the row in its file, for messages of later checks."""
UPDATE, DELETE, CLEAR = 2, 3, 4
_NUMBERS: Final = (Kind.PRICE, Kind.SIZE, Kind.RATE, Kind.COUNT)


@dataclass
class Counts:
    """What the policies did."""

    dropped_null: int = 0
    dropped_bad_bars: int = 0
    rounded_values: int = 0
    off_tick_rows: int = 0


@dataclass
class _Batch:
    """Rows on their way: as read, and as far as they are converted. All columns are of one length."""

    rows: Int64s
    read: dict[str, Column]
    made: dict[str, pa.Array] = field(default_factory=dict)

    def drop(self, mask: Mask) -> None:
        """Leave out the rows where the mask is true."""
        if not mask.any():
            return
        kept = ~mask
        self.rows = self.rows[kept]
        self.read = {name: filtered(column, kept) for name, column in self.read.items()}
        self.made = {name: filtered(column, kept) for name, column in self.made.items()}


class Wrangler:
    """Converts the batches of one file, in order. Faults go to `faults`; the rows at fault are left out.

    Args:
        headers: our name -> the file's name of each column that is read.
        span: the period of what a row sums up, by which times that are its open are moved.

    """

    def __init__(
        self,
        schema: Schema,
        instrument: Instrument,
        period: str,
        options: ImportOptions,
        table: RawTable,
        headers: Mapping[str, str],
        *,
        span: str = "",
    ) -> None:
        self.faults, self.counts = Faults(), Counts()
        self._schema, self._instrument, self._options, self._table = schema, instrument, options, table
        self._headers = headers
        self._order = {column.name: number for number, column in enumerate(COLUMNS[schema.name])}
        shift_ns = period_ns(span) if span and options.stamp == "open" else 0
        self._times = {name: TimeReader(options, shift_ns=shift_ns) for name in ("ts", "ts_init") if name in headers}
        self._arrow = schema.arrow(instrument, period=period).append(pa.field(ROW, pa.int64(), nullable=False))
        self._forms: dict[str, str] = {}  # the form that a column's first time seems to have, where it cannot be read
        self._naive: tuple[int, str] | None = None
        self._naive_count = 0
        self._offset: tuple[int, str] | None = None
        self._allows_negative = options.allow_negative_prices or instrument.negative_prices

    @property
    def time_unit(self) -> str | None:
        """The unit of epoch times, declared or found."""
        return self._times["ts"].unit

    @property
    def zone(self) -> str:
        """Where the zone of the times comes from, in words."""
        if self._options.day is not None:
            return self._options.tz or "none declared"
        if self.time_unit is not None and self._naive is None:
            return "UTC (epoch)"
        offsets = "offsets in the file" if self._offset is not None else ""
        declared = self._options.tz or ("none declared" if self._naive is not None else "")
        return ", ".join(part for part in (offsets, declared) if part) or "UTC"

    def batch(self, first_row: int, columns: Mapping[str, Column], rows: Int64s | None = None) -> pa.Table:
        """The rows as the schema says, with the column `ROW` behind; `rows` are their numbers if not consecutive."""
        count = len(next(iter(columns.values())))
        numbers = np.arange(first_row, first_row + count, dtype=np.int64) if rows is None else rows
        batch = _Batch(numbers, dict(columns))
        self._drop_missing(batch)
        for name, reader in self._times.items():
            self._read_times(batch, name, reader)
        for column in self._schema.fields:
            if column.kind in _NUMBERS and (column.name in batch.read or not self._is_optional(column.name)):
                self._read_decimals(batch, column)
        for column in self._schema.fields:
            if column.kind is Kind.CODE:
                self._read_codes(batch, column.name)
        self._fill_optional(batch)
        if self._schema is QUOTES and not self._allows_negative:
            self._drop_one_sided(batch)
        self._check_signs(batch)
        if self._schema is BARS:
            self._check_bars(batch)
        self._check_ticks(batch)
        return self._finished(batch)

    def finish(self) -> None:
        """Faults that are known only when all rows were seen."""
        if self._naive is None or self._options.tz is not None:
            return
        row, text = self._naive
        what = f"time {quoted(text)} has no UTC offset"
        if self._offset is not None:
            what = f"{what} while {self._table.row_word(self._offset[0])} has {self._offset[1]}"
        fix = f"Use {self._options.wording.option('tz', 'NAME')}."
        # The example of the rule names one row; a file without any offset has as many as it has rows.
        self.faults.add(Check.TIME_ZONE, "DATA006", row, what, fix, value=text)

    def _drop_missing(self, batch: _Batch) -> None:
        dropped = np.zeros(len(batch.rows), bool)
        for name in self._needed(batch):
            missing = is_missing(batch.read[name])
            if not missing.any():
                continue
            if self._options.on_null == "drop":
                dropped |= missing
                continue
            fix = f"Drop or fill the row, or use {self._options.wording.option('on-null', 'drop')}"
            what = f"column '{self._headers[name]}' has no value"
            self._fault(
                batch, Check.MISSING, "DATA001", name, missing & ~dropped, what, f"{fix} (dropped rows are counted)."
            )
            dropped |= missing
        if self._options.on_null == "drop":
            self.counts.dropped_null += int(dropped.sum())
        batch.drop(dropped)

    def _needed(self, batch: _Batch) -> list[str]:
        """Columns that must have a value: an unknown aggressor may be left empty."""
        return [name for name in batch.read if name not in ("aggressor", "is_buyer_maker")]

    def _is_optional(self, name: str) -> bool:
        return any(column.optional for column in COLUMNS[self._schema.name] if column.name == name)

    def _read_times(self, batch: _Batch, name: str, reader: TimeReader) -> None:
        if not _may_be_time(batch.read[name]):
            self._refuse_type(batch, Check.TIME_FORM, name, "a time")
            return
        times, wording, header = reader.read(batch.read[name]), self._options.wording, self._headers[name]
        batch.made[name] = arrow_ints(times.ts_ns)
        self._note_zones(batch, name, times.naive, times.offsets)
        if name not in self._forms and len(times.malformed):  # not of one odd time among others
            self._forms[name] = likely_form(text_at(batch.read[name], 0).strip()) if times.malformed[0] else ""
        form = self._forms.get(name) or "FORMAT"
        forms = f"{wording.option('ts-format', form)} or {wording.option('ts-unit', 'UNIT')}"
        fix = f"Correct the value or declare its form with {forms}."
        self._fault(
            batch, Check.TIME_FORM, "DATA009", name, times.malformed, f"column '{header}': {{value}} is not a time", fix
        )
        zone = f"time {{value}} occurs twice or never in {self._options.tz}"
        self._fault(batch, Check.TIME_ZONE, "DATA006", name, times.unclear, zone, "Write times with a UTC offset.")
        unit = f"column '{header}': {{value}} is not in {reader.unit} like the times before it"
        self._fault(
            batch, Check.TIME_UNIT, "DATA014", name, times.other_unit, unit, "Give one unit to the whole column."
        )
        batch.drop(times.malformed | times.unclear | times.other_unit)

    def _note_zones(self, batch: _Batch, name: str, naive: Mask, offsets: Mask) -> None:
        """The first time with an offset and the first without, over the whole file."""
        if naive.any() and self._naive is None:
            index = int(naive.argmax())
            self._naive = (int(batch.rows[index]), text_at(batch.read[name], index))
        if offsets.any() and self._offset is None:
            index = int(offsets.argmax())
            self._offset = (int(batch.rows[index]), offset_text(text_at(batch.read[name], index)))

    def _read_decimals(self, batch: _Batch, wanted: Field) -> None:
        name, options, precision = wanted.name, self._options, self._precision(wanted)
        if name not in batch.read:
            batch.made[name] = pa.repeat(pa.scalar(Decimal(0), self._arrow.field(name).type), len(batch.rows))
            return
        column = batch.read[name]
        if not isinstance(column, Cells) and not is_number_like(column.type):
            self._refuse_type(batch, Check.NUMBER_FORM, name, "a number")
            return
        read = decimals_of(
            column,
            precision,
            decimal=options.decimal,
            thousands=options.thousands,
            shift=options.price_decimals if wanted.kind is Kind.PRICE else 0,
            wide=wanted.kind in (Kind.RATE, Kind.COUNT),
        )
        values = read.values
        batch.made[name] = arrow_ints(int64s_of(values)) if wanted.kind is Kind.COUNT else values
        if not (read.marked.any() or read.malformed.any() or read.too_large.any() or read.inexact.any()):
            return
        label = f"column '{self._headers[name]}': {{value}}"
        wording = options.wording
        marks = f"Declare them with {wording.option('decimal', ',')} or {wording.option('thousands', ',')}."
        if options.decimal == ",":
            marks = f"Declare them with {wording.option('thousands', '.')}."
        what = f"{label} has a decimal comma or thousands separators"
        self._fault(batch, Check.NUMBER_MARKS, "DATA016", name, read.marked, what, marks)
        what = f"{label} is not a finite decimal"
        self._fault(batch, Check.NUMBER_FORM, "DATA009", name, read.malformed, what, "Correct the value.")
        what = f"{label} is too large for {precision} decimals"
        self._fault(batch, Check.NUMBER_SIZE, "DATA009", name, read.too_large, what, "Correct the value.")
        lost = read.inexact & ~(read.marked | read.malformed)
        if options.round is None:
            fix = f"Use {wording.option('round', 'half-even')} (rounded values are counted)."
            if wanted.kind in (Kind.PRICE, Kind.SIZE):
                step = wording.instrument("tick" if wanted.kind is Kind.PRICE else "step")
                fix = f"Define the instrument with a finer {step}, or {fix[0].lower()}{fix[1:]}"
            what = f"{label} has more than {precision} decimals"
            self._fault(batch, Check.ROUNDING, "DATA018", name, lost, what, fix)
        else:
            self.counts.rounded_values += int(lost.sum())
            lost = np.zeros(len(lost), bool)
        batch.drop(read.marked | read.malformed | read.too_large | lost)

    def _precision(self, wanted: Field) -> int:
        """Decimals of a field."""
        if wanted.kind is Kind.PRICE:
            return self._instrument.price_precision
        if wanted.kind is Kind.SIZE:
            return self._instrument.size_precision
        return RATE_PRECISION if wanted.kind is Kind.RATE else 0

    def _read_codes(self, batch: _Batch, ours: str) -> None:
        name = "is_buyer_maker" if ours == "aggressor" and ours not in batch.read else ours
        if name not in batch.read:
            return
        column = batch.read[name]
        words = CODES[name]
        if not isinstance(column, Cells) and pa.types.is_nested(column.type):
            self._refuse_type(batch, Check.NUMBER_FORM, name, words.noun)
            return
        codes, bad = codes_of(column, name)
        label = f"column '{self._headers[name]}': {{value}} is not {words.noun}"
        self._fault(batch, Check.NUMBER_FORM, "DATA009", name, bad, label, words.fix)
        batch.made[ours] = arrow_ints(codes, pa.int8())
        batch.drop(bad)

    def _fill_optional(self, batch: _Batch) -> None:
        """What a file may lack: unknown aggressors, no order ids, levels that change or go, messages of one row."""
        for column in self._schema.fields[2:]:
            name, count = column.name, len(batch.rows)
            if name in batch.made:
                continue
            if name == "action":
                gone = is_below_zero(batch.made["qty"], or_zero=True)
                codes = np.where(gone, DELETE, UPDATE).astype(np.int8)
            else:
                codes = np.full(count, LAST_IN_MESSAGE if name == "flags" else 0, np.int8)
            values = codes if column.kind is Kind.CODE else codes.astype(np.int64)
            batch.made[name] = arrow_ints(values, self._arrow.field(name).type)

    def _drop_one_sided(self, batch: _Batch) -> None:
        """A price and size of 0 say that nobody stands on that side: as good as no value."""
        for side in ("bid", "ask"):
            name = f"{side}_px"
            empty = is_zero(batch.made[name]) & is_zero(batch.made[f"{side}_qty"])
            if self._options.on_null == "drop":
                self.counts.dropped_null += int(empty.sum())
            else:
                drop = self._options.wording.option("on-null", "drop")
                fix = f"Drop the row, or use {drop} (dropped rows are counted)."
                what = f"column '{self._headers[name]}' is 0 and its size too: the quote has no {side}"
                self._fault(batch, Check.ONE_SIDED, "DATA001", name, empty, what, fix)
            batch.drop(empty)

    def _check_signs(self, batch: _Batch) -> None:
        """Prices and traded sizes are positive; sizes of quotes, bars and books may be 0."""
        fix = f"Use {self._options.wording.option('allow-negative-prices')} if the instrument can have it."
        for column in self._schema.fields:
            name = column.name
            if column.kind is Kind.PRICE and not self._allows_negative:
                bad = is_below_zero(batch.made[name], or_zero=True) & ~self._clears(batch)
                what = f"{name} {{bare}} is not positive for {self._instrument.id}"
                self._fault(batch, Check.SIGN, "DATA005", name, bad, what, fix)
            elif column.kind in (Kind.SIZE, Kind.COUNT) and name in batch.read:
                is_traded = self._schema is TRADES or name.endswith("_shares")
                bad = is_below_zero(batch.made[name], or_zero=is_traded)
                what = f"{name} {{bare}} is not {'positive' if is_traded else 'zero or more'} for {self._instrument.id}"
                self._fault(batch, Check.SIGN, "DATA005", name, bad, what, "Correct or remove the row.")
            else:
                continue
            batch.drop(bad)

    def _clears(self, batch: _Batch) -> Mask:
        """Rows that empty a book: they have neither price nor size."""
        if "action" not in batch.made:
            return np.zeros(len(batch.rows), bool)
        actions = np.frombuffer(batch.made["action"].buffers()[1] or b"", np.int8)
        start = batch.made["action"].offset
        clears: Mask = actions[start : start + len(batch.rows)] == CLEAR
        return clears

    def _check_bars(self, batch: _Batch) -> None:
        made = batch.made
        above = is_less(made["high"], made["low"])
        outside = {
            name: is_less(made[name], made["low"]) | is_less(made["high"], made[name]) for name in ("open", "close")
        }
        bad = above | outside["open"] | outside["close"]
        if not bad.any():
            return
        if self._options.on_bad_bar == "drop":
            self.counts.dropped_bad_bars += int(bad.sum())
        else:
            index = int(bad.argmax())
            high, low = (text_at(batch.read[name], index) for name in ("high", "low"))
            if above[index]:
                what, value = f"high {high} is below low {low}", high
            else:
                name = "open" if outside["open"][index] else "close"
                value = text_at(batch.read[name], index)
                what = f"{name} {value} is outside low {low} - high {high}"
            fix = f"Correct or drop the row with {self._options.wording.option('on-bad-bar', 'drop')}."
            row, count = int(batch.rows[index]), int(bad.sum())
            self.faults.add(Check.BAR, "DATA010", row, what, fix, value=value, count=count)
        batch.drop(bad)

    def _check_ticks(self, batch: _Batch) -> None:
        tick_raw = self._instrument.tick_raw
        if tick_raw == 1:
            return
        kept = np.zeros(len(batch.rows), bool)
        tick = decimal_text(tick_raw, self._instrument.price_precision)
        fix = f"Use {self._options.wording.option('off-tick', 'keep')} (kept rows are counted)."
        for column in self._schema.fields:
            if column.kind is not Kind.PRICE:
                continue
            raw = raw_column(pa.table({"price": batch.made[column.name]}), "price")
            off = (
                np.fromiter((value % tick_raw != 0 for value in raw), bool)
                if isinstance(raw, list)
                else raw % tick_raw != 0
            )
            kept |= off
            if self._options.off_tick == "error":
                what = f"column '{self._headers[column.name]}': {{value}} is not a multiple of the tick {tick}"
                self._fault(batch, Check.TICK, "DATA018", column.name, off, what, fix)
        if self._options.off_tick == "keep":
            self.counts.off_tick_rows += int(kept.sum())
        else:
            batch.drop(kept)

    def _finished(self, batch: _Batch) -> pa.Table:
        made = batch.made
        made["ts_event_ns"] = made.pop("ts")
        made["ts_init_ns"] = made.pop("ts_init", made["ts_event_ns"])
        made[ROW] = arrow_ints(batch.rows)
        return pa.Table.from_arrays([made[name] for name in self._arrow.names], schema=self._arrow)

    def _refuse_type(self, batch: _Batch, check: Check, name: str, word: str) -> None:
        """A Parquet column of a type that cannot hold what is needed: no row of it can be used."""
        kind = getattr(batch.read[name], "type", None)
        if len(batch.rows):
            what = f"column '{self._headers[name]}' of type {kind} is not {word}"
            row = int(batch.rows[0])
            self.faults.add(
                check, "DATA009", row, what, "Map another column.", value=str(kind), column=self._order[name]
            )
        batch.drop(np.ones(len(batch.rows), bool))
        made = "aggressor" if name == "is_buyer_maker" else name
        times = ("ts", "ts_init")
        batch.made[made] = pa.nulls(0, pa.int64() if made in times else self._arrow.field(made).type)

    def _fault(self, batch: _Batch, check: Check, code: str, name: str, mask: Mask, what: str, fix: str) -> None:
        if not mask.any():
            return
        index = int(mask.argmax())
        value = text_at(batch.read[name], index)
        text = what.replace("{value}", quoted(value)).replace("{bare}", quoted(value)[1:-1])
        row, column = int(batch.rows[index]), self._order[name]
        self.faults.add(check, code, row, text, fix, value=value, column=column, count=int(mask.sum()))


def _may_be_time(column: Column) -> bool:
    if isinstance(column, Cells):
        return True
    types, kind = pa.types, column.type
    return not (types.is_nested(kind) or types.is_boolean(kind) or types.is_binary(kind) or types.is_duration(kind))
