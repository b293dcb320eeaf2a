"""Windows of time (a, b] on a grid: within days, by days, weeks from Monday, months from the first, or of sessions."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Final, Protocol

import numpy as np

from libra_ray.data.aggregation.specs import DAY_NS, LENGTH_NS, MONTHS_OF_YEAR, Aggregation, BarSpec
from libra_ray.data.arrow_arrays import Int64s, Mask
from libra_ray.runtime import NEVER_NS

__all__ = ["FixedWindows", "MonthWindows", "SessionWindows", "Windows", "windows_of"]

EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
FIRST_MONDAY_NS: Final = 4 * DAY_NS
"""1970-01-05: windows of several days or weeks count from here, so that seven days are a week."""


class Windows(Protocol):
    """A grid of times; each window ends at one of them, that one included, and begins after the one before."""

    def end_ns(self, ts_ns: int) -> int:
        """The end of the window that `ts_ns` is in."""

    def start_ns(self, end_ns: int) -> int:
        """Where the window that ends at `end_ns` begins: that time is not in it."""

    def ends_ns(self, ts_ns: Int64s) -> Int64s:
        """`end_ns` of each of many times, ascending."""


class FixedWindows:
    """Windows of one length."""

    def __init__(self, length_ns: int, anchor_ns: int) -> None:
        self._length_ns = length_ns
        self._anchor_ns = anchor_ns

    def end_ns(self, ts_ns: int) -> int:
        return ts_ns + (self._anchor_ns - ts_ns) % self._length_ns

    def start_ns(self, end_ns: int) -> int:
        return end_ns - self._length_ns

    def ends_ns(self, ts_ns: Int64s) -> Int64s:
        return ts_ns + (self._anchor_ns - ts_ns) % self._length_ns


class MonthWindows:
    """Windows of `months` calendar months, a divisor of 12, from the first of a month, UTC, plus the offset."""

    def __init__(self, months: int, offset_ns: int) -> None:
        self._months = months
        self._offset_ns = offset_ns

    def end_ns(self, ts_ns: int) -> int:
        begin_ns = self._begin_ns(ts_ns, 0)
        return begin_ns if begin_ns == ts_ns else self._begin_ns(ts_ns, self._months)

    def start_ns(self, end_ns: int) -> int:
        return self._begin_ns(end_ns, -self._months)

    def ends_ns(self, ts_ns: Int64s) -> Int64s:
        days = (ts_ns - self._offset_ns) // DAY_NS
        first_days = np.concatenate(([0], np.flatnonzero(days[1:] != days[:-1]) + 1)) if len(days) else days
        begins_ns, ends_ns = (
            np.repeat(
                np.array([self._begin_ns(int(ts_ns[row]), ahead) for row in first_days], np.int64),
                np.diff(np.append(first_days, len(days))),
            )
            for ahead in (0, self._months)
        )
        return np.where(begins_ns == ts_ns, begins_ns, ends_ns)

    def _begin_ns(self, ts_ns: int, ahead: int) -> int:
        """Where the stretch of months that `ts_ns` stands in begins, or one that many months ahead."""
        day = date.fromordinal(EPOCH_DAY + (ts_ns - self._offset_ns) // DAY_NS)
        month = day.year * MONTHS_OF_YEAR + day.month - 1
        year, month = divmod(month - month % self._months + ahead, MONTHS_OF_YEAR)
        return (date(year, month + 1, 1).toordinal() - EPOCH_DAY) * DAY_NS + self._offset_ns


class SessionWindows:
    """Windows inside sessions: of one length from each open, the last one cut at the close; or of whole sessions.

    Args: sessions, (open, close) in order, not empty; `length_ns` of a window, or None and `spans`, the (open of the
    first session, close of the last one) of each window.
    """

    def __init__(
        self, sessions: Sequence[tuple[int, int]], length_ns: int | None, spans: Sequence[tuple[int, int]] = ()
    ) -> None:
        self._session_opens = [opens for opens, _ in sessions]
        self._session_closes = [closes for _, closes in sessions]
        self._length_ns = length_ns
        spans = sessions if length_ns is not None else spans
        self._opens = [opens for opens, _ in spans]
        self._closes = [closes for _, closes in spans]

    def holds(self, ts_ns: int, *, is_bar: bool) -> bool:
        """Whether a row lies in a session: open <= ts <= close; a bar, whose time is its close, after the open."""
        place = (bisect_left if is_bar else bisect_right)(self._session_opens, ts_ns) - 1
        return place >= 0 and ts_ns <= self._session_closes[place]

    def held(self, ts_ns: Int64s, *, is_bar: bool) -> Mask:
        """`holds` of each of many times."""
        place = np.searchsorted(np.array(self._session_opens), ts_ns, side="left" if is_bar else "right") - 1
        held: Mask = (place >= 0) & (ts_ns <= np.array(self._session_closes)[np.maximum(place, 0)])
        return held

    def end_ns(self, ts_ns: int) -> int:
        """As of any window; a row at the open is in the first one. `NEVER_NS` after the last session."""
        place = bisect_left(self._closes, ts_ns)
        if place == len(self._closes):
            return NEVER_NS
        if self._length_ns is None:
            return self._closes[place]
        opens = self._opens[place]
        windows = max(-(-(ts_ns - opens) // self._length_ns), 1)
        return min(opens + windows * self._length_ns, self._closes[place])

    def start_ns(self, end_ns: int) -> int:
        place = bisect_left(self._closes, end_ns)
        opens = self._opens[place]
        if self._length_ns is None:
            return opens
        return opens + (end_ns - opens - 1) // self._length_ns * self._length_ns

    def ends_ns(self, ts_ns: Int64s) -> Int64s:
        opens, closes = np.array(self._opens, np.int64), np.array(self._closes, np.int64)
        place = np.searchsorted(closes, ts_ns, side="left")
        inside = np.minimum(place, len(closes) - 1)
        ends = closes[inside]
        if self._length_ns is not None:
            windows = np.maximum(-(-(ts_ns - opens[inside]) // self._length_ns), 1)
            ends = np.minimum(opens[inside] + windows * self._length_ns, ends)
        return np.where(place == len(closes), NEVER_NS, ends)


def windows_of(spec: BarSpec) -> Windows:
    """The windows of a spec whose aggregation is of time."""
    if spec.sessions:
        return _session_windows(spec)
    if spec.length_ns is None:
        return MonthWindows(spec.count, spec.offset_ns)
    by_days = spec.aggregation in (Aggregation.DAY, Aggregation.WEEK)
    return FixedWindows(spec.length_ns, spec.offset_ns + (FIRST_MONDAY_NS if by_days else 0))


def _session_windows(spec: BarSpec) -> SessionWindows:
    """Within a day by the length of a window; days count sessions; weeks and months hold those that close in them."""
    sessions = spec.sessions
    if spec.aggregation is Aggregation.DAY:
        groups = [sessions[start : start + spec.count] for start in range(0, len(sessions), spec.count)]
    elif spec.aggregation in (Aggregation.WEEK, Aggregation.MONTH):
        calendar: Windows = MonthWindows(spec.count, 0)
        if spec.aggregation is Aggregation.WEEK:
            calendar = FixedWindows(spec.count * LENGTH_NS[Aggregation.WEEK], FIRST_MONDAY_NS)
        groups = [tuple(group) for _, group in groupby(sessions, key=lambda session: calendar.end_ns(session[1]))]
    else:
        return SessionWindows(sessions, spec.count * LENGTH_NS[Aggregation(spec.aggregation)])
    return SessionWindows(sessions, None, [(group[0][0], group[-1][1]) for group in groups])
