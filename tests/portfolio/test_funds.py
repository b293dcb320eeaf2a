"""What an account holds back, against the same rule in fractions."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import libra_ray as lr
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
    assert cell.kernel.funds["SIM"].locked().get("USD", 0) == expected  # type: ignore[attr-defined]


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

    assert cell.kernel.funds["SIM"].locked().get("USD", 0) == locked  # type: ignore[attr-defined]
