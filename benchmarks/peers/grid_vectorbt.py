"""The grid in vectorbt: each average once, a column of target amounts for each pair, all columns simulated at once."""

import sys
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.peers.engine_vectorbt import flipping
from benchmarks.peers.grid import FAST, PAIRS, SLOW, grid_answer
from benchmarks.peers.job import Answer, Bars, ema_column
from benchmarks.peers.measurement import measure

__all__ = ["VectorbtGrid"]


class VectorbtGrid:
    """As a grid is meant to be done there: by broadcasting."""

    distribution = "vectorbt"
    note = "each average once, a column a pair, Portfolio.from_orders over all columns, final values only"

    def prepare(self, bars: Bars) -> Any:  # noqa: ANN401 - pandas has no types here
        columns = {name: bars.price(name) for name in ("open", "close")}
        return pd.DataFrame(columns, index=pd.to_datetime(bars.ts_ns))

    def run(self, native: Any) -> Any:  # noqa: ANN401
        close = native["close"].to_numpy()
        averages = {period: ema_column(close, period) for period in (*FAST, *SLOW)}
        sign = pd.DataFrame(np.sign(np.column_stack([averages[fast] - averages[slow] for fast, slow in PAIRS])))
        return flipping(native, sign).final_value()

    def answer(self, result: Any) -> Answer:  # noqa: ANN401
        return grid_answer(result.tolist())


if __name__ == "__main__":
    sys.exit(measure(VectorbtGrid()))
