"""Which trial is best: the figure it is ranked by, and whether more of it is better."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from libra_ray.analysis import EquityCurve, RunArrays, statistics_from_arrays
from libra_ray.errors import ConfigError, did_you_mean, quoted
from libra_ray.sweeps.trials import Trial

__all__ = ["SMALLER_IS_BETTER", "best_of", "check_rank", "is_smaller_better", "unbeaten"]

SMALLER_IS_BETTER: Final = frozenset(
    {
        "canceled",
        "denied",
        "expired",
        "exposure",
        "kurtosis",
        "losses",
        "max_drawdown",
        "max_drawdown_duration_days",
        "rejected",
        "turnover",
        "turnover_per_year",
        "volatility",
    }
)
FEES_PREFIX: Final = "fees_"
NOT_A_FIGURE: Final = frozenset({"currency", "trade_currency", "start_ns", "end_ns"})


def check_rank(name: str) -> None:
    """Raises `ConfigError` CONF002 for a name that is no figure of the statistics."""
    if name in known_figures() or name.startswith(FEES_PREFIX):
        return
    what = f"{quoted(name)} is not a figure to rank by"
    raise ConfigError("CONF002", "rank", what, did_you_mean(name, list(known_figures())), name)


def known_figures() -> Sequence[str]:
    """The names of the figures that every run has; fees, one figure per currency, come on top."""
    nothing = RunArrays(curve=EquityCurve(np.empty(0, np.int64), np.empty(0, np.float64), None))
    return [name for name in statistics_from_arrays(nothing) if name not in NOT_A_FIGURE]


def is_smaller_better(name: str) -> bool:
    """Whether less of the figure is better: losses, risk and cost. A loss that is itself negative is not among them."""
    return name in SMALLER_IS_BETTER or name.startswith(FEES_PREFIX)


def best_of(trials: Iterable[Trial], name: str) -> Trial | None:
    """The trial with the best figure, of equal ones that of the lowest number; None when none has the figure."""
    sign = 1 if is_smaller_better(name) else -1
    ranked = [trial for trial in trials if isinstance(trial.figures.get(name), int | float)]
    return min(ranked, key=lambda trial: (sign * float(trial.figures[name] or 0), trial.number), default=None)


def unbeaten(trials: Sequence[Trial], names: Sequence[str]) -> list[bool | None]:
    """Of each trial whether no other is at least as good in all of these figures and better in one (Pareto's front).

    None for a trial that lacks one. O(trials^2).
    """
    signs = np.array([-1.0 if is_smaller_better(name) else 1.0 for name in names])
    values = [[trial.figures.get(name) for name in names] for trial in trials]
    known = [all(isinstance(value, int | float) for value in row) for row in values]
    scores = np.array([row for row, is_known in zip(values, known, strict=True) if is_known], np.float64) * signs
    free = [not bool(((scores >= one).all(axis=1) & (scores > one).any(axis=1)).any()) for one in scores]
    found = iter(free)
    return [next(found) if is_known else None for is_known in known]
