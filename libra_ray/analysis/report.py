"""The report of a run: one HTML file that opens anywhere, offline, for good."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from libra_ray.analysis import report_tables
from libra_ray.analysis.candles import MARKER_KINDS, candles, markers
from libra_ray.analysis.columns import arrow
from libra_ray.analysis.decimation import m4_rows
from libra_ray.analysis.drawdown import drawdown_series
from libra_ray.analysis.equity import EquityCurve, equity_curve
from libra_ray.analysis.page import asset, render
from libra_ray.analysis.statistics import Stats
from libra_ray.analysis.wording import FIGURES, Figure, cut, figure_text, time_text

__all__ = ["ReportInput", "write_report"]

BYTES_MAX: Final = 1_000_000
NS_PER_MS = 1_000_000
FAULTS_MAX = 20
CARDS: Final = (
    ("total_return", "net_profit"),
    ("cagr", "periods_per_year"),
    ("sharpe_ratio", "volatility"),
    ("sortino_ratio", "calmar_ratio"),
    ("max_drawdown", "max_drawdown_duration_days"),
    ("trades", "exposure"),
    ("win_rate", "payoff_ratio"),
    ("profit_factor", "expectancy"),
)


@dataclass(frozen=True, slots=True)
class ReportInput:
    """A run as its report sees it.

    Tables are those of a result. `bars` has ts_event_ns, open, high, low, close (decimals or floats), or is None; it
    is of `instrument_id`, or of several instruments when it has a column of that name. `settings` are facts of the run
    in the order to print: versions, fill rules, accounts. `faults` are errors in full sentences; a report with one says
    so first. `started_ns` and `ended_ns` are the first and the last time of the market data.
    """

    name: str
    run_id: str
    run_hash: str
    seed: int
    started_ns: int | None
    ended_ns: int | None
    stats: Stats
    orders: pa.Table
    fills: pa.Table
    positions: pa.Table
    equity: pa.Table
    bars: pa.Table | None = None
    instrument_id: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    starting_equity: float | None = None


@dataclass(frozen=True, slots=True)
class Detail:
    """How much is drawn and listed. Everything is counted in full; what is left out is said."""

    curve_columns: int = 1_000
    candles_each: int = 1_500
    instruments: int = 4
    lines: int = 500
    rows: int = 100

    def halved(self) -> "Detail":
        """Give the next coarser level."""
        return Detail(
            self.curve_columns // 2, self.candles_each // 2, self.instruments, self.lines // 2, max(self.rows // 2, 10)
        )


def write_report(path: str | Path, run: ReportInput) -> Path:
    """Write the report of `run` to `path`, replacing what is there, and return the path.

    Curves are drawn by first, lowest, highest and last of each screen column (`decimation`), bars by equally many to a
    candle, long tables by their first and last rows; the page says so where it does. Detail is halved until the file is
    below 1 MB, so its size does not depend on the length of the run. Figures are those of `run.stats`, none is computed
    again. Raises OSError when the file cannot be written.
    """
    detail = Detail()
    body = _page(run, detail).encode()
    while len(body) >= BYTES_MAX and detail.rows > 10:  # noqa: PLR2004 - the floor of `halved`
        detail = detail.halved()
        body = _page(run, detail).encode()
    target = Path(path)
    target.write_bytes(body)
    return target


def _page(run: ReportInput, detail: Detail) -> str:
    currency = run.stats.get("currency")
    curve = equity_curve(run.equity, currency=str(currency) if currency is not None else None)
    charts, charts_left_out = _price_charts(run, detail)
    rows = _curve_rows(curve, detail)
    return render(
        "report.html",
        scripts=[
            asset("vendor", "uPlot.iife.min.js"),
            asset("templates", "charts.js"),
            asset("templates", "report.js"),
        ],
        styles=[asset("vendor", "uPlot.min.css"), asset("templates", "page.css")],
        data={
            "currency": currency,
            "equity": _series(curve.ts_ns, curve.equity, rows["equity"]),
            "drawdown": _series(curve.ts_ns, -drawdown_series(curve.equity), rows["drawdown"]),
            "start": run.stats.get("starting_equity"),
            "charts": charts,
            "kinds": MARKER_KINDS,
        },
        run=run,
        faults=[cut(fault) for fault in run.faults[:FAULTS_MAX]],
        data_range=_data_range(run),
        cards=[_card(key, below, run.stats) for key, below in CARDS],
        groups=_groups(run.stats),
        equity_rows=curve.ts_ns.size,
        equity_drawn=rows["equity"].size,
        currencies=sorted({str(name) for name in run.equity.column("currency").unique().to_pylist()}),
        charts=charts,
        charts_left_out=charts_left_out,
        heat=report_tables.monthly_heat(curve, starting_equity=run.starting_equity),
        months=report_tables.MONTHS,
        drawdowns=report_tables.deepest_drawdowns(curve),
        positions=report_tables.positions_grid(run.positions, each_end=detail.rows),
        refused=report_tables.refused_orders(run.orders, rows_max=detail.rows),
        refusals=report_tables.refusals_by_code(run.orders),
        fees=report_tables.fees(run.fills),
        time_text=time_text,
        cut=cut,
    )


def _data_range(run: ReportInput) -> str:
    if run.started_ns is None or run.ended_ns is None:
        return "no market data"
    return f"{time_text(run.started_ns)} to {time_text(run.ended_ns)} UTC"


def _card(key: str, below: str, stats: Stats) -> dict[str, Any]:
    value = stats.get(key)
    tone = ""
    if key in {"total_return", "cagr", "sharpe_ratio", "sortino_ratio"} and isinstance(value, int | float):
        tone = "gain" if value > 0 else "loss" if value < 0 else ""
    under = figure_text(below, stats.get(below))
    under = f"{under} {stats.get('currency') or ''}" if below == "net_profit" else f"{FIGURES[below].label} {under}"
    return {
        "key": key,
        "label": FIGURES[key].label,
        "text": figure_text(key, value),
        "value": _exact(value),
        "tone": tone,
        "below": under,
    }


def _groups(stats: Stats) -> list[dict[str, Any]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    unknown = [key for key in stats if key not in FIGURES]
    for key in [*(key for key in FIGURES if key in stats), *unknown]:
        if key.startswith("fees_"):
            figure = Figure("Activity", f"Fees, {key.removeprefix('fees_')}", "money")
        else:
            figure = FIGURES.get(key, Figure("Other", key, "ratio"))
        owner = stats.get("trade_currency" if figure.group == "Trades" else "currency")
        note = figure.note or (str(owner or "") if figure.kind == "money" and not key.startswith("fees_") else "")
        entry = {"key": key, "label": figure.label, "note": note}
        entry |= {"text": figure_text(key, stats[key]), "value": _exact(stats[key])}
        groups.setdefault(figure.group, []).append(entry)
    return [{"name": name, "figures": figures} for name, figures in groups.items()]


def _exact(value: float | str | None) -> str:
    """Every digit of a figure, as JSON has it, for whoever hovers over it or reads the page by program."""
    return "" if value is None else value if isinstance(value, str) else repr(value)


def _curve_rows(curve: EquityCurve, detail: Detail) -> dict[str, npt.NDArray[np.intp]]:
    fallen = drawdown_series(curve.equity)
    return {
        "equity": m4_rows(curve.ts_ns, curve.equity, columns_max=detail.curve_columns),
        "drawdown": m4_rows(curve.ts_ns, np.nan_to_num(fallen), columns_max=detail.curve_columns),
    }


def _series(
    ts_ns: npt.NDArray[np.int64], values: npt.NDArray[np.float64], rows: npt.NDArray[np.intp]
) -> list[list[Any]]:
    return [_ms(ts_ns[rows]), _short(values[rows])]


def _ms(ts_ns: npt.NDArray[np.int64]) -> list[int]:
    times: list[int] = (ts_ns // NS_PER_MS).tolist()
    return times


def _short(values: npt.NDArray[np.float64]) -> list[float | None]:
    # Ten significant digits: cents of 10 million, and far more than a screen shows.
    return [float(f"{value:.10g}") if np.isfinite(value) else None for value in values.tolist()]


def _price_charts(run: ReportInput, detail: Detail) -> tuple[list[dict[str, Any]], int]:
    if run.bars is None or not run.bars.num_rows:
        return [], 0
    names = [run.instrument_id]
    if "instrument_id" in run.bars.column_names:
        names = sorted({str(name) for name in run.bars.column("instrument_id").unique().to_pylist()})
    # The most traded first: with more instruments than charts, those are the ones to look at.
    traded = run.positions.column("instrument_id").to_pylist()
    shown = sorted(names, key=lambda name: (-traded.count(name), name))[: detail.instruments]
    return [_price_chart(run, name, detail) for name in shown], len(names) - len(shown)


def _price_chart(run: ReportInput, instrument_id: str, detail: Detail) -> dict[str, Any]:
    bars = run.bars
    if bars is not None and "instrument_id" in bars.column_names:
        bars = _rows_of(bars, instrument_id)
    shown = candles(bars, count_max=detail.candles_each)
    marks = markers(_rows_of(run.positions, instrument_id), shown, lines_max=detail.lines)
    return {
        "instrument_id": instrument_id,
        "ohlc": [_ms(shown.ts_ns), *(_short(part) for part in (shown.open, shown.high, shown.low, shown.close))],
        "marks": [marks.candle.tolist(), marks.kind.tolist(), _short(marks.price), marks.count.tolist()],
        "lines": [
            [line[0], _short(np.array([line[1]]))[0], line[2], _short(np.array([line[3]]))[0], line[4]]
            for line in marks.lines
        ],
        "bars": shown.bars_count,
        "bars_each": shown.bars_each,
    }


def _rows_of(table: pa.Table, instrument_id: str) -> pa.Table:
    mask = np.array([owner == instrument_id for owner in table.column("instrument_id").to_pylist()], np.bool_)
    return table.filter(arrow(mask))
