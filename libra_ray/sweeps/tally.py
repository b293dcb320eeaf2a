"""The running account of a sweep: its trials as they come, the counts, and the best one so far."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from libra_ray.clock import LiveClock
from libra_ray.sweeps.ranking import best_of
from libra_ray.sweeps.sweep_result import SweepProgress, SweepResult
from libra_ray.sweeps.trial_table import Combinations, figure_names, trial_row, trial_table
from libra_ray.sweeps.trials import Trial

__all__ = ["Tally"]

NANOSECONDS = 1_000_000_000


class Tally:
    """Takes trials in any order; what it says does not depend on the order. Its clock starts when it is made."""

    def __init__(
        self,
        grid: Combinations,
        *,
        rank: str,
        planned: int | None = None,
        objectives: Sequence[str] = (),
        shows_pruning: bool = False,
    ) -> None:
        """`planned`: how many trials there will be at most; None where nobody knows."""
        self.engine, self.workers = "", 0
        self._grid, self._rank, self._planned = grid, rank, planned
        self._objectives, self._shows_pruning = objectives, shows_pruning
        self._clock = LiveClock()
        self._started_ns = self._clock.now_ns()
        self._trials: dict[int, Trial] = {}
        self._failed = self._invalid = self._pruned = 0
        self._best: Trial | None = None

    def add(self, trial: Trial) -> SweepProgress:
        """Take note of one trial. Raises `ValueError` for a number that is there already: it would be a bug of ours."""
        if trial.number in self._trials:
            raise ValueError(trial.number)
        self._trials[trial.number] = trial
        self._invalid += trial.is_invalid
        self._pruned += trial.pruned_at is not None
        self._failed += bool(trial.error) and not trial.is_invalid
        if not trial.error and trial.figures:
            self._best = best_of([trial] if self._best is None else [self._best, trial], self._rank)
        return self.progress(trial)

    def progress(self, last: Trial | None = None) -> SweepProgress:
        """How it stands, with the row of `last`."""
        return SweepProgress(
            done=len(self._trials),
            trials=max(self._planned or 0, len(self._grid)),
            failed=self._failed,
            invalid=self._invalid,
            row=None if last is None else trial_row(self._grid, last),
            best=None if self._best is None else trial_row(self._grid, self._best),
            engine=self.engine,
            seconds=self._seconds(),
        )

    def result(self, *, stopped: str = "") -> SweepResult:
        """The whole; `stopped` says why it is not all that was planned."""
        trials = [self._trials[number] for number in sorted(self._trials)]
        table = trial_table(self._grid, trials, objectives=self._objectives, shows_pruning=self._shows_pruning)
        return SweepResult(
            table=table,
            best=self._best_row(trials),
            rank=self._rank,
            trials=len(trials),
            failed=self._failed,
            invalid=self._invalid,
            workers=self.workers,
            seconds=self._seconds(),
            engine=self.engine,
            pruned=self._pruned,
            stopped=stopped,
        )

    def _best_row(self, trials: Iterable[Trial]) -> Mapping[str, Any] | None:
        """With every figure that some trial has, as in the table."""
        return None if self._best is None else trial_row(self._grid, self._best, figure_names(trials))

    def _seconds(self) -> float:
        return (self._clock.now_ns() - self._started_ns) / NANOSECONDS
