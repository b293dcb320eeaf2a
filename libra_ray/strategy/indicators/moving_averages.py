"""Moving averages: simple, exponential, linearly weighted."""

import numpy.typing as npt

from libra_ray.strategy.indicators.indicator import Floats, Indicator, as_column, checked_period

__all__ = ["Ema", "Sma", "Wma"]


class Sma(Indicator):
    """Simple moving average: SMA_t = (x_t + x_(t-1) + ... + x_(t-n+1)) / n.

    First value: the n-th update, as in TA-Lib. The usual rolling sum adds the new value and subtracts the one that
    leaves; its rounding errors stay for ever, and a large value takes the digits of small ones with it. Here nothing is
    subtracted. The stream is cut into blocks of n values, and a window is the tail of the former block and the head of
    the present one (van Herk 1992 for maxima; here for means, merged as in Chan, Golub and LeVeque 1983):

        SMA = tail_k + (head_k - tail_k) k / n        k values of the present block, n - k of the former

    with head_k a running mean and tail_k made when a block ends, backwards. Hence the error is at most about n half
    ulps of the largest magnitude in the window, whatever came before, and equal values give exactly that value.
    Cost: O(1) per update on average, O(n) at the end of each block.
    """

    __slots__ = ("_block", "_head", "_size", "_tails", "_weights", "period")

    def __init__(self, period: int) -> None:
        """`period` is n, in values. Raises `ValueError` below 1."""
        self.period = checked_period(period)
        self._weights = [size / period for size in range(period)]
        self.reset()

    def reset(self) -> None:
        self.value: float | None = None
        self._block = [0.0] * self.period
        self._tails: list[float] | None = None
        self._head = 0.0
        self._size = 0

    @property
    def warmup(self) -> int:
        return self.period

    @property
    def count(self) -> int:
        return self._size if self._tails is None else self.period

    def update(self, x: float) -> float | None:
        """Take the next value; the average of the last `period` values, None while there are fewer."""
        size = self._size
        self._block[size] = x
        self._size = size = size + 1
        self._head = head = self._head + (x - self._head) / size
        if size == self.period:
            self._end_block()
            self.value = head
            return head
        tails = self._tails
        if tails is None:
            return None
        tail = tails[size]
        self.value = value = tail + (head - tail) * self._weights[size]
        return value

    def _end_block(self) -> None:
        block, period, mean = self._block, self.period, 0.0
        tails = self._tails = self._tails or [0.0] * period
        for size in range(1, period):
            mean += (block[period - size] - mean) / size
            tails[period - size] = mean
        self._head = 0.0
        self._size = 0

    def batch(self, values: npt.ArrayLike) -> Floats:
        """Give the averages of a whole column from a fresh start, NaN before the first; this object is not touched."""
        from libra_ray.strategy.indicators.columns import sma_column

        return sma_column(as_column(values), self.period)


class Ema(Indicator):
    """Exponential moving average: EMA_t = EMA_(t-1) + a (x_t - EMA_(t-1)), with a = 2 / (n + 1).

    First value: the n-th update, the plain mean of the first n values (the convention of TA-Lib, "classic" mode).
    Source: Appel, *Technical Analysis* (2005); TA-Lib `ta_EMA.c`. The weights decay, so rounding errors die out.
    """

    __slots__ = ("_seed", "alpha", "count", "period")

    def __init__(self, period: int) -> None:
        """`period` is n, in values. Raises `ValueError` below 1."""
        self.period = checked_period(period)
        self.alpha = 2.0 / (period + 1)
        self.reset()

    def reset(self) -> None:
        self.value: float | None = None
        self.count: int = 0
        self._seed = 0.0

    @property
    def warmup(self) -> int:
        return self.period

    def update(self, x: float) -> float | None:
        """Take the next value; the average, None before the `period`-th value."""
        value = self.value
        if value is not None:
            self.value = value = value + self.alpha * (x - value)
            return value
        self.count += 1
        self._seed += (x - self._seed) / self.count
        if self.count == self.period:
            self.value = self._seed
        return self.value

    def batch(self, values: npt.ArrayLike) -> Floats:
        """Give the averages of a whole column from a fresh start, NaN before the first; this object is not touched."""
        from libra_ray.strategy.indicators.columns import ema_column

        return ema_column(as_column(values), self.period)


class Wma(Indicator):
    """Linearly weighted moving average: WMA_t = (n x_t + (n-1) x_(t-1) + ... + 1 x_(t-n+1)) / (n (n+1) / 2).

    First value: the n-th update, as in TA-Lib. Blocks as in `Sma`, so nothing is subtracted and nothing drifts. With
    head weights n-k+1..n split into 1..k (mean A) and a constant n-k (mean M), and T the tail's mean of weights 1..n-k:

        WMA = T + (A - T) k (k+1) / (n (n+1)) + (M - T) 2 k (n-k) / (n (n+1))

    A grows by A_k = A_(k-1) + (x - A_(k-1)) 2 / (k+1) (West 1979), T by the same rule from the tail's plain mean.
    """

    __slots__ = (
        "_block",
        "_even_mean",
        "_even_weights",
        "_ramp_mean",
        "_ramp_steps",
        "_ramp_weights",
        "_size",
        "_tails",
        "period",
    )

    def __init__(self, period: int) -> None:
        """`period` is n, in values. Raises `ValueError` below 1."""
        self.period = n = checked_period(period)
        total = n * (n + 1)
        self._ramp_steps = [2 / (size + 1) for size in range(n + 1)]
        self._ramp_weights = [size * (size + 1) / total for size in range(n)]
        self._even_weights = [2 * size * (n - size) / total for size in range(n)]
        self.reset()

    def reset(self) -> None:
        self.value: float | None = None
        self._block = [0.0] * self.period
        self._tails: list[float] | None = None
        self._ramp_mean = 0.0
        self._even_mean = 0.0
        self._size = 0

    @property
    def warmup(self) -> int:
        return self.period

    @property
    def count(self) -> int:
        return self._size if self._tails is None else self.period

    def update(self, x: float) -> float | None:
        """Take the next value; the weighted average of the last `period` values, None while there are fewer."""
        size = self._size
        self._block[size] = x
        self._size = size = size + 1
        self._ramp_mean = ramp = self._ramp_mean + (x - self._ramp_mean) * self._ramp_steps[size]
        self._even_mean = even = self._even_mean + (x - self._even_mean) / size
        if size == self.period:
            self._end_block()
            self.value = ramp
            return ramp
        tails = self._tails
        if tails is None:
            return None
        tail = tails[size]
        self.value = value = tail + (ramp - tail) * self._ramp_weights[size] + (even - tail) * self._even_weights[size]
        return value

    def _end_block(self) -> None:
        block, period, even, ramp = self._block, self.period, 0.0, 0.0
        tails = self._tails = self._tails or [0.0] * period
        for size in range(1, period):
            even += (block[period - size] - even) / size
            ramp += (even - ramp) * self._ramp_steps[size]
            tails[period - size] = ramp
        self._ramp_mean = self._even_mean = 0.0
        self._size = 0

    def batch(self, values: npt.ArrayLike) -> Floats:
        """Give the averages of a whole column from a fresh start, NaN before the first; this object is not touched."""
        from libra_ray.strategy.indicators.columns import wma_column

        return wma_column(as_column(values), self.period)
