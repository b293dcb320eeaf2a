"""A catalog read from its files, beside pyarrow reading the same files.

Parquet --> batches or one table   An item is a quote.

The floors are pyarrow's own: `iter_batches` for `scan`, `read_table` for `whole`. `range` reads the last tenth
and leaves the row groups before it alone; `column` one column of six. Sums of a column are checked.
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import libra_ray as lr
from benchmarks.harness import Bench, main
from libra_ray.data.arrow_arrays import int64s_of
from libra_ray.messages.schemas import QUOTES

BATCH_ROWS: Final = 65_536
AT_MOST: Final = 1 / 0.7


def catalog_scan(bench: Bench) -> None:
    """Scan quotes by batches, whole, a range of them, and one column."""
    rows = bench.size("quotes", smoke=5_000, full=4_000_000)
    instrument = lr.equity("ACME.SIM", quote="USD")
    (stream,) = lr.synth("quotes", instrument, rows=rows, seed=bench.seed).streams
    late_ns = int(stream.ts_ns[rows * 9 // 10])
    total, late = int(stream.ts_ns.sum()), int(stream.ts_ns[stream.ts_ns >= late_ns].sum())
    with TemporaryDirectory() as folder:
        made = lr.catalog(folder)
        path = Path(folder) / made.write(instrument, QUOTES, stream.table).file
        del stream

        def arrow_batches() -> int:
            with pq.ParquetFile(path) as file:
                return _sum(file.iter_batches(BATCH_ROWS))

        def scan(**options: object) -> Callable[[], int]:
            return lambda: _sum(made.scan(QUOTES, instrument.id, batch_rows=BATCH_ROWS, **options))  # type: ignore[arg-type]

        def whole() -> int:
            return int(made.quotes(instrument.id).streams[0].ts_ns.sum())

        routes: dict[str, tuple[str, Callable[[], int], int]] = {
            "floor": ("floor", arrow_batches, total),
            "scan": ("floor", scan(), total),
            "range": ("floor", scan(start=late_ns), late),
            "column": ("floor", scan(columns=["bid_px"]), total),
            "floor_whole": ("floor_whole", lambda: _sum(pq.read_table(path).to_batches()), total),
            "whole": ("floor_whole", whole, total),
        }
        for _ in bench.runs():
            for name, (floor, read, expected) in bench.turns(routes):
                with bench.timed(name, items=rows, floor=floor):
                    found = read()
                bench.check(actual=found, expected=expected)
    bench.budget("scan", at_most=AT_MOST)
    bench.budget("whole", at_most=AT_MOST, of="floor_whole")


def _sum(batches: Iterable[pa.RecordBatch]) -> int:
    return sum(int(np.sum(int64s_of(batch.column("ts_init_ns")))) for batch in batches)


if __name__ == "__main__":
    sys.exit(main(catalog_scan))
