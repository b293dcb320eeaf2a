"""The order state table, complete: every pair is legal or raises, and an order that refuses a step is unchanged."""

import pytest

from libra_ray.errors import InvalidOrderTransitionError
from libra_ray.model.enums import OrderSide, OrderStatus, OrderType
from libra_ray.model.order_states import is_legal
from libra_ray.model.orders import Order

# The table as the contract gives it, written again: status -> targets.
S = OrderStatus
AT_VENUE = "PARTIALLY_FILLED FILLED PENDING_UPDATE PENDING_CANCEL UNKNOWN"
FOUND = "ACCEPTED REJECTED CANCELED EXPIRED TRIGGERED PARTIALLY_FILLED FILLED"
TABLE = {
    "INITIALIZED": f"DENIED EMULATED RELEASED SUBMITTED {FOUND}",
    "EMULATED": "RELEASED CANCELED EXPIRED",
    "RELEASED": "DENIED SUBMITTED CANCELED",
    "SUBMITTED": f"ACCEPTED REJECTED CANCELED EXPIRED {AT_VENUE}",
    "ACCEPTED": f"REJECTED CANCELED EXPIRED TRIGGERED {AT_VENUE}",
    "TRIGGERED": f"REJECTED CANCELED EXPIRED {AT_VENUE}",
    "PARTIALLY_FILLED": f"CANCELED EXPIRED {AT_VENUE}",
    "PENDING_UPDATE": f"{FOUND} PENDING_UPDATE PENDING_CANCEL UNKNOWN SUBMITTED",
    "PENDING_CANCEL": f"{FOUND} PENDING_CANCEL UNKNOWN SUBMITTED",
    "UNKNOWN": f"{FOUND} ABSENT",
    "ABSENT": FOUND,
    "CANCELED": "PARTIALLY_FILLED FILLED",
    "EXPIRED": "PARTIALLY_FILLED FILLED",
    "DENIED": "",
    "REJECTED": "",
    "FILLED": "",
}


def _order(status: OrderStatus) -> Order:
    order = Order("S-1", "S", "ACME.SIM", OrderSide.BUY, OrderType.LIMIT, 10, 0, 1_000, None, 2, 7)
    order.status = status
    return order


@pytest.mark.parametrize("status", list(S))
@pytest.mark.parametrize("target", list(S))
def test_every_pair_is_as_the_table_says(status: OrderStatus, target: OrderStatus) -> None:
    legal = target in TABLE[status].split()
    order = _order(status)

    assert is_legal(status, target) is legal
    if legal:
        order.move(target, 9)
        assert (order.status, order.ts_last_ns) == (target, 9)
    else:
        with pytest.raises(InvalidOrderTransitionError):
            order.move(target, 9)
        assert (order.status, order.ts_last_ns) == (status, 7)


def test_a_partial_fill_of_a_canceled_order_leaves_it_canceled_with_the_new_quantity() -> None:
    order = _order(S.CANCELED)

    order.fill(4, 1_000, 9)

    assert (order.status, order.filled_raw, order.leaves_raw) == (S.CANCELED, 4, 6)


def test_an_overfill_is_refused_and_changes_nothing() -> None:
    order = _order(S.ACCEPTED)

    with pytest.raises(InvalidOrderTransitionError):
        order.fill(11, 1_000, 9)

    assert (order.status, order.filled_raw, order.fill_value_raw) == (S.ACCEPTED, 0, 0)


def test_a_refused_change_goes_back_to_what_fills_have_made_of_it() -> None:
    order = _order(S.ACCEPTED)
    order.move(S.PENDING_UPDATE, 8)
    order.fill(4, 1_000, 9)
    assert str(order.status) == "PENDING_UPDATE"

    order.settle_pending(10)

    assert str(order.status) == "PARTIALLY_FILLED"
