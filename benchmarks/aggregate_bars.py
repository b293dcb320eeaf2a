"""Bars of a whole dataset at once, beside a plain group-by and beside the builders that a run uses.

trades --> windows or counts --> bars   An item is a trade.

The floor is pyarrow's own group-by of the same trades by minute: first, max, min, last, sum. `run` makes the minute
bars row by row, as a replay does, of fewer trades. Of each rule the volume and the rest are checked.
"""

import sys
from typing import Final

import numpy as np
import pyarrow as pa

import libra_ray as lr
from benchmarks.harness import Bench, main
from libra_ray.data.aggregation.batch_parts import bars_row_by_row
from libra_ray.data.aggregation.batches import batch_bars
from libra_ray.messages.schemas import TRADES, raw_column

MINUTE_NS: Final = 60 * 10**9
SPECS: Final = {
    "minute": "ACME.SIM-1m-LAST",
    "tick": "ACME.SIM-100-TICK-LAST",
    "volume": "ACME.SIM-50000-VOLUME-LAST",
    "value": "ACME.SIM-5000000-VALUE-LAST",
    "imbalance": "ACME.SIM-20-IMBALANCE-LAST",
    "renko": "ACME.SIM-10-RENKO-LAST",
}


def aggregate_bars(bench: Bench) -> None:
    """Make bars of each rule from the same trades."""
    rows = bench.size("trades", smoke=5_000, full=5_000_000)
    by_rows = bench.size("trades_row_by_row", smoke=1_000, full=200_000)
    instrument = lr.equity("ACME.SIM", quote="USD")
    (stream,) = lr.synth("trades", instrument, rows=rows, seed=bench.seed, interval_ns=10**8).streams
    until_ns = int(stream.ts_ns[-1])
    columns = {name: np.asarray(stream.raw(name)) for name in ("price", "qty")}
    traded = int(columns["qty"].sum())
    minutes = lr.BarSpec.parse(SPECS["minute"])
    windows = pa.table({**columns, "window": stream.ts_ns + (-stream.ts_ns) % MINUTE_NS})
    wanted = [("price", "first"), ("price", "max"), ("price", "min"), ("price", "last"), ("qty", "sum")]

    for _ in bench.runs():
        with bench.timed("floor", items=rows):
            grouped = windows.group_by("window", use_threads=False).aggregate(wanted)
        for name, text in bench.turns(SPECS):
            spec = lr.BarSpec.parse(text)
            with bench.timed(name, items=rows):
                made = batch_bars(spec, instrument, TRADES, stream.table, until_ns=until_ns)
            volume = np.asarray(raw_column(made.table, "volume"))
            bench.check(actual=int(volume.sum()) + made.rest_raw, expected=traded)
            if name == "minute":
                whole = grouped.filter(pa.array(np.asarray(grouped.column("window")) <= until_ns))
                bench.check(actual=volume[~made.is_empty].tolist(), expected=whole.column("qty_sum").to_pylist())
        part = stream.table.slice(0, by_rows)
        with bench.timed("run", items=by_rows, floor="run"):
            slow = bars_row_by_row(minutes, instrument, TRADES, part, until_ns, None)
        quick = batch_bars(minutes, instrument, TRADES, part, until_ns=until_ns)
        bench.check(actual=slow.table.equals(quick.table), expected=True)


if __name__ == "__main__":
    sys.exit(main(aggregate_bars))
