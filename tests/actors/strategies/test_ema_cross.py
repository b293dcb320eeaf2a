"""EmaCross: trades on crosses alone, and on all of them."""

import numpy as np
import pytest
from pydantic import ValidationError

from libra_actors.strategies import EmaCross
from libra_ray.strategy.indicators import Ema
from tests.actors.strategies.markets import Deal, bars, deals, random_walk, run


def ema_cross(*, fast: int = 2, slow: int = 3, long_only: bool = False) -> EmaCross:
    return EmaCross(instrument="ABC.SIM", bars="1h", fast=fast, slow=slow, quantity="10", long_only=long_only)


def test_the_side_on_which_the_averages_begin_is_no_cross() -> None:
    result = run(ema_cross(), bars([100, 101, 102, 103, 104, 105]))

    assert deals(result) == []


def test_a_cross_up_buys_at_the_next_open_and_a_cross_down_turns_the_position() -> None:
    result = run(ema_cross(), bars([100, 99, 98, 97, 100, 104, 104, 90, 80]))

    assert deals(result) == [Deal(6, "BUY", 10, 100), Deal(9, "SELL", 20, 90)]


def test_long_only_leaves_the_market_instead_of_turning() -> None:
    result = run(ema_cross(long_only=True), bars([100, 99, 98, 97, 100, 104, 104, 90, 80]), account="cash")

    assert deals(result) == [Deal(6, "BUY", 10, 100), Deal(9, "SELL", 10, 90)]


def test_equal_averages_keep_the_side() -> None:
    flat = run(ema_cross(), bars([100.1] * 20))
    flat_after_a_cross = run(ema_cross(fast=1, slow=2), bars([100, 99, 102, *[102.7] * 60]))

    assert deals(flat) == []
    assert deals(flat_after_a_cross) == [Deal(4, "BUY", 10, 102)]


@pytest.mark.slow
@pytest.mark.parametrize(("fast", "slow"), [(3, 8), (10, 30), (1, 2)])
def test_every_cross_of_a_random_walk_is_traded_once(fast: int, slow: int) -> None:
    closes = random_walk(3_000, seed=11)

    result = run(ema_cross(fast=fast, slow=slow), bars(closes))

    above = np.sign(Ema(fast).batch(closes) - Ema(slow).batch(closes))[slow - 1 : -1]
    sides = above[above != 0.0]
    crosses = sides[1:][sides[1:] != sides[:-1]]
    assert [deal.side for deal in deals(result)] == ["BUY" if side > 0 else "SELL" for side in crosses]
    assert [deal.quantity for deal in deals(result)] == [10, *[20] * (len(crosses) - 1)]


def test_a_fast_period_that_is_not_below_the_slow_one_is_refused() -> None:
    with pytest.raises(ValidationError, match="fast=30 must be below slow=30"):
        ema_cross(fast=30, slow=30)
    with pytest.raises(ValidationError, match="fast"):
        ema_cross(fast=0, slow=30)


@pytest.mark.parametrize("quantity", ["0", "-1", -1, 1.5, None])
def test_a_quantity_that_is_not_a_positive_decimal_text_or_whole_number_is_refused(quantity: object) -> None:
    with pytest.raises(ValidationError, match="quantity"):
        EmaCross(instrument="ABC.SIM", bars="1h", fast=2, slow=3, quantity=quantity)


def test_a_quantity_that_is_no_number_is_refused_with_its_code() -> None:
    with pytest.raises(ValidationError, match="CONF002 'ten' is not a decimal"):
        EmaCross(instrument="ABC.SIM", bars="1h", fast=2, slow=3, quantity="ten")


def test_a_misspelt_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="fsat"):
        EmaCross(instrument="ABC.SIM", bars="1h", fsat=2, slow=3, quantity="10")
