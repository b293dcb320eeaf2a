"""Position sizes: exact on examples, and never beyond what was asked for."""

import pickle
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import libra_ray as lr
from libra_ray.model.numbers import Money
from libra_ray.strategy.sizing import SizingError, kelly_fraction, size_by_fraction, size_by_risk, size_by_volatility

SHARE = lr.equity("ACME.SIM", quote="USD", min_qty="5", max_qty="1000")
FUTURE = lr.future("ES.SIM", quote="USD", tick="0.25", multiplier="50")
INVERSE = lr.perpetual("BTCUSD.SIM", base="BTC", quote="USD", tick="0.5", step="1", inverse=True)
PAIR = lr.pair("BTCUSDT.SIM", base="BTC", quote="USDT", tick="0.01", step="0.00005")


@pytest.mark.parametrize(
    ("instrument", "equity", "fraction", "entry", "stop", "expected"),
    [
        (SHARE, "10_000", "0.01", "10.00", "9.40", "166"),  # 100 / 0.60 = 166.67
        (SHARE, "10_000", "0.01", "9.40", "10.00", "166"),
        (SHARE, "100", "0.01", "10.00", "9.40", "0"),  # 1 share is below the minimum of 5
        (SHARE, "1_000_000", "0.5", "10.00", "9.40", "1000"),
        (FUTURE, "100_000", "0.02", "5000.00", "4990.00", "4"),  # 2,000 / (10 x 50)
        (INVERSE, "2", "0.01", "50000", "40000", "4000"),  # 0.02 BTC / (1/40,000 - 1/50,000)
        (PAIR, "1000", "0.01", "60000.00", "58800.00", "0.00830"),  # 10 / 1,200 = 0.008333
    ],
)
def test_the_loss_to_the_stop_is_the_fraction(
    instrument: lr.Instrument, equity: str, fraction: str, entry: str, stop: str, expected: str
) -> None:
    assert str(size_by_risk(instrument, equity=equity, fraction=fraction, entry=entry, stop=stop)) == expected


def test_volatility_is_brought_to_the_target() -> None:
    # 100,000 x 10 % / (25 % x 250,000 of a contract)
    assert str(size_by_volatility(FUTURE, equity="1_000_000", target="0.1", volatility="0.25", price="5000")) == "1"
    assert str(size_by_volatility(SHARE, equity="10_000", target="0.2", volatility=0.4, price="12.50")) == "400"
    assert str(size_by_volatility(INVERSE, equity="2", target="0.3", volatility="0.6", price="50000")) == "50000"


def test_a_fraction_of_equity_is_bought() -> None:
    equity = Money.parse("10_000 USD")

    assert str(size_by_fraction(SHARE, equity=equity, fraction=Fraction(1, 3), price="12.50")) == "266"
    assert str(size_by_fraction(SHARE, equity=equity, fraction=0, price="12.50")) == "0"


@pytest.mark.parametrize(
    ("win_rate", "payoff", "cap", "scale", "expected"),
    [
        ("0.6", "1", "1", "1", Fraction(1, 5)),
        ("0.6", "1", "1", "0.5", Fraction(1, 10)),
        ("0.6", "1", "0.05", "1", Fraction(1, 20)),
        ("0.4", "1", "1", "1", Fraction(0)),
        ("1", "3", "1", "1", Fraction(1)),
        ("0.5", "2", "1", "1", Fraction(1, 4)),
    ],
)
def test_kelly_is_capped_and_never_negative(
    win_rate: str, payoff: str, cap: str, scale: str, expected: Fraction
) -> None:
    assert kelly_fraction(win_rate=win_rate, payoff=payoff, cap=cap, scale=scale) == expected


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"equity": "0"}, "STRAT006 equity '0' is not positive. Give a number above 0."),
        ({"fraction": "1.5"}, "STRAT006 fraction '1.5' is out of range. Give a number above 0 and at most 1."),
        ({"stop": "10"}, "STRAT006 stop '10' is the entry price, so nothing is at risk. Move the stop."),
        ({"entry": "-1"}, "STRAT006 entry '-1' is not positive. Give a number above 0."),
        ({"equity": "much"}, "STRAT006 equity 'much' is no finite decimal. Write for example 1000 or 0.25."),
        ({"equity": float("nan")}, "STRAT006 equity 'nan' is no finite decimal. Write for example 1000 or 0.25."),
        ({"equity": True}, "STRAT006 equity 'True' is no number. Write for example 1000 or 0.25."),
    ],
)
def test_nonsense_is_refused_with_the_fix(terms: dict[str, str], message: str) -> None:
    with pytest.raises(SizingError) as raised:
        size_by_risk(SHARE, **{"equity": "100", "fraction": "0.1", "entry": "10", "stop": "9", **terms})

    assert str(raised.value) == message
    assert str(pickle.loads(pickle.dumps(raised.value))) == message  # noqa: S301 - our own bytes


@pytest.mark.parametrize(
    "call",
    [
        lambda: kelly_fraction(win_rate="1.1", payoff="1"),
        lambda: kelly_fraction(win_rate="0.5", payoff="0"),
        lambda: kelly_fraction(win_rate="0.5", payoff="1", cap="0"),
        lambda: size_by_fraction(SHARE, equity="100", fraction="-0.1", price="10"),
        lambda: size_by_volatility(SHARE, equity="100", target="0.1", volatility="0", price="10"),
        lambda: size_by_volatility(SHARE, equity="100", target="0.1", volatility="0.1", price="0"),
    ],
)
def test_every_sizer_refuses_nonsense(call: object) -> None:
    with pytest.raises(SizingError):
        call()  # type: ignore[operator]


@given(
    st.fractions(Fraction(1, 100), 10**7),
    st.fractions(Fraction(1, 1000), 1),
    st.integers(1, 10**6),
    st.integers(1, 10**6),
)
def test_a_size_is_on_the_step_and_one_more_step_would_risk_too_much(
    equity: Fraction, fraction: Fraction, entry: int, stop: int
) -> None:
    if entry == stop:
        return
    size = size_by_risk(PAIR, equity=equity, fraction=fraction, entry=Fraction(entry, 100), stop=Fraction(stop, 100))
    per_unit = abs(Fraction(entry - stop, 100))

    assert size.raw % PAIR.step_raw == 0
    assert (
        Fraction(size.raw, 10**5) * per_unit <= equity * fraction < Fraction(size.raw + PAIR.step_raw, 10**5) * per_unit
    )
