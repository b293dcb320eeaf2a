"""Formats that say nothing of what their columns mean: any table with a header, matched by the names of the trade."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from libra_ray.data.column_names import guessed_kind, matched_columns
from libra_ray.data.formats.frames import Frame, Head, InstrumentHint
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.joined_table import JoinedTable
from libra_ray.data.raw_files import RawFile
from libra_ray.data.raw_tables import RawTable
from libra_ray.data.symbol_rows import SYMBOL, SymbolRows, symbol_column, symbols_of
from libra_ray.data.text_tables import TextTable
from libra_ray.errors import DataError
from libra_ray.messages.schemas import SCHEMAS

__all__ = ["TableFormat", "refuse_packed", "table_frames"]

SEVERAL: Final = 2


class TableFormat(ABC):
    """A general format. A subclass says how a file of it begins and which table it is."""

    name: str

    @abstractmethod
    def matches(self, head: Head) -> bool:
        """Whether a file that begins so is of this format. Never raises."""

    @abstractmethod
    def table(self, file: RawFile, options: ImportOptions) -> RawTable:
        """The file as raw columns. Raises `DataError` for the first fault of the file as a whole."""

    def frames(self, file: RawFile, options: ImportOptions) -> list[Frame]:
        """The rows as frames of the type that its header is nearest to."""
        return table_frames(self.table(file, options), options)


def refuse_packed(file: RawFile) -> None:
    """Binary tables are read from where they lie. Raises `DataError` DATA011 for one in an archive."""
    if file.packing:
        what = f"is packed ({file.packing}); binary tables are packed inside"
        raise DataError("DATA011", file.name, what, "Unpack the file.")


def table_frames(table: RawTable, options: ImportOptions, kind: str | None = None) -> list[Frame]:
    """Raw columns as a frame of `kind`, or of the type that the header is nearest to; one for each of several symbols.

    Raises `DataError` DATA004 for a needed column that is missing, twice, or could be one of two.
    """
    table = _joined(table, options.columns.get("ts", ""))
    given = {ours: theirs for ours, theirs in options.columns.items() if ours != SYMBOL}
    chosen = guessed_kind(table.header, given) if kind is None else kind
    indices = matched_columns(
        SCHEMAS[chosen],
        table.header,
        given,
        place=table.header_place,
        wording=options.wording,
        is_text=isinstance(table, TextTable),
    )
    columns: Mapping[str, str] = {name: table.header[index] for name, index in indices.items()}
    whole = Frame(kind=chosen, table=table, columns=columns)
    index = symbol_column(table.header, options.columns, table.header_place)
    symbols = {} if index is None else symbols_of(table, index)
    if index is None or len(symbols) < SEVERAL:
        return [whole]
    return [
        replace(
            whole,
            table=SymbolRows(table, index, symbol, rows),
            hint=_hint(symbol),
            counts={"rows_of_other_symbols": sum(symbols.values()) - rows},
        )
        for symbol, rows in symbols.items()
    ]


def _hint(symbol: str) -> InstrumentHint:
    """`BTC/USDT` is known as `BTCUSDT`; of what venue it is, is not said."""
    plain = "".join(char for char in symbol if (char.isascii() and char.isalnum()) or char in "._-")
    return InstrumentHint(symbol=plain, raw_symbol=symbol)


def _joined(table: RawTable, name: str) -> RawTable:
    """The table with a column `date+time`, where the times are mapped to two columns of it."""
    first, plus, second = name.partition("+")
    header = list(table.header)
    if not plus or name in header or first not in header or second not in header:
        return table
    return JoinedTable(table, name, (header.index(first), header.index(second)))
