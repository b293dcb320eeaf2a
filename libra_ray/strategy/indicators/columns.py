"""The batch forms of the indicators: compiled loops over whole columns, bit for bit what `update` gives.

Each loop does the operations of its `update` in the same order (numba neither reorders nor fuses floating point unless
told to), which a property test holds it to. NaN stands where `update` returns None. Loops are self-contained because
numba's cache does not see a changed callee of another file. Compiled at first use, then cached on disk.
"""

from math import inf, nan, sqrt

import numpy as np
import numpy.typing as npt
from numba import njit

from libra_ray.strategy.indicators.indicator import Floats

__all__ = [
    "atr_column",
    "bollinger_columns",
    "donchian_columns",
    "ema_column",
    "macd_columns",
    "rsi_column",
    "sma_column",
    "vwap_column",
    "wma_column",
]


@njit(cache=True)
def sma_column(values: Floats, period: int) -> Floats:
    """Compute the simple moving average; see `Sma`."""
    out = np.full(values.size, nan)
    tails = np.zeros(period)
    head, size = 0.0, 0
    for row in range(values.size):
        size += 1
        head += (values[row] - head) / size
        if size == period:
            out[row] = head
            mean = 0.0
            for back in range(1, period):
                mean += (values[row + 1 - back] - mean) / back
                tails[period - back] = mean
            head, size = 0.0, 0
        elif row >= period:
            out[row] = tails[size] + (head - tails[size]) * (size / period)
    return out


@njit(cache=True)
def ema_column(values: Floats, period: int) -> Floats:
    """Exponential moving average; see `Ema`."""
    out = np.full(values.size, nan)
    alpha = 2.0 / (period + 1)
    value = 0.0
    for row in range(values.size):
        if row < period:
            value += (values[row] - value) / (row + 1)
        else:
            value += alpha * (values[row] - value)
        if row >= period - 1:
            out[row] = value
    return out


@njit(cache=True)
def wma_column(values: Floats, period: int) -> Floats:
    """Linearly weighted moving average; see `Wma`."""
    out = np.full(values.size, nan)
    tails = np.zeros(period)
    total = period * (period + 1)
    ramp, even, size = 0.0, 0.0, 0
    for row in range(values.size):
        size += 1
        ramp += (values[row] - ramp) * (2 / (size + 1))
        even += (values[row] - even) / size
        if size == period:
            out[row] = ramp
            ramp, even = 0.0, 0.0
            for back in range(1, period):
                even += (values[row + 1 - back] - even) / back
                ramp += (even - ramp) * (2 / (back + 1))
                tails[period - back] = ramp
            ramp, even, size = 0.0, 0.0, 0
        elif row >= period:
            tail = tails[size]
            ramp_weight = size * (size + 1) / total
            even_weight = 2 * size * (period - size) / total
            out[row] = tail + (ramp - tail) * ramp_weight + (even - tail) * even_weight
    return out


@njit(cache=True)
def bollinger_columns(values: Floats, period: int, multiplier: float) -> tuple[Floats, Floats, Floats]:
    """Middle, upper and lower band; see `BollingerBands`."""
    middles, uppers, lowers = np.full(values.size, nan), np.full(values.size, nan), np.full(values.size, nan)
    tail_means, tail_squares = np.zeros(period), np.zeros(period)
    head_mean, head_square, size = 0.0, 0.0, 0
    for row in range(values.size):
        size += 1
        above = values[row] - head_mean
        head_mean += above / size
        head_square += above * (values[row] - head_mean)
        mean, square = head_mean, head_square
        if size == period:
            back_mean, back_square = 0.0, 0.0
            for back in range(1, period):
                x = values[row + 1 - back]
                above = x - back_mean
                back_mean += above / back
                back_square += above * (x - back_mean)
                tail_means[period - back], tail_squares[period - back] = back_mean, back_square
            head_mean, head_square, size = 0.0, 0.0, 0
        elif row < period:
            continue
        else:
            apart = head_mean - tail_means[size]
            mean = tail_means[size] + apart * (size / period)
            square = tail_squares[size] + head_square + apart * apart * (size * (period - size) / period)
        half_width = multiplier * sqrt(square / period)
        middles[row], uppers[row], lowers[row] = mean, mean + half_width, mean - half_width
    return middles, uppers, lowers


@njit(cache=True)
def donchian_columns(highs: Floats, lows: Floats, period: int) -> tuple[Floats, Floats, Floats]:
    """Middle, upper and lower edge; see `DonchianChannel`."""
    middles, uppers, lowers = np.full(highs.size, nan), np.full(highs.size, nan), np.full(highs.size, nan)
    tail_highs, tail_lows = np.zeros(period), np.zeros(period)
    head_high, head_low, size = -inf, inf, 0
    for row in range(highs.size):
        size += 1
        head_high = max(head_high, highs[row])
        head_low = min(head_low, lows[row])
        upper, lower = head_high, head_low
        if size == period:
            high, low = -inf, inf
            for back in range(1, period):
                high = max(high, highs[row + 1 - back])
                low = min(low, lows[row + 1 - back])
                tail_highs[period - back], tail_lows[period - back] = high, low
            head_high, head_low, size = -inf, inf, 0
        elif row < period:
            continue
        else:
            upper = max(upper, tail_highs[size])
            lower = min(lower, tail_lows[size])
        middles[row], uppers[row], lowers[row] = (upper + lower) / 2.0, upper, lower
    return middles, uppers, lowers


@njit(cache=True)
def rsi_column(values: Floats, period: int) -> Floats:
    """Relative strength index; see `Rsi`."""
    out = np.full(values.size, nan)
    gains, losses = 0.0, 0.0
    for row in range(1, values.size):
        change = values[row] - values[row - 1]
        gain = max(0.0, change)
        share = min(row, period)
        gains += (gain - gains) / share
        losses += (gain - change - losses) / share
        if row >= period:
            moved = gains + losses
            out[row] = 100.0 * gains / moved if moved > 0.0 else 50.0
    return out


@njit(cache=True)
def atr_column(highs: Floats, lows: Floats, closes: Floats, period: int) -> Floats:
    """Average true range; see `Atr`."""
    out = np.full(highs.size, nan)
    value = 0.0
    for row in range(1, highs.size):
        true_range = max(highs[row], closes[row - 1]) - min(lows[row], closes[row - 1])
        value += (true_range - value) / min(row, period)
        if row >= period:
            out[row] = value
    return out


@njit(cache=True)
def macd_columns(values: Floats, fast: int, slow: int, signal: int) -> tuple[Floats, Floats, Floats]:
    """Line, signal and histogram; see `Macd`."""
    lines, signals, histograms = np.full(values.size, nan), np.full(values.size, nan), np.full(values.size, nan)
    fast_alpha, slow_alpha, signal_alpha = 2.0 / (fast + 1), 2.0 / (slow + 1), 2.0 / (signal + 1)
    fast_value, slow_value, signal_value = 0.0, 0.0, 0.0
    first_fast, first_line = slow - fast, slow - 1
    for row in range(values.size):
        x = values[row]
        if row < slow:
            slow_value += (x - slow_value) / (row + 1)
            if row >= first_fast:
                fast_value += (x - fast_value) / (row - first_fast + 1)
        else:
            slow_value += slow_alpha * (x - slow_value)
            fast_value += fast_alpha * (x - fast_value)
        if row < first_line:
            continue
        line = fast_value - slow_value
        seen = row - first_line + 1
        if seen <= signal:
            signal_value += (line - signal_value) / seen
        else:
            signal_value += signal_alpha * (line - signal_value)
        if seen >= signal:
            lines[row], signals[row], histograms[row] = line, signal_value, line - signal_value
    return lines, signals, histograms


@njit(cache=True)
def vwap_column(prices: Floats, volumes: Floats, sessions: npt.NDArray[np.int64]) -> Floats:
    """Volume-weighted average price, anchored where the session number changes; see `Vwap`."""
    out = np.full(prices.size, nan)
    total, value = 0.0, nan
    for row in range(prices.size):
        if row > 0 and sessions[row] != sessions[row - 1]:
            total, value = 0.0, nan
        if volumes[row] > 0.0:
            first = total == 0.0
            total += volumes[row]
            value = prices[row] if first else value + (prices[row] - value) * (volumes[row] / total)
        out[row] = value
    return out
