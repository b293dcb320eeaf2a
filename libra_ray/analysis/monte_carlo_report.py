"""The report of a Monte Carlo: where the run stands among what could have been."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from libra_ray.analysis.page import asset, render
from libra_ray.analysis.parameter_maps import label_of, text_of
from libra_ray.analysis.statistics import Stats
from libra_ray.analysis.trade_shuffle import BAND_SHARES, TradePaths
from libra_ray.analysis.wording import ABSENT, cut, figure_text

__all__ = ["MonteCarloInput", "write_monte_carlo_page"]

Floats = npt.NDArray[np.float64]
BINS: Final = 48
WIDTH, HEIGHT = 1_000, 260
SIGNED: Final = ("total_return", "sharpe_ratio")
WHAT: Final = {
    "bars": "the strategy on markets put together anew from blocks of the bars' own returns",
    "trades": "the trades of the run in random orders",
    "drawn_trades": "as many trades drawn from those of the run, with repetition",
}


@dataclass(frozen=True, slots=True)
class MonteCarloInput:
    """A Monte Carlo as its report sees it.

    `values` has the figures of all paths by name, `better` the share of the paths that did better than the run;
    `bands` and `real_equity` (equity after each trade of the run) are given for trades.
    """

    name: str
    method: str
    paths: int
    failed: int
    values: Mapping[str, Floats]
    better: Mapping[str, float | None]
    real: Stats
    bands: TradePaths | None = None
    real_equity: Floats | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


def write_monte_carlo_page(path: str | Path, run: MonteCarloInput) -> Path:
    """Write the report to `path`, replacing what is there, and return the path; its size does not depend on paths."""
    shown = {name: values for name, values in run.values.items() if values.size}
    body = render(
        "monte_carlo.html",
        scripts=[asset("templates", "sweep.js")],
        styles=[asset("templates", "page.css")],
        data={},
        name=run.name,
        what=WHAT[run.method],
        paths=run.paths,
        cards=_cards(run, shown),
        histograms=[_histogram(name, values, run.real.get(name)) for name, values in shown.items()],
        header=["Figure", "The run", *(f"{share * 100:g} % below" for share in BAND_SHARES), "Paths that did better"],
        rows=[_row(run, name, values) for name, values in shown.items()],
        bands=None if run.bands is None else _bands(run.bands, run.real_equity),
        settings=run.settings,
        cut=cut,
    )
    target = Path(path)
    target.write_text(body, encoding="utf-8")
    return target


def _cards(run: MonteCarloInput, shown: Mapping[str, Floats]) -> list[dict[str, str]]:
    cards = [{"label": "Paths", "text": f"{run.paths:,}", "below": f"{run.failed:,} failed", "tone": ""}]
    if "total_return" in shown:
        lost = float((shown["total_return"] < 0).mean())
        below = "paths that lost money"
        cards.append({"label": "Loss", "text": f"{lost * 100:.1f} %", "below": below, "tone": "loss" if lost else ""})
    for name in ("total_return", "max_drawdown"):
        if name in shown:
            middle = text_of(name, float(np.median(shown[name])))
            below = f"median; the run had {figure_text(name, run.real.get(name))}"
            cards.append({"label": label_of(name), "text": middle, "below": below, "tone": ""})
    if "max_drawdown" in shown:
        worst = text_of("max_drawdown", float(np.quantile(shown["max_drawdown"], 0.95)))
        below = "1 path in 20 fell deeper"
        cards.append({"label": "Drawdown at 95 %", "text": worst, "below": below, "tone": ""})
    return cards


def _histogram(name: str, values: Floats, real: float | str | None) -> dict[str, Any]:
    """Bars in percent of the highest, and the place of the run's own figure, in percent of the width."""
    ends = [float(values.min()), float(values.max())]
    if isinstance(real, int | float):
        ends = [min(ends[0], real), max(ends[1], real)]
    low, high = ends if ends[1] > ends[0] else (ends[0] - 0.5, ends[0] + 0.5)
    counts, edges = np.histogram(values, bins=BINS, range=(low, high))
    most = max(int(counts.max()), 1)
    is_below = [name in SIGNED and float(edge) < 0 for edge in edges[1:]]
    return {
        "label": label_of(name),
        "bars": [(round(int(count) / most * 100, 2), below) for count, below in zip(counts, is_below, strict=True)],
        "real": round((real - low) / (high - low) * 100, 2) if isinstance(real, int | float) else None,
        "low": text_of(name, low),
        "high": text_of(name, high),
    }


def _row(run: MonteCarloInput, name: str, values: Floats) -> list[str]:
    better = run.better.get(name)
    quantiles = [text_of(name, float(value)) for value in np.quantile(values, BAND_SHARES)]
    share = ABSENT if better is None else f"{better * 100:.1f} %"
    return [label_of(name), figure_text(name, run.real.get(name)), *quantiles, share]


def _bands(made: TradePaths, real: Floats | None) -> dict[str, Any]:
    """Points of the outer and inner band, the median and the run, in a picture of 1,000 by 260."""
    own = None if real is None else real[made.at]
    every = made.bands if own is None else np.vstack((made.bands, own))
    low, high = float(every.min()), float(every.max())
    span = high - low or 1.0
    across = made.at / max(int(made.at[-1]), 1) * WIDTH

    def points(values: Floats, x: Floats = across) -> str:
        return " ".join(f"{a:.1f},{HEIGHT - (b - low) / span * HEIGHT:.1f}" for a, b in zip(x, values, strict=True))

    def band(lower: int, upper: int) -> str:
        return f"{points(made.bands[lower])} {points(made.bands[upper][::-1], across[::-1])}"

    return {
        "outer": band(0, 4),
        "inner": band(1, 3),
        "median": points(made.bands[2]),
        "real": None if own is None else points(own),
        "low": text_of("final_equity", low),
        "high": text_of("final_equity", high),
        "trades": int(made.at[-1]),
        "view": f"0 0 {WIDTH} {HEIGHT}",
    }
