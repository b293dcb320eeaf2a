"""Losses from a peak: the series, its figures, and a table of the deepest.

Taken over every row of the equity table (start, bookings, day ends, end), not only over day ends: a loss made good
within a day was a loss. A drawdown is a positive fraction of the peak before it; above 1 equity is negative.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from libra_ray.analysis.columns import arrow
from libra_ray.analysis.equity import DAY_NS, EquityCurve
from libra_ray.analysis.returns import finite

__all__ = ["drawdown_series", "drawdowns", "max_drawdown", "max_drawdown_duration_days"]

Floats = npt.NDArray[np.float64]
DRAWDOWNS = pa.schema(
    [
        pa.field("depth", pa.float64(), nullable=False),
        pa.field("start_ns", pa.int64(), nullable=False),
        pa.field("trough_ns", pa.int64(), nullable=False),
        pa.field("recovery_ns", pa.int64()),
        pa.field("days", pa.float64(), nullable=False),
    ]
)


def drawdown_series(equity: Floats) -> Floats:
    """`1 - equity / running peak` of each row: 0 at a peak. NaN while the peak is not above zero."""
    peak = np.maximum.accumulate(equity)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(peak > 0, (peak - equity) / peak, np.nan)


def max_drawdown(equity: Floats) -> float | None:
    """Find the largest loss from a peak as a positive fraction. 0 for equity that never fell, None without equity."""
    if not equity.size:
        return None
    return finite(np.max(drawdown_series(equity)))


def max_drawdown_duration_days(ts_ns: npt.NDArray[np.int64], equity: Floats) -> float | None:
    """Find the longest time, in days, from a peak until equity was there again, or until the end when it never was."""
    if not equity.size:
        return None
    starts, ends = _spells(equity)
    if not starts.size:
        return 0.0
    last = np.minimum(ends, ts_ns.size - 1)
    return float((ts_ns[last] - ts_ns[starts]).max() / DAY_NS)


def drawdowns(curve: EquityCurve, *, count_max: int = 10) -> pa.Table:
    """List the deepest drawdowns, deepest first, ties by start.

    Columns: depth (positive fraction), start_ns (the peak's last row), trough_ns (its first lowest row), recovery_ns
    (null while under water at the end), days (from start to recovery or end).
    """
    ts_ns, equity = curve.ts_ns, curve.equity
    starts, ends = _spells(equity)
    if not starts.size:
        return DRAWDOWNS.empty_table()
    depth = np.maximum.reduceat(drawdown_series(equity), starts)
    deepest = np.lexsort((starts, -depth))[:count_max]
    starts, ends, depth = starts[deepest], ends[deepest], depth[deepest]
    troughs = np.array([start + int(equity[start:end].argmin()) for start, end in zip(starts, ends, strict=True)])
    is_recovered = ends < ts_ns.size
    ended_ns = ts_ns[np.minimum(ends, ts_ns.size - 1)]
    columns = [
        arrow(depth),
        arrow(ts_ns[starts]),
        arrow(ts_ns[troughs]),
        arrow(ended_ns, valid=is_recovered),
        arrow((ended_ns - ts_ns[starts]) / DAY_NS),
    ]
    return pa.Table.from_arrays(columns, schema=DRAWDOWNS)


def _spells(equity: Floats) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows of peak and of recovery of each time under water. A recovery row equal to the length never came."""
    peaks = np.flatnonzero(equity == np.maximum.accumulate(equity))
    following = np.append(peaks[1:], equity.size)
    under_water = following - peaks > 1
    return peaks[under_water], following[under_water]
