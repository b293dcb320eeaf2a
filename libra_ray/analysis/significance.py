"""Is the best of many trials better than luck? The deflated Sharpe ratio."""

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

__all__ = ["deflated_sharpe_ratio", "expected_max_sharpe"]

EULER_MASCHERONI = 0.5772156649015329
NORMAL = NormalDist()


def expected_max_sharpe(deviation: float, trials: int) -> float:
    """Give the Sharpe ratio that the best of `trials` strategies without any skill is expected to show.

    `deviation` is the standard deviation of the trials' Sharpe ratios, in the same period as the result. Bailey, D. H.
    and Lopez de Prado, M. (2014), "The Deflated Sharpe Ratio", Journal of Portfolio Management 40(5), equation 1.
    """
    if trials <= 1:
        return 0.0
    high = NORMAL.inv_cdf(1 - 1 / trials)
    higher = NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return deviation * ((1 - EULER_MASCHERONI) * high + EULER_MASCHERONI * higher)


def deflated_sharpe_ratio(
    sharpe_of_trials: npt.NDArray[np.float64],
    *,
    best: float,
    skewness: float,
    kurtosis: float,
    returns_count: int,
    periods_per_year: float,
) -> float | None:
    """Give the probability that the best trial's true Sharpe ratio is above zero, given how many were tried.

    Sharpe ratios are annualised, `kurtosis` is excess. Trials count as independent, which overstates their number and
    makes the answer careful. None when it is not defined (one return, or a variance that is not positive). Bailey and
    Lopez de Prado (2014), equation 2.
    """
    if returns_count <= 1 or not sharpe_of_trials.size:
        return None
    per_period = best / math.sqrt(periods_per_year)
    spread = float(sharpe_of_trials.std(ddof=1)) / math.sqrt(periods_per_year) if sharpe_of_trials.size > 1 else 0.0
    threshold = expected_max_sharpe(spread, sharpe_of_trials.size)
    variance = 1 - skewness * per_period + (kurtosis + 2) / 4 * per_period**2
    if not variance > 0:
        return None
    return NORMAL.cdf((per_period - threshold) * math.sqrt(returns_count - 1) / math.sqrt(variance))
