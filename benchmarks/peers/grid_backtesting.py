"""The grid in backtesting.py: `Backtest.optimize`, on all cores."""

import sys
from typing import Any

from backtesting import Backtest

from benchmarks.peers.engine_backtesting import BacktestingPy, Cross
from benchmarks.peers.grid import FAST, PAIRS, SLOW, grid_answer
from benchmarks.peers.job import JOB, Answer
from benchmarks.peers.measurement import measure

__all__ = ["BacktestingPyGrid"]


class BacktestingPyGrid(BacktestingPy):
    """Every pair is tried; the heat map has the figure of each."""

    note = "Backtest.optimize over all pairs, method grid"

    def run(self, native: Any) -> Any:  # noqa: ANN401
        test = Backtest(native, Cross, cash=JOB.balance, commission=JOB.fee_rate)
        _, heat = test.optimize(
            fast_period=list(FAST), slow_period=list(SLOW), maximize="Equity Final [$]", return_heatmap=True
        )
        return heat

    def answer(self, result: Any) -> Answer:  # noqa: ANN401
        return grid_answer(result.loc[pair] for pair in PAIRS)


if __name__ == "__main__":
    sys.exit(measure(BacktestingPyGrid()))
