"""What a walk-forward is judged by: how much is lost outside the training, and whether parameters stay in place."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from libra_ray.sweeps.grid import Parameter
from libra_ray.sweeps.ranking import FEES_PREFIX, is_smaller_better

__all__ = ["Stability", "degradation", "stability"]

GROWS_WITH_TIME: Final = frozenset(
    {
        "canceled",
        "denied",
        "expired",
        "fills",
        "losses",
        "net_profit",
        "orders",
        "rejected",
        "total_return",
        "trades",
        "turnover",
        "wins",
    }
)
"""Figures that are the larger the longer a run is: those of a training are taken for the length of its test."""


def degradation(name: str, trained: float | None, tested: float | None, *, test_share: float = 1.0) -> float | None:
    """Which part of a figure is lost between training and test: 0 nothing, 1 all, above 1 it has changed its sign.

    Below 0 the test was better. `test_share` is the length of the test over that of the training, for figures that grow
    with time. None where either is missing or there was nothing to lose. The complement of Pardo's walk-forward
    efficiency: Pardo, R. (2008), "The Evaluation and Optimization of Trading Strategies", chapter 11.
    """
    if trained is None or tested is None:
        return None
    expected = trained * test_share if name in GROWS_WITH_TIME or name.startswith(FEES_PREFIX) else trained
    if not expected:
        return None
    lost = (expected - tested) / abs(expected)
    return -lost if is_smaller_better(name) else lost


@dataclass(frozen=True, slots=True)
class Stability:
    """How one parameter moved from window to window.

    Attributes:
        values: the chosen one of each window that has one, in order.
        distinct: how many different ones.
        usual: the one chosen most often, of several the first.
        usual_share: in which part of the windows.
        kept: in which part of the steps it stayed the same; None with fewer than two windows.
        mean_step: mean distance of a step in places of the parameter's own values, over the longest possible: 0 is as
            stable as can be, and 1/3 is what luck alone does. None for one value, or fewer than two windows.
    """

    name: str
    values: tuple[Any, ...]
    distinct: int
    usual: Any
    usual_share: float | None
    kept: float | None
    mean_step: float | None


def stability(parameter: Parameter, chosen: Sequence[Any]) -> Stability:
    """Of the values that the windows have chosen for a parameter, each one of `parameter.values`."""
    places = [_place(parameter, value) for value in chosen]
    steps = [abs(late - early) for early, late in pairwise(places)]
    counts = Counter(places)
    usual = max(counts, key=lambda place: (counts[place], -places.index(place)), default=None)
    longest = len(parameter.values) - 1
    return Stability(
        parameter.name,
        tuple(chosen),
        distinct=len(counts),
        usual=None if usual is None else parameter.values[usual],
        usual_share=None if usual is None else counts[usual] / len(places),
        kept=sum(step == 0 for step in steps) / len(steps) if steps else None,
        mean_step=sum(steps) / len(steps) / longest if steps and longest else None,
    )


def _place(parameter: Parameter, value: Any) -> int:  # noqa: ANN401  # whatever a setting takes
    return next(place for place, known in enumerate(parameter.values) if known is value or known == value)
