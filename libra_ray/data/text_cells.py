"""A column of a block of delimited text that is not yet cut into texts: the block, and where each cell lies in it."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from libra_ray.data.arrow_arrays import Int64s, Mask

__all__ = ["Cells", "Column", "texts_of"]

Bytes: TypeAlias = npt.NDArray[np.uint8]
Spans: TypeAlias = npt.NDArray[np.int32]


class Cells:
    """Texts as spans of one block. What is asked of them is read by compiled code; odd ones become Arrow texts.

    Attributes:
        doubtful: whether some cell may stand for no value.

    """

    def __init__(self, data: Bytes, starts: Spans, ends: Spans, *, doubtful: bool) -> None:
        self._data, self._starts, self._ends = data, starts, ends
        self.doubtful = doubtful

    def __len__(self) -> int:
        """How many cells."""
        return len(self._starts)

    def text(self, index: int) -> str:
        """One cell as it was read."""
        return bytes(self._data[self._starts[index] : self._ends[index]]).decode()

    def filter(self, mask: Mask) -> "Cells":
        """The cells where the mask is true."""
        return Cells(self._data, self._starts[mask], self._ends[mask], doubtful=self.doubtful)

    def empty(self) -> Mask:
        """Where a cell holds nothing."""
        mask: Mask = self._starts == self._ends
        return mask

    def suspects(self) -> Mask:
        """Where a cell begins as a text that stands for no value does."""
        from libra_ray.data.formats.cell_scan import find_suspects

        mask = np.empty(len(self), bool)
        find_suspects(self._data, self._starts, self._ends, mask)
        return mask

    def texts(self) -> pa.Array:
        """All cells as Arrow texts, by a copy."""
        from libra_ray.data.formats.cell_scan import pack_texts

        offsets = np.zeros(len(self) + 1, np.int32)
        np.cumsum(self._ends - self._starts, out=offsets[1:])
        packed = np.empty(int(offsets[-1]), np.uint8)
        pack_texts(self._data, self._starts, self._ends, packed)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(packed)]
        return pa.Array.from_buffers(pa.string(), len(self), buffers)

    def decimals(self, precision: int, point: str) -> tuple[Int64s, Mask]:
        """Raw integers at `precision` (at most 9) decimals, and where a cell is no plain number of that many."""
        from libra_ray.data.formats.cell_scan import read_decimals

        values, odd = np.empty(len(self), np.int64), np.empty(len(self), bool)
        read_decimals(self._data, self._starts, self._ends, precision, ord(point), values, odd)
        return values, odd

    def integers(self) -> tuple[Int64s, Mask]:
        """Whole numbers of 1 to 18 digits, and where a cell is none."""
        from libra_ray.data.formats.cell_scan import read_integers

        values, odd = np.empty(len(self), np.int64), np.empty(len(self), bool)
        read_integers(self._data, self._starts, self._ends, values, odd)
        return values, odd

    def words(self, words: Int64s, codes: Int64s) -> tuple[Int64s, Mask]:
        """The code of each cell that is one of `words` (as `text_code` has them), and where a cell is another."""
        from libra_ray.data.formats.cell_scan import read_words

        values, odd = np.zeros(len(self), np.int64), np.empty(len(self), bool)
        read_words(self._data, self._starts, self._ends, words, codes, values, odd)
        return values, odd

    def iso_times(self) -> tuple[Int64s, Mask, Mask]:
        """Nanoseconds of plain ISO 8601 texts, where a `Z` ends them, and where a cell is none."""
        from libra_ray.data.formats.cell_scan import read_iso_times

        values = np.empty(len(self), np.int64)
        zoned, odd = np.empty(len(self), bool), np.empty(len(self), bool)
        read_iso_times(self._data, self._starts, self._ends, values, zoned, odd)
        return values, zoned, odd


Column: TypeAlias = "pa.Array | Cells"
"""What a raw column is: an Arrow array, or cells that were not cut out yet."""


def texts_of(column: Column) -> pa.Array:
    """A column as Arrow has it."""
    return column.texts() if isinstance(column, Cells) else column
