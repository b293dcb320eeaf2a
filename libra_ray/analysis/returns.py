"""Figures of a series of simple returns, one per sampled day.

Pure functions over float64 arrays. A figure that is not defined (too few returns, no dispersion, ruin) is None, never
NaN or infinite. The risk-free rate is 0 throughout. `periods_per_year` is how many returns make a year: 365 for a
market that never closes, 252 for one that rests at weekends.
"""

import math

import numpy as np
import numpy.typing as npt

__all__ = [
    "cagr",
    "calmar_ratio",
    "conditional_value_at_risk",
    "finite",
    "kurtosis",
    "sharpe_ratio",
    "simple_returns",
    "skewness",
    "sortino_ratio",
    "total_return",
    "value_at_risk",
    "volatility",
]

Floats = npt.NDArray[np.float64]
# Returns made from equity differ from each other by a few units in the last place of 1 + r even when growth is even.
DISPERSION_MIN = 4 * float(np.finfo(np.float64).eps)
SKEWNESS_RETURNS_MIN, KURTOSIS_RETURNS_MIN = 3, 4


def finite(value: float) -> float | None:
    """`value` as a float, None for NaN and infinity."""
    value = float(value)
    return value if math.isfinite(value) else None


def simple_returns(equity: Floats) -> Floats:
    """`equity[i] / equity[i - 1] - 1`, one fewer than there are values.

    Equity of zero or below is ruin: the return into it is kept, every return out of it is NaN and is left out by the
    caller's checks (`finite`), because growth from nothing has no rate.
    """
    before = equity[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(before > 0, equity[1:] / before - 1, np.nan)


def total_return(equity_start: float, equity_end: float) -> float | None:
    """Growth over the whole run as a fraction: 0.5 is 50 %. Undefined when nothing was there at the start."""
    return finite(equity_end / equity_start - 1) if equity_start > 0 else None


def cagr(equity_start: float, equity_end: float, *, returns_count: int, periods_per_year: float) -> float | None:
    """Compound annual growth rate: `(end / start) ** (periods_per_year / returns_count) - 1`.

    Years are counted in returns, as empyrical's `annual_return` does. -1 for a total loss, None for a loss of more.
    """
    if equity_start <= 0 or returns_count < 1 or equity_end < 0:
        return None
    with np.errstate(over="ignore"):
        return finite(np.float64(equity_end / equity_start) ** (periods_per_year / returns_count) - 1)


def volatility(returns: Floats, *, periods_per_year: float) -> float | None:
    """Annualised standard deviation of returns: `std(ddof=1) * sqrt(periods_per_year)`."""
    return finite(returns.std(ddof=1) * math.sqrt(periods_per_year)) if returns.size > 1 else None


def sharpe_ratio(returns: Floats, *, periods_per_year: float) -> float | None:
    """Annualised mean over deviation: `mean / std(ddof=1) * sqrt(periods_per_year)`.

    Sharpe, W. F. (1994), "The Sharpe Ratio", Journal of Portfolio Management 21(1), with a risk-free rate of 0.
    """
    if returns.size <= 1:
        return None
    deviation = float(returns.std(ddof=1))
    if not deviation > DISPERSION_MIN:
        return None
    return finite(float(returns.mean()) / deviation * math.sqrt(periods_per_year))


def sortino_ratio(returns: Floats, *, periods_per_year: float) -> float | None:
    """Annualised mean over downside deviation, `sqrt(mean(min(r, 0) ** 2))` over all returns, target 0.

    Sortino, F. A. and Price, L. N. (1994), "Performance Measurement in a Downside Risk Framework", Journal of
    Investing 3(3). None without a loss.
    """
    if returns.size <= 1:
        return None
    below = np.minimum(returns, 0.0)
    downside = math.sqrt(float(below @ below) / returns.size)
    if not downside > DISPERSION_MIN:
        return None
    return finite(float(returns.mean()) / downside * math.sqrt(periods_per_year))


def calmar_ratio(growth: float | None, drawdown_max: float | None) -> float | None:
    """CAGR over maximum drawdown (a positive fraction), over the whole run.

    Young, T. W. (1991), "Calmar Ratio: A Smoother Tool", Futures 20(1); there over three years. None without drawdown.
    """
    if growth is None or drawdown_max is None or drawdown_max <= 0:
        return None
    return finite(growth / drawdown_max)


def skewness(returns: Floats) -> float | None:
    """Third standardised moment of the sample, `m3 / m2 ** 1.5` (g1 of Joanes and Gill, 1998)."""
    if returns.size < SKEWNESS_RETURNS_MIN or not returns.std() > DISPERSION_MIN:
        return None
    centred = returns - returns.mean()
    squares = centred * centred
    return finite((squares * centred).mean() / squares.mean() ** 1.5)


def kurtosis(returns: Floats) -> float | None:
    """Excess kurtosis of the sample, `m4 / m2 ** 2 - 3`: 0 for a normal law (g2 of Joanes and Gill, 1998)."""
    if returns.size < KURTOSIS_RETURNS_MIN or not returns.std() > DISPERSION_MIN:
        return None
    centred = returns - returns.mean()
    squares = centred * centred
    return finite((squares * squares).mean() / squares.mean() ** 2 - 3)


def value_at_risk(returns: Floats, *, cutoff: float = 0.05) -> float | None:
    """Find the return that the worst `cutoff` of days stay below, by linear interpolation: usually negative.

    Historical simulation; Jorion, P. (2006), "Value at Risk", chapter 10.
    """
    if returns.size <= 1:
        return None
    place = (returns.size - 1) * cutoff
    index = int(place)
    tail = np.partition(returns, (index, index + 1))
    low, high = float(tail[index]), float(tail[index + 1])
    return finite(low + (high - low) * (place - index))


def conditional_value_at_risk(returns: Floats, *, cutoff: float = 0.05) -> float | None:
    """Average the worst `cutoff` of daily returns (expected shortfall), at least one of them.

    Acerbi, C. and Tasche, D. (2002), "On the coherence of expected shortfall", Journal of Banking and Finance 26(7).
    """
    if returns.size <= 1:
        return None
    index = int((returns.size - 1) * cutoff)
    return finite(np.partition(returns, index)[: index + 1].mean())
