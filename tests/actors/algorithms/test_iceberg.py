"""Iceberg: one piece at a time, the last one is the order itself."""

import pytest

import libra_ray as lr
from libra_actors.algorithms import Iceberg
from libra_ray.messages.commands import ModifyOrder
from libra_ray.testing import Cell
from tests.actors.algorithms.orders import ACME, fills, kinds, new_cell, send


def sold(cell: Cell, quantity: int, price: str = "10.00") -> None:
    cell.trade(ACME, price, quantity, aggressor=lr.AggressorSide.SELLER)


def test_the_next_piece_follows_one_that_is_filled() -> None:
    cell = new_cell(Iceberg())
    send(cell, "ICEBERG", 25, {"display_qty": 10}, price="10.00")

    for quantity in (4, 30, 30, 30):
        sold(cell, quantity)

    assert fills(cell) == [(2.0, "E1", 4), (3.0, "E1", 6), (4.0, "E2", 10), (5.0, "P", 5)]


def test_an_order_that_is_no_larger_than_a_piece_goes_at_once() -> None:
    cell = new_cell(Iceberg())

    order = send(cell, "ICEBERG", 10, {"display_qty": 10}, price="10.00")

    assert (order.status, kinds(cell)) == ("ACCEPTED", ["Accepted"])


def test_a_new_price_moves_the_piece_that_is_out() -> None:
    cell = new_cell(Iceberg())
    order = send(cell, "ICEBERG", 25, {"display_qty": 10}, price="9.90")

    cell.modify(order.client_order_id, price="10.00")
    sold(cell, 10)

    assert [str(command.order.price) for command in cell.sent(ModifyOrder)] == ["10.00"]
    assert fills(cell) == [(2.0, "E1", 10)]


def test_a_cancel_takes_the_piece_off_and_no_other_comes() -> None:
    cell = new_cell(Iceberg())
    order = send(cell, "ICEBERG", 25, {"display_qty": 10}, price="10.00")
    sold(cell, 4)

    cell.cancel(order.client_order_id)
    sold(cell, 30)

    assert kinds(cell) == ["Updated", "Accepted", "Filled", "Canceled", "Updated", "Canceled"]
    assert (order.quantity_raw, order.status) == (21, "CANCELED")


def test_a_piece_that_is_rejected_stays_with_the_order() -> None:
    cell = new_cell(Iceberg())

    order = send(cell, "ICEBERG", 25, {"display_qty": 10}, price="10.02", post_only=True)

    assert kinds(cell) == ["Updated", "Rejected", "Updated"]
    assert (order.quantity_raw, order.status) == (25, "INITIALIZED")


@pytest.mark.parametrize(
    ("params", "price", "message"),
    [
        ({}, "10.00", "ORD006 ICEBERG needs the parameter display_qty."),
        ({"display_qty": "2.5"}, "10.00", "ORD006 ICEBERG: display_qty is not a multiple of the step 1 of ACME.SIM."),
        ({"display_qty": 2}, None, "ORD006 ICEBERG: a MARKET order cannot be shown in pieces. Send a limit order."),
    ],
)
def test_parameters_that_are_no_good_deny_the_order(params: dict[str, object], price: str | None, message: str) -> None:
    cell = new_cell(Iceberg())

    order = send(cell, "ICEBERG", 10, params, price=price)

    assert (order.status, order.code) == ("DENIED", "FLAGS_CONFLICT")
    assert order.message.startswith(message)
