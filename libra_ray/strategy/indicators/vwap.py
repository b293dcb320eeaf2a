"""Volume-weighted average price."""

import numpy as np
import numpy.typing as npt

from libra_ray.strategy.indicators.indicator import Floats, Indicator, as_columns, checked_period

__all__ = ["Vwap"]


class Vwap(Indicator):
    """VWAP = sum(price x volume) / sum(volume) since the anchor.

    Source: Berkowitz, Logue and Noser, *The Total Cost of Transactions on the NYSE* (1988). For trades, give price and
    size; for bars, by custom the typical price (high + low + close) / 3 and the volume.

    The anchor is the last `reset`, and with `session_ns` also each session start: sessions are `session_ns` long and
    counted from `session_start_ns` (86,400 s in ns and 0 are UTC days). First value: the first update with volume above
    0; zero volume changes nothing. Form: VWAP += (price - VWAP) volume / total (West 1979), so that a constant price
    gives exactly that price.
    """

    __slots__ = ("_session", "_total", "session_ns", "session_start_ns")

    def __init__(self, *, session_ns: int | None = None, session_start_ns: int = 0) -> None:
        """Without `session_ns` only `reset` moves the anchor. Raises `ValueError` for `session_ns` below 1."""
        self.session_ns = None if session_ns is None else checked_period(session_ns, name="session_ns")
        self.session_start_ns = session_start_ns
        self.reset()

    def reset(self) -> None:
        self.value: float | None = None
        self._total = 0.0
        self._session: int | None = None

    @property
    def warmup(self) -> int:
        return 1

    @property
    def count(self) -> int:
        return int(self.value is not None)

    def update(self, price: float, volume: float, ts_ns: int | None = None) -> float | None:
        """Take the next trade or bar; the average since the anchor, None before the first volume of a session.

        `ts_ns` is read when there are sessions, and then required. Raises `ValueError` for a negative volume or a
        missing time, before anything changes.
        """
        if volume < 0.0:
            raise ValueError(f"volume must not be negative, got {volume}")
        if self.session_ns is not None:
            if ts_ns is None:
                raise ValueError("ts_ns is required where sessions are set, got None")
            session = (ts_ns - self.session_start_ns) // self.session_ns
            if session != self._session:
                self._session, self._total, self.value = session, 0.0, None
        if volume > 0.0:
            self._total = total = self._total + volume
            value = self.value
            self.value = price if value is None else value + (price - value) * (volume / total)
        return self.value

    def batch(self, prices: npt.ArrayLike, volumes: npt.ArrayLike, ts_ns: npt.ArrayLike | None = None) -> Floats:
        """Give the averages over whole columns from a fresh start, NaN where there is none; this object is not touched.

        `ts_ns` is a column of int64 times, required where sessions are set. Raises `ValueError` as `update` does.
        """
        from libra_ray.strategy.indicators.columns import vwap_column

        price_column, volume_column = as_columns(prices, volumes)
        if volume_column.size and volume_column.min() < 0.0:
            raise ValueError(f"volume must not be negative, got {volume_column.min()}")
        sessions = np.zeros(price_column.size, dtype=np.int64)
        if self.session_ns is not None:
            if ts_ns is None:
                raise ValueError("ts_ns is required where sessions are set, got None")
            sessions = (np.asarray(ts_ns, dtype=np.int64) - self.session_start_ns) // self.session_ns
            if sessions.shape != price_column.shape:
                raise ValueError(f"ts_ns has {sessions.size} values for {price_column.size} prices")
        return vwap_column(price_column, volume_column, sessions)
