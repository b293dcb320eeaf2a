"""The report of a sweep: every trial in one sortable table, and a map of each pair of parameters."""

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa

from libra_ray.analysis.page import asset, render
from libra_ray.analysis.significance import deflated_sharpe_ratio
from libra_ray.analysis.wording import FIGURES, cut, figure_text

__all__ = ["sweep_report"]

Value: TypeAlias = float | int | str | None
BYTES_MAX: Final = 1_000_000
MAPS_MAX, MAP_SIDE_MAX = 10, 40
ROWS_MAX, ROWS_FLOOR, FAILURES_MAX = 500, 20, 100
SHOWN: Final = (
    "total_return",
    "cagr",
    "sharpe_ratio",
    "max_drawdown",
    "trades",
    "win_rate",
    "profit_factor",
    "seconds",
)
DEFLATED_NEEDS: Final = ("sharpe_ratio", "skewness", "kurtosis", "days", "periods_per_year")


@dataclass(frozen=True, slots=True)
class MapCell:
    """The best rank figure of a pair of values, over all values of the other parameters."""

    text: str
    value: str
    tone: str
    strength: float
    is_best: bool


@dataclass(frozen=True, slots=True)
class ParameterMap:
    """Two parameters against each other; with one parameter `y_name` is empty and there is one row."""

    x_name: str
    y_name: str
    x_values: list[str]
    rows: list[tuple[str, list[MapCell | None]]]


def sweep_report(
    path: str | Path,
    table: pa.Table,
    grid_names: list[str],
    rank: str,
    *,
    name: str = "Sweep",
    is_lower_better: bool = False,
    settings: dict[str, str] | None = None,
) -> Path:
    """Write the report of a sweep to `path`, replacing what is there, and return the path.

    `table` has one row per trial: a column per name in `grid_names`, figures of the statistics, and where there were
    failures `error` with a text (null for a trial that ran). A row with an error is listed, never ranked. `rank` is the
    column to order by, the highest first unless `is_lower_better`; trials without that figure come last, ties keep the
    order of the table. At most 500 rows are listed, fewer where the file would reach 1 MB; maps and counts use all.
    Raises KeyError for a column that is not there, OSError when the file cannot be written.
    """
    for wanted in [*grid_names, rank]:
        if wanted not in table.column_names:
            raise KeyError(wanted)
    rows_max = ROWS_MAX
    arguments = (table.to_pylist(), table.column_names, grid_names, rank, name, is_lower_better, settings or {})
    body = _page(*arguments, rows_max=rows_max).encode()
    while len(body) >= BYTES_MAX and rows_max > ROWS_FLOOR:
        rows_max //= 2
        body = _page(*arguments, rows_max=rows_max).encode()
    target = Path(path)
    target.write_bytes(body)
    return target


def _page(
    trials: list[dict[str, Any]],
    columns: list[str],
    grid_names: list[str],
    rank: str,
    name: str,
    is_lower_better: bool,  # noqa: FBT001 - handed on from the keyword of `sweep_report`
    settings: dict[str, str],
    *,
    rows_max: int,
) -> str:
    numbered = [{"trial": place} | trial for place, trial in enumerate(trials)]
    failed = [trial for trial in numbered if trial.get("error")]
    sign = 1 if is_lower_better else -1
    ran = [trial for trial in numbered if not trial.get("error")]
    ranked = sorted((trial for trial in ran if _is_number(trial[rank])), key=lambda trial: sign * trial[rank])
    ordered = ranked + [trial for trial in ran if not _is_number(trial[rank])]
    best = ranked[0] if ranked else None
    figures = list(dict.fromkeys([rank, *(figure for figure in SHOWN if figure in columns)]))
    header = ["trial", *grid_names, *figures]
    return render(
        "sweep.html",
        scripts=[asset("templates", "sweep.js")],
        styles=[asset("templates", "page.css")],
        data={},
        name=name,
        rank_label=_label(rank),
        is_lower_better=is_lower_better,
        cards=_cards(numbered, failed, ranked, rank),
        best=None if best is None else [(_label(key), _text(key, best[key])) for key in header],
        maps=_maps(ranked, best, grid_names, rank, is_lower_better=is_lower_better),
        header=[(key, _label(key), _is_numeric(ordered, key)) for key in header],
        rows=[[(_text(key, trial[key]), _exact(trial[key])) for key in header] for trial in ordered[:rows_max]],
        rows_total=len(ordered),
        failures=[
            [str(trial["trial"]), *(_text(key, trial[key]) for key in grid_names), cut(str(trial["error"]))]
            for trial in failed[:FAILURES_MAX]
        ],
        failures_total=len(failed),
        grid_names=grid_names,
        settings=settings,
        cut=cut,
    )


def _cards(
    trials: list[dict[str, Any]], failed: list[dict[str, Any]], ranked: list[dict[str, Any]], rank: str
) -> list[dict[str, str]]:
    cards = [
        {"label": "Trials", "text": f"{len(trials):,}", "below": f"{len(ranked):,} ranked", "tone": ""},
        {"label": "Failed", "text": f"{len(failed):,}", "below": "listed below", "tone": "loss" if failed else ""},
    ]
    if ranked:
        middle = median(trial[rank] for trial in ranked)
        below = f"best of {len(ranked):,}: the more tried, the more luck"
        cards.append(
            {"label": f"Best {_label(rank)}", "text": _text(rank, ranked[0][rank]), "below": below, "tone": ""}
        )
        below = "what an average choice gave"
        cards.append({"label": f"Median {_label(rank)}", "text": _text(rank, middle), "below": below, "tone": ""})
    deflated = _deflated(ranked, rank)
    if deflated is not None:
        below = "chance that the best one's true Sharpe ratio is above 0"
        cards.append({"label": "Deflated Sharpe", "text": f"{deflated * 100:.1f} %", "below": below, "tone": ""})
    return cards


def _deflated(ranked: list[dict[str, Any]], rank: str) -> float | None:
    if rank != "sharpe_ratio" or not ranked or any(not _is_number(ranked[0].get(key)) for key in DEFLATED_NEEDS):
        return None
    best = ranked[0]
    return deflated_sharpe_ratio(
        np.array([trial[rank] for trial in ranked], np.float64),
        best=best[rank],
        skewness=best["skewness"],
        kurtosis=best["kurtosis"],
        returns_count=best["days"],
        periods_per_year=best["periods_per_year"],
    )


def _maps(
    ranked: list[dict[str, Any]],
    best: dict[str, Any] | None,
    grid_names: list[str],
    rank: str,
    *,
    is_lower_better: bool,
) -> list[ParameterMap]:
    if best is None:
        return []
    axes = {name: _axis(ranked, name) for name in grid_names}
    varied = [name for name in grid_names if 1 < len(axes[name]) <= MAP_SIDE_MAX]
    if len(varied) == 1:
        return [_map(ranked, best, (varied[0], ""), (axes[varied[0]], [None]), rank, is_lower_better=is_lower_better)]
    pairs = list(combinations(varied, 2))[:MAPS_MAX]
    return [_map(ranked, best, (x, y), (axes[x], axes[y]), rank, is_lower_better=is_lower_better) for x, y in pairs]


def _axis(ranked: list[dict[str, Any]], name: str) -> list[Value]:
    found = dict.fromkeys(trial[name] for trial in ranked)
    return sorted(found, key=lambda value: (not _is_number(value), value if _is_number(value) else 0, str(value)))


def _map(
    ranked: list[dict[str, Any]],
    best: dict[str, Any],
    names: tuple[str, str],
    axes: tuple[list[Value], list[Value]],
    rank: str,
    *,
    is_lower_better: bool,
) -> ParameterMap:
    x_name, y_name = names
    found: dict[tuple[Value, Value], float] = {}
    for trial in ranked:  # best first, so the first one of a pair is its best
        found.setdefault((trial[x_name], trial[y_name] if y_name else None), trial[rank])
    low, high = min(found.values()), max(found.values())
    winner = (best[x_name], best[y_name] if y_name else None)

    def cell(x: Value, y: Value) -> MapCell | None:
        value = found.get((x, y))
        if value is None:
            return None
        tone, strength = _tone(value, low, high, is_lower_better=is_lower_better)
        return MapCell(_text(rank, value), _exact(value), tone, strength, (x, y) == winner)

    rows = [("" if y is None else _text(y_name, y), [cell(x, y) for x in axes[0]]) for y in axes[1]]
    return ParameterMap(x_name, y_name, [_text(x_name, x) for x in axes[0]], rows)


def _tone(value: float, low: float, high: float, *, is_lower_better: bool) -> tuple[str, float]:
    """Green above zero and red below where both occur, else one colour that deepens towards the better end."""
    if low < 0 < high and not is_lower_better:
        return ("gain" if value > 0 else "loss"), round(abs(value) / max(-low, high), 3)
    share = (value - low) / (high - low) if high > low else 0.5
    return "gain", round(1 - share if is_lower_better else share, 3)


def _label(key: str) -> str:
    return FIGURES[key].label if key in FIGURES else cut(key)


def _text(key: str, value: Value) -> str:
    if key in FIGURES or value is None:
        return figure_text(key, value)
    return cut(f"{value:g}" if isinstance(value, float) else str(value))


def _exact(value: Value) -> str:
    return repr(value) if _is_number(value) else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))


def _is_numeric(trials: list[dict[str, Any]], key: str) -> bool:
    return all(_is_number(trial[key]) or trial[key] is None for trial in trials)
