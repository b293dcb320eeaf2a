"""RUNS: a bar whenever one side has traded n times since the last bar."""

from libra_ray.data.aggregation.growing import reader_of
from libra_ray.data.aggregation.row_builder import RowBuilder
from libra_ray.messages.schemas import Bar, Row, RowSpec, Trade
from libra_ray.model.enums import AggressorSide

__all__ = ["RunsBars"]


class RunsBars(RowBuilder):
    """Closes when buyers, or sellers, have `trades` of the bar; both counts then start at 0.

    A trade of the other side takes nothing from a count and no volume from the bar, and one without an aggressor is in
    the bar and in neither count.
    """

    def __init__(self, spec: RowSpec, trades: int) -> None:
        super().__init__(spec, reader_of("LAST"))
        self._trades = trades
        self._counts = [0, 0, 0]  # by aggressor: none, buyer, seller

    def on_row(self, row: Row) -> list[Bar]:
        assert isinstance(row, Trade)  # noqa: S101  # the spec allows no other source
        self.growing.add(self._read(row))
        if row.aggressor == AggressorSide.NONE:
            return []
        self._counts[row.aggressor] += 1
        if self._counts[row.aggressor] < self._trades:
            return []
        self._counts = [0, 0, 0]
        return [self.growing.take(row.ts_ns, row.ts_event_ns)]
