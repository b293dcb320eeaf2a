"""The functions of compiled handlers: exact values, and the same bits wherever they are called from."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.strategy import numeric

PLAIN = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [
        (numeric.sqrt, 2.25, 1.5),
        (numeric.exp, 0.0, 1.0),
        (numeric.log, 1.0, 0.0),
        (numeric.sin, 0.0, 0.0),
        (numeric.cos, 0.0, 1.0),
        (numeric.floor, -1.5, -2),
        (numeric.ceil, -1.5, -1),
        (numeric.floor, 1e15 + 0.5, 10**15),
    ],
)
def test_a_known_value(function: Callable[[float], float], x: float, expected: float) -> None:
    assert function(x) == expected
    assert type(function(x)) is type(expected)


def test_powers_below_zero_roots_and_logarithms_of_nothing_are_nan() -> None:
    assert numeric.power(2.0, 10.0) == 1024.0
    assert all(math.isnan(x) for x in (numeric.power(-1.0, 2.0), numeric.sqrt(-1.0), numeric.log(0.0)))


@pytest.mark.parametrize("x", [math.nan, math.inf, -math.inf, 1e19, -1e19])
def test_no_integer_of_64_bits(x: float) -> None:
    with pytest.raises(OverflowError):
        numeric.floor(x)
    with pytest.raises(OverflowError):
        numeric.ceil(x)


@given(st.lists(PLAIN, min_size=1, max_size=40))
def test_columns_are_gone_through_from_the_first_value_on(values: list[float]) -> None:
    summed = products = 0.0
    for value in values:
        summed += value
        products += value * value

    assert numeric.total(values) == summed
    assert numeric.mean(values) == summed / len(values)
    assert numeric.dot(values, values) == products
    assert (numeric.minimum(values), numeric.maximum(values)) == (min(values), max(values))
    assert numeric.std(values) == pytest.approx(math.sqrt(sum((x - summed / len(values)) ** 2 for x in values) / len(values)), rel=1e-6, abs=1e-4)  # fmt: skip  # noqa: E501


def test_equal_values_have_no_deviation() -> None:
    assert numeric.std([1.1] * 7) == 0.0


def test_a_column_without_values() -> None:
    assert numeric.total([]) == 0.0
    for function in (numeric.mean, numeric.std):
        with pytest.raises(ZeroDivisionError):
            function([])
    for function in (numeric.minimum, numeric.maximum):
        with pytest.raises(IndexError):
            function([])


def test_columns_of_different_lengths_have_no_product() -> None:
    with pytest.raises(IndexError):
        numeric.dot([1.0], [1.0, 2.0])
