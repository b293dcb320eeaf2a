"""When a venue is open: a calendar of [open, close], or all day and every day."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final

__all__ = ["Sessions"]

DAY_NS: Final = 86_400 * 10**9


class Sessions:
    """The sessions of a venue, in order. Without a calendar a session is a UTC day, and there are no auctions."""

    def __init__(self, calendar: Sequence[tuple[int, int]] | None) -> None:
        self.has_calendar = calendar is not None
        self._opens = [opens for opens, _ in calendar or ()]
        self._closes = [closes for _, closes in calendar or ()]

    def takes_row(self, ts_ns: int, *, is_bar: bool) -> bool:
        """Whether a row of that time is matched: open <= ts <= close; a bar, stamped with its close, after the open."""
        if not self.has_calendar:
            return True
        place = (bisect_left if is_bar else bisect_right)(self._opens, ts_ns) - 1
        return place >= 0 and ts_ns <= self._closes[place]

    def takes_command(self, ts_ns: int) -> bool:
        """Whether a command of that time is inside: open <= ts < close."""
        if not self.has_calendar:
            return True
        place = bisect_right(self._opens, ts_ns) - 1
        return place >= 0 and ts_ns < self._closes[place]

    def close_after(self, ts_ns: int) -> int | None:
        """The close of the running session, or of the next one; None after the last."""
        if not self.has_calendar:
            return (ts_ns // DAY_NS + 1) * DAY_NS
        place = bisect_right(self._closes, ts_ns)
        return self._closes[place] if place < len(self._closes) else None

    def open_for_auction(self, ts_ns: int, last_row_ns: int | None, *, is_bar: bool) -> int | None:
        """The open whose first row is still to come, for an order of `ts_ns`; None after the last session.

        `last_row_ns`: the instrument's latest row. It has passed an open when it lies at or after it (a bar: after it).
        """
        place = bisect_right(self._opens, ts_ns) - 1
        if place >= 0 and ts_ns <= self._closes[place]:
            opens = self._opens[place]
            passed = last_row_ns is not None and (last_row_ns > opens if is_bar else last_row_ns >= opens)
            if not passed:
                return opens
        return self._opens[place + 1] if place + 1 < len(self._opens) else None
