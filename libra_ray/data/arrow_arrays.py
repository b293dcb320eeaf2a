"""Arrow arrays of numpy values and back by their buffers, without a copy.

`pa.array`, `pa.scalar` and `to_numpy` do the same, but import pandas where it is installed: a quarter of a second and
40 MB in every process.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["Int64s", "Mask", "arrow_bools", "arrow_ints", "arrow_texts", "int64s_of", "mask_of"]

Int64s: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]


def arrow_bools(mask: Mask) -> pa.Array:
    """A mask as Arrow's bits."""
    bits = np.packbits(mask, bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(mask), [None, pa.py_buffer(bits)])


def arrow_ints(values: npt.NDArray[np.signedinteger], kind: pa.DataType | None = None) -> pa.Array:
    """Integers as an array of a type of their width: int64 unless said, a decimal64, a timestamp, an int8."""
    data = np.ascontiguousarray(values)
    return pa.Array.from_buffers(pa.int64() if kind is None else kind, len(data), [None, pa.py_buffer(data)])


def arrow_texts(texts: Sequence[bytes]) -> pa.Array:
    """Texts, as UTF-8 already, as an array of strings."""
    offsets = np.zeros(len(texts) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, texts), np.int32, len(texts)), out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(texts))]
    return pa.Array.from_buffers(pa.string(), len(texts), buffers)


def int64s_of(column: pa.Array) -> Int64s:
    """The 8-byte integers of an int64, timestamp or decimal64 array without nulls, read-only."""
    if not len(column):
        return np.empty(0, np.int64)
    return np.frombuffer(column.buffers()[1], np.int64, len(column), column.offset * 8)


def mask_of(column: pa.Array) -> Mask:
    """A boolean array without nulls as a mask. Copies: Arrow has bits, numpy bytes."""
    if not len(column):
        return np.empty(0, bool)
    bits = np.frombuffer(column.buffers()[1], np.uint8)
    mask: Mask = np.unpackbits(bits, bitorder="little")[column.offset : column.offset + len(column)].astype(bool)
    return mask
