"""Rows for tests of the catalog: hourly bars that say their hour, and what is read back."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from libra_ray.data.parquet_catalog import Catalog
from libra_ray.messages.schemas import BARS
from libra_ray.model.instruments import Instrument, pair

__all__ = ["EURUSD", "GBPUSD", "HOUR_NS", "bars", "hours_of", "hours_read"]

HOUR_NS = 3_600 * 10**9
EURUSD = pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step=1)
GBPUSD = pair("GBPUSD.SIM", base="GBP", quote="USD", tick="0.00001", step=1)


def bars(first_hour: int, count: int, *, instrument: Instrument = EURUSD, price: int = 110_000) -> pa.Table:
    """Bars of `count` hours; their volume is the hour."""
    hours = np.arange(first_hour, first_hour + count)
    columns = dict.fromkeys(("open", "high", "low", "close"), np.full(count, price))
    return BARS.table(instrument, {"ts_init_ns": hours * HOUR_NS, **columns, "volume": hours}, period="1h")


def hours_of(batches: Iterable[pa.RecordBatch]) -> list[int]:
    """The hours of batches, in their order."""
    return [ts // HOUR_NS for batch in batches for ts in batch.column("ts_init_ns").to_pylist()]


def hours_read(made: Catalog) -> list[int]:
    """The hours that a catalog has of EURUSD."""
    hours: list[int] = (made.bars("EURUSD.SIM", "1h").streams[0].ts_ns // HOUR_NS).tolist()
    return hours
