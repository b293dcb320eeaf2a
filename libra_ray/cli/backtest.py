"""`libra backtest`: one event-driven run, its figures, and its folder."""

import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TextIO

import typer

from libra_ray.cli.answer import Answer
from libra_ray.cli.faults import failed
from libra_ray.cli.options import ConfigFile, ConfigOption, Debug, Json, NoReport, RunsFolder, Sets, read_source
from libra_ray.cli.progress import log_to, note
from libra_ray.cli.tables import count_text, print_table, seconds_text

if TYPE_CHECKING:
    from libra_ray.simulation import BacktestResult
    from libra_ray.simulation.run_config import LoadedRun

__all__ = ["backtest", "print_figures", "run_once"]

DEFAULT_RUNS: Final = Path("runs")
SUMMARY: Final = (
    "total_return",
    "net_profit",
    "final_equity",
    "cagr",
    "sharpe_ratio",
    "sortino_ratio",
    "calmar_ratio",
    "max_drawdown",
    "trades",
    "win_rate",
    "profit_factor",
    "expectancy",
    "exposure",
)


class Engine(StrEnum):
    """What runs a backtest."""

    EVENT = "event"
    COMPILED = "compiled"
    AUTO = "auto"
    LOCKSTEP = "lockstep"


def backtest(
    config: ConfigFile = None,
    *,
    config_option: ConfigOption = None,
    sets: Sets = None,
    runs: RunsFolder = DEFAULT_RUNS,
    no_report: NoReport = False,
    batch_rows: Annotated[
        int | None, typer.Option("--batch-rows", min=1, help="Rows at a time; changes no result.")
    ] = None,
    engine: Annotated[
        Engine | None, typer.Option("--engine", help="All give one run hash; `lockstep` runs on Ray. Else the file's.")
    ] = None,
    placement: Annotated[
        str | None, typer.Option("--placement", help="Of lockstep: `isolated` (default) or `fused`; else the file's.")
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> Answer:
    """Run one backtest and write its run folder. Exit 1 when a strategy faulted."""
    from libra_ray.simulation.run_config import load_run

    run = load_run(read_source(config, config_option, sets))
    placed = placement or (run.lockstep_placement if engine is Engine.LOCKSTEP else None)
    how = {"batch_rows": batch_rows, "engine": None if engine is None else engine.value, "placement": placed}
    document, result = run_once(run, runs, report=not no_report, how=how, debug=debug, quiet=as_json)
    if result.faults:
        raise failed(result, f"Results so far: {document['folder']}")
    return Answer(document, lambda out: print_summary(out, document, result))


def run_once(
    run: "LoadedRun", runs: Path, *, report: bool, debug: bool, quiet: bool, how: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], "BacktestResult"]:
    """Run, write the folder, and return what the command answers with.

    `how`: arguments of `backtest` that change no result, where they are not None: rows at a time, engine, placement.
    """
    from loguru import logger

    from libra_ray import simulation
    from libra_ray.cli.recording import record_backtest
    from libra_ray.simulation.run_folder import LOG_NAME, reserved

    data = run.data
    if not quiet:
        counts = ((data.rows, "row"), (len(data), "stream"), (len(run.system.actors), "actor"))
        note(", ".join(count_text(count, noun) for count, noun in counts))
    settings = run.config.run
    chosen = {"batch_rows": settings.batch_rows, "engine": settings.engine, **_given(how or {})}
    with reserved(runs, run.config.run.name) as folder:
        with log_to(folder.draft / LOG_NAME, debug=debug):
            logger.info("{} begins: {:,} rows, seed {}", folder.run_id, data.rows, run.config.run.seed)
            result = simulation.backtest(run.system, data=data, **_given(chosen))
            logger.info("{} ended: {}, run hash {}", folder.run_id, result.counts, result.run_hash)
        kept = record_backtest(folder, run, result, report=report)
    counts = kept["counts"]
    document = {
        "run_id": kept["run_id"],
        "run_hash": kept["run_hash"],
        "stats": kept["stats"],
        "orders": counts["orders"],
        "fills": counts["fills"],
        "positions": counts["positions"],
        "denied": counts["denied"],
        "rejected": counts["rejected"],
        "faults": kept["faults"],
        "seconds": kept["seconds"],
        "rows": kept["data"]["rows"],
        "folder": str(folder.path),
        "data_digest": kept["hashes"]["data"],
        "config_hash": kept["hashes"]["config"],
        "code_hash": kept["hashes"]["code"],
    }
    return document, result


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def print_summary(out: TextIO, document: dict[str, Any], result: "BacktestResult") -> None:
    """Figures, counts, refusals by reason, and where everything is."""
    from libra_ray.simulation.run_folder import REPORT_NAME

    print_figures(out, document["stats"], SUMMARY, title=str(document["run_id"]))
    speed = document["rows"] / document["seconds"] if document["seconds"] else 0
    counts = ", ".join(f"{document[name]:,} {name}" for name in ("orders", "fills", "positions", "denied", "rejected"))
    out.write(f"{counts}\n{document['rows']:,} rows in {seconds_text(document['seconds'])} ({speed:,.0f} rows/s)\n")
    out.writelines(f"  denied {code}: {count:,}\n" for code, count in sorted(result.denied.items()))
    out.write(f"run hash  {document['run_hash']}\nfolder    {document['folder']}\n")
    report = Path(document["folder"]) / REPORT_NAME
    if report.is_file():
        out.write(f"report    {report}\n")


def print_figures(out: TextIO, stats: dict[str, Any], names: tuple[str, ...], title: str = "") -> None:
    """Figures with the labels and digits of the report."""
    from libra_ray.analysis.wording import FIGURES, figure_text

    currency = f" {stats['currency']}" if stats.get("currency") else ""
    rows = [
        [FIGURES[name].label, figure_text(name, stats.get(name)) + (currency if FIGURES[name].kind == "money" else "")]
        for name in names
        if name in FIGURES
    ]
    print_table(out, ["figure", "value"], rows, title=title)
    sys.stdout.flush()
