"""Market data: one schema object per type, from which Arrow, numpy, rows and documentation are derived.

A batch is an Arrow table of one instrument. Prices and sizes are decimal columns at the instrument's own decimals; in
standard precision (at most 9) they are `decimal64`, whose 8-byte integers are read without a copy.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import repeat
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from libra_ray.errors import ConfigError, quoted
from libra_ray.messages.rows import (
    RATE_PRECISION,
    Bar,
    BookDelta,
    BookSnapshotRow,
    Dividend,
    FundingRate,
    InstrumentStatusChange,
    MarkPrice,
    Quote,
    Row,
    RowSpec,
    Split,
    Trade,
)
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import STANDARD_PRECISION_MAX

__all__ = [
    "BARS",
    "BOOK_DELTAS",
    "BOOK_SNAPSHOTS",
    "DIVIDENDS",
    "FUNDING_RATES",
    "INSTRUMENT_STATUS",
    "LAST_IN_MESSAGE",
    "MARK_PRICES",
    "QUOTES",
    "SCHEMAS",
    "SPLITS",
    "TRADES",
    "Bar",
    "BookDelta",
    "BookSnapshotRow",
    "Dividend",
    "Field",
    "FundingRate",
    "InstrumentStatusChange",
    "MarkPrice",
    "Quote",
    "Row",
    "RowSpec",
    "Schema",
    "Split",
    "Trade",
    "raw_column",
    "register_schema",
    "schema_named",
]

LAST_IN_MESSAGE: Final = 1
"""The bit of `flags` that ends a venue's message: rows up to it are applied together."""


class Kind(StrEnum):
    """What a column holds, which decides its Arrow type and the name of its raw integers."""

    TIME = "time"
    PRICE = "price"
    SIZE = "size"
    RATE = "rate"
    CODE = "code"
    COUNT = "count"
    TEXT = "text"


@dataclass(frozen=True)
class Field:
    """One column: its name, what it holds, what it means."""

    name: str
    kind: Kind
    meaning: str

    @property
    def raw_name(self) -> str:
        """The name in rows and arrays: scaled integers end in `_raw`."""
        return f"{self.name}_raw" if self.kind in (Kind.PRICE, Kind.SIZE, Kind.RATE) else self.name


class Schema:
    """One data type. From its fields come the Arrow schema, the numpy dtype, the rows and the documentation."""

    def __init__(self, name: str, row: type[Row], *fields: Field) -> None:
        self.name = name
        self.row = row
        self.fields = (
            Field("ts_init_ns", Kind.TIME, "when it could be known here; orders the replay"),
            Field("ts_event_ns", Kind.TIME, "the venue's own time; of a bar, its close"),
            *fields,
        )
        self.names = tuple(field.name for field in self.fields)

    def __repr__(self) -> str:
        return f"Schema({self.name})"

    def arrow(self, instrument: Instrument, *, period: str = "") -> pa.Schema:
        """The Arrow schema of this instrument's batches, with the instrument in the metadata."""
        types = {
            Kind.TIME: pa.int64(),
            Kind.PRICE: decimal_type(instrument.price_precision),
            Kind.SIZE: decimal_type(instrument.size_precision),
            Kind.RATE: decimal_type(RATE_PRECISION, wide=True),
            Kind.CODE: pa.int8(),
            Kind.COUNT: pa.int64(),
            Kind.TEXT: pa.string(),
        }
        metadata = {"libra.type": self.name, "libra.instrument_id": instrument.id, "libra.period": period}
        return pa.schema([pa.field(f.name, types[f.kind], nullable=False) for f in self.fields], metadata=metadata)

    @property
    def numpy(self) -> np.dtype[Any]:
        """The record dtype of standard precision: every column an int64, decimals as `<name>_raw`."""
        return np.dtype([(f.raw_name, np.int64) for f in self.fields])

    @property
    def documentation(self) -> str:
        """A Markdown table of the columns."""
        lines = ["| column | holds | meaning |", "| --- | --- | --- |"]
        return "\n".join([*lines, *(f"| `{f.name}` | {f.kind} | {f.meaning} |" for f in self.fields)])

    def table(self, instrument: Instrument, columns: Mapping[str, npt.ArrayLike], *, period: str = "") -> pa.Table:
        """A batch from raw integers by column name (`open`, `bid_px`, ...). `ts_event_ns` defaults to `ts_init_ns`.

        Copies each column once at most. Raises `KeyError` for a missing column.
        """
        schema = self.arrow(instrument, period=period)
        given = dict(columns)
        given.setdefault("ts_event_ns", given["ts_init_ns"])
        given.setdefault("ts_init_ns", given["ts_event_ns"])
        arrays = [_arrow_array(given[field.name], field.type) for field in schema]
        return pa.Table.from_arrays(arrays, schema=schema)

    def rows(self, spec: RowSpec, table: pa.Table) -> Iterator[Row]:
        """Row views of a batch, built one by one as they are asked for."""
        return map(self.row, repeat(spec), *(_raw_list(table, name) for name in self.names))


def decimal_type(precision: int, *, wide: bool = False) -> pa.DataType:
    """`decimal64(18, n)` up to 9 decimals, `decimal128(38, n)` above."""
    return pa.decimal64(18, precision) if precision <= STANDARD_PRECISION_MAX or wide else pa.decimal128(38, precision)


def _arrow_array(values: npt.ArrayLike, kind: pa.DataType) -> pa.Array:
    """Raw integers as an Arrow array: 8-byte columns take numpy's memory as it is."""
    if pa.types.is_decimal128(kind):
        ints = values if isinstance(values, list) else np.asarray(values, dtype=object).tolist()
        buffer = b"".join(int(value).to_bytes(16, "little", signed=True) for value in ints)
        return pa.Array.from_buffers(kind, len(ints), [None, pa.py_buffer(buffer)])
    if pa.types.is_decimal64(kind):
        data = np.ascontiguousarray(values, dtype=np.int64)
        return pa.Array.from_buffers(kind, len(data), [None, pa.py_buffer(data)])
    if pa.types.is_string(kind):
        return pa.array(values, kind)
    return pa.array(np.ascontiguousarray(values, dtype=kind.to_pandas_dtype()), kind)


def raw_column(table: pa.Table | pa.RecordBatch, name: str) -> npt.NDArray[np.int64] | list[int]:
    """A column's raw integers: a read-only int64 view without a copy, or a list of Python ints in high precision.

    A table of several chunks is joined first (one copy). Raises `KeyError` for an unknown column.
    """
    column = _in_one_piece(table.column(name))
    kind, buffer = column.type, column.buffers()[1]
    start, count = column.offset, len(column)
    if pa.types.is_decimal128(kind):
        data = memoryview(buffer)[start * 16 : (start + count) * 16]
        return [int.from_bytes(data[at : at + 16], "little", signed=True) for at in range(0, count * 16, 16)]
    if buffer is None:
        return np.empty(0, np.int64)
    dtype = np.dtype(np.int8 if pa.types.is_int8(kind) else np.int64)
    view = np.frombuffer(buffer, dtype=dtype, count=count, offset=start * dtype.itemsize)
    if dtype != np.int64:
        view = view.astype(np.int64)
    view.flags.writeable = False
    return view


def _raw_list(table: pa.Table | pa.RecordBatch, name: str) -> list[int]:
    """The same as a list, whatever the precision: of a few rows in a third of the time."""
    column = _in_one_piece(table.column(name))
    if pa.types.is_decimal128(column.type):
        return list(raw_column(table, name))
    buffer, start = column.buffers()[1], column.offset
    values = memoryview(buffer or b"").cast("b" if pa.types.is_int8(column.type) else "q")
    return values[start : start + len(column)].tolist()


def _in_one_piece(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


BARS = Schema(
    "bars",
    Bar,
    Field("open", Kind.PRICE, "first price"),
    Field("high", Kind.PRICE, "highest price"),
    Field("low", Kind.PRICE, "lowest price"),
    Field("close", Kind.PRICE, "last price"),
    Field("volume", Kind.SIZE, "traded quantity"),
)
QUOTES = Schema(
    "quotes",
    Quote,
    Field("bid_px", Kind.PRICE, "best bid"),
    Field("ask_px", Kind.PRICE, "best ask"),
    Field("bid_qty", Kind.SIZE, "size shown at the best bid"),
    Field("ask_qty", Kind.SIZE, "size shown at the best ask"),
)
TRADES = Schema(
    "trades",
    Trade,
    Field("price", Kind.PRICE, "traded price"),
    Field("qty", Kind.SIZE, "traded quantity"),
    Field("aggressor", Kind.CODE, "0 unknown, 1 buyer, 2 seller"),
)
BOOK_DELTAS = Schema(
    "book_deltas",
    BookDelta,
    Field("action", Kind.CODE, "1 add, 2 update, 3 delete, 4 clear"),
    Field("side", Kind.CODE, "1 bid, 2 ask"),
    Field("price", Kind.PRICE, "the level"),
    Field("qty", Kind.SIZE, "new total of the level, or size of the order"),
    Field("order_id", Kind.COUNT, "the order in an L3 book, else 0"),
    Field("flags", Kind.CODE, "bit 1: last row of the venue's message"),
)
BOOK_SNAPSHOTS = Schema(
    "book_snapshots",
    BookSnapshotRow,
    Field("side", Kind.CODE, "1 bid, 2 ask"),
    Field("level", Kind.COUNT, "0 is the best"),
    Field("price", Kind.PRICE, "the level"),
    Field("qty", Kind.SIZE, "size at the level"),
    Field("flags", Kind.CODE, "bit 1: last row of the snapshot"),
)
FUNDING_RATES = Schema("funding_rates", FundingRate, Field("rate", Kind.RATE, "fraction of the notional at mark"))
MARK_PRICES = Schema("mark_prices", MarkPrice, Field("price", Kind.PRICE, "the venue's mark price"))
SPLITS = Schema(
    "splits",
    Split,
    Field("new_shares", Kind.COUNT, "shares after it"),
    Field("old_shares", Kind.COUNT, "for so many before"),
)
DIVIDENDS = Schema("dividends", Dividend, Field("amount", Kind.RATE, "cash per share, in quote currency"))
INSTRUMENT_STATUS = Schema(
    "instrument_status",
    InstrumentStatusChange,
    Field("status", Kind.CODE, "1 pre-open, 2 trading, 3 halted, 4 auction, 5 closed"),
)

SCHEMAS: Final[dict[str, Schema]] = {
    schema.name: schema
    for schema in (
        *(BARS, QUOTES, TRADES, BOOK_DELTAS, BOOK_SNAPSHOTS, FUNDING_RATES, MARK_PRICES),
        *(SPLITS, DIVIDENDS, INSTRUMENT_STATUS),
    )
}


def register_schema(schema: Schema) -> Schema:
    """Make a data type of your own known by its name, to catalogs and to datasets on disk; returns it.

    Raises `ConfigError` CONF007 where another type has that name.
    """
    if SCHEMAS.setdefault(schema.name, schema) is not schema:
        what = f"a data type {quoted(schema.name)} is there already"
        raise ConfigError("CONF007", None, what, "Give it another name.", schema.name)
    return schema


def schema_named(name: str) -> Schema:
    """The data type of that name. Raises `ConfigError` CONF008 for one that nobody has registered."""
    schema = SCHEMAS.get(name)
    if schema is None:
        fix = "Register it by register_schema before it is read."
        raise ConfigError("CONF008", None, f"data of the type {quoted(name)}, which is not known", fix, name)
    return schema
