"""Raw columns in memory, each row with the line of the file that it came from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa

from libra_ray.data.arrow_arrays import Int64s, arrow_ints
from libra_ray.data.raw_tables import RawBatch
from libra_ray.errors import DataError
from libra_ray.model.numbers import STANDARD_PRECISION_MAX

__all__ = ["ColumnsTable", "decimal_column", "time_column"]

BATCH_ROWS: Final = 131_072
DIGITS_MAX: Final = 18
_POWERS: Final = 10 ** np.arange(DIGITS_MAX + 1, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class ColumnsTable:
    """A table that a format has made whole.

    Attributes:
        name: of the file.
        columns: of one length, by name.
        lines: of each row, from 1; None = the rows are counted as those of a binary file.
        numbers: of each row in a binary file, from 0; None = as they stand here.
        fault: what is wrong with the rows as a whole; raised when they are read.

    """

    name: str
    columns: Mapping[str, pa.Array]
    lines: Int64s | None = None
    fault: DataError | None = None
    numbers: Int64s | None = None
    header: Sequence[str] = field(init=False)
    header_place: str = field(init=False)
    rows: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "header", tuple(self.columns))
        object.__setattr__(self, "header_place", self.name)
        object.__setattr__(self, "rows", len(next(iter(self.columns.values()))))

    def place(self, row: int) -> str:
        """The file and the line, or the number of the row."""
        if self.lines is None:
            return f"{self.name} row {self._number(row):,}"
        return f"{self.name}:{int(self.lines[row])}"

    def row_word(self, row: int) -> str:
        """The number alone."""
        return f"row {self._number(row):,}" if self.lines is None else f"row {int(self.lines[row])}"

    def _number(self, row: int) -> int:
        return row if self.numbers is None else int(self.numbers[row])

    def batches(self, indices: Sequence[int]) -> Iterator[RawBatch]:
        """Slices without a copy. Raises the table's own fault."""
        if self.fault is not None:
            raise self.fault
        columns = [self.columns[self.header[index]] for index in indices]
        for first in range(0, self.rows, BATCH_ROWS):
            yield RawBatch(first, [column.slice(first, BATCH_ROWS) for column in columns])


def time_column(ts_ns: Int64s) -> pa.Array:
    """Nanoseconds UTC as timestamps, which need no unit and no zone."""
    return arrow_ints(ts_ns, pa.timestamp("ns", "UTC"))


def decimal_column(values: Int64s, decimals: Int64s) -> pa.Array:
    """Integers, each with decimals of its own, as one decimal column at the largest of them, exactly.

    `decimal64` where all fit into 18 digits, else `decimal128`.
    """
    scale, least = int(decimals.max(initial=0)), int(decimals.min(initial=DIGITS_MAX))
    factors = _POWERS[scale - decimals] if least < scale else np.ones(len(values), np.int64)
    largest = max(int(values.max(initial=0)), -int(values.min(initial=0)))
    limit = 10**DIGITS_MAX
    # One look at the largest is enough nearly always; a division for each value is not cheap.
    fits = largest * 10 ** max(scale - least, 0) < limit or bool((np.abs(values) < limit // factors).all())
    if scale <= STANDARD_PRECISION_MAX and fits:
        return arrow_ints(values * factors if least < scale else values, pa.decimal64(DIGITS_MAX, scale))
    exact = [value * factor for value, factor in zip(values.tolist(), factors.tolist(), strict=True)]
    data = b"".join(value.to_bytes(16, "little", signed=True) for value in exact)
    return pa.Array.from_buffers(pa.decimal128(38, scale), len(exact), [None, pa.py_buffer(data)])
