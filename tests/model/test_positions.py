"""Positions against exact fractions: partial closes add up to the whole, to the unit."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

import libra_ray as lr
from libra_ray.model.contract_terms import ContractTerms
from libra_ray.model.numbers import decimal_text
from libra_ray.model.positions import Position
from libra_ray.model.rules.fixed_point import div_half_even

LINEAR = lr.future("ES.CME", quote="USD", tick="0.25", step=1, multiplier="50")
INVERSE = lr.perpetual("XBTUSD.SIM", base="BTC", quote="USD", inverse=True, tick="0.5", step=1)


def _opened(instrument: lr.Instrument, quantity: int, px: int) -> Position:
    return Position.opened("P-1", "S-1", ContractTerms.of(instrument), "O-1", 0, quantity, px)


@given(st.integers(), st.integers(1, 10**12))
def test_half_even_is_the_rounding_of_fractions(numerator: int, denominator: int) -> None:
    assert div_half_even(numerator, denominator) == round(Fraction(numerator, denominator))


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(1, 10**6)), min_size=1, max_size=12), st.data())
def test_linear_closes_add_up_to_sales_minus_purchases(entries: list[tuple[int, int]], data: st.DataObject) -> None:
    position = _opened(LINEAR, *entries[0])
    for quantity, px in entries[1:]:
        position.add(quantity, px)
    bought = sum(quantity * px for quantity, px in entries)
    sold, pnl, closes = 0, 0, 0
    while position.quantity_raw:
        quantity = data.draw(st.integers(1, position.quantity_raw))
        px = data.draw(st.integers(1, 10**6))
        pnl += position.reduce(quantity, px)
        sold, closes = sold + quantity * px, closes + 1

    assert position.open_value == 0
    # Prices have two decimals and so has the dollar: every close is exact but for the half-even share it releases.
    assert abs(pnl - (sold - bought) * 50) <= closes * 50
    assert position.realized_raw == pnl


def test_one_close_of_the_whole_is_exact() -> None:
    position = _opened(LINEAR, -3, 400_025)
    position.add(-1, 400_100)

    assert position.reduce(4, 399_900) == (3 * 400_025 + 400_100 - 4 * 399_900) * 50


def test_an_inverse_long_earns_in_base_currency() -> None:
    position = _opened(INVERSE, 1_000, 100_000)

    assert decimal_text(position.reduce(1_000, 125_000), 8) == "0.02000000"
