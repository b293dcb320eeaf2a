"""Ranges of settings: their values, draws from them, and what is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray import ConfigError
from libra_ray.config import Range
from libra_ray.config.ranges import range_of

PARTS = st.floats(0.0, 1.0, exclude_max=True)


def test_both_bounds_are_values_and_decimals_are_what_was_meant() -> None:
    assert Range(5, 9, step=2).values() == (5, 7, 9)
    assert Range(5, 8, step=2).values() == (5, 7)
    assert Range(0.1, 0.5, step=0.1).values() == (0.1, 0.2, 0.3, 0.4, 0.5)


@given(low=st.integers(-50, 50), width=st.integers(0, 60), step=st.none() | st.integers(1, 9), part=PARTS)
def test_a_draw_of_ints_is_one_of_the_values(low: int, width: int, step: int | None, part: float) -> None:
    values = Range(low, low + width, step=step)

    assert values.at(part) in values.values()
    assert values.count == len(values.values())
    assert values.at(0.0) == low


@given(low=st.integers(-50, 50), width=st.integers(0, 60))
def test_even_parts_draw_every_int_once(low: int, width: int) -> None:
    values = Range(low, low + width)
    count = width + 1

    assert [values.at((number + 0.5) / count) for number in range(count)] == list(values.values())


@given(part=PARTS)
def test_a_logarithmic_draw_has_its_part_of_the_logarithm(part: float) -> None:
    assert Range(0.01, 100.0, log=True).at(part) == pytest.approx(10 ** (4 * part - 2))
    assert 1 <= Range(1, 1000, log=True).at(part) <= 1000


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"low": 5, "high": 4}, "CONF002 range: low 5 is above high 4. Exchange them."),
        ({"low": 0, "high": 4, "step": 0}, "step 0 is not positive"),
        ({"low": 0, "high": 4, "log": True}, "a logarithmic range from 0"),
        ({"low": 0.0, "high": float("nan")}, "has a bound that is no number"),
        ({"low": True, "high": 4}, "has a bound that is no number"),
        ({"low": "1", "high": 4}, "has a bound that is no number"),
    ],
)
def test_bounds_that_make_no_range_are_refused(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=r"CONF002") as caught:
        Range(**arguments)
    assert text in str(caught.value)


def test_floats_without_a_step_and_a_million_values_are_not_listed() -> None:
    with pytest.raises(ConfigError, match="has no step"):
        Range(0.0, 1.0).values()
    with pytest.raises(ConfigError, match="2,000,001 values"):
        Range(0, 2_000_000).values()


def test_keys_of_a_run_file_are_checked_and_the_place_is_told() -> None:
    assert range_of({"low": 1, "high": 9, "step": 2}, "sweep.grid.fast") == Range(1, 9, step=2)
    with pytest.raises(ConfigError, match=r"CONF001 sweep\.grid\.fast: unknown key 'hihg'.*'high'"):
        range_of({"low": 1, "hihg": 9}, "sweep.grid.fast")
    with pytest.raises(ConfigError, match=r"CONF002 sweep\.grid\.fast: a range without high"):
        range_of({"low": 1}, "sweep.grid.fast")
