"""Bars of whole columns at once: what the builders make row by row, for a dataset that lies there complete."""

from typing import Any

import numpy as np
import pyarrow as pa

from libra_ray.data.aggregation.batch_parts import BatchBars, bars_row_by_row, bars_table, grouped
from libra_ray.data.aggregation.batch_windows import time_bars_of
from libra_ray.data.aggregation.builders import step_raw_of
from libra_ray.data.aggregation.maker import BarMaker, covered_ns
from libra_ray.data.aggregation.specs import Aggregation, BarSpec
from libra_ray.data.arrow_arrays import Int64s
from libra_ray.data.dataset import Dataset
from libra_ray.errors import DataError
from libra_ray.messages.schemas import BARS, QUOTES, TRADES, Schema, raw_column
from libra_ray.model.instruments import Instrument

__all__ = ["aggregate", "batch_bars"]

SAFE_RAW = 2**61
"""Sums and products below it fit 64 bits with one more term."""


def aggregate(data: Dataset, *specs: BarSpec | str, until_ns: int | None = None) -> dict[str, pa.Table]:
    """Bars of a dataset, equal to those that a run over it makes: a table per spec, under its text.

        lr.aggregate(data, "ACME.SIM-5m-LAST", "ACME.SIM-1h-5m-LAST", "ACME.SIM-10-VOLUME-LAST")

    A spec's source is a stream of the data or bars of another spec. Windows of time that end up to `until_ns` are
    closed; None is the time of the data's last row. O(rows), compiled; row by row for instruments of more than 9
    decimals and for sums beyond 64 bits.

    Raises `ConfigError` as `BarSpec` and a run do, `DataError` DATA008 for data without rows.
    """
    parsed = [BarSpec.parse(spec) if isinstance(spec, str) else spec for spec in specs]
    streams = {stream.topic: stream for stream in data.streams}
    instruments = {str(name): instrument for name, instrument in data.instruments.items()}
    BarMaker(parsed, instruments, streams)  # refuses what a run would refuse
    if until_ns is None:
        until_ns = max((int(stream.ts_ns[-1]) for stream in data.streams if stream.rows), default=None)
    if until_ns is None:
        raise DataError("DATA008", None, "0 data rows", "Check the file or the date range.")
    by_topic = {spec.topic: spec for spec in parsed}
    made: dict[str, BatchBars] = {}

    def bars_of(spec: BarSpec) -> BatchBars:
        if spec.topic not in made:
            instrument, source = instruments[spec.instrument_id], spec.source_topic
            if source in by_topic:
                inner = bars_of(by_topic[source])
                schema, table = BARS, inner.table.filter(pa.array(~inner.is_empty))
            else:
                schema, table = streams[source].schema, streams[source].table
            covers_ns = covered_ns(spec, by_topic)
            made[spec.topic] = batch_bars(spec, instrument, schema, table, until_ns=until_ns, covers_ns=covers_ns)
        return made[spec.topic]

    return {str(spec): bars_of(spec).table for spec in parsed}


def batch_bars(
    spec: BarSpec,
    instrument: Instrument,
    schema: Schema,
    table: pa.Table,
    *,
    until_ns: int,
    covers_ns: int | None = None,
) -> BatchBars:
    """The bars of one spec from its source's rows. `covers_ns`: the time that each row covers, of bars of time."""
    table = table.combine_chunks()
    columns = {name: raw_column(table, name) for name in table.column_names}
    if any(isinstance(column, list) for column in columns.values()) or not _fits(spec, instrument, columns):
        return bars_row_by_row(spec, instrument, schema, table, until_ns, covers_ns)
    rows: dict[str, Any] = columns
    pieces = _pieces(schema, spec.source, rows)
    times = rows["ts_init_ns"], rows["ts_event_ns"]
    if spec.aggregation not in (Aggregation.VOLUME, Aggregation.VALUE, Aggregation.RENKO):
        if Aggregation(spec.aggregation).is_time:
            return time_bars_of(spec, instrument, times[0], pieces, until_ns=until_ns, covers_ns=covers_ns)
        return _of_ends(spec, instrument, times, pieces, _ends(spec, rows))
    from libra_ray.data.aggregation import closings

    if spec.aggregation is Aggregation.VOLUME:
        made, rest = closings.volume_bars(pieces, step_raw_of(spec, instrument))
    elif spec.aggregation is Aggregation.VALUE:
        made, rest = closings.value_bars(pieces, step_raw_of(spec, instrument), instrument.step_raw)
    else:
        made, rest = closings.renko_bars(pieces[0], pieces[3], pieces[4], spec.count * instrument.tick_raw)
    at = made[:, 0]
    return BatchBars(
        bars_table(spec, instrument, times[0][at], times[1][at], *made.T[1:]), np.zeros(len(made), bool), rest
    )


def _pieces(schema: Schema, source: str, rows: dict[str, Int64s]) -> tuple[Int64s, ...]:
    """What each row adds: open, high, low, close and quantity, as `growing.reader_of` reads single rows."""
    if schema is TRADES:
        price, quantity = rows["price"], rows["qty"]
    elif schema is QUOTES and source == "MID":
        twice = rows["bid_px"] + rows["ask_px"]
        half = twice >> 1
        price, quantity = half + (twice & half & 1), (rows["bid_qty"] + rows["ask_qty"]) // 2
    elif schema is QUOTES:
        side = source.lower()
        price, quantity = rows[f"{side}_px"], rows[f"{side}_qty"]
    else:
        return rows["open"], rows["high"], rows["low"], rows["close"], rows["volume"]
    return price, price, price, price, quantity


def _fits(spec: BarSpec, instrument: Instrument, columns: dict[str, Any]) -> bool:
    """Whether all sums and products stay within 64 bits."""
    sizes = [name for name in ("qty", "volume", "bid_qty", "ask_qty") if name in columns]
    rows = len(columns["ts_init_ns"])
    if not rows:
        return True
    size_max = max(int(columns[name].max()) for name in sizes)
    if 2 * size_max * rows >= SAFE_RAW:
        return False
    if spec.aggregation is not Aggregation.VALUE:
        return True
    prices = [name for name in ("price", "high", "low", "bid_px", "ask_px") if name in columns]
    price_max = max(int(np.abs(columns[name]).max()) for name in prices)
    return 2 * price_max * size_max < SAFE_RAW and step_raw_of(spec, instrument) < SAFE_RAW


def _ends(spec: BarSpec, rows: dict[str, Int64s]) -> Int64s:
    if spec.aggregation is Aggregation.TICK:
        return np.arange(spec.count - 1, len(rows["ts_init_ns"]), spec.count)
    from libra_ray.data.aggregation import closings

    find = closings.imbalance_ends if spec.aggregation is Aggregation.IMBALANCE else closings.runs_ends
    return find(rows["aggressor"], spec.count)


def _of_ends(
    spec: BarSpec, instrument: Instrument, times: tuple[Int64s, Int64s], pieces: tuple[Int64s, ...], ends: Int64s
) -> BatchBars:
    """Bars that end with these rows."""
    closed = int(ends[-1]) + 1 if len(ends) else 0
    starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
    numbers = grouped(tuple(piece[:closed] for piece in pieces), starts, ends)
    table = bars_table(spec, instrument, times[0][ends], times[1][ends], *numbers)
    return BatchBars(table, np.zeros(len(ends), bool), int(pieces[4][closed:].sum()))
