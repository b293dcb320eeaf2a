"""Files of Binance's public data: klines of trades and of other prices, trades, aggTrades, bookTicker, fundingRate.

With or without a header line; spot times are milliseconds up to 2024 and microseconds from 2025 on, which their size
tells. A kline is stamped with its open. Kinds that are no market data of ours are refused by their names.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from libra_ray.data.formats.binance_symbols import hint_of
from libra_ray.data.formats.frames import Frame, Head, InstrumentHint
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.raw_files import RawFile
from libra_ray.data.raw_tables import RawTable
from libra_ray.data.text_tables import TextTable
from libra_ray.errors import DataError, quoted

__all__ = ["FORMAT"]

_TIME, _DECIMAL, _COUNT, _FLAG = r"\d{13}(?:\d{3})?", r"-?\d+(?:\.\d+)?(?:[eE]-?\d+)?", r"-?\d+", r"(?i:true|false)"
_PERIODS_NS: Final = {
    **{f"{n}m": n * 60 for n in (1, 3, 5, 15, 30)},
    **{f"{n}h": n * 3_600 for n in (1, 2, 4, 6, 8, 12)},
    "1s": 1,
    "1d": 86_400,
    "3d": 259_200,
    "1w": 604_800,
}
_NAME: Final = re.compile(
    r"(?P<symbol>[A-Z0-9_]+)-(?P<what>\d{1,2}(?:mo|[smhdw])|trades|aggTrades|bookTicker|fundingRate)"
    r"(?:-\d{4}-\d{2}(?:-\d{2})?)?"
)
_FUTURES: Final = re.compile(r"futures|um|cm")


@dataclass(frozen=True)
class Layout:
    """One kind of file.

    Attributes:
        fields: the pattern of each field of a row.
        names: what a file without header has; one with a header has them or their synonyms, in any order.
        columns: our name -> theirs.

    """

    what: str
    kind: str
    fields: tuple[str, ...]
    names: tuple[str, ...]
    columns: Mapping[str, str]
    futures_only: bool = False

    @property
    def row(self) -> re.Pattern[str]:
        """A row of the file."""
        return re.compile(",".join(self.fields))


_KLINE_NAMES: Final = (
    "open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "count", "taker_buy_volume",
    "taker_buy_quote_volume", "ignore",
)  # fmt: skip
_TRADE_COLUMNS: Final = {"ts": "time", "price": "price", "qty": "qty", "is_buyer_maker": "is_buyer_maker"}
_AGG_COLUMNS: Final = {"ts": "transact_time", "price": "price", "qty": "quantity", "is_buyer_maker": "is_buyer_maker"}
_AGG_NAMES: Final = (
    "agg_trade_id", "price", "quantity", "first_trade_id", "last_trade_id", "transact_time", "is_buyer_maker",
)  # fmt: skip
_TRADE_NAMES: Final = ("id", "price", "qty", "quote_qty", "time", "is_buyer_maker")
_TRADE_FIELDS: Final = (_COUNT, _DECIMAL, _DECIMAL, _DECIMAL, _TIME, _FLAG)
_AGG_FIELDS: Final = (_COUNT, _DECIMAL, _DECIMAL, _COUNT, _COUNT, _TIME, _FLAG)
LAYOUTS: Final = (
    Layout(
        "klines",
        "bars",
        (_TIME, *[_DECIMAL] * 5, _TIME, _DECIMAL, _COUNT, _DECIMAL, _DECIMAL, _DECIMAL),
        _KLINE_NAMES,
        {"ts": "open_time", **{name: name for name in ("open", "high", "low", "close", "volume")}},
    ),
    Layout("aggTrades", "trades", (*_AGG_FIELDS, _FLAG), (*_AGG_NAMES, "is_best_match"), _AGG_COLUMNS),
    Layout("aggTrades", "trades", _AGG_FIELDS, _AGG_NAMES, _AGG_COLUMNS, futures_only=True),
    Layout("trades", "trades", (*_TRADE_FIELDS, _FLAG), (*_TRADE_NAMES, "is_best_match"), _TRADE_COLUMNS),
    Layout("trades", "trades", _TRADE_FIELDS, _TRADE_NAMES, _TRADE_COLUMNS, futures_only=True),
    Layout(
        "bookTicker",
        "quotes",
        (_COUNT, *[_DECIMAL] * 4, _TIME, _TIME),
        (
            "update_id", "best_bid_price", "best_bid_qty", "best_ask_price", "best_ask_qty", "transaction_time",
            "event_time",
        ),
        {
            "ts": "transaction_time",
            "bid_px": "best_bid_price",
            "bid_qty": "best_bid_qty",
            "ask_px": "best_ask_price",
            "ask_qty": "best_ask_qty",
        },
        futures_only=True,
    ),
    Layout(
        "fundingRate",
        "funding_rates",
        (_TIME, _COUNT, _DECIMAL),
        ("calc_time", "funding_interval_hours", "last_funding_rate"),
        {"ts": "calc_time", "rate": "last_funding_rate"},
        futures_only=True,
    ),
)  # fmt: skip
_NOT_OURS: Final = {
    "bookDepth": ("the depth within some percent of the price, not a book", {"timestamp", "percentage", "depth"}),
    "metrics": ("open interest and ratios of long to short", {"create_time", "sum_open_interest"}),
    "liquidationSnapshot": ("orders of liquidations, not trades of the market", {"order_type", "average_price"}),
    "BVOLIndex": ("an index of volatility", {"calc_time", "index_value"}),
    "EOHSummary": ("summaries of options", {"strike", "mark_iv"}),
}
"""Kinds of which there is no type here: what they hold, and columns that tell them."""
_MARKS: Final = "markPriceKlines"
_FOLDERS: Final = {
    "indexPriceKlines": "candles of the index, not of trades",
    "premiumIndexKlines": "candles of the premium over the index, not of trades",
}
_SYNONYMS: Final = {
    "tradeid": "id",
    "quoteqty": "quote_qty",
    "isbuyermaker": "is_buyer_maker",
    "isbestmatch": "is_best_match",
    "aggtradeid": "agg_trade_id",
    "aggregatetradeid": "agg_trade_id",
    "firsttradeid": "first_trade_id",
    "lasttradeid": "last_trade_id",
    "timestamp": "transact_time",
    "wasthebuyerthemaker": "is_buyer_maker",
    "wasthetradethebestpricematch": "is_best_match",
    "quoteassetvolume": "quote_volume",
    "numberoftrades": "count",
    "takerbuybaseassetvolume": "taker_buy_volume",
    "takerbuyquoteassetvolume": "taker_buy_quote_volume",
}


class BinanceVision:
    """The format of Binance's public data."""

    name = "binance-vision"

    def matches(self, head: Head) -> bool:
        """Whether the first line is a row or the header of one of its kinds of file."""
        line = head.first_line.decode("ascii", "replace").strip()
        return _layout(line) is not None or _not_ours(line) is not None

    def frames(self, file: RawFile, options: ImportOptions) -> list[Frame]:  # noqa: ARG002  # nothing depends on them
        """One frame; two of klines that are of the prices of a mark or an index, whichever they are.

        Raises `DataError` DATA004 for a file of another layout, and for one of no type of ours.
        """
        with file.stream() as stream:
            lines = [stream.readline(1 << 16).decode("utf-8-sig", "replace").strip() for _ in range(2)]
        other = _not_ours(lines[0])
        if other is not None:
            what = f"'{other}' of Binance is {_NOT_OURS[other][0]}: there is no such type here"
            fix = "Import klines, trades, aggTrades, bookTicker, fundingRate or markPriceKlines."
            raise DataError("DATA004", f"{file.name}:1", what, fix, other)
        found = _layout(lines[0])
        if found is None:
            what = f"{quoted(lines[0])} is neither header nor row of Binance's public data"
            raise DataError("DATA004", f"{file.name}:1", what, "Name another format.", lines[0])
        layout, has_header = found
        table = TextTable(file, column_names=() if has_header else layout.names, delimiter=",")
        theirs = _known_names(table.header) if has_header else layout.names
        columns = {ours: table.header[theirs.index(name)] for ours, name in layout.columns.items()}
        named = _NAME.match(file.inner_name.rpartition("/")[2]) or _NAME.match(file.name)
        hint = _hint(file, named, layout)
        if layout.kind == "bars":
            return _klines(file, table, columns, hint, named, lines[int(has_header)])
        notes: tuple[str, ...] = ()
        if layout.what == "aggTrades":
            notes = ("trades are aggregated by the exchange: one row for all fills of one order at one price",)
        return [Frame(kind=layout.kind, table=table, columns=columns, hint=hint, notes=notes)]


def _layout(line: str) -> tuple[Layout, bool] | None:
    """The kind of file that has this first line, and whether that is a header."""
    for layout in LAYOUTS:
        if layout.row.fullmatch(line) is not None:
            return layout, False
    names = _known_names(line.split(","))
    for layout in LAYOUTS:
        if len(names) == len(layout.names) and set(layout.columns.values()) <= set(names):
            return layout, True
    return None


def _not_ours(line: str) -> str | None:
    """The kind of file without a type here that has this header."""
    names = {name.strip().lower() for name in line.split(",")}
    return next((kind for kind, (_, columns) in _NOT_OURS.items() if columns <= names), None)


def _known_names(header: Any) -> list[str]:  # noqa: ANN401  # a sequence of texts
    """The names of a header as the layouts have them."""
    known = {name.replace("_", ""): name for layout in LAYOUTS for name in layout.names}
    names = []
    for name in header:
        key = re.sub(r"[^a-z0-9]", "", name.lower())
        names.append(known.get(key) or _SYNONYMS.get(key, name.strip()))
    return names


def _hint(file: RawFile, named: re.Match[str] | None, layout: Layout) -> InstrumentHint:
    """By the file's name and folders; layouts that spot does not have tell futures."""
    folders = {part.lower() for part in file.path.parts[:-1]}
    is_futures = layout.futures_only or bool(folders & {"futures", "um", "cm"})
    return hint_of(named.group("symbol"), is_futures=is_futures) if named is not None else InstrumentHint()


def _klines(
    file: RawFile,
    table: RawTable,
    columns: dict[str, str],
    hint: InstrumentHint,
    named: re.Match[str] | None,
    row: str,
) -> list[Frame]:
    """Bars of trades, bars of an index, or a mark's prices at the closes of its klines, as the folders say.

    Where they say nothing, and candles without volume count what a mark or index is made of, both are given: whoever
    imports says which.
    """
    fields = row.split(",")
    period = named.group("what") if named is not None else ""
    if period not in _PERIODS_NS and len(fields) > 6 and fields[0].isdigit() and fields[6].isdigit():  # noqa: PLR2004
        span = int(fields[6]) - int(fields[0]) + 1
        seconds = span / 1_000 if len(fields[0]) == 13 else span / 1_000_000  # noqa: PLR2004
        period = next((each for each, length in _PERIODS_NS.items() if length == seconds), period)
    folder = next((part for part in file.path.parts if part in (_MARKS, *_FOLDERS)), "")
    made: dict[str, Any] = {"table": table, "declared": {"stamp": "open"}, "period": period, "hint": hint}
    bars = Frame(kind="bars", columns=columns, **made)
    marks = Frame(kind="mark_prices", columns={"ts": columns["ts"], "price": columns["close"]}, **made)
    if folder:
        return [marks] if folder == _MARKS else [replace(bars, notes=(_FOLDERS[folder],))]
    if len(fields) > 8 and _is_zero(fields[5]) and not _is_zero(fields[8]):  # noqa: PLR2004
        return [replace(bars, notes=("candles without volume: of a mark or an index, not of trades",)), marks]
    return [bars]


def _is_zero(text: str) -> bool:
    return not text.strip("0.")


FORMAT: Final = BinanceVision()
