"""The figures of a compiled run straight from its arrays, equal to those of `simulation.figures` to the bit."""

import numpy as np

from libra_ray.analysis import EquityCurve, RunArrays
from libra_ray.kernel import TradingKernel
from libra_ray.matching.core.layout import (
    CANCELED,
    CLOSED,
    DENIED,
    EVENTS,
    FILL,
    KIND,
    OPENED,
    ORDERS,
    REJECTED,
    SAMPLES,
    STATUS,
    TS,
    A,
    B,
    Columns,
    D,
    Ledger,
)
from libra_ray.matching.core.traded import traded_value_f
from libra_ray.simulation.figures import STILL_OPEN_NS

__all__ = ["figures"]


def figures(ledger: Ledger, kernel: TradingKernel, instrument_id: str) -> RunArrays:
    """What `statistics_from_arrays` takes."""
    terms = kernel.portfolio.terms[instrument_id]
    unit = kernel.portfolio.accounts[terms.venue].reporting
    events = ledger.events[: ledger.now[EVENTS]]
    samples = ledger.samples[: ledger.now[SAMPLES]]
    status = ledger.orders[: ledger.now[ORDERS], STATUS]
    kinds = events[:, KIND].copy()
    fills, closed = (events[kinds == kind] for kind in (FILL, CLOSED))
    opened_ns = events[kinds == OPENED, TS]
    open_now = len(opened_ns) - len(closed)
    fees = int(fills[:, D].sum()) / 10.0**terms.fee_unit.precision
    return RunArrays(
        curve=EquityCurve(samples[:, 0].copy(), samples[:, 2].astype(np.float64) / 10.0**unit.precision, unit.code),
        pnl=closed[:, D].astype(np.float64) / 10.0**terms.precision,
        pnl_currency=terms.settlement.code if len(closed) else None,
        opened_ns=opened_ns,
        closed_ns=np.concatenate([closed[:, TS], np.full(open_now, STILL_OPEN_NS)]).astype(np.int64),
        traded_value=traded_value_f(fills[:, B], fills[:, A], *terms.pnl_factor, 10.0**terms.precision),
        orders=len(status),
        fills=len(fills),
        denied=_count(status, DENIED),
        rejected=_count(status, REJECTED),
        canceled=_count(status, CANCELED),
        expired=0,
        fees={terms.fee_unit.code: fees} if len(fills) else {},
    )


def _count(status: Columns, wanted: int) -> int:
    return int(np.count_nonzero(status == wanted))
