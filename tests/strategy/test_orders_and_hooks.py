"""What a strategy sends and hears: ids, digits that are kept, the order of hooks."""

import pytest

import libra_ray as lr
from libra_ray.errors import StrategyError
from libra_ray.messages.events import OrderModifyRejected
from libra_ray.testing import Cell

pytest_plugins = ["libra_ray.testing.fixtures"]


class Hears(lr.Strategy):
    """Notes which hook is called, and how far position and account are then."""

    def on_start(self) -> None:
        self.heard: list[str] = []

    def on_order_submitted(self, event: lr.OrderSubmitted) -> None:
        self.heard.append(f"submitted {event.client_order_id}")

    def on_order_accepted(self, event: lr.OrderAccepted) -> None:
        self.heard.append(f"accepted {event.client_order_id}")

    def on_order_filled(self, event: lr.OrderFilled) -> None:
        self.heard.append(f"filled {event.last_qty} of {self.portfolio.net_qty_raw('ACME.SIM')}")

    def on_order_event(self, event: lr.OrderEvent) -> None:
        self.heard.append(f"any {type(event).__name__}")

    def on_position_opened(self, event: lr.PositionOpened) -> None:
        self.heard.append(f"opened {event.quantity_raw}")

    def on_position_closed(self, event: lr.PositionClosed) -> None:
        self.heard.append(f"closed {event.quantity_raw}")

    def on_event(self, event: object) -> None:
        self.heard.append(f"event {type(event).__name__}")


class Numbers(lr.Strategy):
    """Sends an order per quote; raises at the second."""

    def on_start(self) -> None:
        self.subscribe("data.quotes.SIM.ACME")
        self.quotes = 0

    def on_quote(self, quote: lr.Quote) -> None:
        self.quotes += 1
        self.buy(quote.instrument_id, 1)
        if self.quotes == 2:
            self.buy(quote.instrument_id, 2)
            raise ValueError("second")


def test_hooks_come_special_then_any_then_event_and_fills_before_positions(cell: Cell) -> None:
    strategy = cell.add(Hears())
    cell.quote("ACME.SIM", "9.98", "10.02")

    strategy.buy("ACME.SIM", 3)
    cell.advance_to(cell.now_ns)

    assert strategy.heard == [
        "any OrderInitialized", "event OrderInitialized",
        "submitted Hears-1-1", "any OrderSubmitted", "event OrderSubmitted",
        "filled 3 of 3", "any OrderFilled", "event OrderFilled", "opened 3", "event PositionOpened",
    ]  # fmt: skip


def test_nobody_hears_the_orders_of_another(cell: Cell) -> None:
    strategy = cell.add(Hears())
    cell.quote("ACME.SIM", "9.98", "10.02")

    cell.submit(cell.orders.market("ACME.SIM", "BUY", 1))

    assert strategy.heard == []


def test_a_handler_that_raises_gives_its_numbers_back(cell: Cell) -> None:
    strategy = cell.add(Numbers())
    cell.quote("ACME.SIM", "9.98", "10.02")

    with pytest.raises(StrategyError):
        cell.quote("ACME.SIM", "9.98", "10.02")

    assert strategy.orders.market("ACME.SIM", "BUY", 1).client_order_id == "Numbers-1-2"
    assert sorted(order for order in cell.kernel.cache.orders if order.startswith("Numbers")) == ["Numbers-1-1"]


def test_target_counts_orders_under_way(cell: Cell) -> None:
    strategy = cell.add(Hears())
    cell.quote("ACME.SIM", "9.98", "10.02")

    first, second = strategy.target("ACME.SIM", 5), strategy.target("ACME.SIM", 5)
    third = strategy.target("ACME.SIM", -2)

    assert second is None
    assert [(made.side, made.quantity_raw) for made in (first, third) if made] == [("BUY", 5), ("SELL", 7)]


def test_a_modification_keeps_the_digits_it_was_given(cell: Cell) -> None:
    cell.quote("ACME.SIM", "9.98", "10.02")
    order = cell.submit(cell.orders.limit("ACME.SIM", "BUY", 5, "9.00"))

    cell.modify("Hand-1", price="9.0000")
    cell.modify("Hand-1", price="9.005")
    cell.modify("Hand-1", quantity="5.5")

    assert [event.code for event in cell.events(OrderModifyRejected)] == [
        "NO_CHANGE", "PRICE_OFF_TICK", "QUANTITY_OFF_STEP",
    ]  # fmt: skip
    assert (order.price_raw, order.quantity_raw) == (900, 5)


def test_an_order_sent_twice_is_denied_and_left_as_it_is(cell: Cell) -> None:
    cell.quote("ACME.SIM", "9.98", "10.02")
    order = cell.submit(cell.orders.limit("ACME.SIM", "BUY", 5, "9.00"))

    cell.submit(order)

    codes = [event.code for event in cell.events(lr.OrderDenied)]
    assert (codes, order.status) == (["DUPLICATE_CLIENT_ORDER_ID"], lr.OrderStatus.ACCEPTED)
    assert [made.client_order_id for made in cell.kernel.record.orders] == ["Hand-1"]
