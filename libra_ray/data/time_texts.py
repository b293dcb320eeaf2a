"""Times of a file to nanoseconds UTC: epoch numbers by their unit, ISO 8601, or a declared form in a declared zone.

What a column holds is decided by its first value and holds for all: a second form is a fault, never a guess.
"""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from libra_ray.data.arrow_arrays import Int64s, Mask, arrow_bools, arrow_ints, int64s_of, mask_of
from libra_ray.data.declared_times import declared_times
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.text_cells import Cells, Column
from libra_ray.data.times import NS_PER_SECOND
from libra_ray.errors import ConfigError, DataError, quoted

__all__ = ["TimeColumn", "TimeReader", "offset_text"]

UNIT_NS: Final = {"s": NS_PER_SECOND, "ms": 10**6, "us": 10**3, "ns": 1}
EPOCH_LIMITS: Final = (("s", 10**8), ("ms", 10**11), ("us", 10**14), ("ns", 10**17))
"""From which value on a number of this unit lies: seconds from 1973 on, each unit 1,000x the one before."""
DAY_NS: Final = 86_400 * NS_PER_SECOND
NUMERIC: Final = r"^-?\d{1,18}$|^\d{1,18}\.\d{0,9}$|^[1-8]\d{18}$"
COMPACT_DAY: Final = r"^(19|20|21)\d{6}$"
COMPACT_MINUTE: Final = r"^(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d([0-5]\d)?$"
"""A date and a time in 12 or 14 digits: read as milliseconds it would be another century."""
OFFSET: Final = r"(Z|[+-]\d{2}:?\d{2}|:\d{2}(\.\d+)?[+-]\d{2})$"
DATED: Final = (
    r"^(1[6-9]|2[0-2])\d{2}-"
    r"((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|[12]\d))"
    r"([ T]([01]\d|2[0-3])(:?[0-5]\d(:?[0-5]\d(\.\d{1,9})?)?)?(Z|[+-]\d{2}(:?\d{2})?)?)?$"
)
"""Each text that Arrow reads as a time in nanoseconds, and few others, as 29 February 2023."""
RUNS: Final = 16
"""Into so many a run with a text that is no time is cut."""
TIME_MAX_NS: Final = 9_200_000_000 * NS_PER_SECOND
DAYS_MAX: Final = 8
FIXED_ZONE: Final = re.compile(r"(?:UTC|GMT)?([+-])(\d{2}):?(\d{2})?")


@dataclass(frozen=True)
class TimeColumn:
    """Nanoseconds UTC with masks of rows at fault; those rows hold no meaning.

    Attributes:
        malformed: no time of the column's form.
        naive: without a UTC offset, where no zone was declared.
        offsets: with a UTC offset of their own.
        other_unit: an epoch number 1,000x apart from the column's first.
        unclear: a local time that the zone's clock shows twice or never.

    """

    ts_ns: Int64s
    malformed: Mask
    naive: Mask
    offsets: Mask
    other_unit: Mask
    unclear: Mask


class TimeReader:
    """Reads one time column, batch after batch.

    Args:
        options: unit, form, zone and day as declared; `stamp` is applied here, since a day has 23 to 25 hours.
        shift_ns: what is added to each time, on the local clock if the times are local and it is whole days.

    """

    def __init__(self, options: ImportOptions, *, shift_ns: int = 0) -> None:
        self._options, self._shift_ns = options, shift_ns
        self._tz = options.tz
        self._fixed_ns: int | None = None
        self._day_ns: int | None = None
        self._is_epoch: bool | None = None
        self._unit_index: int | None = None
        self.unit = options.ts_unit
        if options.tz is not None:
            self._fixed_ns = _fixed_offset_ns(options.tz)
            self._check_zone()
        if options.day is not None:
            self._day_ns = self._midnight_ns(options.day)

    def read(self, column: Column) -> TimeColumn:
        """The times of one batch; no value is null."""
        if isinstance(column, Cells):
            return self._of_cells(column)
        kind = column.type
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            return self._of_timestamps(column)
        if pa.types.is_floating(kind):
            column = _whole(column)
            kind = column.type
        if pa.types.is_int64(kind) and self._options.ts_format is None:
            none = _none(len(column))
            return self._of_epochs(int64s_of(column), np.zeros(len(column), np.int64), none)
        texts = column if pa.types.is_string(kind) else column.cast(pa.string())
        if self._is_epoch is None and len(texts):
            self._is_epoch = self._has_numbers(str(texts[0].as_py()).strip())
        return self._of_epochs(*_numbers(texts)) if self._is_epoch else self._of_iso(*self._instants(texts))

    def _of_cells(self, cells: Cells) -> TimeColumn:
        """Plain epoch numbers and ISO texts by compiled code, odd ones and declared forms as texts."""
        if self._is_epoch is None and len(cells):
            self._is_epoch = self._has_numbers(cells.text(0).strip())
        if not self._is_epoch:
            if self._options.ts_format is not None:
                return self._of_iso(*self._instants(cells.texts()))
            ts_ns, zoned, odd = cells.iso_times()
            bad = _none(len(cells))
            if odd.any():
                ts_ns[odd], bad[odd], zoned[odd] = self._instants(cells.filter(odd).texts())
            return self._of_iso(ts_ns, bad, zoned)
        values, odd = cells.integers()
        billionths, bad = np.zeros(len(cells), np.int64), _none(len(cells))
        if odd.any():
            values[odd], billionths[odd], bad[odd] = _numbers(cells.filter(odd).texts())
        return self._of_epochs(values, billionths, bad)

    def _has_numbers(self, first: str) -> bool:
        if self._options.ts_format is not None:
            return False
        is_date = re.match(COMPACT_DAY, first) is not None or re.match(COMPACT_MINUTE, first) is not None
        return re.match(NUMERIC, first) is not None and not (is_date and self.unit is None and self._day_ns is None)

    def _of_epochs(self, values: Int64s, billionths: Int64s, bad: Mask) -> TimeColumn:
        """Numbers of units and billionths of them since 1970, or since the declared day's local midnight."""
        none = _none(len(values))
        if self._day_ns is not None:
            unit_ns = UNIT_NS[self.unit or "ms"]
            bad = bad | (values < 0) | (values > DAYS_MAX * DAY_NS // unit_ns)
            ts_ns = np.where(bad, 0, values) * unit_ns + billionths * unit_ns // 10**9 + self._day_ns
            return self._localized(ts_ns, bad, naive=~none)
        if self._unit_index is None and len(values):
            self._settle_unit(int(_units(values[:1])[0]))
        expected = -1 if self._unit_index is None else self._unit_index
        other = none
        if expected >= 0 and not _all_of(expected, values):
            units = _units(values)
            other = (units != expected) & (units >= 0) & ~bad
        unit_ns = UNIT_NS[self.unit or "s"]
        bad = bad | (np.abs(values) > TIME_MAX_NS // unit_ns) & ~other
        if self.unit is None:
            bad = ~none
        ts_ns = np.where(bad | other, 0, values) * unit_ns + billionths * unit_ns // 10**9
        return TimeColumn(ts_ns + self._shift_ns, bad, none, none, other, none)

    def _settle_unit(self, first: int) -> None:
        """The unit of the column by its first number; numbers too small to tell need a declaration."""
        if self.unit is None and first >= 0:
            self.unit = EPOCH_LIMITS[first][0]
        is_as_declared = first >= 0 and self.unit == EPOCH_LIMITS[first][0]
        self._unit_index = first if is_as_declared else -1

    def _instants(self, texts: pa.Array) -> tuple[Int64s, Mask, Mask]:
        """Nanoseconds as if all texts were UTC, where a text is no time, and where it has an offset."""
        trimmed = pc.utf8_trim_whitespace(texts)
        form = self._options.ts_format
        if form is not None:
            # The name of a zone, `%Z`, is no offset: `EST` is another one in other countries.
            return *declared_times(trimmed, form), np.full(len(texts), "%z" in form)
        compact = mask_of(pc.match_substring_regex(trimmed, COMPACT_DAY))
        if compact.any():
            dashed = pc.replace_substring_regex(trimmed, r"^(\d{4})(\d{2})(\d{2})$", r"\1-\2-\3")
            trimmed = pc.if_else(arrow_bools(compact), dashed, trimmed)
        trimmed = pc.replace_substring_regex(trimmed, r"\s*(UTC|z)$", "Z")
        zoned = mask_of(pc.match_substring_regex(trimmed, OFFSET)) & mask_of(pc.match_substring(trimmed, ":"))
        return *_parsed(trimmed, zoned), zoned

    def _of_iso(self, ts_ns: Int64s, bad: Mask, zoned: Mask) -> TimeColumn:
        return self._localized(ts_ns, bad, naive=~zoned)

    def _of_timestamps(self, column: pa.Array) -> TimeColumn:
        count = len(column)
        aware = pa.types.is_timestamp(column.type) and _zone(column.type) is not None
        try:
            stamps = column.cast(pa.timestamp("ns", "UTC" if aware else None))
        except pa.ArrowInvalid:  # outside 1677 to 2262
            safe = column.cast(pa.timestamp("s", "UTC" if aware else None), safe=False)
            seconds = int64s_of(safe.cast(pa.int64()))
            bad = np.abs(seconds) > (2**63 - 1) // NS_PER_SECOND - 8 * 86_400
            stamps = pc.if_else(arrow_bools(bad), pa.scalar(0, pa.int64()).cast(column.type), column)
            stamps = stamps.cast(pa.timestamp("ns", "UTC" if aware else None))
            return self._localized(int64s_of(stamps.cast(pa.int64())), bad, naive=np.full(count, not aware))
        return self._localized(int64s_of(stamps.cast(pa.int64())), _none(count), naive=np.full(count, not aware))

    def _localized(self, ts_ns: Int64s, bad: Mask, *, naive: Mask) -> TimeColumn:
        """Local times moved to UTC by the declared zone, and all of them moved by the shift."""
        none = _none(len(ts_ns))
        is_calendar = self._shift_ns % DAY_NS == 0
        if self._tz is None:
            return TimeColumn(ts_ns + self._shift_ns, bad, naive & ~bad, ~naive & ~bad, none, none)
        unclear = none
        if naive.any():
            local = ts_ns + self._shift_ns if is_calendar else ts_ns
            moved, unclear = self._to_utc(np.where(naive & ~bad, local, 0))
            if not is_calendar:
                moved = moved + self._shift_ns
            ts_ns = np.where(naive, moved, ts_ns + self._shift_ns)
        else:
            ts_ns = ts_ns + self._shift_ns
        return TimeColumn(ts_ns, bad, none, ~naive & ~bad, none, unclear & naive & ~bad)

    def _to_utc(self, local_ns: Int64s) -> tuple[Int64s, Mask]:
        if self._fixed_ns is not None:
            return local_ns - self._fixed_ns, _none(len(local_ns))
        stamps = arrow_ints(local_ns, pa.timestamp("ns"))
        early = pc.assume_timezone(stamps, self._tz, ambiguous="earliest", nonexistent="earliest")
        late = pc.assume_timezone(stamps, self._tz, ambiguous="latest", nonexistent="latest")
        first, second = int64s_of(early.cast(pa.int64())), int64s_of(late.cast(pa.int64()))
        return second, first != second

    def _check_zone(self) -> None:
        try:
            self._to_utc(np.zeros(1, np.int64))
        except pa.ArrowInvalid as error:
            what = f"{quoted(self._tz)} is not a time zone"
            fix = "Write for example UTC, America/New_York or -05:00."
            raise ConfigError("CONF002", "tz", what, fix, self._tz) from error

    def _midnight_ns(self, day: str) -> int:
        fix = "Write for example 2024-01-31."
        try:
            if re.fullmatch(r"\d{4}-\d{2}-\d{2}", day) is None:
                raise ConfigError("CONF002", "day", f"{quoted(day)} is not a day", fix, day)
            return int(pa.array([day]).cast(pa.timestamp("ns"))[0].value)
        except pa.ArrowInvalid as error:
            raise ConfigError("CONF002", "day", f"{quoted(day)} is not a day", fix, day) from error


def offset_text(text: str) -> str:
    """The UTC offset that ends a time text."""
    found = re.search(r"(Z|[+-]\d{2}:?(\d{2})?)$", text.strip())
    return found.group() if found else ""


def _fixed_offset_ns(tz: str) -> int | None:
    if tz in ("UTC", "Z", "GMT"):
        return 0
    match = FIXED_ZONE.fullmatch(tz)
    if match is None:
        return None
    sign, hours, minutes = match.groups()
    return (-1 if sign == "-" else 1) * (int(hours) * 3_600 + int(minutes or 0) * 60) * NS_PER_SECOND


def _parsed(texts: pa.Array, zoned: Mask) -> tuple[Int64s, Mask]:
    """ISO texts in nanoseconds as if all were UTC, and where a text is none. Some may have an offset, others none."""
    dated = mask_of(pc.match_substring_regex(texts, DATED))
    ts_ns, bad = np.zeros(len(texts), np.int64), ~dated
    for rows, kind in ((dated & zoned, pa.timestamp("ns", "UTC")), (dated & ~zoned, pa.timestamp("ns"))):
        if rows.any():
            ts_ns[rows], bad[rows] = _cast(texts.filter(arrow_bools(rows)), kind)
    return ts_ns, bad


def _cast(texts: pa.Array, kind: pa.DataType) -> tuple[Int64s, Mask]:
    """Nanoseconds, and where a text is no time: those around it are read in ever shorter runs."""
    count = len(texts)
    try:
        return int64s_of(texts.cast(kind).cast(pa.int64())), _none(count)
    except pa.ArrowInvalid:
        if count == 1:
            return np.zeros(1, np.int64), ~_none(1)
    step = -(-count // RUNS)
    runs = [_cast(texts[start : start + step], kind) for start in range(0, count, step)]
    return np.concatenate([ts_ns for ts_ns, _ in runs]), np.concatenate([bad for _, bad in runs])


def _whole(column: pa.Array) -> pa.Array:
    """Floats as integers where all of them are whole, as epoch times are."""
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        return column


def _numbers(texts: pa.Array) -> tuple[Int64s, Int64s, Mask]:
    """Whole numbers, billionths behind their point, and where a text is no number."""
    trimmed = pc.utf8_trim_whitespace(texts)
    is_number = mask_of(pc.match_substring_regex(trimmed, NUMERIC))
    safe = pc.if_else(arrow_bools(is_number), trimmed, "0")
    fraction = pc.utf8_rpad(pc.replace_substring_regex(safe, r"^[^.]*\.?", ""), 9, "0")
    whole = pc.replace_substring_regex(safe, r"\..*$", "")
    return int64s_of(whole.cast(pa.int64())), int64s_of(fraction.cast(pa.int64())), ~is_number


def _all_of(unit: int, values: Int64s) -> bool:
    """Whether all numbers are of the unit of that index; a look at two of them."""
    if not len(values):
        return True
    ends = np.array([values.min(), values.max()])
    return bool((ends > 0).all() and (_units(ends) == unit).all())


def _units(values: Int64s) -> Int64s:
    """For each number the index of its likely unit, -1 for numbers too small to tell."""
    limits = np.array([limit for _, limit in EPOCH_LIMITS])
    units: Int64s = np.searchsorted(limits, np.abs(values), side="right") - 1
    return units


def _zone(kind: pa.TimestampType) -> str | None:
    """The zone of a column of instants. Raises `DataError` DATA006 for one that there is not."""
    try:
        if kind.tz is not None:
            pa.scalar(0, pa.int64()).cast(kind).cast(pa.string())
    except (UnicodeDecodeError, pa.ArrowInvalid) as error:
        what = f"times have no zone that is known ({str(error).splitlines()[0]})"
        raise DataError("DATA006", None, what, "Write the file anew, in UTC.") from error
    else:
        return None if kind.tz is None else str(kind.tz)


def _none(count: int) -> Mask:
    return np.zeros(count, bool)
