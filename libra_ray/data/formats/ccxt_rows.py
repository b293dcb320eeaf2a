"""Rows of CCXT's `fetch_ohlcv`: `[milliseconds, open, high, low, close, volume]`, in a JSON file or a list.

A row is stamped with its open. Numbers keep the digits that they are written with; those of a list are Python's own
shortest texts of floats.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from libra_ray.data.arrow_arrays import arrow_ints
from libra_ray.data.formats.columns_table import ColumnsTable
from libra_ray.data.formats.frames import Frame, Head
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.raw_files import RawFile
from libra_ray.errors import DataError, quoted

__all__ = ["FORMAT", "NAMES", "candles_table", "frame_of_rows"]

NAMES: Final = ("open", "high", "low", "close", "volume")
FIELDS: Final = 6
_START: Final = re.compile(rb"\[\s*\[\s*\d{11,16}\s*,\s*(?:-?[\d.eE+-]+|null)\s*,")
_SPACE: Final = b" \t\r\n"
_Number = float | int | None
_Milliseconds = Annotated[int, msgspec.Meta(ge=-(10**13), le=10**13)]
"""Some three hundred years around 1970."""

_Row = tuple[_Milliseconds, _Number, _Number, _Number, _Number, _Number]


class CcxtRows:
    """The format of saved `fetch_ohlcv` answers."""

    name = "ccxt-rows"

    def matches(self, head: Head) -> bool:
        """Whether the file begins with a list of a time and numbers."""
        return _START.match(head.first.lstrip(_SPACE)) is not None

    def frames(self, file: RawFile, options: ImportOptions) -> list[Frame]:  # noqa: ARG002  # nothing depends on them
        """Bars. Raises as `candles_table` does."""
        return [_frame(candles_table(file), "")]


def candles_table(file: RawFile) -> ColumnsTable:
    """The rows of a JSON file, with the columns `ts`, in milliseconds, and `NAMES`, as they are written.

    Raises `DataError` DATA008 for no row, DATA011 for other JSON or rows of other lengths.
    """
    with file.stream() as stream:
        data = stream.read()
    try:
        rows = msgspec.json.decode(data, type=list[_Row])
    except msgspec.MsgspecError as error:
        what = f"is no list of [milliseconds, open, high, low, close, volume] ({error})"
        raise DataError("DATA011", file.name, what, "Correct the file.") from error
    if not rows:
        raise DataError("DATA008", file.name, "0 data rows", "Check the file or the date range.")
    times = arrow_ints(np.array([row[0] for row in rows], np.int64))
    lines = data.translate(None, _SPACE).removeprefix(b"[[").removesuffix(b"]]").replace(b"],[", b"\n")
    read = pa_csv.read_csv(
        pa.py_buffer(lines),
        pa_csv.ReadOptions(column_names=["ts", *NAMES], use_threads=False),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(("ts", *NAMES), pa.string()), null_values=["null"], strings_can_be_null=True
        ),
    )
    return ColumnsTable(file.name, {"ts": times, **{name: _joined(read.column(name)) for name in NAMES}})


def frame_of_rows(rows: Iterable[Sequence[Any]], *, name: str = "rows", period: str = "") -> Frame:
    """Bars of a list as `fetch_ohlcv` gives it.

    Raises `DataError` DATA008 for no row, DATA011 for a row of another form; it is named by its number, from 0.
    """
    times: list[int] = []
    texts: list[list[str | None]] = [[] for _ in NAMES]
    for number, row in enumerate(rows):
        if not isinstance(row, Sequence) or isinstance(row, str) or len(row) != FIELDS:
            what = f"{quoted(row)} is not [milliseconds, open, high, low, close, volume]"
            raise DataError("DATA011", f"{name} row {number:,}", what, "Give rows of CCXT's fetch_ohlcv.", str(row))
        time = row[0]
        if isinstance(time, bool) or not isinstance(time, int | np.integer):
            what = f"time {quoted(time)} is not a whole number of milliseconds"
            raise DataError("DATA009", f"{name} row {number:,}", what, "Correct the value.", str(time))
        times.append(int(time))
        for column, value in zip(texts, row[1:], strict=True):
            column.append(None if value is None else str(float(value) if isinstance(value, np.floating) else value))
    if not times:
        raise DataError("DATA008", name, "0 data rows", "Check the date range.")
    columns = {"ts": arrow_ints(np.array(times, np.int64))}
    columns |= {each: pa.array(column, pa.string()) for each, column in zip(NAMES, texts, strict=True)}
    return _frame(ColumnsTable(name, columns), period)


def _joined(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks)


def _frame(table: ColumnsTable, period: str) -> Frame:
    columns = {name: name for name in ("ts", *NAMES)}
    declared = {"ts_unit": "ms", "tz": "UTC", "stamp": "open"}
    return Frame(kind="bars", table=table, columns=columns, declared=declared, period=period)


FORMAT: Final = CcxtRows()
