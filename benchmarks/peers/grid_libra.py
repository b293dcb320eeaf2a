"""The grid in libra_ray: a sweep of compiled runs on one worker per core, from bars in memory to the table."""

import sys

import libra_ray as lr
from benchmarks._ema_cross import ema_cross_system
from benchmarks._inputs import bar_dataset
from benchmarks.peers.grid import FAST, SLOW, grid_answer
from benchmarks.peers.job import Answer, Bars
from benchmarks.peers.measurement import measure
from libra_ray.data import Dataset

__all__ = ["LibraRayGrid"]


class LibraRayGrid:
    """Every figure and the run hash of each trial are in the table."""

    distribution = "libra-ray"
    note = "lr.sweep with lr.staying_workers: all figures and a run hash for each trial included"

    def prepare(self, bars: Bars) -> Dataset:
        return bar_dataset(bars)

    def run(self, native: Dataset) -> lr.SweepResult:
        grid = {"EmaCross.fast": FAST, "EmaCross.slow": SLOW}
        return lr.sweep(ema_cross_system(), data=native, grid=grid, engine="compiled")

    def answer(self, result: lr.SweepResult) -> Answer:
        return grid_answer(result.table.column("final_equity").to_pylist())


if __name__ == "__main__":
    with lr.staying_workers():
        sys.exit(measure(LibraRayGrid()))
