"""What the batch forms of bars share: their result, groups of rows, and the way row by row."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from libra_ray.data.aggregation.builders import make_builder
from libra_ray.data.aggregation.specs import BarSpec
from libra_ray.data.aggregation.time_bars import TimeBars
from libra_ray.data.arrow_arrays import Int64s, Mask
from libra_ray.errors import ConfigError
from libra_ray.messages.schemas import BARS, Bar, RowSpec, Schema
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import STANDARD_PRECISION_MAX, decimal_text

__all__ = ["BatchBars", "bars_row_by_row", "bars_table", "grouped"]

RAW_MAX: Final = 10**18
RAW_MAX_WIDE: Final = 10**38


@dataclass(frozen=True, slots=True)
class BatchBars:
    """What one spec makes of a table.

    Attributes:
        table: as `BARS.arrow(instrument, period=spec.name)` says.
        is_empty: bars of windows without a row, which larger bars are not made of.
        rest_raw: volume after the last bar.
        outside_raw: volume of rows that were in no session.
        skipped_raw: volume of a first window that was to be skipped.
    """

    table: pa.Table
    is_empty: Mask
    rest_raw: int
    outside_raw: int = 0
    skipped_raw: int = 0


def grouped(pieces: tuple[Int64s, ...], firsts: Int64s, lasts: Int64s) -> tuple[Int64s, ...]:
    """Open, high, low, close and volume of the rows from each first to each last."""
    opens, highs, lows, closes, quantity = pieces
    if not len(firsts):
        return (opens[:0],) * 5
    return (
        opens[firsts],
        np.maximum.reduceat(highs, firsts),
        np.minimum.reduceat(lows, firsts),
        closes[lasts],
        np.add.reduceat(quantity, firsts),
    )


def bars_table(spec: BarSpec, instrument: Instrument, ts_ns: Any, ts_event_ns: Any, *numbers: Any) -> pa.Table:  # noqa: ANN401
    """Bars as a batch, from times, open, high, low, close and volume.

    Raises `ConfigError` CONF011 for a bar that holds more than a column of the instrument can.
    """
    high_precision = instrument.size_precision > STANDARD_PRECISION_MAX
    largest = max(numbers[4], default=0) if isinstance(numbers[4], list) else _max(numbers[4])
    if largest >= (RAW_MAX_WIDE if high_precision else RAW_MAX):
        what = f"a bar of {spec} holds {decimal_text(largest, instrument.size_precision)}, more digits than a column"
        raise ConfigError("CONF011", "bars", what, "Make shorter bars, or give the instrument fewer decimals.")
    names = ("open", "high", "low", "close", "volume")
    columns = {"ts_init_ns": ts_ns, "ts_event_ns": ts_event_ns, **dict(zip(names, numbers, strict=True))}
    return BARS.table(instrument, columns, period=spec.name)


def _max(values: Int64s) -> int:
    return int(values.max()) if len(values) else 0


def bars_row_by_row(
    spec: BarSpec, instrument: Instrument, schema: Schema, table: pa.Table, until_ns: int, covers_ns: int | None
) -> BatchBars:
    """The same by the builder that a run uses: integers of any size."""
    builder = make_builder(spec, instrument, source_length_ns=covers_ns)
    bars: list[Bar] = []
    is_empty: list[bool] = []
    skipped_raw = 0

    def close_until(ts_ns: int) -> int:
        skipped = 0
        while isinstance(builder, TimeBars) and builder.next_close_ns <= ts_ns:
            empty, volume_raw = builder.growing.is_empty, builder.growing.volume_raw
            bar = builder.close(builder.next_close_ns)
            if bar is None:
                skipped += volume_raw
            else:
                bars.append(bar)
                is_empty.append(empty)
        return skipped

    for row in schema.rows(RowSpec.of(instrument), table):
        skipped_raw += close_until(min(row.ts_ns - 1, until_ns))
        closed = builder.on_row(row)
        bars += closed
        is_empty += [False] * len(closed)
    skipped_raw += close_until(until_ns)
    rows = [(b.ts_ns, b.ts_event_ns, b.open_raw, b.high_raw, b.low_raw, b.close_raw, b.volume_raw) for b in bars]
    made = bars_table(spec, instrument, *([list(column) for column in zip(*rows, strict=True)] if rows else [[]] * 7))
    outside_raw = builder.outside_raw if isinstance(builder, TimeBars) else 0
    return BatchBars(made, np.array(is_empty, bool), builder.rest_raw, outside_raw, skipped_raw)
