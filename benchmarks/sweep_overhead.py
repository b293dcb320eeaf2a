"""What a trial costs beside its run: proposing, dispatch, the journal's line, the table's row.

sampler --> driver --> worker: backtest --> driver --> journal, table     An item is a trial of a few bars.

The floor is the time of the runs alone, as the workers tell it. `here` is the whole sweep in this process with a
journal, `worker` the same on one Ray worker, from the first trial's row to the last one's; `resumed` reads all trials
back from the journal and runs none.
"""

import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Final

import pyarrow.compute as pc

import libra_ray as lr
from benchmarks._ema_cross import ema_cross_system
from benchmarks._inputs import bar_dataset
from benchmarks.harness import Bench, Stopwatch, main
from benchmarks.peers.job import synthetic_bars
from libra_ray.runtime.ray import RaySession
from libra_ray.sweeps import SweepProgress, SweepResult

FAST: Final = range(5, 25)
OVERHEAD_SECONDS_MAX: Final = 0.003


def sweep_overhead(bench: Bench) -> None:
    """Run a sweep of small trials with a journal: here, on a worker, and again from the journal."""
    trials = bench.size("trials", smoke=20, full=2_000)
    bars = bench.size("bars_per_trial", smoke=200, full=200)
    data = bar_dataset(synthetic_bars(bars, seed=bench.seed))
    slow = range(30, 30 + trials // len(FAST))
    bench.budget("here_overhead", items_per_s_min=1 / OVERHEAD_SECONDS_MAX)
    bench.budget("worker_overhead", items_per_s_min=1 / OVERHEAD_SECONDS_MAX)

    with RaySession(workers=1), tempfile.TemporaryDirectory() as folder:
        for run in bench.runs():
            hashes: list[list[str]] = []
            for name, workers in (("here", 0), ("worker", 1)):
                journal = Path(folder) / f"{run}-{name}"
                finished: list[float] = []
                result = _swept(bench, data, slow, workers, journal, finished)
                runs_s = float(pc.sum(result.table.column("seconds")).as_py()) * (trials - 1) / trials
                whole_s = finished[-1] - finished[1]
                if workers == 0:
                    bench.record("floor", seconds=runs_s, items=trials - 1)
                bench.record(name, seconds=whole_s, items=trials - 1)
                bench.record(f"{name}_overhead", seconds=max(whole_s - runs_s, 1e-9), items=trials - 1, floor="")
                hashes.append(result.table.column("run_hash").to_pylist())
            with bench.timed("resumed", items=trials, floor=""):
                again = _swept(bench, data, slow, 0, Path(folder) / f"{run}-worker", [])
            hashes.append(again.table.column("run_hash").to_pylist())
            bench.check(actual=hashes[1:], expected=[hashes[0]] * 2)
            bench.check(actual=len(set(hashes[0])) > 1, expected=True)


def _swept(
    bench: Bench, data: lr.Dataset, slow: range, workers: int, journal: Path, finished: list[float]
) -> SweepResult:
    watch = Stopwatch()
    result = lr.sweep(
        ema_cross_system(),
        data=data,
        grid={"EmaCross.fast": FAST, "EmaCross.slow": slow},
        workers=workers,
        journal=journal,
        engine="event",
        progress=partial(_note, watch, finished),
    )
    bench.check(actual=(result.trials, result.failed, result.invalid), expected=(len(FAST) * len(slow), 0, 0))
    return result


def _note(watch: Stopwatch, finished: list[float], _: SweepProgress) -> None:
    """Keep the time of a row; the first call of a sweep comes before any."""
    finished.append(watch.seconds())


if __name__ == "__main__":
    sys.exit(main(sweep_overhead))
