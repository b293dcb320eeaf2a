"""Windows do not drift: only what is inside a window can move its value."""

from fractions import Fraction
from math import fsum, inf, nan, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.strategy.indicators import BollingerBands, DonchianChannel, Ema, Macd, Rsi, Sma, Vwap, Wma

EPSILON = float(np.finfo(np.float64).eps)


def large_and_small(rows: int) -> list[float]:
    """Magnitudes from 1e-3 to 1e12 in stretches, so that large values enter and leave windows of small ones."""
    generator = np.random.default_rng(7)
    magnitudes = np.repeat(10.0 ** generator.integers(-3, 13, rows // 50), 50)
    return [float(value) for value in magnitudes * generator.uniform(0.5, 1.5, rows)]


@pytest.mark.parametrize("period", [3, 20, 127])
def test_after_a_hundred_thousand_updates_means_are_off_by_rounding_of_one_window_only(period: int) -> None:
    values = large_and_small(100_000)
    sma, bands = Sma(period), BollingerBands(period)

    for place, value in enumerate(values):
        mean, middle = sma.update(value), bands.update(value)
        if mean is None or middle is None or place % 101:
            continue
        window = values[place + 1 - period : place + 1]
        error_max = period * EPSILON * max(window)
        assert abs(mean - fsum(window) / period) <= error_max
        assert abs(middle - fsum(window) / period) <= error_max


def test_small_values_are_whole_again_the_moment_a_huge_one_has_left() -> None:
    sma, wma, bands = Sma(4), Wma(4), BollingerBands(4)
    for value in (1e300, 0.1, 0.2, 0.3, 0.4):
        sma.update(value)
        wma.update(value)
        bands.update(value)

    # A rolling sum would answer 0 here: 1e300 + 0.1 - 1e300.
    assert sma.value == pytest.approx(0.25, rel=1e-15)
    assert wma.value == pytest.approx(0.3, rel=1e-15)
    assert bands.value == pytest.approx(0.25, rel=1e-15)
    assert bands.deviation == pytest.approx(sqrt(0.0125), rel=1e-14)


@given(values=st.lists(st.integers(-(10**6), 10**6), min_size=8, max_size=40), period=st.integers(1, 8))
def test_deviation_keeps_its_digits_at_a_price_a_billion_times_larger(values: list[int], period: int) -> None:
    bands = BollingerBands(period)
    for value in values:
        bands.update(1e9 + value / 1024)  # exact in binary: 1024ths below 2^43

    window = [Fraction(10**9) + Fraction(value, 1024) for value in values[-period:]]
    mean = sum(window) / period
    square = sum((value - mean) ** 2 for value in window) / period
    assert bands.deviation == pytest.approx(sqrt(square), rel=1e-6, abs=1e-6)


@given(price=st.floats(1e-6, 1e9), period=st.integers(1, 30), rows=st.integers(1, 90))
def test_a_constant_price_gives_exactly_that_price_and_bands_of_no_width(price: float, period: int, rows: int) -> None:
    sma, ema, wma, bands, vwap = Sma(period), Ema(period), Wma(period), BollingerBands(period), Vwap()

    answers: set[float | None] = set()
    for _ in range(rows):
        answers |= {
            sma.update(price),
            ema.update(price),
            wma.update(price),
            bands.update(price),
            vwap.update(price, 0.3),
        }

    assert answers <= {price, None}
    if rows >= period:
        assert (sma.value, ema.value, wma.value) == (price, price, price)
        assert (bands.lower, bands.value, bands.upper, bands.deviation) == (price, price, price, 0.0)


def test_a_market_that_never_moves_is_neither_strong_nor_weak() -> None:
    rsi, macd = Rsi(3), Macd(2, 4, 2)

    for _ in range(10):
        rsi.update(0.1)
        macd.update(0.1)

    assert rsi.value == 50.0
    assert (macd.value, macd.signal, macd.histogram) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("kind", [Sma, Wma, BollingerBands])
@pytest.mark.parametrize("bad", [nan, inf])
@pytest.mark.parametrize("before", range(6))
def test_a_value_that_is_no_number_is_gone_when_it_leaves_the_window(
    kind: type[Sma | Wma | BollingerBands], bad: float, before: int
) -> None:
    stained, clean = kind(3), kind(3)
    for value in [*range(before), bad, 4.0, 5.0]:
        stained.update(value)
    for value in [*range(before), 3.0, 4.0, 5.0]:
        clean.update(value)

    assert stained.value is None or not abs(stained.value) < inf
    assert stained.update(6.0) == clean.update(6.0)


@given(bars=st.lists(st.tuples(st.floats(0.0, 9.0), st.floats(0.0, 9.0)), min_size=1), period=st.integers(1, 9))
def test_a_channel_is_the_extremes_of_its_window_exactly(bars: list[tuple[float, float]], period: int) -> None:
    channel = DonchianChannel(period)
    for bar in bars:
        channel.update(max(bar), min(bar))

    window = bars[-period:]
    expected = (max(map(max, window)), min(map(min, window))) if len(bars) >= period else (None, None)
    assert (channel.upper, channel.lower) == expected
