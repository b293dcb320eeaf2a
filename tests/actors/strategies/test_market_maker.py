"""MarketMaker: one order a side around the mid, bounded by inventory."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from libra_actors.strategies import MarketMaker
from libra_ray import BacktestResult
from tests.actors.strategies.markets import SECOND_NS, quotes, run


def market_maker(**settings: Any) -> MarketMaker:  # noqa: ANN401 - checked by the model
    chosen: dict[str, Any] = {
        "instrument": "ABC.SIM",
        "quantity": "100",
        "half_spread_ticks": 3,
        "requote_ticks": 2,
        "inventory_max": "200",
    }
    return MarketMaker(**(chosen | settings))


def orders(result: BacktestResult) -> list[tuple[int, str, Decimal, str]]:
    """Second, side, price and end of each order."""
    rows = result.orders.to_pylist()
    return [(row["ts_init_ns"] // SECOND_NS, row["side"], row["price"], row["status"]) for row in rows]


def test_the_first_quote_brings_one_order_on_each_side_of_the_mid_rounded_away_from_it() -> None:
    result = run(market_maker(), quotes([(10_000, 10_003)]))  # mid 100.015: 99.985 and 100.045

    assert orders(result) == [
        (1, "BUY", Decimal("99.98"), "CANCELED"),
        (1, "SELL", Decimal("100.05"), "CANCELED"),
    ]
    assert result.orders["post_only"].to_pylist() == [True, True]


def test_orders_stay_while_the_mid_moves_less_than_asked_and_are_replaced_once_when_it_does() -> None:
    result = run(market_maker(), quotes([(10_000, 10_002), (10_001, 10_003), (10_001, 10_004), (10_002, 10_004)]))

    assert orders(result) == [
        (1, "BUY", Decimal("99.98"), "CANCELED"),
        (1, "SELL", Decimal("100.04"), "CANCELED"),
        (4, "BUY", Decimal(100), "CANCELED"),
        (4, "SELL", Decimal("100.06"), "CANCELED"),
    ]


def test_after_a_fill_both_sides_are_quoted_around_the_new_mid_until_inventory_is_full() -> None:
    result = run(market_maker(requote_ticks=1_000), quotes([(p, p) for p in (10_000, 9_969, 9_960, 9_900)]))

    assert orders(result) == [
        (1, "BUY", Decimal("99.97"), "FILLED"),
        (1, "SELL", Decimal("100.03"), "CANCELED"),
        (2, "BUY", Decimal("99.66"), "FILLED"),
        (2, "SELL", Decimal("99.72"), "CANCELED"),
        (3, "SELL", Decimal("99.63"), "CANCELED"),
    ]
    assert result.fills["last_px"].to_pylist() == [Decimal("99.97"), Decimal("99.66")]
    assert result.fills["liquidity"].to_pylist() == ["MAKER", "MAKER"]


def test_a_refused_side_waits_for_the_mid_to_move() -> None:
    still = [(10_000, 10_002)] * 5

    result = run(market_maker(), quotes([*still, (10_010, 10_012)]), risk={"max_position": "50"})

    assert [(second, status) for second, _, _, status in orders(result)] == [
        (1, "DENIED"),
        (1, "DENIED"),
        (6, "DENIED"),
        (6, "DENIED"),
    ]


@pytest.mark.slow
def test_inventory_and_orders_stay_in_bounds_over_a_random_walk() -> None:
    mids = 10_000 + np.cumsum(np.random.default_rng(5).integers(-3, 4, 5_000))
    result = run(market_maker(), quotes([(int(mid) - 1, int(mid) + 1) for mid in mids]))

    signed = [row["last_qty"] * (1 if row["side"] == "BUY" else -1) for row in result.fills.to_pylist()]
    inventory = np.cumsum([int(quantity) for quantity in signed])
    assert len(inventory) > 100
    assert (inventory.min(), inventory.max()) == (-200, 200)
    assert set(result.fills["liquidity"].to_pylist()) == {"MAKER"}


def test_settings_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValidationError, match="inventory_max=99 must not be below quantity=100"):
        market_maker(inventory_max="99")
    with pytest.raises(ValidationError, match="half_spread_ticks"):
        market_maker(half_spread_ticks=0)
