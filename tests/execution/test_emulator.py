"""Held orders: what hits them, how they go, what becomes of orders that depend on them."""

from collections.abc import Callable
from typing import Any

import pytest

import libra_ray as lr
from libra_ray.messages.commands import CancelOrder, ModifyOrder, SubmitOrder, SubmitOrderList
from libra_ray.messages.events import OrderEmulated, OrderEvent, OrderReleased
from libra_ray.testing import Cell

pytest_plugins = ["libra_ray.testing.fixtures"]

ACME = "ACME.SIM"
SECOND = 10**9
Terms = dict[str, Any]


def story(cell: Cell, *, of: str = "") -> list[str]:
    """Events of orders in order of birth, as `{order} {what} {facts}`; INITIALIZED is left out."""
    lines = []
    for event in cell.events(OrderEvent):
        name = type(event).__name__.removeprefix("Order")
        if name == "Initialized" or not event.client_order_id.endswith(of):
            continue
        facts: list[object] = [event.client_order_id.removeprefix("Hand-"), name]
        if isinstance(event, OrderReleased):
            facts.append(event.released_px_raw)
        elif isinstance(event, lr.OrderFilled):
            facts.append(f"{event.last_qty} at {event.last_px}")
        elif isinstance(event, lr.OrderUpdated):
            raws = {"qty": event.quantity_raw, "px": event.price_raw, "trigger": event.trigger_raw}
            facts += [f"{key}={raw}" for key, raw in raws.items() if raw is not None]
        else:
            facts.append(getattr(event, "code", ""))
        lines.append(" ".join(str(fact) for fact in facts if fact != ""))
    return lines


def held(cell: Cell, side: str = "BUY", **terms: Any) -> lr.Order:  # noqa: ANN401
    """Ten shares that look at the bid and ask unless `terms` say otherwise; not sent."""
    return cell.orders.order(ACME, side, 10, **{"emulation_trigger": "BID_ASK", **terms})


def data_subscriptions(cell: Cell) -> list[str]:
    return [pattern for pattern, _ in cell.kernel.bus.subscriptions() if pattern.startswith("data.")]


# ---------------------------------------------------------------------- what hits, and what an order becomes


@pytest.mark.parametrize(
    ("side", "terms", "miss", "hit", "becomes"),
    [
        ("BUY", {"trigger_price": "10.10"}, ("9.98", "10.09"), ("9.98", "10.10"), "MARKET"),
        ("SELL", {"trigger_price": "9.90"}, ("9.91", "10.02"), ("9.90", "10.02"), "MARKET"),
        ("BUY", {"price": "9.90"}, ("9.80", "9.91"), ("9.80", "9.90"), "MARKET"),
        ("SELL", {"price": "10.10"}, ("10.09", "10.20"), ("10.10", "10.20"), "MARKET"),
        ("BUY", {"trigger_price": "9.90", "type": "MARKET_IF_TOUCHED"}, ("9.80", "9.91"), ("9.80", "9.90"), "MARKET"),
        ("SELL", {"trigger_price": "10.10", "price": "10.05", "type": "LIMIT_IF_TOUCHED"},
            ("10.09", "10.20"), ("10.10", "10.20"), "LIMIT"),
        ("BUY", {"trigger_price": "10.10", "price": "10.00"}, ("9.98", "10.09"), ("10.00", "10.10"), "LIMIT"),
        ("BUY", {"trigger_price": "9.90", "price": "9.95", "type": "LIMIT_IF_TOUCHED"},
            ("9.80", "9.91"), ("9.80", "9.90"), "LIMIT"),
    ],
)  # fmt: skip
def test_an_order_goes_when_its_price_is_there_and_not_before(
    cell: Cell, side: str, terms: Terms, miss: tuple[str, str], hit: tuple[str, str], becomes: str
) -> None:
    cell.quote(ACME, "9.98", "10.02")
    order = cell.submit(held(cell, side, **terms))
    cell.quote(ACME, *miss)
    assert (order.status, cell.sent(SubmitOrder)) == ("EMULATED", [])

    cell.quote(ACME, *hit)

    assert order.type == becomes
    assert [command.order for command in cell.sent(SubmitOrder)] == [order]
    released = [int(event.released_px_raw) for event in cell.events(OrderReleased)]
    assert released == [round(100 * float(hit[1] if side == "BUY" else hit[0]))]


def test_the_last_price_is_looked_at_where_the_order_says_so(cell: Cell) -> None:
    cell.quote(ACME, "9.98", "10.02")
    cell.submit(held(cell, trigger_price="10.10", emulation_trigger="LAST_PRICE"))
    cell.quote(ACME, "10.20", "10.22")
    cell.trade(ACME, "10.09", 1)
    assert story(cell) == ["1 Emulated"]

    cell.trade(ACME, "10.11", 1)

    assert story(cell) == ["1 Emulated", "1 Released 1011", "1 Filled 10 at 10.22"]


def test_another_instrument_may_be_looked_at_with_its_own_decimals(cell: Cell) -> None:
    cell.quote(ACME, "9.98", "10.02")
    cell.quote("EURUSD.SIM", "1.09990", "1.10000")
    cell.submit(held(cell, trigger_price="1.11", trigger_instrument_id="EURUSD.SIM"))
    cell.quote(ACME, "12.00", "12.02")
    cell.quote("EURUSD.SIM", "1.10980", "1.10999")
    assert story(cell) == ["1 Emulated"]

    cell.quote("EURUSD.SIM", "1.10990", "1.11004")

    assert story(cell) == ["1 Emulated", "1 Released 111", "1 Filled 10 at 12.02"]


def test_an_order_that_is_hit_on_arrival_goes_at_once(cell: Cell) -> None:
    cell.quote(ACME, "9.98", "10.02")

    cell.submit(held(cell, trigger_price="10.00"))

    assert story(cell) == ["1 Released 1002", "1 Filled 10 at 10.02"]


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"price": "9.00", "emulation_trigger": "MARK_PRICE"}, "UNSUPPORTED_TRIGGER_TYPE"),
        ({"price": "9.00", "emulation_trigger": "DEFAULT"}, "UNSUPPORTED_TRIGGER_TYPE"),
        ({"type": "STOP_MARKET"}, "PRICE_MISSING"),
        ({"type": "TRAILING_STOP_MARKET"}, "PRICE_MISSING"),
        ({"price": "9.00", "trigger_instrument_id": "NONE.SIM"}, "UNKNOWN_INSTRUMENT"),
        ({"price": "9.00", "expire_ns": 5}, "EXPIRE_TIME_PAST"),
        ({"price": "9.00", "time_in_force": "GTD"}, "FLAGS_CONFLICT"),
    ],
)
def test_what_cannot_be_held_is_denied_on_arrival(cell: Cell, terms: Terms, code: str) -> None:
    cell.quote(ACME, "9.98", "10.02")

    order = cell.submit(held(cell, **terms))

    assert (order.status, order.code) == ("DENIED", code)
    assert data_subscriptions(cell) == []


def test_risk_checks_are_made_at_release_on_the_order_that_is_sent(make_cell: Callable[..., Cell]) -> None:
    cell = make_cell(lr.equity(ACME, quote="USD"), risk={"max_notional_per_order": "100.50"})
    cell.quote(ACME, "9.98", "10.02")
    cell.submit(held(cell, price="9.50"))

    cell.quote(ACME, "9.40", "9.42")
    cell.submit(held(cell, trigger_price="10.10"))
    cell.quote(ACME, "10.10", "10.12")

    assert story(cell) == [
        "1 Emulated", "1 Released 942", "1 Filled 10 at 9.42",
        "2 Emulated", "2 Released 1012", "2 Denied NOTIONAL_ABOVE_MAX_PER_ORDER",
    ]  # fmt: skip


def test_on_bars_a_released_order_waits_for_the_next_open(make_cell: Callable[..., Cell]) -> None:
    cell = make_cell(lr.equity(ACME, quote="USD"))
    cell.bar(ACME, "1m", ("10", "10", "10", "10"))
    cell.submit(held(cell, trigger_price="10.50"))

    cell.bar(ACME, "1m", ("10", "10.70", "10", "10.60"))
    cell.bar(ACME, "1m", ("10.80", "11", "10", "10.60"))

    assert story(cell) == ["1 Emulated", "1 Released 1060", "1 Accepted", "1 Filled 10 at 10.80"]


# ---------------------------------------------------------------------- trailing


def test_a_trailing_stop_follows_here_and_its_first_trigger_comes_before_it_is_held(cell: Cell) -> None:
    cell.quote(ACME, "10.00", "10.02")
    cell.submit(held(cell, "SELL", type="TRAILING_STOP_MARKET", trailing_offset="0.10"))
    cell.quote(ACME, "10.05", "10.07")
    cell.quote(ACME, "9.99", "10.01")

    cell.quote(ACME, "9.95", "9.97")

    assert story(cell) == [
        "1 Updated trigger=990", "1 Emulated", "1 Updated trigger=995", "1 Released 995", "1 Filled 10 at 9.95",
    ]  # fmt: skip


def test_a_trailing_stop_limit_moves_both_prices_and_goes_as_a_limit(cell: Cell) -> None:
    cell.quote(ACME, "10.00", "10.02")
    terms = {
        "type": "TRAILING_STOP_LIMIT",
        "trailing_offset": "5",
        "limit_offset": "3",
        "trailing_offset_type": "TICKS",
    }
    cell.submit(held(cell, **terms))
    cell.quote(ACME, "9.90", "9.92")

    cell.quote(ACME, "9.98", "10.05")

    assert story(cell) == [
        "1 Updated px=1010 trigger=1007", "1 Emulated", "1 Updated px=1000 trigger=997", "1 Released 1005",
        "1 Accepted",
    ]  # fmt: skip


def test_a_trailing_stop_waits_for_its_activation_price(cell: Cell) -> None:
    cell.quote(ACME, "10.00", "10.02")
    terms = {"trailing_offset": "100", "trailing_offset_type": "BASIS_POINTS", "activation_price": "10.20"}
    order = cell.submit(held(cell, "SELL", type="TRAILING_STOP_MARKET", **terms))
    cell.quote(ACME, "10.10", "10.12")
    assert (story(cell), order.trigger_raw) == (["1 Emulated"], None)

    cell.quote(ACME, "10.25", "10.27")

    assert story(cell) == ["1 Emulated", "1 Updated trigger=1014"]


# ---------------------------------------------------------------------- changes, cancels, time


def test_a_change_and_a_cancel_stay_here(cell: Cell) -> None:
    cell.quote(ACME, "9.98", "10.02")
    order = cell.submit(held(cell, trigger_price="10.10"))

    cell.modify(order.client_order_id, trigger_price="10.20", quantity=20)
    cell.quote(ACME, "10.10", "10.12")
    cell.cancel(order.client_order_id)
    cell.cancel(order.client_order_id)
    cell.quote(ACME, "10.30", "10.32")

    assert story(cell) == ["1 Emulated", "1 Updated qty=20 trigger=1020", "1 Canceled", "1 CancelRejected ORDER_CLOSED"]
    sent = [*cell.sent(SubmitOrder), *cell.sent(ModifyOrder), *cell.sent(CancelOrder)]
    assert sent == []


def test_a_change_that_hits_lets_it_go(cell: Cell) -> None:
    cell.quote(ACME, "9.98", "10.02")
    order = cell.submit(held(cell, trigger_price="10.10"))

    cell.modify(order.client_order_id, trigger_price="10.02")

    assert story(cell)[1:] == ["1 Updated trigger=1002", "1 Released 1002", "1 Filled 10 at 10.02"]


def test_a_gtd_order_expires_before_the_row_of_that_time_is_looked_at(cell: Cell) -> None:
    cell.quote(ACME, "9.98", "10.02")
    cell.submit(held(cell, trigger_price="10.10", expire_ns=5 * SECOND))

    cell.quote(ACME, "10.20", "10.22", ts_ns=5 * SECOND)

    assert story(cell) == ["1 Emulated", "1 Expired"]
    assert cell.events(lr.OrderExpired)[0].ts_ns == 5 * SECOND


@pytest.mark.parametrize(("terms", "end_ns"), [({"expire_ns": 7 * SECOND}, 7 * SECOND), ({}, 86_400 * SECOND)])
def test_gtd_and_day_orders_expire_without_a_row(cell: Cell, terms: Terms, end_ns: int) -> None:
    cell.quote(ACME, "9.98", "10.02")
    tif = {} if terms else {"time_in_force": "DAY"}
    cell.submit(held(cell, trigger_price="10.10", **terms, **tif))

    cell.run_until_idle()

    assert [event.ts_ns for event in cell.events(lr.OrderExpired)] == [end_ns]
    assert data_subscriptions(cell) == []


# ---------------------------------------------------------------------- orders that depend on each other


def test_of_two_held_orders_that_one_row_hits_the_first_to_fill_cancels_the_other(cell: Cell) -> None:
    cell.quote(ACME, "9.98", "10.02")
    pair = cell.orders.one_cancels_others(held(cell, trigger_price="10.10"), held(cell, trigger_price="10.05"))
    cell.submit_list(pair)

    cell.quote(ACME, "10.18", "10.20")

    assert story(cell) == [
        "1 Emulated", "2 Emulated", "1 Released 1020", "2 Released 1020", "1 Filled 10 at 10.20",
        "2 Canceled CONTINGENCY",
    ]  # fmt: skip


def test_a_cancel_of_a_held_order_cancels_its_sibling_at_the_venue(cell: Cell) -> None:
    cell.quote(ACME, "9.98", "10.02")
    pair = cell.orders.one_cancels_others(held(cell, trigger_price="10.10"), cell.orders.limit(ACME, "BUY", 10, "9.50"))
    cell.submit_list(pair)

    cell.cancel(pair[0].client_order_id)

    assert story(cell) == ["1 Emulated", "2 Accepted", "1 Canceled", "2 Canceled"]


def test_a_fill_at_the_venue_takes_as_much_off_a_held_sibling(cell: Cell) -> None:
    cell.quote(ACME, "9.98", "10.02")
    resting, stop = cell.orders.limit(ACME, "BUY", 10, "9.98"), held(cell, trigger_price="10.50")
    cell.submit_list(cell.orders.one_updates_others(resting, stop))

    cell.trade(ACME, "9.98", 4, aggressor=lr.AggressorSide.SELLER)
    cell.trade(ACME, "9.98", 6, aggressor=lr.AggressorSide.SELLER)

    assert story(cell)[2:] == [
        "1 Filled 4 at 9.98", "2 Updated qty=6", "1 Filled 6 at 9.98", "2 Canceled CONTINGENCY",
    ]  # fmt: skip


def bracket(cell: Cell, entry: Terms) -> tuple[lr.Order, lr.Order, lr.Order]:
    emulated = {"emulation_trigger": "BID_ASK"}
    return cell.orders.bracket(
        ACME, "BUY", 10, stop_loss="9.50", take_profit="10.60",
        entry=entry, stop_loss_terms=emulated, take_profit_terms=emulated,
    )  # fmt: skip


def test_held_children_wait_for_their_parents_fills_and_follow_them(cell: Cell) -> None:
    cell.quote(ACME, "9.98", "10.02")
    cell.submit_list(bracket(cell, {"price": "9.98"}))
    assert story(cell) == ["1 Accepted"]

    cell.trade(ACME, "9.98", 4, aggressor=lr.AggressorSide.SELLER)
    cell.trade(ACME, "9.98", 6, aggressor=lr.AggressorSide.SELLER)
    cell.quote(ACME, "10.60", "10.62")

    assert story(cell)[1:] == [
        "1 Filled 4 at 9.98", "2 Updated qty=4", "2 Emulated", "3 Updated qty=4", "3 Emulated",
        "1 Filled 6 at 9.98", "2 Updated qty=10", "3 Updated qty=10",
        "3 Released 1060", "3 Filled 10 at 10.60", "2 Canceled CONTINGENCY",
    ]  # fmt: skip
    assert cell.position(ACME) is None
    assert [name for name, _ in cell.kernel.bus.subscriptions() if name.startswith(("data.", "events.order"))] == []


def test_a_held_parent_that_is_let_go_takes_its_plain_children_along(cell: Cell) -> None:
    cell.quote(ACME, "9.98", "10.02")
    parent, child = held(cell, trigger_price="10.10"), cell.orders.limit(ACME, "SELL", 10, "10.60")
    cell.submit_list(cell.orders.one_triggers_others(parent, child))
    assert (story(cell), child.status) == (["1 Emulated"], "INITIALIZED")

    cell.quote(ACME, "10.10", "10.12")

    assert story(cell)[1:] == ["1 Released 1012", "1 Filled 10 at 10.12", "2 Accepted"]
    assert len(cell.sent(SubmitOrderList)) == 1


def test_children_end_with_a_parent_that_ends_without_a_fill(cell: Cell) -> None:
    cell.quote(ACME, "9.98", "10.02")
    orders = bracket(cell, {"trigger_price": "10.10", "type": "STOP_MARKET", "emulation_trigger": "BID_ASK"})
    cell.submit_list(orders)

    cell.cancel(orders[0].client_order_id)

    assert story(cell) == ["1 Emulated", "1 Canceled", "2 Canceled CONTINGENCY", "3 Canceled CONTINGENCY"]


def test_one_order_that_cannot_be_held_denies_its_list(cell: Cell) -> None:
    cell.quote(ACME, "9.98", "10.02")
    pair = cell.orders.one_cancels_others(held(cell, trigger_price="10.10"), held(cell, type="STOP_MARKET"))

    cell.submit_list(pair)

    assert story(cell) == ["1 Denied LIST_DENIED", "2 Denied PRICE_MISSING"]


# ---------------------------------------------------------------------- what it costs, and what survives


def test_nothing_is_subscribed_to_while_nothing_is_held(cell: Cell) -> None:
    host, topic = cell.kernel.host, "data.quotes.SIM.ACME"
    cell.quote(ACME, "9.98", "10.02")
    before = (cell.kernel.bus.subscriptions(), host.row_handlers(topic))

    order = cell.submit(held(cell, trigger_price="10.10"))
    assert [actor for actor, _ in host.row_handlers(topic)] == [cell.kernel.emulator]
    cell.cancel(order.client_order_id)

    assert (cell.kernel.bus.subscriptions(), host.row_handlers(topic)) == before


def test_it_looks_at_a_row_before_any_strategy(cell: Cell) -> None:
    class Looks(lr.Strategy):
        def on_start(self) -> None:
            self.seen: list[str] = []
            self.subscribe_quotes(ACME)

        def on_quote(self, quote: lr.Quote) -> None:
            del quote
            self.seen += [order.status for order in self.cache.orders.values()]

    looks = cell.add(Looks())
    cell.quote(ACME, "9.98", "10.02")
    cell.submit(held(cell, trigger_price="10.10"))

    cell.quote(ACME, "10.10", "10.12")

    assert looks.seen == ["RELEASED"]


def test_a_new_life_goes_on_with_the_same_triggers(make_cell: Callable[..., Cell]) -> None:
    first, second = (make_cell(lr.equity(ACME, quote="USD")) for _ in range(2))
    first.quote(ACME, "10.00", "10.02")
    first.submit(held(first, "SELL", type="TRAILING_STOP_MARKET", trailing_offset="0.10"))
    first.submit(held(first, price="9.00", expire_ns=100 * SECOND))
    saved = first.kernel.host.save("OrderEmulator")
    assert saved is not None

    emulator = second.kernel.emulator
    second.kernel.host.run(emulator, emulator.on_load, saved)

    assert [str(order) for order in emulator.held_orders] == [str(order) for order in first.kernel.emulator.held_orders]
    second.quote(ACME, "9.90", "9.92")
    second.run_until_idle()
    assert story(second) == ["1 Released 990", "1 Filled 10 at 9.90", "2 Expired"]
    assert len(second.events(OrderEmulated)) == 0
