"""The real prices of the demo."""

import importlib.util
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from libra_ray.data import sample_prices as module
from libra_ray.data.sample_prices import sample, samples
from libra_ray.errors import ConfigError


def test_five_stocks_have_the_rows_that_the_package_carries() -> None:
    data = sample()

    assert {stream.topic: stream.rows for stream in data} == {
        "data.bars.AAPL.XNAS-1d": 3270,
        "data.bars.FB.XNAS-1d": 196,
        "data.bars.GOOG.XNAS-1d": 2148,
        "data.bars.IBM.XNYS-1d": 3270,
        "data.bars.MSFT.XNAS-1d": 3270,
    }
    assert tuple(data.instruments) == samples()
    assert data.digest == "4188c78a3fa1f8cf18710d6ad63e006b"


def test_a_bar_is_known_at_the_midnight_after_its_session_with_raw_prices() -> None:
    first = sample("AAPL.XNAS").streams[0].table.to_pylist()[0]

    known_ns = int(datetime(2000, 3, 2, tzinfo=UTC).timestamp()) * 10**9  # the session of 2000-03-01
    assert first["ts_init_ns"] == first["ts_event_ns"] == known_ns
    prices = tuple(str(first[name]) for name in ("open", "high", "low", "close"))
    assert prices == ("118.5600", "132.0600", "118.5000", "130.3100")
    assert first["volume"] == Decimal(9616100)


def test_prices_of_a_hundredth_of_a_cent_are_kept_and_orders_go_by_cents() -> None:
    lows = {row["low"] for row in sample("AAPL.XNAS").streams[0].table.to_pylist()}

    assert Decimal("14.2675") in lows
    assert str(module.sample_instrument("AAPL.XNAS").price_increment) == "0.0100"


def test_every_bar_is_possible() -> None:
    for stream in sample():
        columns = {name: list(stream.raw(name)) for name in ("open", "high", "low", "close", "volume")}
        for opened, high, low, close, volume in zip(*columns.values(), strict=True):
            assert 0 < low <= min(opened, close) <= max(opened, close) <= high
            assert volume > 0


def test_an_unknown_sample_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        sample("APL.XNAS")

    assert caught.value.message == "CONF008 'APL.XNAS' is not a sample. Did you mean 'AAPL.XNAS'?"


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: importlib.util.find_spec(f"{name}_absent"))
    module._stocks.cache_clear()  # noqa: SLF001  # the file may have been read by another test

    with pytest.raises(ConfigError) as caught:
        sample("AAPL.XNAS")

    assert caught.value.message == (
        "CONF008 the samples need the package bokeh_sampledata, which is not installed. "
        "Install it: pip install libra-ray[demo]"
    )
