"""Which bars: names, texts and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.data.aggregation import Aggregation, BarSpec
from libra_ray.errors import ConfigError, DataError

DAY_NS = 86_400 * 10**9
STEPS = {
    "NANOSECOND": 500,
    "MICROSECOND": 20,
    "MILLISECOND": 250,
    "SECOND": 2,
    "MINUTE": 15,
    "HOUR": 4,
    "DAY": 1,
    "WEEK": 1,
    "MONTH": 3,
}


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (BarSpec("ACME.SIM", "SECOND", 2, "BID"), "ACME.SIM-2s-BID"),
        (BarSpec("ACME.SIM", "MONTH", 3, "MID"), "ACME.SIM-3mo-MID"),
        (BarSpec("ACME.SIM", "MILLISECOND", 250, "ASK"), "ACME.SIM-250ms-ASK"),
        (BarSpec("ACME.SIM", "VOLUME", "10.0", "LAST"), "ACME.SIM-10-VOLUME-LAST"),
        (BarSpec("BTC-USDT.SIM", "VOLUME", "0.50", "LAST"), "BTC-USDT.SIM-0.5-VOLUME-LAST"),
        (BarSpec("ACME.SIM", "VALUE", "1_000_000", "LAST"), "ACME.SIM-1000000-VALUE-LAST"),
        (BarSpec("BRK.B-2.SIM", "TICK", 100, "LAST"), "BRK.B-2.SIM-100-TICK-LAST"),
        (BarSpec("ACME.SIM", "HOUR", 1, "5m"), "ACME.SIM-1h-5m"),
        (BarSpec("ACME.SIM", "DAY", 1, "0.5-VOLUME-LAST"), "ACME.SIM-1d-0.5-VOLUME-LAST"),
    ],
)
def test_a_spec_and_its_text_are_the_same(spec: BarSpec, text: str) -> None:
    assert str(spec) == text
    assert BarSpec.parse(text) == spec
    assert spec.topic == f"data.bars.{text}"


@given(
    instrument=st.sampled_from(["ACME.SIM", "BTC-USDT.SIM", "A.1s-B.SIM", "10-TICK.SIM"]),
    aggregation=st.sampled_from(list(Aggregation)),
    step=st.integers(1, 10**9),
    source=st.sampled_from(["LAST", "1m", "2s-BID", "0.25-VALUE-LAST", "10-TICK-5m-LAST"]),
)
def test_every_text_leads_back(instrument: str, aggregation: Aggregation, step: int, source: str) -> None:
    of_trades = aggregation in (Aggregation.IMBALANCE, Aggregation.RUNS)
    spec = BarSpec(instrument, aggregation, STEPS.get(aggregation, step), "LAST" if of_trades else source)

    assert BarSpec.parse(str(spec)) == spec


def test_a_name_of_its_own_stands_for_the_period() -> None:
    spec = BarSpec("ACME.SIM", "VOLUME", 10, "LAST", name="v")

    assert (str(spec), spec.topic) == ("ACME.SIM-v", "data.bars.ACME.SIM-v")


def test_small_letters_mean_the_same() -> None:
    assert BarSpec("ACME.SIM", "tick", 5, "last") == BarSpec("ACME.SIM", Aggregation.TICK, "5", "LAST")


def test_rows_come_from_quotes_trades_or_smaller_bars() -> None:
    sources = [BarSpec("ACME.SIM", "HOUR", 1, source).source_topic for source in ("BID", "LAST", "5m-LAST")]

    assert sources == ["data.quotes.SIM.ACME", "data.trades.SIM.ACME", "data.bars.ACME.SIM-5m-LAST"]


@pytest.mark.parametrize(
    ("aggregation", "step", "source", "what"),
    [
        ("SECONDS", 1, "BID", "CONF002 bars: 'SECONDS' is no aggregation. Did you mean 'SECOND'?"),
        ("SECOND", 7, "BID", "CONF002 bars: 7 seconds do not divide a day."),
        ("MONTH", 5, "LAST", "CONF002 bars: 5 months do not divide a year."),
        ("TICK", 0, "LAST", "CONF002 bars: step '0' is not positive."),
        ("VOLUME", "-0.5", "LAST", "CONF002 bars: step '-0.5' is not positive."),
        ("TICK", "1.5", "LAST", "CONF002 bars: step '1.5' of TICK is not whole."),
        ("VOLUME", "ten", "LAST", "CONF002"),
        ("RUNS", 5, "BID", "CONF002 bars: RUNS needs to know who traded, and 'BID' does not."),
        ("IMBALANCE", 5, "1m", "CONF002 bars: IMBALANCE needs to know who traded, and '1m' does not."),
        ("MINUTE", 1, "a b", "CONF002 bars: 'a b' is no source of bars."),
    ],
)
def test_what_makes_no_bars_is_refused(aggregation: str, step: str | int, source: str, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        BarSpec("ACME.SIM", aggregation, step, source)

    assert caught.value.message.startswith(what)


def test_windows_are_asked_of_time_alone_and_shifted_by_less_than_one() -> None:
    with pytest.raises(ConfigError, match="TICK has no windows of time"):
        BarSpec("ACME.SIM", "TICK", 5, "LAST", offset_ns=1)
    with pytest.raises(ConfigError, match="is not less than one window"):
        BarSpec("ACME.SIM", "DAY", 1, "LAST", offset_ns=-DAY_NS)


@pytest.mark.parametrize("text", ["ACME.SIM", "ACME.SIM-2s", "ACME.SIM-2x-BID", "ACME.SIM-2-s-BID", "1m-LAST", ""])
def test_a_text_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="CONF002"):
        BarSpec.parse(text)


def test_an_instrument_without_a_venue_is_refused() -> None:
    with pytest.raises(DataError, match="DATA012"):
        BarSpec("ACME", "TICK", 5, "LAST")
