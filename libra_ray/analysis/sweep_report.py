"""The report of a sweep: every trial in one sortable table, and a map of each pair of parameters."""

from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
import pyarrow as pa

from libra_ray.analysis.page import asset, render
from libra_ray.analysis.parallel_coordinates import parallel_coordinates
from libra_ray.analysis.parameter_maps import exact_of, is_number, label_of, parameter_maps, text_of
from libra_ray.analysis.significance import deflated_sharpe_ratio
from libra_ray.analysis.wording import cut

__all__ = ["deflated_best", "sweep_report"]

BYTES_MAX: Final = 1_000_000
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
ALONGSIDE: Final = ("total_return", "max_drawdown", "trades")
"""Figures that are drawn beside the parameters."""
DEFLATED_NEEDS: Final = ("sharpe_ratio", "skewness", "kurtosis", "days", "periods_per_year")


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
    ranked = sorted((trial for trial in ran if is_number(trial[rank])), key=lambda trial: sign * trial[rank])
    ordered = ranked + [trial for trial in ran if not is_number(trial[rank])]
    best = ranked[0] if ranked else None
    figures = list(dict.fromkeys([rank, *(figure for figure in SHOWN if figure in columns)]))
    header = ["trial", *grid_names, *figures]
    others = [figure for figure in figures if figure in ALONGSIDE and figure != rank]
    parallel = parallel_coordinates(ranked, grid_names, [rank, *others], is_lower_better=is_lower_better)
    return render(
        "sweep.html",
        scripts=[asset("templates", "sweep.js"), asset("templates", "parallel.js")],
        styles=[asset("templates", "page.css")],
        data={"parallel": parallel},
        name=name,
        rank_label=label_of(rank),
        is_lower_better=is_lower_better,
        cards=_cards(numbered, failed, ranked, rank),
        best=None if best is None else [(label_of(key), text_of(key, best[key])) for key in header],
        maps=parameter_maps(ranked, best, grid_names, rank, is_lower_better=is_lower_better),
        parallel=parallel,
        header=[(key, label_of(key), _is_numeric(ordered, key)) for key in header],
        rows=[[(text_of(key, trial[key]), exact_of(trial[key])) for key in header] for trial in ordered[:rows_max]],
        rows_total=len(ordered),
        failures=[
            [str(trial["trial"]), *(text_of(key, trial[key]) for key in grid_names), cut(str(trial["error"]))]
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
            {"label": f"Best {label_of(rank)}", "text": text_of(rank, ranked[0][rank]), "below": below, "tone": ""}
        )
        below = "what an average choice gave"
        cards.append({"label": f"Median {label_of(rank)}", "text": text_of(rank, middle), "below": below, "tone": ""})
    deflated = _deflated(ranked, rank)
    if deflated is not None:
        below = "chance that the best one's true Sharpe ratio is above 0"
        cards.append({"label": "Deflated Sharpe", "text": f"{deflated * 100:.1f} %", "below": below, "tone": ""})
    return cards


def deflated_best(table: pa.Table) -> float | None:
    """The deflated Sharpe ratio of the trial with the highest one, among all of a sweep's `table` that have one.

    None for a table without the figures that it needs.
    """
    wanted = [name for name in DEFLATED_NEEDS if name in table.column_names]
    if len(wanted) < len(DEFLATED_NEEDS):
        return None
    rows = [row for row in table.select(wanted).to_pylist() if is_number(row["sharpe_ratio"])]
    return _deflated(sorted(rows, key=lambda row: -row["sharpe_ratio"]), "sharpe_ratio")


def _deflated(ranked: list[dict[str, Any]], rank: str) -> float | None:
    if rank != "sharpe_ratio" or not ranked or any(not is_number(ranked[0].get(key)) for key in DEFLATED_NEEDS):
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


def _is_numeric(trials: list[dict[str, Any]], key: str) -> bool:
    return all(is_number(trial[key]) or trial[key] is None for trial in trials)
