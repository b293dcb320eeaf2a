"""Moving average convergence divergence."""

from typing import NamedTuple

import numpy.typing as npt

from libra_ray.strategy.indicators.indicator import Floats, Indicator, as_column, checked_period
from libra_ray.strategy.indicators.moving_averages import Ema

__all__ = ["Macd", "MacdSeries"]


class MacdSeries(NamedTuple):
    """Give the three lines of a whole column; NaN before the first value."""

    line: Floats
    signal: Floats
    histogram: Floats


class Macd(Indicator):
    """Line = EMA_fast - EMA_slow, signal = EMA of the line, histogram = line - signal. `value` is the line.

    Source: Appel, *The Moving Average Convergence-Divergence Trading Method* (1985). Seeds as in TA-Lib: both averages
    start at the slow-th value, each from the plain mean of the last fast or slow values up to there (a fast average of
    its own starts earlier, and differs by a share that decays). The first value needs slow + signal - 1 updates; all
    three lines are None before.
    """

    __slots__ = ("_fast", "_signal", "_slow", "_unused", "histogram", "signal")

    def __init__(self, fast: int = 12, slow: int = 26, signal: int = 9) -> None:
        """Periods in values. Raises `ValueError` for a period below 1 or `fast` not below `slow`."""
        if checked_period(fast, name="fast") >= checked_period(slow, name="slow"):
            raise ValueError(f"fast={fast} must be below slow={slow}")
        self._fast = Ema(fast)
        self._slow = Ema(slow)
        self._signal = Ema(checked_period(signal, name="signal"))
        self.reset()

    def reset(self) -> None:
        self.value: float | None = None
        self.signal: float | None = None
        self.histogram: float | None = None
        self._unused = self._slow.period - self._fast.period
        for average in (self._fast, self._slow, self._signal):
            average.reset()

    @property
    def warmup(self) -> int:
        return self._slow.period + self._signal.period - 1

    @property
    def count(self) -> int:
        return self._slow.count + max(self._signal.count - 1, 0)

    def update(self, x: float) -> float | None:
        """Take the next value and set the three lines; the MACD line, None before the signal's first value."""
        slow = self._slow.update(x)
        if self._unused:
            self._unused -= 1
            return None
        fast = self._fast.update(x)
        if fast is None or slow is None:
            return None
        line = fast - slow
        signal = self._signal.update(line)
        if signal is None:
            return None
        self.value, self.signal, self.histogram = line, signal, line - signal
        return line

    def batch(self, values: npt.ArrayLike) -> MacdSeries:
        """Give the three lines of a whole column from a fresh start; this object is not touched."""
        from libra_ray.strategy.indicators.columns import macd_columns

        periods = self._fast.period, self._slow.period, self._signal.period
        return MacdSeries(*macd_columns(as_column(values), *periods))
