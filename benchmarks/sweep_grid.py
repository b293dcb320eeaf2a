"""A hundred EMA crosses over the same bars on all cores, beside vectorbt and a loop written by hand for this job alone.

bars --> lr.sweep: a whole run each, orders, risk, fees, accounts, statistics, hash --> table     sweep
bars --> vectorbt: each average once, a column a pair, Portfolio.from_orders                      vectorbt
bars --> one loop, one core: a position and cash                                                  floor

An item is a bar of one run. All are warm, each in a process of its own: the workers of `sweep` stay from the sweep
before. `runs` is what the runs alone take together: no way to the workers, no hashes, no statistics. vectorbt is
installed in full size only; where it cannot be, there is nothing to compare with, and the report says so.
"""

import sys
import tempfile
from pathlib import Path

import libra_ray as lr
from benchmarks.harness import Bench, main
from benchmarks.peers.environments import GRID_PEERS, UnavailableError, ready_python
from benchmarks.peers.grid import PAIRS
from benchmarks.peers.grid_by_hand import ByHand
from benchmarks.peers.grid_libra import LibraRayGrid
from benchmarks.peers.job import Answer, synthetic_bars
from benchmarks.peers.running import measured

VECTORBT = GRID_PEERS[0]
OF_VECTORBT_MAX = 0.2
RUNS_OF_LOOP_MAX = 3.0


def sweep_grid(bench: Bench) -> None:
    """Run the grid by hand, as a sweep, and in vectorbt."""
    count = bench.size("bars", smoke=2_000, full=100_000)
    bars = synthetic_bars(count, seed=bench.seed)
    items = count * len(PAIRS)
    ours, by_hand = LibraRayGrid(), ByHand()
    answers: list[Answer] = []
    bench.budget("runs", at_most=RUNS_OF_LOOP_MAX)
    with lr.staying_workers():
        native, columns = ours.prepare(bars), by_hand.prepare(bars)
        for _ in bench.runs():
            with bench.timed("floor", items=items):
                expected = by_hand.run(columns)
            with bench.timed("sweep", items=items):
                result = ours.run(native)
            bench.record("runs", seconds=sum(result.table["seconds"].to_pylist()), items=items)
            answers.append(by_hand.answer(expected))
            bench.check(actual=ours.answer(result), expected=answers[-1])
            bench.fact("workers", result.workers)
    if bench.smoke:
        return
    with tempfile.TemporaryDirectory(prefix="libra-peers-") as folder:
        bars.save(Path(folder) / "bars.npz")
        _beside_vectorbt(bench, Path(folder) / "bars.npz", answers, items)


def _beside_vectorbt(bench: Bench, bars: Path, answers: list[Answer], items: int) -> None:
    try:
        python = ready_python(VECTORBT)
    except UnavailableError as error:
        bench.warnings.append(f"vectorbt: {error}")
        return
    runs = len(answers) - 1  # the first was to warm up
    found = measured(python, VECTORBT, [str(bars), "--runs", str(runs), "--seconds-max", "600"])
    bench.check(actual=found["answer"], expected=answers[0].as_json())
    for seconds, cpu_seconds in zip(found["seconds"], found["cpu_seconds"], strict=True):
        bench.record("vectorbt", seconds=seconds, cpu_seconds=cpu_seconds, items=items)
    bench.fact("vectorbt_version", found["version"])
    bench.budget("sweep", at_most=OF_VECTORBT_MAX, of="vectorbt")


if __name__ == "__main__":
    sys.exit(main(sweep_grid))
