"""The job in libra_ray, with the ready-made EMA cross and the whole order path: risk, fees, positions, accounts."""

import sys
from typing import Any

import libra_ray as lr
from benchmarks._ema_cross import answer_of, ema_cross_system
from benchmarks._inputs import bar_dataset
from benchmarks.peers.job import Answer, Bars
from benchmarks.peers.measurement import measure
from libra_ray.data import Dataset

__all__ = ["LibraRay"]


class LibraRay:
    """Market orders fill at the next open, which is the venue's default."""

    distribution = "libra-ray"
    note = "defaults: next open, margin account, every order through the risk engine"

    def prepare(self, bars: Bars) -> Dataset:
        return bar_dataset(bars)

    def run(self, native: Dataset) -> Any:  # noqa: ANN401 - measured through one interface
        result = lr.backtest(ema_cross_system(), data=native)
        return result, result.equity

    def answer(self, result: Any) -> Answer:  # noqa: ANN401
        return answer_of(result[0])


if __name__ == "__main__":
    sys.exit(measure(LibraRay()))
