"""TWAP: even slices at even distances, and nothing lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import libra_ray as lr
from libra_actors.algorithms import Twap
from libra_actors.algorithms.twap import twap_slices
from tests.actors.algorithms.orders import ACME, SECOND, fills, new_cell, send

PARAMS = {"horizon_secs": "3", "interval_secs": "1"}


def test_ten_leave_as_three_three_three_and_a_rest_a_second_apart() -> None:
    cell = new_cell(Twap())

    send(cell, "TWAP", 10, PARAMS)
    cell.run_until_idle()

    assert fills(cell) == [(1.0, "E1", 3), (2.0, "E2", 3), (3.0, "E3", 3), (4.0, "P", 1)]


def test_without_a_rest_the_last_slice_is_the_order_itself() -> None:
    cell = new_cell(Twap())

    send(cell, "TWAP", 9, PARAMS)
    cell.run_until_idle()

    assert fills(cell) == [(1.0, "E1", 3), (2.0, "E2", 3), (3.0, "P", 3)]


def test_what_would_be_cut_below_the_minimum_goes_at_once() -> None:
    cell = new_cell(Twap(), min_qty=4)

    send(cell, "TWAP", 11, PARAMS)

    assert fills(cell) == [(1.0, "P", 11)]


def test_no_slice_leaves_after_the_order_is_canceled() -> None:
    cell = new_cell(Twap())
    order = send(cell, "TWAP", 9, PARAMS)

    cell.cancel(order.client_order_id)
    cell.run_until_idle()

    assert (fills(cell), order.status, order.quantity_raw) == ([(1.0, "E1", 3)], "CANCELED", 6)


def test_a_slice_that_is_denied_goes_out_with_the_last_one() -> None:
    cell = new_cell(Twap())
    send(cell, "TWAP", 9, PARAMS)
    cell.kernel.risk.set_state(lr.TradingState.HALTED, "test", cell.now_ns)
    cell.advance_to(2 * SECOND)
    cell.kernel.risk.set_state(lr.TradingState.ACTIVE, "test", cell.now_ns)

    cell.run_until_idle()

    assert fills(cell) == [(1.0, "E1", 3), (3.0, "P", 6)]


def test_two_orders_are_worked_side_by_side() -> None:
    cell = new_cell(Twap())
    send(cell, "TWAP", 4, {"horizon_secs": 2, "interval_secs": 1})
    cell.advance_to(cell.now_ns + SECOND // 2)

    send(cell, "TWAP", 4, {"horizon_secs": 2, "interval_secs": 1}, side="SELL")
    cell.run_until_idle()

    assert [row[::2] for row in fills(cell)] == [(1.0, 2), (1.5, 2), (2.0, 2), (2.5, 2)]
    assert cell.position(ACME) is None


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            None,
            (
                "ORD006 TWAP needs the parameter horizon_secs. "
                "Give it in exec_algorithm_params, for example horizon_secs = 3600."
            ),
        ),
        (
            {"horizon_secs": 1, "interval_secs": 2},
            "ORD006 TWAP: horizon_secs is below interval_secs. Give a horizon of one interval at least.",
        ),
        (
            {"horizon_secs": "x", "interval_secs": 2},
            "ORD006 TWAP: horizon_secs = 'x' is not a decimal. Give for example 3600.",
        ),
        (
            {"horizon_secs": 3, "interval_secs": 0},
            "ORD006 TWAP: interval_secs = 0 is not positive. Give for example 60.",
        ),
        (
            {"horizon_secs": 3, "interval_secs": "0.0000000001"},
            "ORD006 TWAP: interval_secs = '0.0000000001' has more than 9 decimals. Give for example 60.",
        ),
        (
            {**PARAMS, "slices": 3},
            "ORD006 TWAP does not know the parameter slices. Use horizon_secs, interval_secs.",
        ),
    ],
)  # fmt: skip
def test_parameters_that_are_no_good_deny_the_order(params: dict[str, object] | None, message: str) -> None:
    cell = new_cell(Twap())

    order = send(cell, "TWAP", 10, params)

    assert (order.status, order.code, order.message) == ("DENIED", "FLAGS_CONFLICT", message)


@given(
    steps=st.integers(1, 10**18), step_raw=st.integers(1, 10**9), count=st.integers(1, 500), least=st.integers(0, 10**9)
)
def test_slices_are_even_on_the_grid_and_sum_to_the_order(steps: int, step_raw: int, count: int, least: int) -> None:
    slices = twap_slices(steps * step_raw, step_raw=step_raw, least_raw=least, count=count)

    assert sum(slices) == steps * step_raw
    assert all(part > 0 and part % step_raw == 0 for part in slices)
    assert len(slices) in (1, count, count + 1)
    assert len(set(slices[:count])) == 1
    assert len(slices) == 1 or min(slices[:count]) >= least
    assert slices[count:] == [] or slices[count] < count * step_raw


def test_there_is_no_slice_of_nothing() -> None:
    with pytest.raises(ValueError, match="0"):
        twap_slices(0, step_raw=1, least_raw=0, count=3)
