"""A Monte Carlo's result as its report takes it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from libra_ray.analysis.monte_carlo_report import MonteCarloInput, write_monte_carlo_page

if TYPE_CHECKING:
    from libra_ray.sweeps.monte_carlo_runs import MonteCarloResult

__all__ = ["write_monte_carlo_report"]


def write_monte_carlo_report(
    path: str | Path, result: "MonteCarloResult", *, name: str, settings: Mapping[str, str]
) -> Path:
    """Write the report of `result`; returns its path."""
    facts = {"seed": str(result.seed), "engine": result.engine}
    if result.block_rows is not None:
        facts["mean length of a block"] = f"{result.block_rows:,} rows"
    made = MonteCarloInput(
        name=name,
        method=result.method,
        paths=result.paths,
        failed=result.failed,
        values={figure: result.values(figure) for figure in result.figures},
        better={figure: result.better(figure) for figure in result.figures},
        real=result.real,
        bands=result.bands,
        real_equity=result.real_equity,
        settings=facts | dict(settings),
    )
    return write_monte_carlo_page(path, made)
