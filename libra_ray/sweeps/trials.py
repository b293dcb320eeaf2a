"""One trial: a cell run with one combination of parameters, in this process or in a worker, by the same code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from libra_ray.data import Dataset
from libra_ray.errors import LibraError, StrategyError
from libra_ray.simulation.backtest import Engine, backtest
from libra_ray.simulation.system import System

__all__ = ["CellJob", "Figures", "Trial", "Work", "error_line"]

Figures = Mapping[str, float | int | str | None]


@dataclass(frozen=True, slots=True)
class Trial:
    """What one trial brought.

    Attributes:
        number: its place among the trials of the sweep.
        worker: the worker that ran it, from 1; 0 is this process. None when it was not run.
        seconds: the time of the run alone.
        error: why there are no figures; empty when there are.
        is_invalid: refused before it ran, by the strategy's own settings.
        pruned_at: the part of the data after which others were better, and it was not run on; None where it was.
    """

    number: int
    figures: Figures = field(default_factory=dict)
    run_hash: str | None = None
    seconds: float | None = None
    worker: int | None = None
    error: str = ""
    is_invalid: bool = False
    pruned_at: float | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """A trial to be run: its number, its settings as `System.with_settings` takes them, and on which part of the data.

    `part` 0.25 is the first quarter of the time between the first row and the last; 1 is all.
    """

    number: int
    changes: Mapping[str, Mapping[str, Any]]
    part: float = 1.0


@dataclass(frozen=True)
class CellJob:
    """Runs trials over a dataset. A run with a fault has no figures, only its error and its hash."""

    system: System
    engine: Engine = "auto"

    def work(self, data: Dataset) -> Callable[[Work], Trial]:
        """The work on one trial."""
        parts = {1.0: data}

        def run(work: Work) -> Trial:
            if work.part not in parts:
                end_ns = data.start_ns + int((data.end_ns - data.start_ns) * work.part) + 1
                parts[work.part] = data.between(data.start_ns, end_ns)
            system = self.system.with_settings(work.changes)
            result = backtest(system, data=parts[work.part], engine=self.engine)
            if result.faults:
                error = error_line(result.faults[0].to_error())
                return Trial(work.number, run_hash=result.run_hash, seconds=result.seconds, error=error)
            return Trial(work.number, dict(result.stats), result.run_hash, result.seconds)

        return run


def error_line(error: BaseException) -> str:
    """One line for the table. What is no error of ours is laid to the strategy: only its code runs in a trial."""
    if not isinstance(error, LibraError):
        error = StrategyError("STRAT000", None, f"raised {type(error).__name__}: {error}", "")
    return " ".join(error.message.split())
