"""Returns by calendar month and year, UTC, from the daily samples of equity."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from libra_ray.analysis.columns import arrow
from libra_ray.analysis.equity import EquityCurve, daily_equity
from libra_ray.analysis.returns import simple_returns

__all__ = ["monthly_returns", "yearly_returns"]

MONTHS_A_YEAR = 12
EPOCH_YEAR = 1970


def monthly_returns(curve: EquityCurve, *, starting_equity: float | None = None) -> pa.Table:
    """Columns year, month (1 to 12) and return (fraction; null out of ruin), one row per month that has a sample.

    Measured from the last sample before the month, which for the first month is the starting equity, so the months
    compound to the total return.
    """
    daily = daily_equity(curve, starting_equity=starting_equity)
    months = daily.day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    last, values = _last_of_each(months, daily.equity, daily.start)
    year, month = np.divmod(months[last], MONTHS_A_YEAR)
    return _table({"year": year + EPOCH_YEAR, "month": month + 1}, values)


def yearly_returns(curve: EquityCurve, *, starting_equity: float | None = None) -> pa.Table:
    """Columns year and return, as `monthly_returns`."""
    daily = daily_equity(curve, starting_equity=starting_equity)
    years = daily.day.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64)
    last, values = _last_of_each(years, daily.equity, daily.start)
    return _table({"year": years[last] + EPOCH_YEAR}, values)


def _last_of_each(
    period: npt.NDArray[np.int64], equity: npt.NDArray[np.float64], start: float
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    last = np.flatnonzero(np.append(period[1:] != period[:-1], [True] * bool(period.size)))
    return last, simple_returns(np.concatenate(([start], equity[last])))


def _table(keys: dict[str, npt.NDArray[np.int64]], values: npt.NDArray[np.float64]) -> pa.Table:
    columns = {name: arrow(key.astype(np.int32)) for name, key in keys.items()}
    # NaN is not a figure: out of ruin there is no return.
    columns["return"] = arrow(values, valid=np.isfinite(values))
    return pa.table(columns)
