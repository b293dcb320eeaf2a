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
from benchmarks._inputs import bar_dataset, batches_of, walk_instrument
from benchmarks.harness import Bench, main
from benchmarks.peers.job import JOB, plain_answer, synthetic_bars
from libra_actors.strategies.ema_cross import CrossParams, CrossState, follow
from libra_ray.data import Dataset
from libra_ray.messages.schemas import BARS, RowSpec


class Tally:
    """Stands where the desk does: a cross is counted, not traded."""

    def __init__(self) -> None:
        self.crosses = 0

    def target(self, net_raw: int) -> None:  # noqa: ARG002 - where the desk would send an order
        """One more."""
        self.crosses += 1


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
            tally = Tally()
            handler = _bare_handler(tally)
            with bench.timed(f"floor{suffix}", items=items, floor=f"floor{suffix}"):
                _give_rows(handler, data)
            # The last bar's cross has no next open to fill at.
            bench.check(actual=tally.crosses - expected[suffix].fills in (0, 1), expected=True)

            system = ema_cross_system()
            with bench.timed(f"engine{suffix}", items=items, floor=f"floor{suffix}"):
                result = lr.backtest(system, data=data)
            bench.check(actual=answer_of(result), expected=expected[suffix])
            # A floor beside the last result's hundred thousand objects would be a slower floor.
            del result


def _bare_handler(tally: Tally) -> Callable[[Any], None]:
    """The ready-made strategy's handler as the engine calls it, outside of any engine."""
    weights = (2.0 / (JOB.fast + 1), 2.0 / (JOB.slow + 1))
    function, state = follow.plain, CrossState()
    params = CrossParams(JOB.fast, JOB.slow, *weights, JOB.quantity, -JOB.quantity)
    return lambda row: function(state, params, row, tally)  # type: ignore[arg-type]  # a tally is no desk


def _give_rows(handler: Callable[[Any], None], data: Dataset) -> None:
    spec = RowSpec.of(walk_instrument(), "1m")
    for batch in batches_of(data):
        for row in BARS.rows(spec, batch):
            handler(row)


if __name__ == "__main__":
    sys.exit(main(engine_ema_cross))
