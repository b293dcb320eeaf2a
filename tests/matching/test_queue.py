"""The place in a queue: the figures of the specification, and the compiled form against exact fractions."""

import json
import math
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from libra_ray.matching.queue import (
    after_fall_prob,
    after_fall_prob_64,
    after_size,
    after_size_64,
    after_trade,
    after_trade_64,
)

SIZE_MAX = 10**18
SIZES = st.one_of(st.integers(0, 40), st.integers(0, SIZE_MAX))
STEPS = st.sampled_from([1, 1, 5, 1_000])


def exact(ahead: int, before: int, after: int, traded: int, power: int, step: int) -> int:
    """The rule as the specification has it, in fractions."""
    fall = before - after - traded
    if fall <= 0:
        return min(ahead, after)
    back = max(0, before - ahead)
    k = Fraction(back**power, back**power + ahead**power) if back or ahead else Fraction(1)
    left = ahead - (1 - k) * fall + min(back - k * fall, Fraction(0))
    return min(math.ceil(max(Fraction(0), min(left, Fraction(after))) / step) * step, after)


def test_of_a_trade_the_ones_ahead_come_first() -> None:
    assert after_trade(10_000, 8_000) == (0, 2_000)
    assert after_trade(2_000, 3_000) == (1_000, 0)
    assert after_trade(0, 500) == (500, 0)


def test_nobody_has_more_ahead_than_is_shown() -> None:
    assert [after_size(100, size) for size in (60, 100, 130, 0)] == [60, 100, 100, 0]


def test_the_probable_place_is_that_of_the_scenario(shared: Path) -> None:
    scenario = json.loads((shared / "scenarios" / "queue-prob.json").read_text())
    shown = [int(row[5]) for row in scenario["data"] if row[0] == "quote"]
    volume = next(int(row[4]) for row in scenario["data"] if row[0] == "trade")

    ahead, places = shown[0], []
    for before, after in pairwise(shown):
        ahead = after_fall_prob(ahead, before, after, 0, 3, 1)
        places.append(ahead)

    assert places == [60, 60, 43]
    assert after_trade(ahead, volume) == (7, 0)


def test_what_traded_explains_the_fall() -> None:
    assert after_fall_prob(40, 100, 70, 30, 3, 1) == 40
    assert after_fall_prob(40, 100, 30, 30, 3, 1) == 30  # 40 more went: they stood behind, and 30 are left in all


@given(SIZES, SIZES, SIZES, SIZES, st.integers(1, 8), STEPS)
def test_the_probable_place_is_exact_and_compiled_the_same(
    ahead: int, before: int, fall: int, traded: int, power: int, step: int
) -> None:
    before, after = before - before % step, max(before - before % step - fall, 0)
    traded = min(traded, before - after)
    case = (min(ahead, before), before, after, traded, power, step)

    assert after_fall_prob(*case) == exact(*case)
    assert after_fall_prob_64(*case) == exact(*case)


@given(SIZES, SIZES)
def test_the_simple_rules_compile_to_the_same(ahead: int, other: int) -> None:
    assert after_trade_64(ahead, other) == after_trade(ahead, other)
    assert after_size_64(ahead, other) == after_size(ahead, other)


@given(st.integers(1, 10**30), st.integers(0, 10**30), st.integers(1, 8))
def test_the_place_stays_between_nothing_and_what_is_shown_in_high_precision(ahead: int, fall: int, power: int) -> None:
    before, after = ahead + 10**20, max(ahead + 10**20 - fall, 0)

    place = after_fall_prob(ahead, before, after, 0, power, 1)

    assert 0 <= place <= min(after, ahead)
    assert place == exact(ahead, before, after, 0, power, 1)
