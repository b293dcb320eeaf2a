"""Wilder's indicators: relative strength and average true range.

Source: Wilder, *New Concepts in Technical Trading Systems* (1978). Both smooth by Wilder's own average, here called W:
W_t = W_(t-1) + (x_t - W_(t-1)) / n, seeded by the plain mean of its first n inputs, as Wilder and TA-Lib do.
"""

import numpy.typing as npt

from libra_ray.strategy.indicators.indicator import Floats, Indicator, as_column, as_columns, checked_period

__all__ = ["Atr", "Rsi"]


class Rsi(Indicator):
    """Relative strength index: RSI = 100 W(gains) / (W(gains) + W(losses)), which is 100 - 100 / (1 + gains / losses).

    The first value needs n changes, hence n + 1 values, as in TA-Lib. Where price has never moved the ratio is 0 / 0;
    the answer is 50, neither strong nor weak (TA-Lib says 0, which a strategy would read as oversold).
    """

    __slots__ = ("_gain", "_last", "_loss", "count", "period")

    def __init__(self, period: int = 14) -> None:
        """`period` is n, in changes. Raises `ValueError` below 1."""
        self.period = checked_period(period)
        self.reset()

    def reset(self) -> None:
        self.value: float | None = None
        self.count: int = 0
        self._last = 0.0
        self._gain = 0.0
        self._loss = 0.0

    @property
    def warmup(self) -> int:
        return self.period + 1

    def update(self, x: float) -> float | None:
        """Take the next value; the index from 0 to 100, None until `period` changes were seen."""
        change = x - self._last
        self._last = x
        gain = max(0.0, change)
        if self.value is not None:
            share = self.period
        else:
            share = self.count
            self.count = share + 1
            if share == 0:
                return None
        self._gain += (gain - self._gain) / share
        self._loss += (gain - change - self._loss) / share
        if share < self.period:
            return None
        moved = self._gain + self._loss
        self.value = value = 100.0 * self._gain / moved if moved > 0.0 else 50.0
        return value

    def batch(self, values: npt.ArrayLike) -> Floats:
        """Give the index over a whole column from a fresh start, NaN before the first; this object is not touched."""
        from libra_ray.strategy.indicators.columns import rsi_column

        return rsi_column(as_column(values), self.period)


class Atr(Indicator):
    """Average true range: ATR = W(TR), TR_t = max(high_t, close_(t-1)) - min(low_t, close_(t-1)).

    That is Wilder's largest of high - low, |high - former close| and |low - former close|. The first bar has no
    former close and gives no range, so the first value needs n + 1 bars, as in TA-Lib.
    """

    __slots__ = ("_close", "_mean", "count", "period")

    def __init__(self, period: int = 14) -> None:
        """`period` is n, in bars. Raises `ValueError` below 1."""
        self.period = checked_period(period)
        self.reset()

    def reset(self) -> None:
        self.value: float | None = None
        self.count: int = 0
        self._close = 0.0
        self._mean = 0.0

    @property
    def warmup(self) -> int:
        return self.period + 1

    def update(self, high: float, low: float, close: float) -> float | None:
        """Take the next bar; the average in units of price, None until `period` + 1 bars were seen."""
        former = self._close
        self._close = close
        true_range = max(former, high) - min(former, low)
        value = self.value
        if value is not None:
            self.value = value = value + (true_range - value) / self.period
            return value
        share = self.count
        self.count = share + 1
        if share == 0:
            return None
        self._mean += (true_range - self._mean) / share
        if share == self.period:
            self.value = self._mean
        return self.value

    def batch(self, highs: npt.ArrayLike, lows: npt.ArrayLike, closes: npt.ArrayLike) -> Floats:
        """Give the averages over whole columns from a fresh start, NaN before the first; this object is not touched."""
        from libra_ray.strategy.indicators.columns import atr_column

        high, low, close = as_columns(highs, lows, closes)
        return atr_column(high, low, close, self.period)
