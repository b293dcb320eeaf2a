"""Rows of captured messages, made block by block when they are read: memory holds the times of the messages alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from libra_ray.data.formats.capture_messages import Messages, Part
from libra_ray.data.formats.columns_table import time_column
from libra_ray.data.formats.json_scan import Ints
from libra_ray.data.raw_tables import RawBatch
from libra_ray.errors import DataError

__all__ = ["CaptureTable", "Origin", "RowsOf"]

RowsOf: TypeAlias = Callable[[Part], tuple[Ints, Mapping[str, pa.Array]]]
"""The rows that a block gives: the number of the message of each, and columns."""


class Origin(NamedTuple):
    """Where each row of a frame comes from: its line, the exchange's time, when it was received (None: not known)."""

    lines: Ints
    ts_ns: Ints
    received_ns: Ints | None

    @classmethod
    def joined(cls, parts: Sequence["Origin"]) -> "Origin":
        """Behind each other; all were received, or none."""
        received = [part.received_ns for part in parts if part.received_ns is not None]
        lines, ts_ns = (np.concatenate(each) for each in ([p.lines for p in parts], [p.ts_ns for p in parts]))
        return cls(lines, ts_ns, np.concatenate(received) if received else None)


@dataclass(frozen=True, eq=False)
class CaptureTable:
    """Rows of messages of one kind.

    Attributes:
        name: of the file.
        names: of the columns beside the times.
        origin: of all messages.
        fault: what is wrong with the rows as a whole; raised when they are read.

    """

    name: str
    names: Sequence[str]
    rows: int
    messages: Messages
    origin: Origin
    rows_of: RowsOf
    fault: DataError | None = None
    header: Sequence[str] = field(init=False)
    header_place: str = field(init=False)

    def __post_init__(self) -> None:
        times = ("ts",) if self.origin.received_ns is None else ("ts", "ts_init")
        object.__setattr__(self, "header", (*times, *self.names))
        object.__setattr__(self, "header_place", self.name)

    def place(self, row: int) -> str:
        """The file and the line."""
        return f"{self.name}:{self._line(row)}"

    def row_word(self, row: int) -> str:
        """The line alone."""
        return f"row {self._line(row)}"

    def batches(self, indices: Sequence[int]) -> Iterator[RawBatch]:
        """The rows of a block at a time. Raises the table's own fault."""
        if self.fault is not None:
            raise self.fault
        first = 0
        for part in self.messages.parts():
            owners, columns = self.rows_of(part)
            if not len(owners):
                continue
            made = {"ts": time_column(self.origin.ts_ns[owners]), **columns}
            if self.origin.received_ns is not None:
                made["ts_init"] = time_column(self.origin.received_ns[owners])
            yield RawBatch(first, [made[self.header[index]] for index in indices])
            first += len(owners)

    def _line(self, row: int) -> int:
        first = 0
        for part in self.messages.parts():
            owners, _ = self.rows_of(part)
            if row < first + len(owners):
                return int(self.origin.lines[owners[row - first]])
            first += len(owners)
        raise IndexError(row)
