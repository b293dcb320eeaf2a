"""Arrow columns as numpy arrays and back, straight from their buffers.

Arrow's own `to_numpy` and `array` load pandas where it is installed (half a second), and its cast of decimals costs
200 ns a value; a sweep asks for figures thousands of times. Values come out as floats: they are for statistics
and pictures, never for accounting.
"""

from collections.abc import Iterator
from typing import Final, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["arrow", "decimal_sum", "floats", "integers", "is_valid", "texts"]

Column: TypeAlias = pa.ChunkedArray | pa.Array
Scalar = TypeVar("Scalar", bound=np.generic)

SCALE = 18
ONE_RAW: Final = 10**SCALE
# 2**64 = 18 * 10**18 + 446_744_073 * 10**9 + 709_551_616: a high limb in units of one, 10**-9 and 10**-18.
LIMB_ONES, LIMB_NANOS, LIMB_ATTOS = 18, 446_744_073, 709_551_616
NANO_RAW = 10**9
# From here on a product with LIMB_NANOS or LIMB_ATTOS leaves 64 bits (values over 1.5e11 at scale 18).
HIGH_LIMB_MAX = 2**33
# Up to here each integer is a float, so an integer divided by a power of ten is rounded once.
EXACT_MAX: Final = 2**53
DIGITS: Final = (2, 4, 6, 9)
LOW_32 = np.uint64(0xFFFF_FFFF)
WORD_BITS = np.uint64(32)


def floats(column: Column) -> npt.NDArray[np.float64]:
    """Read a numeric column (decimals, integers or floats) as float64, null as NaN.

    Decimals come out as the nearest float. Fast for columns of up to 9 decimals that fit 53 bits (cents to 9e13, prices
    of 9 decimals to 9e6), 10 times slower for others.
    """
    return _joined([_floats(chunk) for chunk in _chunks(column)], np.float64)


def integers(column: Column, *, null: int = 0) -> npt.NDArray[np.int64]:
    """Read an int64 column, null as `null`. One chunk without nulls is read in place and is read-only."""
    return _joined([_integers(chunk, null) for chunk in _chunks(column)], np.int64)


def is_valid(column: Column) -> npt.NDArray[np.bool_]:
    """Tell which rows are not null."""
    return _joined([~_null_mask(chunk) for chunk in _chunks(column)], np.bool_)


def texts(column: Column) -> list[str | None]:
    """Read a text column as a list, dictionary-encoded or not."""
    values: list[str | None] = column.to_pylist()
    return values


def decimal_sum(column: Column) -> float:
    """Add up a decimal128(38, 18) column exactly, then round once to a float. Nulls count for nothing."""
    total_raw = 0
    for chunk in _chunks(column):
        low, high = _limbs(chunk)
        kept = ~_null_mask(chunk)
        low, high = low[kept], high[kept]
        total_raw += int((low & LOW_32).sum(dtype=np.uint64)) + (int((low >> WORD_BITS).sum(dtype=np.uint64)) << 32)
        total_raw += int(high.sum(dtype=np.int64)) << 64
    return float(total_raw / ONE_RAW)


def arrow(
    values: npt.NDArray[Scalar],
    *,
    valid: npt.NDArray[np.bool_] | None = None,
) -> pa.Array:
    """Make a column of the same type (float64, int64, int32 or boolean), null where not `valid`."""
    nulls = None if valid is None else _bits(valid)
    if values.dtype == np.bool_:
        return pa.Array.from_buffers(pa.bool_(), values.size, [nulls, _bits(values.astype(np.bool_))])
    data = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), values.size, [nulls, data])


def _bits(mask: npt.NDArray[np.bool_]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(mask, bitorder="little"))


def _chunks(column: Column) -> Iterator[pa.Array]:
    if isinstance(column, pa.ChunkedArray):
        yield from column.chunks
    else:
        yield column


def _joined(parts: list[npt.NDArray[Scalar]], dtype: type[Scalar]) -> npt.NDArray[Scalar]:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.empty(0, dtype)


def _null_mask(chunk: pa.Array) -> npt.NDArray[np.bool_]:
    if chunk.null_count == 0:
        return np.zeros(len(chunk), np.bool_)
    bits = np.frombuffer(chunk.buffers()[0], np.uint8)
    valid = np.unpackbits(bits, bitorder="little")[chunk.offset : chunk.offset + len(chunk)]
    return np.logical_not(valid)


def _words(chunk: pa.Array, dtype: type[Scalar], *, width: int = 1) -> npt.NDArray[Scalar]:
    if len(chunk) == 0:
        return np.empty(0, dtype)
    start = chunk.offset * width
    return np.frombuffer(chunk.buffers()[1], dtype)[start : start + len(chunk) * width]


def _is_plain_decimal(chunk: pa.Array) -> bool:
    return bool(pa.types.is_decimal128(chunk.type) and chunk.type.scale == SCALE)


def _limbs(chunk: pa.Array) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    plain = chunk if _is_plain_decimal(chunk) else chunk.cast(pa.decimal128(38, SCALE))
    words = _words(plain, np.uint64, width=2)
    return words[0::2], words[1::2].view(np.int64)


def _floats(chunk: pa.Array) -> npt.NDArray[np.float64]:
    if pa.types.is_decimal(chunk.type):
        values = _decimal_floats(chunk)
    elif pa.types.is_float64(chunk.type):
        values = _words(chunk, np.float64)
    else:
        values = _words(chunk.cast(pa.float64()), np.float64)
    return np.where(_null_mask(chunk), np.nan, values) if chunk.null_count else values


def _decimal_floats(chunk: pa.Array) -> npt.NDArray[np.float64]:
    """Round each value once. Dividing one 128-bit number made of floats, or adding whole and fraction, rounds twice."""
    low, high = _limbs(chunk)
    if np.abs(high).max(initial=0) < HIGH_LIMB_MAX:
        ones, fraction_raw = _whole_and_fraction(low, high)
        largest = int(np.abs(ones).max(initial=0)) + 1
        for digits in DIGITS:
            unit_raw = 10 ** (SCALE - digits)
            if largest * 10**digits < EXACT_MAX and not np.any(fraction_raw % unit_raw):
                exact: npt.NDArray[np.float64] = (ones * 10**digits + fraction_raw // unit_raw) / 10**digits
                return exact
    wide = zip(high.tolist(), low.tolist(), strict=True)
    return np.array([((upper << 64) + lower) / ONE_RAW for upper, lower in wide], np.float64)


def _whole_and_fraction(
    low: npt.NDArray[np.uint64], high: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Split into the whole part, towards minus infinity, and 0 <= fraction < ONE_RAW, each in 64 bits."""
    low_ones, low_raw = low // np.uint64(ONE_RAW), (low % np.uint64(ONE_RAW)).astype(np.int64)
    nano_ones, nanos = np.divmod(high * LIMB_NANOS, NANO_RAW)
    atto_ones, attos = np.divmod(high * LIMB_ATTOS, ONE_RAW)
    carry, fraction_raw = np.divmod(low_raw + nanos * NANO_RAW + attos, ONE_RAW)
    return high * LIMB_ONES + low_ones.astype(np.int64) + nano_ones + atto_ones + carry, fraction_raw


def _integers(chunk: pa.Array, null: int) -> npt.NDArray[np.int64]:
    values = _words(chunk if pa.types.is_int64(chunk.type) else chunk.cast(pa.int64()), np.int64)
    return np.where(_null_mask(chunk), null, values) if chunk.null_count else values
