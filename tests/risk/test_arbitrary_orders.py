"""No order that passes its type makes the risk engine raise: it passes, or is denied with a code and a sentence."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import libra_ray as lr
from libra_ray.execution import ExecutionClient
from libra_ray.messages.commands import ModifyOrder, SubmitOrder, SubmitOrderList
from libra_ray.model.enums import (
    ContingencyType,
    OrderSide,
    OrderStatus,
    OrderType,
    TimeInForce,
    TradingState,
    TrailingOffsetType,
    TriggerType,
)
from libra_ray.model.numbers import Rate
from libra_ray.model.orders import Order
from libra_ray.testing import Cell

INSTRUMENTS = (
    lr.pair(
        "BTCUSDT.SIM",
        base="BTC",
        quote="USDT",
        tick="0.01",
        step="0.00001",
        min_notional="5",
        max_notional="10_000_000",
    ),
    lr.equity("ACME.SIM", quote="USD", min_qty="2", margin_init="0.1", margin_maint="0.05"),
    lr.perpetual("XBTUSD.SIM", base="BTC", quote="USD", tick="0.5", step="1", inverse=True, margin_init="0.01"),
    lr.future("CL.SIM", quote="USD", tick="0.01", multiplier="1000", negative_prices=True, margin_init="0.2"),
    lr.future("OLD.SIM", quote="USD", tick="0.01", expiration_ns=1),
)
IDS = [f"X-{number}" for number in range(9)]
RAWS = st.one_of(st.integers(-3, 30), st.integers(-(10**20), 10**20), st.sampled_from([100, 1_000, 10_000, 10**7]))
MAYBE_RAW = st.none() | RAWS
RISKS: list[dict[str, Any]] = [
    {},
    {
        "stp": "decrement",
        "max_position": "100",
        "max_exposure": {"USD": "5000", "BTC": "1"},
        "trading_state": "REDUCING",
    },
    {
        "stp": "cancel_oldest",
        "max_open_orders": 2,
        "price_collar_bps": "500",
        "max_notional_per_order": "100_000",
        "accounts": {"SIM": {"max_position": {"ACME.SIM": "10"}, "max_order_rate": "3/1s"}},
        "strategies": {"S": {"max_exposure": {"USDT": "10"}, "max_modify_rate": "1/1s"}},
        "max_daily_loss": "1",
    },
]


class Silent:
    """A venue that takes everything and never answers: what is sent stays on its way."""

    def submit(self, order: Order, ts_ns: int) -> None: ...

    def submit_list(self, orders: tuple[Order, ...], ts_ns: int) -> None: ...

    def modify(self, command: ModifyOrder) -> None: ...

    def cancel(self, order: Order, ts_ns: int, code: str = "") -> None: ...


def _mostly(usual: object, strange: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The usual value but once in sixteen times, so that many orders get far."""
    return st.integers(0, 15).flatmap(lambda number: strange if number == 15 else st.just(usual))


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """Any order that the type allows, whether or not it makes sense; many make sense but for a field or two."""
    made = draw(st.sampled_from(INSTRUMENTS))
    rate = st.builds(Rate, st.integers(-5, 5), st.sampled_from([1, 10, 100]))
    near = 10**made.price_precision * (60_000 if "BT" in made.id else 10)
    price = _mostly(None, RAWS) | st.sampled_from([near - near // 100, near, near + near // 100])
    few = 10**made.size_precision
    return Order(
        draw(st.sampled_from(IDS)),
        "S",
        draw(_mostly(made.id, st.just("NONE.SIM"))),
        draw(st.sampled_from(OrderSide)),
        draw(st.sampled_from([*OrderType, OrderType.MARKET, OrderType.MARKET, OrderType.LIMIT, OrderType.LIMIT])),
        draw(st.sampled_from([few, 3 * few, 9 * few, 40 * few]).flatmap(lambda size: _mostly(size, RAWS))),
        draw(_mostly(made.size_precision, st.integers(0, 9))),
        draw(price),
        draw(price),
        draw(_mostly(made.price_precision, st.integers(0, 9))),
        0,
        time_in_force=draw(_mostly(TimeInForce.GTC, st.sampled_from(TimeInForce))),
        expire_ns=draw(st.none() | st.integers(0, 10**19)),
        post_only=draw(_mostly(usual=False, strange=st.just(value=True))),
        reduce_only=draw(_mostly(usual=False, strange=st.just(value=True))),
        quote_quantity=draw(_mostly(usual=False, strange=st.just(value=True))),
        trigger_type=draw(_mostly(TriggerType.DEFAULT, st.sampled_from(TriggerType))),
        position_id=draw(_mostly(None, st.just("P-1"))),
        tags=draw(st.sampled_from([(), ("STOP_LOSS",), ("TAKE_PROFIT",), ("ENTRY",)])),
        display_raw=draw(_mostly(None, RAWS)),
        trailing_offset=draw(_mostly(Rate(1, 2), st.none() | rate)),
        trailing_offset_type=draw(st.sampled_from(TrailingOffsetType)),
        limit_offset=draw(_mostly(Rate(1, 2), st.none() | rate)),
        activation_raw=draw(_mostly(None, price)),
        emulation_trigger=draw(_mostly(None, st.sampled_from(TriggerType))),
        exec_algorithm_id=draw(_mostly(None, st.just("TWAP"))),
        contingency_type=draw(st.none() | st.sampled_from(ContingencyType)),
        parent_order_id=draw(_mostly(None, st.sampled_from(IDS))),
        linked_order_ids=tuple(draw(st.lists(st.sampled_from(IDS), max_size=2))),
    )


def _cell(risk: dict[str, Any], **venue: Any) -> Cell:  # noqa: ANN401 - of the venue
    """A system whose venue is silent, with prices, and an order of each side that rests."""
    cell = Cell(
        *INSTRUMENTS, risk={**risk, "trading_state": "ACTIVE"}, balances=["10_000 USD", "10_000 USDT", "1 BTC"], **venue
    )
    cell.quote("BTCUSDT.SIM", "59999.99", "60000.01")
    cell.quote("ACME.SIM", "9.99", "10.01")
    cell.quote("XBTUSD.SIM", "59999.5", "60000.5")
    for side, price in (("BUY", "9.90"), ("SELL", "10.10")):
        cell.submit(cell.orders.limit("ACME.SIM", side, "3", price))
    clients: dict[str, ExecutionClient] = {made.id: Silent() for made in INSTRUMENTS}
    cell.kernel.execution._clients = clients  # noqa: SLF001 - nothing here depends on what a venue makes of it
    cell.kernel.risk.trading_state = TradingState(risk.get("trading_state", "ACTIVE"))
    return cell


def _judge(cell: Cell, made: list[Order], *, as_list: bool) -> None:
    cache, risk = cell.kernel.cache, cell.kernel.risk
    known = dict(cache.orders)
    for order in made:
        cache.orders.setdefault(order.client_order_id, order)
        cache.new[order.client_order_id] = order
    if as_list:
        risk.execute(SubmitOrderList(cell.now_ns, "S", tuple(made)))
    else:
        for order in made:
            risk.execute(SubmitOrder(cell.now_ns, "S", order))
    for order in made:
        assert order.client_order_id not in known
        if order.status is OrderStatus.DENIED:
            assert order.code.replace("_", "").isupper()
            assert order.message.startswith("ORD0")
            assert order.message.endswith((".", "?"))
        else:
            # What is on record is another order of that id, or this one is on its way, as often as it was sent.
            assert order.status is OrderStatus.SUBMITTED or cache.orders[order.client_order_id] is not order


VENUES: list[dict[str, Any]] = [
    {},
    {"account": "cash"},
    {"account": "cash", "base_currency": "USD"},
    {"base_currency": "USD", "oms": "hedging"},
]


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(orders(), min_size=1, max_size=4), st.sampled_from(RISKS), st.sampled_from(VENUES), st.booleans())
def test_every_order_is_judged(
    made: list[Order],
    risk: dict[str, Any],
    venue: dict[str, Any],
    as_list: bool,  # noqa: FBT001 - drawn
) -> None:
    _judge(_cell(risk, **venue), made, as_list=as_list)


PRECISIONS = st.integers(0, 9)
CHANGES = st.tuples(MAYBE_RAW, MAYBE_RAW, MAYBE_RAW, PRECISIONS, PRECISIONS)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(CHANGES, st.sampled_from(OrderStatus), st.sampled_from(RISKS))
def test_every_change_is_judged(
    change: tuple[int | None, int | None, int | None, int, int], status: OrderStatus, risk: dict[str, Any]
) -> None:
    if status in (OrderStatus.EMULATED, OrderStatus.RELEASED):
        return  # those are with the order emulator, which takes their changes
    cell = _cell(risk)
    order = cell.kernel.cache.orders["Hand-1"]
    order.status = status

    cell.kernel.risk.execute(ModifyOrder(cell.now_ns, "S", order, *change))

    assert order.status in (status, OrderStatus.PENDING_UPDATE)
