"""A sweep in this process: rows, errors, ranking, progress, and what is refused before anything starts."""

import subprocess
import sys
from typing import Any

import pytest

from libra_ray import ConfigError, SweepResult, backtest, sweep
from libra_ray.sweeps import Grid, Parameter, SweepProgress
from libra_ray.sweeps.trial_table import parameter_columns
from tests.sweeps.runs import bars, fragile_system

BARS = bars()


def swept(grid: dict[str, Any], **more: Any) -> SweepResult:  # noqa: ANN401 - arguments of sweep
    return sweep(fragile_system(), data=BARS, grid=grid, workers=0, **more)


def test_each_trial_has_the_hash_and_figures_of_a_backtest_with_its_settings() -> None:
    result = swept({"lookback": [3, 9]})

    for row in result.table.to_pylist():
        alone = backtest(fragile_system(lookback=row["lookback"]), data=BARS)
        assert row["run_hash"] == alone.run_hash
        assert {name: row[name] for name in alone.stats} == alone.stats
    assert result.table.column_names[:2] == ["trial", "lookback"]
    assert result.table.column_names[-4:] == ["run_hash", "seconds", "worker", "error"]


def test_the_system_that_was_swept_is_unchanged() -> None:
    system = fragile_system()
    before = system.described()

    sweep(system, data=BARS, grid={"lookback": [3, 9]}, workers=0, seed=5)

    assert system.described() == before


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        ("raise", "STRAT001 {}: Fragile-1 on_bar raised ValueError: asked to."),
        ("exit", "STRAT001 {}: Fragile-1 on_bar raised SystemExit: 3."),
    ],
)
def test_a_trial_that_fails_is_a_row_with_its_error_and_without_figures(mode: str, error: str) -> None:
    result = swept({"mode": ["", mode], "lookback": [3, 9]})

    errors = result.table["error"].to_pylist()
    assert errors[:2] == [None, None]
    assert [_without_place(text) for text in errors[2:]] == [error, error]
    assert result.table["sharpe_ratio"].to_pylist()[2:] == [None, None]
    assert (result.trials, result.failed, result.invalid) == (4, 2, 0)


def test_a_combination_that_the_settings_refuse_is_a_row_that_was_not_run() -> None:
    result = swept({"at": [5, "x"]})

    assert result.table["error"].to_pylist() == [
        None,
        "CONF002 Fragile-1.at: 'x' is not a whole number. Write for example 10.",
    ]
    assert result.table["worker"].to_pylist() == [0, None]
    assert (result.trials, result.failed, result.invalid) == (2, 0, 1)


def test_the_best_row_is_the_one_of_the_table() -> None:
    result = swept({"lookback": [3, 5, 9]}, rank="total_return")

    returns = result.table["total_return"].to_pylist()
    assert result.best == result.table.to_pylist()[returns.index(max(returns))]


def test_there_is_no_best_row_when_every_trial_failed() -> None:
    result = swept({"mode": ["raise"], "lookback": [3, 9]})

    assert (result.best, result.failed) == (None, 2)


def test_progress_is_told_at_the_start_and_after_each_trial() -> None:
    told: list[SweepProgress] = []

    result = swept({"lookback": [3, 9], "at": [5, "x"]}, progress=told.append)

    assert [(each.done, each.trials, each.failed, each.invalid) for each in told] == [
        (2, 4, 0, 2),
        (3, 4, 0, 2),
        (4, 4, 0, 2),
    ]
    assert [each.row and each.row["trial"] for each in told] == [None, 0, 2]
    assert told[-1].best == result.best


def test_a_parameter_named_like_a_column_gets_its_actor_in_front() -> None:
    grid = Grid([Parameter("trades", "Fragile-1", "trades", (1,)), Parameter("at", "Fragile-1", "at", (1,))])

    assert parameter_columns(grid, ["trades"]) == {"trades": "Fragile-1.trades", "at": "at"}


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"grid": {"lookback": []}}, "CONF005 grid.lookback: 0 combinations"),
        ({"grid": {"lookback": [1, 1]}}, "CONF006 grid.lookback: value 1 is given 2 times"),
        ({"grid": {"look": [1]}}, "CONF009 grid.look: unknown sweep parameter 'look'"),
        ({"grid": {"at": ["x", "y"]}}, "CONF009 grid: the settings refuse all 2 combinations (the first: CONF002"),
        ({"grid": {"lookback": [1]}, "rank": "sharp"}, "CONF002 rank: 'sharp' is not a figure to rank by"),
        ({"grid": {"lookback": [1]}, "workers": -1}, "CONF002 workers: -1 is below 0"),
    ],
)
def test_a_sweep_that_cannot_be_run_is_refused(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        sweep(fragile_system(), data=BARS, **arguments)

    assert str(caught.value).startswith(text)


@pytest.mark.slow
def test_what_is_refused_is_refused_before_ray_is_even_loaded() -> None:
    code = """
import sys
from libra_ray import ConfigError, sweep
from tests.sweeps.runs import bars, fragile_system

for grid in ({"lookback": []}, {"lookback": [1, 1]}, {"look": [1]}, {"at": ["x"]}):
    try:
        sweep(fragile_system(), data=bars(), grid=grid, workers=2)
    except ConfigError as error:
        print(error.code)
print("ray" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["CONF005", "CONF006", "CONF009", "CONF009", "False"]


def _without_place(error: str) -> str:
    """`STRAT001 runs.py:88: ...` as `STRAT001 {}: ...`."""
    code, _, rest = error.partition(" ")
    return error if not rest.startswith("runs.py:") else f"{code} {{}}: {rest.partition(': ')[2]}"
