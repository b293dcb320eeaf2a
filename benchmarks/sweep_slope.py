"""What a trial costs beside its own work: many sweeps of tiny backtests, up to 10,000 trials, with a journal.

grid --> driver --calls--> worker 1, 2: tiny backtests --rows--> driver --> journal, table      An item is a trial.

`few` and `many` are the same sweep in two sizes: where `many` costs as much a trial as `few`, nothing grows with the
number of trials. What the driver itself spends a trial is the limit of a cluster of any size (`cluster/SCALING.md`).
"""

import sys
import tempfile
from functools import partial
from pathlib import Path

import libra_ray as lr
from benchmarks._ema_cross import ema_cross_system
from benchmarks._inputs import bar_dataset
from benchmarks.harness import Bench, Stopwatch, main
from benchmarks.peers.job import synthetic_bars
from libra_ray.runtime.ray import RaySession
from libra_ray.sweeps import SweepProgress

WORKERS = 2
BARS = 30


def sweep_slope(bench: Bench) -> None:
    """Run the small sweep and the large one."""
    sizes = {"few": bench.size("few", smoke=20, full=1_000), "many": bench.size("many", smoke=40, full=10_000)}
    data = bar_dataset(synthetic_bars(BARS, seed=bench.seed))
    bench.needs_cores(WORKERS)
    with RaySession(workers=WORKERS):
        for _ in bench.runs(warm_up=False):
            for name, trials in sizes.items():
                _one(bench, name, trials, data)


def _one(bench: Bench, name: str, trials: int, data: lr.Dataset) -> None:
    wide = 10 if bench.smoke else 100
    grid = {"EmaCross.fast": range(2, 2 + wide), "EmaCross.slow": range(102, 102 + trials // wide)}
    marks: list[tuple[float, float]] = []
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "trials.journal"
        result = lr.sweep(
            ema_cross_system(),
            data=data,
            grid=grid,
            engine="event",
            workers=WORKERS,
            journal=journal,
            progress=partial(_note, watch, marks),
        )
        journal_bytes = journal.stat().st_size
    bench.check(actual=(result.trials, result.failed, result.invalid), expected=(trials, 0, 0))
    bench.check(actual=result.table.column("trial").to_pylist(), expected=list(range(trials)))
    first, last = marks[1], marks[-1]
    bench.record(name, seconds=last[0] - first[0], cpu_seconds=last[1] - first[1], items=trials - 1, floor="few")
    bench.fact(f"{name}_first_row_seconds", first[0])
    bench.fact(f"{name}_trial_seconds", sum(result.table.column("seconds").to_pylist()) / trials)
    bench.fact(f"{name}_driver_seconds_a_trial", (last[1] - first[1]) / (trials - 1))
    bench.fact(f"{name}_seconds_a_trial", (last[0] - first[0]) / (trials - 1))
    bench.fact(f"{name}_journal_bytes_a_trial", journal_bytes / trials)


def _note(watch: Stopwatch, marks: list[tuple[float, float]], _: SweepProgress) -> None:
    """Keep wall and processor time at each row; the first call of a sweep comes before any."""
    marks.append((watch.seconds(), watch.cpu_seconds()))


if __name__ == "__main__":
    sys.exit(main(sweep_slope))
