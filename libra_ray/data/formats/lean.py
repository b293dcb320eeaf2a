"""LEAN's files: CSV without header in a zip, prices of equities in 1/10,000, times in the market's zone.

Bars are stamped with their start: milliseconds after local midnight of the file's day, or `YYYYMMDD HH:MM` in files of
hours and days. A bar of quotes gives the quote at its close. An archive of options or futures holds a file a contract.
Layouts are those of `LeanData.GenerateLine`.
"""

from typing import Any, Final

import numpy as np
import pyarrow.compute as pc

from libra_ray.data.formats.filtered_table import FilteredTable
from libra_ray.data.formats.frames import Frame, Head
from libra_ray.data.formats.lean_paths import FUNDING_FOLDER, SCALED, LeanPath, lean_path
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.raw_files import RawFile
from libra_ray.data.raw_tables import RawTable
from libra_ray.data.text_tables import TextTable
from libra_ray.errors import DataError

__all__ = ["FORMAT"]

OPEN_INTEREST: Final = "openinterest"
PRICE_DECIMALS: Final = 4
TRADE_BAR: Final = ("ts", "open", "high", "low", "close", "volume")
QUOTE_BAR: Final = (
    "ts", "bid_open", "bid_high", "bid_low", "bid_close", "bid_size",
    "ask_open", "ask_high", "ask_low", "ask_close", "ask_size",
)  # fmt: skip
TRADE_TICKS: Final = {
    6: ("ts", "price", "size", "exchange", "condition", "suspicious"),
    4: ("ts", "price", "size", "suspicious"),
}
QUOTE_TICKS: Final = {
    8: ("ts", "bid", "bid_size", "ask", "ask_size", "exchange", "condition", "suspicious"),
    7: ("ts", "bid", "bid_size", "ask", "ask_size", "exchange", "suspicious"),
    6: ("ts", "bid", "bid_size", "ask", "ask_size", "suspicious"),
    3: ("ts", "bid", "ask"),
}
_QUOTES: Final = {"bid_px": "bid_close", "ask_px": "ask_close", "bid_qty": "bid_size", "ask_qty": "ask_size"}
_TICK_QUOTES: Final = {"bid_px": "bid", "ask_px": "ask", "bid_qty": "bid_size", "ask_qty": "ask_size"}


class Lean:
    """The format of LEAN's data folder."""

    name = "lean"

    def matches(self, head: Head) -> bool:
        """Whether the path is one of LEAN's, and the first line a row of its type and resolution."""
        path = lean_path(head.file.path, head.inner_name)
        if path.resolution == FUNDING_FOLDER:
            return bool(path.security) and head.first_line.count(b",") == 1
        if head.file.packing != "zip" or not path.resolution or not path.tick_type:
            return False
        return path.tick_type == OPEN_INTEREST or _names(path, head.first_line) is not None

    def frames(self, file: RawFile, options: ImportOptions) -> list[Frame]:
        """One frame of each contract in the archive; of quote bars also the bars of `quote_side`.

        Raises `DataError` DATA004 for rows of another layout, DATA006 where the market's zone is not known, DATA011 for
        an archive that holds one contract twice, or none.
        """
        path = lean_path(file.path, file.inner_name)
        if path.resolution == FUNDING_FOLDER:
            return [_funding(path, file)]
        made: dict[tuple[str, str], Frame] = {}
        for member in file.members():
            for frame in _frames(lean_path(member.path, member.inner_name), member, options):
                key = (frame.kind, frame.hint.symbol)
                if key in made:
                    what = f"a file before it in the archive holds {frame.kind} of {frame.hint.symbol} too"
                    raise DataError("DATA011", member.name, what, "Unpack it and give each file by itself.")
                made[key] = frame
        return list(made.values())


def _frames(path: LeanPath, file: RawFile, options: ImportOptions) -> list[Frame]:
    """Those of one member."""
    if path.tick_type == OPEN_INTEREST:
        what = "holds open interest, which is no market data of ours"
        raise DataError("DATA004", file.name, what, "Import the files of trades and quotes beside it.")
    with file.stream() as stream:
        first = stream.readline(1 << 16)
    names = _names(path, first.strip())
    if names is None:
        what = f"{first.count(b',') + 1} fields are no {path.resolution} {path.tick_type} of LEAN"
        raise DataError("DATA004", f"{file.name}:1", what, "Name another format.")
    declared = _declared(path, options, first, file.name)
    table = TextTable(file, column_names=names, delimiter=",")
    if path.resolution == "tick":
        return [_ticks(path, table, declared, options)]
    if names is TRADE_BAR:
        columns = {name: name for name in TRADE_BAR}
        return [_frame(path, "bars", table, columns, declared)]
    made = [_frame(path, "quotes", table, {"ts": "ts", **_QUOTES}, declared)]
    if options.quote_side is not None:
        columns = {name: f"{options.quote_side}_{name}" for name in ("open", "high", "low", "close")}
        note = f"bars of the {options.quote_side}; the file has no volume"
        made.append(_frame(path, "bars", table, {"ts": "ts", **columns}, declared, notes=(note,)))
    return made


def _names(path: LeanPath, line: bytes) -> tuple[str, ...] | None:
    """The columns of a file by its path and the number of fields in its first row."""
    fields = line.count(b",") + 1
    if path.resolution == "tick":
        return (TRADE_TICKS if path.tick_type == "trade" else QUOTE_TICKS).get(fields)
    layouts = {"trade": TRADE_BAR, "quote": QUOTE_BAR}
    names = layouts.get(path.tick_type)
    if not path.day and path.resolution in ("hour", "daily") and fields in (len(TRADE_BAR), len(QUOTE_BAR)):
        # Files of hours and days may leave their type out; then the row tells.
        return TRADE_BAR if fields == len(TRADE_BAR) else QUOTE_BAR
    return names if names is not None and fields == len(names) else None


def _declared(path: LeanPath, options: ImportOptions, first: bytes, name: str) -> dict[str, Any]:
    """What all rows share: zone, form of times, scale of prices, the stamp."""
    declared: dict[str, Any] = {}
    if options.tz is None:
        if path.zone is None:
            what = f"the zone of LEAN's market '{path.market or '?'}' for {path.security or 'its type'} is not known"
            raise DataError("DATA006", name, what, f"Use {options.wording.option('tz', 'NAME')}.")
        declared["tz"] = path.zone
    if b":" in first.partition(b",")[0]:
        declared["ts_format"] = "%Y%m%d %H:%M"
    elif path.day:
        declared |= {"day": path.day, "ts_unit": "ms"}
    else:
        what = "times count from midnight of a day that the file's name does not say"
        raise DataError("DATA006", name, what, f"Use {options.wording.option('day', 'DATE')}.")
    if path.security in SCALED or path.contract.count("-") > 1:  # a strike tells an option
        declared["price_decimals"] = PRICE_DECIMALS
    elif not path.security and "price_decimals" not in options.model_fields_set:
        what = "the path does not tell the type of security, which the scale of prices depends on"
        scaled, plain = (options.wording.option("price-decimals", digits) for digits in (str(PRICE_DECIMALS), "0"))
        raise DataError("DATA004", name, what, f"Use {scaled} for equities and options, {plain} for others.")
    if path.resolution != "tick":
        declared["stamp"] = "open"
    return declared


def _frame(
    path: LeanPath,
    kind: str,
    table: RawTable,
    columns: dict[str, str],
    declared: dict[str, Any],
    *,
    counts: dict[str, int] | None = None,
    notes: tuple[str, ...] = (),
) -> Frame:
    return Frame(
        kind=kind,
        table=table,
        columns=columns,
        declared=declared,
        period=path.period,
        hint=path.hint,
        counts={name: count for name, count in (counts or {}).items() if count},
        notes=notes,
    )


def _ticks(path: LeanPath, table: TextTable, declared: dict[str, Any], options: ImportOptions) -> Frame:
    """Trades or quotes; those that are marked as suspicious are counted, and left out on request."""
    marks: dict[str, int] = {}
    rows: RawTable = table
    if "suspicious" in table.header:
        marked = _suspicious(table)
        marks = {"suspicious_rows": len(marked)}
        if options.drop_suspicious and len(marked):
            rows = FilteredTable(table, marked)
            marks = {"dropped_suspicious": len(marked)}
    if path.tick_type == "trade":
        return _frame(path, "trades", rows, {"ts": "ts", "price": "price", "qty": "size"}, declared, counts=marks)
    columns = {ours: theirs for ours, theirs in _TICK_QUOTES.items() if theirs in table.header}
    return _frame(path, "quotes", rows, {"ts": "ts", **columns}, declared, counts=marks)


def _suspicious(table: TextTable) -> Any:  # noqa: ANN401  # an array of integers
    """The numbers of the marked rows."""
    found = [np.zeros(0, np.int64)]
    for batch in table.batches([list(table.header).index("suspicious")]):
        at = pc.indices_nonzero(pc.equal(batch.columns[0], "1"))
        found.append(np.asarray(at, np.int64) + batch.first_row)
    return np.concatenate(found)


def _funding(path: LeanPath, file: RawFile) -> Frame:
    """`YYYYMMDD HH:MM:SS,rate`, UTC: the rate that positions pay at that time."""
    table = TextTable(file, column_names=("ts", "rate"), delimiter=",")
    declared = {"ts_format": "%Y%m%d %H:%M:%S", "tz": "UTC"}
    return Frame(
        kind="funding_rates", table=table, columns={"ts": "ts", "rate": "rate"}, declared=declared, hint=path.hint
    )


FORMAT: Final = Lean()
