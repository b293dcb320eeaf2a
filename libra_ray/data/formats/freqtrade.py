"""Freqtrade's files, Feather, Parquet or JSON: candles stamped with their open, trades, mark prices and funding rates.

In files of funding the column `open` is the rate; in those of mark prices the candle's close is the mark at its close.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from libra_ray.data.arrow_tables import FeatherTable, ParquetTable
from libra_ray.data.formats.ccxt_rows import NAMES, candles_table
from libra_ray.data.formats.frames import Frame, Head
from libra_ray.data.formats.freqtrade_names import FreqtradeName, named
from libra_ray.data.formats.freqtrade_trades import trades_table
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.raw_files import RawFile
from libra_ray.data.raw_tables import RawTable
from libra_ray.errors import DataError

__all__ = ["FORMAT"]

_ARROW: Final = (b"ARROW1", b"FEA1")
_TRADES: Final = {"ts": "timestamp", "price": "price", "qty": "amount", "aggressor": "side"}
_ROWS: Final = re.compile(rb"\[\s*\[\s*\d{11,16}\s*,")


class Freqtrade:
    """The format of freqtrade's data folder."""

    name = "freqtrade"

    def matches(self, head: Head) -> bool:
        """Whether it has one of freqtrade's names, and its columns as far as the first bytes tell."""
        name = named(head.file)
        if name is None:
            return False
        wanted = _wanted(name, "date")
        if head.file.is_parquet:
            with suppress(DataError):
                return set(wanted) <= set(ParquetTable(head.file).header)
            return False
        if head.first.startswith(_ARROW):
            return all(each.encode() in head.first for each in wanted)
        return _ROWS.match(head.first.lstrip(b" \t\r\n")) is not None

    def frames(self, file: RawFile, options: ImportOptions) -> list[Frame]:  # noqa: ARG002  # nothing depends on them
        """One frame. Raises `DataError` DATA004 for other columns or another name, DATA011 for a damaged file."""
        name = named(file)
        if name is None:
            what = "is no name of freqtrade's, such as BTC_USDT-5m.feather"
            raise DataError("DATA004", file.name, what, "Name another format.")
        table, time, declared = _table(file, name)
        if not set(_wanted(name, time)) <= set(table.header):
            what = f"is no file of freqtrade: it has {', '.join(table.header)}"
            raise DataError("DATA004", file.name, what, "Name another format.")
        opens = {**declared, "stamp": "open"}
        made: dict[str, Any] = {"table": table, "hint": name.hint}
        if name.content == "trades":
            return [Frame(kind="trades", columns=_TRADES, declared={**declared, "ts_unit": "ms"}, **made)]
        if name.content == "funding_rate":
            return [Frame(kind="funding_rates", columns={"ts": time, "rate": "open"}, declared=declared, **made)]
        if name.content == "mark":
            columns = {"ts": time, "price": "close"}
            return [Frame(kind="mark_prices", columns=columns, declared=opens, period=name.period, **made)]
        columns = {"ts": time, **{column: column for column in NAMES}}
        notes = () if name.content == "bars" else (f"candles of the {name.content}, not of trades",)
        return [Frame(kind="bars", columns=columns, declared=opens, period=name.period, notes=notes, **made)]


def _wanted(name: FreqtradeName, time: str) -> tuple[str, ...]:
    """The columns that a file of that name has."""
    return tuple(_TRADES.values()) if name.content == "trades" else (time, *NAMES)


def _table(file: RawFile, name: FreqtradeName) -> tuple[RawTable, str, Mapping[str, Any]]:
    """The rows, their column of times, and what is known of them."""
    if file.is_parquet:
        return ParquetTable(file), "date", {"tz": "UTC"}
    if not file.inner_name.endswith(".json"):
        return FeatherTable(file), "date", {"tz": "UTC"}
    table = trades_table(file) if name.content == "trades" else candles_table(file)
    return table, "ts", {"ts_unit": "ms", "tz": "UTC"}


FORMAT: Final = Freqtrade()
