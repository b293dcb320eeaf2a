"""Small questions about whole columns: where a value is missing, below another, what was written at a row."""

from decimal import Context, Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from libra_ray.data.arrow_arrays import Mask, arrow_ints, int64s_of, mask_of
from libra_ray.data.decimal_texts import DIGITS_STANDARD, Decimals
from libra_ray.messages.schemas import decimal_type
from libra_ray.model.numbers import STANDARD_PRECISION_MAX

__all__ = ["is_below_zero", "is_less", "is_missing", "is_number_like", "matches", "shifted", "text_at"]


def is_missing(column: pa.Array) -> Mask:
    """Where a column has no value: null, or an empty text."""
    missing = ~mask_of(column.is_valid())
    if pa.types.is_string(column.type) and len(column):
        ends = np.frombuffer(column.buffers()[1], np.int32, len(column) + 1, column.offset * 4)
        missing |= ends[1:] == ends[:-1]
    return missing


def is_number_like(kind: pa.DataType) -> bool:
    """Whether a column of this type may hold numbers."""
    types = pa.types
    return bool(types.is_string(kind) or types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def matches(words: pa.Array, pattern: str) -> Mask:
    """Where a text is there and matches."""
    return mask_of(pc.match_substring_regex(words, pattern)) & mask_of(words.is_valid())


def text_at(column: pa.Array, index: int) -> str:
    """A value as it was read."""
    value = (
        column[index].as_py()
        if not pa.types.is_timestamp(column.type)
        else column[index : index + 1].cast(pa.string())[0]
    )
    return "" if value is None else str(value)


def is_below_zero(column: pa.Array, *, or_zero: bool) -> Mask:
    """Where decimals are negative, or not positive."""
    if pa.types.is_decimal64(column.type):
        raw = int64s_of(column)
        return raw <= 0 if or_zero else raw < 0
    rule = pc.less_equal if or_zero else pc.less
    return mask_of(rule(column, pa.scalar(Decimal(0), column.type)))


def is_less(left: pa.Array, right: pa.Array) -> Mask:
    """Where one decimal is below the other of its row."""
    if pa.types.is_decimal64(left.type):
        return int64s_of(left) < int64s_of(right)
    return mask_of(pc.less(left, right))


def shifted(read: Decimals, precision: int, shift: int) -> Decimals:
    """Integers of 10^-shift, read at scale 0, at `precision` decimals; half-even where decimals are lost."""
    raw = int64s_of(read.values)
    lost = large = np.zeros(len(raw), bool)
    if precision > STANDARD_PRECISION_MAX:
        exact = [Decimal(value).scaleb(-shift, Context(prec=60)) for value in raw.tolist()]
        values = pa.array(exact, decimal_type(precision))
    elif precision >= shift:
        factor = 10 ** (precision - shift)
        large = np.abs(raw) > (10**DIGITS_STANDARD - 1) // factor
        values = arrow_ints(np.where(large, 0, raw) * factor, decimal_type(precision))
    else:
        factor = 10 ** (shift - precision)
        whole, rest = np.divmod(raw, factor)
        up = (2 * rest > factor) | ((2 * rest == factor) & (whole % 2 == 1))
        lost = rest != 0
        values = arrow_ints(whole + up, decimal_type(precision))
    return Decimals(values, read.marked, read.malformed, read.too_large | large, read.inexact | lost)
