"""EMA cross in the compiled engine: beside the event engine, and beside a loop written by hand for this job alone.

Routes: `floor` is that loop, which knows floats, a position and cash; `core` a whole run of the compiled engine,
orders, risk checks, fees, positions, account and samples of equity included; `event` the same in the event engine.
`figures` is the statistics of a run of the core, `hash` its run hash. `cold` and `warm` are the first run of a process
without and with what it compiles on disk.
"""

import os
import subprocess
import sys
import tempfile

import numpy as np

import libra_ray as lr
from benchmarks._ema_cross import ema_cross_system
from benchmarks._hand_written import hand_written_cross
from benchmarks._inputs import bar_dataset
from benchmarks.harness import Bench, main
from benchmarks.peers.job import JOB, synthetic_bars

FIRST_RUN = """
from time import perf_counter
import libra_ray as lr
from benchmarks._ema_cross import ema_cross_system
from benchmarks._inputs import bar_dataset
from benchmarks.peers.job import synthetic_bars
data, system = bar_dataset(synthetic_bars(2_000, seed=7)), ema_cross_system()
began = perf_counter()
result = lr.backtest(system, data=data, engine="compiled")
print(perf_counter() - began, result.engine)
"""


def compiled_ema_cross(bench: Bench) -> None:
    """Run the EMA cross by hand, in the core and in the event engine, over the same bars."""
    count = bench.size("bars", smoke=2_000, full=1_000_000)
    bars = synthetic_bars(count, seed=bench.seed)
    data, system = bar_dataset(bars), ema_cross_system()
    part = data if bench.smoke else bar_dataset(bars.first(count // 5))
    open_, close = (getattr(bars, name).astype(np.float64) for name in ("open", "close"))
    fills = np.empty((count, 2))
    bench.budget("core", items_per_s_min=30e6)
    bench.budget("core", at_most=3.0)
    if not bench.smoke:
        _first_runs(bench)

    for _ in bench.runs():
        with bench.timed("floor", items=count):
            made, _ = hand_written_cross(open_, close, JOB.fast, JOB.slow, float(JOB.quantity), JOB.fee_rate, fills)

        with bench.timed("core", items=count):
            core = lr.backtest(system, data=data, engine="compiled")
        bench.check(actual=core.engine, expected="compiled core")
        with bench.timed("figures", items=count):
            stats = core.stats
        with bench.timed("hash", items=count):
            run_hash = core.run_hash

        # A fifth of the bars: the event engine's time grows with them.
        with bench.timed("event", items=part.rows):
            event = lr.backtest(system, data=part)
        same = lr.backtest(system, data=part, engine="compiled")
        bench.check(actual=(same.run_hash, same.stats), expected=(event.run_hash, event.stats))
        # A fill of more than a step's size is two at the venue: by hand every flip is one.
        flips = core.counts["orders"] - made
        bench.check(actual=flips in (0, 1), expected=True)
        bench.fact("flips", made)
        bench.fact("run_hash", run_hash)
        bench.fact("orders", int(stats["orders"] or 0))
        del core, same, event  # as a sweep does, which keeps figures only: the next run takes their memory
    _say_how_much_faster(bench, count, part.rows)


def _say_how_much_faster(bench: Bench, count: int, part: int) -> None:
    core, event = bench.ratio("core"), bench.ratio("event")
    if core is not None and event is not None:
        bench.fact("times_event_engine", round(event / part / (core / count), 1))


def _first_runs(bench: Bench) -> None:
    """The first run of a process: nothing compiled yet, then everything on disk."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"LIBRA_CACHE": folder, "NUMBA_CACHE_DIR": folder}
        for name in ("seconds_cold", "seconds_warm"):
            command = [sys.executable, "-c", FIRST_RUN]
            run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            bench.fact(name, round(float(run.stdout.split()[0]), 2))


if __name__ == "__main__":
    sys.exit(main(compiled_ema_cross))
