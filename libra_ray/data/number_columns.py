"""Columns of numbers, whatever holds them, to decimals of a scale: exactly, and by the fastest way that is exact."""

from decimal import Context, Decimal
from typing import Final

import numpy as np
import pyarrow as pa

from libra_ray.data.arrow_arrays import Int64s, Mask, arrow_ints, int64s_of
from libra_ray.data.decimal_texts import DIGITS_STANDARD, Decimals, decimals_of_texts
from libra_ray.data.text_cells import Cells, Column, texts_of
from libra_ray.messages.schemas import decimal_type
from libra_ray.model.numbers import STANDARD_PRECISION_MAX

__all__ = ["decimals_of"]

FLOAT_DIGITS: Final = 15
"""So many digits of a float stand for one decimal only."""
LIMIT: Final = 10**DIGITS_STANDARD - 1


def decimals_of(
    column: Column, precision: int, *, decimal: str = ".", thousands: str = "", shift: int = 0, wide: bool = False
) -> Decimals:
    """The numbers at `precision` decimals; `shift` decimals of the file's integers are implied.

    With `wide` there are at most 18 digits at any precision. Floats stand for the shortest text that gives them.
    """
    if shift:
        return _shifted(decimals_of(column, 0, decimal=decimal, thousands=thousands), precision, shift)
    if precision <= STANDARD_PRECISION_MAX or wide:
        fast = _fast(column, precision, decimal, thousands)
        if fast is not None:
            values, odd = fast
            return _completed(column, values, odd, precision, decimal, thousands)
    if isinstance(column, Cells) or pa.types.is_string(column.type):
        return decimals_of_texts(texts_of(column), precision, decimal=decimal, thousands=thousands, wide=wide)
    return decimals_of_texts(column.cast(pa.string()), precision, wide=wide)


def _fast(column: Column, precision: int, decimal: str, thousands: str) -> tuple[Int64s, Mask] | None:
    """Raw integers, and where they were not found so; None for columns that have no such way."""
    if isinstance(column, Cells):
        return None if thousands else column.decimals(precision, decimal)
    kind = column.type
    if pa.types.is_integer(kind) and not pa.types.is_uint64(kind):
        numbers = int64s_of(column.cast(pa.int64()))
        limit = LIMIT // 10**precision
        odd = (numbers > limit) | (numbers < -limit)
        return np.where(odd, 0, numbers) * 10**precision, odd
    if pa.types.is_decimal64(kind):
        return _rescaled(int64s_of(column), kind.scale, precision)
    if pa.types.is_float64(kind):
        floats = np.frombuffer(column.buffers()[1], np.float64, len(column), column.offset * 8)
        with np.errstate(all="ignore"):
            nearest = np.rint(floats * 10.0**precision)
            odd = ~((np.abs(nearest) < 10.0**FLOAT_DIGITS) & (nearest / 10.0**precision == floats))
        return np.where(odd, 0.0, nearest).astype(np.int64), odd
    return None


def _rescaled(raw: Int64s, scale: int, precision: int) -> tuple[Int64s, Mask]:
    """Decimals of one scale at another; odd where digits would be lost or there are too many."""
    if scale <= precision:
        factor = 10 ** (precision - scale)
        odd = (raw > LIMIT // factor) | (raw < -(LIMIT // factor))
        return np.where(odd, 0, raw) * factor, odd
    factor = 10 ** (scale - precision)
    whole = raw // factor
    return whole, whole * factor != raw


def _completed(column: Column, values: Int64s, odd: Mask, precision: int, decimal: str, thousands: str) -> Decimals:
    """What was read the fast way, with the odd rows read as texts."""
    none = np.zeros(len(values), bool)
    kind = decimal_type(precision, wide=True)
    if not odd.any():
        return Decimals(arrow_ints(values, kind), none, none, none, none)
    if isinstance(column, Cells):
        texts = column.filter(odd).texts()
    else:
        texts, decimal, thousands = column.take(arrow_ints(np.flatnonzero(odd))).cast(pa.string()), ".", ""
    read = decimals_of_texts(texts, precision, decimal=decimal, thousands=thousands, wide=True)
    values[odd] = int64s_of(read.values)
    masks = []
    for mask in (read.marked, read.malformed, read.too_large, read.inexact):
        whole = none.copy()
        whole[odd] = mask
        masks.append(whole)
    return Decimals(arrow_ints(values, kind), *masks)


def _shifted(read: Decimals, precision: int, shift: int) -> Decimals:
    """Integers of 10^-shift, read at scale 0, at `precision` decimals; half-even where decimals are lost."""
    raw = int64s_of(read.values)
    lost = large = np.zeros(len(raw), bool)
    if precision > STANDARD_PRECISION_MAX:
        exact = [Decimal(value).scaleb(-shift, Context(prec=60)) for value in raw.tolist()]
        values = pa.array(exact, decimal_type(precision))
    elif precision >= shift:
        factor = 10 ** (precision - shift)
        large = np.abs(raw) > LIMIT // factor
        values = arrow_ints(np.where(large, 0, raw) * factor, decimal_type(precision))
    else:
        factor = 10 ** (shift - precision)
        whole, rest = np.divmod(raw, factor)
        up = (2 * rest > factor) | ((2 * rest == factor) & (whole % 2 == 1))
        lost = rest != 0
        values = arrow_ints(whole + up, decimal_type(precision))
    return Decimals(values, read.marked, read.malformed, read.too_large | large, read.inexact | lost)
