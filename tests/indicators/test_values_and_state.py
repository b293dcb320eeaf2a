"""Values worked out by hand, and what the constructor, `count`, `reset` and copies promise."""

import pickle
from collections.abc import Callable

import pytest

from libra_ray.strategy.indicators import (
    Atr,
    BollingerBands,
    DonchianChannel,
    Ema,
    Indicator,
    Macd,
    Rsi,
    Sma,
    Vwap,
    Wma,
)

Feed = Callable[[float], float | None]


def every_indicator() -> list[tuple[Indicator, Feed]]:
    """Each indicator with a function that feeds it one price."""
    sma, ema, wma, rsi, macd, bands = Sma(4), Ema(4), Wma(4), Rsi(4), Macd(2, 4, 3), BollingerBands(4)
    atr, channel, vwap = Atr(4), DonchianChannel(4), Vwap()
    return [
        (sma, sma.update),
        (ema, ema.update),
        (wma, wma.update),
        (rsi, rsi.update),
        (macd, macd.update),
        (bands, bands.update),
        (atr, lambda price: atr.update(price + 1, price - 1, price)),
        (channel, lambda price: channel.update(price + 1, price - 1)),
        (vwap, lambda price: vwap.update(price, 2.0)),
    ]


def test_simple_average_of_three() -> None:
    sma = Sma(3)

    assert [sma.update(x) for x in (1.0, 2.0, 6.0, 7.0, 11.0)] == [None, None, 3.0, 5.0, 8.0]


def test_exponential_average_of_three_starts_from_the_plain_mean() -> None:
    ema = Ema(3)

    assert [ema.update(x) for x in (1.0, 2.0, 6.0, 7.0, 11.0)] == [None, None, 3.0, 5.0, 8.0]
    assert ema.update(0.0) == 4.0


def test_weighted_average_of_three_counts_the_newest_three_times() -> None:
    wma = Wma(3)

    assert [wma.update(x) for x in (1.0, 4.0, 7.0)] == [None, None, 5.0]
    assert wma.update(1.0) == pytest.approx((4 + 2 * 7 + 3 * 1) / 6, rel=1e-15)
    assert wma.update(1.0) == pytest.approx((7 + 2 * 1 + 3 * 1) / 6, rel=1e-15)


def test_bollinger_bands_divide_by_the_whole_period() -> None:
    bands = BollingerBands(4, 2.0)

    for x in (2.0, 4.0, 4.0, 6.0):
        bands.update(x)

    assert (bands.value, bands.deviation) == (4.0, 2.0**0.5)
    assert (bands.lower, bands.upper) == (4.0 - 2.0 * 2.0**0.5, 4.0 + 2.0 * 2.0**0.5)


def test_relative_strength_of_two_gains_to_one_loss_is_two_thirds() -> None:
    rsi = Rsi(2)

    assert [rsi.update(x) for x in (10.0, 12.0, 11.0)] == [None, None, 100.0 * 2 / 3]
    assert rsi.update(11.5) == 75.0  # gains (1 + 0.5) / 2, losses (0.5 + 0) / 2


def test_relative_strength_ends_at_0_and_100() -> None:
    rising, falling = Rsi(2), Rsi(2)

    assert [rising.update(x) for x in (1.0, 2.0, 3.0)][-1] == 100.0
    assert [falling.update(x) for x in (3.0, 2.0, 1.0)][-1] == 0.0


def test_true_range_counts_the_gap_from_the_former_close() -> None:
    atr = Atr(2)

    assert atr.update(11.0, 9.0, 10.0) is None
    assert atr.update(15.0, 14.0, 14.0) is None  # up from 10: 5
    assert atr.update(13.0, 11.0, 12.0) == 4.0  # down from 14: 3; mean of 5 and 3
    assert atr.update(13.0, 11.0, 12.0) == 3.0  # 4 + (2 - 4) / 2


def test_channel_forgets_an_extreme_after_its_period() -> None:
    channel = DonchianChannel(2)

    edges = [(channel.update(high, low), channel.lower, channel.upper) for high, low in ((9, 8), (5, 4), (6, 5))]

    assert edges == [(None, None, None), (6.5, 4, 9), (5.0, 4, 6)]


def test_both_averages_of_macd_are_seeded_at_the_slow_period() -> None:
    macd = Macd(1, 3, 2)

    assert [macd.update(x) for x in (1.0, 2.0, 6.0)] == [None, None, None]  # fast 6, slow 3, line 3
    assert macd.update(7.0) == 2.0  # fast 7, slow 5
    assert (macd.signal, macd.histogram) == (2.5, -0.5)


def test_vwap_weights_by_volume_and_skips_empty_bars() -> None:
    vwap = Vwap()

    assert [vwap.update(10.0, 0.0), vwap.update(10.0, 1.0), vwap.update(14.0, 3.0)] == [None, 10.0, 13.0]
    assert vwap.update(99.0, 0.0) == 13.0


def test_vwap_starts_again_with_each_session() -> None:
    vwap = Vwap(session_ns=100, session_start_ns=30)

    answers = [vwap.update(price, 1.0, ts_ns) for ts_ns, price in ((29, 1.0), (30, 5.0), (129, 7.0), (130, 9.0))]

    assert answers == [1.0, 5.0, 6.0, 9.0]
    assert vwap.update(3.0, 0.0, 230) is None


def test_vwap_refuses_a_negative_volume_or_missing_time_and_keeps_its_value() -> None:
    vwap = Vwap(session_ns=100)
    vwap.update(5.0, 1.0, 0)

    with pytest.raises(ValueError, match=r"volume must not be negative, got -1\.0"):
        vwap.update(1.0, -1.0, 200)
    with pytest.raises(ValueError, match="ts_ns is required where sessions are set, got None"):
        vwap.update(1.0, 1.0)
    assert vwap.value == 5.0


@pytest.mark.parametrize("place", range(9))
def test_count_reaches_warmup_with_the_first_value_and_stays(place: int) -> None:
    indicator, feed = every_indicator()[place]

    for fed in range(1, 2 * indicator.warmup + 3):
        answer = feed(float(fed % 5))
        assert indicator.count == min(fed, indicator.warmup)
        assert indicator.initialized == (fed >= indicator.warmup) == (answer is not None)
        assert indicator.value == answer


@pytest.mark.parametrize("place", range(9))
def test_after_a_reset_an_indicator_repeats_its_first_life(place: int) -> None:
    indicator, feed = every_indicator()[place]
    prices = [float(price % 7) for price in range(11)]
    first = [feed(price) for price in prices]

    indicator.reset()

    assert (indicator.value, indicator.count, indicator.initialized) == (None, 0, False)
    assert [feed(price) for price in prices] == first


@pytest.mark.parametrize("kind", [Sma, Ema, Wma, Rsi, BollingerBands])
def test_a_pickled_copy_goes_on_where_the_original_stood(
    kind: type[Sma | Ema | Wma | Rsi | BollingerBands],
) -> None:
    indicator = kind(4)
    for price in range(6):
        indicator.update(price**0.5)

    copy = pickle.loads(pickle.dumps(indicator))  # noqa: S301 - our own bytes

    assert [copy.update(x) for x in (1.0, 9.0, 4.0)] == [indicator.update(x) for x in (1.0, 9.0, 4.0)]


@pytest.mark.parametrize("place", range(9))
def test_an_indicator_has_no_room_for_misspelt_state(place: int) -> None:
    indicator, _ = every_indicator()[place]

    with pytest.raises(AttributeError):
        indicator.valeu = 1.0  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", [Sma, Ema, Wma, Rsi, Atr, BollingerBands, DonchianChannel])
def test_a_period_below_one_or_not_whole_is_refused_with_its_value(kind: Callable[[int], Indicator]) -> None:
    with pytest.raises(ValueError, match="period must be at least 1, got 0"):
        kind(0)
    with pytest.raises(TypeError, match=r"period must be an int, got 2\.0"):
        kind(2.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="period must be an int, got True"):
        kind(True)  # noqa: FBT003 - a wrong value on purpose


def test_other_settings_out_of_range_are_refused_with_their_value() -> None:
    with pytest.raises(ValueError, match=r"multiplier must be a finite number above 0, got 0\.0"):
        BollingerBands(20, 0.0)
    with pytest.raises(ValueError, match="fast=26 must be below slow=26"):
        Macd(26, 26, 9)
    with pytest.raises(ValueError, match="signal must be at least 1, got 0"):
        Macd(12, 26, 0)
    with pytest.raises(ValueError, match="session_ns must be at least 1, got 0"):
        Vwap(session_ns=0)


def test_an_indicator_shows_its_value_and_how_warm_it_is() -> None:
    ema = Ema(3)
    ema.update(1.0)

    assert repr(ema) == "Ema(value=None, count=1 of 3)"
