"""Runs of several stretches of time as one: what somebody would have lived through who made one after the other."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from libra_ray.analysis.equity import EquityCurve
from libra_ray.analysis.statistics import RunArrays

__all__ = ["stitched"]


def stitched(runs: Sequence[RunArrays]) -> RunArrays:
    """One run made of `runs`, which follow each other in time.

    Every run began with the same money; here each begins with what the one before it ended with, and all its amounts
    (results, fees, traded value) grow or shrink with that: returns stay what they were, and compound. After equity has
    come to nothing, amounts are nothing. Equity of several currencies has no sum: then there is no curve, and amounts
    stay as they are.
    """
    currencies = {run.curve.currency for run in runs}
    has_curve = len(currencies) == 1 and None not in currencies
    factors = _factors(runs) if has_curve else [1.0] * len(runs)
    pairs = list(zip(runs, factors, strict=True))
    units = list(dict.fromkeys(run.pnl_currency for run in runs if run.pnl.size))
    known = [run.traded_value * factor for run, factor in pairs if run.traded_value is not None]
    codes = dict.fromkeys(code for run in runs for code in run.fees)
    return RunArrays(
        curve=_curve(pairs) if has_curve else EquityCurve(np.empty(0, np.int64), np.empty(0, np.float64), None),
        pnl=np.concatenate([np.empty(0), *(run.pnl * factor for run, factor in pairs)]),
        pnl_currency=units[0] if len(units) == 1 else None,
        opened_ns=np.concatenate([np.empty(0, np.int64), *(run.opened_ns for run in runs)]),
        closed_ns=np.concatenate([np.empty(0, np.int64), *(_ended(run) for run in runs)]),
        traded_value=None if len(known) < len(runs) else sum(known),
        orders=sum(run.orders for run in runs),
        fills=sum(run.fills for run in runs),
        denied=sum(run.denied for run in runs),
        rejected=sum(run.rejected for run in runs),
        canceled=sum(run.canceled for run in runs),
        expired=sum(run.expired for run in runs),
        fees={code: sum(run.fees.get(code, 0.0) * factor for run, factor in pairs) for code in codes},
    )


def _factors(runs: Sequence[RunArrays]) -> list[float]:
    """By how much the amounts of each run are larger than they were."""
    factors, stands = [], None
    for run in runs:
        equity = run.curve.equity
        if not equity.size or not equity[0] > 0:
            factors.append(1.0)
            continue
        factor = 1.0 if stands is None else stands / float(equity[0])
        factors.append(factor)
        stands = max(float(equity[-1]) * factor, 0.0)
    return factors


def _curve(pairs: Sequence[tuple[RunArrays, float]]) -> EquityCurve:
    """Rows of all curves. The starting row of a later run says what the row before it said."""
    kept = [(run.curve, factor, min(place, 1)) for place, (run, factor) in enumerate(pairs)]
    ts_ns = np.concatenate([curve.ts_ns[first:] for curve, _, first in kept])
    equity = np.concatenate([curve.equity[first:] * factor for curve, factor, first in kept])
    return EquityCurve(ts_ns, equity, kept[0][0].currency)


def _ended(run: RunArrays) -> npt.NDArray[np.int64]:
    """When positions were closed: what was open at the end of a run is not held in the next."""
    last_ns = run.curve.ts_ns[-1] if run.curve.ts_ns.size else np.iinfo(np.int64).max
    return np.minimum(run.closed_ns, last_ns)
