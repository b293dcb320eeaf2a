"""Many runs of one system over one dataset: a sampler proposes, workers run, a journal keeps, a table has the rows."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from copy import copy
from pathlib import Path
from typing import TypeAlias

from libra_ray.data import Dataset
from libra_ray.errors import ConfigError
from libra_ray.simulation.backtest import Engine
from libra_ray.simulation.system import System
from libra_ray.sweeps.constraints import ConstraintLike, constraints_of
from libra_ray.sweeps.course import Course, Limits
from libra_ray.sweeps.grid import Grid, Parameter, Values, parameters_of
from libra_ray.sweeps.proposals import Proposals
from libra_ray.sweeps.pruning import Pruning
from libra_ray.sweeps.ranking import check_rank, is_smaller_better
from libra_ray.sweeps.samplers import Chosen, make_sampler
from libra_ray.sweeps.sweep_identity import sweep_identity
from libra_ray.sweeps.sweep_result import SweepProgress, SweepResult
from libra_ray.sweeps.tally import Tally
from libra_ray.sweeps.trial_journal import TrialJournal
from libra_ray.sweeps.workforce import workforce

__all__ = ["Progress", "sweep"]

Progress: TypeAlias = Callable[[SweepProgress], None]


def sweep(
    system: System,
    *,
    data: Dataset,
    grid: Mapping[str, Values] | Grid | None = None,
    rank: str = "sharpe_ratio",
    sampler: str = "grid",
    trials: int | None = None,
    objectives: Sequence[str] = (),
    constraints: Sequence[ConstraintLike] = (),
    pruning: Pruning | None = None,
    patience: int | None = None,
    time_budget_seconds: float | None = None,
    engine: Engine = "auto",
    journal: str | Path | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    seed: int | None = None,
) -> SweepResult:
    """Run `system` with many combinations of settings, and rank the runs.

    Args:
        system: stays as it is; each trial is a changed copy.
        data: what every trial runs over; written once, mapped by all workers.
        grid: values by parameter, `{"EmaCross.fast": range(5, 15), "slow": lr.Range(20, 200)}`; names as in `Grid.of`.
            None takes the ranges that settings declare (`Range`).
        rank: the figure that the best trial has most of; least, for losses, risk and cost.
        sampler: `grid` (all combinations), `random`, `lhs` (Latin hypercube), or Optuna's `tpe`, `cmaes`, `nsga2`.
        trials: how many combinations; of a grid the first so many, all by default.
        objectives: what the sampler looks for, `rank` by default; several for `nsga2`, and the table tells which trials
            no other beats in all of them.
        constraints: text such as `"fast * 2 < slow"`, or functions of a combination; what they refuse is no trial.
        pruning: trials first run over the beginning of the data, and only the better ones go on.
        patience: stop when so many trials in a row have brought nothing better.
        time_budget_seconds: begin no trials after that; which are there then depends on the machine.
        engine: of the runs; `auto` runs compiled strategies compiled.
        journal: a file that keeps every finished trial; the same sweep with the same file runs only the rest.
        workers: processes, one core each; None for one per core, 0 for none: the trials run in this process, without
            Ray, and give the same rows.
        progress: called after each trial, as they finish.
        seed: of every trial and of the sampler, instead of the system's.

    A trial that fails is a row with its error, and so is a combination that the strategy's settings refuse. The table
    is the same for any number of workers and for a sweep that was resumed. Raises `ConfigError` before anything starts:
    CONF002 for arguments, CONF005, CONF006, CONF009 for parameters, for constraints or settings that refuse everything,
    and for a journal of another sweep; `JournalError` for one that cannot be written. Ctrl-C ends the workers, removes
    what they shared, and is raised.
    """
    if workers is not None and workers < 0:
        raise ConfigError("CONF002", "workers", f"{workers} is below 0", "Give 0 or more.", str(workers))
    wanted = tuple(objectives) or (rank,)
    for name in (rank, *wanted):
        check_rank(name)
    if trials is not None and trials < 1:
        raise ConfigError("CONF002", "trials", f"{trials} is not positive", "Give at least 1.", str(trials))
    seeded = copy(system)
    seeded.seed = system.seed if seed is None else seed
    parameters = grid.parameters if isinstance(grid, Grid) else parameters_of(seeded.actors, grid or {})
    if sampler == "grid" and not isinstance(grid, Grid):
        parameters = Grid.expanded(parameters).parameters
    limits = Limits(patience, time_budget_seconds)
    proposing = make_sampler(
        sampler,
        parameters,
        seed=seeded.seed,
        trials=trials,
        directions=["minimize" if is_smaller_better(name) else "maximize" for name in wanted],
        admits=_admits(parameters, constraints),
    )
    search = {
        "sampler": sampler,
        "trials": trials,
        "rank": rank,
        "objectives": wanted,
        "constraints": list(constraints),
        "pruning": pruning,
        "patience": patience,
    }
    with (
        nullcontext()
        if journal is None
        else TrialJournal(Path(journal), sweep_identity(seeded, data, parameters, search))
    ) as kept:
        combinations = Proposals(parameters)
        course = Course(
            seeded,
            proposing,
            combinations,
            objectives=wanted,
            rank=rank,
            pruning=pruning,
            limits=limits,
            engine=engine,
            journal=kept,
        )
        first = course.ask()
        if not first:
            what = f"the constraints exclude all combinations ({', '.join(map(str, constraints))})"
            raise ConfigError("CONF009", "constraints", what, "Loosen one of them.")
        planned = len(first) if sampler == "grid" and patience is None else trials
        tally = Tally(combinations, rank=rank, planned=planned, objectives=wanted, shows_pruning=pruning is not None)
        with workforce(data, workers=workers, items_max=planned or len(first)) as force:
            tally.engine, tally.workers = force.engine, force.workers
            course.run(first, force, tally, progress or (lambda _: None))
        return tally.result(stopped=course.stopped)


def _admits(parameters: Sequence[Parameter], given: Sequence[ConstraintLike]) -> Callable[[Chosen], bool]:
    """Whether the constraints allow a combination."""
    constraints = constraints_of(given, parameters)
    names = [parameter.name for parameter in parameters]
    return lambda chosen: all(each(dict(zip(names, chosen, strict=True))) for each in constraints)
