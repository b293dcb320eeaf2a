"""RENKO: bricks of one height; time and volume do not matter."""

from libra_ray.data.aggregation.growing import Reader
from libra_ray.data.aggregation.row_builder import RowBuilder
from libra_ray.messages.schemas import Bar, Row, RowSpec

__all__ = ["RenkoBars"]


class RenkoBars(RowBuilder):
    """A brick for each `height_raw` that the price is away from the last brick's close, up or down alike.

    Bricks count from the first price, and have no wicks: open and close are also high and low. The first brick that a
    row closes carries all volume collected since the last one, the row's own included; further bricks of it carry 0.
    """

    def __init__(self, spec: RowSpec, read: Reader, height_raw: int) -> None:
        super().__init__(spec, read)
        self._height_raw = height_raw
        self._level_raw: int | None = None

    def on_row(self, row: Row) -> list[Bar]:
        piece = self._read(row)
        growing = self.growing
        growing.add(piece)
        close_raw = piece[3]
        level_raw = piece[0] if self._level_raw is None else self._level_raw
        bars: list[Bar] = []
        while abs(close_raw - level_raw) >= self._height_raw:
            next_raw = level_raw + (self._height_raw if close_raw > level_raw else -self._height_raw)
            low_raw, high_raw = min(level_raw, next_raw), max(level_raw, next_raw)
            prices = (level_raw, high_raw, low_raw, next_raw)
            bars.append(Bar(growing.spec, row.ts_ns, row.ts_event_ns, *prices, growing.volume_raw))
            growing.drop()
            level_raw = next_raw
        self._level_raw = level_raw
        return bars
