"""VOLUME: bars of exactly n units; what is too much for one goes on into the next."""

from libra_ray.data.aggregation.growing import Reader
from libra_ray.data.aggregation.row_builder import RowBuilder
from libra_ray.messages.schemas import Bar, Row, RowSpec

__all__ = ["VolumeBars"]


class VolumeBars(RowBuilder):
    """Closes when it holds `volume_raw`. A row that overshoots is split as often as needed: O(bars closed).

    A smaller bar that overshoots shows its whole range in the bar that it closes and its close in those after, since
    it does not say at what prices the rest was traded.
    """

    def __init__(self, spec: RowSpec, read: Reader, volume_raw: int) -> None:
        super().__init__(spec, read)
        self._step_raw = volume_raw

    def on_row(self, row: Row) -> list[Bar]:
        growing, step_raw = self.growing, self._step_raw
        piece = self._read(row)
        left_raw = piece[4]
        if growing.volume_raw + left_raw < step_raw:
            growing.add(piece)
            return []
        open_raw, high_raw, low_raw, close_raw, left_raw = piece
        bars: list[Bar] = []
        while (part_raw := step_raw - growing.volume_raw) <= left_raw:
            growing.add((open_raw, high_raw, low_raw, close_raw, part_raw))
            bars.append(growing.take(row.ts_ns, row.ts_event_ns))
            left_raw -= part_raw
            open_raw = high_raw = low_raw = close_raw
        if left_raw:
            growing.add((open_raw, high_raw, low_raw, close_raw, left_raw))
        return bars
