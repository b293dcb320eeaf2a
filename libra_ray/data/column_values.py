"""Small questions about whole columns: where a value is missing, below another, what was written at a row."""

from decimal import Decimal
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from libra_ray.data.arrow_arrays import Mask, arrow_bools, arrow_texts, int64s_of, mask_of
from libra_ray.data.text_cells import Cells, Column

__all__ = ["filtered", "is_below_zero", "is_less", "is_missing", "is_number_like", "is_zero", "text_at"]

NO_VALUES: Final = arrow_texts(b"nan NaN NAN null NULL Null None NA N/A n/a <NA> NaT".split())
"""Texts by which programs say that there is no value."""


def is_missing(column: Column) -> Mask:
    """Where a column has no value: null, not a number, an empty text, or a text that says so."""
    if isinstance(column, Cells):
        if not column.doubtful:
            return np.zeros(len(column), bool)
        missing = column.empty()
        suspects = column.suspects()
        if suspects.any():
            missing[suspects] = mask_of(pc.is_in(column.filter(suspects).texts(), NO_VALUES))
        return missing
    missing = ~mask_of(column.is_valid()) if column.null_count else np.zeros(len(column), bool)
    if pa.types.is_string(column.type) and len(column):
        ends = np.frombuffer(column.buffers()[1], np.int32, len(column) + 1, column.offset * 4)
        missing |= ends[1:] == ends[:-1]
        missing |= mask_of(pc.is_in(column, NO_VALUES))
    elif pa.types.is_floating(column.type):
        missing |= mask_of(pc.is_nan(column))
    return missing


def filtered(column: Column, mask: Mask) -> Column:
    """The rows where the mask is true."""
    return column.filter(mask) if isinstance(column, Cells) else column.filter(arrow_bools(mask))


def is_number_like(kind: pa.DataType) -> bool:
    """Whether a column of this type may hold numbers."""
    types = pa.types
    return bool(types.is_string(kind) or types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def text_at(column: Column, index: int) -> str:
    """A value as it was read."""
    if isinstance(column, Cells):
        return column.text(index)
    if pa.types.is_timestamp(column.type) or pa.types.is_floating(column.type):
        column, index = column[index : index + 1].cast(pa.string()), 0
    try:
        value = column[index].as_py()
    except ArithmeticError:  # a damaged decimal, of more digits than its type has: the integer that it is
        width, at = column.type.byte_width, column.offset + index
        value = int.from_bytes(memoryview(column.buffers()[1])[at * width :][:width], "little", signed=True)
    return "" if value is None else str(value)


def is_below_zero(column: pa.Array, *, or_zero: bool) -> Mask:
    """Where decimals or integers are negative, or not positive."""
    if pa.types.is_decimal128(column.type):
        rule = pc.less_equal if or_zero else pc.less
        return mask_of(rule(column, pa.scalar(Decimal(0), column.type)))
    raw = int64s_of(column)
    return raw <= 0 if or_zero else raw < 0


def is_zero(column: pa.Array) -> Mask:
    """Where decimals or integers are 0."""
    return is_below_zero(column, or_zero=True) & ~is_below_zero(column, or_zero=False)


def is_less(left: pa.Array, right: pa.Array) -> Mask:
    """Where one decimal is below the other of its row."""
    if pa.types.is_decimal64(left.type):
        return int64s_of(left) < int64s_of(right)
    return mask_of(pc.less(left, right))
