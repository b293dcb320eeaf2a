"""From the command to its result: `libra backtest` in a new process, on minute bars of a catalog.

$ libra backtest ema_cross.toml --json   Interpreter, imports, Parquet, the run, figures, tables, report: all of it.

An item is a bar. The floor is an interpreter that imports what the library stands on and ends. Compiled code is in
numba's cache, as after any first run; what the very first run costs, with that cache empty, is shown as a fact. A
package `ray` that refuses to be imported stands first on the path: a backtest that started Ray would fail.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import libra_ray as lr
from benchmarks._inputs import INSTRUMENT_ID, bar_dataset
from benchmarks.harness import Bench, Stopwatch, main
from benchmarks.peers.job import JOB, plain_answer, synthetic_bars

ROOT: Final = Path(__file__).resolve().parent.parent
IMPORTS: Final = "import msgspec, numba, numpy, pyarrow.parquet, pydantic, typer"
NO_RAY: Final = 'raise ImportError("a backtest does not need Ray")\n'
RUN_FILE: Final = f"""
[run]
name = "cold"
seed = 7
[data]
catalog = "catalog"
streams = ["bars {INSTRUMENT_ID} 1m"]
[[venue]]
name = "SIM"
account = "margin"
balances = ["{JOB.balance} USD"]
fees = {{ maker = "{JOB.fee_rate:.4f}", taker = "{JOB.fee_rate:.4f}" }}
[strategy]
path = "libra_actors.strategies.EmaCross"
[strategy.config]
instrument = "{INSTRUMENT_ID}"
bars = "1m"
fast = {JOB.fast}
slow = {JOB.slow}
quantity = "{JOB.quantity}"
"""


def cold_start(bench: Bench) -> None:
    """Start the command as a person does and wait for its answer."""
    count = bench.size("bars", smoke=2_000, full=200_000)
    bars = synthetic_bars(count, seed=bench.seed)
    expected = plain_answer(bars)
    bench.budget("command", seconds_max=3.0)

    with tempfile.TemporaryDirectory(prefix="libra-cold-") as name:
        folder = Path(name)
        _prepare(folder, bars=bar_dataset(bars))
        command = [sys.executable, "-m", "libra_ray", "backtest", "run.toml", "--json", "--runs", "runs"]
        routes = {
            "floor": [sys.executable, "-c", IMPORTS],
            "command": command,
            "command_no_report": [*command, "--no-report"],
        }
        watch = Stopwatch()
        first = _answer(_run(command, folder, {"NUMBA_CACHE_DIR": str(folder / "numba")}))
        bench.fact("very_first_run_seconds", watch.seconds())

        for _ in bench.runs():
            for route, words in bench.turns(routes):
                with bench.timed(route, items=count):
                    out = _run(words, folder, {})
                if route != "floor":
                    answer = _answer(out)
                    bench.check(actual=answer["run_hash"], expected=first["run_hash"])
                    bench.check(actual=answer["fills"], expected=expected.fills)
                    bench.check(actual=round(answer["stats"]["final_equity"] * 100), expected=expected.equity_cents)


def _prepare(folder: Path, *, bars: lr.Dataset) -> None:
    """Write catalog, run file and the package that must not be imported."""
    (stream,) = bars
    lr.catalog(folder / "catalog").write(stream.instrument, stream.schema, stream.table, stream.period)
    (folder / "run.toml").write_text(RUN_FILE)
    (folder / "no_ray" / "ray").mkdir(parents=True)
    (folder / "no_ray" / "ray" / "__init__.py").write_text(NO_RAY)


def _run(command: list[str], folder: Path, settings: Mapping[str, str]) -> str:
    path = [str(folder / "no_ray"), str(ROOT), str(ROOT / "actors"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, **settings, "PYTHONPATH": os.pathsep.join(part for part in path if part)}
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(f"exit code {run.returncode}: {run.stderr or run.stdout}")
    return run.stdout


def _answer(out: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(out)
    return document


if __name__ == "__main__":
    sys.exit(main(cold_start))
