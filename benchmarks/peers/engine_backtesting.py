"""The job in backtesting.py (`backtesting`)."""

import sys
from typing import Any

import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy

from benchmarks.peers.job import JOB, Answer, Bars, CrossRule, ema_column
from benchmarks.peers.measurement import measure

__all__ = ["BacktestingPy"]


class Cross(Strategy):  # type: ignore[misc] # the package has no types
    """Averages are computed as columns in `init`, which is how this engine is meant to be used."""

    fast_period = JOB.fast
    slow_period = JOB.slow

    def init(self) -> None:
        close = np.asarray(self.data.Close, dtype=np.float64)
        # NaN would make the engine skip one bar more than needed; 0 in both is no cross.
        fast, slow = (ema_column(close, period) for period in (self.fast_period, self.slow_period))
        fast[: self.slow_period - 1] = slow[: self.slow_period - 1] = 0.0
        self.fast = self.I(lambda: fast, name="fast")
        self.slow = self.I(lambda: slow, name="slow")
        self.rule = CrossRule()

    def next(self) -> None:
        size = self.rule.order_size(self.fast[-1], self.slow[-1])
        if size:
            self.buy(size=size) if size > 0 else self.sell(size=-size)


class BacktestingPy:
    """Market orders fill at the next open; the fee is taken on each side; the last position is marked, not closed."""

    distribution = "backtesting"
    note = "trade_on_close=False, commission on both sides, averages as columns"

    def prepare(self, bars: Bars) -> Any:  # noqa: ANN401 - pandas has no types here
        columns = {name.capitalize(): bars.price(name) for name in ("open", "high", "low", "close")}
        return pd.DataFrame(columns | {"Volume": bars.volume.astype(float)}, index=pd.to_datetime(bars.ts_ns))

    def run(self, native: Any) -> Any:  # noqa: ANN401
        return Backtest(native, Cross, cash=JOB.balance, commission=JOB.fee_rate).run()

    def answer(self, result: Any) -> Answer:  # noqa: ANN401
        closed = result["_trades"].sort_values("EntryBar")
        trades = list(zip(closed["Size"], closed["EntryPrice"], strict=True))
        trades += [(trade.size, trade.entry_price) for trade in result["_strategy"].trades]
        fills, held = [], 0
        for size, price in trades:
            fills.append((size - held, price))
            held = size
        return Answer.of(fills, result["Equity Final [$]"])


if __name__ == "__main__":
    sys.exit(measure(BacktestingPy()))
