"""One trial: a cell run with one combination of the grid, in this process or in a worker, by the same code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from libra_ray.data import Dataset
from libra_ray.errors import LibraError, StrategyError
from libra_ray.simulation.backtest import backtest
from libra_ray.simulation.system import System
from libra_ray.sweeps.grid import Grid

__all__ = ["CellJob", "Figures", "Trial", "cell", "error_line"]

Figures = Mapping[str, float | int | str | None]


@dataclass(frozen=True, slots=True)
class Trial:
    """What one trial brought.

    Attributes:
        number: its place in the grid.
        worker: the worker that ran it, from 1; 0 is this process. None when it was not run.
        seconds: the time of the run alone.
        error: why there are no figures; empty when there are.
        is_invalid: refused before it ran, by the strategy's own settings.
    """

    number: int
    figures: Figures = field(default_factory=dict)
    run_hash: str | None = None
    seconds: float | None = None
    worker: int | None = None
    error: str = ""
    is_invalid: bool = False


@dataclass(frozen=True)
class CellJob:
    """Runs trials by their number. Opened once in each worker: it maps the dataset there and keeps it."""

    system: System
    grid: Grid

    def open(self, folder: str) -> Callable[[int], Trial]:
        """Map the dataset. Raises what `Dataset.open` raises."""
        return cell(self.system, self.grid, Dataset.open(folder))


def cell(system: System, grid: Grid, dataset: Dataset) -> Callable[[int], Trial]:
    """The work on one trial number. A run with a fault has no figures, only its error and its hash."""

    def run(number: int) -> Trial:
        result = backtest(system.with_settings(grid.settings(number)), data=dataset)
        if result.faults:
            error = error_line(result.faults[0].to_error())
            return Trial(number, run_hash=result.run_hash, seconds=result.seconds, error=error)
        return Trial(number, dict(result.stats), result.run_hash, result.seconds)

    return run


def error_line(error: BaseException) -> str:
    """One line for the table. What is no error of ours is laid to the strategy: only its code runs in a trial."""
    if not isinstance(error, LibraError):
        error = StrategyError("STRAT000", None, f"raised {type(error).__name__}: {error}", "")
    return " ".join(error.message.split())
