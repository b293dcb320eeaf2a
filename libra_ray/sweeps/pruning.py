"""Pruning: trials begin with a part of the data, and only the better ones of a batch go on to more of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

from libra_ray.errors import ConfigError
from libra_ray.sweeps.ranking import best_of
from libra_ray.sweeps.trials import Trial

__all__ = ["Pruning"]


@dataclass(frozen=True, slots=True)
class Pruning:
    """Successive halving on prefixes of the data (Jamieson and Talwalkar, "Non-stochastic best arm identification and
    hyperparameter optimization", AISTATS 2016).

    Attributes:
        parts: after which parts of the time between first and last row trials are compared, ascending, below 1.
        keep: the part of them that goes on, rounded up.

    Raises `ConfigError` CONF002 for parts that are not ascending between 0 and 1, or a `keep` outside of that.
    """  # noqa: D205  # the title of the paper needs two lines

    parts: tuple[float, ...] = (0.25, 0.5)
    keep: float = 0.5

    def __post_init__(self) -> None:
        edges = (0.0, *self.parts, 1.0)
        if any(one >= other for one, other in pairwise(edges)):
            what = f"{list(self.parts)} is not ascending between 0 and 1"
            raise ConfigError("CONF002", "pruning.parts", what, "Write [0.25, 0.5].")
        if not 0.0 < self.keep < 1.0:
            what = f"{self.keep} is not between 0 and 1"
            raise ConfigError("CONF002", "pruning.keep", what, "Write 0.5.", str(self.keep))

    def survivors(self, trials: Mapping[int, Trial], rank: str) -> Sequence[int]:
        """The numbers of those that go on, ascending: the best by `rank`; all, where none has that figure yet."""
        left = dict(trials)
        kept: list[int] = []
        for _ in range(ceil(len(trials) * self.keep)):
            best = best_of(left.values(), rank)
            if best is None:
                break
            kept.append(best.number)
            del left[best.number]
        return sorted(kept or trials)
