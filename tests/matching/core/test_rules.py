"""The rules in their compiled form: Python's own answer, or an error, never a wrapped number."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.matching.core import rules, wide
from libra_ray.matching.core.forms import outer
from libra_ray.model.rules import fees, fixed_point, margin, pnl

ANY = st.integers(-(2**62), 2**62)
POSITIVE = st.integers(1, 2**61)
LARGEST = 2**63


@outer
def half_even(a: int, b: int, den: int) -> int:
    return wide.mul_div_half_even(a, b, den)


@outer
def ceil(a: int, b: int, den: int) -> int:
    return wide.mul_div_ceil(a, b, den)


@outer
def fee(px: int, qty: int, num: int, den: int) -> int:
    made: int = rules.fee_linear(px, qty, num, den)
    return made


@outer
def profit(sign: int, value: int, freed: int, num: int, den: int) -> int:
    made: int = rules.pnl_linear(sign, value, freed, num, den)
    return made


@outer
def released(open_value: int, qty: int, size: int) -> int:
    made: int = rules.released(open_value, qty, size)
    return made


@outer
def notional(px_twice: int, qty: int) -> int:
    made: int = rules.notional_linear(px_twice, qty)
    return made


@outer
def worst(position: int, buys: int, sells: int) -> int:
    made: int = rules.worst_notional(position, buys, sells)
    return made


def assert_alike(compiled: Callable[..., int], answer: int, *arguments: int) -> None:
    try:
        made = compiled(*arguments)
    except OverflowError:
        return
    assert made == answer


@given(ANY, ANY, POSITIVE)
def test_quotients_are_rounded_as_the_rules_round(a: int, b: int, den: int) -> None:
    assert_alike(half_even, fixed_point.div_half_even(a * b, den), a, b, den)
    assert_alike(ceil, fixed_point.div_ceil(a * b, den), a, b, den)


@given(st.integers(-1000, 1000), st.integers(-1000, 1000), st.integers(1, 50))
def test_ties_go_to_the_even_one(a: int, b: int, den: int) -> None:
    assert half_even(a, b, den) == fixed_point.div_half_even(a * b, den)
    assert ceil(a, b, den) == fixed_point.div_ceil(a * b, den)


@pytest.mark.parametrize(("a", "b", "den"), [(10**17, 10**17, 10**17), (-(10**18), 9 * 10**17, 10**18), (2**62, 3, 2)])
def test_products_of_more_than_64_bits_are_divided_exactly(a: int, b: int, den: int) -> None:
    answer = fixed_point.div_half_even(a * b, den)
    if abs(answer) < LARGEST:
        assert half_even(a, b, den) == answer
    else:
        with pytest.raises(OverflowError):
            half_even(a, b, den)


@given(ANY, ANY, ANY, ANY, POSITIVE, st.sampled_from([-1, 1]))
def test_each_rule_gives_what_its_text_gives(a: int, b: int, c: int, num: int, den: int, sign: int) -> None:
    assert_alike(fee, fees.fee_linear(a, b, num, den), a, b, num, den)
    assert_alike(profit, pnl.pnl_linear(sign, a, b, num, den), sign, a, b, num, den)
    assert_alike(released, pnl.released(a, abs(b) % den, den), a, abs(b) % den, den)
    assert_alike(notional, margin.notional_units(a, abs(b), inverse=False), a, abs(b))
    assert_alike(worst, margin.worst_notional(a, abs(b), abs(c)), a, abs(b), abs(c))
