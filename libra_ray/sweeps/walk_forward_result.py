"""What a walk-forward gives back: its windows, every run, and the joined tests as one run out of sample."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from libra_ray.analysis import RunArrays, Stats, statistics_from_arrays
from libra_ray.analysis.columns import arrow
from libra_ray.analysis.significance import deflated_sharpe_ratio, probabilistic_sharpe_ratio
from libra_ray.analysis.stitching import stitched
from libra_ray.simulation.run_folder import content_hash
from libra_ray.simulation.walk_forward_settings import Scheme
from libra_ray.sweeps.folds import Fold
from libra_ray.sweeps.grid import Parameter
from libra_ray.sweeps.proposals import Proposals
from libra_ray.sweeps.trial_table import figure_names, parameter_columns, trial_table
from libra_ray.sweeps.trials import Figures, Trial
from libra_ray.sweeps.walk_forward_figures import Stability, degradation, stability
from libra_ray.sweeps.window_runs import WindowRun

__all__ = ["WalkForwardResult", "WindowOutcome", "walk_forward_result"]

COMPARED: Final = ("total_return", "sharpe_ratio", "max_drawdown", "trades")
TAKEN: Final = ("window", "degradation", "deflated_sharpe_ratio")
SHARPE_NEEDS: Final = ("sharpe_ratio", "skewness", "kurtosis", "days", "periods_per_year")


@dataclass(frozen=True, slots=True)
class WindowOutcome:
    """One window: its trials by number, the best of them on the training, and what that did in the test."""

    fold: Fold
    trials: Mapping[int, Trial]
    best: Trial | None
    test: WindowRun | None


@dataclass(frozen=True)
class WalkForwardResult:
    """A finished walk-forward.

    Attributes:
        windows: one row per window: its times, the best trial and its parameters, `train_` and `test_` figures, the
            deflated Sharpe ratio of the training, the degradation of the rank figure, run_hash of the test, error.
        table: one row per window and trial: parameters, figures of the training, run_hash, seconds, worker, error.
        stats: figures of all tests as one run, each beginning with what the one before it ended with.
        arrays: that run as arrays.
        equity: its curve: ts_ns, equity, window.
        stability: how each parameter moved from window to window.
        parameters: the best of each window, by name; None where no trial had the figure.
        rank: the figure that trials were ranked by.
        scheme: how the data was divided.
        trials: combinations per window.
        failed: runs that ended with an error.
        workers, engine, seconds: who ran it, and how long it took.
        last_trial: number of the combination that the last window chose; None where none chose one.
        last_settings: that combination as `System.with_settings` takes it.
        run_hash: of all runs, those of tests first.
    """

    windows: pa.Table
    table: pa.Table
    stats: Stats
    arrays: RunArrays
    equity: pa.Table
    stability: tuple[Stability, ...]
    parameters: tuple[Mapping[str, Any] | None, ...]
    rank: str
    scheme: Scheme
    trials: int
    failed: int
    workers: int
    engine: str
    seconds: float
    last_trial: int | None
    last_settings: Mapping[str, Mapping[str, Any]]
    run_hash: str

    @property
    def columns(self) -> list[str]:
        """The columns of the parameters, which `windows` and `table` have in common."""
        between = self.windows.column_names.index("trial") + 1
        return self.windows.column_names[between : between + len(self.stability)]  # type: ignore[no-any-return]

    @property
    def best(self) -> Mapping[str, Any] | None:
        """The parameters that the last window chose: the ones to go on with."""
        return next((chosen for chosen in reversed(self.parameters) if chosen is not None), None)

    @property
    def degradation(self) -> float | None:
        """Which part of the rank figure was lost between training and test, over the means of all windows."""
        rows = self.windows.to_pylist()
        kept = [row for row in rows if row[f"train_{self.rank}"] is not None and row[f"test_{self.rank}"] is not None]
        if not kept:
            return None
        trained, tested = (sum(row[f"{of}_{self.rank}"] for row in kept) / len(kept) for of in ("train", "test"))
        share = sum(_share(row) for row in kept) / len(kept)
        return degradation(self.rank, trained, tested, test_share=share)

    @property
    def probabilistic_sharpe(self) -> float | None:
        """The probability that the true Sharpe ratio of the joined tests is above 0; nothing was chosen by them."""
        return _significance(self.stats, None)

    def report(
        self, path: str | Path, *, name: str = "Walk-forward", settings: Mapping[str, str] | None = None
    ) -> Path:
        """Write a self-contained HTML report; returns its path."""
        from libra_ray.sweeps.walk_forward_page import write_walk_forward_report

        return write_walk_forward_report(path, self, name=name, settings=settings or {})


def walk_forward_result(
    outcomes: Sequence[WindowOutcome],
    grid: Proposals,
    *,
    rank: str,
    scheme: Scheme,
    workers: int,
    seconds: float,
    engine: str,
) -> WalkForwardResult:
    """Put together what the windows brought."""
    kept = [(outcome.fold, outcome.test.arrays) for outcome in outcomes if outcome.test and outcome.test.arrays]
    joined = stitched([arrays for _, arrays in kept])
    chosen = [None if each.best is None else grid[each.best.number] for each in outcomes]
    tests = [None if each.test is None else each.test.run_hash for each in outcomes]
    trials = [trial for each in outcomes for trial in each.trials.values()]
    lasts = [each.best.number for each in outcomes if each.best is not None]
    return WalkForwardResult(
        windows=_windows_table(outcomes, grid, rank),
        table=_trials_table(outcomes, grid),
        stats=statistics_from_arrays(joined),
        arrays=joined,
        equity=_equity_table(joined, [fold for fold, _ in kept]),
        stability=tuple(
            stability(_listed(parameter, grid), [values[parameter.name] for values in chosen if values is not None])
            for parameter in grid.parameters
        ),
        parameters=tuple(chosen),
        rank=rank,
        scheme=scheme,
        trials=len(grid),
        failed=sum(bool(trial.error) and not trial.is_invalid for trial in trials)
        + sum(bool(each.test and each.test.error) for each in outcomes),
        workers=workers,
        engine=engine,
        seconds=seconds,
        last_trial=lasts[-1] if lasts else None,
        last_settings=grid.settings(lasts[-1]) if lasts else {},
        run_hash=content_hash([tests, [trial.run_hash for trial in trials]]),
    )


def _windows_table(outcomes: Sequence[WindowOutcome], grid: Proposals, rank: str) -> pa.Table:
    figures = list(dict.fromkeys((rank, *COMPARED)))
    named = figure_names(trial for each in outcomes for trial in each.trials.values())
    columns = parameter_columns(grid, [*TAKEN, *figures, *named])
    rows = []
    for each in outcomes:
        fold, best, test = each.fold, each.best, each.test or WindowRun()
        train_figures: Figures = best.figures if best is not None else {}
        row: dict[str, Any] = {
            "window": fold.number,
            "train_start_ns": fold.train[0].start_ns,
            "train_end_ns": fold.train[-1].end_ns,
            "test_start_ns": fold.test.start_ns,
            "test_end_ns": fold.test.end_ns,
            "train_ns": sum(span.length_ns for span in fold.train),
            "trial": None if best is None else best.number,
        }
        values = {} if best is None else grid[best.number]
        row |= {column: values.get(name) for name, column in columns.items()}
        for name in figures:
            row |= {f"train_{name}": train_figures.get(name), f"test_{name}": test.figures.get(name)}
        trained, tested = _number(train_figures.get(rank)), _number(test.figures.get(rank))
        row["degradation"] = degradation(rank, trained, tested, test_share=_share(row))
        row["deflated_sharpe_ratio"] = _significance(train_figures, list(each.trials.values()))
        row["run_hash"] = test.run_hash
        row["error"] = test.error or (None if best is not None else f"no trial has the figure {rank}")
        rows.append(row)
    return pa.Table.from_pydict({name: _column([row[name] for row in rows]) for name in rows[0]})


def _listed(parameter: Parameter, grid: Proposals) -> Parameter:
    """With the values that were tried, in rising order, where it has a range."""
    if parameter.range is None:
        return parameter
    tried = {grid[trial][parameter.name] for trial in range(len(grid))}
    return replace(parameter, values=tuple(sorted(tried)), range=None)


def _share(row: Mapping[str, Any]) -> float:
    return float((row["test_end_ns"] - row["test_start_ns"]) / row["train_ns"])


def _trials_table(outcomes: Sequence[WindowOutcome], grid: Proposals) -> pa.Table:
    """Every trial of every window, in this order, with all figures that any has."""
    named = figure_names(trial for each in outcomes for trial in each.trials.values())
    wanted = parameter_columns(grid, [*TAKEN, *COMPARED, *named])
    tables = []
    for each in outcomes:
        trials = list(each.trials.values())
        made = trial_table(grid, trials)
        own = parameter_columns(grid, figure_names(trials))
        made = made.rename_columns({own[name]: wanted[name] for name in own})
        number = arrow(np.full(made.num_rows, each.fold.number, np.int64))
        tables.append(made.add_column(0, "window", number))
    joined = pa.concat_tables(tables, promote_options="permissive")
    fixed = [name for name in joined.column_names if name not in named]
    at = fixed.index("run_hash")
    return joined.select([*fixed[:at], *(name for name in named if name in joined.column_names), *fixed[at:]])


def _equity_table(joined: RunArrays, folds: Sequence[Fold]) -> pa.Table:
    curve = joined.curve
    starts = np.array([fold.test.start_ns for fold in folds], np.int64)
    numbers = np.array([0, *(fold.number for fold in folds)], np.int64)
    window = numbers[np.searchsorted(starts, curve.ts_ns, side="right")]
    return pa.table({"ts_ns": arrow(curve.ts_ns), "equity": arrow(curve.equity), "window": arrow(window)})


def _significance(figures: Figures, trials: Sequence[Trial] | None) -> float | None:
    """The deflated Sharpe ratio among `trials`, or the probabilistic one where nothing was chosen."""
    known = {name: _number(figures.get(name)) for name in SHARPE_NEEDS}
    sharpe, skewness, kurtosis, days, periods = known.values()
    if sharpe is None or skewness is None or kurtosis is None or days is None or periods is None:
        return None
    shape = {"skewness": skewness, "kurtosis": kurtosis, "returns_count": int(days), "periods_per_year": periods}
    if trials is None:
        return probabilistic_sharpe_ratio(sharpe, **shape)  # type: ignore[arg-type]  # days is a whole number
    found = [_number(trial.figures.get("sharpe_ratio")) for trial in trials]
    ratios = np.array([ratio for ratio in found if ratio is not None], np.float64)
    return deflated_sharpe_ratio(ratios, best=sharpe, **shape)  # type: ignore[arg-type]


def _number(value: float | str | None) -> float | None:
    return value if isinstance(value, int | float) else None


def _column(values: Sequence[Any]) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    if kinds <= {int} or kinds <= {float} or kinds <= {bool} or kinds <= {str}:
        return pa.array(values)
    return pa.array([None if value is None else str(value) for value in values], pa.string())
