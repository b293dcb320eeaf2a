"""What a walk-forward says is what backtests of its windows say, one by one."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from libra_ray import System, backtest
from libra_ray.analysis.wording import figure_text
from libra_ray.config import Range
from libra_ray.errors import ConfigError
from libra_ray.simulation.walk_forward_settings import WalkForwardSettings
from libra_ray.sweeps import SweepProgress
from libra_ray.sweeps.grid import Grid, Parameter
from libra_ray.sweeps.walk_forward_figures import degradation, stability
from libra_ray.sweeps.walk_forward_result import WalkForwardResult
from libra_ray.sweeps.walking_forward import folds_of, walk_forward
from tests.analysis.page_reader import read_page
from tests.sweeps.peekers import Cross, CrossConfig, system_of
from tests.sweeps.runs import bars, fragile_system

BARS = bars(960)  # 40 days
GRID = {"fast": [3, 5, 8], "slow": [13, 21]}
DAY_NS = 86_400 * 10**9


def cross_system() -> System:
    return system_of(Cross(CrossConfig()))


def walked(**options: Any) -> WalkForwardResult:  # noqa: ANN401 - arguments of walk_forward
    arguments: dict[str, Any] = {"train": "16d", "test": "8d", "rank": "total_return", "grid": GRID, "workers": 0}
    return walk_forward(cross_system(), data=BARS, **(arguments | options))


@pytest.fixture(scope="module")
def rolled() -> WalkForwardResult:
    return walked()


def test_each_window_chooses_the_best_of_its_training_and_tries_it_on_its_test(rolled: WalkForwardResult) -> None:
    assert rolled.windows.num_rows == 3
    for row in rolled.windows.to_pylist():
        returns = {}
        for fast in GRID["fast"]:
            for slow in GRID["slow"]:
                system = system_of(Cross(CrossConfig(fast=fast, slow=slow)))
                trained = backtest(system, data=BARS.between(row["train_start_ns"], row["train_end_ns"]))
                returns[fast, slow] = float(trained.stats["total_return"] or 0)
        best = max(returns, key=lambda pair: returns[pair])
        assert (row["fast"], row["slow"], row["train_total_return"]) == (*best, returns[best])

        chosen = system_of(Cross(CrossConfig(fast=best[0], slow=best[1])))
        tested = backtest(chosen, data=BARS.between(row["test_start_ns"], row["test_end_ns"]))
        assert (row["run_hash"], row["test_total_return"]) == (tested.run_hash, tested.stats["total_return"])


def test_the_joined_tests_compound_and_count_every_trade(rolled: WalkForwardResult) -> None:
    rows = rolled.windows.to_pylist()

    growth = math.prod(1 + row["test_total_return"] for row in rows)
    assert rolled.stats["total_return"] == pytest.approx(growth - 1, rel=1e-9)
    assert rolled.stats["trades"] == sum(row["test_trades"] for row in rows)
    assert set(rolled.equity.column("window").to_pylist()) == {1, 2, 3}
    assert np.all(np.diff(rolled.equity.column("ts_ns").to_numpy()) >= 0)


def test_the_table_has_a_row_per_window_and_trial(rolled: WalkForwardResult) -> None:
    rows = rolled.table.select(["window", "trial", "fast", "slow"]).to_pylist()

    assert [(row["window"], row["trial"]) for row in rows] == [(w, t) for w in (1, 2, 3) for t in range(6)]
    assert (rows[5]["fast"], rows[5]["slow"], rolled.trials, rolled.failed) == (8, 21, 6, 0)
    assert rolled.table.column_names[-4:] == ["run_hash", "seconds", "worker", "error"]


def test_the_last_window_says_what_to_go_on_with(rolled: WalkForwardResult) -> None:
    last = rolled.windows.to_pylist()[-1]

    assert rolled.best == rolled.parameters[-1] == {"fast": last["fast"], "slow": last["slow"]}
    assert rolled.last_trial == last["trial"]
    assert [each.values for each in rolled.stability] == [
        tuple(rolled.windows.column("fast").to_pylist()),
        tuple(rolled.windows.column("slow").to_pylist()),
    ]


def test_the_report_says_what_the_result_says(rolled: WalkForwardResult, tmp_path: Path) -> None:
    page = read_page(rolled.report(tmp_path / "w.html", name="Walked"))

    cards = page.one("div", id="cards").text
    assert f"Out of sample{figure_text('total_return', rolled.stats['total_return'])}" in cards
    assert "Windows3" in cards
    assert "Drawdown at 95 %" in cards
    assert len(page.data()["bars"]) == 3


def test_two_walks_are_equal_and_another_seed_of_the_run_is_told_apart(rolled: WalkForwardResult) -> None:
    again = walked()

    assert again.run_hash == rolled.run_hash
    assert again.stats == rolled.stats
    assert again.windows.equals(rolled.windows)


@pytest.mark.slow
@pytest.mark.ray
def test_workers_change_nothing(rolled: WalkForwardResult) -> None:
    apart = walked(workers=2)

    assert apart.workers == 2
    assert apart.run_hash == rolled.run_hash
    assert apart.windows.equals(rolled.windows)
    assert apart.stats == rolled.stats


def test_anchored_windows_train_from_the_beginning(rolled: WalkForwardResult) -> None:
    anchored = walked(scheme="anchored")

    starts = anchored.windows.column("train_start_ns").to_pylist()
    assert starts == [BARS.start_ns] * 3
    assert anchored.windows.column("test_start_ns").equals(rolled.windows.column("test_start_ns"))


def test_k_folds_train_on_both_sides_of_a_test() -> None:
    folded = walked(scheme="k_fold", train=None, test=None, folds=4, purge="1d", embargo="1d", grid={"fast": [3, 8]})

    row = folded.windows.to_pylist()[1]
    spans = (
        (row["train_start_ns"], row["test_start_ns"] - DAY_NS),
        (row["test_end_ns"] + 2 * DAY_NS, row["train_end_ns"]),
    )
    system = system_of(Cross(CrossConfig(fast=row["fast"])))
    returns = [backtest(system, data=BARS.between(*span)).stats["total_return"] for span in spans]
    assert row["train_total_return"] == pytest.approx(math.prod(1 + float(r or 0) for r in returns) - 1, rel=1e-9)
    assert folded.windows.num_rows == 4


def test_a_warm_up_trades_before_the_test_and_does_not_count() -> None:
    warm = walked(warmup="4d", grid={"fast": [5], "slow": [21]})

    for row in warm.windows.to_pylist():
        data = BARS.between(row["test_start_ns"] - 4 * DAY_NS, row["test_end_ns"])
        whole = backtest(system_of(Cross(CrossConfig(fast=5, slow=21))), data=data)
        curve = whole.arrays.curve
        before = float(curve.equity[curve.ts_ns < row["test_start_ns"]][-1])
        assert row["test_total_return"] == pytest.approx(float(curve.equity[-1]) / before - 1, rel=1e-9)
        assert row["run_hash"] == whole.run_hash


def test_without_lengths_there_are_as_many_tests_as_asked_for_and_a_training_of_four() -> None:
    folds = folds_of(WalkForwardSettings(folds=5), 0, 90)
    odd = folds_of(WalkForwardSettings(folds=3, purge=2), 0, 100)

    assert [(fold.train[0].length_ns, fold.test.length_ns) for fold in folds] == [(40, 10)] * 5
    assert [fold.test.length_ns for fold in odd] == [14, 14, 14]
    assert odd[-1].test.end_ns == 100


def test_trials_that_fail_are_rows_and_a_window_without_any_other_says_so() -> None:
    result = walk_forward(
        fragile_system(mode="raise"),
        data=bars(200),
        grid={"lookback": [5, 6]},
        train="4d",
        test="2d",
        workers=0,
        rank="total_return",
    )

    assert result.failed == result.table.num_rows == 6
    (error,) = set(result.table.column("error").to_pylist())
    assert error.startswith("STRAT001 runs.py:")
    assert error.endswith(": Fragile-1 on_bar raised ValueError: asked to.")
    assert (result.best, result.last_trial, result.stats["total_return"]) == (None, None, None)
    assert set(result.windows.column("error").to_pylist()) == {"no trial has the figure total_return"}


def test_progress_counts_trainings_and_tests() -> None:
    told: list[SweepProgress] = []

    walked(progress=told.append, grid={"fast": [3, 8]})

    assert [each.done for each in told] == list(range(10))
    assert {each.trials for each in told} == {9}
    assert told[0].engine == "this process"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"train": "40d"}, "CONF002 walk_forward.train: training of 40 d leaves nothing to test in data of "),
        ({"test": None}, "CONF002 walk_forward: train is given without test. Give both or none."),
        ({"train": "ten"}, "CONF002 walk_forward.train: 'ten' is not a bar period."),
        (
            {"scheme": "k_fold"},
            "CONF002 walk_forward: train, test and step are lengths of windows, and k_fold has folds.",
        ),
        ({"embargo": "1d"}, "CONF002 walk_forward: embargo has no meaning with scheme 'rolling'. Use purge."),
        ({"scheme": "sliding"}, "CONF002 walk_forward.scheme: 'sliding' is not "),
        ({"sampler": "tpe"}, "CONF002 sampler: the sampler tpe learns from results, and each window tries the same "),
        ({"sampler": "random"}, "CONF002 trials: the sampler random has no number of trials. Give trials."),
        ({"constraints": ["fast > 99"]}, "CONF009 constraints: the constraints exclude all combinations (fast > 99)."),
        ({"rank": "sharp"}, "CONF002 rank: 'sharp' is not a figure to rank by."),
        ({"workers": -1}, "CONF002 workers: -1 is below 0."),
        ({"grid": {"fast": []}}, "CONF005 grid.fast: 0 combinations"),
        ({"grid": {"fast": ["x"]}}, "CONF009 grid: the settings refuse all 1 combinations"),
    ],
)
def test_what_cannot_be_walked_is_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        walked(**options)

    assert str(caught.value).startswith(text)


@pytest.mark.parametrize(
    ("name", "trained", "tested", "share", "lost"),
    [
        ("sharpe_ratio", 2.0, 1.0, 0.5, 0.5),
        ("sharpe_ratio", 2.0, -1.0, 1.0, 1.5),
        ("sharpe_ratio", -1.0, 1.0, 1.0, -2.0),
        ("total_return", 0.4, 0.1, 0.5, 0.5),
        ("max_drawdown", 0.1, 0.2, 1.0, 1.0),
        ("sharpe_ratio", 0.0, 1.0, 1.0, None),
        ("sharpe_ratio", None, 1.0, 1.0, None),
    ],
)
def test_degradation(name: str, trained: float | None, tested: float | None, share: float, lost: float | None) -> None:
    assert degradation(name, trained, tested, test_share=share) == lost


def test_stability_counts_places_of_the_grid() -> None:
    found = stability(Parameter("fast", "Cross-1", "fast", (2, 4, 8, 16, 32)), [4, 4, 32, 2])

    assert (found.distinct, found.usual, found.usual_share) == (3, 4, 0.5)
    assert found.kept == 1 / 3
    assert found.mean_step == (0 + 3 + 4) / 3 / 4


def test_one_window_has_no_steps() -> None:
    found = stability(Parameter("fast", "Cross-1", "fast", (2, 4)), [4])

    assert (found.kept, found.mean_step, found.usual_share) == (None, None, 1.0)
    assert stability(Parameter("fast", "Cross-1", "fast", (2, 4)), []).usual is None


def test_drawn_combinations_are_the_same_in_each_window() -> None:
    drawn = walked(grid={"fast": Range(3, 9), "slow": [13, 21]}, sampler="random", trials=4, constraints=["fast > 4"])

    rows = drawn.table.select(["window", "fast", "slow"]).to_pylist()
    sets = [[(row["fast"], row["slow"]) for row in rows if row["window"] == window] for window in (1, 2, 3)]
    assert sets[0] == sets[1] == sets[2]
    assert (len(set(sets[0])), min(fast for fast, _ in sets[0]) > 4) == (4, True)
    assert drawn.stability[0].distinct >= 1


def test_a_grid_that_is_made_already_is_taken() -> None:
    grid = Grid.of(cross_system().actors, {"fast": [3, 8]})

    assert walked(grid=grid).trials == 2
