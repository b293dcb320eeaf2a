"""The cell of the test kit, by what its users would write."""

from collections.abc import Callable

import pytest

import libra_ray as lr
from libra_ray.errors import StrategyError
from libra_ray.messages.commands import CancelOrder, SubmitOrder
from libra_ray.messages.events import OrderCanceled, OrderDenied, OrderFilled
from libra_ray.testing import Cell

pytest_plugins = ["libra_ray.testing.fixtures"]

MINUTE_NS = 60 * 10**9


class BuysDips(lr.Strategy):
    """Buys one when the ask is below ten, and gives up a minute later."""

    def on_start(self) -> None:
        self.subscribe("data.quotes.SIM.ACME")

    def on_quote(self, quote: lr.Quote) -> None:
        if quote.ask_px < lr.Price(1_000, 2) and self.portfolio.is_flat("ACME.SIM"):
            self.buy("ACME.SIM", 1)
            self.clock.set_alert("give up", at_ns=self.clock.now_ns() + MINUTE_NS)

    def on_timer(self, timer: lr.Timer) -> None:
        if timer.name == "give up":
            self.close_position("ACME.SIM")


class Fragile(lr.Strategy):
    """Raises after it has staged an order."""

    def on_start(self) -> None:
        self.subscribe("data.quotes.SIM.ACME")

    def on_quote(self, quote: lr.Quote) -> None:
        self.buy(quote.instrument_id, 1)
        raise ValueError("no")


class Trend(lr.Strategy):
    """Long after a bar that rose, else flat."""

    def on_start(self) -> None:
        self.subscribe("data.bars.ACME.SIM-1h")

    def on_bar(self, bar: lr.Bar) -> None:
        self.target("ACME.SIM", 10 if bar.close_raw > bar.open_raw else 0)


def test_a_strategy_buys_the_dip_and_leaves_a_minute_later(cell: Cell) -> None:
    strategy = cell.add(BuysDips())

    cell.quote("ACME.SIM", "10.00", "10.02")
    cell.quote("ACME.SIM", "9.97", "9.99")
    cell.run_until_idle()

    sent = [(command.ts_ns, command.order.side) for command in cell.sent(SubmitOrder)]
    assert sent == [(2 * 10**9, "BUY"), (2 * 10**9 + MINUTE_NS, "SELL")]
    assert [str(fill.last_px) for fill in cell.events(OrderFilled)] == ["9.99", "9.97"]
    assert cell.position("ACME.SIM", strategy) is None


def test_the_test_itself_trades_and_cancels(cell: Cell) -> None:
    cell.quote("ACME.SIM", "9.98", "10.02")

    resting = cell.submit(cell.orders.limit("ACME.SIM", "BUY", 5, "9.90"))
    cell.submit(cell.orders.market("ACME.SIM", "BUY", 2))
    cell.cancel(resting.client_order_id)

    assert [command.order.client_order_id for command in cell.sent(CancelOrder)] == ["Hand-1"]
    assert [event.client_order_id for event in cell.events(OrderCanceled)] == ["Hand-1"]
    position = cell.position("ACME.SIM")
    assert position is not None
    assert (position.quantity_raw, str(position.avg_px_open)) == (2, "10.02")


def test_what_risk_denies_is_never_sent(make_cell: Callable[..., Cell]) -> None:
    cell = make_cell(lr.equity("ACME.SIM", quote="USD"), risk={"max_position": "3"})
    cell.quote("ACME.SIM", "9.98", "10.02")

    order = cell.submit(cell.orders.market("ACME.SIM", "BUY", 4))

    assert (order.status, cell.sent(SubmitOrder)) == (lr.OrderStatus.DENIED, [])
    assert [event.code for event in cell.events(OrderDenied)] == ["MAX_POSITION"]


def test_orders_between_two_bars_wait_for_the_open(cell: Cell) -> None:
    trend = cell.add(Trend())

    cell.bar("ACME.SIM", "1h", (10, 11, 10, 11))
    assert cell.events(OrderFilled) == []
    cell.bar("ACME.SIM", "1h", ("11.5", 12, 11, 12))

    assert [(fill.ts_ns, str(fill.last_px)) for fill in cell.events(OrderFilled)] == [(2 * 3_600 * 10**9, "11.50")]
    assert cell.position("ACME.SIM", trend) is not None


def test_trades_and_marks_reach_waiting_orders(cell: Cell) -> None:
    cell.quote("ACME.SIM", "9.98", "10.02")
    cell.submit(cell.orders.limit("ACME.SIM", "BUY", 5, "10.00"))
    stop = cell.orders.order("ACME.SIM", "SELL", 5, trigger_price="9.95", trigger_type="MARK_PRICE")
    cell.submit(stop)

    cell.trade("ACME.SIM", "10.00", 3)
    cell.mark("ACME.SIM", "9.95")

    fills = [(fill.client_order_id, str(fill.last_qty), str(fill.last_px)) for fill in cell.events(OrderFilled)]
    assert fills == [("Hand-1", "3", "10.00"), ("Hand-2", "5", "9.98")]


def test_a_raise_in_a_handler_is_raised_in_the_test_and_sends_nothing(cell: Cell) -> None:
    cell.add(Fragile())

    with pytest.raises(StrategyError, match="STRAT001"):
        cell.quote("ACME.SIM", "9.98", "10.02")
    assert cell.sent(SubmitOrder) == []


def test_time_does_not_go_back(cell: Cell) -> None:
    cell.advance_to(5 * 10**9)

    with pytest.raises(ValueError, match="older"):
        cell.quote("ACME.SIM", 1, 2, ts_ns=4 * 10**9)
