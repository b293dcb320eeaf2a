"""A table with one column more: the texts of two others with a space between, such as a date and a time of day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from libra_ray.data.raw_tables import RawBatch, RawTable

__all__ = ["JoinedTable"]


@dataclass(frozen=True, eq=False)
class JoinedTable:
    """`table` with the column `name` behind its own, made of the columns of the numbers `parts`."""

    table: RawTable
    name: str
    parts: tuple[int, int]
    header: Sequence[str] = field(init=False)
    header_place: str = field(init=False)
    rows: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "header", [*self.table.header, self.name])
        object.__setattr__(self, "header_place", self.table.header_place)
        object.__setattr__(self, "rows", self.table.rows)

    def place(self, row: int) -> str:
        """As the table."""
        return self.table.place(row)

    def row_word(self, row: int) -> str:
        """As the table."""
        return self.table.row_word(row)

    def batches(self, indices: Sequence[int]) -> Iterator[RawBatch]:
        """The table's batches; where one of the two texts is missing, the joined one is."""
        own = len(self.table.header)
        wanted = [index for index in indices if index != own]
        for batch in self.table.batches([*wanted, *self.parts]):
            date, time = (column.cast(pa.string()) for column in batch.columns[-2:])
            columns = iter(batch.columns)
            joined = pc.binary_join_element_wise(date, time, " ")
            whole = pc.and_(pc.greater(pc.binary_length(date), 0), pc.greater(pc.binary_length(time), 0))
            made = pc.if_else(whole, joined, "")
            yield batch._replace(columns=[made if index == own else next(columns) for index in indices])
