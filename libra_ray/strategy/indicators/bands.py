"""Bands around price: Bollinger's from the deviation of closes, Donchian's from highs and lows."""

from math import isfinite, sqrt
from typing import NamedTuple

import numpy.typing as npt

from libra_ray.strategy.indicators.indicator import Floats, Indicator, as_column, as_columns, checked_period

__all__ = ["BollingerBands", "BollingerSeries", "DonchianChannel", "DonchianSeries"]


class BollingerSeries(NamedTuple):
    """Bollinger bands of a whole column; NaN before the first value."""

    middle: Floats
    upper: Floats
    lower: Floats


class DonchianSeries(NamedTuple):
    """A Donchian channel of whole columns; NaN before the first value."""

    middle: Floats
    upper: Floats
    lower: Floats


class BollingerBands(Indicator):
    """Middle = SMA_n, upper and lower = middle +- m s, with s = sqrt(sum((x - middle)^2) / n), the population's.

    Source: Bollinger, *Bollinger on Bollinger Bands* (2001), who divides by n; so does TA-Lib. First value: the n-th
    update. `value` is the middle. The rolling form E[x^2] - E[x]^2 loses all digits of a small deviation at a large
    price. Here means and squared deviations of blocks (see `Sma`) are built by Welford (1962) and merged by Chan, Golub
    and LeVeque (1983), which never subtracts squares: s cannot be negative and equal values give exactly s = 0:

        d = head - tail;  middle = tail + d k / n;  n s^2 = S_tail + S_head + d^2 k (n-k) / n
    """

    __slots__ = (
        "_block",
        "_head_mean",
        "_head_square",
        "_size",
        "_square_weights",
        "_tails",
        "_weights",
        "deviation",
        "lower",
        "multiplier",
        "period",
        "upper",
    )

    def __init__(self, period: int = 20, multiplier: float = 2.0) -> None:
        """`period` is n, `multiplier` is m. Raises `ValueError` for n < 1, or m not finite or not above 0."""
        self.period = n = checked_period(period)
        if not (isfinite(multiplier) and multiplier > 0.0):
            raise ValueError(f"multiplier must be a finite number above 0, got {multiplier}")
        self.multiplier = float(multiplier)
        self._weights = [size / n for size in range(n)]
        self._square_weights = [size * (n - size) / n for size in range(n)]
        self.reset()

    def reset(self) -> None:
        self.value: float | None = None
        self.upper: float | None = None
        self.lower: float | None = None
        self.deviation: float | None = None
        self._block = [0.0] * self.period
        self._tails: list[tuple[float, float]] | None = None
        self._head_mean = 0.0
        self._head_square = 0.0
        self._size = 0

    @property
    def warmup(self) -> int:
        return self.period

    @property
    def count(self) -> int:
        return self._size if self._tails is None else self.period

    def update(self, x: float) -> float | None:
        """Take the next value and set the bands; the middle, None while there are fewer than `period` values."""
        size = self._size
        self._block[size] = x
        self._size = size = size + 1
        above = x - self._head_mean
        self._head_mean = mean = self._head_mean + above / size
        self._head_square = square = self._head_square + above * (x - mean)
        if size == self.period:
            self._end_block()
        elif self._tails is None:
            return None
        else:
            tail_mean, tail_square = self._tails[size]
            apart = mean - tail_mean
            mean = tail_mean + apart * self._weights[size]
            square = tail_square + square + apart * apart * self._square_weights[size]
        self.deviation = deviation = sqrt(square / self.period)
        half_width = self.multiplier * deviation
        self.upper = mean + half_width
        self.lower = mean - half_width
        self.value = mean
        return mean

    def _end_block(self) -> None:
        block, period, mean, square = self._block, self.period, 0.0, 0.0
        tails = self._tails = self._tails or [(0.0, 0.0)] * period
        for size in range(1, period):
            x = block[period - size]
            above = x - mean
            mean += above / size
            square += above * (x - mean)
            tails[period - size] = (mean, square)
        self._head_mean = self._head_square = 0.0
        self._size = 0

    def batch(self, values: npt.ArrayLike) -> BollingerSeries:
        """Give the bands of a whole column from a fresh start; this object is not touched."""
        from libra_ray.strategy.indicators.columns import bollinger_columns

        return BollingerSeries(*bollinger_columns(as_column(values), self.period, self.multiplier))


class DonchianChannel(Indicator):
    """Upper = highest high and lower = lowest low of the last n bars, the present one included; value = their middle.

    Source: Donchian's four-week rule (*Commodities*, 1960s; Kaufman, *Trading Systems and Methods*). First value: the
    n-th update. A breakout compares a bar with the channel of the bars before it: read `upper` and `lower` first, then
    update. Blocks as in `Sma` (van Herk 1992; Gil and Werman 1993): three comparisons per bar and side, exact results.
    """

    __slots__ = (
        "_head_high",
        "_head_low",
        "_highs",
        "_lows",
        "_size",
        "_tail_highs",
        "_tail_lows",
        "_warm",
        "lower",
        "period",
        "upper",
    )

    def __init__(self, period: int = 20) -> None:
        """`period` is n, in bars. Raises `ValueError` below 1."""
        self.period = checked_period(period)
        self.reset()

    def reset(self) -> None:
        self.value: float | None = None
        self.upper: float | None = None
        self.lower: float | None = None
        self._highs, self._lows = [0.0] * self.period, [0.0] * self.period
        self._tail_highs, self._tail_lows = [0.0] * self.period, [0.0] * self.period
        self._warm = False
        self._head_high, self._head_low = float("-inf"), float("inf")
        self._size = 0

    @property
    def warmup(self) -> int:
        return self.period

    @property
    def count(self) -> int:
        return self.period if self._warm else self._size

    def update(self, high: float, low: float) -> float | None:
        """Take the next bar and set the channel; its middle, None while there are fewer than `period` bars."""
        size = self._size
        self._highs[size] = high
        self._lows[size] = low
        self._size = size = size + 1
        upper, lower = self._head_high, self._head_low
        if high > upper:
            self._head_high = upper = high
        if low < lower:
            self._head_low = lower = low
        if size == self.period:
            self._end_block()
        elif not self._warm:
            return None
        else:
            tail_high, tail_low = self._tail_highs[size], self._tail_lows[size]
            if tail_high > upper:  # noqa: PLR1730 - a call of max costs twice as much
                upper = tail_high
            if tail_low < lower:  # noqa: PLR1730
                lower = tail_low
        self.upper, self.lower = upper, lower
        self.value = value = (upper + lower) / 2.0
        return value

    def _end_block(self) -> None:
        high, low = float("-inf"), float("inf")
        for place in range(self.period - 1, 0, -1):
            self._tail_highs[place] = high = max(high, self._highs[place])
            self._tail_lows[place] = low = min(low, self._lows[place])
        self._head_high, self._head_low = float("-inf"), float("inf")
        self._size = 0
        self._warm = True

    def batch(self, highs: npt.ArrayLike, lows: npt.ArrayLike) -> DonchianSeries:
        """Give the channel of whole columns from a fresh start; this object is not touched."""
        from libra_ray.strategy.indicators.columns import donchian_columns

        high, low = as_columns(highs, lows)
        return DonchianSeries(*donchian_columns(high, low, self.period))
