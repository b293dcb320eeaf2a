"""The tables of a report, as rows of text: what a template prints without thinking."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pyarrow as pa

from libra_ray.analysis.columns import arrow
from libra_ray.analysis.drawdown import drawdowns
from libra_ray.analysis.equity import EquityCurve
from libra_ray.analysis.periods import monthly_returns, yearly_returns
from libra_ray.analysis.wording import ABSENT, amount_text, cut, decimal_text, duration_text, figure_text, time_text

__all__ = [
    "Grid",
    "HeatCell",
    "HeatRow",
    "deepest_drawdowns",
    "fees",
    "monthly_heat",
    "positions_grid",
    "refusals_by_code",
    "refused_orders",
]

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
REFUSED: Final = ("DENIED", "REJECTED")
DRAWDOWNS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Grid:
    """A table for reading.

    `numeric` are the columns to align right, `signed` is the one to colour by its sign; `gap_after` says after which
    row `gap_rows` were left out, of `total`.
    """

    header: list[str]
    rows: list[list[str]]
    numeric: frozenset[int]
    total: int
    gap_after: int | None = None
    gap_rows: int = 0
    signed: int | None = None


@dataclass(frozen=True, slots=True)
class HeatCell:
    """A return in a heat table: text, sign and how strong its colour is (0 to 1)."""

    text: str
    tone: str
    strength: float


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One year: twelve months and the year itself."""

    year: int
    cells: list[HeatCell]


def positions_grid(positions: pa.Table, *, each_end: int) -> Grid:
    """List the first and last `each_end` positions, in the order of the table."""
    count = positions.num_rows
    if count > 2 * each_end:
        shown = pa.concat_tables([positions.slice(0, each_end), positions.slice(count - each_end)])
        gap_after, gap_rows = each_end, count - 2 * each_end
    else:
        shown, gap_after, gap_rows = positions, None, 0
    header = [
        "Instrument",
        "Position",
        "Strategy",
        "Side",
        "Quantity",
        "Opened",
        "Held",
        "Entry",
        "Exit",
        "Result",
        "Fees",
        "Fills",
    ]
    rows = [
        [
            cut(row["instrument_id"] or ""),
            cut(row["position_id"] or ""),
            cut(row["strategy_id"] or ""),
            row["entry_side"],
            decimal_text(row["peak_qty"]),
            time_text(row["ts_opened_ns"]),
            "open" if row["ts_closed_ns"] is None else duration_text(row["ts_closed_ns"] - row["ts_opened_ns"]),
            _price_text(row["avg_px_open"]),
            _price_text(row["avg_px_close"]),
            f"{amount_text(row['realized_pnl'])} {row['currency']}",
            amount_text(row["commissions"]),
            str(row["fills"]),
        ]
        for row in shown.to_pylist()
    ]
    return Grid(header, rows, frozenset({4, 6, 7, 8, 9, 10, 11}), count, gap_after, gap_rows, signed=9)


def refused_orders(orders: pa.Table, *, rows_max: int) -> Grid:
    """List the first `rows_max` orders that were denied (by the risk engine) or rejected (by the venue)."""
    refused = _refused(orders)
    header = [
        "Time",
        "Order",
        "Strategy",
        "Instrument",
        "Side",
        "Type",
        "Quantity",
        "Price",
        "Status",
        "Code",
        "Message",
    ]
    rows = [
        [
            time_text(row["ts_last_ns"]),
            cut(row["client_order_id"] or ""),
            cut(row["strategy_id"] or ""),
            cut(row["instrument_id"] or ""),
            row["side"],
            row["type"],
            decimal_text(row["quantity"]),
            decimal_text(row["price"]),
            row["status"],
            cut(row["code"] or ABSENT),
            cut(row["message"] or ""),
        ]
        for row in refused.slice(0, rows_max).to_pylist()
    ]
    left_out = refused.num_rows - len(rows)
    return Grid(header, rows, frozenset({6, 7}), refused.num_rows, len(rows) if left_out else None, left_out)


def refusals_by_code(orders: pa.Table) -> Grid:
    """Count refused orders by status and code, most frequent first."""
    refused = _refused(orders)
    counts: dict[tuple[str, str], int] = {}
    for status, code in zip(refused.column("status").to_pylist(), refused.column("code").to_pylist(), strict=True):
        counts[status, code or ABSENT] = counts.get((status, code or ABSENT), 0) + 1
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    rows = [[status, cut(code), f"{count:,}"] for (status, code), count in ordered]
    return Grid(["Status", "Code", "Orders"], rows, frozenset({2}), len(rows))


def fees(fills: pa.Table) -> Grid:
    """Add up fees by currency and liquidity side, exactly. A rebate is negative."""
    sums: dict[tuple[str, str], list[Any]] = {}
    columns = [fills.column(name).to_pylist() for name in ("commission_currency", "liquidity", "commission")]
    for currency, liquidity, amount in zip(*columns, strict=True):
        entry = sums.setdefault((currency or ABSENT, liquidity or ABSENT), [0, Decimal(0)])
        entry[0] += 1
        entry[1] += amount or 0
    rows = [
        [currency, liquidity, f"{count:,}", amount_text(amount)]
        for (currency, liquidity), (count, amount) in sorted(sums.items())
    ]
    return Grid(["Currency", "Liquidity", "Fills", "Fees"], rows, frozenset({2, 3}), len(rows))


def deepest_drawdowns(curve: EquityCurve) -> Grid:
    """List the deepest drawdowns of the curve."""
    rows = [
        [
            figure_text("max_drawdown", row["depth"]),
            time_text(row["start_ns"]),
            time_text(row["trough_ns"]),
            "not yet" if row["recovery_ns"] is None else time_text(row["recovery_ns"]),
            figure_text("max_drawdown_duration_days", row["days"]),
        ]
        for row in drawdowns(curve, count_max=DRAWDOWNS_SHOWN).to_pylist()
    ]
    return Grid(["Depth", "Peak", "Trough", "Recovered", "Length"], rows, frozenset({0, 4}), len(rows))


def monthly_heat(curve: EquityCurve, *, starting_equity: float | None) -> list[HeatRow]:
    """Lay out monthly returns by year, with the year's return last. Colours are relative to the strongest month."""
    months = {
        (row["year"], row["month"]): row["return"]
        for row in monthly_returns(curve, starting_equity=starting_equity).to_pylist()
    }
    strongest = max((abs(value) for value in months.values() if value is not None), default=0.0)
    return [
        HeatRow(
            row["year"],
            [_heat_cell(months.get((row["year"], month)), strongest) for month in range(1, len(MONTHS) + 1)]
            + [_heat_cell(row["return"], 0.0)],
        )
        for row in yearly_returns(curve, starting_equity=starting_equity).to_pylist()
    ]


def _heat_cell(value: float | None, strongest: float) -> HeatCell:
    if value is None:
        return HeatCell("", "none", 0.0)
    tone = "gain" if value > 0 else "loss" if value < 0 else "flat"
    text = figure_text("total_return", value).removesuffix(" %")
    return HeatCell(text, tone, round(abs(value) / strongest, 3) if strongest else 0.0)


def _refused(orders: pa.Table) -> pa.Table:
    mask = np.array([status in REFUSED for status in orders.column("status").to_pylist()], np.bool_)
    return orders.filter(arrow(mask))


def _price_text(value: Decimal | None) -> str:
    # An average may have all 18 decimals; a person reads 8.
    return decimal_text(None if value is None else round(value, 8))
