"""Bars put together anew: times stay, returns are the market's own, prices are on the tick."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libra_ray import Dataset, Stream, pair, synth
from libra_ray.data.synthetic.noise import Noise
from libra_ray.errors import ConfigError
from libra_ray.messages.schemas import BARS
from libra_ray.sweeps.bar_bootstrap import block_rows_of, check_resampled, drawn_rows, resampled

COLUMNS = ("open", "high", "low", "close", "volume", "ts_init_ns", "ts_event_ns")


def market(rows: int = 200, name: str = "EURUSD.SIM", *, seed: int = 3) -> Dataset:
    instrument = pair(name, base=name[:3], quote="USD", tick="0.00001", step="1")
    return synth("bars", instrument, rows=rows, period="1h", price="1.1", seed=seed)


@given(count=st.integers(1, 300), block=st.integers(1, 40), seed=st.integers(0, 2**64 - 1))
def test_drawn_rows_follow_each_other_round_the_end_but_where_a_block_begins(count: int, block: int, seed: int) -> None:
    rows = drawn_rows(count, block_rows=block, noise=Noise(seed, "x"))

    assert rows.shape == (count,)
    assert rows.min() >= 0
    assert rows.max() < count
    if block == 1 and count > 20:
        assert not np.array_equal(np.diff(rows) % count, np.ones(count - 1))


def test_the_rows_of_one_seed_are_these_and_a_block_has_the_mean_length() -> None:
    assert drawn_rows(12, block_rows=3, noise=Noise(5, "x")).tolist() == [10, 9, 6, 5, 6, 11, 6, 7, 8, 9, 10, 11]

    rows = drawn_rows(100_000, block_rows=20, noise=Noise(1, "x"))
    blocks = 1 + int((np.diff(rows) % 100_000 != 1).sum())
    assert 100_000 / blocks == pytest.approx(20, rel=0.05)
    assert rows.mean() == pytest.approx(50_000, rel=0.05)


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), path=st.integers(0, 50), block=st.integers(1, 30))
def test_a_path_has_the_times_and_first_bar_and_its_bars_are_possible(seed: int, path: int, block: int) -> None:
    data = market(80)
    (made,) = resampled(data, block_rows=block, seed=seed, path=path).streams
    (real,) = data.streams

    assert np.array_equal(made.ts_ns, real.ts_ns)
    raw = {name: np.asarray(made.raw(name)) for name in COLUMNS}
    assert [int(raw[name][0]) for name in COLUMNS] == [int(real.raw(name)[0]) for name in COLUMNS]
    assert np.all(raw["low"] <= np.minimum(raw["open"], raw["close"]))
    assert np.all(raw["high"] >= np.maximum(raw["open"], raw["close"]))
    assert np.all(raw["low"] > 0)
    assert set(raw["volume"].tolist()) <= set(np.asarray(real.raw("volume")).tolist())


def test_returns_are_those_of_the_market_to_the_tick() -> None:
    data = market(120)
    (made,) = resampled(data, block_rows=5, seed=1, path=0).streams
    close, real = (np.asarray(stream.raw("close"), np.float64) for stream in (made, data.streams[0]))

    own = np.sort(real[1:] / real[:-1])
    nearest = np.abs(own[None, :] - (close[1:] / close[:-1])[:, None]).min(axis=1)
    assert nearest.max() < 2 / close.min()  # two roundings of half a tick, numerator and denominator


def test_one_block_from_the_first_row_is_the_market_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    data = market(150)
    monkeypatch.setattr("libra_ray.sweeps.bar_bootstrap.drawn_rows", lambda count, **_: np.arange(count))

    assert resampled(data, block_rows=5, seed=1, path=0).digest == data.digest


def test_a_path_is_a_function_of_seed_and_number() -> None:
    data = market()
    digests = [resampled(data, block_rows=6, seed=s, path=p).digest for s, p in ((1, 0), (1, 1), (2, 0), (1, 0))]

    assert digests[0] == digests[3]
    assert len(set(digests)) == 3


def test_instruments_with_the_same_times_move_together() -> None:
    one, other = market(100), market(100, "GBPUSD.SIM", seed=9)
    together = resampled(one + other, block_rows=4, seed=2, path=3)

    assert together.streams[0].digest == resampled(one, block_rows=4, seed=2, path=3).streams[0].digest
    assert together.streams[1].digest == resampled(other, block_rows=4, seed=2, path=3).streams[0].digest


def test_prices_of_many_decimals_stay_on_their_tick() -> None:
    fine = pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.000000000003", step="1")
    closes = [3 * (10**12 + 7**row) for row in range(12)]
    columns = dict.fromkeys(("open", "high", "low", "close"), closes) | {"volume": [1] * 12}
    table = BARS.table(fine, columns | {"ts_init_ns": np.arange(12)}, period="1h")

    (made,) = resampled(Dataset([Stream(BARS, fine, "1h", table)]), block_rows=4, seed=2, path=3).streams

    closes_made = made.raw("close")
    assert isinstance(closes_made, list)
    assert closes_made[0] == closes[0]
    assert {raw % 3 for raw in closes_made} == {0}


def test_a_block_has_the_cube_root_of_the_rows() -> None:
    assert [block_rows_of(market(rows)) for rows in (1, 8, 9, 27, 28, 1_000)] == [1, 2, 3, 3, 4, 10]


def test_what_has_no_returns_is_refused() -> None:
    instrument = pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step="1")
    with pytest.raises(ConfigError, match=r"CONF002 monte_carlo: data\.quotes\.SIM\.EURUSD holds no bars"):
        check_resampled(synth("quotes", instrument, rows=10, price="1.1", seed=1))
    with pytest.raises(ConfigError, match=r"has 2 rows, and blocks need 3"):
        check_resampled(market(2))
    check_resampled(market(3))
