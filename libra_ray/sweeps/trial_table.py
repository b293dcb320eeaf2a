"""The table of a sweep: one row per trial, by number, whatever became of it."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

import pyarrow as pa

from libra_ray.sweeps.grid import Parameter
from libra_ray.sweeps.ranking import unbeaten
from libra_ray.sweeps.trials import Trial

__all__ = ["Combinations", "parameter_columns", "trial_row", "trial_table"]

FIXED: Final = ("trial", "is_unbeaten", "pruned_at", "run_hash", "seconds", "worker", "error")


class Combinations(Protocol):
    """The combinations of a sweep by trial number: a `Grid`, or `Proposals`."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What varies."""
        ...

    def __getitem__(self, trial: int) -> dict[str, Any]: ...

    def __len__(self) -> int: ...


def trial_table(
    grid: Combinations, trials: Sequence[Trial], *, objectives: Sequence[str] = (), shows_pruning: bool = False
) -> pa.Table:
    """Columns: trial, each parameter, each figure, run_hash, seconds, worker, error (null for none).

    With several objectives `is_unbeaten` tells which trials no other beats in all of them; with pruning `pruned_at`
    is the part of the data after which a trial ended. Whole numbers are int64, others float64; a parameter whose values
    have no common type is shown as text.
    """
    ordered = sorted(trials, key=lambda trial: trial.number)
    names = figure_names(ordered)
    columns: dict[str, pa.Array] = {"trial": pa.array([trial.number for trial in ordered], pa.int64())}
    combinations = [grid[trial.number] for trial in ordered]
    for parameter, column in parameter_columns(grid, names).items():
        columns[column] = _column([combination[parameter] for combination in combinations])
    for name in names:
        columns[name] = _column([trial.figures.get(name) for trial in ordered])
    if len(objectives) > 1:
        columns["is_unbeaten"] = pa.array(unbeaten(ordered, objectives), pa.bool_())
    if shows_pruning:
        columns["pruned_at"] = pa.array([trial.pruned_at for trial in ordered], pa.float64())
    columns["run_hash"] = pa.array([trial.run_hash for trial in ordered], pa.string())
    columns["seconds"] = pa.array([trial.seconds for trial in ordered], pa.float64())
    columns["worker"] = pa.array([trial.worker for trial in ordered], pa.int64())
    columns["error"] = pa.array([trial.error or None for trial in ordered], pa.string())
    return pa.table(columns)


def trial_row(grid: Combinations, trial: Trial, figures: Iterable[str] = ()) -> dict[str, Any]:
    """The trial as a row of the table, values as they are."""
    names = tuple(figures) or tuple(trial.figures)
    columns = parameter_columns(grid, names)
    return {
        "trial": trial.number,
        **{columns[name]: value for name, value in grid[trial.number].items()},
        **{name: trial.figures.get(name) for name in names},
        "run_hash": trial.run_hash,
        "seconds": trial.seconds,
        "worker": trial.worker,
        "error": trial.error or None,
    }


def figure_names(trials: Iterable[Trial]) -> list[str]:
    """Every figure that some trial has, in the order of the first that has it."""
    return list({name: None for trial in trials for name in trial.figures})


def parameter_columns(grid: Combinations, figures: Iterable[str]) -> dict[str, str]:
    """Parameter to column: the name as the caller wrote it, with its actor in front where a figure has that name."""
    taken = {*FIXED, *figures}
    return {
        parameter.name: f"{parameter.actor_id}.{parameter.setting}" if parameter.name in taken else parameter.name
        for parameter in grid.parameters
    }


def _column(values: Sequence[Any]) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {int}:
        try:
            return pa.array(values, pa.int64())
        except OverflowError:
            return pa.array([None if value is None else str(value) for value in values], pa.string())
    if kinds <= {int, float}:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    return pa.array([None if value is None else str(value) for value in values], pa.string())
