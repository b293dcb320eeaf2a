"""Is a Sharpe ratio better than luck? Probabilistic and deflated Sharpe ratio, and the track record that one needs.

Sharpe ratios are annualised, `periods_per_year` returns make a year, `kurtosis` is excess (0 for a normal law; the
papers count 3). Bailey, D. H. and Lopez de Prado, M. (2012), "The Sharpe Ratio Efficient Frontier", Journal of Risk
15(2); (2014), "The Deflated Sharpe Ratio", Journal of Portfolio Management 40(5).
"""

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

__all__ = [
    "deflated_sharpe_ratio",
    "expected_max_sharpe",
    "independent_trials",
    "min_track_record",
    "probabilistic_sharpe_ratio",
]

EULER_MASCHERONI = 0.5772156649015329
NORMAL = NormalDist()


def expected_max_sharpe(deviation: float, trials: float) -> float:
    """Give the Sharpe ratio that the best of `trials` strategies without any skill is expected to show.

    `deviation` is the standard deviation of the trials' Sharpe ratios, in the same period as the result. Bailey and
    Lopez de Prado (2014), equation 1.
    """
    if trials <= 1:
        return 0.0
    high = NORMAL.inv_cdf(1 - 1 / trials)
    higher = NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return deviation * ((1 - EULER_MASCHERONI) * high + EULER_MASCHERONI * higher)


def independent_trials(trials: int, mean_correlation: float) -> float:
    """Give how many independent trials `trials` amount to whose returns have this mean correlation.

    `rho + (1 - rho) * trials`, Bailey and Lopez de Prado (2014), appendix 3. Raises `ValueError` outside [0, 1].
    """
    if not 0 <= mean_correlation <= 1:
        raise ValueError(mean_correlation)
    return mean_correlation + (1 - mean_correlation) * trials


def probabilistic_sharpe_ratio(
    sharpe: float,
    *,
    skewness: float,
    kurtosis: float,
    returns_count: int,
    periods_per_year: float,
    benchmark: float = 0.0,
) -> float | None:
    """Give the probability that the true Sharpe ratio is above `benchmark`, when one strategy alone was tried.

    None when it is not defined (one return, or a variance that is not positive). Bailey and Lopez de Prado (2012),
    equation 11.
    """
    per_period, threshold = (value / math.sqrt(periods_per_year) for value in (sharpe, benchmark))
    variance = _variance(per_period, skewness, kurtosis)
    if returns_count <= 1 or not variance > 0:
        return None
    return NORMAL.cdf((per_period - threshold) * math.sqrt(returns_count - 1) / math.sqrt(variance))


def min_track_record(
    sharpe: float,
    *,
    skewness: float,
    kurtosis: float,
    periods_per_year: float,
    benchmark: float = 0.0,
    confidence: float = 0.95,
) -> float | None:
    """Give how many returns it takes before `sharpe` is above `benchmark` with `confidence`.

    None when no length suffices. Bailey and Lopez de Prado (2012), equation 13.
    """
    per_period, threshold = (value / math.sqrt(periods_per_year) for value in (sharpe, benchmark))
    variance = _variance(per_period, skewness, kurtosis)
    if per_period <= threshold or not variance > 0:
        return None
    return 1 + variance * (NORMAL.inv_cdf(confidence) / (per_period - threshold)) ** 2


def deflated_sharpe_ratio(
    sharpe_of_trials: npt.NDArray[np.float64],
    *,
    best: float,
    skewness: float,
    kurtosis: float,
    returns_count: int,
    periods_per_year: float,
    trials: float | None = None,
) -> float | None:
    """Give the probability that the best trial's true Sharpe ratio is above zero, given how many were tried.

    `trials` None: as many as `sharpe_of_trials` has. Give it when more were tried than are known, or when they were
    not independent (`independent_trials`): counting all as independent makes the answer careful. None when it is not
    defined (one return, or a variance that is not positive). Bailey and Lopez de Prado (2014), equation 2.
    """
    if not sharpe_of_trials.size:
        return None
    spread = float(sharpe_of_trials.std(ddof=1)) if sharpe_of_trials.size > 1 else 0.0
    return probabilistic_sharpe_ratio(
        best,
        skewness=skewness,
        kurtosis=kurtosis,
        returns_count=returns_count,
        periods_per_year=periods_per_year,
        benchmark=expected_max_sharpe(spread, sharpe_of_trials.size if trials is None else trials),
    )


def _variance(per_period: float, skewness: float, kurtosis: float) -> float:
    """Of a Sharpe ratio of one return more than its number, Bailey and Lopez de Prado (2012), equation 8."""
    return 1 - skewness * per_period + (kurtosis + 2) / 4 * per_period**2
