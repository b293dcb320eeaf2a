"""Pairs: both legs or none, on bars of one time."""

from typing import Any

import pytest
from pydantic import ValidationError

from libra_actors.strategies import Pairs
from tests.actors.strategies.markets import OTHER, STOCK, Deal, bars, deals, run


def pairs(**settings: Any) -> Pairs:  # noqa: ANN401 - checked by the model
    chosen: dict[str, Any] = {
        "first": "ABC.SIM",
        "second": "XYZ.SIM",
        "bars": "1h",
        "period": 4,
        "hedge_ratio": 2.0,
        "entry_z": 1.5,
        "exit_z": 0.5,
        "first_quantity": "20",
        "second_quantity": "40",
    }
    return Pairs(**(chosen | settings))


# Spread first - 2 x second: 0, 1, 0, 1, then 10 (z = 1.72 of its window): in; 7 (z = 0.60): stay; 6 (z = 0): out.
FIRST = [100, 101, 100, 101, 110, 107, 106, 106]
SECOND = [50, 50, 50, 50, 50, 50, 50, 50]


def test_a_dear_first_leg_is_sold_against_the_second_until_the_spread_comes_back() -> None:
    result = run(pairs(), bars(FIRST), bars(SECOND, instrument=OTHER))

    assert deals(result, STOCK) == [Deal(6, "SELL", 20, 110), Deal(8, "BUY", 20, 106)]
    assert deals(result, OTHER) == [Deal(6, "BUY", 40, 50), Deal(8, "SELL", 40, 50)]


def test_a_cheap_first_leg_is_bought_against_the_second() -> None:
    result = run(pairs(), bars([100, 99, 100, 99, 90, 93, 94, 94]), bars(SECOND, instrument=OTHER))

    assert deals(result, STOCK) == [Deal(6, "BUY", 20, 90), Deal(8, "SELL", 20, 94)]
    assert deals(result, OTHER) == [Deal(6, "SELL", 40, 50), Deal(8, "BUY", 40, 50)]


def test_a_bar_without_its_twin_is_not_used() -> None:
    second = bars(SECOND[:7], instrument=OTHER, hours=[1, 2, 3, 4, 6, 7, 8])

    result = run(pairs(), bars([100, 101, 100, 101, 110, 100, 100]), second)

    # The dear close of hour 5 has no twin; from hour 6 on the spread is 0 again.
    assert deals(result, STOCK) == []
    assert deals(result, OTHER) == []


def test_where_one_leg_is_denied_the_other_is_closed_again() -> None:
    result = run(pairs(), bars(FIRST), bars(SECOND, instrument=OTHER), risk={"max_position": {"XYZ.SIM": "5"}})

    rows = [(row["instrument_id"], row["side"], row["code"]) for row in result.orders.to_pylist()]
    assert rows == [("ABC.SIM", "SELL", ""), ("XYZ.SIM", "BUY", "MAX_POSITION"), ("ABC.SIM", "BUY", "")]
    assert deals(result, STOCK) == [Deal(6, "SELL", 20, 110), Deal(6, "BUY", 20, 110)]
    assert deals(result, OTHER) == []


def test_a_spread_that_never_moves_is_not_traded() -> None:
    result = run(pairs(), bars([100.0] * 20), bars([50.0] * 20, instrument=OTHER))

    assert result.orders.num_rows == 0


def test_settings_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"first and second are both ABC\.SIM"):
        pairs(second="ABC.SIM")
    with pytest.raises(ValidationError, match=r"exit_z=2\.0 must be below entry_z=2\.0"):
        pairs(entry_z=2.0, exit_z=2.0)
    with pytest.raises(ValidationError, match="period"):
        pairs(period=2)
