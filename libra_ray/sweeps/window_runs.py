"""The runs of a walk-forward: one set of parameters over the training of a window, or over its test."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from libra_ray.analysis import RunArrays, statistics_from_arrays
from libra_ray.analysis.stitching import stitched
from libra_ray.analysis.stretch import stretch
from libra_ray.data import Dataset
from libra_ray.simulation.backtest import Engine, backtest
from libra_ray.simulation.run_folder import content_hash
from libra_ray.simulation.system import System
from libra_ray.sweeps.folds import Fold
from libra_ray.sweeps.trials import Figures, error_line

__all__ = ["Choices", "WindowItem", "WindowJob", "WindowRun"]


class Choices(Protocol):
    """Sets of parameters by trial number, as a grid has them."""

    def settings(self, trial: int) -> Mapping[str, Mapping[str, Any]]:
        """One set as `System.with_settings` takes it."""
        ...


@dataclass(frozen=True, slots=True)
class WindowItem:
    """Trial `trial` in window `window` (its place from 0): over its training, or over its test."""

    window: int
    trial: int
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class WindowRun:
    """What one item brought. `arrays` are kept of tests, which are joined; `error` says why there are no figures."""

    figures: Figures = field(default_factory=dict)
    run_hash: str | None = None
    seconds: float = 0.0
    error: str = ""
    arrays: RunArrays | None = None


@dataclass(frozen=True)
class WindowJob:
    """Runs items. A training of several spans is a run over each, joined; a test has its warm-up in front."""

    system: System
    choices: Choices
    folds: Sequence[Fold]
    warmup_ns: int = 0
    engine: Engine = "auto"

    def work(self, data: Dataset) -> Callable[[WindowItem], WindowRun]:
        """The work on one item."""

        def run(item: WindowItem) -> WindowRun:
            fold = self.folds[item.window]
            system = self.system.with_settings(self.choices.settings(item.trial))
            hashes, parts, seconds = [], [], 0.0
            for span in (fold.test,) if item.is_test else fold.train:
                if not data.between(span.start_ns, span.end_ns).rows:
                    continue
                begins_ns = span.start_ns - self.warmup_ns * item.is_test
                result = backtest(system, data=data.between(begins_ns, span.end_ns), engine=self.engine)
                hashes.append(result.run_hash)
                seconds += result.seconds
                if result.faults:
                    error = error_line(result.faults[0].to_error())
                    return WindowRun(run_hash=result.run_hash, seconds=seconds, error=error)
                is_warm = begins_ns < span.start_ns
                parts.append(stretch(result.arrays, span.start_ns) if is_warm else result.arrays)
            if not parts:
                return WindowRun(error="DATA008 0 data rows in this window.")
            joined = parts[0] if len(parts) == 1 else stitched(parts)
            figures = statistics_from_arrays(joined)
            run_hash = hashes[0] if len(hashes) == 1 else content_hash(hashes)
            return WindowRun(figures, run_hash, seconds, arrays=joined if item.is_test else None)

        return run
