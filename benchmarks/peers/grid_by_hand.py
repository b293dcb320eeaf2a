"""The grid as a loop written by hand for this job alone: one run after the other, nothing but position and cash."""

import sys
from typing import Any

import numpy as np

from benchmarks._hand_written import hand_written_cross
from benchmarks.peers.grid import PAIRS, grid_answer
from benchmarks.peers.job import JOB, Answer, Bars
from benchmarks.peers.measurement import measure

__all__ = ["ByHand"]


class ByHand:
    """No orders, no checks, no accounts, no statistics; one core."""

    distribution = "numba"
    note = "one compiled loop, one core: no orders, checks, accounts or statistics"

    def prepare(self, bars: Bars) -> Any:  # noqa: ANN401 - two columns
        return bars.price("open"), bars.price("close")

    def run(self, native: Any) -> list[float]:  # noqa: ANN401
        opened, close = native
        fills, equities = np.empty((len(close), 2)), []
        for fast, slow in PAIRS:
            count, cash = hand_written_cross(opened, close, fast, slow, float(JOB.quantity), JOB.fee_rate, fills)
            equities.append(JOB.balance + cash + fills[:count, 0].sum() * close[-1])
        return equities

    def answer(self, result: list[float]) -> Answer:
        return grid_answer(result)


if __name__ == "__main__":
    sys.exit(measure(ByHand()))
