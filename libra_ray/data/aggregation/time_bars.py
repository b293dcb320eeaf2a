"""Bars of time: each is closed by the clock, at the end of its window and after the rows of that time."""

from libra_ray.data.aggregation.growing import Growing, Reader
from libra_ray.data.aggregation.windows import SessionWindows, Windows
from libra_ray.messages.schemas import Bar, Row, RowSpec
from libra_ray.runtime import NEVER_NS

__all__ = ["TimeBars"]


class TimeBars:
    """Collects the rows of one window (a, b] after another.

    Args: span_ns, how much time a row itself covers: 1 for a tick, the length of a smaller bar. It decides whether the
    rows have begun early enough for the first window to be whole. of_bars: whether rows are smaller bars.

    Attributes:
        outside_raw: volume of rows that were in no session, and so are in no bar.
        next_close_ns: when `close` is to be called; `NEVER_NS` before the first row, and after a bar that no empty one
            is to follow.
    """

    def __init__(
        self,
        spec: RowSpec,
        read: Reader,
        windows: Windows,
        *,
        build_empty: bool = True,
        skip_partial_first: bool = False,
        span_ns: int = 1,
        of_bars: bool = False,
    ) -> None:
        self.growing = Growing(spec)
        self.outside_raw = 0
        self.next_close_ns = NEVER_NS
        self._read = read
        self._windows = windows
        self._sessions = windows if isinstance(windows, SessionWindows) else None
        self._of_bars = of_bars
        self._build_empty = build_empty
        self._looks_at_first = skip_partial_first
        self._skips_this = False
        self._span_ns = span_ns

    @property
    def rest_raw(self) -> int:
        """Volume that is in no bar yet."""
        return self.growing.volume_raw

    def on_row(self, row: Row) -> list[Bar]:
        """Take a row in; it closes nothing. Raises `ValueError` where `close` should have been called before."""
        ts_ns = row.ts_ns
        if self._sessions is not None and not self._sessions.holds(ts_ns, is_bar=self._of_bars):
            self.outside_raw += self._read(row)[4]
            return []
        if ts_ns > self.next_close_ns:
            raise ValueError(f"a row at {ts_ns} is past the window that ends at {self.next_close_ns}")
        if self.next_close_ns == NEVER_NS:
            self.next_close_ns = self._windows.end_ns(ts_ns)
            if self._looks_at_first:
                self._looks_at_first = False
                self._skips_this = ts_ns - self._span_ns > self._windows.start_ns(self.next_close_ns)
        self.growing.add(self._read(row))
        return []

    def close(self, ts_ns: int) -> Bar | None:
        """The bar of the window that ends now; None for a first one that is to be skipped.

        Raises `ValueError` unless `ts_ns` is `next_close_ns`.
        """
        if ts_ns != self.next_close_ns:
            raise ValueError(f"closed at {ts_ns}, not at {self.next_close_ns}")
        self.next_close_ns = self._windows.end_ns(ts_ns + 1) if self._build_empty else NEVER_NS
        if self._skips_this:
            self._skips_this = False
            self.growing.drop()
            return None
        return self.growing.take(ts_ns, ts_ns)
