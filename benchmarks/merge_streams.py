"""Ten streams of a million rows in one order, beside numpy's own sort of all their times.

streams --> windows of time --> (stream, row) in order   An item is a row.

The floor concatenates the times and sorts them stably, which knows neither whose a time is nor where memory ends.
`rows` is the merged order as arrays, `batches` the same of streams that come batch by batch, `bursts` that of streams
whose rows come fifty at a time. The whole order is held against the floor's.
"""

import sys
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.harness import Bench, main
from libra_ray.data.merge import merge_batches, merged_rows

STREAMS: Final = 10
BATCH_ROWS: Final = 65_536
SPACING_NS: Final = 1_000
BURST_ROWS: Final = 50
RATE_MIN: Final = 20e6

Times = list[npt.NDArray[np.int64]]


def merge_streams(bench: Bench) -> None:
    """Merge streams whose rows alternate, and streams whose rows come in bursts."""
    each = bench.size("rows_a_stream", smoke=2_000, full=1_000_000)
    rows = STREAMS * each
    draw = np.random.Generator(np.random.Philox(bench.seed))
    single = [np.sort(draw.integers(0, each * SPACING_NS, each)) for _ in range(STREAMS)]
    moments = [draw.integers(0, each // BURST_ROWS, each) * BURST_ROWS * SPACING_NS for _ in range(STREAMS)]
    bursts = [np.sort(times) for times in moments]

    for _ in bench.runs():
        with bench.timed("floor", items=rows):
            order = np.argsort(np.concatenate(single), kind="stable")
        with bench.timed("rows", items=rows):
            merged = list(merged_rows(single))
        places = [part.streams.astype(np.int64) * each + part.rows for part in merged]
        bench.check(actual=bool(np.array_equal(np.concatenate(places), order)), expected=True)
        del merged, places
        with bench.timed("batches", items=rows):
            count = sum(part.num_rows for part in merge_batches([_batches(times) for times in single]))
        bench.check(actual=count, expected=rows)
        with bench.timed("bursts", items=rows):
            count = sum(len(part.rows) for part in merged_rows(bursts))
        bench.check(actual=count, expected=rows)
    for route in ("rows", "batches", "bursts"):
        bench.budget(route, items_per_s_min=RATE_MIN)


def _batches(times: npt.NDArray[np.int64]) -> Iterator[pa.RecordBatch]:
    for start in range(0, len(times), BATCH_ROWS):
        yield pa.record_batch({"ts_init_ns": times[start : start + BATCH_ROWS]})


if __name__ == "__main__":
    sys.exit(main(merge_streams))
