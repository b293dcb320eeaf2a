"""The course of a sweep: batch after batch, stage after stage, until the sampler has no more or it is enough."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from libra_ray.clock import LiveClock
from libra_ray.errors import ConfigError
from libra_ray.simulation.backtest import Engine
from libra_ray.simulation.system import System
from libra_ray.sweeps.proposals import Proposals
from libra_ray.sweeps.pruning import Pruning
from libra_ray.sweeps.ranking import is_smaller_better
from libra_ray.sweeps.samplers import Sampler
from libra_ray.sweeps.sweep_identity import combination_key
from libra_ray.sweeps.sweep_result import SweepProgress
from libra_ray.sweeps.tally import Tally
from libra_ray.sweeps.trial_journal import TrialJournal, TrialKey
from libra_ray.sweeps.trials import CellJob, Trial, Work, error_line
from libra_ray.sweeps.workforce import Workforce

__all__ = ["Course", "Limits"]

BATCH_WITH_PATIENCE: Final = 32
"""Trials of a grid or of draws between two looks whether it is enough."""
ALL: Final = 1 << 62
NS_PER_SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """When a sweep ends before its sampler does. Raises `ConfigError` CONF002 for numbers that are not positive."""

    patience: int | None = None
    time_budget_seconds: float | None = None

    def __post_init__(self) -> None:
        for name in ("patience", "time_budget_seconds"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ConfigError("CONF002", name, f"{value} is not positive", "Give a number above 0.", str(value))


class Course:
    """One sweep under way.

    Attributes:
        combinations: those that were proposed so far.
        stopped: why it ended early; empty where it did not.
    """

    def __init__(
        self,
        system: System,
        sampler: Sampler,
        combinations: Proposals,
        *,
        objectives: Sequence[str],
        rank: str,
        pruning: Pruning | None,
        limits: Limits,
        engine: Engine,
        journal: TrialJournal | None,
    ) -> None:
        self.combinations = combinations
        self.stopped = ""
        self._system, self._sampler = system, sampler
        self._objectives, self._rank = objectives, rank
        self._pruning, self._limits = pruning, limits
        self._job = CellJob(system, engine)
        self._journal = journal
        self._kept: Mapping[TrialKey, Trial] = {} if journal is None else journal.finished
        self._batch = BATCH_WITH_PATIENCE if limits.patience is not None else ALL
        self._clock = LiveClock()
        self._began_ns = self._clock.now_ns()
        self._refused: dict[int, Trial] = {}
        self._best: float | None = None
        self._since_best = 0

    def ask(self) -> range:
        """The next batch, with the settings of each looked at. Raises `ConfigError` CONF009 where all are refused."""
        numbers = self.combinations.add(self._sampler.ask(self._batch))
        for number in numbers:
            try:
                self._system.with_settings(self.combinations.settings(number))
            except ConfigError as error:
                self._refused[number] = Trial(number, error=error_line(error), is_invalid=True)
        if numbers and len(self._refused) == len(self.combinations):
            first = self._refused[0].error
            what = f"the settings refuse all {len(numbers):,} combinations (the first: {first})"
            raise ConfigError("CONF009", "grid", what, "Give other values.", str(len(numbers)))
        return numbers

    def run(self, numbers: range, workers: Workforce, tally: Tally, tell: Callable[[SweepProgress], object]) -> None:
        """Run the first batch, `numbers`, and all that follow."""
        while numbers:
            refused = {number: self._refused[number] for number in numbers if number in self._refused}
            for trial in refused.values():
                tally.add(trial)
            tell(tally.progress())
            alive = [number for number in numbers if number not in refused]
            finished = refused | self._run_batch(alive, workers, lambda trial: tell(tally.add(trial)))
            if self.stopped:
                return
            self._sampler.tell([self._objectives_of(finished[number]) for number in numbers])
            if self._is_enough([finished[number] for number in numbers]):
                self.stopped = f"nothing better in {self._limits.patience} trials"
                return
            numbers = self.ask()

    def _run_batch(self, alive: list[int], workers: Workforce, tell: Callable[[Trial], object]) -> dict[int, Trial]:
        """Stage after stage, with the better ones of each; all that ended, by number."""
        finished: dict[int, Trial] = {}

        def end(trial: Trial) -> None:
            finished[trial.number] = trial
            tell(trial)

        parts = (*(self._pruning.parts if self._pruning is not None else ()), 1.0)
        for stage, part in enumerate(parts):
            is_last = stage == len(parts) - 1
            trials = self._run_stage(alive, stage, part, workers, end if is_last else None)
            if self.stopped or is_last or self._pruning is None:
                break
            failed = {number: trial for number, trial in trials.items() if trial.error}
            going = {number: trial for number, trial in trials.items() if not trial.error}
            survivors = self._pruning.survivors(going, self._rank)
            for number in alive:
                if number in failed:
                    end(failed[number])
                elif number not in survivors:
                    end(replace(going[number], figures={}, run_hash=None, pruned_at=part))
            alive = list(survivors)
        return finished

    def _run_stage(
        self,
        numbers: Sequence[int],
        stage: int,
        part: float,
        workers: Workforce,
        end: Callable[[Trial], object] | None,
    ) -> dict[int, Trial]:
        """All of these over one part of the data: those of the journal are there, the others are run."""
        settings = {number: self.combinations.settings(number) for number in numbers}
        keys: dict[int, TrialKey] = {}
        if self._journal is not None:
            keys = {number: (number, stage, combination_key(settings[number])) for number in numbers}
        done = {number: self._kept[key] for number, key in keys.items() if key in self._kept}
        for trial in done.values():
            if end is not None:
                end(trial)
        items = [Work(number, settings[number], part) for number in numbers if number not in done]
        outcomes = workers.map(self._job, items)
        for outcome in outcomes if items else ():
            number = items[outcome.position].number
            ended = outcome.value if outcome.error is None else Trial(number, error=error_line(outcome.error))
            assert ended is not None  # noqa: S101  # without an error there is a value
            trial = replace(ended, worker=outcome.worker)
            if self._journal is not None:
                self._journal.add(trial, keys[number])
            done[trial.number] = trial
            if end is not None:
                end(trial)
            if self._is_over_time and len(done) < len(numbers):
                self.stopped = f"the time budget of {self._limits.time_budget_seconds:g} s is used up"
                break
        return done

    @property
    def _is_over_time(self) -> bool:
        budget = self._limits.time_budget_seconds
        return budget is not None and self._clock.now_ns() - self._began_ns >= budget * NS_PER_SECOND

    def _objectives_of(self, trial: Trial) -> list[float] | None:
        values = [trial.figures.get(name) for name in self._objectives]
        return [float(value) for value in values] if all(isinstance(v, int | float) for v in values) else None  # type: ignore[arg-type]

    def _is_enough(self, trials: Sequence[Trial]) -> bool:
        """Whether so many trials, in the order of their numbers, have brought nothing better."""
        sign = -1.0 if is_smaller_better(self._rank) else 1.0
        for trial in trials:
            figure = trial.figures.get(self._rank)
            if isinstance(figure, int | float) and (self._best is None or sign * figure > self._best):
                self._best, self._since_best = sign * figure, 0
            else:
                self._since_best += 1
            if self._limits.patience is not None and self._since_best >= self._limits.patience:
                return True
        return False
