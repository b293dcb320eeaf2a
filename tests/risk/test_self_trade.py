"""Check 11: what becomes of an order that would match an own resting one, and of that."""

from typing import Any

import pytest

import libra_ray as lr
from libra_ray.messages.events import OrderAccepted, OrderCanceled, OrderDenied, OrderUpdated
from libra_ray.model.enums import OrderStatus
from libra_ray.testing import Cell


class Other(lr.Strategy):
    """Another strategy of the account."""


def _cell(stp: str, **risk: Any) -> Cell:  # noqa: ANN401 - limits
    cell = Cell(lr.equity("ACME.SIM", quote="USD"), risk={"stp": stp, **risk})
    cell.quote("ACME.SIM", "9.90", "10.10")
    return cell


def _resting(cell: Cell, side: str, *orders: tuple[str, str], **terms: Any) -> list[lr.Order]:  # noqa: ANN401
    return [cell.submit(cell.orders.limit("ACME.SIM", side, size, price, **terms)) for size, price in orders]


def test_the_newest_is_refused_with_the_order_it_would_meet() -> None:
    cell = _cell("cancel_newest")
    (resting,) = _resting(cell, "SELL", ("10", "10.00"))

    order = cell.submit(cell.orders.limit("ACME.SIM", "BUY", "1", "10.00"))

    assert order.code == "SELF_TRADE"
    assert order.message == (
        "ORD018 BUY of ACME.SIM would match the own order Hand-1 at 10.00. Cancel that first or move the price."
    )
    assert resting.status is OrderStatus.ACCEPTED


def test_orders_of_all_strategies_are_own() -> None:
    cell = _cell("cancel_newest")
    other = cell.add(Other())
    other.sell("ACME.SIM", "5", price="10.00")
    cell._settle()  # noqa: SLF001 - what the other strategy sent

    assert cell.submit(cell.orders.market("ACME.SIM", "BUY", "1")).code == "SELF_TRADE"


@pytest.mark.parametrize(
    "terms",
    [
        {"price": "9.99"},
        {"trigger_price": "10.50"},
        {"trigger_price": "10.50", "price": "10.60"},
        {"price": "10.00", "time_in_force": "AT_THE_CLOSE"},
    ],
)
def test_what_does_not_reach_it_now_is_not_tested(terms: dict[str, Any]) -> None:
    cell = _cell("cancel_newest")
    _resting(cell, "SELL", ("10", "10.00"))

    assert cell.submit(cell.orders.order("ACME.SIM", "BUY", "1", **terms)).code != "SELF_TRADE"


def test_a_stop_that_waits_does_not_rest_and_its_limit_does_once_it_is_triggered() -> None:
    cell = _cell("cancel_newest")
    stop = cell.submit(cell.orders.stop_limit("ACME.SIM", "SELL", "10", "9.80", "10.00"))
    assert cell.submit(cell.orders.limit("ACME.SIM", "BUY", "1", "10.00")).status is OrderStatus.ACCEPTED

    cell.quote("ACME.SIM", "9.80", "10.10")

    assert stop.status is OrderStatus.TRIGGERED
    assert cell.submit(cell.orders.limit("ACME.SIM", "BUY", "1", "10.00")).code == "SELF_TRADE"


def test_the_oldest_are_canceled_in_order_of_acceptance_before_the_new_one_goes() -> None:
    cell = _cell("cancel_oldest")
    first, second, beyond = _resting(cell, "SELL", ("10", "10.05"), ("10", "10.00"), ("10", "10.06"))

    order = cell.submit(cell.orders.limit("ACME.SIM", "BUY", "1", "10.05"))

    assert [event.client_order_id for event in cell.events(OrderCanceled)] == ["Hand-1", "Hand-2"]
    kinds = [type(event) for event in cell.kernel.record.events if isinstance(event, OrderCanceled | OrderAccepted)]
    assert kinds[-3:] == [OrderCanceled, OrderCanceled, OrderAccepted]
    assert [one.status for one in (first, second, beyond, order)] == ["CANCELED", "CANCELED", "ACCEPTED", "ACCEPTED"]


def test_nothing_is_canceled_for_an_order_that_is_denied_all_the_same() -> None:
    cell = _cell("cancel_oldest", max_order_rate="1/60s")
    (resting,) = _resting(cell, "SELL", ("10", "10.00"))

    assert cell.submit(cell.orders.market("ACME.SIM", "BUY", "1")).code == "ORDER_RATE_EXCEEDED"
    assert resting.status is OrderStatus.ACCEPTED


def test_both_lose_the_smaller_leaves_and_the_rest_goes() -> None:
    cell = _cell("decrement")
    dear, cheap = _resting(cell, "SELL", ("3", "10.05"), ("4", "10.00"))

    order = cell.submit(cell.orders.limit("ACME.SIM", "BUY", "9", "10.05"))

    assert (dear.status, cheap.status) == (OrderStatus.CANCELED, OrderStatus.CANCELED)
    assert (order.status, str(order.quantity)) == (OrderStatus.ACCEPTED, "2")
    assert [(e.client_order_id, e.quantity_raw) for e in cell.events(OrderUpdated)] == [("Hand-3", 2)]


def test_the_best_price_loses_first_and_a_new_order_of_which_nothing_is_left_is_refused() -> None:
    cell = _cell("decrement")
    dear, cheap = _resting(cell, "SELL", ("3", "10.05"), ("4", "10.00"))

    order = cell.submit(cell.orders.market("ACME.SIM", "BUY", "5"))

    assert order.code == "SELF_TRADE"
    assert order.message == (
        "ORD018 BUY of ACME.SIM would match the own order Hand-1 at 10.05. Nothing of it is left beyond that."
    )
    assert cheap.status is OrderStatus.CANCELED
    assert (dear.status, str(dear.quantity)) == (OrderStatus.ACCEPTED, "2")


def test_equal_sizes_end_both() -> None:
    cell = _cell("decrement")
    (resting,) = _resting(cell, "BUY", ("5", "10.00"))

    order = cell.submit(cell.orders.limit("ACME.SIM", "SELL", "5", "9.95"))

    assert (resting.status, order.status) == (OrderStatus.CANCELED, OrderStatus.DENIED)
    assert [event.code for event in cell.events(OrderDenied)] == ["SELF_TRADE"]


def test_without_prevention_both_stay() -> None:
    cell = _cell("none")
    (resting,) = _resting(cell, "SELL", ("5", "10.00"))

    assert cell.submit(cell.orders.limit("ACME.SIM", "BUY", "5", "10.00")).status is OrderStatus.ACCEPTED
    assert resting.status is OrderStatus.ACCEPTED
