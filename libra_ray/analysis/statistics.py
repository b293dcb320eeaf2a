"""All figures of a run in one flat mapping.

`statistics` reads the result tables; `statistics_from_arrays` is the same computation for callers that have arrays and
want no tables (a trial of a sweep). Both give equal figures for equal runs. Formulas and their sources stand with the
functions in `returns`, `drawdown` and `trades`; what a sampled day is stands in `equity`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from libra_ray.analysis import drawdown, returns, trades
from libra_ray.analysis.columns import arrow, decimal_sum, floats, integers, is_valid, texts
from libra_ray.analysis.equity import EquityCurve, daily_equity, derived_periods_per_year, equity_curve
from libra_ray.analysis.trades import Contract

__all__ = ["RunArrays", "Stats", "statistics", "statistics_from_arrays"]

Stats: TypeAlias = dict[str, float | int | str | None]
STILL_OPEN_NS = int(np.iinfo(np.int64).max)
UNFILLED_ENDS = ("DENIED", "REJECTED", "CANCELED", "EXPIRED")


def _no_floats() -> npt.NDArray[np.float64]:
    return np.empty(0, np.float64)


def _no_times() -> npt.NDArray[np.int64]:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class RunArrays:
    """A run as arrays: what `statistics_from_arrays` needs.

    `pnl` has one result per closed position, net of commissions; `opened_ns` and `closed_ns` one time per position,
    int64 maximum while it is open. `pnl_currency` is None when trades settle in several currencies, which have no sum;
    `traded_value` is None when it is not known in the equity's currency.
    """

    curve: EquityCurve
    pnl: npt.NDArray[np.float64] = field(default_factory=_no_floats)
    pnl_currency: str | None = None
    opened_ns: npt.NDArray[np.int64] = field(default_factory=_no_times)
    closed_ns: npt.NDArray[np.int64] = field(default_factory=_no_times)
    traded_value: float | None = 0.0
    orders: int = 0
    fills: int = 0
    denied: int = 0
    rejected: int = 0
    canceled: int = 0
    expired: int = 0
    fees: Mapping[str, float] = field(default_factory=dict)


def statistics(
    equity: pa.Table,
    orders: pa.Table,
    fills: pa.Table,
    positions: pa.Table,
    *,
    periods_per_year: int | None = None,
    starting_equity: float | Decimal | None = None,
    currency: str | None = None,
    contracts: Mapping[str, Contract] | None = None,
) -> Stats:
    """Every figure of a run from its result tables, in a fixed order of keys; None where a figure is not defined.

    `periods_per_year` None: 365 when weekends are sampled, else 252. `starting_equity` None: that of the first row.
    `currency` None: the equity table's only one; with several and none chosen the figures of equity are None.
    `contracts` by instrument id makes turnover right for multipliers and inverse contracts; the others count quantity
    times price.
    """
    curve = equity_curve(equity, currency=currency)
    is_closed = is_valid(positions.column("ts_closed_ns"))
    owners = positions.column("currency").filter(arrow(is_closed)).unique().to_pylist()
    ends = _counts(orders.column("status"))
    arrays = RunArrays(
        curve=curve,
        pnl=floats(positions.column("realized_pnl"))[is_closed],
        pnl_currency=str(owners[0]) if len(owners) == 1 else None,
        opened_ns=integers(positions.column("ts_opened_ns")),
        closed_ns=integers(positions.column("ts_closed_ns"), null=STILL_OPEN_NS),
        traded_value=_traded_value(fills, contracts),
        orders=orders.num_rows,
        fills=fills.num_rows,
        denied=ends["DENIED"],
        rejected=ends["REJECTED"],
        canceled=ends["CANCELED"],
        expired=ends["EXPIRED"],
        fees=_fees(fills),
    )
    start = None if starting_equity is None else float(starting_equity)
    return statistics_from_arrays(arrays, periods_per_year=periods_per_year, starting_equity=start)


def statistics_from_arrays(
    run: RunArrays, *, periods_per_year: int | None = None, starting_equity: float | None = None
) -> Stats:
    """Compute the figures of `statistics` for a run held as arrays."""
    # Equity near zero can have returns that overflow: such a figure is infinite or NaN for a moment, then None.
    with np.errstate(over="ignore", invalid="ignore"):
        stats = _equity_figures(run, periods_per_year, starting_equity) | _trade_figures(run)
    stats |= {
        "positions_open": run.opened_ns.size - run.pnl.size,
        "orders": run.orders,
        "fills": run.fills,
        "denied": run.denied,
        "rejected": run.rejected,
        "canceled": run.canceled,
        "expired": run.expired,
    }
    return stats | {f"fees_{currency}": run.fees[currency] for currency in sorted(run.fees)}


def _equity_figures(run: RunArrays, periods_per_year: int | None, starting_equity: float | None) -> Stats:
    curve = run.curve
    daily = daily_equity(curve, starting_equity=starting_equity)
    has_rows = bool(curve.ts_ns.size)
    start_ns, end_ns = (int(curve.ts_ns[0]), int(curve.ts_ns[-1])) if has_rows else (None, None)
    final = float(curve.equity[-1]) if has_rows else np.nan
    periods = derived_periods_per_year(daily.day) if periods_per_year is None else periods_per_year
    series = returns.simple_returns(daily.with_start())
    growth = returns.cagr(daily.start, final, returns_count=series.size, periods_per_year=periods)
    drawdown_max = drawdown.max_drawdown(curve.equity)
    mean_equity = float(daily.with_start().mean())
    turnover = None
    if run.traded_value is not None and mean_equity > 0:
        turnover = returns.finite(run.traded_value / mean_equity)
    return {
        "currency": curve.currency,
        "start_ns": start_ns,
        "end_ns": end_ns,
        "days": series.size,
        "periods_per_year": periods,
        "starting_equity": returns.finite(daily.start),
        "final_equity": returns.finite(final),
        "net_profit": _difference(final, daily.start),
        "total_return": returns.total_return(daily.start, final),
        "cagr": growth,
        "volatility": returns.volatility(series, periods_per_year=periods),
        "sharpe_ratio": returns.sharpe_ratio(series, periods_per_year=periods),
        "sortino_ratio": returns.sortino_ratio(series, periods_per_year=periods),
        "calmar_ratio": returns.calmar_ratio(growth, drawdown_max),
        "max_drawdown": drawdown_max,
        "max_drawdown_duration_days": drawdown.max_drawdown_duration_days(curve.ts_ns, curve.equity),
        "skewness": returns.skewness(series),
        "kurtosis": returns.kurtosis(series),
        "value_at_risk_95": returns.value_at_risk(series),
        "conditional_value_at_risk_95": returns.conditional_value_at_risk(series),
        "best_day": returns.finite(series.max()) if series.size else None,
        "worst_day": returns.finite(series.min()) if series.size else None,
        "exposure": _exposure(run, start_ns, end_ns),
        "turnover": turnover,
        "turnover_per_year": None if turnover is None or not series.size else turnover * periods / series.size,
    }


def _difference(after: float, before: float) -> float | None:
    if not (np.isfinite(after) and np.isfinite(before)):
        return None
    # In decimals, as people write them: 98586.17 - 100069.11 is -1482.94, and as floats -1482.9400000000023.
    return float(Decimal(repr(after)) - Decimal(repr(before)))


def _exposure(run: RunArrays, start_ns: int | None, end_ns: int | None) -> float | None:
    if start_ns is None or end_ns is None:
        return None
    return trades.exposure(run.opened_ns, run.closed_ns, start_ns=start_ns, end_ns=end_ns)


def _trade_figures(run: RunArrays) -> Stats:
    pnl = run.pnl
    # Results in several currencies have signs that can be counted, but no sum and no order.
    money = pnl if run.pnl_currency is not None else pnl[:0]
    return {
        "trades": pnl.size,
        "trade_currency": run.pnl_currency,
        "wins": int((pnl > 0).sum()),
        "losses": int((pnl < 0).sum()),
        "win_rate": trades.win_rate(pnl),
        "profit_factor": trades.profit_factor(money),
        "expectancy": trades.expectancy(money),
        "avg_win": trades.avg_win(money),
        "avg_loss": trades.avg_loss(money),
        "payoff_ratio": trades.payoff_ratio(money),
        "best_trade": float(money.max()) if money.size else None,
        "worst_trade": float(money.min()) if money.size else None,
        "system_quality_number": trades.system_quality_number(money),
    }


def _counts(status: pa.ChunkedArray) -> dict[str, int]:
    found = {entry["values"]: int(entry["counts"]) for entry in status.value_counts().to_pylist()}
    return {name: found.get(name, 0) for name in UNFILLED_ENDS}


def _traded_value(fills: pa.Table, contracts: Mapping[str, Contract] | None) -> float:
    quantity, price = floats(fills.column("last_qty")), floats(fills.column("last_px"))
    if not contracts:
        return trades.traded_value(quantity, price)
    plain = Contract()
    owners = [contracts.get(name or "", plain) for name in texts(fills.column("instrument_id"))]
    return trades.traded_value(quantity, price, owners)


def _fees(fills: pa.Table) -> dict[str, float]:
    currencies = fills.column("commission_currency")
    names = currencies.unique().to_pylist()
    if len(names) == 1:
        return {str(names[0]): decimal_sum(fills.column("commission"))}
    paid_in = np.array([name or "" for name in texts(currencies)])
    return {
        str(name): decimal_sum(fills.column("commission").filter(arrow(paid_in == name)))
        for name in names
        if name is not None
    }
