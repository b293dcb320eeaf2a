"""Which trial is best."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.errors import ConfigError
from libra_ray.sweeps.ranking import SMALLER_IS_BETTER, best_of, check_rank, is_smaller_better, known_figures
from libra_ray.sweeps.trials import Trial

FIGURES = st.lists(st.none() | st.integers(-5, 5) | st.floats(-5, 5), max_size=8)


def trials(figures: list[float | None], name: str) -> list[Trial]:
    return [Trial(number, {name: figure}) for number, figure in enumerate(figures)]


@given(figures=FIGURES)
def test_the_best_has_the_largest_figure_and_of_equal_ones_the_lowest_number(figures: list[float | None]) -> None:
    best = best_of(trials(figures, "sharpe_ratio"), "sharpe_ratio")

    known = [figure for figure in figures if figure is not None]
    assert (best and best.number) == (figures.index(max(known)) if known else None)


@given(figures=FIGURES)
def test_of_a_drawdown_the_smallest_is_best(figures: list[float | None]) -> None:
    best = best_of(trials(figures, "max_drawdown"), "max_drawdown")

    known = [figure for figure in figures if figure is not None]
    assert (best and best.number) == (figures.index(min(known)) if known else None)


def test_every_figure_of_which_less_is_better_exists() -> None:
    assert SMALLER_IS_BETTER - set(known_figures()) == set()


def test_fees_in_any_currency_can_be_ranked_by_and_less_is_better() -> None:
    check_rank("fees_USD")

    assert is_smaller_better("fees_USD")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sharp_ratio", "CONF002 rank: 'sharp_ratio' is not a figure to rank by. Did you mean 'sharpe_ratio'?"),
        (
            "worst",
            "CONF002 rank: 'worst' is not a figure to rank by. Did you mean 'worst_day'?",
        ),
    ],
)
def test_what_is_no_figure_is_refused(name: str, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_rank(name)

    assert str(caught.value) == text
