"""What one more concurrent backtest costs in private memory, over data that lies once on the node.

                     +--map--> worker 1: backtest over tiny data, over all, over all again
dataset, one file -->|                                         An item is a backtest; what counts are the bytes.
                     +--map--> worker 2: the same, at the same time

Private memory is what `smaps_rollup` says, at its highest during the last run, above the same worker after a run over
all but empty data. This process maps every page too, so a page of the file is never private to one worker. The floor is
the run that warms up. `spy` are the recorded trades of four days beside the checkout; `large` are made-up quotes.
"""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

import libra_ray as lr
from benchmarks._inputs import quote_dataset
from benchmarks.harness import Bench, Stopwatch, benchmark_named, main
from libra_ray.data import Dataset, import_file
from libra_ray.runtime.ray import EnginePool, RaySession, SharedFolder
from libra_ray.runtime.ray.session import core_count

SPY: Final = "SPY.SIM"
SPY_FOLDER: Final = Path(__file__).resolve().parents[2] / "shared" / "data" / "lean" / "equity" / "usa" / "tick" / "spy"
SPY_ROWS: Final = 1_601_855
SPY_COLUMNS: Final = ("ts", "price", "qty", "exchange", "condition", "suspicious")
SHARE_MAX: Final = 0.05
TINY_ROWS: Final = 1_000
LOOKS: Final = 40
WORKERS: Final = 2


@dataclass(frozen=True)
class Measured:
    """What one worker tells. `above_bytes`: private memory of the last run above the run over tiny data."""

    pid: int
    above_bytes: int
    private_bytes: int
    warm_up_s: float
    seconds: float
    rows: int
    run_hash: str


class FlipsConfig(lr.StrategyConfig):
    """`every`: rows between two orders, and between two looks at the memory."""

    instrument: str
    kind: str
    every: int


class Flips(lr.Strategy):
    """Sees every row, turns its position around now and then, and notes the private memory of its process."""

    config: FlipsConfig

    def on_start(self) -> None:
        """Listen to the ticks that there are."""
        self.rows = 0
        if self.config.kind == "quotes":
            self.subscribe_quotes(self.config.instrument)
        else:
            self.subscribe_trades(self.config.instrument)

    def on_quote(self, _: lr.Quote) -> None:
        """One more row."""
        self._count()

    def on_trade(self, _: lr.Trade) -> None:
        """One more row."""
        self._count()

    def _count(self) -> None:
        self.rows += 1
        if self.rows % self.config.every == 0:
            self.target(self.config.instrument, "100" if self.rows // self.config.every % 2 else "-100")
            HIGHEST.append(private_bytes())


HIGHEST: list[int] = []


@dataclass(frozen=True)
class TwoRuns:
    """Opens the dataset and runs over it twice, after a run over its beginning."""

    def open(self, folder: str) -> Callable[[int], Measured]:
        """Map the files."""
        data = Dataset.open(folder)

        def run(_: int) -> Measured:
            _one_run(data.prefix(TINY_ROWS))
            before = private_bytes()
            warm_up_s, _first = _one_run(data)
            seconds, result_hash = _one_run(data)
            highest = max(HIGHEST)
            return Measured(os.getpid(), highest - before, highest, warm_up_s, seconds, data.rows, result_hash)

        return run


def _one_run(data: Dataset) -> tuple[float, str]:
    HIGHEST.clear()
    (stream,) = data
    system = lr.System("memory", seed=7)
    system.add_venue("SIM", account="margin", balances=["10_000_000 USD"])
    every = max(1, data.rows // LOOKS)
    system.add(Flips(instrument=stream.instrument.id, kind=stream.schema.name, every=every))
    watch = Stopwatch()
    result = lr.backtest(system, data=data)
    HIGHEST.append(private_bytes())
    if result.faults:
        raise result.faults[0].to_error()
    return watch.seconds(), result.run_hash


def private_bytes() -> int:
    """Memory of this process that no other shares, clean and dirty."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean:", "Private_Dirty:"))) * 1024


def sweep_memory(bench: Bench) -> None:
    """Two workers over each dataset at a time."""
    large = bench.size("large_rows", smoke=20_000, full=22_400_000)
    days = bench.size("spy_days", smoke=0, full=4)
    bench.needs_cores(WORKERS)
    bench.fact("workers", min(WORKERS, core_count()))
    with RaySession(workers=WORKERS):
        for name, data in _datasets(bench, large, days):
            for _ in bench.runs(warm_up=False):
                _measure(bench, name, data)


def _datasets(bench: Bench, large: int, days: int) -> Iterator[tuple[str, Dataset]]:
    """Each is made when it is its turn, and gone before the next one."""
    if days:
        if SPY_FOLDER.is_dir():
            yield "spy", _spy()
        else:
            bench.warnings.append("needs shared/data/lean: there is no run over recorded ticks")
    yield "large", quote_dataset(large, seed=bench.seed)


def _measure(bench: Bench, name: str, data: Dataset) -> None:
    size = data.nbytes
    with SharedFolder(data.write) as shared, EnginePool(WORKERS, in_flight_max=1) as pool:
        mapped = Dataset.open(shared.path)
        bench.check(actual=(mapped.rows, mapped.digest), expected=(data.rows, data.digest))
        bench.check(actual=_touched(mapped), expected=_touched(data))
        outcomes = list(pool.map_unordered(TwoRuns(), range(WORKERS), shared=shared))
    made = [outcome.value for outcome in outcomes if outcome.value is not None]
    bench.check(actual=[outcome.error for outcome in outcomes if outcome.error], expected=[])
    bench.check(actual={(each.rows, each.run_hash) for each in made}, expected={(data.rows, made[0].run_hash)})
    most = max(made, key=lambda each: each.above_bytes)
    bench.record(f"{name}_warm_up", seconds=max(each.warm_up_s for each in made), items=data.rows, floor="")
    bench.record(name, seconds=most.seconds, items=data.rows, floor=f"{name}_warm_up")
    bench.fact(f"{name}_bytes", size)
    bench.fact(f"{name}_bytes_above_tiny", most.above_bytes)
    bench.fact(f"{name}_private_bytes", most.private_bytes)
    bench.fact(f"{name}_share", round(most.above_bytes / size, 5))
    if not bench.smoke:
        bench.check(actual=len({each.pid for each in made}), expected=WORKERS)
        bench.check(
            actual=f"{most.above_bytes / size:.4f}" if most.above_bytes >= SHARE_MAX * size else "", expected=""
        )


def _touched(data: Dataset) -> int:
    """All raw integers of all columns added up: it maps every page into this process."""
    columns = [stream.raw(name) for stream in data for name in stream.table.column_names]
    return sum(int(np.sum(column)) for column in columns)


def _spy() -> Dataset:
    """Four days of trades as they were recorded."""
    instrument = lr.equity(SPY, quote="USD", tick="0.0001", step=1)
    whole = Dataset(())
    for day in ("2013-10-07", "2013-10-08", "2013-10-09", "2013-10-10"):
        whole += import_file(
            SPY_FOLDER / f"{day.replace('-', '')}_trade.zip",
            instrument,
            "trades",
            column_names=SPY_COLUMNS,
            ts_unit="ms",
            day=day,
            tz="America/New_York",
            price_decimals=4,
        ).dataset
    if whole.rows != SPY_ROWS:
        raise AssertionError(whole.rows)
    return whole


if __name__ == "__main__":
    sys.exit(main(benchmark_named("sweep_memory")))  # workers find its classes by the module's name
