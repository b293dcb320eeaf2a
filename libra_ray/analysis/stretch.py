"""A part of a run in time, as a run of its own."""

from dataclasses import replace

import numpy as np

from libra_ray.analysis.equity import EquityCurve
from libra_ray.analysis.statistics import RunArrays

__all__ = ["stretch"]


def stretch(run: RunArrays, start_ns: int) -> RunArrays:
    """What `run` did from `start_ns` on.

    Equity begins with what was there last before `start_ns` (the run's first row where nothing was before). Positions
    count that were closed, or are open, at or after it, with their whole result; traded value, fees and the counts of
    orders are not told apart in time, and are those of the whole run.
    """
    curve = run.curve
    first = int(np.searchsorted(curve.ts_ns, start_ns, side="left"))
    before = max(first - 1, 0)
    ts_ns, equity = curve.ts_ns[before:].copy(), curve.equity[before:]
    if first and ts_ns.size:
        ts_ns[0] = start_ns
    kept = run.closed_ns >= start_ns
    return replace(
        run,
        curve=EquityCurve(ts_ns, equity, curve.currency),
        pnl=run.pnl[kept[: run.pnl.size]],
        opened_ns=np.maximum(run.opened_ns[kept], start_ns) if first else run.opened_ns[kept],
        closed_ns=run.closed_ns[kept],
    )
