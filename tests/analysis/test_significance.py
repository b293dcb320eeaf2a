"""The figures of Bailey and Lopez de Prado against the examples of their papers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.analysis.significance import (
    deflated_sharpe_ratio,
    expected_max_sharpe,
    independent_trials,
    min_track_record,
    probabilistic_sharpe_ratio,
)


def of_the_paper(*, trials: int | None = None, skewness: float = -3, kurtosis: float = 7) -> float | None:
    """The numerical example of 2014: annual ratios of variance 1/2, T = 1250, skewness -3, kurtosis 10."""
    spread = math.sqrt(0.5)
    sharpe = np.concatenate((np.full(50, spread), np.full(50, -spread))) * math.sqrt(99 / 100)
    return deflated_sharpe_ratio(
        sharpe,
        best=2.5,
        returns_count=1_250,
        periods_per_year=250,
        trials=trials,
        skewness=skewness,
        kurtosis=kurtosis,
    )


def test_the_example_of_the_paper_is_refused_after_100_trials_and_taken_after_46() -> None:
    assert expected_max_sharpe(math.sqrt(0.5 / 250), 100) == pytest.approx(0.1132, abs=5e-5)
    assert of_the_paper() == pytest.approx(0.9004, abs=5e-5)
    assert of_the_paper(trials=46) == pytest.approx(0.9505, abs=5e-5)


def test_with_normal_returns_the_example_is_taken_after_88_trials() -> None:
    assert of_the_paper(trials=88, skewness=0, kurtosis=0) == pytest.approx(0.9505, abs=5e-5)


@pytest.mark.parametrize(
    ("periods", "skewness", "kurtosis", "years"),
    [(250, 0, 0, 2.73), (52, 0, 0, 2.83), (12, 0, 0, 3.24), (12, -0.72, 2.78, 4.99)],
)
def test_the_track_record_that_two_needs_to_be_above_one(
    periods: int, skewness: float, kurtosis: float, years: float
) -> None:
    # Bailey and Lopez de Prado (2012), section 4: daily, weekly, monthly, and monthly returns of hedge funds.
    found = min_track_record(2, skewness=skewness, kurtosis=kurtosis, periods_per_year=periods, benchmark=1)

    assert found is not None
    assert found / periods == pytest.approx(years, abs=0.005)


@given(
    sharpe=st.floats(0.2, 4), skewness=st.floats(-2, 2), kurtosis=st.floats(2, 10), confidence=st.floats(0.6, 0.99)
)  # fmt: skip
def test_a_track_record_of_the_least_length_gives_the_confidence(
    sharpe: float, skewness: float, kurtosis: float, confidence: float
) -> None:
    shape = {"skewness": skewness, "kurtosis": kurtosis, "periods_per_year": 252}
    length = min_track_record(sharpe, confidence=confidence, **shape)
    assert length is not None

    shorter = probabilistic_sharpe_ratio(sharpe, returns_count=max(math.floor(length), 2), **shape)
    longer = probabilistic_sharpe_ratio(sharpe, returns_count=math.ceil(length) + 1, **shape)

    assert shorter is not None
    assert longer is not None
    assert shorter - 1e-9 <= confidence <= longer + 1e-9 or length < 2


def test_no_track_record_is_long_enough_for_a_ratio_below_the_benchmark() -> None:
    assert min_track_record(1, skewness=0, kurtosis=0, periods_per_year=252, benchmark=1) is None


def test_trials_that_move_together_count_as_fewer() -> None:
    assert [independent_trials(100, rho) for rho in (0, 0.5, 1)] == [100, 50.5, 1]
    with pytest.raises(ValueError, match=r"^1\.5$"):
        independent_trials(10, 1.5)


def test_one_trial_is_not_deflated_and_more_trials_are_less_convincing() -> None:
    def of(count: int) -> float:
        trials = np.linspace(-1, 1, count)
        found = deflated_sharpe_ratio(trials, best=1.0, skewness=0, kurtosis=0, returns_count=500, periods_per_year=252)
        assert found is not None
        return found

    alone = probabilistic_sharpe_ratio(1.0, skewness=0, kurtosis=0, returns_count=500, periods_per_year=252)
    assert of(1) == alone
    assert of(1) > 0.9 > of(10) > of(1_000)


def test_without_two_returns_there_is_no_answer() -> None:
    assert (
        deflated_sharpe_ratio(np.ones(3), best=1, skewness=0, kurtosis=0, returns_count=1, periods_per_year=252) is None
    )
