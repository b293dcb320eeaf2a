"""Trades in another order: the same sum by another way."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.analysis.drawdown import max_drawdown
from libra_ray.analysis.trade_shuffle import trade_paths

PNL = st.lists(st.integers(-50, 60).map(float), max_size=30)


def test_two_trades_have_two_orders_and_each_its_drawdown() -> None:
    made = trade_paths(np.array([10.0, -20.0]), starting_equity=100, paths=40, seed=1)

    # 100, 110, 90 falls by 20 of 110; 100, 80, 90 by 20 of 100.
    assert set(made.max_drawdown.tolist()) == {20 / 110, 20 / 100}
    assert set(made.final.tolist()) == {90.0}


def test_the_paths_of_one_seed_are_these() -> None:
    pnl = np.arange(-4.0, 6.0)
    made = trade_paths(pnl, starting_equity=100, paths=4, seed=7)
    again = trade_paths(pnl, starting_equity=100, paths=4, seed=7, with_repetition=True)

    assert made.max_drawdown.round(6).tolist() == [0.055046, 0.08, 0.08, 0.037037]
    assert again.final.tolist() == [100.0, 108.0, 111.0, 112.0]


@given(pnl=PNL, seed=st.integers(0, 2**64 - 1), paths=st.integers(1, 200))
def test_every_order_has_the_same_sum_and_threads_change_nothing(pnl: list[float], seed: int, paths: int) -> None:
    trades = np.array(pnl, np.float64)
    one = trade_paths(trades, starting_equity=10_000, paths=paths, seed=seed)
    two = trade_paths(trades, starting_equity=10_000, paths=paths, seed=seed, threads=2)

    assert one.final.tolist() == [10_000 + math.fsum(pnl)] * paths
    assert one.max_drawdown.tolist() == two.max_drawdown.tolist()
    assert one.bands.tolist() == two.bands.tolist()
    assert one.bands[:, 0].tolist() == [10_000.0] * 5
    assert np.all(np.diff(one.bands, axis=0) >= 0)


@given(pnl=PNL, seed=st.integers(0, 1_000))
def test_the_drawdown_lies_between_those_of_the_kindest_and_the_worst_order(pnl: list[float], seed: int) -> None:
    trades = np.array(pnl, np.float64)
    made = trade_paths(trades, starting_equity=10_000, paths=5, seed=seed)

    losses = np.concatenate(([10_000.0], 10_000 + np.cumsum(np.sort(trades))))
    gains = np.concatenate(([10_000.0], 10_000 + np.cumsum(np.sort(trades)[::-1])))
    worst = max(max_drawdown(losses) or 0.0, max_drawdown(gains) or 0.0)
    assert np.all(made.max_drawdown >= 0)
    assert np.all(made.max_drawdown <= worst + 1e-12)


@given(pnl=PNL.filter(bool), seed=st.integers(0, 1_000))
def test_drawn_with_repetition_the_sum_stays_between_all_worst_and_all_best(pnl: list[float], seed: int) -> None:
    made = trade_paths(np.array(pnl), starting_equity=10_000, paths=3, seed=seed, with_repetition=True)

    assert np.all(made.final >= 10_000 + len(pnl) * min(pnl))
    assert np.all(made.final <= 10_000 + len(pnl) * max(pnl))


def test_a_path_does_not_depend_on_how_many_there_are() -> None:
    pnl = np.linspace(-5, 6, 23)
    few = trade_paths(pnl, starting_equity=100, paths=3, seed=5)
    many = trade_paths(pnl, starting_equity=100, paths=130, seed=5)

    assert many.max_drawdown[:3].tolist() == few.max_drawdown.tolist()


def test_bands_are_taken_at_both_ends_and_at_most_201_places() -> None:
    made = trade_paths(np.ones(1_000), starting_equity=100, paths=2, seed=0)

    assert (made.at[0], made.at[-1], made.at.size) == (0, 1_000, 201)
    assert made.bands[:, -1].tolist() == [1_100.0] * 5


def test_no_path_or_no_money_is_refused() -> None:
    with pytest.raises(ValueError, match="0 paths from 1"):
        trade_paths(np.ones(2), starting_equity=1, paths=0, seed=0)
    with pytest.raises(ValueError, match="1 paths from 0"):
        trade_paths(np.ones(2), starting_equity=0, paths=1, seed=0)
