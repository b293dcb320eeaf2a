"""A file as a table of raw columns: names, a place for each row, and batches of what was written there."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, Protocol

import pyarrow as pa

from libra_ray.data.arrow_arrays import Int64s
from libra_ray.errors import DataError

__all__ = ["COLUMNS_MAX", "RawBatch", "RawTable", "refuse_too_many"]

COLUMNS_MAX: Final = 4_096


class RawBatch(NamedTuple):
    """Consecutive rows from number `first_row` (from 0) on; columns as they were asked for.

    `rows` has the numbers of rows that are not consecutive: some were left out, or one gave several.
    """

    first_row: int
    columns: list[pa.Array]
    rows: Int64s | None = None


class RawTable(Protocol):
    """What an importer reads, whatever the format."""

    @property
    def header(self) -> Sequence[str]:
        """The names of the columns."""
        ...

    @property
    def header_place(self) -> str:
        """How messages name the header."""
        ...

    @property
    def rows(self) -> int:
        """How many rows there are, or at most will be."""
        ...

    def place(self, row: int) -> str:
        """How messages name data row `row` (from 0)."""
        ...

    def row_word(self, row: int) -> str:
        """The row's number as its place counts it, to be named beside another place."""
        ...

    def batches(self, indices: Sequence[int]) -> Iterator[RawBatch]:
        """The columns of these numbers, some rows at a time."""
        ...


def refuse_too_many(header: Sequence[str], name: str) -> None:
    """Raise `DataError` DATA017 for more columns than a table of market data has."""
    if len(header) > COLUMNS_MAX:
        what = f"{len(header):,} columns exceed the limit of {COLUMNS_MAX:,}"
        raise DataError("DATA017", name, what, "Keep the columns that are needed.")
