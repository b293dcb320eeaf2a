"""Synthetic data: one seed, one digest."""

from typing import Any

import numpy as np
import pytest

from libra_ray.data.synthetic import synth
from libra_ray.errors import ConfigError
from libra_ray.model.instruments import pair

EURUSD = pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00005", step=1000)
HOUR_NS = 3_600 * 10**9


def columns(kind: str, **options: Any) -> dict[str, np.ndarray[Any, np.dtype[np.int64]]]:  # noqa: ANN401  # as synth
    stream = synth(kind, EURUSD, **{"rows": 20_000, "price": "1.1", **options}).streams[0]
    return {name: np.asarray(stream.raw(name)) for name in stream.schema.names}


@pytest.mark.parametrize(
    ("kind", "period", "digest"),
    [
        ("bars", "1h", "f3edf3cfad64a9c8603b9f08cb67d5d4"),
        ("quotes", "", "9c0077047f3e40a27f3436896abb81f1"),
        ("trades", "", "63030374466fa75e6988f611eecfda7c"),
    ],
)
def test_a_seed_gives_its_digest_for_ever(kind: str, period: str, digest: str) -> None:
    assert synth(kind, EURUSD, rows=1_000, seed=7, price="1.1", period=period).digest == digest


def test_seeds_and_instruments_give_different_data() -> None:
    other = pair("GBPUSD.SIM", base="GBP", quote="USD", tick="0.00005", step=1000)
    digests = {synth("trades", EURUSD, rows=9, seed=seed).digest for seed in range(5)}
    prices = [synth("bars", of, rows=9, period="1h", volatility=0.1).streams[0].raw("close") for of in (EURUSD, other)]

    assert len(digests) == 5
    assert list(prices[0]) != list(prices[1])


def test_bars_are_possible_on_the_grid_and_follow_each_other() -> None:
    made = columns("bars", period="1h", start_ns=HOUR_NS, volatility=0.01)

    assert made["ts_init_ns"].tolist() == [HOUR_NS * (number + 2) for number in range(20_000)]
    assert (made["low"] <= np.minimum(made["open"], made["close"])).all()
    assert (made["high"] >= np.maximum(made["open"], made["close"])).all()
    assert (made["open"][1:] == made["close"][:-1]).all()
    assert made["open"][0] == 110_000
    assert all((made[name] % 5 == 0).all() for name in ("open", "high", "low", "close"))
    assert (made["volume"] % 1000 == 0).all()
    assert made["low"].min() > 0


def test_returns_of_bars_have_the_volatility_asked_for() -> None:
    close = columns("bars", period="1h", rows=200_000, volatility=0.001, price="100")["close"].astype(float)
    returns = close[1:] / close[:-1] - 1

    assert abs(returns.std() - 0.001) < 0.00001
    assert abs(returns.mean()) < 0.00001


def test_quotes_never_cross_and_walk_by_a_tick() -> None:
    made = columns("quotes")

    assert set(np.unique(made["ask_px"] - made["bid_px"]).tolist()) == {5, 10, 15}
    assert set(np.unique(np.diff(made["bid_px"])).tolist()) == {-5, 0, 5}
    assert made["bid_qty"].min() >= 1000


def test_a_walk_that_reaches_zero_turns() -> None:
    assert columns("quotes", price="0.0001")["bid_px"].min() == 5


def test_ticks_come_at_the_mean_distance_and_never_go_back() -> None:
    gaps = np.diff(columns("trades", interval_ns=10**6)["ts_init_ns"])

    assert gaps.min() >= 0
    assert abs(gaps.mean() - 10**6) < 10**4


def test_more_rows_of_a_seed_are_other_rows_but_repeat_exactly() -> None:
    assert synth("quotes", EURUSD, rows=500).digest == synth("quotes", EURUSD, rows=500).digest


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rows": 0}, "CONF002 rows: 0 is not positive. Give at least 1."),
        ({"seed": -1}, "CONF002 seed: -1 is out of range. Give a number from 0 to 2^64 - 1."),
        ({"price": "-1"}, "CONF002 price: '-1' is not a price of EURUSD.SIM. Give a positive multiple of its tick."),
        ({"price": "1.000001"}, "CONF002 price: '1.000001' is not a price of EURUSD.SIM. Give a positive multiple of its tick."),  # noqa: E501
        ({"period": "1h"}, "CONF002 period: quotes have no period. Leave it out."),
        ({"kind": "qoutes"}, "CONF002 kind: 'qoutes' is not made. Did you mean 'quotes'?"),
    ],
)  # fmt: skip
def test_wrong_arguments(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        synth(**{"kind": "quotes", "instrument": EURUSD, "rows": 5, **options})

    assert caught.value.message == message
