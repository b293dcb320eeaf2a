"""What a file holds, before anything is decided: type, columns, rows, range, gaps, duplicates, disorder, zone.

Nothing is refused here that can be looked at: what an import would refuse the file for is one of the facts.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from libra_ray.data.arrow_arrays import Int64s, Mask, arrow_bools
from libra_ray.data.column_values import is_missing
from libra_ray.data.formats.frames import Frame, declared_options
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.import_stream import ImportStream
from libra_ray.data.importer import open_file
from libra_ray.data.time_texts import TimeReader
from libra_ray.errors import ConfigError, DataError
from libra_ray.messages.schemas import BARS, SCHEMAS, Kind
from libra_ray.model.instruments import Instrument, pair

__all__ = ["ColumnSeen", "FileSurvey", "survey", "survey_file"]

DECIMALS_MAX: Final = 18
UNITS: Final = (("w", 604_800 * 10**9), ("d", 86_400 * 10**9), ("h", 3_600 * 10**9), ("m", 60 * 10**9), ("s", 10**9))


@dataclass(frozen=True)
class ColumnSeen:
    """One column of a file.

    Attributes:
        ours: what it is for us; empty for one that is not read.
        missing: rows without a value.
        decimals: the most that a number has; None for other columns.

    """

    name: str
    ours: str = ""
    missing: int = 0
    decimals: int | None = None


@dataclass(frozen=True)
class FileSurvey:
    """What was seen of one type of rows in a file.

    Attributes:
        type: `bars`, `quotes` and so on, by the columns if it was not said.
        period: of bars, the most frequent distance if it was not said; empty where there is none.
        times: `epoch s`, `text`, `timestamp[ns]` and so on.
        zone: where the times' zone comes from.
        gaps, missing_bars, longest_gap: of bars, in the order of time.
        duplicates: rows with the time of another before them; ticks may have them, bars not.
        disorder: rows behind a later time.
        price_decimals, size_decimals: the most that a number has.
        refusal: what an import with these options would be refused for.

    """

    source: str
    format: str
    packing: str
    type: str
    period: str
    columns: tuple[ColumnSeen, ...]
    rows: int
    start_ns: int | None
    end_ns: int | None
    times: str
    zone: str
    gaps: int
    missing_bars: int
    longest_gap: int
    duplicates: int
    disorder: int
    price_decimals: int
    size_decimals: int
    counts: dict[str, int]
    notes: tuple[str, ...]
    refusal: DataError | None


def survey_file(
    path: str | os.PathLike[str],
    *,
    instrument: Instrument | None = None,
    kind: str | None = None,
    period: str = "",
    format: str | None = None,  # noqa: A002  # the word that users know
    **given: Any,  # noqa: ANN401  # the fields of ImportOptions, checked there
) -> list[FileSurvey]:
    """Look at a file as `import_file` would read it, and say what is seen of each type of rows. Nothing is written."""
    opened = open_file(path, kind, format=format, options=ImportOptions.of(given))
    return [
        survey(
            frame,
            opened.options,
            instrument=instrument,
            period=period,
            source=opened.source,
            format_name=opened.format_name,
            packing=opened.packing,
        )
        for frame in opened.frames_of(instrument, kind)
    ]


def survey(
    frame: Frame,
    options: ImportOptions,
    *,
    instrument: Instrument | None = None,
    period: str = "",
    source: str,
    format_name: str,
    packing: str = "",
) -> FileSurvey:
    """Go through all rows of a frame; without an instrument, as one with the decimals that the file has.

    Raises `DataError` only where the file cannot be read at all.
    """
    merged = declared_options(frame, options)
    columns, times, first_ns = _looked_at(frame, merged)
    # Implied decimals are those of the price of one unit; what is written are integers.
    prices = merged.price_decimals or _decimals(frame, columns, Kind.PRICE)
    sizes = _decimals(frame, columns, Kind.SIZE)
    length = ((frame.period or period) or _distance(first_ns)) if frame.kind == BARS.name else ""
    shown = instrument or _stand_in(prices, sizes)
    open_options = options.model_copy(update={"streaming": True})
    if frame.kind == BARS.name and not length:
        # One bar says nothing of its length; gaps of one row do not exist.
        length = "1m"

    def gone_through(instrument: Instrument, options: ImportOptions) -> ImportStream:
        stream = ImportStream(frame, instrument, length, options, source=source, format_name=format_name)
        for _ in stream.checked():
            pass
        return stream

    stream = gone_through(shown, open_options)
    refusal, zone = stream.first_error(), stream.zone
    if refusal is not None:
        # Rows that do not fit the instrument are rows of the file: what it holds is seen with all decimals and signs.
        open_options = open_options.model_copy(update={"allow_negative_prices": True})
        stream = gone_through(_stand_in(prices, sizes), open_options)
    report, disorder = stream.summary(), stream.disorder
    if disorder and not options.sort:
        ordered = open_options.model_copy(update={"sort": True, "dedup": "first"})
        report = replace(gone_through(stream.instrument, ordered).summary(), sorted_rows=0)
    if refusal is None:
        refusal = _too_large(frame, shown, length, options, source, format_name)
    bars = report.dropped_duplicates if frame.kind == BARS.name else report.same_time_rows
    return FileSurvey(
        source=source,
        format=format_name,
        packing=packing,
        type=frame.kind,
        period=length,
        columns=tuple(columns),
        rows=frame.table.rows,
        start_ns=report.start_ns if report.rows else None,
        end_ns=report.end_ns if report.rows else None,
        times=_times_text(times, report.ts_unit, merged),
        zone=zone,
        gaps=report.gaps,
        missing_bars=report.missing_bars,
        longest_gap=report.longest_gap,
        duplicates=bars,
        disorder=disorder,
        price_decimals=prices,
        size_decimals=sizes,
        counts=report.changes,
        notes=(*report.notes, *_notes(frame, options)),
        refusal=refusal,
    )


def _notes(frame: Frame, options: ImportOptions) -> tuple[str, ...]:
    """What an import takes for granted without a word."""
    if frame.kind != BARS.name or "stamp" in options.model_fields_set or "stamp" in frame.declared:
        return ()
    return (f"times are taken as closes: use {options.wording.option('stamp', 'open')} if a bar begins at its time",)


def _too_large(
    frame: Frame, instrument: Instrument, period: str, options: ImportOptions, source: str, format_name: str
) -> DataError | None:
    """Whether the file has more rows than the options allow in memory."""
    try:
        ImportStream(frame, instrument, period, options, source=source, format_name=format_name)
    except DataError as error:
        return error
    return None


def _looked_at(frame: Frame, options: ImportOptions) -> tuple[list[ColumnSeen], str, Int64s]:
    """All columns with what is missing in them and their decimals; the form of the times; the first times."""
    header = list(frame.table.header)
    names = list(frame.columns)
    indices = [header.index(frame.columns[name]) for name in names]
    numbers = {each.name for each in SCHEMAS[frame.kind].fields if each.kind in (Kind.PRICE, Kind.SIZE, Kind.RATE)}
    missing, decimals = dict.fromkeys(names, 0), {name: 0 for name in names if name in numbers}
    times, first_ns = "", np.empty(0, np.int64)
    for raw in frame.table.batches(indices):
        for name, column in zip(names, raw.columns, strict=True):
            absent = is_missing(column)
            missing[name] += int(np.count_nonzero(absent))
            if name in decimals:
                decimals[name] = max(decimals[name], _most_decimals(column, options.decimal))
            if name == "ts" and not times and not absent.all():
                times = _form(column)
                first_ns = _first_times(column, options, absent)
    by_header = {frame.columns[name]: name for name in names}
    seen = [
        ColumnSeen(each, ours, missing.get(ours, 0), decimals.get(ours))
        for each in header
        for ours in (by_header.get(each, ""),)
    ]
    return seen, times, first_ns


def _times_text(form: str, unit: str | None, options: ImportOptions) -> str:
    """How times are written, in words."""
    if options.day is not None:
        return f"{unit or 'ms'} after the midnight of {options.day}"
    return form if unit is None else f"epoch {unit}"


def _form(column: pa.Array) -> str:
    return "text" if pa.types.is_string(column.type) else str(column.type)


def _first_times(column: pa.Array, options: ImportOptions, absent: Mask) -> Int64s:
    present = column.filter(arrow_bools(~absent))
    try:
        read = TimeReader(options).read(present)
    except ConfigError:
        return np.empty(0, np.int64)
    return read.ts_ns[~(read.malformed | read.other_unit | read.unclear)]


def _most_decimals(column: pa.Array, point: str) -> int:
    """The most decimals of a number of the column; 0 where it has none."""
    if pa.types.is_decimal(column.type):
        return min(int(column.type.scale), DECIMALS_MAX) if len(column) else 0
    if pa.types.is_integer(column.type) or not len(column):
        return 0
    texts = pc.drop_null(column.cast(pa.string()))
    plain = texts.filter(pc.match_substring_regex(texts, rf"^\s*[+-]?\d*\{point}\d+\s*$"))
    behind = pc.max(pc.binary_length(pc.replace_substring_regex(plain, rf"^[^{point}]*\{point}|0+\s*$", "")))
    odd = texts.filter(pc.match_substring_regex(texts, r"^[+-]?\d*\.?\d*[eE][+-]?\d{1,2}$"))
    fine = [-int(Decimal(text).normalize().as_tuple().exponent) for text in odd.unique().to_pylist()[:1_000]]
    return min(max(behind.as_py() or 0, max(fine, default=0), 0), DECIMALS_MAX)


def _decimals(frame: Frame, columns: Sequence[ColumnSeen], kind: Kind) -> int:
    names = {each.name for each in SCHEMAS[frame.kind].fields if each.kind is kind}
    return max((each.decimals or 0 for each in columns if each.ours in names), default=0)


def _distance(ts_ns: Int64s) -> str:
    """The most frequent distance of neighbouring times as a period; empty where it is none."""
    steps = np.diff(np.sort(ts_ns))
    steps = steps[steps > 0]
    if not len(steps):
        return ""
    values, counts = np.unique(steps, return_counts=True)
    length = int(values[int(counts.argmax())])
    return next((f"{length // unit}{word}" for word, unit in (*UNITS, ("ms", 10**6)) if not length % unit), "")


def _stand_in(price_decimals: int, size_decimals: int) -> Instrument:
    """An instrument with the decimals of the file, so that every number fits."""
    tick, step = (f"{Decimal(1).scaleb(-decimals):f}" for decimals in (price_decimals, size_decimals))
    return pair("FILE.SEEN", base="BTC", quote="USD", tick=tick, step=step)
