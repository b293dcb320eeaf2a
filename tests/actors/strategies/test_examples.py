"""Every file of `examples/` runs; the main one is computed a second time by hand."""

import runpy
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import pytest

import libra_ray as lr
from libra_ray.simulation.run_config import load_run
from libra_ray.strategy.indicators import Ema

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
SWEEPS = ["ema_sweep.toml"]
RUNS = sorted(path.name for path in EXAMPLES.glob("*.toml") if path.name not in SWEEPS)
DEPLOYED = ["isolated_system.py"]  # run by tests/sessions/test_isolated_system.py
STORIES = sorted(path.name for path in EXAMPLES.glob("*.py") if path.name not in DEPLOYED)


def test_there_is_no_example_that_these_tests_do_not_run() -> None:
    files = {path.name for path in EXAMPLES.rglob("*") if path.is_file() and "__pycache__" not in path.parts}

    assert files == {*SWEEPS, *RUNS, *STORIES, *DEPLOYED}


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_a_run_file_trades_without_a_fault_and_repeats_under_another_batch_size(name: str) -> None:
    loaded = load_run(EXAMPLES / name)

    result = lr.backtest(loaded.system, data=loaded.data)
    again = lr.backtest(loaded.system, data=loaded.data, batch_rows=37)

    assert (result.faults, result.stats["denied"]) == ([], 0)
    assert result.fills.num_rows >= 20
    assert again.run_hash == result.run_hash


@pytest.mark.slow
@pytest.mark.parametrize("name", STORIES)
def test_a_python_story_trades_without_a_fault_and_prints_its_end(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = runpy.run_path(str(EXAMPLES / name))["main"]()

    assert result.faults == []
    assert result.fills.num_rows >= 20
    assert result.run_hash in capsys.readouterr().out


def test_the_main_example_ends_with_the_money_that_paper_and_pencil_give() -> None:
    loaded = load_run(EXAMPLES / "ema_cross.toml")
    (bars,) = loaded.data.streams
    opens = [Decimal(price) for price in bars.table["open"].to_pylist()]
    closes = [float(price) for price in bars.table["close"].to_pylist()]
    fast, slow = Ema(20).batch(closes), Ema(50).batch(closes)

    cash, shares = Decimal(100_000), 0
    for day in range(50, len(closes) - 1):
        was_above, is_above = fast[day - 1] > slow[day - 1], fast[day] > slow[day]
        wanted = 100 if is_above else 0
        if was_above != is_above and wanted != shares:
            paid = (wanted - shares) * opens[day + 1]
            fee = (abs(paid) * Decimal("0.0005")).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
            cash, shares = cash - paid.quantize(Decimal("0.01"), ROUND_HALF_EVEN) - fee, wanted
    worth = cash + (shares * Decimal(bars.table["close"].to_pylist()[-1])).quantize(Decimal("0.01"), ROUND_HALF_EVEN)

    result = lr.backtest(loaded.system, data=loaded.data)
    assert result.equity["equity"].to_pylist()[-1] == worth
    assert result.equity["total"].to_pylist()[-1] == cash


@pytest.mark.slow
def test_the_sweep_of_200_ranks_first_the_run_that_one_backtest_repeats() -> None:
    loaded = load_run(EXAMPLES / "ema_sweep.toml")
    data = loaded.data.prefix(600)  # enough for the slowest average; all days take four times as long

    result = lr.sweep(loaded.system, data=data, grid=loaded.config.grid, rank=loaded.config.sweep.rank, workers=0)

    best = result.best
    assert best is not None
    assert (result.trials, result.failed, result.invalid) == (200, 0, 0)
    assert best["sharpe_ratio"] == max(result.table["sharpe_ratio"].to_pylist())
    chosen = loaded.system.with_settings({"EmaCross-1": {"fast": best["fast"], "slow": best["slow"]}})
    assert lr.backtest(chosen, data=data).stats["sharpe_ratio"] == best["sharpe_ratio"]
