"""Figures of daily returns equal those of empyrical-reloaded, an independent implementation, to 1e-12."""

from collections.abc import Callable

import empyrical
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from libra_ray.analysis.drawdown import drawdowns, max_drawdown
from libra_ray.analysis.equity import DAY_NS, EquityCurve
from libra_ray.analysis.returns import simple_returns, value_at_risk
from libra_ray.analysis.statistics import RunArrays, statistics_from_arrays

PERIODS = (252, 365)


def pandas_skewness(returns: npt.NDArray[np.float64]) -> float:
    n = returns.size
    return float(pd.Series(returns).skew() * (n - 2) / np.sqrt(n * (n - 1)))


def pandas_kurtosis(returns: npt.NDArray[np.float64]) -> float:
    n = returns.size
    return float((pd.Series(returns).kurt() * (n - 2) * (n - 3) / (n - 1) - 6) / (n + 1))


PEERS: dict[str, Callable[[npt.NDArray[np.float64], int], float]] = {
    "cagr": lambda returns, periods: empyrical.annual_return(returns, annualization=periods),
    "volatility": lambda returns, periods: empyrical.annual_volatility(returns, annualization=periods),
    "sharpe_ratio": lambda returns, periods: empyrical.sharpe_ratio(returns, annualization=periods),
    "sortino_ratio": lambda returns, periods: empyrical.sortino_ratio(returns, annualization=periods),
    "calmar_ratio": lambda returns, periods: empyrical.calmar_ratio(returns, annualization=periods),
    "max_drawdown": lambda returns, _: -empyrical.max_drawdown(returns),
    "total_return": lambda returns, _: empyrical.cum_returns_final(returns),
    "value_at_risk_95": lambda returns, _: empyrical.value_at_risk(returns),
    "conditional_value_at_risk_95": lambda returns, _: empyrical.conditional_value_at_risk(returns),
    # Not in empyrical: pandas gives the unbiased forms of Joanes and Gill, ours follow from them by the sample size.
    "skewness": lambda returns, _: pandas_skewness(returns),
    "kurtosis": lambda returns, _: pandas_kurtosis(returns),
}


def curve(seed: int, *, drift: float, days: int) -> EquityCurve:
    rng = np.random.default_rng(seed)
    growth = 1 + drift + 0.01 * rng.standard_t(4, days)
    equity = 100_000.0 * np.cumprod(np.concatenate(([1.0], growth)), dtype=np.float64)
    return EquityCurve(np.arange(days + 1, dtype=np.int64) * DAY_NS, equity, "USD")


@pytest.mark.parametrize("figure", PEERS)
@pytest.mark.parametrize("periods", PERIODS)
@pytest.mark.parametrize(
    ("seed", "drift", "days"), [(1, 0.0006, 2_500), (2, -0.001, 700), (3, 0.0, 20), (4, 0.002, 251)]
)
def test_a_figure_equals_the_peer(figure: str, periods: int, seed: int, drift: float, days: int) -> None:
    run = curve(seed, drift=drift, days=days)

    stats = statistics_from_arrays(RunArrays(curve=run), periods_per_year=periods)

    assert stats[figure] == pytest.approx(PEERS[figure](simple_returns(run.equity), periods), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("cutoff", [0.01, 0.05, 0.5, 0.99])
def test_value_at_risk_interpolates_as_numpy_does(cutoff: float) -> None:
    returns = np.random.default_rng(9).normal(0, 0.01, 333)

    assert value_at_risk(returns, cutoff=cutoff) == pytest.approx(np.percentile(returns, 100 * cutoff), rel=1e-12)


def test_the_deepest_row_of_the_table_is_the_maximum() -> None:
    run = curve(5, drift=0.0, days=900)

    assert drawdowns(run).column("depth")[0].as_py() == max_drawdown(run.equity)
