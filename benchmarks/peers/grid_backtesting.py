"""The grid in backtesting.py: `Backtest.optimize`, on all cores."""

import sys
from typing import Any

import numpy as np
import pandas as pd
from backtesting import Backtest

from benchmarks.peers.engine_backtesting import Cross
from benchmarks.peers.grid import FAST, PAIRS, SLOW, grid_answer
from benchmarks.peers.job import JOB, Answer, Bars, CrossRule, ema_column
from benchmarks.peers.measurement import measure

__all__ = ["BacktestingPyGrid"]


class Pair(Cross):
    """The job with two periods that the optimiser sets."""

    fast_period = JOB.fast
    slow_period = JOB.slow

    def init(self) -> None:
        close = np.asarray(self.data.Close, dtype=np.float64)
        fast, slow = (ema_column(close, period) for period in (self.fast_period, self.slow_period))
        fast[: self.slow_period - 1] = slow[: self.slow_period - 1] = 0.0
        self.fast = self.I(lambda: fast, name="fast")
        self.slow = self.I(lambda: slow, name="slow")
        self.rule = CrossRule()


class BacktestingPyGrid:
    """Every pair is tried; the heat map has the figure of each."""

    distribution = "backtesting"
    note = "Backtest.optimize over all pairs, method grid"

    def prepare(self, bars: Bars) -> Any:  # noqa: ANN401 - pandas has no types here
        columns = {name.capitalize(): bars.price(name) for name in ("open", "high", "low", "close")}
        return pd.DataFrame(columns | {"Volume": bars.volume.astype(float)}, index=pd.to_datetime(bars.ts_ns))

    def run(self, native: Any) -> Any:  # noqa: ANN401
        test = Backtest(native, Pair, cash=JOB.balance, commission=JOB.fee_rate)
        _, heat = test.optimize(
            fast_period=list(FAST), slow_period=list(SLOW), maximize="Equity Final [$]", return_heatmap=True
        )
        return heat

    def answer(self, result: Any) -> Answer:  # noqa: ANN401
        return grid_answer(result.loc[pair] for pair in PAIRS)


if __name__ == "__main__":
    sys.exit(measure(BacktestingPyGrid()))
