"""Tables of several instruments: a column says whose each row is, and each instrument gets the rows of its own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from libra_ray.data.column_names import name_key
from libra_ray.data.raw_tables import RawBatch, RawTable
from libra_ray.data.text_cells import texts_of
from libra_ray.data.text_tables import TextTable
from libra_ray.errors import DataError, did_you_mean

__all__ = ["SYMBOL", "SymbolRows", "symbol_column", "symbols_of"]

SYMBOL: Final = "symbol"
"""What the column is called beside those of the types; it is not read into their rows."""
SYMBOLS_MAX, LETTERS_MAX = 1 << 17, 1 << 24
_NAMES: Final = (
    "symbol", "ticker", "sym", "instrument", "instrumentname", "instrumentid", "instid", "productid", "pair",
    "currencypair", "ric", "isin",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class SymbolRows:
    """The rows of `table` whose column number `index` holds `symbol`; they keep their places in the file."""

    table: RawTable
    index: int
    symbol: str
    rows: int
    header: Sequence[str] = field(init=False)
    header_place: str = field(init=False)
    column_type: Callable[[int], pa.DataType] | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "header", self.table.header)
        object.__setattr__(self, "header_place", self.table.header_place)
        object.__setattr__(self, "column_type", getattr(self.table, "column_type", None))

    def place(self, row: int) -> str:
        """As the table."""
        return self.table.place(row)

    def row_word(self, row: int) -> str:
        """As the table."""
        return self.table.row_word(row)

    def batches(self, indices: Sequence[int]) -> Iterator[RawBatch]:
        """The table's batches, with the numbers of the rows that are of the symbol."""
        for batch in self.table.batches([*indices, self.index]):
            *columns, symbols = batch.columns
            rows = np.arange(batch.first_row, batch.first_row + len(symbols)) if batch.rows is None else batch.rows
            chosen = pc.fill_null(pc.equal(_texts(symbols), self.symbol), fill_value=False)
            if chosen.true_count:
                kept = rows[np.asarray(pc.indices_nonzero(chosen), np.int64)]
                yield RawBatch(batch.first_row, [column.filter(chosen) for column in columns], kept)


def symbol_column(header: Sequence[str], given: Mapping[str, str], place: str) -> int | None:
    """The column that says of what instrument a row is: the one that was given, else one of the usual names.

    None where there is none, or an empty name says so. Raises `DataError` DATA004 for a given one that is not there.
    """
    keys = [name_key(name) for name in header]
    if SYMBOL not in given:
        return next((keys.index(name) for name in _NAMES if name in keys), None)
    wanted = given[SYMBOL]
    if not wanted:
        return None
    if wanted not in header and name_key(wanted) not in keys:
        raise DataError("DATA004", place, f"column '{wanted}' not found", did_you_mean(wanted, list(header)), wanted)
    return list(header).index(wanted) if wanted in header else keys.index(name_key(wanted))


def symbols_of(table: RawTable, index: int) -> dict[str, int]:
    """The symbols in that column in the order of their appearance, each with the number of its rows.

    Raises `DataError` DATA017 for more of them than a table of market data has.
    """
    type_of = getattr(table, "column_type", None)
    if type_of is not None and pa.types.is_nested(type_of(index)):
        return {}
    found: dict[str, int] = {}
    letters = 0
    read = table.cells if isinstance(table, TextTable) else table.batches
    for batch in read([index]):
        for each in pc.value_counts(_texts(texts_of(batch.columns[0]))).to_pylist():
            symbol = each["values"]
            letters += 0 if symbol in found else len(symbol)
            found[symbol] = found.get(symbol, 0) + each["counts"]
        if len(found) > SYMBOLS_MAX or letters > LETTERS_MAX:
            what = f"column '{table.header[index]}' has more than {SYMBOLS_MAX:,} different values, or too long ones"
            raise DataError("DATA017", table.header_place, what, "Map another column to 'symbol', or none.")
    return found


def _texts(symbols: pa.Array) -> pa.Array:
    """As texts, of which an empty one and none at all are the same."""
    texts = symbols if pa.types.is_string(symbols.type) else symbols.cast(pa.string())
    return pc.fill_null(texts, "")
