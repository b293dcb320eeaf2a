"""The job in vectorbt (`vectorbt`), which is not event-driven: signals are columns, orders are simulated by numba."""

import sys
from typing import Any

import numpy as np
import pandas as pd
import vectorbt as vbt

from benchmarks.peers.job import JOB, Answer, Bars, ema_column
from benchmarks.peers.measurement import measure

__all__ = ["Vectorbt", "flipping"]


def flipping(native: Any, sign: Any) -> Any:  # noqa: ANN401
    """The portfolio that is turned one bar after the sign of a difference of averages, for each column of it."""
    sign = sign.replace(0.0, np.nan).ffill()
    # The sides that the averages are on at first are no cross.
    is_cross = sign.shift().notna() & (sign != sign.shift())
    target = (sign.where(is_cross) * JOB.quantity).shift().set_axis(native.index)
    return vbt.Portfolio.from_orders(
        native["close"],
        size=target,
        size_type="targetamount",
        price=native["open"],
        fees=JOB.fee_rate,
        init_cash=float(JOB.balance),
        freq="1min",
    )


class Vectorbt:
    """Target amounts, one bar later than the signal, at that bar's open."""

    distribution = "vectorbt"
    note = "vectorised, no events: target amounts one bar after the signal at the open"

    def prepare(self, bars: Bars) -> Any:  # noqa: ANN401 - pandas has no types here
        columns = {name: bars.price(name) for name in ("open", "high", "low", "close")}
        return pd.DataFrame(columns | {"volume": bars.volume.astype(float)}, index=pd.to_datetime(bars.ts_ns))

    def run(self, native: Any) -> Any:  # noqa: ANN401
        close = native["close"].to_numpy()
        fast, slow = ema_column(close, JOB.fast), ema_column(close, JOB.slow)
        portfolio = flipping(native, pd.Series(np.sign(fast - slow)))
        return portfolio, portfolio.final_value()

    def answer(self, result: Any) -> Answer:  # noqa: ANN401
        portfolio, equity = result
        orders = portfolio.orders.records
        signed = np.where(orders["side"] == 0, orders["size"], -orders["size"])
        return Answer.of(list(zip(signed.tolist(), orders["price"].tolist(), strict=True)), equity)


if __name__ == "__main__":
    sys.exit(measure(Vectorbt()))
