"""Exchange rates: mid of the pair or its inverse, else the shortest chain, ties by the alphabet."""

from fractions import Fraction

import pytest

import libra_ray as lr
from libra_ray.messages.schemas import Quote, RowSpec
from libra_ray.model.numbers import currency
from libra_ray.portfolio.market_rows import Cursor, MarketRows
from libra_ray.portfolio.rates import ExchangeRates

OVER_GBP = {"EURGBP": (80, 80), "GBPUSD": (200, 200)}


def rates(quotes: dict[str, tuple[int, int] | None]) -> ExchangeRates:
    """From `{"EURUSD": (bid, ask)}` in hundredths; None is a pair without a price."""
    rows, instruments = MarketRows(), {}
    for name, top in quotes.items():
        made = lr.pair(f"{name}.SIM", base=name[:3], quote=name[3:], tick="0.01", step="1")
        instruments[made.id] = made
        if top is not None:
            cursor: Cursor[Quote] = Cursor()
            cursor.row = Quote(RowSpec.of(made), 0, 0, top[0], top[1], 1, 1)
            rows.of(made.id).quotes = cursor
    return ExchangeRates(instruments, rows)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("quotes", "source", "target", "rate"),
    [
        ({"EURUSD": (110, 111)}, "EUR", "USD", Fraction(221, 200)),
        ({"EURUSD": (110, 111)}, "USD", "EUR", Fraction(200, 221)),
        ({"EURUSD": (110, 110), "USDEUR": (50, 50)}, "EUR", "USD", Fraction(11, 10)),
        ({"EURGBP": (80, 80), "GBPUSD": (125, 125)}, "EUR", "USD", Fraction(1)),
        # two chains of two: over AUD before over GBP, whatever the order of loading
        ({**OVER_GBP, "EURAUD": (150, 150), "AUDUSD": (70, 70)}, "EUR", "USD", Fraction(21, 20)),
        # the direct pair has no price: a longer chain serves
        ({"EURUSD": None, **OVER_GBP}, "EUR", "USD", Fraction(8, 5)),
        # shorter wins over alphabetical
        ({"EURAUD": (100, 100), "AUDCAD": (100, 100), "CADUSD": (100, 100), **OVER_GBP}, "EUR", "USD", Fraction(8, 5)),
        ({"EURUSD": (110, 110)}, "USD", "USD", Fraction(1)),
        ({"EURUSD": (110, 110)}, "GBP", "USD", None),
        ({}, "EUR", "USD", None),
    ],
)  # fmt: skip
def test_the_rate_is(
    quotes: dict[str, tuple[int, int] | None], source: str, target: str, rate: Fraction | None
) -> None:
    found = rates(quotes).rate(source, target)

    assert (None if found is None else Fraction(*found)) == rate


def test_a_conversion_is_rounded_half_even_once() -> None:
    known = rates({"USDJPY": (150, 150), "EURUSD": (110, 110)})

    assert known.convert(100, currency("USD"), currency("JPY")) == 2  # 1.50 JPY
    assert known.convert(300, currency("USD"), currency("JPY")) == 4  # 4.50 JPY
    assert known.convert(100, currency("EUR"), currency("JPY")) == 2  # 1.65 JPY, not by way of 1.10 USD
