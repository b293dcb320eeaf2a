"""What an account holds back, against the same rule in fractions."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import libra_ray as lr
from libra_ray.model.enums import OrderStatus
from libra_ray.model.numbers import Rate
from libra_ray.portfolio import Funds
from libra_ray.testing import Cell

ORDERS = st.lists(st.tuples(st.sampled_from(["BUY", "SELL"]), st.integers(1, 40), st.integers(1, 900)), max_size=8)


def half_even(value: Fraction) -> int:
    return round(value)


@pytest.mark.slow
@given(ORDERS, st.integers(-20, 20), st.sampled_from(["1", "3"]))
def test_margin_locks_the_larger_side(orders: list[tuple[str, int, int]], held: int, leverage: str) -> None:
    cell = Cell(lr.equity("ACME.SIM", quote="USD", margin_init="0.07"), leverage=leverage)
    cell.quote("ACME.SIM", "9.99", "10.02")
    if held:
        cell.submit(cell.orders.market("ACME.SIM", "BUY" if held > 0 else "SELL", abs(held)))
    sides = {"BUY": Fraction(0), "SELL": Fraction(0)}
    for side, quantity, offset in orders:
        price = Fraction(999 - offset if side == "BUY" else 1_002 + offset, 100)
        if cell.submit(cell.orders.limit("ACME.SIM", side, quantity, f"{float(price):.2f}")).status == "ACCEPTED":
            sides[side] += quantity * price

    signed = held * (Fraction("9.99") + Fraction("10.02")) / 2
    worst = max(abs(signed + sides["BUY"]), abs(signed - sides["SELL"]))
    expected = half_even(worst * Fraction("0.07") / int(leverage) * 100)
    assert cell.kernel.funds["SIM"].locked().get("USD", 0) == expected


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(1, 999)), max_size=8))
def test_cash_locks_price_and_fee_rounded_up_for_each_order(orders: list[tuple[int, int]]) -> None:
    share = lr.equity("ACME.SIM", quote="USD", taker_fee="0.0013")
    cell = Cell(share, account="cash", balances=["10_000 USD"])
    cell.quote("ACME.SIM", "9.99", "10.02")
    locked = 0
    for quantity, cents in orders:
        needed = -(-(Fraction(quantity * cents) * (1 + Fraction("0.0013"))) // 1)
        fits = needed <= 1_000_000 - locked
        order = cell.submit(cell.orders.limit("ACME.SIM", "BUY", quantity, f"{cents / 100:.2f}"))
        assert (order.status == "ACCEPTED") == fits
        locked += needed if fits else 0

    assert cell.kernel.funds["SIM"].locked().get("USD", 0) == locked


BTC = lr.pair("BTCUSDT.SIM", base="BTC", quote="USDT", tick="0.01", step="0.001", taker_fee="0.0005")
YEN = lr.pair("USDJPY.SIM", base="USD", quote="JPY", tick="0.001", step="1", margin_init="0.03", margin_maint="0.02")


def _funds(cell: Cell) -> Funds:
    return cell.kernel.funds["SIM"]


def _send_list(cell: Cell, orders: tuple[lr.Order, ...]) -> None:
    cell._hand.submit_order_list(orders)  # noqa: SLF001 - the test's own hand
    cell._settle()  # noqa: SLF001


# ---------------------------------------------------------------------- margin


@pytest.mark.parametrize(
    ("settings", "locked", "maintenance"),
    [
        ({}, 300_000, 200_000),
        ({"leverage": "10"}, 30_000, 20_000),
        ({"leverage": "10", "leverages": {"USDJPY.SIM": "30"}}, 10_000, 6_667),
        ({"leverage": "10", "leverages": {"EURJPY.SIM": "30"}}, 30_000, 20_000),
        ({"leverage": "10", "leverages": {"USDJPY.SIM": "30"}, "margin_model": "standard"}, 300_000, 200_000),
    ],
)
def test_leverage_is_the_instruments_own_else_the_accounts(
    settings: dict[str, Any], locked: int, maintenance: int
) -> None:
    cell = Cell(YEN, base_currency="USD", balances=["1_000_000 USD"], **settings)
    cell.quote("USDJPY.SIM", "90.002", "90.005")
    cell.submit(cell.orders.market("USDJPY.SIM", "BUY", "100_000"))

    assert _funds(cell).locked() == {"USD": locked}
    assert _funds(cell).maintenance() == {"USD": maintenance}


def test_margin_in_another_currency_is_converted_before_it_is_rounded() -> None:
    made = lr.pair("USDJPY.SIM", base="USD", quote="JPY", tick="0.001", step="1", margin_init="0.005")
    cell = Cell(made, base_currency="USD", balances=["1_000 USD"])
    cell.quote("USDJPY.SIM", "90.002", "90.005")
    cell.submit(cell.orders.market("USDJPY.SIM", "BUY", "3"))

    # 1.35 JPY is 0.015 USD, to the even cent 0.02; by way of 1 JPY it would be 0.01.
    assert _funds(cell).locked() == {"USD": 2}


def test_an_inverse_contract_is_margined_in_its_base_currency() -> None:
    made = lr.perpetual(
        "XBTUSD.SIM",
        base="BTC",
        quote="USD",
        tick="0.5",
        step="1",
        inverse=True,
        margin_init="0.1",
        margin_maint="0.05",
    )
    cell = Cell(made, balances=["1 BTC"])
    cell.quote("XBTUSD.SIM", "50000", "50000")
    cell.submit(cell.orders.market("XBTUSD.SIM", "SELL", "30_000"))
    cell.submit(cell.orders.limit("XBTUSD.SIM", "SELL", "30_000", "60000"))

    # 30,000 / 50,000 + 30,000 / 60,000 = 1.1 BTC
    assert _funds(cell).locked() == {"BTC": 11_000_000}
    assert _funds(cell).maintenance() == {"BTC": 3_000_000}
    assert _funds(cell).equity("BTC") == 100_000_000
    assert cell.submit(cell.orders.market("XBTUSD.SIM", "SELL", "450_000")).code == "INSUFFICIENT_MARGIN"


def test_what_only_reduces_and_children_that_wait_lock_no_margin() -> None:
    cell = Cell(lr.equity("ACME.SIM", quote="USD", margin_init="1"))
    cell.quote("ACME.SIM", "10.00", "10.00")
    cell.submit(cell.orders.market("ACME.SIM", "BUY", "10"))
    cell.submit(cell.orders.limit("ACME.SIM", "SELL", "10", "11.00", reduce_only=True))
    parent = cell.orders.limit("ACME.SIM", "BUY", "10", "9.00")
    _send_list(cell, cell.orders.one_triggers_others(parent, cell.orders.limit("ACME.SIM", "BUY", "99", "8.00")))

    assert _funds(cell).locked() == {"USD": 19_000}

    cell.quote("ACME.SIM", "8.50", "8.50")
    assert parent.status is OrderStatus.FILLED
    assert _funds(cell).locked() == {"USD": 20 * 850 + 10 * 800}  # the child is as large as the fill


def test_a_venue_that_knows_no_links_holds_no_child_so_it_counts() -> None:
    cell = Cell(
        lr.equity("ACME.SIM", quote="USD", margin_init="1"), balances=["100 USD"], support_contingent_orders=False
    )
    cell.quote("ACME.SIM", "10.00", "10.00")
    parent = cell.orders.limit("ACME.SIM", "BUY", "6", "9.00")
    child = cell.orders.limit("ACME.SIM", "BUY", "6", "9.00")

    _send_list(cell, cell.orders.one_triggers_others(parent, child))

    assert (parent.code, child.code) == ("LIST_DENIED", "INSUFFICIENT_MARGIN")


def test_a_currency_without_a_rate_is_margined_in_itself() -> None:
    cell = Cell(lr.equity("LON.SIM", quote="GBP", margin_init="1"), base_currency="USD", balances=["1_000_000 USD"])
    cell.quote("LON.SIM", "10.00", "10.00")

    assert cell.submit(cell.orders.market("LON.SIM", "BUY", "1")).code == "INSUFFICIENT_MARGIN"
    assert _funds(cell).equity("GBP") == 0


def test_an_amount_of_quote_currency_is_its_own_notional() -> None:
    future = lr.future("ES.SIM", quote="USD", tick="0.25", multiplier="50", margin_init="1")
    cell = Cell(future, balances=["100_000 USD"])
    cell.quote("ES.SIM", "100.00", "100.00")

    def code(amount: str) -> str:
        return cell.submit(cell.orders.order("ES.SIM", "BUY", amount, quote_quantity=True, price="50.00")).code

    assert code("100_000.01") == "INSUFFICIENT_MARGIN"
    assert code("100_000") == ""


# ---------------------------------------------------------------------- cash


def _cash(**settings: Any) -> Cell:  # noqa: ANN401 - of the venue
    cell = Cell(BTC, account="cash", **{"balances": ["1000 USDT", "1 BTC"], **settings})
    cell.quote("BTCUSDT.SIM", "40000.00", "40000.00")
    return cell


@pytest.mark.parametrize(
    ("side", "amount", "code"),
    [
        ("BUY", "999.50", ""),  # with 0.49975 of fee, rounded up: exactly 1,000.00
        ("BUY", "999.51", "INSUFFICIENT_BALANCE"),
        ("SELL", "40_039.99", ""),  # floored to 1.000 BTC
        ("SELL", "40_040.00", "INSUFFICIENT_BALANCE"),
    ],
)
def test_an_amount_of_quote_currency_is_paid_with_its_fee(side: str, amount: str, code: str) -> None:
    cell = _cash()
    order = cell.orders.order("BTCUSDT.SIM", side, amount, quote_quantity=True)

    assert cell.submit(order).code == code


def test_a_sell_of_a_pair_locks_what_it_would_deliver() -> None:
    cell = _cash()
    cell.submit(cell.orders.limit("BTCUSDT.SIM", "SELL", "0.4", "50000"))

    assert _funds(cell).locked() == {"BTC": 40_000_000}
    assert cell.submit(cell.orders.market("BTCUSDT.SIM", "SELL", "0.601")).code == "INSUFFICIENT_BALANCE"
    assert cell.submit(cell.orders.market("BTCUSDT.SIM", "SELL", "0.6")).status is OrderStatus.FILLED


def test_a_fee_that_is_not_in_quote_currency_is_not_held_back() -> None:
    cell = _cash(fees=lr.MakerTaker("0.1", "0.1", currency="base"), balances=["400 USDT"])

    cell.submit(cell.orders.limit("BTCUSDT.SIM", "BUY", "0.01", "30000"))

    assert _funds(cell).locked() == {"USDT": 30_000}


def test_a_base_currency_pays_for_what_is_quoted_in_another() -> None:
    pound, rate = (
        lr.equity("LON.SIM", quote="GBP"),
        lr.pair("GBPUSD.SIM", base="GBP", quote="USD", tick="0.01", step="1"),
    )
    cell = Cell(pound, rate, account="cash", base_currency="USD", balances=["1_000 USD"])
    cell.quote("GBPUSD.SIM", "1.25", "1.25")
    cell.quote("LON.SIM", "10.00", "10.00")

    cell.submit(cell.orders.limit("LON.SIM", "BUY", "30", "9.99"))

    assert _funds(cell).locked() == {"USD": 37_463}  # 299.70 GBP x 1.25 = 374.625, rounded up
    assert cell.submit(cell.orders.limit("LON.SIM", "BUY", "51", "9.99")).code == "INSUFFICIENT_BALANCE"
    assert cell.submit(cell.orders.limit("LON.SIM", "BUY", "50", "9.99")).status is OrderStatus.ACCEPTED


def test_leverage_is_asked_for_by_instrument() -> None:
    cell = Cell(YEN, leverage="10", leverages={"USDJPY.SIM": "2.5"}, balances=["1 USD"])

    assert _funds(cell).leverage_of("USDJPY.SIM") == Rate(25, 10)
    assert _funds(cell).leverage_of("EURJPY.SIM") == Rate(10, 1)
