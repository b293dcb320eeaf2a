"""What an import read, what it noticed, and each change that a policy made."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

__all__ = ["ImportReport"]


@dataclass(frozen=True)
class ImportReport:
    """What an import read, and each change that a policy made to the data.

    Attributes:
        source: the file's name.
        format: how it is written: `csv`, `parquet`, `lean` and so on.
        columns: our name -> the file's column.
        ts_unit: of epoch times, declared or found; None for texts and timestamps.
        rows_read, rows: data rows of the file, and rows of the result.
        sorted_rows: rows that stood behind a later time and were moved by `sort`.
        filled_bars: bars that `on_gap` made.
        start_ns, end_ns: first and last `ts_init_ns`.
        gaps, missing_bars, longest_gap: stretches without bars, the bars that they lack, and those of the longest.
        early_bars: bars that come sooner after the one before them than their period lasts; a shortened session has
            some, a file of another period as many as it has rows.
        same_time_rows: rows with the time of the row before them; of bars there are none.
        crossed_rows, locked_rows: quotes whose bid is above, or at, their ask.
        counts: what the format left out or noticed, by its own names.
        notes: sentences about the data that no number tells.

    """

    source: str
    columns: dict[str, str]
    ts_unit: str | None
    rows_read: int
    rows: int
    dropped_null: int
    dropped_bad_bars: int
    dropped_duplicates: int
    sorted_rows: int
    rounded_values: int
    off_tick_rows: int
    start_ns: int
    end_ns: int
    format: str = ""
    filled_bars: int = 0
    gaps: int = 0
    missing_bars: int = 0
    longest_gap: int = 0
    early_bars: int = 0
    same_time_rows: int = 0
    crossed_rows: int = 0
    locked_rows: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def changes(self) -> dict[str, int]:
        """Everything that was counted and is not 0, by name: what a manifest keeps."""
        own = [item.name for item in fields(self) if item.name in _COUNTED]
        found = {name: int(getattr(self, name)) for name in own} | dict(self.counts)
        return {name: count for name, count in found.items() if count}


_COUNTED = frozenset(
    (
        *("dropped_null", "dropped_bad_bars", "dropped_duplicates", "sorted_rows", "rounded_values", "off_tick_rows"),
        *("filled_bars", "gaps", "missing_bars", "longest_gap", "early_bars", "crossed_rows", "locked_rows"),
    )
)
