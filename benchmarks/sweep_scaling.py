"""A sweep on one and on two Ray workers, beside the same trials one after another in this process.

              +--> worker 1: backtest, backtest, ...
grid, data -->|                                       --> table     An item is a trial, one EMA-cross backtest.
              +--> worker 2: backtest, backtest, ...

The floor is `workers=0`: no Ray, the same cells in a loop. `workers_n` is the whole call on a Ray that runs already:
writing the dataset for all to map, starting the workers, which import the library, the trials, the end of the workers.
`workers_n_steady` counts from the first trial's row to the last one's: what a long sweep comes to.
"""

import sys
from functools import partial
from typing import Final

import libra_ray as lr
from benchmarks._ema_cross import ema_cross_system
from benchmarks._inputs import bar_dataset
from benchmarks.harness import Bench, Stopwatch, main
from benchmarks.peers.job import synthetic_bars
from libra_ray.runtime.ray import RaySession
from libra_ray.sweeps import SweepProgress

WORKERS: Final = {"floor": 0, "workers_1": 1, "workers_2": 2}
SLOW_PERIODS: Final = (20, 30, 40, 50)


def sweep_scaling(bench: Bench) -> None:
    """Run one grid in this process, on one worker and on two."""
    trials = bench.size("trials", smoke=4, full=20)
    bars = bench.size("bars_per_trial", smoke=1_000, full=50_000)
    data = bar_dataset(synthetic_bars(bars, seed=bench.seed))
    grid = {"EmaCross.fast": range(5, 5 + trials // len(SLOW_PERIODS)), "EmaCross.slow": SLOW_PERIODS}
    system = ema_cross_system()
    bench.needs_cores(max(WORKERS.values()))
    expected: list[str] = []

    start = Stopwatch()
    with RaySession(workers=max(WORKERS.values())):
        bench.fact("ray_start_seconds", start.seconds())
        for _ in bench.runs():
            for name, workers in bench.turns(WORKERS):
                finished: list[float] = []
                watch = Stopwatch()
                with bench.timed(name, items=trials):
                    result = lr.sweep(
                        system,
                        data=data,
                        grid=grid,
                        workers=workers,
                        progress=partial(_note, watch, finished),
                    )
                if workers:
                    steady_s = finished[-1] - finished[1]
                    bench.record(f"{name}_steady", seconds=steady_s, items=trials - 1, floor="")
                hashes = [str(value) for value in result.table.column("run_hash").to_pylist()]
                expected = expected or hashes
                bench.check(actual=[error for error in result.table.column("error").to_pylist() if error], expected=[])
                bench.check(actual=(result.trials, result.failed, result.invalid), expected=(trials, 0, 0))
                bench.check(actual=len(set(hashes)), expected=trials)
                bench.check(actual=hashes, expected=expected)


def _note(watch: Stopwatch, finished: list[float], _: SweepProgress) -> None:
    """Keep the time of a row; the first call of a sweep comes before any."""
    finished.append(watch.seconds())


if __name__ == "__main__":
    sys.exit(main(sweep_scaling))
