"""No order that its type allows, on no market, makes the kernel raise; and money is conserved to the last unit."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import libra_ray as lr
from libra_ray.messages.events import AccountBooked, OrderFilled
from libra_ray.model.enums import (
    ContingencyType,
    OrderSide,
    OrderStatus,
    OrderType,
    TimeInForce,
    TrailingOffsetType,
    TriggerType,
)
from libra_ray.simulation.tables import orders_table
from libra_ray.testing import Cell

SECOND_NS = 10**9
SHARE, PAIR, PERP = "ACME.SIM", "BTCUSD.SIM", "XBTUSD.SIM"
CLOSED = (OrderStatus.DENIED, OrderStatus.REJECTED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.FILLED)

LARGEST, HUGE = str(10**18 - 1), str(10**30)
PRICES = st.sampled_from(["9.00", "9.90", "9.98", "10.00", "10.02", "10.10", "11.00", "0", "-1", "10.001", HUGE])
SIZES = st.sampled_from(["1", "2", "7", "30", "1000", "0", "-3", "0.5", HUGE, LARGEST])
ORDERS = st.fixed_dictionaries(
    {
        "instrument_id": st.sampled_from([SHARE, SHARE, PAIR, PERP, "NOBODY.SIM"]),
        "side": st.sampled_from(list(OrderSide)),
        "quantity": SIZES,
        "type": st.sampled_from(list(OrderType)),
    },
    optional={
        "price": PRICES,
        "trigger_price": PRICES,
        "time_in_force": st.sampled_from(list(TimeInForce)),
        "expire_ns": st.integers(0, 40).map(lambda seconds: seconds * SECOND_NS),
        "post_only": st.booleans(),
        "reduce_only": st.booleans(),
        "quote_quantity": st.booleans(),
        "display_qty": SIZES,
        "trigger_type": st.sampled_from(list(TriggerType)),
        "trailing_offset": st.sampled_from(["0.05", "1", "50", "0", "-1"]),
        "trailing_offset_type": st.sampled_from(list(TrailingOffsetType)),
        "limit_offset": st.sampled_from(["0.01", "2", "0"]),
        "activation_price": PRICES,
        "emulation_trigger": st.sampled_from(list(TriggerType)),
        "exec_algorithm_id": st.sampled_from(["NOBODY", "TWAP"]),
        "position_id": st.sampled_from(["P-1", "P-9"]),
    },
)
VENUES = st.fixed_dictionaries(
    {"account": st.sampled_from(["cash", "margin"]), "oms": st.sampled_from(["netting", "hedging"])},
    optional={
        "queue": st.sampled_from(["none", "fifo", "prob"]),
        "reject_stop_orders": st.booleans(),
        "oto_mode": st.sampled_from(["partial", "full"]),
        "price_protection": st.integers(0, 3),
        "prob_slippage": st.sampled_from(["0", "0.5", "1"]),
        "prob_fill_on_limit": st.sampled_from(["0", "0.5", "1"]),
        "liquidity_consumption": st.booleans(),
        "latency": st.sampled_from([{"insert": "0.7"}, {"base": "0.3", "cancel": "1", "report": "0.2"}]),
        "sessions": st.just([(0, 8 * SECOND_NS), (12 * SECOND_NS, 20 * SECOND_NS)]),
        "fees": st.sampled_from(
            [
                {"model": "fixed", "amount": "1"},
                {"model": "per_contract", "amount": "0.01"},
                {"model": "tiered", "tiers": [("0", "0.001", "0.002"), ("100", "0", "0.001")]},
                {"maker": "-0.0001", "taker": "0.0005", "currency": "base"},
                {"maker": "0.001", "taker": "0.001"},
            ]
        ),
        "liquidation_fee": st.just("0.001"),
        "base_currency": st.just("USD"),
    },
)
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), ORDERS),
        st.tuples(st.just("list"), st.lists(ORDERS, min_size=2, max_size=3), st.sampled_from(list(ContingencyType))),
        st.tuples(st.just("modify"), st.integers(0, 9), SIZES, PRICES),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.tuples(st.just("quote"), st.sampled_from([SHARE, PAIR, PERP]), st.integers(900, 1100), st.integers(1, 40)),
        st.tuples(st.just("trade"), st.sampled_from([SHARE, PAIR, PERP]), st.integers(900, 1100), st.integers(1, 40)),
        st.tuples(st.just("funding"), st.sampled_from(["0.01", "-0.01"])),
        st.tuples(st.just("wait"), st.integers(1, 9)),
    ),
    min_size=4,
    max_size=25,
)


def market(**venue: Any) -> Cell:  # noqa: ANN401 - see VenueSettings
    instruments = (
        lr.equity(SHARE, quote="USD", margin_init="0.1", margin_maint="0.05"),
        lr.pair(PAIR, base="BTC", quote="USD", tick="0.01", step="1", margin_init="0.1"),
        lr.perpetual(PERP, base="BTC", quote="USD", tick="0.01", step="1", inverse=True, margin_init="0.01"),
    )
    return Cell(*instruments, balances=["5000 USD", "3 BTC"], **venue)


class Play:
    """Plays moves on a cell, and remembers the orders."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.orders: list[lr.Order] = []

    def __call__(self, moves: list[tuple[Any, ...]]) -> None:
        for kind, *what in moves:
            getattr(self, f"_{kind}")(*what)

    def _submit(self, terms: dict[str, Any]) -> None:
        self.orders.append(self.cell.submit(self.cell.orders.order(**terms)))

    def _list(self, each: list[dict[str, Any]], links: ContingencyType) -> None:
        orders = [self.cell.orders.order(**terms) for terms in each]
        factory = self.cell.orders
        link: dict[ContingencyType, Callable[..., tuple[lr.Order, ...]]] = {
            ContingencyType.OTO: factory.one_triggers_others,
            ContingencyType.OCO: factory.one_cancels_others,
            ContingencyType.OUO: factory.one_updates_others,
        }
        self.orders += self.cell.submit_list(link[links](*orders))

    def _modify(self, at: int, quantity: str, price: str) -> None:
        if at < len(self.orders):
            self.cell.modify(self.orders[at].client_order_id, quantity=quantity, price=price)

    def _cancel(self, at: int) -> None:
        if at < len(self.orders):
            self.cell.cancel(self.orders[at].client_order_id)

    def _quote(self, name: str, bid: int, size: int) -> None:
        made = self.cell.kernel.cache.instrument(name)
        low, high = lr.Price(bid, made.price_precision), lr.Price(bid + 2, made.price_precision)
        self.cell.quote(name, low, high, bid_size=size, ask_size=size)

    def _trade(self, name: str, px: int, size: int) -> None:
        self.cell.trade(name, lr.Price(px, 2), size, aggressor=lr.AggressorSide(size % 3))

    def _funding(self, rate: str) -> None:
        self.cell.funding(PERP, rate)

    def _wait(self, seconds: int) -> None:
        self.cell.advance_to(self.cell.now_ns + seconds * SECOND_NS)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(VENUES, MOVES)
def test_nothing_that_the_type_allows_makes_the_kernel_raise(
    venue: dict[str, Any], moves: list[tuple[Any, ...]]
) -> None:
    cell = market(**venue)
    play = Play(cell)

    play(moves)
    cell.advance_to(cell.now_ns + 100 * SECOND_NS)

    assert cell.kernel.halted_by is None
    assert orders_table(cell.kernel.record).num_rows == len(cell.kernel.record.orders)
    stuck = [order for order in cell.kernel.cache.working.values() if order.status in CLOSED]
    assert stuck == []


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(VENUES, MOVES)
def test_balances_are_the_sum_of_bookings_and_bookings_those_of_fills(
    venue: dict[str, Any], moves: list[tuple[Any, ...]]
) -> None:
    cell = market(**venue)
    Play(cell)(moves)
    (account,) = cell.kernel.portfolio.accounts.values()
    booked: dict[str, int] = {}
    for booking in cell.events(AccountBooked):
        booked[booking.currency] = booked.get(booking.currency, 0) + booking.amount_raw

    assert booked == account.totals
    if venue["account"] == "cash":
        assert all(total >= 0 for total in account.totals.values())
    _check_positions(cell)


def _check_positions(cell: Cell) -> None:
    """Quantity and realized profit of every position follow from its fills alone, rounded once a reduction."""
    portfolio = cell.kernel.portfolio
    for instrument_id, net in portfolio.net.items():
        assert net == sum(p.quantity_raw for p in portfolio.positions_open(instrument_id))
    if cell.kernel.cache.working or portfolio.accounts["SIM"].base is not None:
        return
    fills = [fill for fill in cell.events(OrderFilled) if fill.instrument_id == SHARE]
    lives = [*portfolio.closed, *portfolio.open.values()]
    mine = [position for position in lives if position.instrument_id == SHARE]
    cash = sum(Fraction((-1 if fill.is_buy else 1) * fill.last_qty_raw * fill.last_px_raw, 100) for fill in fills)
    held = sum(Fraction(p.open_value * (1 if p.quantity_raw > 0 else -1), 100) for p in mine)
    paid = sum(fill.commission_raw for fill in fills)
    assert sum(p.realized_raw for p in mine) == (cash + held) * 100 - paid
