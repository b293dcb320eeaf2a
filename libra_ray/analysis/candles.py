"""Bars and trades of one instrument as a chart shows them: few enough candles, and markers that stand on them."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from libra_ray.analysis.columns import floats, integers, is_valid, texts

__all__ = ["Candles", "Markers", "candles", "markers"]

Floats = npt.NDArray[np.float64]
MARKER_KINDS: Final = ("long entry", "short entry", "long exit", "short exit")


@dataclass(frozen=True, slots=True)
class Candles:
    """OHLC of `bars_each` bars a candle (the last may have fewer). `ts_ns` is the close of the last bar in it."""

    ts_ns: npt.NDArray[np.int64]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    bars_each: int
    bars_count: int


@dataclass(frozen=True, slots=True)
class Markers:
    """Entries and exits, at most one of each kind a candle: `count` trades at their mean `price`.

    `candle` is the index of the candle, `kind` an index into MARKER_KINDS. `lines` joins the entry of each closed trade
    to its exit: candle, price, candle, price, 1 for a win and 0 otherwise; empty when there are more than can be told
    apart.
    """

    candle: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    price: Floats
    count: npt.NDArray[np.int64]
    lines: list[list[float]]


def candles(bars: pa.Table, *, count_max: int) -> Candles:
    """Put equally many bars into each candle, so that there are at most `count_max`. Bars ascend in `ts_event_ns`."""
    ts_ns = integers(bars.column("ts_event_ns"))
    each = max(1, -(-ts_ns.size // count_max))
    first = np.arange(0, ts_ns.size, each)
    last = np.minimum(first + each, ts_ns.size) - 1
    low, high = floats(bars.column("low")), floats(bars.column("high"))
    return Candles(
        ts_ns=ts_ns[last],
        open=floats(bars.column("open"))[first],
        high=np.maximum.reduceat(high, first) if first.size else high,
        low=np.minimum.reduceat(low, first) if first.size else low,
        close=floats(bars.column("close"))[last],
        bars_each=each,
        bars_count=ts_ns.size,
    )


def markers(positions: pa.Table, shown: Candles, *, lines_max: int) -> Markers:
    """Place entries and exits of one instrument's positions on the candles during which they happened.

    A time after the last candle stands on the last one.
    """
    is_long = np.array([side == "LONG" for side in texts(positions.column("entry_side"))], np.bool_)
    is_closed = is_valid(positions.column("ts_closed_ns"))
    entry_at = _candle_of(integers(positions.column("ts_opened_ns")), shown)
    exit_at = _candle_of(integers(positions.column("ts_closed_ns")), shown)
    entry_px, exit_px = floats(positions.column("avg_px_open")), floats(positions.column("avg_px_close"))
    candle = np.concatenate((entry_at, exit_at[is_closed]))
    kind = np.concatenate((np.where(is_long, 0, 1), np.where(is_long, 2, 3)[is_closed]))
    price = np.concatenate((entry_px, exit_px[is_closed]))
    place, owner = np.unique(candle * len(MARKER_KINDS) + kind, return_inverse=True)
    count = np.bincount(owner, minlength=place.size)
    lines: list[list[float]] = []
    if 0 < int(is_closed.sum()) <= lines_max:
        won = floats(positions.column("realized_pnl")) > 0
        columns: list[Any] = [part[is_closed].tolist() for part in (entry_at, entry_px, exit_at, exit_px, won)]
        lines = [
            [start, start_px, end, end_px, int(win)] for start, start_px, end, end_px, win in zip(*columns, strict=True)
        ]
    return Markers(
        candle=place // len(MARKER_KINDS),
        kind=place % len(MARKER_KINDS),
        price=np.bincount(owner, weights=price, minlength=place.size) / np.maximum(count, 1),
        count=count,
        lines=lines,
    )


def _candle_of(ts_ns: npt.NDArray[np.int64], shown: Candles) -> npt.NDArray[np.int64]:
    return np.minimum(np.searchsorted(shown.ts_ns, ts_ns, side="left"), shown.ts_ns.size - 1)
