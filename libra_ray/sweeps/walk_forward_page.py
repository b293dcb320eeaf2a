"""A walk-forward's result as its report takes it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from libra_ray.analysis.trade_shuffle import trade_paths
from libra_ray.analysis.walk_forward_report import WalkForwardInput, write_walk_forward_page
from libra_ray.sweeps.ranking import is_smaller_better

if TYPE_CHECKING:
    from libra_ray.sweeps.walk_forward_result import WalkForwardResult

__all__ = ["write_walk_forward_report"]

PATHS: Final = 1_000


def write_walk_forward_report(
    path: str | Path, result: "WalkForwardResult", *, name: str, settings: Mapping[str, str]
) -> Path:
    """Write the report of `result`; returns its path."""
    moves = [
        (each.name, each.distinct, each.usual, each.usual_share, each.kept, each.mean_step) for each in result.stability
    ]
    made = WalkForwardInput(
        name=name,
        scheme=result.scheme,
        rank=result.rank,
        is_lower_better=is_smaller_better(result.rank),
        names=result.columns,
        windows=result.windows,
        trials=result.table,
        equity=result.equity,
        stats=result.stats,
        moves=moves,
        degradation=result.degradation,
        probability=result.probabilistic_sharpe,
        failed=result.failed,
        drawdown_95=_drawdown_95(result),
        settings=settings,
    )
    return write_walk_forward_page(path, made)


def _drawdown_95(result: "WalkForwardResult") -> float | None:
    """The drawdown that one path in 20 exceeds; None for trades without a sum in the currency of equity."""
    arrays = result.arrays
    curve, pnl = arrays.curve, arrays.pnl
    if not pnl.size or not curve.equity.size or arrays.pnl_currency != curve.currency or not curve.equity[0] > 0:
        return None
    made = trade_paths(pnl, starting_equity=float(curve.equity[0]), paths=PATHS, seed=0, with_repetition=True)
    return float(np.quantile(made.max_drawdown, 0.95))
