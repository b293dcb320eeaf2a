"""Walk-forward: parameters chosen on one part of the data and tried on the next, again and again.

Every figure of the joined tests is out of sample: no run that it comes of was looked at when its parameters were
chosen. Pardo, R. (2008), "The Evaluation and Optimization of Trading Strategies", chapter 11.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Final

from libra_ray.clock import LiveClock
from libra_ray.config import build_settings
from libra_ray.data import Dataset
from libra_ray.errors import ConfigError
from libra_ray.simulation.backtest import Engine
from libra_ray.simulation.system import System
from libra_ray.simulation.walk_forward_settings import Scheme, WalkForwardSettings
from libra_ray.sweeps.constraints import ConstraintLike, constraints_of
from libra_ray.sweeps.folds import Fold, k_folds, windows
from libra_ray.sweeps.grid import COMBINATIONS_MAX, Grid, Values, parameters_of
from libra_ray.sweeps.proposals import Proposals
from libra_ray.sweeps.ranking import best_of, check_rank
from libra_ray.sweeps.samplers import SAMPLERS, make_sampler
from libra_ray.sweeps.sweep_result import SweepProgress
from libra_ray.sweeps.trials import Trial, error_line
from libra_ray.sweeps.walk_forward_result import WalkForwardResult, WindowOutcome, walk_forward_result
from libra_ray.sweeps.window_runs import WindowItem, WindowJob, WindowRun
from libra_ray.sweeps.workforce import Done, workforce

__all__ = ["folds_of", "walk_forward", "walk_forward_by"]

Told = Callable[[SweepProgress], None]
TESTS_LONG: Final = 4
"""The first training in tests, where no lengths are given."""
ENUMERATED: Final = ("grid", "random", "lhs")
NANOSECONDS: Final = 10**9


def walk_forward(
    system: System,
    *,
    data: Dataset,
    grid: Mapping[str, Values] | Grid | None = None,
    train: str | int | None = None,
    test: str | int | None = None,
    scheme: Scheme = "rolling",
    step: str | int | None = None,
    folds: int = 5,
    purge: str | int = 0,
    embargo: str | int = 0,
    warmup: str | int = 0,
    rank: str = "sharpe_ratio",
    sampler: str = "grid",
    trials: int | None = None,
    constraints: Sequence[ConstraintLike] = (),
    engine: Engine = "auto",
    workers: int | None = None,
    progress: Told | None = None,
    seed: int | None = None,
) -> WalkForwardResult:
    """Divide `data` into windows, choose the best combination of `grid` on each training, and try it on its test.

    Args:
        system: stays as it is; each run is a changed copy.
        data: what is divided; written once, mapped by all workers.
        grid: values or ranges by parameter, as for `sweep`.
        train: length of a training, `"180d"`; with `anchored` of the first one. None, as `test`: see `folds`.
        test: length of a test, `"30d"`.
        scheme: `rolling` windows move on, `anchored` ones all begin with the data, `k_fold` tries every part of the
            data with what was chosen on the others (purged and embargoed).
        step: from one window to the next; None for the length of a test.
        folds: how many windows where no lengths are given: as many tests, and a first training of four; with `k_fold`
            how many parts.
        purge: left out between training and test: as long as a trade may stay open.
        embargo: left out behind a test on top of that, with `k_fold`.
        warmup: history that a test begins with. The strategy trades in it already, and it does not count.
        rank: the figure that the best combination of a training has most of; least, for losses, risk and cost.
        sampler: `grid`, `random` or `lhs`: every window tries the same combinations.
        trials: how many combinations; of a grid the first so many, all by default.
        constraints: as for `sweep`.
        engine: of the runs; `auto` runs compiled strategies compiled.
        workers: processes, one core each; None for one per core, 0 for none: this process, with the same result.
        progress: called after each run, as they finish.
        seed: of every run and of the sampler, instead of the system's.

    A run that fails is a row with its error. Raises `ConfigError` before anything starts, as `sweep` does, and CONF002
    for lengths that make no windows in this data.
    """
    settings = build_settings(
        WalkForwardSettings,
        {
            "scheme": scheme, "train": train, "test": test, "step": step, "folds": folds, "purge": purge,
            "embargo": embargo, "warmup": warmup,
        },
        place="walk_forward",
    )  # fmt: skip
    return walk_forward_by(
        settings,
        system,
        data=data,
        grid=grid,
        rank=rank,
        sampler=sampler,
        trials=trials,
        constraints=constraints,
        engine=engine,
        workers=workers,
        progress=progress,
        seed=seed,
    )


def walk_forward_by(
    settings: WalkForwardSettings,
    system: System,
    *,
    data: Dataset,
    grid: Mapping[str, Values] | Grid | None,
    rank: str,
    sampler: str = "grid",
    trials: int | None = None,
    constraints: Sequence[ConstraintLike] = (),
    engine: Engine = "auto",
    workers: int | None = None,
    progress: Told | None = None,
    seed: int | None = None,
) -> WalkForwardResult:
    """`walk_forward` by the settings of a run file."""
    check_rank(rank)
    seeded = copy(system)
    seeded.seed = system.seed if seed is None else seed
    tried = combinations_of(seeded, grid, sampler=sampler, trials=trials, constraints=constraints)
    folds = folds_of(settings, data.start_ns, data.end_ns + 1)
    refused = refused_trials(seeded, tried)
    valid = [trial for trial in range(len(tried)) if trial not in refused]
    items = [WindowItem(window, trial) for window in range(len(folds)) for trial in valid]
    watch = Watch(progress, trials=len(items) + len(folds))
    job = WindowJob(seeded, tried, folds, settings.warmup, engine)
    with workforce(data, workers=workers, items_max=len(items)) as force:
        watch.begin(force.engine)
        trained: list[dict[int, Trial]] = [{} for _ in folds]
        for done in force.map(job, items):
            item = items[done.position]
            trained[item.window][item.trial] = _trial(item.trial, done)
            watch.tell(done)
        chosen = [best_of((made[number] for number in sorted(made)), rank) for made in trained]
        tests = [WindowItem(window, best.number, is_test=True) for window, best in enumerate(chosen) if best]
        tested: dict[int, WindowRun] = {}
        for done in force.map(job, tests):
            tested[tests[done.position].window] = _run(done)
            watch.tell(done)
    outcomes = [
        # By number: workers finish in any order, and nothing may depend on it.
        WindowOutcome(fold, dict(sorted((trained[place] | refused).items())), chosen[place], tested.get(place))
        for place, fold in enumerate(folds)
    ]
    return walk_forward_result(
        outcomes,
        tried,
        rank=rank,
        scheme=settings.scheme,
        workers=force.workers,
        seconds=watch.seconds,
        engine=force.engine,
    )


def combinations_of(
    system: System,
    grid: Mapping[str, Values] | Grid | None,
    *,
    sampler: str,
    trials: int | None,
    constraints: Sequence[ConstraintLike],
) -> Proposals:
    """All combinations that each window tries. Raises `ConfigError` as `sweep` does, CONF002 for a sampler that learns.

    One that learns from results would try others in each window: their number, and so the luck of the best, could not
    be told.
    """
    if sampler in SAMPLERS and sampler not in ENUMERATED:
        what = f"the sampler {sampler} learns from results, and each window tries the same combinations"
        raise ConfigError("CONF002", "sampler", what, f"Use {', '.join(ENUMERATED)}.", sampler)
    parameters = grid.parameters if isinstance(grid, Grid) else parameters_of(system.actors, grid or {})
    if sampler == "grid":
        parameters = Grid.expanded(parameters).parameters
    limits = constraints_of(constraints, parameters)
    names = [parameter.name for parameter in parameters]
    proposing = make_sampler(
        sampler,
        parameters,
        seed=system.seed,
        trials=trials,
        directions=["maximize"],
        admits=lambda chosen: all(each(dict(zip(names, chosen, strict=True))) for each in limits),
    )
    tried = Proposals(parameters)
    tried.add(proposing.ask(COMBINATIONS_MAX))
    if not len(tried):
        what = f"the constraints exclude all combinations ({', '.join(map(str, constraints))})"
        raise ConfigError("CONF009", "constraints", what, "Loosen one of them.")
    return tried


def folds_of(settings: WalkForwardSettings, start_ns: int, end_ns: int) -> list[Fold]:
    """The windows of data from `start_ns` up to `end_ns`. Raises `ConfigError` CONF002 where there is no room."""
    if settings.scheme == "k_fold":
        return k_folds(start_ns, end_ns, folds=settings.folds, purge_ns=settings.purge, embargo_ns=settings.embargo)
    train_ns, test_ns = settings.train, settings.test
    if train_ns is None or test_ns is None:
        usable_ns = end_ns - start_ns - settings.purge
        test_ns = -(-usable_ns // (settings.folds + TESTS_LONG))
        train_ns = usable_ns - settings.folds * test_ns
    return windows(
        start_ns,
        end_ns,
        train_ns=train_ns,
        test_ns=test_ns,
        step_ns=settings.step,
        purge_ns=settings.purge,
        is_anchored=settings.scheme == "anchored",
    )


def refused_trials(system: System, tried: Proposals) -> dict[int, Trial]:
    """The combinations that the strategy's own settings refuse. Raises `ConfigError` CONF009 where that is all."""
    refused = {}
    for number in range(len(tried)):
        try:
            system.with_settings(tried.settings(number))
        except ConfigError as error:
            refused[number] = Trial(number, error=error_line(error), is_invalid=True)
    if len(refused) == len(tried):
        what = f"the settings refuse all {len(tried):,} combinations (the first: {refused[0].error})"
        raise ConfigError("CONF009", "grid", what, "Give other values.", str(len(tried)))
    return refused


class Watch:
    """How it stands, told after each run."""

    def __init__(self, told: Told | None, *, trials: int) -> None:
        self._told, self._trials = told, trials
        self._clock = LiveClock()
        self._started_ns = self._clock.now_ns()
        self._done = self._failed = 0
        self._engine = ""

    @property
    def seconds(self) -> float:
        """Since it was made."""
        return (self._clock.now_ns() - self._started_ns) / NANOSECONDS

    def begin(self, engine: str) -> None:
        """The workers are there."""
        self._engine = engine
        self._say()

    def tell(self, done: Done[WindowRun]) -> None:
        """One more."""
        self._done += 1
        self._failed += bool(_run(done).error)
        self._say()

    def _say(self) -> None:
        if self._told is not None:
            counts = {"done": self._done, "trials": self._trials, "failed": self._failed, "invalid": 0}
            self._told(SweepProgress(**counts, row=None, best=None, engine=self._engine, seconds=self.seconds))


def _run(done: Done[WindowRun]) -> WindowRun:
    if done.value is not None:
        return done.value
    return WindowRun(error=error_line(done.error or RuntimeError("lost")))


def _trial(number: int, done: Done[WindowRun]) -> Trial:
    run = _run(done)
    return Trial(number, run.figures, run.run_hash, run.seconds, done.worker, run.error)
