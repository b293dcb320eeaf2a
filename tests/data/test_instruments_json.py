"""Instruments as JSON."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.data.instruments_json import instrument_from_json, instrument_to_json
from libra_ray.errors import DataError
from libra_ray.model.instruments import Instrument, equity, future, pair, perpetual

EXAMPLES = [
    pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step=1, min_qty=1000, maker_fee="0.0002"),
    equity("AAPL.XNAS", quote="USD"),
    future("ESZ6.CME", quote="USD", tick="0.25", multiplier=50, expiration_ns=2**60, negative_prices=True),
    perpetual(
        "BTCUSD.SIM",
        base="BTC",
        quote="USD",
        tick="0.1",
        step=1,
        inverse=True,
        multiplier=100,
        raw_symbol="BTC/USD:BTC",
    ),
]


@pytest.mark.parametrize("instrument", EXAMPLES, ids=lambda instrument: instrument.id)
def test_an_instrument_comes_back_from_json_text_as_it_was(instrument: Instrument) -> None:
    assert instrument_from_json(json.loads(json.dumps(instrument_to_json(instrument)))) == instrument


@given(
    price=st.integers(0, 18),
    size=st.integers(0, 9),
    limit=st.integers(1, 10**17),
    fee=st.decimals("-0.1", "0.1", places=8),
)
def test_no_integer_is_rounded_on_the_way(price: int, size: int, limit: int, fee: Decimal) -> None:
    made = pair(
        "A.SIM",
        base="BTC",
        quote="USD",
        tick=_unit(price),
        step=_unit(size),
        max_qty=limit // 10**size or 1,
        taker_fee=fee,
    )

    assert instrument_from_json(json.loads(json.dumps(instrument_to_json(made)))) == made


def _unit(decimals: int) -> str:
    return f"0.{'1'.rjust(decimals, '0')}" if decimals else "1"


def test_other_json_is_refused_with_its_fault() -> None:
    with pytest.raises(
        DataError, match=r"^DATA011 manifest\.json: instrument facts unreadable \(Object missing required field"
    ):
        instrument_from_json({"id": "A.SIM"}, place="manifest.json")
