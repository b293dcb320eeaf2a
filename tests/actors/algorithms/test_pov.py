"""POV: a fixed part of what the market trades."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_actors.algorithms import Pov
from libra_actors.algorithms.pov import pov_slice_raw
from libra_ray.testing import Cell
from tests.actors.algorithms.orders import ACME, SECOND, fills, new_cell, send


def traded(cell: Cell, quantity: int, seconds: str) -> None:
    cell.trade(ACME, "10.00", quantity, ts_ns=int(Fraction(seconds) * SECOND))


def test_it_sends_its_part_of_the_volume_and_the_rest_as_the_order() -> None:
    cell = new_cell(Pov())
    traded(cell, 1_000, "1")
    order = send(cell, "POV", 40, {"rate": "0.2", "interval_secs": 1})
    traded(cell, 100, "1.5")
    traded(cell, 60, "2.5")
    traded(cell, 500, "3.5")

    cell.advance_to(4 * SECOND)

    assert fills(cell) == [(2.0, "E1", 20), (3.0, "E2", 12), (4.0, "P", 8)]
    assert (order.status, cell.kernel.host.timers.next_ns > 10**18) == ("FILLED", True)


def test_a_slice_below_the_minimum_waits_for_more_volume() -> None:
    cell = new_cell(Pov(), min_qty=10)
    send(cell, "POV", 100, {"rate": "0.1", "interval_secs": 1})
    traded(cell, 90, "1.5")
    traded(cell, 20, "2.5")

    cell.advance_to(3 * SECOND)

    assert fills(cell) == [(3.0, "E1", 11)]


def test_what_is_not_out_at_the_horizon_is_canceled() -> None:
    cell = new_cell(Pov())
    order = send(cell, "POV", 100, {"rate": "0.1", "interval_secs": 1, "horizon_secs": "2.5"})
    traded(cell, 200, "1.5")

    cell.run_until_idle()

    assert fills(cell) == [(2.0, "E1", 20)]
    assert (order.status, order.code, order.quantity_raw, cell.now_ns) == ("CANCELED", "HORIZON", 80, 7 * SECOND // 2)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"interval_secs": 1}, "ORD006 POV needs the parameter rate."),
        ({"rate": "1.5", "interval_secs": 1}, "ORD006 POV: rate = '1.5' is more than 1. Give for example 0.1."),
        ({"rate": "-1", "interval_secs": 1}, "ORD006 POV: rate = '-1' is not positive. Give for example 0.1."),
    ],
)
def test_parameters_that_are_no_good_deny_the_order(params: dict[str, object], message: str) -> None:
    cell = new_cell(Pov())

    order = send(cell, "POV", 10, params)

    assert (order.status, order.code) == ("DENIED", "FLAGS_CONFLICT")
    assert order.message.startswith(message)
    assert [name for name, _ in cell.kernel.bus.subscriptions() if name.startswith("data.")] == []


@given(
    volumes=st.lists(st.integers(0, 10**12), max_size=20), step_raw=st.integers(1, 10**6), percent=st.integers(1, 100)
)
def test_it_never_is_more_than_its_part_of_the_volume(volumes: list[int], step_raw: int, percent: int) -> None:
    rate, volume, sent = Fraction(percent, 100), 0, 0
    for traded_raw in volumes:
        volume += traded_raw
        slice_raw = pov_slice_raw(volume, sent_raw=sent, rate=rate, step_raw=step_raw)
        assert slice_raw >= 0
        assert slice_raw % step_raw == 0
        sent += slice_raw
        assert rate * volume - step_raw < sent <= rate * volume
