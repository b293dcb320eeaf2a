"""VALUE: bars whose price x quantity has reached n units of the quote currency."""

from libra_ray.data.aggregation.growing import Reader
from libra_ray.data.aggregation.row_builder import RowBuilder
from libra_ray.messages.schemas import Bar, Row, RowSpec
from libra_ray.model.rules.fixed_point import div_ceil

__all__ = ["ValueBars"]


class ValueBars(RowBuilder):
    """Closes when it holds `value_raw`, at as many decimals as price and size have together.

    A row that overshoots is split at the least multiple of the size step with which the value is reached; the bar may
    hold up to one size step's value more than the step, the next begins at zero, and no volume is lost or made. The
    value of a smaller bar is that of its close; of a price below zero, its distance from it.
    """

    def __init__(self, spec: RowSpec, read: Reader, value_raw: int, size_step_raw: int) -> None:
        super().__init__(spec, read)
        self._step_raw = value_raw
        self._size_step_raw = size_step_raw
        self._value_raw = 0

    def on_row(self, row: Row) -> list[Bar]:
        growing = self.growing
        piece = self._read(row)
        px_raw, left_raw = abs(piece[3]), piece[4]
        if self._value_raw + px_raw * left_raw < self._step_raw:
            growing.add(piece)
            self._value_raw += px_raw * left_raw
            return []
        open_raw, high_raw, low_raw, close_raw, left_raw = piece
        bars: list[Bar] = []
        while px_raw * left_raw >= (missing_raw := self._step_raw - self._value_raw):
            on_grid_raw = div_ceil(div_ceil(missing_raw, px_raw), self._size_step_raw) * self._size_step_raw
            part_raw = min(on_grid_raw, left_raw)
            growing.add((open_raw, high_raw, low_raw, close_raw, part_raw))
            bars.append(growing.take(row.ts_ns, row.ts_event_ns))
            self._value_raw = 0
            left_raw -= part_raw
            open_raw = high_raw = low_raw = close_raw
        if left_raw:
            growing.add((open_raw, high_raw, low_raw, close_raw, left_raw))
            self._value_raw = px_raw * left_raw
        return bars
