"""The price of a contract's end, told by the profit that it made alone."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

import libra_ray as lr
from libra_ray.model.contract_terms import ContractTerms

FUTURE = lr.future("ES.SIM", quote="USD", tick="0.25", step="1", multiplier="50")
SHARE = lr.pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step="0.01")
INVERSE = lr.perpetual("XBTUSD.SIM", base="BTC", quote="USD", tick="0.5", step="1", inverse=True)


@given(
    st.sampled_from([FUTURE, SHARE, INVERSE]),
    st.sampled_from([1, -1]),
    st.integers(1, 10**6),
    st.integers(1, 10**7),
    st.fractions(min_value=1, max_value=10**7, max_denominator=1_000),
)
def test_it_makes_that_profit(made: lr.Instrument, sign: int, size: int, entry: int, px: Fraction) -> None:
    terms = ContractTerms.of(made)
    open_value = terms.value(entry, size)
    _, profit = terms.at_the_end(sign, size, open_value, px)

    found = terms.px_of_profit(sign, size, open_value, profit)

    assert terms.at_the_end(sign, size, open_value, found)[1] == profit
