"""Hawkes processes: events that make further events more likely, as orders do on a market."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from libra_ray.data.arrow_arrays import Int64s
from libra_ray.data.synthetic.noise import Floats, Noise
from libra_ray.errors import ConfigError

__all__ = ["Hawkes"]

NS_PER_SECOND: Final = 10**9
MARGIN: Final = 1.05
"""A horizon is made this much longer than the mean says, so that one attempt nearly always suffices."""


@dataclass(frozen=True, slots=True)
class Hawkes:
    """Several types of events that excite each other with exponential decay (Hawkes, "Spectra of some self-exciting
    and mutually exciting point processes", Biometrika 58, 1971).

    Made as the branching process that it is (Hawkes and Oakes, "A cluster process representation of a self-exciting
    process", Journal of Applied Probability 11, 1974): events from outside come evenly in the mean, and each event has
    a Poisson number of children of each type, at exponential distances. It begins without a past.

    Attributes:
        base_rates: events from outside per second, by type.
        children: mean number of children of type j that an event of type i has, in row i.
        decay: of excitement, per second; the mean distance of a child is 1 / decay.

    Raises `ConfigError` CONF002 where the numbers do not fit or events would multiply without end.
    """  # noqa: D205  # the title of the paper needs two lines

    base_rates: Sequence[float]
    children: Sequence[Sequence[float]]
    decay: float

    def __post_init__(self) -> None:
        types = len(self.base_rates)
        if not types or len(self.children) != types or any(len(row) != types for row in self.children):
            what = f"{len(self.children)} rows of children for {types} types of events"
            raise ConfigError("CONF002", "children", what, "Give one row and column per type.")
        numbers = [*self.base_rates, *(mean for row in self.children for mean in row)]
        if not self.decay > 0 or not sum(self.base_rates) > 0 or not all(0 <= each < float("inf") for each in numbers):
            raise ConfigError("CONF002", "base_rates", "rates are not positive", "Give numbers from 0 on.")
        if self.branching_ratio >= 1.0:
            what = f"events have {self.branching_ratio:.3f} children in the mean"
            raise ConfigError("CONF002", "children", what, "Keep the largest eigenvalue below 1.")

    @property
    def branching_ratio(self) -> float:
        """The largest eigenvalue of `children`: which part of all events is excited by others, in the long run."""
        return float(np.abs(np.linalg.eigvals(np.asarray(self.children, float))).max())

    @property
    def rates(self) -> Floats:
        """Events per second by type in the long run: the solution of rate = base + children' rate."""
        matrix = np.asarray(self.children, float).T
        rates: Floats = np.linalg.solve(np.eye(len(matrix)) - matrix, np.asarray(self.base_rates, float))
        return rates

    def events(self, noise: Noise, count: int) -> tuple[Int64s, Int64s]:
        """The first `count` events: times in nanoseconds from 0, ascending, and types. O(count log count)."""
        # Only the length of the first attempt depends on the linear algebra, in whole seconds.
        seconds = int(MARGIN * count / float(self.rates.sum())) + int(10 / self.decay) + 1
        times, types = self._until(noise, seconds)
        while len(times) < count:
            more_times, more_types = self._until(noise, seconds)
            times = np.concatenate([times, more_times + seconds * NS_PER_SECOND])
            types = np.concatenate([types, more_types])
        return times[:count], types[:count]

    def _until(self, noise: Noise, seconds: int) -> tuple[Int64s, Int64s]:
        """All events of so many seconds: generation after generation, then sorted."""
        horizon_ns = seconds * NS_PER_SECOND
        times: list[Int64s] = []
        types: list[Int64s] = []
        for kind, rate in enumerate(self.base_rates):
            count = _poisson(noise, rate * seconds)
            times.append((noise.uniform(count) * horizon_ns).astype(np.int64))
            types.append(np.full(count, kind, np.int64))
        born_ns, kinds = np.concatenate(times), np.concatenate(types)
        while len(born_ns):
            parts: list[tuple[Int64s, Int64s]] = []
            for kind in range(len(self.base_rates)):
                means = np.asarray([row[kind] for row in self.children])[kinds]
                parents = np.repeat(born_ns, noise.poisson(means))
                delays_ns = noise.exponential(len(parents)) * (NS_PER_SECOND / self.decay)
                children_ns = parents + delays_ns.astype(np.int64)
                children_ns = children_ns[children_ns < horizon_ns]
                parts.append((children_ns, np.full(len(children_ns), kind, np.int64)))
            born_ns = np.concatenate([part for part, _ in parts])
            kinds = np.concatenate([part for _, part in parts])
            times.append(born_ns)
            types.append(kinds)
        all_times, all_types = np.concatenate(times), np.concatenate(types)
        order = np.argsort(all_times, kind="stable")
        return all_times[order], all_types[order]


def _poisson(noise: Noise, mean: float) -> int:
    """One Poisson count of any mean, as a sum of counts of means up to 32."""
    whole, rest = divmod(mean, 32.0)
    return int(noise.poisson(np.full(int(whole), 32.0)).sum() + noise.poisson(np.array([rest])).sum())
