"""Paths that could have been, beside the one that was."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from libra_ray import System, backtest, pair, synth
from libra_ray.analysis.drawdown import max_drawdown
from libra_ray.errors import ConfigError, StrategyError
from libra_ray.sweeps import SweepProgress
from libra_ray.sweeps.bar_bootstrap import resampled
from libra_ray.sweeps.monte_carlo_runs import MonteCarloResult, monte_carlo
from tests.analysis.page_reader import read_page
from tests.conftest import LONG_TESTS
from tests.sweeps.peekers import Cross, CrossConfig, system_of
from tests.sweeps.runs import PAIR, Holder, HolderConfig, bars, fragile_system

BARS = bars(300)


def cross_system() -> System:
    return system_of(Cross(CrossConfig()))


def played(**options: Any) -> MonteCarloResult:  # noqa: ANN401 - arguments of monte_carlo
    arguments: dict[str, Any] = {"paths": 8, "workers": 0, "seed": 5}
    return monte_carlo(cross_system(), data=BARS, **(arguments | options))


def test_a_path_of_bars_is_a_backtest_of_those_bars() -> None:
    result = played(block_rows=6)

    for path, row in enumerate(result.table.to_pylist()):
        run = backtest(cross_system(), data=resampled(BARS, block_rows=6, seed=5, path=path))
        assert (row["path"], row["run_hash"], row["total_return"]) == (path, run.run_hash, run.stats["total_return"])
    assert (result.paths, result.block_rows, result.failed) == (8, 6, 0)
    assert result.real == backtest(cross_system(), data=BARS).stats


def test_seed_and_number_decide_a_path() -> None:
    few, many, other = played(paths=3), played(), played(seed=6)

    assert few.table.column("run_hash").to_pylist() == many.table.column("run_hash").to_pylist()[:3]
    assert set(many.table.column("run_hash").to_pylist()).isdisjoint(other.table.column("run_hash").to_pylist())
    assert few.block_rows == 7  # the cube root of 300, rounded up


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.skipif(not LONG_TESTS, reason="the same workers as in a walk-forward; set LIBRA_LONG_TESTS=1")
def test_workers_change_nothing() -> None:
    told: list[SweepProgress] = []

    apart = played(workers=2, progress=told.append)

    assert apart.table.equals(played().table)
    assert [each.done for each in told] == list(range(1, 9))


def test_trades_in_another_order_end_where_the_trades_end() -> None:
    real = backtest(cross_system(), data=BARS).arrays
    result = played(method="trades", paths=50)

    assert result.values("final_equity").tolist() == [pytest.approx(100_000 + real.pnl.sum())] * 50
    assert len(set(result.values("max_drawdown").tolist())) > 10
    assert result.better("final_equity") is not None
    assert result.bands is not None
    assert result.bands.bands.shape == (5, real.pnl.size + 1)


def test_trades_drawn_with_repetition_move_the_end() -> None:
    result = played(method="drawn_trades", paths=200)

    low, *_, high = result.quantiles("total_return") or ()
    assert low < result.values("total_return").mean() < high
    assert result.figures == ("total_return", "max_drawdown", "final_equity")


def test_shares_and_quantiles_are_counted_over_all_paths() -> None:
    result = played()
    values = result.values("total_return")
    real, fell = (float(result.real[name] or 0) for name in ("total_return", "max_drawdown"))

    assert result.quantiles("total_return", (0.0, 0.5, 1.0)) == (values.min(), np.median(values), values.max())
    assert result.loss_share == float((values < 0).mean())
    assert result.better("total_return") == float((values > real).mean())
    assert result.better("max_drawdown") == float((result.values("max_drawdown") < fell).mean())


def test_the_report_says_what_the_result_says(tmp_path: Path) -> None:
    result = played(method="drawn_trades", paths=40)

    page = read_page(result.report(tmp_path / "m.html"))

    assert f"Loss{(result.loss_share or 0) * 100:.1f} %" in page.one("div", id="cards").text
    assert "Equity over" in page.section("bands")
    assert len(page.all("svg")) == 1


def test_paths_equal_to_the_run_count_half() -> None:
    one = monte_carlo(fragile_system(lookback=140), data=BARS, method="trades", paths=4, workers=0)

    # One trade has one order.
    final = one.values("final_equity")
    assert one.values("max_drawdown").tolist() == [max_drawdown(np.array([100_000, final[0]]))] * 4
    same = replace(one, real={"final_equity": float(final[0])})
    assert (same.better("final_equity"), same.better("max_drawdown")) == (0.5, None)


def test_a_run_that_fails_is_that_error() -> None:
    with pytest.raises(StrategyError, match="asked to"):
        monte_carlo(fragile_system(lookback=7, mode="raise"), data=BARS, paths=2, workers=0)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"paths": 0}, "CONF002 paths: 0 is not between 1 and 1,000,000. Give another number."),
        ({"block_rows": 0}, "CONF002 block_rows: 0 is not between 1 and 1,000,000. Give another number."),
        ({"workers": -1}, "CONF002 workers: -1 is not between 0 and 1,000,000. Give another number."),
        ({"method": "luck"}, 'CONF002 method: \'luck\' is no method. Write "bars", "trades" or "drawn_trades".'),
        ({"seed": -1}, "CONF002 seed: -1 is out of range. Give a number from 0 to 2^64 - 1."),
    ],
)
def test_wrong_arguments_are_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        played(**options)

    assert str(caught.value) == text


def test_what_has_no_bars_or_no_trades_is_refused() -> None:
    instrument = pair(PAIR, base="EUR", quote="USD", tick="0.00001", step="1")
    quotes = synth("quotes", instrument, rows=50, price="1.1", seed=1)
    with pytest.raises(ConfigError, match="holds no bars"):
        monte_carlo(cross_system(), data=quotes, paths=2, workers=0)
    with pytest.raises(ConfigError, match="the run closed no position"):
        monte_carlo(system_of(Holder(HolderConfig())), data=BARS, method="trades", paths=2, workers=0)
