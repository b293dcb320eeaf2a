"""Batches of all kinds, and the small steps that tests of segments are made of."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa

from libra_ray.bus.wire.descriptors import Descriptor, Release
from libra_ray.bus.wire.segment_reader import SegmentReader
from libra_ray.bus.wire.segments import SegmentWriter
from libra_ray.messages.schemas import QUOTES
from libra_ray.model.instruments import pair

__all__ = ["BATCHES", "BTC", "LINUX", "SMALL", "fill", "numbers", "quotes", "tell", "wrote"]

LINUX = Path("/proc/self/maps").exists()
SMALL = 1 << 16
BTC = pair("BTCUSDT.SIM", base="BTC", quote="USDT", tick="0.01", step="0.001")


def numbers(first: int, rows: int = 10) -> pa.RecordBatch:
    """A batch of two columns that count from `first`."""
    return pa.record_batch({"a": np.arange(first, first + rows), "b": np.arange(first, first + rows) / 2})


def quotes(rows: int = 1_000) -> pa.RecordBatch:
    """Quotes as they are published."""
    columns = {name: np.arange(rows) for name in QUOTES.names}
    return QUOTES.table(BTC, columns).to_batches()[0]


def wrote(writer: SegmentWriter, batch: pa.RecordBatch, *peers: str, topic: str = "data.custom.x") -> Descriptor:
    """Written, since there is room."""
    descriptor = writer.write(topic, batch, peers)
    assert descriptor is not None
    return descriptor


def tell(writer: SegmentWriter, reader: SegmentReader, peer: str) -> list[Release]:
    """What the reader says, and the writer hears."""
    said = reader.releases()
    for release in said:
        writer.released(peer, release)
    return said


def fill(writer: SegmentWriter, *peers: str) -> list[Descriptor]:
    """Write until another segment begins."""
    made = [wrote(writer, numbers(0, 500), *peers)]
    while made[-1].segment == made[0].segment:
        made.append(wrote(writer, numbers(len(made), 500), *peers))
    return made


BATCHES = [
    numbers(0),
    numbers(5, rows=0),
    numbers(0, rows=100).slice(17, 3),
    quotes(),
    pa.record_batch({"name": ["a", None, "ccc"], "list": [[1], [], [2, 3]]}),
    pa.record_batch({"d": pa.array(["x", "y", "x"]).dictionary_encode(), "n": [1, 2, 3]}),
    pa.record_batch({"s": pa.array([{"d": "x"}], pa.struct({"d": pa.dictionary(pa.int8(), pa.string())}))}),
    pa.record_batch({"wide": pa.array([Decimal(10**30)], pa.decimal128(38, 2))}),
    pa.record_batch({"bool": [True, None]}),
]
