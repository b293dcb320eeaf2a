"""Freqtrade's feather files: candles stamped with their open, trades, mark prices and funding rates.

In files of funding the column `open` is the rate; in those of mark prices the candle's close is the mark at its close.
"""

from typing import Any, Final

from libra_ray.data.arrow_tables import FeatherTable
from libra_ray.data.formats.frames import Frame, Head
from libra_ray.data.formats.freqtrade_names import named
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.raw_files import RawFile
from libra_ray.errors import DataError

__all__ = ["FORMAT"]

_ARROW: Final = (b"ARROW1", b"FEA1")
_CANDLES: Final = ("date", "open", "high", "low", "close", "volume")
_TRADES: Final = {"ts": "timestamp", "price": "price", "qty": "amount", "aggressor": "side"}
_OPEN: Final = {"tz": "UTC", "stamp": "open"}


class Freqtrade:
    """The format of freqtrade's data folder."""

    name = "freqtrade"

    def matches(self, head: Head) -> bool:
        """Whether it is an Arrow file with one of freqtrade's names and its columns."""
        if not head.first.startswith(_ARROW) or named(head.file) is None:
            return False
        is_candles = all(name.encode() in head.first for name in _CANDLES)
        return is_candles or all(name.encode() in head.first for name in _TRADES.values())

    def frames(self, file: RawFile, options: ImportOptions) -> list[Frame]:  # noqa: ARG002  # nothing depends on them
        """One frame. Raises `DataError` DATA004 for other columns or another name, DATA011 for a damaged file."""
        name, table = named(file), FeatherTable(file)
        wanted = _CANDLES if name is None or name.content != "trades" else tuple(_TRADES.values())
        missing = [column for column in wanted if column not in table.header]
        if name is None or missing:
            what = f"is no file of freqtrade: it has {', '.join(table.header)}"
            raise DataError("DATA004", file.name, what, "Name another format.")
        made: dict[str, Any] = {"table": table, "hint": name.hint}
        if name.content == "trades":
            return [Frame(kind="trades", columns=_TRADES, declared={"ts_unit": "ms", "tz": "UTC"}, **made)]
        if name.content == "funding_rate":
            return [Frame(kind="funding_rates", columns={"ts": "date", "rate": "open"}, declared={"tz": "UTC"}, **made)]
        if name.content == "mark":
            columns = {"ts": "date", "price": "close"}
            return [Frame(kind="mark_prices", columns=columns, declared=_OPEN, period=name.period, **made)]
        columns = {"ts": "date", **{column: column for column in _CANDLES[1:]}}
        notes = () if name.content == "bars" else (f"candles of the {name.content}, not of trades",)
        return [Frame(kind="bars", columns=columns, declared=_OPEN, period=name.period, notes=notes, **made)]


FORMAT: Final = Freqtrade()
