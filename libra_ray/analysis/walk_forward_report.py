"""The report of a walk-forward: what was chosen in each window, what it was worth, and all tests as one curve."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from libra_ray.analysis.columns import floats, integers
from libra_ray.analysis.decimation import m4_rows
from libra_ray.analysis.drawdown import drawdown_series
from libra_ray.analysis.page import asset, render
from libra_ray.analysis.parallel_coordinates import parallel_coordinates
from libra_ray.analysis.parameter_maps import is_number, label_of, parameter_maps, text_of
from libra_ray.analysis.statistics import Stats
from libra_ray.analysis.wording import ABSENT, FIGURES, cut, figure_text, time_text

__all__ = ["WalkForwardInput", "write_walk_forward_page"]

BYTES_MAX: Final = 1_000_000
COLUMNS: Final = 1_000
ROWS_MAX: Final = 400
NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 10**9
SHOWN: Final = ("total_return", "cagr", "sharpe_ratio", "max_drawdown", "trades", "win_rate", "profit_factor")


@dataclass(frozen=True, slots=True)
class WalkForwardInput:
    """A walk-forward as its report sees it.

    `windows` and `trials` are the tables of its result, `equity` the joined curve (ts_ns, equity, window). `names` are
    the columns of the parameters, `moves` one row per parameter: name, different values, the usual one, shares of
    windows with it and of steps that kept it, mean step. `degradation` and `probability` are of the whole;
    `drawdown_95` is what one path in 20 exceeds when the trades of the tests are drawn again.
    """

    name: str
    scheme: str
    rank: str
    is_lower_better: bool
    names: Sequence[str]
    windows: pa.Table
    trials: pa.Table
    equity: pa.Table
    stats: Stats
    moves: Sequence[tuple[str, int, Any, float | None, float | None, float | None]]
    degradation: float | None
    probability: float | None
    failed: int
    drawdown_95: float | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


def write_walk_forward_page(path: str | Path, walk: WalkForwardInput) -> Path:
    """Write the report to `path`, replacing what is there, and return the path; below 1 MB."""
    rows_max, columns = ROWS_MAX, COLUMNS
    body = _page(walk, rows_max, columns).encode()
    while len(body) >= BYTES_MAX and columns > 1:
        rows_max, columns = max(rows_max // 2, 1), columns // 2
        body = _page(walk, rows_max, columns).encode()
    target = Path(path)
    target.write_bytes(body)
    return target


def _page(walk: WalkForwardInput, rows_max: int, columns: int) -> str:
    windows = walk.windows.to_pylist()
    ranked = _means(walk)
    best = ranked[0] if ranked else None
    names = list(walk.names)
    parallel = parallel_coordinates(ranked, names, [walk.rank], is_lower_better=walk.is_lower_better)
    return render(
        "walk_forward.html",
        scripts=[
            asset("vendor", "uPlot.iife.min.js"),
            asset("templates", "charts.js"),
            asset("templates", "walk_forward.js"),
            asset("templates", "parallel.js"),
            asset("templates", "sweep_tabs.js"),
        ],
        styles=[asset("vendor", "uPlot.min.css"), asset("templates", "page.css")],
        data={"parallel": parallel, **_curves(walk, windows, columns)},
        name=walk.name,
        scheme=walk.scheme.replace("_", "-"),
        rank_label=label_of(walk.rank),
        cards=_cards(walk, windows),
        lanes=_lanes(windows[:rows_max]),
        header=[
            "Window",
            "Test from",
            "to",
            *names,
            f"{label_of(walk.rank)}, training",
            "test",
            "lost",
            "Deflated Sharpe",
        ],
        rows=[_row(walk, row) for row in windows[:rows_max]],
        rows_total=len(windows),
        moves=[_move(move) for move in walk.moves],
        figures=[(FIGURES[key].label, figure_text(key, walk.stats.get(key))) for key in SHOWN],
        maps=parameter_maps(ranked, best, names, walk.rank, is_lower_better=walk.is_lower_better),
        parallel=parallel,
        grid_names=names,
        settings=walk.settings,
        has_curve=walk.equity.num_rows > 1,
        cut=cut,
    )


def _means(walk: WalkForwardInput) -> list[dict[str, Any]]:
    """Each combination with the mean of its rank figure over the trainings that it has one in, the best first."""
    kept: dict[int, dict[str, Any]] = {}
    found: dict[int, list[float]] = {}
    if walk.rank not in walk.trials.column_names:
        return []
    for row in walk.trials.select(["trial", *walk.names, walk.rank]).to_pylist():
        if is_number(row[walk.rank]):
            kept.setdefault(row["trial"], row)
            found.setdefault(row["trial"], []).append(row[walk.rank])
    means = [row | {walk.rank: sum(found[number]) / len(found[number])} for number, row in kept.items()]
    sign = 1 if walk.is_lower_better else -1
    return sorted(means, key=lambda row: (sign * row[walk.rank], row["trial"]))


def _curves(walk: WalkForwardInput, windows: Sequence[Mapping[str, Any]], columns: int) -> dict[str, Any]:
    """The joined equity and its drawdown as (ms, value), the starts of the tests, and the two figures per window."""
    ts_ns, equity = integers(walk.equity.column("ts_ns")), floats(walk.equity.column("equity"))
    fall = -drawdown_series(equity)
    drawn = {"equity": equity, "drawdown": np.where(np.isfinite(fall), fall, 0.0)}
    series = {}
    for name, values in drawn.items():
        rows = m4_rows(ts_ns, values, columns_max=columns) if ts_ns.size else np.empty(0, np.intp)
        series[name] = [(ts_ns[rows] // NS_PER_MS).tolist(), [float(f"{value:.8g}") for value in values[rows]]]
    return {
        **series,
        "start": float(equity[0]) if equity.size else None,
        "tests": [
            [row["test_start_ns"] // NS_PER_MS, row["test_end_ns"] // NS_PER_MS, row["window"]] for row in windows
        ],
        "bars": [
            [row["window"], _plain(row[f"train_{walk.rank}"]), _plain(row[f"test_{walk.rank}"])] for row in windows
        ],
        "percent": FIGURES[walk.rank].kind == "percent" if walk.rank in FIGURES else False,
    }


def _plain(value: float | None) -> float | None:
    return float(f"{value:.6g}") if is_number(value) and value is not None else None


def _cards(walk: WalkForwardInput, windows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    total, sharpe = walk.stats.get("total_return"), walk.stats.get("sharpe_ratio")
    won = sum(is_number(row["test_total_return"]) and row["test_total_return"] > 0 for row in windows)
    lost = _percent(walk.degradation)
    deep = figure_text("max_drawdown", walk.drawdown_95)
    return [
        _card("Out of sample", figure_text("total_return", total), "all tests as one run", total),
        _card("Sharpe ratio", figure_text("sharpe_ratio", sharpe), "of all tests as one run", sharpe),
        _card("Lost", lost, f"of {label_of(walk.rank)} between training and test", None),
        _card("Sharpe above 0", _percent(walk.probability), "probability, by the tests alone", None),
        _card("Drawdown at 95 %", deep, "1 path in 20 falls deeper, trades drawn again", None),
        _card("Windows", f"{len(windows):,}", f"{won:,} of them with a gain in the test", None),
        _card("Failed runs", f"{walk.failed:,}", f"{walk.trials.num_rows:,} trainings", -1 if walk.failed else None),
    ]


def _card(label: str, text: str, below: str, value: float | str | None) -> dict[str, str]:
    tone = ""
    if isinstance(value, int | float):
        tone = "gain" if value > 0 else "loss" if value < 0 else ""
    return {"label": label, "text": text, "below": below, "tone": tone}


def _lanes(windows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Training and test of each window as parts of the whole time, in percent."""
    if not windows:
        return []
    start_ns = min(min(row["train_start_ns"], row["test_start_ns"]) for row in windows)
    length_ns = max(max(row["train_end_ns"], row["test_end_ns"]) for row in windows) - start_ns

    def part(row: Mapping[str, Any], of: str) -> tuple[float, float]:
        begins, ends = row[f"{of}_start_ns"], row[f"{of}_end_ns"]
        return round((begins - start_ns) / length_ns * 100, 3), round((ends - begins) / length_ns * 100, 3)

    return [{"train": part(row, "train"), "test": part(row, "test"), "number": row["window"]} for row in windows]


def _row(walk: WalkForwardInput, row: Mapping[str, Any]) -> list[str]:
    figures = [text_of(walk.rank, row[f"train_{walk.rank}"]), text_of(walk.rank, row[f"test_{walk.rank}"])]
    times = [time_text(row[f"test_{end}_ns"] // NS_PER_S * NS_PER_S) for end in ("start", "end")]
    shares = [_percent(row["degradation"]), _percent(row["deflated_sharpe_ratio"])]
    if row["error"]:
        shares[-1] = cut(str(row["error"]))
    return [str(row["window"]), *times, *(text_of(name, row[name]) for name in walk.names), *figures, *shares]


def _move(move: tuple[str, int, Any, float | None, float | None, float | None]) -> list[str]:
    name, distinct, usual, *shares = move
    return [cut(name), f"{distinct:,}", text_of(name, usual), *map(_percent, shares)]


def _percent(share: float | None) -> str:
    return ABSENT if share is None else f"{share * 100:,.1f} %".replace("-", "\N{MINUS SIGN}")
