"""The job in backtrader (`backtrader`)."""

import sys
from typing import Any

import backtrader as bt
import pandas as pd

from benchmarks.peers.job import JOB, Answer, Bars, CrossRule
from benchmarks.peers.measurement import measure

__all__ = ["Backtrader"]


class Cross(bt.Strategy):  # type: ignore[misc] # the package has no types
    """Its own EMA begins with the mean, as the job's does, and is computed as a column before the run (`runonce`)."""

    def __init__(self) -> None:
        self.fast = bt.indicators.ExponentialMovingAverage(self.data.close, period=JOB.fast)
        self.slow = bt.indicators.ExponentialMovingAverage(self.data.close, period=JOB.slow)
        self.rule = CrossRule()
        self.fills: list[tuple[float, float]] = []

    def next(self) -> None:
        size = self.rule.order_size(self.fast[0], self.slow[0])
        if size:
            self.buy(size=size) if size > 0 else self.sell(size=-size)

    def notify_order(self, order: Any) -> None:  # noqa: ANN401
        if order.status == order.Completed:
            self.fills.append((order.executed.size, order.executed.price))


class Backtrader:
    """Market orders fill at the next open, which is the broker's default."""

    distribution = "backtrader"
    note = "defaults: next open, preload, runonce"

    def prepare(self, bars: Bars) -> Any:  # noqa: ANN401 - pandas has no types here
        columns = {name: bars.price(name) for name in ("open", "high", "low", "close")}
        return pd.DataFrame(columns | {"volume": bars.volume.astype(float)}, index=pd.to_datetime(bars.ts_ns))

    def run(self, native: Any) -> Any:  # noqa: ANN401
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.broker.setcash(JOB.balance)
        cerebro.broker.setcommission(commission=JOB.fee_rate)
        cerebro.adddata(bt.feeds.PandasData(dataname=native, openinterest=None))
        cerebro.addstrategy(Cross)
        (strategy,) = cerebro.run()
        return strategy, cerebro.broker.getvalue()

    def answer(self, result: Any) -> Answer:  # noqa: ANN401
        strategy, equity = result
        return Answer.of(strategy.fills, equity)


if __name__ == "__main__":
    sys.exit(measure(Backtrader()))
