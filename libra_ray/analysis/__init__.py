"""What a run was worth: statistics, tables and the report."""

from libra_ray.analysis.drawdown import drawdowns
from libra_ray.analysis.equity import EquityCurve, daily_equity, equity_curve
from libra_ray.analysis.periods import monthly_returns, yearly_returns
from libra_ray.analysis.report import ReportInput, write_report
from libra_ray.analysis.significance import deflated_sharpe_ratio
from libra_ray.analysis.statistics import RunArrays, Stats, statistics, statistics_from_arrays
from libra_ray.analysis.sweep_report import sweep_report
from libra_ray.analysis.trades import Contract

__all__ = [
    "Contract",
    "EquityCurve",
    "ReportInput",
    "RunArrays",
    "Stats",
    "daily_equity",
    "deflated_sharpe_ratio",
    "drawdowns",
    "equity_curve",
    "monthly_returns",
    "statistics",
    "statistics_from_arrays",
    "sweep_report",
    "write_report",
    "yearly_returns",
]
