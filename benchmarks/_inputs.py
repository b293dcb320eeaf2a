"""Made-up market data for the benchmarks: one instrument, seeded walks, in the columns that the library reads."""

from typing import Final

import numpy as np
import pyarrow as pa

from benchmarks.peers.job import Bars
from libra_ray.data import Dataset, Stream
from libra_ray.messages.schemas import BARS, QUOTES
from libra_ray.model.instruments import Instrument, equity
from libra_ray.simulation.backtest import BATCH_ROWS

__all__ = [
    "INSTRUMENT_ID",
    "bar_dataset",
    "batches_of",
    "quote_batches",
    "quote_dataset",
    "walk_instrument",
]

INSTRUMENT_ID: Final = "WALK.SIM"
START_NS: Final = 1_704_067_200_000_000_000
SECOND_NS: Final = 1_000_000_000


def walk_instrument() -> Instrument:
    """Define the stock that the walks are of: ticks of a cent, whole shares, in USD."""
    return equity(INSTRUMENT_ID, quote="USD", tick="0.01", step=1)


def bar_dataset(bars: Bars) -> Dataset:
    """Give the bars of the comparison with other engines as a dataset of minute bars; the columns are not copied."""
    columns = {name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")}
    instrument = walk_instrument()
    table = BARS.table(instrument, {"ts_init_ns": bars.ts_ns, **columns}, period="1m")
    return Dataset([Stream(BARS, instrument, "1m", table)])


def quote_dataset(count: int, *, seed: int) -> Dataset:
    """Make `count` quotes a second apart: a walk of the bid by whole ticks, a spread of 1 to 3 ticks."""
    instrument = walk_instrument()
    return Dataset([Stream(QUOTES, instrument, "", _quote_table(instrument, count, seed))])


def quote_batches(*, count: int, rows_each: int, seed: int) -> list[pa.Table]:
    """Make `count` batches of `rows_each` quotes, slices of one table."""
    table = _quote_table(walk_instrument(), count * rows_each, seed)
    return [table.slice(first, rows_each) for first in range(0, count * rows_each, rows_each)]


def batches_of(data: Dataset, rows_each: int = BATCH_ROWS) -> list[pa.Table]:
    """Cut a dataset of one stream into the batches that a run reads, without a copy.

    A loop over one huge batch would be no floor: a million Python integers a column leave the processor's caches.
    """
    (stream,) = data
    return [stream.table.slice(first, rows_each) for first in range(0, stream.rows, rows_each)]


def _quote_table(instrument: Instrument, count: int, seed: int) -> pa.Table:
    chance = np.random.default_rng(seed)
    bid = 100_000 + np.cumsum(chance.integers(-1, 2, count))
    sizes = {name: chance.integers(1, 10_000, count) for name in ("bid_qty", "ask_qty")}
    ts_ns = START_NS + SECOND_NS * np.arange(count, dtype=np.int64)
    columns = {"ts_init_ns": ts_ns, "bid_px": bid, "ask_px": bid + chance.integers(1, 4, count), **sizes}
    return QUOTES.table(instrument, columns)
