"""The deflated Sharpe ratio against the published example."""

import math

import numpy as np
import pytest

from libra_ray.analysis.significance import deflated_sharpe_ratio, expected_max_sharpe


def test_the_example_of_the_paper() -> None:
    # Bailey and Lopez de Prado (2014): 100 trials, variance 1/2 of annual ratios, T = 1250, skewness -3, kurtosis 10.
    assert expected_max_sharpe(math.sqrt(0.5 / 250), 100) == pytest.approx(0.1132, abs=5e-5)
    spread = math.sqrt(0.5)
    trials = np.concatenate((np.full(50, spread), np.full(50, -spread))) * math.sqrt(99 / 100)

    found = deflated_sharpe_ratio(trials, best=2.5, skewness=-3, kurtosis=7, returns_count=1_250, periods_per_year=250)

    assert found == pytest.approx(0.9004, abs=5e-5)


def test_one_trial_is_not_deflated_and_more_trials_are_less_convincing() -> None:
    def of(count: int) -> float:
        trials = np.linspace(-1, 1, count)
        found = deflated_sharpe_ratio(trials, best=1.0, skewness=0, kurtosis=0, returns_count=500, periods_per_year=252)
        assert found is not None
        return found

    assert of(1) > 0.9 > of(10) > of(1_000)


def test_without_two_returns_there_is_no_answer() -> None:
    assert (
        deflated_sharpe_ratio(np.ones(3), best=1, skewness=0, kurtosis=0, returns_count=1, periods_per_year=252) is None
    )
