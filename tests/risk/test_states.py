"""Trading states, modifications, and the losses that move the state."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import libra_ray as lr
from libra_ray.messages.commands import ModifyOrder, SetTradingState
from libra_ray.messages.events import OrderCanceled, OrderDenied, OrderModifyRejected, TradingStateChanged
from libra_ray.model.enums import OrderStatus, TradingState
from libra_ray.model.numbers import Rate, currency
from libra_ray.risk import BreachRules, BreachWatch
from libra_ray.testing import Cell

DAY_NS = 86_400 * 10**9


def _cell(**more: Any) -> Cell:  # noqa: ANN401 - of the venue and its limits
    cell = Cell(lr.equity("ACME.SIM", quote="USD", min_qty="2"), **{"balances": ["100_000 USD"], **more})
    cell.quote("ACME.SIM", "10.00", "10.02")
    return cell


def _set(cell: Cell, state: str) -> None:
    cell.kernel.risk.execute(SetTradingState(cell.now_ns, "person", TradingState(state), "said so"))


def _modify_codes(cell: Cell) -> list[str]:
    return [event.code for event in cell.events(OrderModifyRejected)]


# ---------------------------------------------------------------------- states


def test_halted_refuses_orders_and_changes_and_lets_cancels_pass() -> None:
    cell = _cell()
    order = cell.submit(cell.orders.limit("ACME.SIM", "BUY", "5", "9.00"))
    _set(cell, "HALTED")

    late = cell.submit(cell.orders.limit("ACME.SIM", "BUY", "5", "9.00"))
    cell.modify(order.client_order_id, price="9.10")
    cell.cancel(order.client_order_id)

    assert (late.code, late.message) == ("TRADING_HALTED", "ORD010 trading is halted. Set it active first.")
    assert _modify_codes(cell) == ["TRADING_HALTED"]
    assert len(cell.events(OrderCanceled)) == 1


def test_a_change_of_state_is_told_once() -> None:
    cell = _cell()
    told: list[object] = []
    cell.kernel.bus.subscribe("events.risk", told.append)

    for state in ("HALTED", "HALTED", "ACTIVE"):
        _set(cell, state)

    changes = [(TradingState.ACTIVE, TradingState.HALTED), (TradingState.HALTED, TradingState.ACTIVE)]
    assert told == [TradingStateChanged(cell.now_ns, *change, "said so") for change in changes]
    assert told == cell.events(TradingStateChanged)


def test_reducing_lets_through_what_closes_with_all_that_is_on_that_side() -> None:
    cell = _cell()
    cell.submit(cell.orders.market("ACME.SIM", "BUY", "10"))
    _set(cell, "REDUCING")

    def code(side: str, quantity: str, **terms: Any) -> str:  # noqa: ANN401
        return cell.submit(
            cell.orders.limit("ACME.SIM", side, quantity, "11.00" if side == "SELL" else "9.00", **terms)
        ).code

    assert code("BUY", "2") == "TRADING_REDUCING"
    assert code("SELL", "11") == "TRADING_REDUCING"
    assert code("SELL", "6") == ""
    assert code("SELL", "5") == "TRADING_REDUCING"
    assert code("SELL", "4") == ""
    (last,) = cell.events(OrderDenied)[-1:]
    assert last.message == "ORD010 trading is reducing and this order for ACME.SIM does not only reduce. Lower it."


def test_reducing_from_flat_refuses_reduce_only_too() -> None:
    cell = _cell(risk={"trading_state": "REDUCING"})

    assert cell.submit(cell.orders.market("ACME.SIM", "SELL", "5", reduce_only=True)).code == "TRADING_REDUCING"


# ---------------------------------------------------------------------- modifications


def test_a_modification_is_refused_by_the_first_rule_that_it_breaks() -> None:
    cell = _cell(risk={"max_modify_rate": "1/60s"})
    order = cell.submit(cell.orders.limit("ACME.SIM", "BUY", "5", "9.00"))
    name = order.client_order_id

    cell.modify(name, price="9.00", quantity="5.0")
    cell.modify(name, price="9.005")
    cell.modify(name, price="-1")
    cell.modify(name, quantity="1")
    cell.modify(name, quantity="2.5")
    cell.modify(name, price="9.10")
    cell.modify(name, price="9.20")
    cell.cancel(name)
    cell.modify(name, price="9.30")

    assert _modify_codes(cell) == [
        "NO_CHANGE",
        "PRICE_OFF_TICK",
        "PRICE_NOT_POSITIVE",
        "QUANTITY_BELOW_MIN",
        "QUANTITY_OFF_STEP",
        "MODIFY_RATE_EXCEEDED",
        "ORDER_CLOSED",
    ]
    assert (str(order.price), order.status) == ("9.10", OrderStatus.CANCELED)


def test_an_order_that_was_never_sent_cannot_be_changed() -> None:
    cell = _cell()
    order = cell.orders.limit("ACME.SIM", "BUY", "5", "9.00")
    cell.kernel.risk.execute(ModifyOrder(cell.now_ns, "Hand", order, 4, None, None))

    assert _modify_codes(cell) == ["UNKNOWN_ORDER"]
    assert order.status is OrderStatus.INITIALIZED


def test_an_order_whose_cancel_is_on_its_way_cannot_be_changed() -> None:
    cell = _cell(latency={"base": "1"})
    order = cell.submit(cell.orders.limit("ACME.SIM", "BUY", "5", "9.00"))
    cell.advance_to(cell.now_ns + 2 * 10**9)

    cell.cancel(order.client_order_id)
    cell.modify(order.client_order_id, price="9.10")
    cell.advance_to(cell.now_ns + 2 * 10**9)

    assert _modify_codes(cell) == ["ORDER_CLOSED"]
    assert order.status is OrderStatus.CANCELED


def test_a_change_with_more_decimals_than_needed_reaches_the_venue_at_the_tick() -> None:
    cell = _cell()
    order = cell.submit(cell.orders.limit("ACME.SIM", "BUY", "5", "9.00"))
    cell.kernel.risk.execute(ModifyOrder(cell.now_ns, "Hand", order, 400, 91_000, None, 2, 4))

    assert (str(order.price), str(order.quantity)) == ("9.10", "4")


# ---------------------------------------------------------------------- losses


def test_a_loss_of_the_day_halts_before_the_strategy_sees_the_row() -> None:
    cell = _cell(risk={"max_daily_loss": "50", "on_breach": "HALTED"})
    cell.submit(cell.orders.market("ACME.SIM", "BUY", "100"))

    cell.quote("ACME.SIM", "9.53", "9.55")
    assert cell.kernel.risk.trading_state is TradingState.ACTIVE
    cell.quote("ACME.SIM", "9.52", "9.54")

    assert cell.submit(cell.orders.market("ACME.SIM", "SELL", "10")).code == "TRADING_HALTED"
    (changed,) = cell.events(TradingStateChanged)
    assert changed.reason == (
        "RISK001 equity 99950.00 USD of SIM is 50.00 below that of 00:00 UTC; max_daily_loss is 50.00."
    )


def test_a_breach_is_told_once_until_somebody_sets_the_state_back() -> None:
    cell = _cell(risk={"max_drawdown": "0.001"})
    cell.submit(cell.orders.market("ACME.SIM", "BUY", "100"))
    for bid in ("9.01", "9.00", "9.02"):
        cell.quote("ACME.SIM", bid, "9.05")
    assert len(cell.events(TradingStateChanged)) == 1

    _set(cell, "ACTIVE")
    cell.quote("ACME.SIM", "9.00", "9.05")

    states = [event.to_state for event in cell.events(TradingStateChanged)]
    assert states == [TradingState.REDUCING, TradingState.ACTIVE, TradingState.REDUCING]
    assert cell.events(TradingStateChanged)[0].reason == (
        "RISK001 equity 99899.00 USD of SIM is 101.00 below its peak 100000.00; max_drawdown is 0.001."
    )


def test_a_breach_never_loosens_a_halt() -> None:
    cell = _cell(risk={"max_daily_loss": "1"})
    cell.submit(cell.orders.market("ACME.SIM", "BUY", "100"))
    _set(cell, "HALTED")

    cell.quote("ACME.SIM", "9.00", "9.05")

    assert cell.kernel.risk.trading_state is TradingState.HALTED


def test_a_booking_alone_may_breach() -> None:
    share = lr.equity("ACME.SIM", quote="USD", taker_fee="0.5")
    cell = Cell(share, balances=["1_000 USD"], risk={"max_daily_loss": "100"})
    cell.quote("ACME.SIM", "10.00", "10.00")

    cell.submit(cell.orders.market("ACME.SIM", "BUY", "20"))

    assert cell.kernel.risk.trading_state is TradingState.REDUCING


def test_nothing_is_watched_without_a_limit() -> None:
    assert not _cell().kernel.risk.watches_equity


def test_a_day_begins_with_the_equity_of_the_moment_before() -> None:
    watch = BreachWatch("SIM", currency("USD"), BreachRules((50, 0), None, TradingState.HALTED), 100_000, DAY_NS)

    assert watch.on_equity(DAY_NS + 5, 96_000) is None
    assert watch.on_equity(2 * DAY_NS - 1, 95_001) is None
    assert watch.on_equity(2 * DAY_NS, 90_002) is None  # 49.99 below 950.01
    assert watch.day_start_raw == 95_001
    assert watch.on_equity(2 * DAY_NS + 1, 90_001) is not None


@given(st.lists(st.tuples(st.integers(0, 4 * DAY_NS), st.integers(-500, 1_000)), max_size=30), st.integers(1, 300))
def test_the_watch_agrees_with_the_rule(steps: list[tuple[int, int]], loss: int) -> None:
    drawdown = Rate(1, 10)
    watch = BreachWatch("SIM", currency("JPY"), BreachRules((loss, 0), drawdown, TradingState.HALTED), 600, 0)
    seen = [(0, 600)]
    for ts_ns, equity in sorted(steps):
        told = watch.on_equity(ts_ns, equity)
        before = [value for at_ns, value in seen if at_ns // DAY_NS < ts_ns // DAY_NS]
        start = before[-1] if before else 600
        seen.append((ts_ns, equity))
        peak = max(value for _, value in seen)
        wanted = equity <= start - loss or (peak > 0 and 10 * (peak - equity) >= peak)
        assert (told is not None) == wanted
        watch.rearm()
