"""Tables over the equity curve: the deepest falls, and returns by month and year."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.analysis.drawdown import drawdowns, max_drawdown_duration_days
from libra_ray.analysis.equity import DAY_NS, EquityCurve
from libra_ray.analysis.periods import monthly_returns, yearly_returns


def curve(values: list[float]) -> EquityCurve:
    return EquityCurve(np.arange(len(values), dtype=np.int64) * DAY_NS, np.array(values, np.float64), "USD")


def dated(rows: list[tuple[str, float]]) -> EquityCurve:
    ts_ns = [int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9 for text, _ in rows]
    return EquityCurve(np.array(ts_ns, np.int64), np.array([value for _, value in rows]), "USD")


def test_drawdowns_are_listed_deepest_first_with_peak_trough_and_recovery() -> None:
    found = drawdowns(curve([100, 100, 90, 95, 100, 110, 55, 66, 60])).to_pylist()

    assert found == [
        {"depth": 0.5, "start_ns": 5 * DAY_NS, "trough_ns": 6 * DAY_NS, "recovery_ns": None, "days": 3.0},
        {"depth": 0.1, "start_ns": DAY_NS, "trough_ns": 2 * DAY_NS, "recovery_ns": 4 * DAY_NS, "days": 3.0},
    ]


def test_equally_deep_drawdowns_stand_in_order_of_time_and_the_table_ends_where_it_is_told() -> None:
    found = drawdowns(curve([100, 50, 100, 50, 100, 50, 100]), count_max=2).to_pylist()

    assert [row["start_ns"] // DAY_NS for row in found] == [0, 2]


@pytest.mark.parametrize(
    ("values", "days"), [([1, 2, 3], 0.0), ([3, 2, 3, 1, 3], 2.0), ([3, 2, 1], 2.0), ([2, 1, 1, 2, 1], 3.0), ([5], 0.0)]
)
def test_the_longest_drawdown_runs_from_peak_to_recovery_or_end(values: list[float], days: float) -> None:
    run = curve(values)

    assert max_drawdown_duration_days(run.ts_ns, run.equity) == days


def test_equity_that_never_falls_has_no_drawdowns() -> None:
    assert drawdowns(curve([1, 2, 2, 3])).num_rows == 0
    assert drawdowns(curve([])).num_rows == 0


def test_a_month_is_measured_from_the_last_sample_before_it() -> None:
    run = dated(
        [
            ("2023-12-29T00:00", 100.0),
            ("2023-12-29T12:00", 110.0),
            ("2024-01-15T12:00", 90.0),
            ("2024-02-01T00:00", 121.0),  # midnight: still January
            ("2024-04-02T12:00", 60.5),
        ]
    )

    assert monthly_returns(run).to_pylist() == [
        {"year": 2023, "month": 12, "return": pytest.approx(0.1)},
        {"year": 2024, "month": 1, "return": pytest.approx(0.1)},
        {"year": 2024, "month": 4, "return": -0.5},
    ]
    assert yearly_returns(run).to_pylist() == [
        {"year": 2023, "return": pytest.approx(0.1)},
        {"year": 2024, "return": pytest.approx(-0.45)},
    ]


@given(st.lists(st.floats(1.0, 1e6), min_size=2, max_size=400))
def test_months_and_years_compound_to_the_total_return(values: list[float]) -> None:
    run = curve(values)

    for table in (monthly_returns(run), yearly_returns(run)):
        growth = np.prod([1 + row["return"] for row in table.to_pylist()])
        assert growth == pytest.approx(values[-1] / values[0], rel=1e-9)


def test_out_of_ruin_there_is_no_return() -> None:
    run = dated([("2024-01-01T00:00", 10.0), ("2024-01-02T12:00", 0.0), ("2024-02-02T12:00", 5.0)])

    assert monthly_returns(run).column("return").to_pylist() == [-1.0, None]
