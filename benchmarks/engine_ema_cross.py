"""The event engine with an EMA cross: orders through risk, venue, fees, positions and accounts, about 9,000 flips.

bars --> engine --> averages --> order --> risk --> venue --> fill --> position, account, strategy

An item is a bar. The floor is the bare signal loop: the same rows built, the same handler with the same averages, and
a count in place of an order. Twice the bars bring twice the fills: the time of `engine_double` over that of `engine`
is 2 where the engine is linear in both.
"""

import sys
from collections.abc import Callable
from typing import Any

import libra_ray as lr
from benchmarks._ema_cross import answer_of, ema_cross_system
from benchmarks._inputs import INSTRUMENT_ID, bar_dataset, batches_of, walk_instrument
from benchmarks.harness import Bench, main
from benchmarks.peers.job import JOB, plain_answer, synthetic_bars
from libra_actors.strategies import EmaCross
from libra_ray.data import Dataset
from libra_ray.messages.schemas import BARS, RowSpec
from libra_ray.strategy.indicators import Ema


class BareCross(EmaCross):
    """The ready-made strategy's handler outside of any engine: a cross is counted, not traded."""

    def begin(self) -> None:
        """Set what `on_start` would."""
        self._fast, self._slow = Ema(self.config.fast), Ema(self.config.slow)
        self._side = 0
        self.crosses = 0

    def _cross(self, side: int) -> None:
        self.crosses += self._side != 0
        self._side = side


def engine_ema_cross(bench: Bench) -> None:
    """Run the EMA cross in the engine and its signals in a bare loop, on some bars and on twice as many."""
    count = bench.size("bars", smoke=2_000, full=200_000)
    walk = synthetic_bars(2 * count, seed=bench.seed)
    shapes = {"": walk.first(count), "_double": walk}
    datasets = {suffix: bar_dataset(bars) for suffix, bars in shapes.items()}
    expected = {suffix: plain_answer(bars) for suffix, bars in shapes.items()}
    bench.budget("engine", at_most=4.0)
    bench.budget("engine_double", at_most=4.0, of="floor_double")
    bench.budget("engine_double", at_most=2.2, of="engine")
    for suffix, answer in expected.items():
        bench.fact(f"fills{suffix}", answer.fills)

    for _ in bench.runs():
        for suffix, data in datasets.items():
            items = data.rows
            bare = _bare()
            with bench.timed(f"floor{suffix}", items=items, floor=f"floor{suffix}"):
                crosses = _signals(bare, data)
            # The last bar's cross has no next open to fill at.
            bench.check(actual=crosses - expected[suffix].fills in (0, 1), expected=True)

            system = ema_cross_system()
            with bench.timed(f"engine{suffix}", items=items, floor=f"floor{suffix}"):
                result = lr.backtest(system, data=data)
            bench.check(actual=answer_of(result), expected=expected[suffix])
            # A floor beside the last result's hundred thousand objects would be a slower floor.
            del result


def _bare() -> BareCross:
    bare = BareCross(instrument=INSTRUMENT_ID, bars="1m", fast=JOB.fast, slow=JOB.slow, quantity=str(JOB.quantity))
    bare.begin()
    return bare


def _signals(bare: BareCross, data: Dataset) -> int:
    """Give every bar to the handler; returns the number of crosses."""
    spec = RowSpec.of(walk_instrument(), "1m")
    handler: Callable[[Any], None] = bare.on_bar
    for batch in batches_of(data):
        for row in BARS.rows(spec, batch):
            handler(row)
    return bare.crosses


if __name__ == "__main__":
    sys.exit(main(engine_ema_cross))
