"""Tardis's downloadable CSV files: trades, quotes, book_ticker, book snapshots and changes, derivative_ticker.

`timestamp` is the exchange's time and `local_timestamp` the recorder's, both in microseconds UTC; the second orders the
replay. A file of grouped symbols gives frames of each.
"""

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from libra_ray.data.formats.binance_symbols import quote_of
from libra_ray.data.formats.filtered_table import FilteredTable
from libra_ray.data.formats.frames import Frame, Head, InstrumentHint
from libra_ray.data.formats.tardis_books import ChangesTable, SnapshotsTable
from libra_ray.data.formats.tardis_funding import funding_table
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.raw_files import RawFile
from libra_ray.data.raw_tables import RawTable
from libra_ray.data.text_tables import TextTable
from libra_ray.errors import DataError

__all__ = ["FORMAT"]

_COMMON: Final = ("exchange", "symbol", "timestamp", "local_timestamp")
_TIMES: Final = {"ts": "timestamp", "ts_init": "local_timestamp"}
_TRADES: Final = {**_TIMES, "price": "price", "qty": "amount", "aggressor": "side"}
_QUOTES: Final = {
    **_TIMES,
    "bid_px": "bid_price",
    "bid_qty": "bid_amount",
    "ask_px": "ask_price",
    "ask_qty": "ask_amount",
}
_FUNDING: Final = ("funding_timestamp", "funding_rate", "mark_price")
_LEVEL: Final = re.compile(r"(asks|bids)\[(\d+)\]\.(price|amount)")
_DECLARED: Final = {"ts_unit": "us", "tz": "UTC"}
LIQUIDATIONS: Final = "liquidations"
_DERIVATIVE_ENDS: Final = ("-futures", "-swap", "-swaps", "-delivery", "-perpetual", "-linear", "-inverse")


class Tardis:
    """The format of Tardis's CSV files."""

    name = "tardis"

    def matches(self, head: Head) -> bool:
        """Whether the header begins as all of theirs do."""
        return head.first_line.startswith(",".join(_COMMON).encode())

    def frames(self, file: RawFile, options: ImportOptions) -> list[Frame]:  # noqa: ARG002  # nothing depends on them
        """The rows of each symbol.

        Raises `DataError` DATA004 for a file of another kind, DATA008 for no row. Liquidations have the columns of
        trades: the file's name or a folder tells them.
        """
        if LIQUIDATIONS in file.path.parts or f"_{LIQUIDATIONS}_" in f"_{file.name}":
            what = "holds liquidations, which are no trades of the market: there is no such type here"
            raise DataError("DATA004", file.name, what, "Import the file of trades.")
        table = TextTable(file, column_names=(), delimiter=",")
        if tuple(table.header[: len(_COMMON)]) != _COMMON:
            what = f"the header does not begin with {', '.join(_COMMON)}"
            raise DataError("DATA004", table.header_place, what, "Name another format.")
        symbols = _symbols(table)
        if not symbols:
            raise DataError("DATA008", file.name, "0 data rows", "Check the file or the date range.")
        made = []
        for (exchange, symbol), others in symbols.items():
            rows: RawTable = FilteredTable(table, others) if len(others) else table
            made += _frames(file.name, rows, _hint(exchange, symbol))
        return made


def _frames(name: str, table: RawTable, hint: InstrumentHint) -> list[Frame]:
    header = set(table.header)
    kind, columns = "", {}
    if "is_snapshot" in header:
        kind, table = "book_deltas", ChangesTable(table)
    elif any(_LEVEL.fullmatch(each) for each in header):
        kind, table = "book_snapshots", SnapshotsTable(table)
    elif set(_QUOTES.values()) <= header:
        kind, columns = "quotes", _QUOTES
    elif set(_FUNDING) <= header:
        return _derivative(name, table, hint)
    elif set(_TRADES.values()) <= header:
        kind, columns = "trades", _TRADES
    if not kind:
        what = f"no kind of Tardis's files has the columns {', '.join(list(table.header)[4:10])}"
        raise DataError("DATA004", f"{name}:1", what, "Name another format.")
    columns = columns or {each: each for each in table.header}
    return [Frame(kind=kind, table=table, columns=columns, declared=_DECLARED, hint=hint)]


def _derivative(name: str, table: RawTable, hint: InstrumentHint) -> list[Frame]:
    """Mark prices where a row has one, and what was paid at each funding."""
    marks = {**_TIMES, "price": "mark_price"}
    without = _rows_without(table, "mark_price")
    rows = FilteredTable(table, without) if len(without) else table
    made = []
    if rows.rows:
        made.append(Frame(kind="mark_prices", table=rows, columns=marks, declared=_DECLARED, hint=hint))
    funding, early = funding_table(table, name)
    if funding.rows:
        counts = {"fundings_not_reached": early} if early else {}
        columns = {"ts": "ts", "rate": "rate"}
        made.append(Frame(kind="funding_rates", table=funding, columns=columns, hint=hint, counts=counts))
    return made


def _rows_without(table: RawTable, column: str) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    found = [np.zeros(0, np.int64)]
    for rows, (values,) in _numbered(table, [column]):
        found.append(rows[np.asarray(pc.indices_nonzero(pc.equal(values, "")), np.int64)])
    return np.concatenate(found)


def _numbered(
    table: RawTable, names: list[str]
) -> "Iterator[tuple[np.ndarray[tuple[int], np.dtype[np.int64]], list[pa.Array]]]":
    """Columns with the numbers of their rows."""
    header = list(table.header)
    for batch in table.batches([header.index(each) for each in names]):
        count = len(batch.columns[0])
        rows = np.arange(batch.first_row, batch.first_row + count) if batch.rows is None else batch.rows
        yield rows, batch.columns


def _symbols(table: TextTable) -> "dict[tuple[str, str], np.ndarray[tuple[int], np.dtype[np.int64]]]":
    """Exchange and symbol, by their first row, with the numbers of the rows that are of others."""
    seen: dict[tuple[str, str], int] = {}
    codes, numbers = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for rows, (exchanges, symbols) in _numbered(table, ["exchange", "symbol"]):
        keys = pc.binary_join_element_wise(exchanges, symbols, "\t").dictionary_encode()
        places = [seen.setdefault(tuple(key.as_py().split("\t", 1)), len(seen)) for key in keys.dictionary]
        codes.append(np.array(places, np.int64)[np.asarray(keys.indices, np.int64)])
        numbers.append(rows)
    code, number = np.concatenate(codes), np.concatenate(numbers)
    if len(seen) == 1:
        return dict.fromkeys(seen, number[:0])
    return {key: number[code != place] for key, place in seen.items()}


def _hint(exchange: str, symbol: str) -> InstrumentHint:
    """`binance-futures` and `BTCUSDT` as `BTCUSDT.BINANCE`, a perpetual."""
    venue = exchange
    for end in _DERIVATIVE_ENDS:
        venue = venue.removesuffix(end)
    plain = re.sub(r"[^A-Za-z0-9._]", "", symbol.replace("-", "_").replace("/", "_")).upper()
    letters = re.sub(r"[^A-Z0-9]", "", symbol.upper().removesuffix("_PERP").removesuffix("-PERPETUAL"))
    quote = quote_of(letters)
    is_derivative = exchange != venue or exchange in ("bitmex", "deribit") or "PERP" in symbol.upper()
    return InstrumentHint(
        symbol=plain,
        venue=venue.upper().replace("-", "_"),
        kind="perpetual" if is_derivative else "pair",
        base=letters.removesuffix(quote) if quote else "",
        quote=quote,
        inverse=is_derivative and quote == "USD",
        raw_symbol=symbol,
    )


FORMAT: Final = Tardis()
