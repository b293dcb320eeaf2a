"""A run's record as the arrays that statistics are made of, without the tables between."""

import numpy as np

from libra_ray.analysis import EquityCurve, RunArrays, equity_curve
from libra_ray.execution import RunRecord
from libra_ray.messages.events import OrderFilled
from libra_ray.model.enums import OrderStatus
from libra_ray.portfolio import Portfolio
from libra_ray.simulation.tables import equity_table

__all__ = ["run_arrays"]

STILL_OPEN_NS = int(np.iinfo(np.int64).max)


def run_arrays(record: RunRecord, portfolio: Portfolio) -> RunArrays:
    """What `statistics_from_arrays` takes. A sweep asks for this after every trial, so it builds no Arrow table."""
    curve = _curve(record, portfolio)
    fills = [event for event in record.events if type(event) is OrderFilled]
    ends = [order.status for order in record.orders]
    closed = portfolio.closed
    units = list(dict.fromkeys(position.currency.code for position in closed))
    fees: dict[str, int] = {}
    decimals: dict[str, int] = {}
    for fill in fills:
        code = fill.commission_currency
        fees[code] = fees.get(code, 0) + fill.commission_raw
        decimals[code] = fill.commission_precision
    return RunArrays(
        curve=curve,
        pnl=np.array([position.realized_raw / 10.0**position.currency.precision for position in closed], np.float64),
        pnl_currency=units[0] if len(units) == 1 else None,
        opened_ns=np.array([p.ts_opened_ns for p in (*closed, *portfolio.open.values())], np.int64),
        closed_ns=np.array([p.ts_closed_ns for p in closed] + [STILL_OPEN_NS] * len(portfolio.open), np.int64),
        traded_value=_traded_value(fills, portfolio, curve.currency),
        orders=len(record.orders),
        fills=len(fills),
        denied=ends.count(OrderStatus.DENIED),
        rejected=ends.count(OrderStatus.REJECTED),
        canceled=ends.count(OrderStatus.CANCELED),
        expired=ends.count(OrderStatus.EXPIRED),
        fees={code: raw / 10.0 ** decimals[code] for code, raw in fees.items()},
    )


def _curve(record: RunRecord, portfolio: Portfolio) -> EquityCurve:
    """Equity over time; accounts of several venues are added up by `analysis`."""
    if len(portfolio.accounts) != 1:
        return equity_curve(equity_table(record, portfolio))
    (account,) = portfolio.accounts.values()
    ts_ns = np.array([sample[0] for sample in record.equity], np.int64)
    equity = np.array([sample[3] for sample in record.equity], np.float64) / 10.0**account.reporting.precision
    return EquityCurve(ts_ns, equity, account.reporting.code)


def _traded_value(fills: list[OrderFilled], portfolio: Portfolio, code: str | None) -> float | None:
    """The notional of all fills in the equity's currency; None where an instrument settles in another one."""
    traded = 0.0
    for fill in fills:
        terms = portfolio.terms[fill.instrument_id]
        if terms.instrument.settlement.code != code:
            return None
        traded += terms.notional(fill.last_px_raw, fill.last_qty_raw) / 10.0**terms.precision
    return traded
