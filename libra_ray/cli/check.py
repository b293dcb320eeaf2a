"""`libra check`: whether a run repeats exactly, is honest, and whether the scenarios of the specification pass."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TextIO

import typer

from libra_ray.cli.answer import Answer
from libra_ray.cli.check_honesty import lookahead, warmup
from libra_ray.cli.options import ConfigFile, ConfigOption, Debug, Json, Sets, read_source
from libra_ray.cli.progress import note
from libra_ray.cli.tables import print_table
from libra_ray.cli.toml_text import toml_value
from libra_ray.errors import ConfigError, LibraError

if TYPE_CHECKING:
    from libra_ray.simulation.run_config import LoadedRun

__all__ = ["check"]

check = typer.Typer(help="Check that runs repeat exactly and are honest, and that scenarios pass.")
check.command("lookahead")(lookahead)
check.command("warmup")(warmup)
HASH_SEEDS: Final = ("1", "4242")
BATCH_ROWS: Final = (1, 7, 100_000)
SMALL_BATCH_ROWS_MAX: Final = 20_000
"""A batch of one row is slow: it is tried on runs up to this size."""
VALUES_EACH, PARAMETERS = 2, 2


@dataclass(frozen=True)
class Case:
    """One way to run the same thing again: arguments, environment, and the trials to look at instead of a run."""

    name: str
    command: str
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


@check.command("determinism")
def determinism(
    config: ConfigFile = None,
    *,
    config_option: ConfigOption = None,
    sets: Sets = None,
    placement: Annotated[
        str | None, typer.Option("--placement", help="Also run in lockstep, actors placed so: `isolated`, for example.")
    ] = None,
    without_sweep: Annotated[
        bool, typer.Option("--without-sweep", help="Do not start Ray.", show_default=False)
    ] = False,
    as_json: Json = False,
    _debug: Debug = False,
) -> Answer:
    """Run a file again, with other hash seeds, batch sizes, engines, workers. Exit 1 when a run hash differs."""
    from libra_ray.simulation.run_config import load_run

    source = read_source(config, config_option, sets)
    run = load_run(source)
    shared = [str(source.path), *(part for each in sets or [] for part in ("--set", each))]
    results: list[dict[str, Any]] = []
    cases = list(_cases(run, sweeps=not without_sweep, placement=placement))
    with tempfile.TemporaryDirectory(prefix="libra-check-") as folder:
        for case, document in zip(cases, _documents(cases, shared, Path(folder)), strict=True):
            results.append({"name": case.name, **_hashes(document)})
            if not as_json:
                note(f"{case.name}: {results[-1]['run_hash']}")
    groups = {kind: [each for each in results if each["kind"] == kind] for kind in ("run", "sweep")}
    for group in groups.values():
        for each in group:
            each["equal"] = each["run_hash"] == group[0]["run_hash"]
    differing = [each["name"] for each in results if not each["equal"]]

    def show(out: TextIO) -> None:
        rows = [["ok" if each["equal"] else "!!", each["name"], each["run_hash"]] for each in results]
        print_table(out, ["", "run again with", "run hash"], rows)
        out.write(f"differing: {', '.join(differing)}\n" if differing else "all equal\n")

    return Answer({"equal": not differing, "differing": differing, "runs": results}, show, 1 if differing else 0)


def _cases(run: "LoadedRun", *, sweeps: bool, placement: str | None) -> Iterator[Case]:
    """The first run is what the others must equal; then the first sweep, likewise."""
    yield Case("hash seed 0", "backtest", environment={"PYTHONHASHSEED": "0"})
    for seed in HASH_SEEDS:
        yield Case(f"hash seed {seed}", "backtest", environment={"PYTHONHASHSEED": seed})
    rows = run.data.rows
    for size in BATCH_ROWS:
        if size > 1 or rows <= SMALL_BATCH_ROWS_MAX:
            yield Case(f"batches of {size:,}", "backtest", ("--batch-rows", str(size)))
    yield Case("the same again", "backtest", environment={"PYTHONHASHSEED": "0"})
    for engine in _engines(run):
        yield Case(f"engine {engine}", "backtest", ("--engine", engine))
    if placement is not None:
        yield Case(f"lockstep, {placement}", "backtest", ("--engine", "lockstep", "--placement", placement))
    if not sweeps:
        return
    from libra_ray.cli.health import cores

    grid = f"grid={toml_value(_small_grid(run))}"

    for workers in (1, max(2, cores())):
        name = f"sweep with {workers} worker{'' if workers == 1 else 's'}"
        yield Case(name, "sweep", ("--workers", str(workers), "--set", grid))


def _engines(run: "LoadedRun") -> list[str]:
    """The engines that can run it in one process: two where a strategy is compiled, else the one that does anyway."""
    from libra_ray.strategy.compiled import CompiledStrategy

    is_compiled = any(issubclass(entry.cls, CompiledStrategy) for entry in run.system.actors)
    return ["event", "compiled"] if is_compiled else []


def _small_grid(run: "LoadedRun") -> dict[str, list[Any]]:
    """A few values of the file's own grid; without one, the present value of one setting."""
    if run.config.grid:
        return {name: values[:VALUES_EACH] for name, values in list(run.config.grid.items())[:PARAMETERS]}
    entry = run.system.actors[-1]
    settings = entry.config.model_dump(mode="json")
    name = next(key for key, value in settings.items() if key != "actor_id" and value is not None)
    return {f"{entry.actor_id}.{name}": [settings[name]]}


def _documents(cases: Sequence[Case], shared: list[str], folder: Path) -> Iterator[dict[str, Any]]:
    """What each case brought, in order: backtests side by side, one per core, and sweeps, which use all, by turns."""
    from libra_ray.cli.health import cores

    alone = [case for case in cases if case.command == "backtest"]
    with ThreadPoolExecutor(cores()) as pool:
        running = [pool.submit(_run, case, shared, folder / str(place)) for place, case in enumerate(alone)]
        try:
            yield from (each.result() for each in running)
        finally:
            pool.shutdown(cancel_futures=True)
    yield from (_run(case, shared, folder) for case in cases[len(alone) :])


def _run(case: Case, shared: list[str], folder: Path) -> dict[str, Any]:
    """The case in a process of its own. Raises the error that it ended with."""
    command = [sys.executable, "-m", "libra_ray", case.command, *shared, *case.arguments]
    command += ["--json", "--no-report", "--runs", str(folder / "runs")]
    done = subprocess.run(  # noqa: S603  # our own program
        command, env={**os.environ, **case.environment}, capture_output=True, text=True, check=False
    )
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise LibraError(f"{case.name} ended with exit code {done.returncode}: {done.stderr.strip()[-500:]}") from None
    if "error" in document:
        error = document["error"]
        failure = ConfigError(error["code"], error["place"], f"{case.name}: {error['message']}", error["fix"])
        failure.exit_code = error["exit_code"]
        raise failure
    return document


def _hashes(document: dict[str, Any]) -> dict[str, Any]:
    """What must be equal: the hash of a run, or of all trials; a sweep over the present settings is that run again."""
    from libra_ray.simulation.run_folder import content_hash

    trials = document.get("trial_hashes")
    if trials is None or len(trials) == 1:
        return {"kind": "run", "run_hash": document["run_hash"]}
    return {"kind": "sweep", "run_hash": content_hash(trials)}


@check.command("scenario")
def scenario(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or folders taken recursively.")],
    *,
    _json: Json = False,
    _debug: Debug = False,
) -> Answer:
    """Run conformance scenarios through the whole order path. Exit 1 when one fails, 2 for a file that is none."""
    from libra_ray.testing import check_paths

    document = check_paths(paths)

    def show(out: TextIO) -> None:
        for result in document["results"]:
            if not result["ok"]:
                out.write(f"{result['name']}\n")
                out.writelines(f"  {line}\n" for line in result["diff"])
        if document["unsupported"]:
            out.write(f"not supported yet: {', '.join(document['unsupported'])}\n")
        counts = f"{document['passed']} passed, {document['failed']} failed"
        out.write(f"{counts}, {len(document['unsupported'])} unsupported\n")

    return Answer(document, show, exit_code=1 if document["failed"] else 0)
