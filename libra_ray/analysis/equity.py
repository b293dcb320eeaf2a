"""The equity curve: rows of the `equity` table as two arrays, and its samples, one per UTC day.

What a day is: the half-open interval from 00:00 (not included) to 24:00 UTC (included), because a bar's time is its
close and a day's closing row may carry exactly 00:00 of the next date.

What is sampled: the last row of each day that has a row. The starting row itself is no sample, it is what the first
sample's return is measured from. A day without a row (a weekend or holiday of a market that rests) is not filled: from
Friday to Monday is one return. A market that never closes has a row each day, weekends included.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from libra_ray.analysis.columns import arrow, floats, integers, texts

__all__ = [
    "DAY_NS",
    "DailyEquity",
    "EquityCurve",
    "daily_equity",
    "derived_periods_per_year",
    "equity_curve",
    "utc_days",
]

DAY_NS: Final = 86_400_000_000_000
ALWAYS_OPEN, WEEKDAYS_ONLY = 365, 252
DAYS_A_WEEK, SATURDAY, SUNDAY = 7, 5, 6
EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0
WEEKEND_SHARE_MIN = 20  # a Saturday in 20 sampled days; a market open all week has one in 7


@dataclass(frozen=True, slots=True)
class EquityCurve:
    """Equity of the whole run in one currency, as a step function of time.

    `currency` is None, and there is not one row, when the table holds several currencies and none was chosen: they have
    no sum.
    """

    ts_ns: npt.NDArray[np.int64]
    equity: npt.NDArray[np.float64]
    currency: str | None


@dataclass(frozen=True, slots=True)
class DailyEquity:
    """Samples at UTC day ends. `day` counts days since 1970-01-01; `start` is the equity before the first of them."""

    day: npt.NDArray[np.int64]
    equity: npt.NDArray[np.float64]
    start: float

    def with_start(self) -> npt.NDArray[np.float64]:
        """Join the starting equity and then the samples: what returns are taken of."""
        return np.concatenate(([self.start], self.equity))


def utc_days(ts_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Give the UTC day of each time, as days since 1970-01-01. Exactly 00:00 belongs to the day that ends."""
    return (ts_ns - 1) // DAY_NS


def equity_curve(table: pa.Table, *, currency: str | None = None) -> EquityCurve:
    """Read the run's equity from the `equity` table, the accounts of `currency` added up (default: the only currency).

    Each account holds its value until its next row, and its first value before that. O(rows x accounts).
    """
    if currency is None:
        found = table.column("currency").unique().to_pylist()
        if len(found) != 1:
            return EquityCurve(np.empty(0, np.int64), np.empty(0, np.float64), None)
        currency = str(found[0])
    elif table.num_rows:
        mask = np.array([text == currency for text in texts(table.column("currency"))])
        table = table.filter(arrow(mask)) if not mask.all() else table
    ts_ns, equity = integers(table.column("ts_ns")), floats(table.column("equity"))
    accounts = table.column("account_id").unique().to_pylist()
    if len(accounts) <= 1 or not ts_ns.size:
        return EquityCurve(ts_ns, equity, currency)
    start, total = _summed(texts(table.column("account_id")), accounts, ts_ns, equity)
    return EquityCurve(ts_ns[start:], total[start:], currency)


def _summed(
    owners: list[str | None],
    accounts: list[Any],
    ts_ns: npt.NDArray[np.int64],
    equity: npt.NDArray[np.float64],
) -> tuple[int, npt.NDArray[np.float64]]:
    owner = np.array([accounts.index(name) for name in owners])
    rows = np.arange(owner.size)
    total = np.zeros(owner.size)
    start = 0
    for place in range(len(accounts)):
        mine = owner == place
        first = int(mine.argmax())
        total += equity[np.maximum(np.maximum.accumulate(np.where(mine, rows, -1)), first)]
        if ts_ns[first] == ts_ns[0]:
            # Every account has a starting row; together they are the one starting row of the run.
            start = max(start, first)
    return start, total


def daily_equity(curve: EquityCurve, *, starting_equity: float | None = None) -> DailyEquity:
    """Sample `curve` at UTC day ends (see the module). Without a row `start` is NaN unless it is given."""
    if not curve.ts_ns.size:
        empty = np.empty(0, np.int64)
        return DailyEquity(empty, np.empty(0, np.float64), np.nan if starting_equity is None else starting_equity)
    start = float(curve.equity[0]) if starting_equity is None else starting_equity
    days = utc_days(curve.ts_ns[1:])
    last = np.flatnonzero(np.append(days[1:] != days[:-1], [True] * bool(days.size)))
    return DailyEquity(days[last], curve.equity[1:][last], start)


def derived_periods_per_year(day: npt.NDArray[np.int64]) -> int:
    """365 when both Saturdays and Sundays are sampled, each at least once in 20 days, else 252.

    One stray weekend row, a Sunday evening opening, or daily bars closing at 00:00 do not make a market that never
    rests.
    """
    weekday = (day + EPOCH_WEEKDAY) % DAYS_A_WEEK
    saturdays, sundays = int((weekday == SATURDAY).sum()), int((weekday == SUNDAY).sum())
    return ALWAYS_OPEN if 0 < day.size <= min(saturdays, sundays) * WEEKEND_SHARE_MIN else WEEKDAYS_ONLY
