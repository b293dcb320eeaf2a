"""One backtest apart, in Ray actors in lockstep, beside the same run in one process.

                      +--> host: Cache, RiskEngine, ...   replay the same rows, compute the same kernel
rows (mapped once) -->|--> host: strategy 1  <--------->  An item is a row of the data, whatever the hosts.
                      +--> host: strategy 2  <--------->  what strategies did, and promises

The floor is the fused run. One strategy: hosts wait for each other as often as it does something (`rounds_one`). Two
strategies that both look at every row: one waits for the other at each row (`rounds_two`).
"""

import sys
from typing import Final

import libra_ray as lr
from benchmarks._inputs import bar_dataset
from benchmarks.harness import Bench, main
from benchmarks.peers.job import synthetic_bars
from libra_actors.strategies import EmaCross
from libra_ray.data import Dataset
from libra_ray.runtime.ray import RaySession

SIZES: Final = {"one": 1, "two": 2}


def lockstep(bench: Bench) -> None:
    """Run one and two strategies, fused and each in a host of its own."""
    rows = bench.size("bars", smoke=500, full=10_000)
    data = bar_dataset(synthetic_bars(rows, seed=bench.seed))
    with RaySession(workers=1):
        for _ in bench.runs(warm_up=False):
            for name, strategies in bench.turns(SIZES):
                system = _system(data, strategies)
                with bench.timed(f"floor_{name}", items=rows):
                    fused = lr.backtest(system, data=data)
                with bench.timed(f"lockstep_{name}", items=rows, floor=f"floor_{name}"):
                    apart = lr.backtest(system, data=data, engine="lockstep", placement=_placement(strategies))
                bench.check(actual=apart.run_hash, expected=fused.run_hash)
                bench.check(actual=apart.counts["fills"] > 0, expected=True)
                figures = [report.figures for report in apart.lockstep.values()]
                bench.fact(f"rounds_{name}", max(each.rounds for each in figures))
                bench.fact(f"messages_{name}", sum(each.told for each in figures))


def _placement(strategies: int) -> dict[str, str]:
    """A host for each strategy, one for the kernel."""
    return {f"EmaCross-{number}": f"strategy-{number}" for number in range(1, strategies + 1)}


def _system(data: Dataset, strategies: int) -> lr.System:
    instrument = next(iter(data.instruments))
    period = data.streams[0].period
    system = lr.System("lockstep", seed=7)
    system.add_venue(instrument.rpartition(".")[2], account="margin", balances=["1_000_000 USD"])
    for number in range(strategies):
        system.add(EmaCross(instrument=instrument, bars=period, fast=10 + number, slow=30, quantity="1000"))
    return system


if __name__ == "__main__":
    sys.exit(main(lockstep))
