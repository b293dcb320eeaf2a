"""Many runs of one system over one dataset, one per combination of a grid."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from copy import copy
from dataclasses import replace
from typing import Any, TypeAlias

from libra_ray.data import Dataset
from libra_ray.errors import ConfigError
from libra_ray.simulation.system import System
from libra_ray.sweeps.grid import Grid
from libra_ray.sweeps.ranking import check_rank
from libra_ray.sweeps.sweep_result import SweepProgress, SweepResult
from libra_ray.sweeps.tally import Tally
from libra_ray.sweeps.trials import CellJob, Trial, cell, error_line

__all__ = ["Progress", "sweep"]

Progress: TypeAlias = Callable[[SweepProgress], None]


def sweep(
    system: System,
    *,
    data: Dataset,
    grid: Mapping[str, Iterable[Any]] | Grid,
    rank: str = "sharpe_ratio",
    workers: int | None = None,
    progress: Progress | None = None,
    seed: int | None = None,
) -> SweepResult:
    """Run `system` once per combination of `grid`, and rank the runs.

    Args:
        system: stays as it is; each trial is a changed copy.
        data: what every trial runs over; written once, mapped by all workers.
        grid: values by parameter, `{"EmaCross.fast": range(5, 15), "slow": [20, 30]}`; names as in `Grid.of`.
        rank: the figure that the best trial has most of; least, for losses, risk and cost.
        workers: processes, one core each; None for one per core, 0 for none: the trials run in this process, without
            Ray, and give the same rows.
        progress: called after each trial, as they finish.
        seed: of every trial, instead of the system's.

    A trial that fails is a row with its error, and so is a combination that the strategy's settings refuse. Raises
    `ConfigError` before anything starts: CONF002 (rank, workers), CONF005, CONF006, CONF009 (grid, also when the
    settings refuse all combinations). Ctrl-C ends the workers, removes what they shared, and is raised.
    """
    if workers is not None and workers < 0:
        raise ConfigError("CONF002", "workers", f"{workers} is below 0", "Give 0 or more.", str(workers))
    check_rank(rank)
    checked = grid if isinstance(grid, Grid) else Grid.of(system.actors, grid)
    seeded = system if seed is None else copy(system)
    if seed is not None:
        seeded.seed = seed
    tell = progress or (lambda _: None)
    tally = Tally(checked, rank=rank)
    refused = _refused(seeded, checked)
    for trial in refused:
        tally.add(trial)
    refused_numbers = {trial.number for trial in refused}
    numbers = [number for number in range(len(checked)) if number not in refused_numbers]
    with ExitStack() as stack:
        if workers == 0:
            tally.engine = "this process"
            trials = _in_this_process(seeded, checked, data, numbers)
        else:
            tally.workers, tally.engine, trials = _in_workers(stack, seeded, checked, data, numbers, workers)
        tell(tally.progress())
        for trial in trials:
            tell(tally.add(trial))
    return tally.result()


def _refused(system: System, grid: Grid) -> list[Trial]:
    """The combinations that the strategy's own settings refuse, as rows with the reason."""
    refused = []
    for number in range(len(grid)):
        try:
            system.with_settings(grid.settings(number))
        except ConfigError as error:
            refused.append(Trial(number, error=error_line(error), is_invalid=True))
    if len(refused) == len(grid):
        what = f"the settings refuse all {len(grid):,} combinations (the first: {refused[0].error})"
        raise ConfigError("CONF009", "grid", what, "Give other values.", str(len(grid)))
    return refused


def _in_this_process(system: System, grid: Grid, data: Dataset, numbers: Sequence[int]) -> Iterator[Trial]:
    run = cell(system, grid, data)
    for number in numbers:
        try:
            yield replace(run(number), worker=0)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # an error of user code is this trial's row
            yield Trial(number, worker=0, error=error_line(error))


def _in_workers(
    stack: ExitStack, system: System, grid: Grid, data: Dataset, numbers: Sequence[int], workers: int | None
) -> tuple[int, str, Iterator[Trial]]:
    """Start a pool that ends with `stack`. Ray is loaded here and not before: a single backtest does without."""
    from libra_ray.runtime.ray import EnginePool, RaySession, SharedFolder

    session = stack.enter_context(RaySession(workers=workers, workers_max=len(numbers)))
    shared = stack.enter_context(SharedFolder(data.write))
    pool = stack.enter_context(EnginePool(session.workers))

    def finished() -> Iterator[Trial]:
        for outcome in pool.map_unordered(CellJob(system, grid), numbers, shared=shared):
            number = numbers[outcome.position]
            if outcome.value is not None:
                yield replace(outcome.value, worker=outcome.worker)
            elif outcome.error is not None:
                yield Trial(number, worker=outcome.worker, error=error_line(outcome.error))

    return session.workers, session.describe(), finished()
