"""VWAP: the cumulative target of a profile, and a limit on what part of the market an order may be."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_actors.algorithms import Vwap
from libra_actors.algorithms.vwap import vwap_target_raw
from tests.actors.algorithms.orders import ACME, SECOND, fills, new_cell, send

PARAMS = {"horizon_secs": 3, "interval_secs": 1, "profile": ["1", "2", "1"]}


def test_slices_follow_the_profile() -> None:
    cell = new_cell(Vwap())

    send(cell, "VWAP", 10, PARAMS)
    cell.run_until_idle()

    assert fills(cell) == [(1.0, "E1", 2), (2.0, "E2", 5), (3.0, "P", 3)]


def test_a_weight_of_nothing_is_no_slice_and_all_that_is_left_goes_as_the_order() -> None:
    cell = new_cell(Vwap())

    send(cell, "VWAP", 10, {**PARAMS, "profile": [0, 1, 0]})
    cell.run_until_idle()

    assert fills(cell) == [(2.0, "P", 10)]


def test_participation_holds_slices_back_and_the_shortfall_is_caught_up() -> None:
    cell = new_cell(Vwap())
    send(
        cell, "VWAP", 100, {"horizon_secs": 4, "interval_secs": 1, "profile": [1, 1, 1, 1], "max_participation": "0.1"}
    )
    cell.trade(ACME, "10.00", 309, ts_ns=3 * SECOND // 2)
    cell.trade(ACME, "10.00", 1_000, ts_ns=5 * SECOND // 2)

    cell.run_until_idle()

    assert fills(cell) == [(2.0, "E1", 30), (3.0, "E2", 45), (4.0, "P", 25)]


def test_volume_is_that_of_bars_where_there_are_no_trades() -> None:
    cell = new_cell(Vwap())
    cell.bar(ACME, "1s", ("10", "10", "10", "10"), volume=500, ts_ns=SECOND)
    send(cell, "VWAP", 100, {"horizon_secs": 2, "interval_secs": 1, "profile": [1, 1], "max_participation": 1})
    topics = [name for name, _ in cell.kernel.bus.subscriptions() if name.startswith("data.")]

    cell.run_until_idle()

    assert topics == ["data.bars.ACME.SIM-1s"]
    assert fills(cell) == [(2.0, "P", 100)]


def test_nothing_is_counted_once_the_order_is_out() -> None:
    cell = new_cell(Vwap())
    send(cell, "VWAP", 100, {"horizon_secs": 1, "interval_secs": 1, "profile": [1], "max_participation": 1})

    assert fills(cell) == [(1.0, "P", 100)]
    assert [name for name, _ in cell.kernel.bus.subscriptions() if name.startswith("data.")] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"profile": [1, 2]},
            "ORD006 VWAP: profile has 2 weights for 3 intervals. Give one for each interval.",
        ),
        ({"profile": "121"}, "ORD006 VWAP: profile = '121' is no list of weights. Give for example [1, 2, 1]."),
        (
            {"profile": [0, 0, 0]},
            "ORD006 VWAP: profile = [0, 0, 0] has a weight below 0, or none above. Give for example [1, 2, 1].",
        ),
        ({"max_participation": 2}, "ORD006 VWAP: max_participation = 2 is more than 1. Give for example 0.1."),
    ],
)
def test_parameters_that_are_no_good_deny_the_order(change: dict[str, object], message: str) -> None:
    cell = new_cell(Vwap())

    order = send(cell, "VWAP", 10, {**PARAMS, **change})

    assert (order.status, order.code, order.message) == ("DENIED", "FLAGS_CONFLICT", message)


@given(
    steps=st.integers(1, 10**18),
    step_raw=st.integers(1, 10**9),
    weights=st.lists(st.integers(0, 100).map(Fraction), min_size=1, max_size=50).filter(any),
)
def test_targets_rise_on_the_grid_up_to_the_order(steps: int, step_raw: int, weights: list[Fraction]) -> None:
    quantity = steps * step_raw
    targets = [vwap_target_raw(quantity, weights, count, step_raw=step_raw) for count in range(len(weights) + 1)]

    assert targets == sorted(targets)
    assert (targets[0], targets[-1]) == (0, quantity)
    assert all(target % step_raw == 0 for target in targets)
