"""What was paid at each funding, from a `derivative_ticker`: the last rate that it said before that time."""

from typing import Final

import numpy as np
import pyarrow as pa

from libra_ray.data.arrow_arrays import Int64s
from libra_ray.data.formats.columns_table import ColumnsTable, time_column
from libra_ray.data.raw_tables import RawTable
from libra_ray.errors import DataError, quoted

__all__ = ["funding_table"]

US: Final = 1_000
REACHED_WITHIN_US: Final = 60_000_000
"""A file of one day ends moments before the funding at midnight: its last rate is the one that is paid."""


def funding_table(table: RawTable, name: str) -> tuple[ColumnsTable, int]:
    """(fundings with their rates, how many the file does not reach: those are expectations and left out).

    Raises `DataError` DATA009 for a time that is no integer.
    """
    header = list(table.header)
    wanted = [header.index(each) for each in ("timestamp", "funding_timestamp", "funding_rate")]
    last: dict[str, tuple[int, str]] = {}
    end = 0
    for batch in table.batches(wanted):
        count = len(batch.columns[0])
        rows = np.arange(batch.first_row, batch.first_row + count) if batch.rows is None else batch.rows
        times, due, rates = (column.to_pylist() for column in batch.columns)
        for row, at, rate in zip(rows.tolist(), due, rates, strict=True):
            if at and rate:
                last[at] = row, rate
        if count:
            end = _integer(times[-1], table, int(rows[-1]))
    reached = [
        (_integer(at, table, row), row, rate)
        for at, (row, rate) in last.items()
        if _integer(at, table, row) <= end + REACHED_WITHIN_US
    ]
    reached.sort()
    ts_ns: Int64s = np.array([at for at, _, _ in reached], np.int64) * US
    columns = {"ts": time_column(ts_ns), "rate": pa.array([rate for _, _, rate in reached], pa.string())}
    lines = np.array(
        [int(table.row_word(row).removeprefix("row ").replace(",", "")) for _, row, _ in reached], np.int64
    )
    return ColumnsTable(name, columns, lines), len(last) - len(reached)


def _integer(text: str, table: RawTable, row: int) -> int:
    if not text.isdigit():
        what = f"{quoted(text)} is not a time in microseconds"
        raise DataError("DATA009", table.place(row), what, "Correct the value.", text)
    return int(text)
