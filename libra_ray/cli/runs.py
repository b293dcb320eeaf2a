"""`libra runs`: what was run before. Every run is a folder; these commands read them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, TextIO

import typer

from libra_ray.cli.answer import Answer
from libra_ray.cli.options import Debug, Json, RunsFolder
from libra_ray.cli.tables import print_facts, print_table

__all__ = ["runs"]

runs = typer.Typer(help="List, show and compare finished runs.", no_args_is_help=False)
DEFAULT: Final = Path("runs")
NS_PER_SECOND: Final = 1_000_000_000
LISTED_STATS: Final = ("total_return", "sharpe_ratio", "max_drawdown", "trades")

RunId = Annotated[str, typer.Argument(metavar="RUN", help="The id, its beginning, or 'last'.")]


@runs.command("ls")
def ls(*, folder: RunsFolder = DEFAULT, _json: Json = False, _debug: Debug = False) -> Answer:
    """List runs, oldest first."""
    from libra_ray.simulation.run_folder import read_runs

    found = read_runs(folder)

    def show(out: TextIO) -> None:
        if not found:
            out.write(f"no runs in {folder}\n")
            return
        header = ["run", "kind", "made", "hash", "total return", "sharpe", "max drawdown", "trades", "faults"]
        print_table(out, header, [_line(run) for run in found])

    keys = ("run_id", "kind", "created_ns", "run_hash", "seconds", "stats", "faults")
    return Answer({"runs": [{key: run.get(key) for key in keys} for run in found]}, show)


@runs.command("show")
def show_run(run: RunId, *, folder: RunsFolder = DEFAULT, _json: Json = False, _debug: Debug = False) -> Answer:
    """Show one run: figures, hashes, versions and its resolved configuration."""
    from libra_ray.simulation.run_folder import find_run, read_run

    path = find_run(folder, run)
    document = read_run(path)

    def show(out: TextIO) -> None:
        out.write(f"{document['run_id']}  {_time_text(document.get('created_ns'))}  {path}\n")
        simple = {key: value for key, value in document.items() if not isinstance(value, dict | list)}
        print_facts(out, simple)
        for part in ("stats", "versions"):
            print_facts(out, document.get(part) or {}, title=part)
        out.writelines(f"fault: {fault}\n" for fault in document.get("faults") or [])
        out.write(f"configuration\n{json.dumps(document.get('config'), indent=1)}\n")

    return Answer({**document, "folder": str(path)}, show)


@runs.command("compare")
def compare(
    run_ids: Annotated[list[str], typer.Argument(metavar="RUN...", help="Two or more ids.")],
    *,
    folder: RunsFolder = DEFAULT,
    _json: Json = False,
    _debug: Debug = False,
) -> Answer:
    """Put runs side by side: which settings and which figures differ. Equal hashes mean equal results."""
    from libra_ray.simulation.run_folder import find_run, read_run

    documents = [read_run(find_run(folder, run_id)) for run_id in run_ids]
    names = [str(document["run_id"]) for document in documents]
    sides = {
        part: [_flat(document.get(part) or {}) for document in documents]
        for part in ("config", "stats", "versions", "hashes")
    }
    differing = {part: _differing(values) for part, values in sides.items()}
    hashes = [document.get("run_hash") for document in documents]
    equal = len(set(hashes)) == 1

    def show(out: TextIO) -> None:
        out.write(f"results are {'equal' if equal else 'different'}\n")
        for part, rows in differing.items():
            if rows:
                print_table(out, [part, *names], [[key, *values] for key, values in rows.items()])

    return Answer({"runs": names, "equal": equal, "run_hashes": hashes, "differences": differing}, show)


@runs.command("open")
def open_run(run: RunId, *, folder: RunsFolder = DEFAULT, _json: Json = False, _debug: Debug = False) -> Answer:
    """Print the path of a run's report, to be opened in a browser."""
    from libra_ray.simulation.run_folder import REPORT_NAME, find_run

    path = find_run(folder, run).absolute()
    report = path / REPORT_NAME
    shown = report if report.is_file() else path
    return Answer(
        {"folder": str(path), "report": str(report) if report.is_file() else None}, lambda out: _write(out, shown)
    )


def _write(out: TextIO, path: Path) -> None:
    out.write(f"{path}\n")


def _line(run: dict[str, Any]) -> list[object]:
    stats = run.get("stats") or {}
    faults = len(run.get("faults") or [])
    return [
        run["run_id"],
        run.get("kind"),
        _time_text(run.get("created_ns")),
        str(run.get("run_hash") or "")[:8],
        *(stats.get(name) for name in LISTED_STATS),
        faults,
    ]


def _time_text(created_ns: object) -> str:
    if not isinstance(created_ns, int):
        return "-"
    return datetime.fromtimestamp(created_ns // NS_PER_SECOND, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _flat(value: object, key: str = "") -> dict[str, Any]:
    """Nested tables as dotted keys."""
    if isinstance(value, dict) and value:
        found: dict[str, Any] = {}
        for name, part in value.items():
            found |= _flat(part, f"{key}.{name}" if key else str(name))
        return found
    return {key: value} if key else {}


def _differing(sides: list[dict[str, Any]]) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for side in sides for name in side)
    rows = {name: [side.get(name) for side in sides] for name in names}
    return {name: row for name, row in rows.items() if any(value != row[0] for value in row)}
