"""Windows of time (a, b] on a fixed grid: within days, by days, weeks from Monday, months from the first."""

from datetime import date
from typing import Final, Protocol

from libra_ray.data.aggregation.specs import DAY_NS, MONTHS_OF_YEAR, Aggregation, BarSpec

__all__ = ["FixedWindows", "MonthWindows", "Windows", "windows_of"]

EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
FIRST_MONDAY_NS: Final = 4 * DAY_NS
"""1970-01-05: windows of several days or weeks count from here, so that seven days are a week."""


class Windows(Protocol):
    """A grid of times; each window ends at one of them, that one included, and begins after the one before."""

    def end_ns(self, ts_ns: int) -> int:
        """The end of the window that `ts_ns` is in."""

    def start_ns(self, end_ns: int) -> int:
        """Where the window that ends at `end_ns` begins: that time is not in it."""


class FixedWindows:
    """Windows of one length."""

    def __init__(self, length_ns: int, anchor_ns: int) -> None:
        self._length_ns = length_ns
        self._anchor_ns = anchor_ns

    def end_ns(self, ts_ns: int) -> int:
        return ts_ns + (self._anchor_ns - ts_ns) % self._length_ns

    def start_ns(self, end_ns: int) -> int:
        return end_ns - self._length_ns


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

    def _begin_ns(self, ts_ns: int, ahead: int) -> int:
        """Where the stretch of months that `ts_ns` stands in begins, or one that many months ahead."""
        day = date.fromordinal(EPOCH_DAY + (ts_ns - self._offset_ns) // DAY_NS)
        month = day.year * MONTHS_OF_YEAR + day.month - 1
        year, month = divmod(month - month % self._months + ahead, MONTHS_OF_YEAR)
        return (date(year, month + 1, 1).toordinal() - EPOCH_DAY) * DAY_NS + self._offset_ns


def windows_of(spec: BarSpec) -> Windows:
    """The windows of a spec whose aggregation is of time."""
    if spec.length_ns is None:
        return MonthWindows(spec.count, spec.offset_ns)
    by_days = spec.aggregation in (Aggregation.DAY, Aggregation.WEEK)
    return FixedWindows(spec.length_ns, spec.offset_ns + (FIRST_MONDAY_NS if by_days else 0))
