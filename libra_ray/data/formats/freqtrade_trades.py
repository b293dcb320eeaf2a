"""Freqtrade's trades as JSON: a list of `[milliseconds, id, type, side, price, amount, cost]`."""

from decimal import Decimal
from typing import Annotated, Final

import msgspec
import numpy as np
import pyarrow as pa

from libra_ray.data.arrow_arrays import arrow_ints
from libra_ray.data.formats.columns_table import ColumnsTable
from libra_ray.data.raw_files import RawFile
from libra_ray.errors import DataError

__all__ = ["trades_table"]

_Milliseconds = Annotated[int, msgspec.Meta(ge=-(10**13), le=10**13)]
_Id = str | int | None
_Row = tuple[_Milliseconds, _Id, str | None, str, Decimal | None, Decimal | None, Decimal | None]
_SIDE, _PRICE, _AMOUNT = 3, 4, 5
_TEXTS: Final = {"side": _SIDE, "price": _PRICE, "amount": _AMOUNT}


def trades_table(file: RawFile) -> ColumnsTable:
    """The columns `timestamp`, in milliseconds, `side`, `price` and `amount`; numbers have the digits of the file.

    Raises `DataError` DATA008 for no row, DATA011 for other JSON or rows of other forms.
    """
    with file.stream() as stream:
        data = stream.read()
    try:
        rows = msgspec.json.decode(data, type=list[_Row])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        what = f"is no list of [milliseconds, id, type, side, price, amount, cost] ({error})"
        raise DataError("DATA011", file.name, what, "Correct the file.") from error
    if not rows:
        raise DataError("DATA008", file.name, "0 data rows", "Check the file or the date range.")
    columns = {"timestamp": arrow_ints(np.array([row[0] for row in rows], np.int64))}
    for name, at in _TEXTS.items():
        columns[name] = pa.array([None if row[at] is None else str(row[at]) for row in rows], pa.string())
    return ColumnsTable(file.name, columns)
