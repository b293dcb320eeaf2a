"""Breakout: in beyond the channel of former bars, out at the shorter one or at the stop."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from libra_actors.strategies import Breakout
from libra_ray import BacktestResult
from tests.actors.strategies.markets import Deal, bars, deals, run

# Ranges of 1 from bar to bar: the true range, and so the average over 3 bars, is 1 before the break.
QUIET = [100, 101, 100, 101, 100, 101]


def breakout(*, stop_atrs: float = 2.0, long_only: bool = False) -> Breakout:
    return Breakout(
        instrument="ABC.SIM", bars="1h", entry=3, exit=2, stop_atrs=stop_atrs, quantity="10", long_only=long_only
    )


def stops(result: BacktestResult) -> list[tuple[str, Decimal, str]]:
    """Side, trigger and end of each stop."""
    rows = [row for row in result.orders.to_pylist() if row["type"] == "STOP_MARKET"]
    return [(row["side"], row["trigger_price"], row["status"]) for row in rows]


def test_a_close_above_the_former_bars_is_bought_and_a_close_below_the_exit_channel_sold() -> None:
    result = run(breakout(stop_atrs=0.0), bars([*QUIET, 104, 106, 108, 107, 105, 104]))

    # Bars run from the former close to their own: the lows of bars 9 and 10 are 106 and 107, and 105 is below both.
    assert deals(result) == [Deal(8, "BUY", 10, 104), Deal(12, "SELL", 10, 105)]


def test_a_close_at_the_edge_of_the_channel_is_no_break() -> None:
    result = run(breakout(), bars([*QUIET, 101, 100, 101]))

    assert deals(result) == []


def test_the_stop_waits_two_ranges_below_the_entry_and_goes_with_the_position() -> None:
    result = run(breakout(), bars([*QUIET, 104, 106, 108, 107, 105, 104]))

    # The average true range after the break is 1 + (3 - 1) / 3 = 1.67, twice that is 3.33: 104 - 3.33 down to the cent.
    assert stops(result) == [("SELL", Decimal("100.66"), "CANCELED")]
    assert deals(result)[-1] == Deal(12, "SELL", 10, 105)


def test_a_stop_that_is_hit_ends_the_position_inside_the_bar() -> None:
    result = run(breakout(), bars([*QUIET, 104, 104, 100.5, 100.5]))

    assert stops(result) == [("SELL", Decimal("100.66"), "FILLED")]
    assert deals(result) == [Deal(8, "BUY", 10, 104), Deal(9, "SELL", 10, Decimal("100.66"))]


def test_a_break_downwards_is_sold_and_protected_from_above() -> None:
    result = run(breakout(), bars([*QUIET, 98, 96]))

    assert deals(result) == [Deal(8, "SELL", 10, 98)]
    assert stops(result) == [("BUY", Decimal("101.34"), "ACCEPTED")]


def test_an_opposite_break_turns_the_position_and_replaces_its_stop() -> None:
    result = run(breakout(stop_atrs=20.0), bars([*QUIET, 104, 104, 90, 90]))

    assert deals(result) == [Deal(8, "BUY", 10, 104), Deal(10, "SELL", 20, 90)]
    assert [(side, status) for side, _, status in stops(result)] == [("SELL", "CANCELED"), ("BUY", "ACCEPTED")]

    mirrored = run(breakout(stop_atrs=20.0), bars([*QUIET, 98, 98, 110, 110]))

    assert deals(mirrored) == [Deal(8, "SELL", 10, 98), Deal(10, "BUY", 20, 110)]
    assert [(side, status) for side, _, status in stops(mirrored)] == [("BUY", "CANCELED"), ("SELL", "ACCEPTED")]


def test_long_only_does_not_sell_a_break_downwards() -> None:
    result = run(breakout(long_only=True), bars([*QUIET, 98, 96]), account="cash")

    assert result.orders.num_rows == 0


def test_a_position_whose_stop_is_refused_is_closed_at_once() -> None:
    # A stop of 200 ranges below 104 is at a negative price, which the risk engine denies.
    result = run(breakout(stop_atrs=200.0), bars([*QUIET, 104, 104, 104]))

    assert result.orders["code"].to_pylist() == ["", "PRICE_NOT_POSITIVE", ""]
    assert deals(result) == [Deal(8, "BUY", 10, 104), Deal(9, "SELL", 10, 104)]


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValidationError, match="exit=21 must not be above entry=20"):
        Breakout(instrument="ABC.SIM", bars="1h", entry=20, exit=21, quantity="10")
    with pytest.raises(ValidationError, match="stop_atrs"):
        breakout(stop_atrs=-1.0)
