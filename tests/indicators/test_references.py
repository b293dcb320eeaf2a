"""Every indicator against independent implementations, TA-Lib and talipp, on one random walk of 600 bars."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import pytest
import talib
from talipp import indicators as talipp
from talipp.ohlcv import OHLCV

from libra_ray.strategy.indicators import Atr, BollingerBands, DonchianChannel, Ema, Macd, Rsi, Sma, Vwap, Wma
from libra_ray.strategy.indicators.indicator import Floats


class Candles(NamedTuple):
    """Columns of equal length; each bar encloses its close."""

    high: Floats
    low: Floats
    close: Floats
    volume: Floats


def candles(rows: int = 600) -> Candles:
    """Bars near 100, in cents."""
    generator = np.random.default_rng(20240808)
    close = np.round(100.0 * np.exp(np.cumsum(generator.normal(0.0, 0.01, rows))), 2)
    high = close + np.round(generator.uniform(0.0, 1.0, rows), 2)
    low = close - np.round(generator.uniform(0.0, 1.0, rows), 2)
    return Candles(high, low, close, generator.integers(1, 1_000, rows).astype(np.float64))


BARS = candles()
OHLCVS = [OHLCV(c, h, low, c, v) for h, low, c, v in zip(*BARS, strict=True)]
CLOSES = BARS.close.tolist()
OneColumn = Sma | Ema | Wma | Rsi


def column(values: Iterable[float | None]) -> Floats:
    """NaN for None."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def assert_same(actual: Floats, expected: Floats, *, empty: int) -> None:
    """Equal to 1e-9 relative, with exactly `empty` missing values in front on both sides."""
    assert np.flatnonzero(~np.isnan(actual))[0] == empty
    assert np.flatnonzero(~np.isnan(expected))[0] == empty
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=0.0, equal_nan=True)


@pytest.mark.parametrize("period", [2, 3, 14, 55])
@pytest.mark.parametrize(
    ("ours", "theirs", "empty"),
    [
        pytest.param(Sma, talib.SMA, -1, id="SMA"),
        pytest.param(Ema, talib.EMA, -1, id="EMA"),
        pytest.param(Wma, talib.WMA, -1, id="WMA"),
        pytest.param(Rsi, talib.RSI, 0, id="RSI"),
    ],
)
def test_one_column_indicators_equal_ta_lib_from_the_first_value(
    ours: type[OneColumn], theirs: Callable[[Floats, int], Floats], empty: int, period: int
) -> None:
    indicator = ours(period)

    actual = column(indicator.update(close) for close in CLOSES)

    assert_same(actual, theirs(BARS.close, period), empty=period + empty)


@pytest.mark.parametrize("period", [2, 3, 14, 55])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        pytest.param(Sma, talipp.SMA, id="SMA"),
        pytest.param(Ema, talipp.EMA, id="EMA"),
        pytest.param(Wma, talipp.WMA, id="WMA"),
    ],
)
def test_moving_averages_equal_talipp_from_the_first_value(
    ours: type[Sma | Ema | Wma], theirs: Callable[[int, list[float]], Iterable[float | None]], period: int
) -> None:
    indicator = ours(period)

    actual = column(indicator.update(close) for close in CLOSES)

    assert_same(actual, column(theirs(period, CLOSES)), empty=period - 1)


@pytest.mark.parametrize(("period", "multiplier"), [(5, 1.5), (20, 2.0), (55, 2.5)])
def test_bollinger_bands_equal_ta_lib_and_talipp(period: int, multiplier: float) -> None:
    bands = BollingerBands(period, multiplier)

    rows = [(bands.update(close), bands.upper, bands.lower) for close in CLOSES]

    ours = [column(line) for line in zip(*rows, strict=True)]
    upper, middle, lower = talib.BBANDS(BARS.close, period, multiplier, multiplier)
    theirs = [value for value in talipp.BB(period, multiplier, CLOSES) if value is not None]
    for actual, expected in zip(ours, (middle, upper, lower), strict=True):
        assert_same(actual, expected, empty=period - 1)
    for actual, name in zip(ours, ("cb", "ub", "lb"), strict=True):
        np.testing.assert_allclose(actual[period - 1 :], [getattr(value, name) for value in theirs], rtol=1e-9)


@pytest.mark.parametrize("period", [2, 20, 55])
def test_donchian_channels_equal_ta_lib_and_talipp_exactly(period: int) -> None:
    channel = DonchianChannel(period)

    rows = [(channel.update(high, low), channel.upper, channel.lower) for high, low, _, _ in zip(*BARS, strict=True)]

    middle, upper, lower = (column(line) for line in zip(*rows, strict=True))
    np.testing.assert_array_equal(upper, talib.MAX(BARS.high, period))
    np.testing.assert_array_equal(lower, talib.MIN(BARS.low, period))
    theirs = [value for value in talipp.DonchianChannels(period, OHLCVS) if value is not None]
    assert middle[period - 1 :].tolist() == [value.cb for value in theirs]
    assert len(theirs) == 600 - (period - 1)


@pytest.mark.parametrize("period", [2, 14, 55])
def test_average_true_range_equals_ta_lib_from_the_first_value(period: int) -> None:
    atr = Atr(period)

    actual = column(atr.update(high, low, close) for high, low, close, _ in zip(*BARS, strict=True))

    assert_same(actual, talib.ATR(BARS.high, BARS.low, BARS.close, period), empty=period)


@pytest.mark.parametrize(("fast", "slow", "signal"), [(12, 26, 9), (2, 3, 1), (5, 35, 5)])
def test_macd_equals_ta_lib_from_the_first_value(fast: int, slow: int, signal: int) -> None:
    macd = Macd(fast, slow, signal)

    rows = [(macd.update(close), macd.signal, macd.histogram) for close in CLOSES]

    lines = [column(line) for line in zip(*rows, strict=True)]
    for actual, expected in zip(lines, talib.MACD(BARS.close, fast, slow, signal), strict=True):
        assert np.flatnonzero(~np.isnan(actual))[0] == slow + signal - 2
        # The lines cross zero, so their error is measured against the price they are differences of.
        np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-9 * 1e-3, equal_nan=True)


def test_wilder_and_macd_meet_talipp_once_its_other_seeds_have_decayed() -> None:
    rsi, atr, macd = Rsi(7), Atr(7), Macd(6, 13, 5)

    for high, low, close, _ in zip(*BARS, strict=True):
        rsi.update(close)
        atr.update(high, low, close)
        macd.update(close)

    theirs = talipp.MACD(6, 13, 5, CLOSES)[-1]
    assert rsi.value == pytest.approx(talipp.RSI(7, CLOSES)[-1], rel=1e-9)
    assert atr.value == pytest.approx(talipp.ATR(7, OHLCVS)[-1], rel=1e-9)
    assert macd.value == pytest.approx(theirs.macd, rel=1e-9)
    assert macd.signal == pytest.approx(theirs.signal, rel=1e-9)
    assert macd.histogram == pytest.approx(theirs.histogram, rel=1e-9)


def test_vwap_of_typical_prices_equals_talipp_from_the_first_bar() -> None:
    vwap = Vwap()
    typical = (BARS.high + BARS.low + BARS.close) / 3.0

    actual = column(vwap.update(price, volume) for price, volume in zip(typical, BARS.volume, strict=True))

    assert_same(actual, column(talipp.VWAP(OHLCVS)), empty=0)
