"""TICK: a bar of every n rows."""

from libra_ray.data.aggregation.growing import Reader
from libra_ray.data.aggregation.row_builder import RowBuilder
from libra_ray.messages.schemas import Bar, Row, RowSpec

__all__ = ["TickBars"]


class TickBars(RowBuilder):
    """Closes with its `rows_per_bar`-th row."""

    def __init__(self, spec: RowSpec, read: Reader, rows_per_bar: int) -> None:
        super().__init__(spec, read)
        self._rows_per_bar = rows_per_bar
        self._rows = 0

    def on_row(self, row: Row) -> list[Bar]:
        self.growing.add(self._read(row))
        self._rows += 1
        if self._rows < self._rows_per_bar:
            return []
        self._rows = 0
        return [self.growing.take(row.ts_ns, row.ts_event_ns)]
