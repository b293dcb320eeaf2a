"""Checks 7 to 10, 12 and 13 with limits: of everything, of an account, of a strategy; the tightest wins."""

from typing import Any

import pytest

import libra_ray as lr
from libra_ray.model.enums import OrderStatus
from libra_ray.testing import Cell

SHARE = lr.equity("ACME.SIM", quote="USD")
MINUTE_NS = 60 * 10**9


class Other(lr.Strategy):
    """Sends what the test tells it."""


def _cell(*instruments: lr.Instrument, risk: dict[str, Any], **venue: Any) -> Cell:  # noqa: ANN401 - of the venue
    cell = Cell(*(instruments or (SHARE,)), risk=risk, **venue)
    for made in instruments or (SHARE,):
        cell.quote(made.id, "9.99", "10.01")
    return cell


def _limit(cell: Cell, side: str, quantity: str, price: str, instrument_id: str = "ACME.SIM", **terms: Any) -> str:  # noqa: ANN401
    """Send a limit order; its code, or nothing where it passed."""
    order = cell.submit(cell.orders.limit(instrument_id, side, quantity, price, **terms))
    return order.code


@pytest.mark.parametrize(
    ("risk", "prefix"),
    [
        ({"max_notional_per_order": "100"}, "risk"),
        ({"max_notional_per_order": {"ACME.SIM": "100"}}, "risk"),
        ({"accounts": {"SIM": {"max_notional_per_order": "100"}}}, "risk.accounts.SIM"),
        ({"strategies": {"Hand": {"max_notional_per_order": "100"}}}, "risk.strategies.Hand"),
        (
            {"max_notional_per_order": "900", "accounts": {"SIM": {"max_notional_per_order": "100"}}},
            "risk.accounts.SIM",
        ),
    ],
)
def test_a_notional_is_limited_in_every_scope(risk: dict[str, Any], prefix: str) -> None:
    cell = _cell(risk=risk)

    assert _limit(cell, "BUY", "10", "9.00") == ""
    order = cell.submit(cell.orders.limit("ACME.SIM", "BUY", "12", "9.00"))

    assert order.code == "NOTIONAL_ABOVE_MAX_PER_ORDER"
    assert order.message == (
        f"ORD002 notional 108.00 USD for ACME.SIM is above the limit 100 USD. "
        f"Lower it or raise {prefix}.max_notional_per_order."
    )


def test_other_instruments_accounts_and_strategies_are_not_bound() -> None:
    tight = {"max_notional_per_order": "1", "max_open_orders": 1, "max_order_rate": "1/1s", "max_position": "1"}
    cell = _cell(risk={"accounts": {"ELSE": tight}, "strategies": {"Other-1": tight}, "max_position": {"X.SIM": "1"}})

    assert [_limit(cell, "BUY", "10", "9.00") for _ in range(3)] == ["", "", ""]


def test_open_orders_are_counted_without_children_that_wait() -> None:
    cell = _cell(risk={"max_open_orders": 2})
    cell._hand.submit_order_list(  # noqa: SLF001 - the test's own hand
        cell.orders.bracket("ACME.SIM", "BUY", "5", stop_loss="8.00", take_profit="12.00", entry={"price": "9.00"})
    )
    cell._settle()  # noqa: SLF001

    assert _limit(cell, "BUY", "5", "9.00") == ""
    order = cell.submit(cell.orders.limit("ACME.SIM", "BUY", "5", "9.00"))

    assert order.message == "ORD012 2 orders are open, the limit. Cancel one or raise risk.max_open_orders."
    assert order.code == "MAX_OPEN_ORDERS"


def test_a_position_counts_open_orders_and_not_those_that_only_reduce() -> None:
    cell = _cell(risk={"max_position": "100"})
    cell.submit(cell.orders.market("ACME.SIM", "BUY", "60"))

    assert _limit(cell, "SELL", "60", "11.00", reduce_only=True) == ""
    assert _limit(cell, "SELL", "60", "12.00", reduce_only=True) == ""
    assert _limit(cell, "SELL", "160", "11.50") == ""
    assert _limit(cell, "BUY", "41", "9.00") == "MAX_POSITION"
    assert _limit(cell, "BUY", "40", "9.00") == ""
    order = cell.submit(cell.orders.market("ACME.SIM", "SELL", "1"))

    assert order.message == "ORD012 position 101 of ACME.SIM would exceed 100. Lower it or raise risk.max_position."


def test_what_does_not_raise_a_figure_above_its_limit_passes() -> None:
    cell = _cell(risk={"strategies": {"Hand": {"max_position": "10"}}})
    cell.submit(cell.orders.market("ACME.SIM", "BUY", "10"))
    cell.kernel.risk._checks.scopes._strategies["Hand"].limits.position[""] = (4, 0)  # type: ignore[index]  # noqa: SLF001

    assert _limit(cell, "BUY", "1", "9.00") == "MAX_POSITION"
    assert _limit(cell, "SELL", "20", "11.00") == ""


def test_a_strategy_is_bound_by_its_own_positions_and_orders_only() -> None:
    cell = _cell(
        risk={"strategies": {"Hand": {"max_position": "10", "max_open_orders": 1, "max_exposure": {"USD": "110"}}}}
    )
    other = cell.add(Other())
    other.buy("ACME.SIM", "50")
    other.buy("ACME.SIM", "50", price="9.00")
    cell._settle()  # noqa: SLF001 - what the other strategy sent

    assert cell.submit(cell.orders.market("ACME.SIM", "BUY", "10")).status is OrderStatus.FILLED
    assert _limit(cell, "BUY", "1", "9.00") == "MAX_POSITION"
    assert _limit(cell, "SELL", "20", "11.00") == "MAX_EXPOSURE"
    assert _limit(cell, "SELL", "10", "11.00") == ""
    assert _limit(cell, "SELL", "10", "11.00") == "MAX_OPEN_ORDERS"


def test_exposure_is_the_gross_notional_of_a_currency() -> None:
    pound = lr.equity("LON.SIM", quote="GBP")
    two = lr.equity("TWO.SIM", quote="USD")
    cell = _cell(SHARE, two, pound, risk={"max_exposure": {"USD": "1000"}}, balances=["1_000_000 USD"])
    cell.submit(cell.orders.market("ACME.SIM", "BUY", "40"))  # 400 at the mid
    cell.submit(cell.orders.market("TWO.SIM", "SELL", "30"))  # 300

    assert _limit(cell, "BUY", "900", "9.00", "LON.SIM") == ""
    assert _limit(cell, "BUY", "33", "9.00") == ""  # 297
    order = cell.submit(cell.orders.limit("ACME.SIM", "BUY", "1", "9.00"))

    assert order.code == "MAX_EXPOSURE"
    assert order.message == ("ORD012 exposure 1006.00 USD would exceed 1000. Lower it or raise risk.max_exposure.")


def test_the_collar_binds_limit_prices_alone() -> None:
    cell = _cell(risk={"price_collar_bps": "900", "accounts": {"SIM": {"price_collar_bps": "100"}}})

    assert _limit(cell, "BUY", "1", "9.90") == ""
    order = cell.submit(cell.orders.limit("ACME.SIM", "BUY", "1", "9.89"))

    assert order.code == "PRICE_COLLAR"
    assert order.message == (
        "ORD011 price 9.89 for ACME.SIM is further than 100 basis points from the mid 10.000. "
        "Move the price or raise risk.accounts.SIM.price_collar_bps."
    )
    assert cell.submit(cell.orders.stop_market("ACME.SIM", "SELL", "1", "5.00")).status is OrderStatus.ACCEPTED


def test_rates_of_all_scopes_hold_and_a_denied_order_uses_none() -> None:
    cell = _cell(risk={"max_order_rate": "3/60s", "strategies": {"Hand": {"max_order_rate": "2/10s"}}})

    codes = [_limit(cell, "BUY", "1", price) for price in ("9.00", "9.005", "9.00", "9.00")]
    assert codes == ["", "PRICE_OFF_TICK", "", "ORDER_RATE_EXCEEDED"]
    cell.advance_to(cell.now_ns + 10 * 10**9)
    assert [_limit(cell, "BUY", "1", "9.00") for _ in range(2)] == ["", "ORDER_RATE_EXCEEDED"]
    (order,) = [cell.submit(cell.orders.limit("ACME.SIM", "BUY", "1", "9.00"))]

    assert order.message == ("ORD014 3 orders passed within 60 s, the limit. Send fewer or raise risk.max_order_rate.")


def test_a_stamp_leaves_the_window_when_it_is_as_old_as_the_window() -> None:
    cell = _cell(risk={"max_order_rate": "1/1s"})
    _limit(cell, "BUY", "1", "9.00")
    sent_ns = cell.now_ns

    cell.advance_to(sent_ns + 10**9 - 1)
    assert _limit(cell, "BUY", "1", "9.00") == "ORDER_RATE_EXCEEDED"
    cell.advance_to(sent_ns + 10**9)
    assert _limit(cell, "BUY", "1", "9.00") == ""


@pytest.mark.parametrize("account", ["cash", "margin"])
def test_what_the_account_cannot_carry_is_refused(account: str) -> None:
    share = lr.equity("ACME.SIM", quote="USD", margin_init="0.5")
    cell = Cell(share, account=account, balances=["100 USD"])
    cell.quote("ACME.SIM", "9.99", "10.01")
    order = cell.submit(cell.orders.market("ACME.SIM", "BUY", "20"))

    assert order.code == ("INSUFFICIENT_BALANCE" if account == "cash" else "INSUFFICIENT_MARGIN")
    assert order.message == "ORD013 the account of SIM cannot carry 20 ACME.SIM. Lower the quantity."
