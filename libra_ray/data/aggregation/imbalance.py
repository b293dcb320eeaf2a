"""IMBALANCE: a bar whenever buyers lead sellers by n trades, or sellers buyers."""

from libra_ray.data.aggregation.growing import reader_of
from libra_ray.data.aggregation.row_builder import RowBuilder
from libra_ray.messages.schemas import Bar, Row, RowSpec, Trade
from libra_ray.model.enums import AggressorSide

__all__ = ["ImbalanceBars"]


class ImbalanceBars(RowBuilder):
    """Closes when the signed count of trades is `lead` either way; the count then starts at 0.

    A trade without an aggressor is in the bar and not in the count.
    """

    def __init__(self, spec: RowSpec, lead: int) -> None:
        super().__init__(spec, reader_of("LAST"))
        self._lead = lead
        self._signed = 0

    def on_row(self, row: Row) -> list[Bar]:
        assert isinstance(row, Trade)  # noqa: S101  # the spec allows no other source
        self.growing.add(self._read(row))
        if row.aggressor == AggressorSide.BUYER:
            self._signed += 1
        elif row.aggressor == AggressorSide.SELLER:
            self._signed -= 1
        if abs(self._signed) < self._lead:
            return []
        self._signed = 0
        return [self.growing.take(row.ts_ns, row.ts_event_ns)]
