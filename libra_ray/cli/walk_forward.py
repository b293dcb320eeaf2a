"""`libra sweep --walk-forward`: parameters chosen window by window, and what they were worth in what came next."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TextIO, TypeAlias

import typer

from libra_ray.cli.answer import Answer
from libra_ray.cli.progress import log_to, note, trial_progress
from libra_ray.cli.tables import count_text, print_table, seconds_text
from libra_ray.errors import ConfigError

if TYPE_CHECKING:
    from libra_ray.simulation.run_config import LoadedRun
    from libra_ray.sweeps import WalkForwardResult

__all__ = ["WalkForward", "run_walk_forward", "walk_forward_answer"]

WalkForward: TypeAlias = Annotated[
    bool,
    typer.Option("--walk-forward", help="Choose in windows of [walk_forward] and try on the next.", show_default=False),
]
BEST_NAME: Final = "best.toml"
WINDOWS_NAME: Final = "windows"
TABLE_NAME: Final = "sweep"
EQUITY_NAME: Final = "out_of_sample"
TAKEN: Final = ("grid", "rank", "sampler", "trials", "constraints", "engine", "workers", "seed")
"""Arguments of a sweep that a walk-forward has too."""
SHOWN: Final = ("total_return", "sharpe_ratio", "max_drawdown", "trades")


def walk_forward_answer(
    run: "LoadedRun",
    runs: Path,
    chosen: Mapping[str, Any],
    *,
    report: bool,
    resume: str | None,
    debug: bool,
    quiet: bool,
) -> Answer:
    """What the command answers. Raises `ConfigError` CONF002 for options of a sweep that have no meaning here."""
    if resume is not None:
        what = "a walk-forward keeps no journal"
        raise ConfigError("CONF002", "--resume", what, "Leave out one of --resume and --walk-forward.", resume)
    document, result = run_walk_forward(run, runs, chosen, report=report, debug=debug, quiet=quiet)

    def show(out: TextIO) -> None:
        _print_windows(out, document, result)
        out.write(f"folder    {document['folder']}\n")
        out.writelines(f"{name:<9} {document[name]}\n" for name in ("best_config", "report") if document[name])

    return Answer(document, show, exit_code=0 if result.best is not None else 1)


def run_walk_forward(
    run: "LoadedRun", runs: Path, chosen: Mapping[str, Any], *, report: bool, debug: bool, quiet: bool
) -> tuple[dict[str, Any], "WalkForwardResult"]:
    """Run all windows, write the folder, and return what the command answers with. `chosen`: arguments of `sweep`."""
    from libra_ray.cli.recording import fingerprints
    from libra_ray.simulation.run_folder import LOG_NAME, REPORT_NAME, reserved
    from libra_ray.sweeps.walking_forward import folds_of, walk_forward_by

    settings, data = run.config.walk_forward, run.data
    with run.source.located("walk_forward"):
        windows = folds_of(settings, data.start_ns, data.end_ns + 1)
    if not quiet:
        note(f"{count_text(len(windows), 'window')} of {count_text(data.rows, 'row')}, {settings.scheme}")
    how = {name: chosen[name] for name in TAKEN}
    with reserved(runs, run.config.run.name) as folder:
        with log_to(folder.draft / LOG_NAME, debug=debug), trial_progress(how["rank"], quiet=quiet) as progress:
            result = walk_forward_by(settings, run.system, data=data, progress=progress, **how)
        folder.write_table(WINDOWS_NAME, result.windows)
        folder.write_table(TABLE_NAME, result.table)
        folder.write_table(EQUITY_NAME, result.equity)
        if result.best is not None:
            best = _best_config(run, result, back=os.path.relpath(run.folder, folder.path))
            (folder.draft / BEST_NAME).write_text(best, encoding="utf-8")
        if report:
            facts = {"engine": result.engine, "seed": str(how["seed"]), "data": data.digest}
            result.report(folder.draft / REPORT_NAME, name=run.config.run.name, settings=facts)
        kept = _kept(run, result, chosen) | {"run_id": folder.run_id, **fingerprints(run)}
        folder.write_index(kept)
    document = {name: value for name, value in kept.items() if name not in ("hashes", "data", "versions", "config")}
    document |= {
        "windows": result.windows.to_pylist(),
        "folder": str(folder.path),
        "table": str(folder.path / f"{TABLE_NAME}.parquet"),
        "best_config": str(folder.path / BEST_NAME) if result.best is not None else None,
        "report": str(folder.path / REPORT_NAME) if report else None,
        "data_digest": kept["hashes"]["data"],
        "config_hash": kept["hashes"]["config"],
        "code_hash": kept["hashes"]["code"],
    }
    return document, result


def _kept(run: "LoadedRun", result: "WalkForwardResult", chosen: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": "walk_forward",
        "name": run.config.run.name,
        "created_ns": time.time_ns(),
        "run_hash": result.run_hash,
        "seed": run.config.run.seed,
        "seconds": round(result.seconds, 6),
        "scheme": result.scheme,
        "rank": result.rank,
        "sampler": chosen["sampler"],
        "trials": result.trials,
        "failed": result.failed,
        "workers": result.workers,
        "parameters": [each.name for each in result.stability],
        "best": result.best,
        "stats": dict(result.stats),
        "degradation": result.degradation,
        "probabilistic_sharpe_ratio": result.probabilistic_sharpe,
        "stability": [
            {
                "parameter": each.name,
                "values": list(each.values),
                "distinct": each.distinct,
                "usual": each.usual,
                "usual_share": each.usual_share,
                "kept": each.kept,
                "mean_step": each.mean_step,
            }
            for each in result.stability
        ],
        "faults": [],
    }


def _best_config(run: "LoadedRun", result: "WalkForwardResult", *, back: str) -> str:
    from libra_ray.cli.sweep import config_with

    head = f"# What the last of {result.windows.num_rows} windows chose among {result.trials:,} by {result.rank}"
    return f"{head}\n\n{config_with(run, result.last_settings, back=back)}"


def _print_windows(out: TextIO, document: Mapping[str, Any], result: "WalkForwardResult") -> None:
    """Windows, then what is lost outside the training, how parameters moved, and the figures of all tests as one."""
    from libra_ray.analysis.wording import FIGURES, figure_text, time_text
    from libra_ray.cli.backtest import print_figures

    rank = result.rank
    label = FIGURES[rank].label if rank in FIGURES else rank
    rows = result.windows.to_pylist()
    columns = result.columns
    lines = [
        [
            row["window"],
            time_text(row["test_start_ns"]),
            *(row[name] for name in columns),
            figure_text(rank, row[f"train_{rank}"]),
            figure_text(rank, row[f"test_{rank}"]),
            percent(row["degradation"]),
            percent(row["deflated_sharpe_ratio"]),
        ]
        for row in rows
    ]
    header = ["window", "test from", *columns, f"{label} in training", "in test", "lost", "deflated Sharpe"]
    print_table(out, header, lines, title=str(document["run_id"]))
    out.writelines(f"window {row['window']}: {row['error']}\n" for row in rows if row["error"])
    for each in result.stability:
        if each.kept is not None:
            out.write(f"{each.name}: {each.distinct} values, most often {each.usual}, kept {percent(each.kept)}\n")
    out.write("all tests as one run, out of sample\n")
    print_figures(out, dict(result.stats), SHOWN)
    lost, sure = percent(result.degradation), percent(result.probabilistic_sharpe)
    out.write(f"lost outside the training {lost}, Sharpe ratio above 0 with a probability of {sure}\n")
    runs = result.table.num_rows + result.windows.num_rows
    seconds, workers = seconds_text(result.seconds), count_text(result.workers, "worker")
    out.write(f"{runs:,} runs, {result.failed:,} failed in {seconds} with {workers}\n")


def percent(share: float | None) -> str:
    """A share for reading: `12.3 %`, `-` for none."""
    return "-" if share is None else f"{share * 100:.1f} %"
