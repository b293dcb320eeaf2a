"""The batch form of every indicator is its incremental form, bit for bit."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libra_ray.strategy.indicators import Atr, BollingerBands, DonchianChannel, Ema, Macd, Rsi, Sma, Vwap, Wma
from libra_ray.strategy.indicators.indicator import Floats

# From a hundredth of a cent to a trillion, with ties, so that rounding, cancellation and equal values all happen.
PRICES = st.one_of(st.integers(1, 5).map(float), st.floats(1e-4, 1e12))
COLUMNS = st.lists(PRICES, max_size=40)
BARS = st.lists(st.tuples(PRICES, PRICES, PRICES), max_size=40)
PERIODS = st.integers(1, 12)


def same_bits(actual: Floats, expected: Iterable[float | None]) -> bool:
    """Whether both hold the same doubles, NaN standing for None."""
    column = np.array([np.nan if value is None else value for value in expected], dtype=np.float64)
    return bool(actual.tobytes() == column.tobytes())


@settings(max_examples=60)
@given(values=COLUMNS, period=PERIODS)
@pytest.mark.parametrize("kind", [Sma, Ema, Wma, Rsi])
def test_a_batch_of_one_column_has_the_bits_of_its_updates(
    kind: type[Sma | Ema | Wma | Rsi], values: list[float], period: int
) -> None:
    indicator = kind(period)

    assert same_bits(kind(period).batch(values), [indicator.update(value) for value in values])


@settings(max_examples=60)
@given(values=COLUMNS, period=PERIODS, multiplier=st.floats(0.1, 5.0))
def test_a_batch_of_bollinger_bands_has_the_bits_of_its_updates(
    values: list[float], period: int, multiplier: float
) -> None:
    bands = BollingerBands(period, multiplier)
    rows = [(bands.update(value), bands.upper, bands.lower) for value in values]

    series = BollingerBands(period, multiplier).batch(values)

    assert all(same_bits(line, [row[place] for row in rows]) for place, line in enumerate(series))


@settings(max_examples=60)
@given(bars=BARS, period=PERIODS)
def test_batches_over_bars_have_the_bits_of_their_updates(bars: list[tuple[float, float, float]], period: int) -> None:
    highs, lows, closes = ([max(bar) for bar in bars], [min(bar) for bar in bars], [bar[2] for bar in bars])
    atr, channel = Atr(period), DonchianChannel(period)
    rows = [(channel.update(high, low), channel.upper, channel.lower) for high, low in zip(highs, lows, strict=True)]

    series = DonchianChannel(period).batch(highs, lows)

    assert all(same_bits(line, [row[place] for row in rows]) for place, line in enumerate(series))
    ranges = [atr.update(*bar) for bar in zip(highs, lows, closes, strict=True)]
    assert same_bits(Atr(period).batch(highs, lows, closes), ranges)


@settings(max_examples=60)
@given(values=COLUMNS, fast=st.integers(1, 5), further=st.integers(1, 6), signal=st.integers(1, 5))
def test_a_batch_of_macd_has_the_bits_of_its_updates(values: list[float], fast: int, further: int, signal: int) -> None:
    macd = Macd(fast, fast + further, signal)
    rows = [(macd.update(value), macd.signal, macd.histogram) for value in values]

    series = Macd(fast, fast + further, signal).batch(values)

    assert all(same_bits(line, [row[place] for row in rows]) for place, line in enumerate(series))


@settings(max_examples=60)
@given(
    trades=st.lists(st.tuples(st.integers(-50, 50), PRICES, st.one_of(st.just(0.0), PRICES)), max_size=40),
    session_ns=st.one_of(st.none(), st.integers(1, 40)),
    session_start_ns=st.integers(-50, 50),
)
def test_a_batch_of_vwap_has_the_bits_of_its_updates(
    trades: list[tuple[int, float, float]], session_ns: int | None, session_start_ns: int
) -> None:
    trades.sort(key=lambda trade: trade[0])
    vwap = Vwap(session_ns=session_ns, session_start_ns=session_start_ns)
    averages = [vwap.update(price, volume, ts_ns) for ts_ns, price, volume in trades]

    batch = Vwap(session_ns=session_ns, session_start_ns=session_start_ns).batch(
        [price for _, price, _ in trades], [volume for _, _, volume in trades], [ts_ns for ts_ns, _, _ in trades]
    )

    assert same_bits(batch, averages)


def test_a_batch_leaves_the_running_state_alone() -> None:
    ema = Ema(2)
    ema.update(1.0)

    ema.batch([7.0, 8.0, 9.0])

    assert (ema.count, ema.update(2.0)) == (1, 1.5)


def test_columns_of_unequal_length_are_refused_before_the_compiled_loop_reads_past_one() -> None:
    with pytest.raises(ValueError, match=r"columns must have one length, got \[3, 2\]"):
        DonchianChannel(2).batch([1.0, 2.0, 3.0], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"a column has one dimension, got shape \(1, 2\)"):
        Sma(2).batch([[1.0, 2.0]])
    with pytest.raises(ValueError, match="ts_ns has 1 values for 2 prices"):
        Vwap(session_ns=10).batch([1.0, 2.0], [1.0, 1.0], [0])
