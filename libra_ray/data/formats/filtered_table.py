"""A table without some of its rows; those that stay keep their places in the file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from libra_ray.data.arrow_arrays import Int64s, arrow_bools
from libra_ray.data.raw_tables import RawBatch, RawTable

__all__ = ["FilteredTable"]


@dataclass(frozen=True, eq=False)
class FilteredTable:
    """`table` without the rows of these rising numbers."""

    table: RawTable
    dropped: Int64s
    header: Sequence[str] = field(init=False)
    header_place: str = field(init=False)
    rows: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "header", self.table.header)
        object.__setattr__(self, "header_place", self.table.header_place)
        object.__setattr__(self, "rows", self.table.rows - len(self.dropped))

    def place(self, row: int) -> str:
        """As the table."""
        return self.table.place(row)

    def row_word(self, row: int) -> str:
        """As the table."""
        return self.table.row_word(row)

    def batches(self, indices: Sequence[int]) -> Iterator[RawBatch]:
        """The table's batches, with the numbers of the rows that stay."""
        for batch in self.table.batches(indices):
            count = len(batch.columns[0])
            rows = np.arange(batch.first_row, batch.first_row + count) if batch.rows is None else batch.rows
            keep = ~np.isin(rows, self.dropped)
            chosen = arrow_bools(keep)
            yield RawBatch(batch.first_row, [column.filter(chosen) for column in batch.columns], rows[keep])
