"""`libra sweep`: one backtest per combination of parameters, over all cores, and the best one written down."""

import os
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TextIO

import typer

from libra_ray.cli.answer import Answer
from libra_ray.cli.options import (
    ConfigFile,
    ConfigOption,
    Debug,
    Json,
    NoReport,
    RunsFolder,
    Sets,
    Workers,
    read_source,
)
from libra_ray.cli.progress import log_to, note, trial_progress
from libra_ray.cli.tables import count_text, print_table, seconds_text
from libra_ray.cli.toml_text import toml_text
from libra_ray.cli.walk_forward import WalkForward, walk_forward_answer

if TYPE_CHECKING:
    from libra_ray.simulation.run_config import LoadedRun
    from libra_ray.sweeps import Grid, Parameter, SweepResult

__all__ = ["checked_grid", "checked_parameters", "print_trials", "run_sweep", "sweep"]

DEFAULT_RUNS: Final = Path("runs")
BEST_NAME: Final = "best.toml"
TABLE_NAME: Final = "sweep"
ONLY_SWEEPS: Final = ("grid", "sweep", "walk_forward")
"""Tables of a run file that one run has no use for."""
SHOWN_TRIALS: Final = 10
SHOWN_FIGURES: Final = ("total_return", "sharpe_ratio", "max_drawdown", "trades", "win_rate", "profit_factor")


def sweep(
    config: ConfigFile = None,
    *,
    config_option: ConfigOption = None,
    sets: Sets = None,
    runs: RunsFolder = DEFAULT_RUNS,
    no_report: NoReport = False,
    workers: Workers = None,
    rank: Annotated[str | None, typer.Option("--rank", metavar="FIGURE", help="Instead of sweep.rank.")] = None,
    sampler: Annotated[
        str | None, typer.Option("--sampler", metavar="NAME", help="grid, random, lhs, tpe, cmaes or nsga2.")
    ] = None,
    trials: Annotated[int | None, typer.Option("--trials", min=1, help="How many combinations.")] = None,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="ID", help="Go on with a sweep that was ended early.")
    ] = None,
    walk_forward: WalkForward = False,
    as_json: Json = False,
    debug: Debug = False,
) -> Answer:
    """Run many combinations of parameters and rank the runs. Failing trials are rows with their error."""
    from libra_ray.simulation.run_config import load_run

    run = load_run(read_source(config, config_option, sets))
    how = {"rank": rank, "sampler": sampler, "trials": trials, "workers": workers}
    if walk_forward:
        return walk_forward_answer(
            run, runs, searched(run, how), report=not no_report, resume=resume, debug=debug, quiet=as_json
        )
    document, result = run_sweep(run, runs, report=not no_report, how=how, resume=resume, debug=debug, quiet=as_json)

    def show(out: TextIO) -> None:
        print_trials(out, result, document["parameters"], title=str(document["run_id"]))
        out.write(f"{sweep_line(document)}\nfolder    {document['folder']}\n")
        out.writelines(f"{name:<9} {document[name]}\n" for name in ("best_config", "report") if document[name])

    has_failed = document["failed"] + document["refused"] == document["trials"]
    return Answer(document, show, exit_code=1 if has_failed else 0)


def checked_grid(run: "LoadedRun") -> "Grid":
    """The grid of the run file. Raises `ConfigError` CONF005, CONF006, CONF009 with the line of the key."""
    from libra_ray.sweeps import Grid

    return Grid.expanded(checked_parameters(run))


def checked_parameters(run: "LoadedRun") -> "tuple[Parameter, ...]":
    """What the run file varies. Raises as `checked_grid` does."""
    from libra_ray.sweeps.grid import parameters_of

    with run.source.located("grid"):
        return parameters_of(run.system.actors, run.config.grid, place=lambda name: run.source.place("grid", name))


def searched(run: "LoadedRun", how: Mapping[str, Any] | None) -> dict[str, Any]:
    """Arguments of `sweeps.sweep` from the run file's `[sweep]`, with those of the command line over them."""
    from libra_ray.sweeps import Grid, Pruning
    from libra_ray.sweeps.ranking import check_rank

    settings, given = run.config.sweep, {name: value for name, value in (how or {}).items() if value is not None}
    chosen: dict[str, Any] = {"rank": settings.rank, "sampler": settings.sampler, "trials": settings.trials, **given}
    with run.source.located("sweep", "rank") if "rank" not in given else nullcontext():
        check_rank(chosen["rank"])
    with run.source.located("sweep"):
        pruning = settings.pruning
        chosen["pruning"] = None if pruning is None else Pruning(tuple(pruning.parts), pruning.keep)
    parameters = checked_parameters(run)
    chosen["grid"] = Grid.expanded(parameters) if chosen["sampler"] == "grid" else Grid(parameters)
    chosen.setdefault("workers", settings.workers)
    engine = run.config.run.engine
    return chosen | {
        "objectives": settings.objectives,
        "constraints": settings.constraints,
        "patience": settings.patience,
        "time_budget_seconds": settings.time_budget_seconds,
        "seed": run.config.run.seed if settings.seed is None else settings.seed,
        "engine": "auto" if engine == "event" and "engine" not in run.config.run.model_fields_set else engine,
    }


def run_sweep(
    run: "LoadedRun",
    runs: Path,
    *,
    report: bool,
    debug: bool,
    quiet: bool,
    how: Mapping[str, Any] | None = None,
    resume: str | None = None,
) -> tuple[dict[str, Any], "SweepResult"]:
    """Run all trials, write the folder, and return what the command answers with.

    `how`: arguments of `sweeps.sweep` that are not None take the place of the run file's. `resume`: the id of a sweep
    of this run file that was ended early.
    """
    from libra_ray import sweeps
    from libra_ray.analysis.sweep_report import deflated_best
    from libra_ray.cli.recording import fingerprints
    from libra_ray.simulation.run_folder import LOG_NAME, REPORT_NAME, reopened, reserved
    from libra_ray.sweeps.trial_journal import JOURNAL_NAME

    chosen = searched(run, how)
    grid, figure = chosen["grid"], chosen["rank"]
    data = run.data
    if not quiet:
        count = chosen["trials"] or len(grid)
        note(f"{count_text(count, 'backtest')} over {count_text(data.rows, 'row')}")
    name = run.config.run.name
    opened = reserved(runs, name, keeps=JOURNAL_NAME) if resume is None else reopened(runs, resume)
    with opened as folder:
        if not quiet:
            note(f"if it is ended early: --resume {folder.run_id}")
        with log_to(folder.draft / LOG_NAME, debug=debug), trial_progress(figure, quiet=quiet) as progress:
            result = sweeps.sweep(
                run.system, data=data, journal=folder.draft / JOURNAL_NAME, progress=progress, **chosen
            )
        folder.write_table(TABLE_NAME, result.table)
        if result.best is not None:
            best = best_config(run, grid, result, back=os.path.relpath(run.folder, folder.path))
            (folder.draft / BEST_NAME).write_text(best, encoding="utf-8")
        if report:
            write_report(folder.draft / REPORT_NAME, run, grid, result)
        hashes = result.table.column("run_hash").to_pylist()
        kept = {
            "run_id": folder.run_id,
            "kind": "sweep",
            "name": run.config.run.name,
            "created_ns": time.time_ns(),
            "run_hash": None if result.best is None else result.best["run_hash"],
            "seed": run.config.run.seed,
            "seconds": round(result.seconds, 6),
            "trials": result.trials,
            "failed": result.failed,
            "refused": result.invalid,
            "pruned": result.pruned,
            "stopped": result.stopped,
            "workers": result.workers,
            "sampler": chosen["sampler"],
            "rank": figure,
            "best": result.best,
            "stats": None if result.best is None else dict(result.best),
            "faults": [],
            **fingerprints(run),
        }
        folder.write_index(kept)
    (folder.path / JOURNAL_NAME).unlink()  # the table has it all
    told = ("trials", "failed", "pruned", "stopped", "best", "seconds", "workers", "sampler", "rank", "refused")
    document = {name: kept[name] for name in told}
    document |= {
        "run_id": kept["run_id"],
        "run_hash": kept["run_hash"],
        "parameters": [parameter.name for parameter in grid.parameters],
        "trial_hashes": hashes,
        "deflated_sharpe_ratio": deflated_best(result.table),
        "folder": str(folder.path),
        "table": str(folder.path / f"{TABLE_NAME}.parquet"),
        "best_config": str(folder.path / BEST_NAME) if result.best is not None else None,
        "report": str(folder.path / REPORT_NAME) if (folder.path / REPORT_NAME).is_file() else None,
        "data_digest": kept["hashes"]["data"],
        "config_hash": kept["hashes"]["config"],
        "code_hash": kept["hashes"]["code"],
    }
    return document, result


def write_report(path: Path, run: "LoadedRun", grid: "Grid", result: "SweepResult") -> None:
    """The table, the maps of parameters and the best trial as one HTML file."""
    from libra_ray.analysis.sweep_report import sweep_report
    from libra_ray.sweeps.ranking import is_smaller_better
    from libra_ray.sweeps.trial_table import parameter_columns

    figures = [name for name in result.table.column_names if name == result.rank]
    columns = list(parameter_columns(grid, figures).values())
    if result.rank not in result.table.column_names:
        return  # no trial has the figure: there is nothing to rank, and the table says why
    sweep_report(
        path,
        result.table,
        [column for column in columns if column in result.table.column_names],
        result.rank,
        name=run.config.run.name,
        is_lower_better=is_smaller_better(result.rank),
        settings={"engine": result.engine, "seed": str(run.config.run.seed), "data": run.data.digest},
    )


def best_config(run: "LoadedRun", grid: "Grid", result: "SweepResult", *, back: str) -> str:
    """The run file with the best parameters in place, as `config_with` makes it."""
    from libra_ray.sweeps.trial_table import parameter_columns

    best = dict(result.best or {})
    columns = parameter_columns(grid, [name for name in result.table.column_names if name in best])
    settings: dict[str, dict[str, Any]] = {}
    for parameter in grid.parameters:
        column = parameter.name if parameter.name in best else columns[parameter.name]
        settings.setdefault(parameter.actor_id, {})[parameter.setting] = best[column]
    head = f"# The best of {result.trials:,} trials by {result.rank}: {best.get(result.rank)}"
    return f"{head}\n\n{config_with(run, settings, back=back)}"


def config_with(run: "LoadedRun", settings: Mapping[str, Mapping[str, Any]], *, back: str) -> str:
    """The run file with settings of actors in place and without what is for sweeps alone, as TOML.

    `back` leads from where it will lie to what its relative paths start from.
    """
    ids = [entry.actor_id for entry in run.system.actors]
    document: dict[str, Any] = {name: part for name, part in run.source.data.items() if name not in ONLY_SWEEPS}
    document["run"] = {**document["run"], "folder": back}
    places: list[tuple[str, int]] = [("actor", index) for index in range(len(run.config.actor))]
    places += [("strategy", index) for index in range(len(run.config.strategy))]
    for actor_id, (kind, index) in zip(ids, places, strict=True):
        if actor_id in settings:
            entries = document[kind] if isinstance(document[kind], list) else [document[kind]]
            changed = {**entries[index], "config": {**entries[index].get("config", {}), **settings[actor_id]}}
            document[kind] = [changed if at == index else entry for at, entry in enumerate(entries)]
    return toml_text(document)


def sweep_line(document: dict[str, Any]) -> str:
    """What a sweep did, in one line."""
    speed = document["trials"] / document["seconds"] if document["seconds"] else 0.0
    refused = f", {document['refused']:,} refused by the settings" if document["refused"] else ""
    refused += f", {document['pruned']:,} pruned" if document["pruned"] else ""
    refused += f", ended early: {document['stopped']}," if document["stopped"] else ""
    return (
        f"{document['trials']:,} trials, {document['failed']:,} failed{refused} in {seconds_text(document['seconds'])} "
        f"with {count_text(document['workers'], 'worker')} ({speed:.1f} trials/s)"
    )


def print_trials(out: TextIO, result: "SweepResult", parameters: list[str], title: str = "") -> None:
    """The best trials, then the first errors."""
    from libra_ray.analysis.wording import FIGURES, figure_text
    from libra_ray.sweeps.ranking import is_smaller_better

    rows = result.table.to_pylist()
    columns = [name for name in result.table.column_names if name in parameters or name.split(".")[-1] in parameters]
    figures = list(dict.fromkeys([result.rank, *SHOWN_FIGURES]))
    sign = 1 if is_smaller_better(result.rank) else -1
    ranked = sorted((row for row in rows if row.get(result.rank) is not None), key=lambda row: sign * row[result.rank])
    lines = [
        [row["trial"], *(row[name] for name in columns), *(figure_text(name, row.get(name)) for name in figures)]
        for row in ranked[:SHOWN_TRIALS]
    ]
    labels = [FIGURES[name].label if name in FIGURES else name for name in figures]
    print_table(out, ["trial", *columns, *labels], lines, title=title)
    errors = [row for row in rows if row["error"]]
    out.writelines(f"trial {row['trial']}: {row['error']}\n" for row in errors[:3])
    if len(errors) > 3:  # noqa: PLR2004  # three show what is wrong
        out.write(f"and {len(errors) - 3:,} more with an error\n")
