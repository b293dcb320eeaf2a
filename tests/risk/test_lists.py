"""Lists stand or fall together, and what they do together counts."""

from collections.abc import Sequence
from typing import Any

import pytest

import libra_ray as lr
from libra_ray.messages.commands import SubmitOrderList
from libra_ray.messages.events import OrderDenied
from libra_ray.testing import Cell

SHARE = lr.equity("ACME.SIM", quote="USD", margin_init="1")


def _cell(*instruments: lr.Instrument, **more: Any) -> Cell:  # noqa: ANN401 - of the venue and its limits
    cell = Cell(*(instruments or (SHARE,)), **more)
    for made in instruments or (SHARE,):
        cell.quote(made.id, "9.99", "10.01")
    return cell


def _send(cell: Cell, orders: Sequence[lr.Order]) -> list[str]:
    """Send a list; the codes of the denials, in order of birth."""
    cell._hand.submit_order_list(orders)  # noqa: SLF001 - the test's own hand
    cell._settle()  # noqa: SLF001
    return [event.code for event in cell.events(OrderDenied)]


def _bracket(cell: Cell, side: str = "BUY", **terms: Any) -> tuple[lr.Order, lr.Order, lr.Order]:  # noqa: ANN401
    return cell.orders.bracket("ACME.SIM", side, "10", **terms)


def test_one_that_fails_denies_all_in_list_order() -> None:
    cell = _cell()
    orders = [cell.orders.limit("ACME.SIM", "BUY", "1", price) for price in ("9.00", "9.005", "9.00")]

    assert _send(cell, orders) == ["LIST_DENIED", "PRICE_OFF_TICK", "LIST_DENIED"]
    assert [event.client_order_id for event in cell.events(OrderDenied)] == ["Hand-1", "Hand-2", "Hand-3"]
    assert orders[0].message == "ORD017 another order of its list is denied."
    assert cell.sent(SubmitOrderList) == []


def test_a_denied_list_uses_none_of_the_rate_and_one_that_passes_uses_one_for_each() -> None:
    cell = _cell(risk={"max_order_rate": "3/60s"})

    def some(count: int) -> list[lr.Order]:
        return [cell.orders.limit("ACME.SIM", "BUY", "1", "9.00") for _ in range(count)]

    assert _send(cell, some(4)) == ["LIST_DENIED"] * 3 + ["ORDER_RATE_EXCEEDED"]
    assert len(_send(cell, some(3))) == 4
    assert cell.submit(*some(1)).code == "ORDER_RATE_EXCEEDED"


@pytest.mark.parametrize("account", ["cash", "margin"])
def test_money_is_asked_for_together(account: str) -> None:
    cell = _cell(account=account, balances=["100 USD"])
    code = "INSUFFICIENT_BALANCE" if account == "cash" else "INSUFFICIENT_MARGIN"

    assert _send(cell, [cell.orders.limit("ACME.SIM", "BUY", "6", "9.00") for _ in range(2)]) == ["LIST_DENIED", code]


def test_limits_count_earlier_orders_of_the_list() -> None:
    cell = _cell(risk={"max_position": "10"})

    assert _send(cell, [cell.orders.limit("ACME.SIM", "BUY", "6", "9.00") for _ in range(2)]) == [
        "LIST_DENIED",
        "MAX_POSITION",
    ]


def test_children_that_wait_cost_nothing() -> None:
    cell = _cell(balances=["101 USD"], risk={"max_position": "10", "max_open_orders": 1})
    children = [cell.orders.limit("ACME.SIM", "BUY", "10", "9.00") for _ in range(3)]
    orders = cell.orders.one_triggers_others(cell.orders.limit("ACME.SIM", "BUY", "10", "9.50"), *children)

    assert _send(cell, orders) == []


def test_an_id_twice_in_a_list_is_refused() -> None:
    cell = _cell()
    order = cell.orders.limit("ACME.SIM", "BUY", "1", "9.00")

    assert _send(cell, [order, order]) == ["LIST_DENIED", "DUPLICATE_CLIENT_ORDER_ID"]


def test_a_list_goes_to_one_venue() -> None:
    cell = _cell(SHARE, lr.equity("ACME.ELSE", quote="USD"))
    orders = [cell.orders.limit(name, "BUY", "1", "9.00") for name in ("ACME.SIM", "ACME.ELSE")]

    assert _send(cell, orders) == ["LIST_DENIED", "FLAGS_CONFLICT"]
    assert orders[1].message == "ORD006 a list goes to one venue, and ACME.ELSE is not at ACME.SIM's. Send it alone."


def test_an_empty_list_is_nothing() -> None:
    assert _send(_cell(), []) == []


def test_a_child_of_a_denied_parent_is_denied() -> None:
    cell = _cell()
    parent = cell.orders.limit("ACME.SIM", "BUY", "1", "9.005")
    child = cell.orders.limit("ACME.SIM", "SELL", "1", "11.00")
    cell.orders.one_triggers_others(parent, child)
    cell.submit(parent)

    assert cell.submit(child).code == "LIST_DENIED"
    assert child.message == "ORD017 its parent Hand-1 is denied."


@pytest.mark.parametrize(
    ("side", "terms", "is_right"),
    [
        ("BUY", {"stop_loss": "9.00", "take_profit": "11.00"}, True),
        ("BUY", {"stop_loss": "11.00", "take_profit": "9.00"}, False),
        ("BUY", {"stop_loss": "9.00", "take_profit": "9.00"}, False),
        ("BUY", {"stop_loss": "9.00", "take_profit": "11.00", "entry": {"price": "9.50"}}, True),
        ("BUY", {"stop_loss": "9.00", "take_profit": "11.00", "entry": {"price": "9.00"}}, False),
        ("BUY", {"stop_loss": "9.00", "take_profit": "11.00", "entry": {"price": "11.50"}}, False),
        ("SELL", {"stop_loss": "11.00", "take_profit": "9.00"}, True),
        ("SELL", {"stop_loss": "9.00", "take_profit": "11.00"}, False),
        ("SELL", {"stop_loss": "11.00", "take_profit": "9.00", "entry": {"price": "10.50"}}, True),
        ("SELL", {"stop_loss": "11.00", "take_profit": "9.00", "entry": {"price": "8.50"}}, False),
    ],
)
def test_bracket_prices_lie_on_their_sides(side: str, terms: dict[str, Any], *, is_right: bool) -> None:
    cell = _cell()

    codes = _send(cell, _bracket(cell, side, **terms))

    assert codes == ([] if is_right else ["BRACKET_PRICES", "LIST_DENIED", "LIST_DENIED"])


def test_the_sentence_names_the_prices() -> None:
    cell = _cell()
    entry, *_ = orders = _bracket(cell, stop_loss="11.00", take_profit="9.00", entry={"price": "9.50"})
    _send(cell, orders)

    assert entry.message == (
        "ORD019 bracket prices for ACME.SIM are on the wrong side of each other: "
        "stop-loss 11.00, entry 9.50, take-profit 9.00. A long needs stop-loss < entry < take-profit."
    )


def test_a_trailing_stop_loss_has_no_side_yet() -> None:
    cell = _cell()
    trailing = {"type": "TRAILING_STOP_MARKET", "trailing_offset": "0.50"}

    assert _send(cell, _bracket(cell, take_profit="11.00", stop_loss_terms=trailing)) == []
