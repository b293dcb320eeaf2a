"""MeanReversion: in beyond a band, out at the middle."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from libra_actors.strategies import MeanReversion
from tests.actors.strategies.markets import Deal, bars, deals, run


def mean_reversion(*, long_only: bool = False, multiplier: float = 1.0) -> MeanReversion:
    return MeanReversion(
        instrument="ABC.SIM", bars="1h", period=3, multiplier=multiplier, quantity="10", long_only=long_only
    )


def test_a_close_below_the_lower_band_is_bought_and_left_at_the_middle() -> None:
    # Window 100 100 90: middle 96.67, lower 91.95. 100 90 92: middle 94. 90 92 91.5: middle 91.17, upper 92.02.
    result = run(mean_reversion(), bars([100, 100, 100, 90, 92, 91.5, 91.5]))

    assert deals(result) == [Deal(5, "BUY", 10, 90), Deal(7, "SELL", 10, Decimal("91.5"))]


def test_a_close_above_the_upper_band_is_sold_and_left_at_the_middle() -> None:
    result = run(mean_reversion(), bars([100, 100, 100, 110, 108, 108.5, 108.5]))

    assert deals(result) == [Deal(5, "SELL", 10, 110), Deal(7, "BUY", 10, Decimal("108.5"))]


def test_long_only_does_not_sell_above_the_upper_band() -> None:
    result = run(mean_reversion(long_only=True), bars([100, 100, 100, 110, 110, 108]), account="cash")

    assert deals(result) == []


def test_a_market_that_does_not_move_is_not_traded() -> None:
    result = run(mean_reversion(), bars([0.1] * 30))

    assert result.orders.num_rows == 0


def test_an_order_that_was_denied_is_tried_again_while_price_stays_beyond_the_band() -> None:
    result = run(mean_reversion(), bars([100, 100, 100, 90, 80, 80]), risk={"max_position": "5"})

    assert result.orders["code"].to_pylist() == ["MAX_POSITION", "MAX_POSITION"]
    assert result.orders["ts_init_ns"].to_pylist() == [4 * 3_600 * 10**9, 5 * 3_600 * 10**9]


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValidationError, match="multiplier"):
        mean_reversion(multiplier=0.0)
    with pytest.raises(ValidationError, match="period"):
        MeanReversion(instrument="ABC.SIM", bars="1h", period=1, quantity="10")
