"""Figures of small runs worked out by hand, and the laws that all runs obey."""

import json
import math
import pickle
import subprocess
import sys
import timeit
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.analysis.equity import EquityCurve, daily_equity, derived_periods_per_year, equity_curve
from libra_ray.analysis.statistics import RunArrays, Stats, statistics, statistics_from_arrays
from libra_ray.analysis.trades import Contract
from tests.analysis.result_tables import DAY_NS, HOUR_NS, Book, ema_cross, equity_table

MONDAY_NS = 19_723 * DAY_NS  # 2024-01-01T00:00Z
amounts = st.floats(1.0, 1e9)


def figures(book: Book) -> Stats:
    return statistics(**book.tables())


def curve_of(values: list[float], *, step_ns: int = DAY_NS) -> EquityCurve:
    ts_ns = MONDAY_NS + np.arange(len(values), dtype=np.int64) * step_ns
    return EquityCurve(ts_ns, np.array(values, np.float64), "USD")


@pytest.fixture
def three_days() -> Book:
    """100 -> 110 -> 99 -> 108.9 at three day ends; one win of 20, one loss of 10, one position still open."""
    book = Book()
    for day, amount in enumerate(["100", "110", "99", "108.9"]):
        book.value(MONDAY_NS + day * DAY_NS, amount)
    book.order(1, MONDAY_NS)
    book.order(2, MONDAY_NS, status="DENIED", code="MAX_POSITION")
    book.order(3, MONDAY_NS, status="REJECTED")
    book.order(4, MONDAY_NS, status="CANCELED")
    book.fill(1, MONDAY_NS, last_qty=Decimal(2), last_px=Decimal(100), commission=Decimal("0.1"))
    book.fill(2, MONDAY_NS, last_qty=Decimal(3), last_px=Decimal(50), commission=Decimal("0.2"))
    book.position("20", MONDAY_NS, MONDAY_NS + 12 * HOUR_NS)
    book.position("-10", MONDAY_NS + 6 * HOUR_NS, MONDAY_NS + DAY_NS)
    book.position("5", MONDAY_NS + 60 * HOUR_NS, None)
    return book


def test_returns_and_risk_of_three_days(three_days: Book) -> None:
    stats = figures(three_days)

    returns = [0.1, -0.1, 0.1]
    mean, deviation = 0.1 / 3, math.sqrt(((0.2 / 3) ** 2 * 2 + (0.4 / 3) ** 2) / 2)
    assert (stats["days"], stats["periods_per_year"], stats["currency"]) == (3, 252, "USD")
    assert (stats["starting_equity"], stats["final_equity"], stats["net_profit"]) == (100.0, 108.9, 8.9)
    assert stats["total_return"] == pytest.approx(0.089, abs=1e-15)
    assert stats["cagr"] == pytest.approx(1.089**84 - 1, rel=1e-12)
    assert stats["volatility"] == pytest.approx(deviation * math.sqrt(252), rel=1e-12)
    assert stats["sharpe_ratio"] == pytest.approx(mean / deviation * math.sqrt(252), rel=1e-12)
    assert stats["sortino_ratio"] == pytest.approx(mean / math.sqrt(0.01 / 3) * math.sqrt(252), rel=1e-12)
    assert stats["max_drawdown"] == pytest.approx(0.1, rel=1e-12)
    assert stats["max_drawdown_duration_days"] == 2.0
    assert stats["calmar_ratio"] == pytest.approx((1.089**84 - 1) / 0.1, rel=1e-12)
    assert stats["best_day"] == pytest.approx(max(returns))
    assert stats["worst_day"] == pytest.approx(min(returns))


def test_trades_and_counts_of_three_days(three_days: Book) -> None:
    stats = figures(three_days)

    expected = {"trades": 2, "wins": 1, "losses": 1, "win_rate": 0.5, "profit_factor": 2.0, "expectancy": 5.0}
    expected |= {"avg_win": 20.0, "avg_loss": -10.0, "payoff_ratio": 2.0, "best_trade": 20.0, "worst_trade": -10.0}
    expected |= {"positions_open": 1, "orders": 4, "fills": 2, "denied": 1, "rejected": 1, "canceled": 1, "expired": 0}
    assert {key: stats[key] for key in expected} == expected
    assert stats["system_quality_number"] == pytest.approx(math.sqrt(2) * 5 / math.sqrt(450), rel=1e-12)


def test_exposure_counts_overlapping_positions_once_and_an_open_one_until_the_end(three_days: Book) -> None:
    # 0 h to 24 h by two that overlap, 60 h to 72 h by the one still open.
    assert figures(three_days)["exposure"] == 36 / 72


def test_fees_are_added_up_per_currency_and_exactly(three_days: Book) -> None:
    three_days.fill(3, MONDAY_NS, commission=Decimal("-0.05"), commission_currency="BNB")

    stats = figures(three_days)

    assert (stats["fees_BNB"], stats["fees_USD"]) == (-0.05, 0.3)


def test_turnover_is_traded_value_over_mean_equity(three_days: Book) -> None:
    mean = (100 + 110 + 99 + 108.9) / 4

    stats = figures(three_days)

    assert stats["turnover"] == pytest.approx(350 / mean, rel=1e-15)
    assert stats["turnover_per_year"] == pytest.approx(350 / mean * 252 / 3, rel=1e-15)


def test_turnover_knows_multipliers_and_inverse_contracts(three_days: Book) -> None:
    three_days.fill(3, MONDAY_NS, instrument_id="XBT.SIM", last_qty=Decimal(5_000), last_px=Decimal(50))
    contracts = {"AAPL.SIM": Contract(multiplier=10), "XBT.SIM": Contract(multiplier=1, is_inverse=True)}

    stats = statistics(**three_days.tables(), contracts=contracts)

    assert stats["turnover"] == pytest.approx((3_500 + 100) / ((100 + 110 + 99 + 108.9) / 4), rel=1e-15)


def test_an_empty_run_has_counts_and_no_other_figure() -> None:
    stats = figures(Book())

    counts = {key: value for key, value in stats.items() if value is not None}
    assert counts == {"days": 0, "periods_per_year": 252} | dict.fromkeys(
        ["trades", "wins", "losses", "positions_open", "orders", "fills", "denied", "rejected", "canceled", "expired"],
        0,
    )


def test_a_run_without_change_has_no_ratio() -> None:
    stats = statistics_from_arrays(RunArrays(curve=curve_of([100.0] * 10)))

    undefined = ("sharpe_ratio", "sortino_ratio", "calmar_ratio", "skewness", "kurtosis")
    assert [stats[key] for key in undefined] == [None] * 5
    assert (stats["total_return"], stats["volatility"], stats["max_drawdown"]) == (0.0, 0.0, 0.0)


def test_even_growth_has_no_sharpe_ratio_instead_of_an_absurd_one() -> None:
    stats = statistics_from_arrays(RunArrays(curve=curve_of([100.0 * 1.01**day for day in range(50)])))

    assert (stats["sharpe_ratio"], stats["sortino_ratio"]) == (None, None)


def test_without_a_loss_there_is_no_profit_factor(book: Book) -> None:
    book.position("3", MONDAY_NS, MONDAY_NS + 1)

    stats = figures(book)

    assert (stats["profit_factor"], stats["payoff_ratio"], stats["avg_loss"], stats["win_rate"]) == (
        None,
        None,
        None,
        1.0,
    )


def test_a_trade_of_zero_is_neither_won_nor_lost(book: Book) -> None:
    for pnl in ("0", "4", "-1", "0"):
        book.position(pnl, MONDAY_NS, MONDAY_NS + 1)

    stats = figures(book)

    assert (stats["trades"], stats["wins"], stats["losses"], stats["win_rate"]) == (4, 1, 1, 0.25)
    assert (stats["profit_factor"], stats["expectancy"]) == (4.0, 0.75)


def test_trades_in_two_currencies_are_counted_but_not_added_up(book: Book) -> None:
    book.position("3", MONDAY_NS, MONDAY_NS + 1)
    book.position("300", MONDAY_NS, MONDAY_NS + 1, currency="JPY")

    stats = figures(book)

    assert (stats["trades"], stats["win_rate"]) == (2, 1.0)
    assert (stats["trade_currency"], stats["expectancy"], stats["best_trade"]) == (None, None, None)


def test_a_total_loss_is_minus_one_a_year_and_worse_has_no_rate() -> None:
    nothing = statistics_from_arrays(RunArrays(curve=curve_of([100.0, 50.0, 0.0])))
    debt = statistics_from_arrays(RunArrays(curve=curve_of([100.0, 50.0, -20.0])))

    assert (nothing["cagr"], nothing["max_drawdown"]) == (-1.0, 1.0)
    assert (debt["cagr"], debt["max_drawdown"], debt["total_return"]) == (None, 1.2, -1.2)


def test_the_starting_equity_can_be_given() -> None:
    stats = statistics_from_arrays(RunArrays(curve=curve_of([100.0, 110.0])), starting_equity=50.0)

    assert (stats["starting_equity"], stats["best_day"]) == (50.0, stats["total_return"])
    assert stats["total_return"] == pytest.approx(1.2)


def test_a_day_ends_with_its_last_row_and_midnight_belongs_to_the_day_before() -> None:
    table = equity_table(
        [
            (MONDAY_NS, "100"),  # the starting row, on Sunday's midnight: no sample
            (MONDAY_NS + 5 * HOUR_NS, "90"),
            (MONDAY_NS + 24 * HOUR_NS, "101"),  # Monday's last row, stamped 00:00 of Tuesday
            (MONDAY_NS + 24 * HOUR_NS + 1, "102"),  # Tuesday
        ]
    )

    daily = daily_equity(equity_curve(table))

    assert (daily.start, daily.equity.tolist(), daily.day.tolist()) == (100.0, [101.0, 102.0], [19_723, 19_724])


def test_a_weekend_without_rows_is_not_filled() -> None:
    friday = MONDAY_NS + 4 * DAY_NS + HOUR_NS
    table = equity_table([(friday - HOUR_NS, "100"), (friday, "110"), (friday + 3 * DAY_NS, "121")])

    stats = statistics(**(Book().tables() | {"equity": table}))

    assert (stats["days"], stats["periods_per_year"]) == (2, 252)
    assert stats["best_day"] == pytest.approx(0.1, rel=1e-12)


@pytest.mark.parametrize(
    ("weekdays", "periods"),
    [
        ("0123456", 365),  # a market that never closes
        ("01234", 252),  # weekdays
        ("012346", 252),  # currencies, which open on Sunday evening
        ("12345", 252),  # daily bars stamped in the night after
    ],
)
def test_a_year_has_365_periods_only_where_whole_weekends_are_sampled(weekdays: str, periods: int) -> None:
    days = [day for day in range(19_723, 19_723 + 70) if str((day + 3) % 7) in weekdays]

    assert derived_periods_per_year(np.array(days, np.int64)) == periods


def test_one_stray_weekend_does_not_change_the_year() -> None:
    days = [day for day in range(19_723, 19_723 + 140) if (day + 3) % 7 < 5 or day < 19_730]

    assert derived_periods_per_year(np.array(days, np.int64)) == 252


def test_accounts_of_one_currency_are_added_up_from_their_common_start() -> None:
    first = equity_table([(MONDAY_NS, "100"), (MONDAY_NS + 2, "130")])
    second = equity_table([(MONDAY_NS, "50"), (MONDAY_NS + 1, "40")], account_id="SIM-002")
    table = pa.concat_tables([first.slice(0, 1), second, first.slice(1)])

    curve = equity_curve(table)

    assert curve.ts_ns.tolist() == [MONDAY_NS, MONDAY_NS + 1, MONDAY_NS + 2]
    assert curve.equity.tolist() == [150.0, 140.0, 170.0]


def test_equity_in_two_currencies_has_figures_only_for_the_one_that_is_named() -> None:
    table = pa.concat_tables(
        [equity_table([(MONDAY_NS, "1"), (MONDAY_NS + 1, "2")]), equity_table([(MONDAY_NS, "7")], currency="EUR")]
    )
    tables = Book().tables() | {"equity": table}

    assert statistics(**tables)["final_equity"] is None
    assert statistics(**tables, currency="USD")["final_equity"] == 2.0


def test_arrays_and_tables_give_equal_figures() -> None:
    book = ema_cross(400, seed=11)
    tables = book.tables()
    closed = [row for row in book.positions if row["ts_closed_ns"] is not None]
    arrays = RunArrays(
        curve=EquityCurve(
            np.array([row["ts_ns"] for row in book.equity]),
            np.array([float(row["equity"]) for row in book.equity]),
            "USD",
        ),
        pnl=np.array([float(row["realized_pnl"]) for row in closed]),
        pnl_currency="USD",
        opened_ns=np.array([row["ts_opened_ns"] for row in book.positions]),
        closed_ns=np.array([row["ts_closed_ns"] or 2**63 - 1 for row in book.positions]),
        traded_value=math.fsum(float(row["last_qty"]) * float(row["last_px"]) for row in book.fills),
        orders=len(book.orders),
        fills=len(book.fills),
        denied=sum(row["status"] == "DENIED" for row in book.orders),
        rejected=sum(row["status"] == "REJECTED" for row in book.orders),
        fees={"USD": float(sum((row["commission"] for row in book.fills), Decimal(0)))},
    )

    assert len(closed) > 10
    assert statistics_from_arrays(arrays) == statistics(**tables)


@given(st.lists(amounts, min_size=3, max_size=60), st.integers(-40, 40))
def test_figures_without_a_unit_do_not_change_with_the_unit(values: list[float], power: int) -> None:
    one = statistics_from_arrays(RunArrays(curve=curve_of(values)))
    other = statistics_from_arrays(RunArrays(curve=curve_of([value * 2.0**power for value in values])))

    keys = (
        "sharpe_ratio",
        "sortino_ratio",
        "volatility",
        "cagr",
        "max_drawdown",
        "calmar_ratio",
        "kurtosis",
        "total_return",
    )
    assert {key: one[key] for key in keys} == {key: other[key] for key in keys}


@given(st.lists(amounts, min_size=1, max_size=60))
def test_a_drawdown_of_positive_equity_is_between_nothing_and_all(values: list[float]) -> None:
    stats = statistics_from_arrays(RunArrays(curve=curve_of(values)))

    worst = max(1 - low / high for place, high in enumerate(values) for low in values[place:])
    assert stats["max_drawdown"] == pytest.approx(worst, abs=1e-15)
    assert 0 <= worst < 1


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=50), st.randoms(use_true_random=False))
def test_the_order_of_trades_changes_no_figure_of_trades(cents: list[int], shuffler: object) -> None:
    shuffled = list(cents)
    shuffler.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random, whose import is banned

    def of(pnl: list[int]) -> Stats:
        return statistics_from_arrays(RunArrays(curve=curve_of([1.0]), pnl=np.array(pnl) / 100, pnl_currency="USD"))

    assert of(cents) == of(shuffled)


@given(st.lists(st.floats(-1e12, 1e12), max_size=40), st.lists(st.floats(-1e9, 1e9), max_size=20))
def test_no_figure_is_ever_infinite_or_nan(values: list[float], pnl: list[float]) -> None:
    stats = statistics_from_arrays(RunArrays(curve=curve_of(values), pnl=np.array(pnl, np.float64), pnl_currency="USD"))

    assert json.loads(json.dumps(stats, allow_nan=False)) == stats


@given(st.lists(st.tuples(st.integers(-5, 30), st.integers(0, 20)), max_size=8))
def test_exposure_is_the_measure_of_the_union(spans: list[tuple[int, int]]) -> None:
    opened = np.array([start for start, _ in spans], np.int64)
    closed = np.array([start + length for start, length in spans], np.int64)
    curve = EquityCurve(np.array([0, 20], np.int64), np.array([1.0, 1.0]), "USD")

    stats = statistics_from_arrays(RunArrays(curve=curve, opened_ns=opened, closed_ns=closed))

    covered = sum(any(start <= tick < start + length for start, length in spans) for tick in range(20))
    assert stats["exposure"] == covered / 20


def test_figures_are_plain_values_that_travel() -> None:
    stats = figures(ema_cross(60, seed=1))

    assert {type(value) for value in stats.values()} <= {int, float, str, type(None)}
    assert pickle.loads(pickle.dumps(stats)) == json.loads(json.dumps(stats)) == stats  # noqa: S301 - our own bytes


def test_three_thousand_days_take_less_than_two_milliseconds() -> None:
    book = ema_cross(50, seed=1)
    arrays = RunArrays(
        curve=curve_of([float(value) for value in range(1_000, 4_001)]),
        pnl=np.arange(-200.0, 200.0),
        pnl_currency="USD",
    )
    assert figures(book)["days"] == 50

    best = min(timeit.repeat(lambda: statistics_from_arrays(arrays), number=10, repeat=5)) / 10

    # 0.4 ms on the development machine; the bound leaves room for a machine five times slower.
    assert best < 0.002


@pytest.mark.slow
def test_statistics_and_report_do_not_load_pandas(tmp_path: Path) -> None:
    for name, table in ema_cross(60, seed=1).tables().items():
        with pa.ipc.new_file(tmp_path / name, table.schema) as writer:
            writer.write_table(table)
    program = """
import sys, pyarrow as pa
from libra_ray.analysis import ReportInput, statistics, write_report
t = {name: pa.ipc.open_file(f"{sys.argv[1]}/{name}").read_all() for name in ("equity", "orders", "fills", "positions")}
stats = statistics(**t)
write_report(f"{sys.argv[1]}/r.html", ReportInput("n", "r", "h", 1, None, None, stats, **t))
print(stats["trades"], "pandas" in sys.modules)
"""

    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)

    assert done.stdout.split()[1] == "False"
