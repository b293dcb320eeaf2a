"""Price processes: how a price moves from step to step, as a path of factors that begins at 1.

Parameters are those of one row (a bar, a quote, a trade). Each scheme is Euler's, so that it needs sums, products and
square roots only and gives one path on every machine.
"""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from libra_ray.data.synthetic.noise import Floats, Noise
from libra_ray.errors import ConfigError

__all__ = ["Gbm", "Heston", "JumpDiffusion", "OrnsteinUhlenbeck", "Process"]

FACTOR_MIN: Final = 1e-6
"""A single step takes no price below a millionth of what it was."""


class Process(Protocol):
    """What moves a price."""

    def path(self, noise: Noise, rows: int, *, steps_per_row: int = 1) -> Floats:
        """`rows * steps_per_row + 1` positive factors, the first 1.0."""
        ...


@dataclass(frozen=True, slots=True)
class Gbm:
    """Geometric Brownian motion: returns are normal and independent.

    Attributes:
        volatility: standard deviation of one row's return.
        drift: mean of one row's return.
    """

    volatility: float = 0.001
    drift: float = 0.0

    def __post_init__(self) -> None:
        _not_negative(volatility=self.volatility)

    def path(self, noise: Noise, rows: int, *, steps_per_row: int = 1) -> Floats:
        count = rows * steps_per_row
        returns = noise.normal(count) * (self.volatility / steps_per_row**0.5)
        return _path(1.0 + self.drift / steps_per_row + returns)


@dataclass(frozen=True, slots=True)
class JumpDiffusion:
    """Brownian motion with jumps at random times (Merton, "Option pricing when underlying stock returns are
    discontinuous", Journal of Financial Economics 3, 1976).

    Attributes:
        volatility: standard deviation of one row's return without jumps.
        drift: mean of one row's return without jumps.
        jump_rate: mean number of jumps in a row; at most 32.
        jump_mean: mean of one jump's return.
        jump_volatility: standard deviation of one jump's return.
    """  # noqa: D205  # the title of the paper needs two lines

    volatility: float = 0.001
    drift: float = 0.0
    jump_rate: float = 0.001
    jump_mean: float = -0.01
    jump_volatility: float = 0.02

    def __post_init__(self) -> None:
        _not_negative(volatility=self.volatility, jump_rate=self.jump_rate, jump_volatility=self.jump_volatility)
        if self.jump_rate > 32:  # noqa: PLR2004
            raise ConfigError("CONF002", "jump_rate", f"{self.jump_rate} is above 32", "Make more, shorter rows.")

    def path(self, noise: Noise, rows: int, *, steps_per_row: int = 1) -> Floats:
        count = rows * steps_per_row
        returns = noise.normal(count) * (self.volatility / steps_per_row**0.5)
        jumps = noise.poisson(np.full(count, self.jump_rate / steps_per_row)).astype(np.float64)
        # A sum of n normal jumps is normal, with n times the mean and the variance of one.
        sizes = jumps * self.jump_mean + np.sqrt(jumps) * self.jump_volatility * noise.normal(count)
        return _path(1.0 + self.drift / steps_per_row + returns + sizes)


@dataclass(frozen=True, slots=True)
class Heston:
    """Stochastic volatility that comes in clusters (Heston, "A closed-form solution for options with stochastic
    volatility", Review of Financial Studies 6, 1993), by the full truncation scheme of Lord, Koekkoek and van Dijk
    ("A comparison of biased simulation schemes for stochastic volatility models", Quantitative Finance 10, 2010).

    Attributes:
        variance: long-run mean of one row's variance; the first one too.
        reversion: part of the distance to it that a row makes good; from 0 to 1.
        variance_volatility: how much the variance itself varies, per row.
        correlation: of returns and changes of the variance; from -1 to 1, negative for shares.
        drift: mean of one row's return.
    """  # noqa: D205  # the titles of the papers need their lines

    variance: float = 1e-6
    reversion: float = 0.02
    variance_volatility: float = 2e-4
    correlation: float = -0.6
    drift: float = 0.0

    def __post_init__(self) -> None:
        _not_negative(variance=self.variance, reversion=self.reversion, variance_volatility=self.variance_volatility)
        if not -1.0 <= self.correlation <= 1.0:
            what = f"{self.correlation} is not between -1 and 1"
            raise ConfigError("CONF002", "correlation", what, "Give for example -0.6.", str(self.correlation))

    def path(self, noise: Noise, rows: int, *, steps_per_row: int = 1) -> Floats:
        from libra_ray.data.synthetic.recursions import deviations

        count, step = rows * steps_per_row, 1.0 / steps_per_row
        first, second = noise.normal(count), noise.normal(count)
        other = self.correlation * first + (1.0 - self.correlation * self.correlation) ** 0.5 * second
        roots = deviations(other, self.variance, self.reversion * step, self.variance_volatility * step**0.5)
        return _path(1.0 + self.drift * step + roots * step**0.5 * first)


@dataclass(frozen=True, slots=True)
class OrnsteinUhlenbeck:
    """A price that is drawn back to where it began (Uhlenbeck and Ornstein, Physical Review 36, 1930).

    The path is 1 + x, where x returns to 0.

    Attributes:
        volatility: standard deviation of one row's change of x.
        reversion: part of x that a row takes back; from 0 to 1.
    """

    volatility: float = 0.001
    reversion: float = 0.02

    def __post_init__(self) -> None:
        _not_negative(volatility=self.volatility, reversion=self.reversion)

    def path(self, noise: Noise, rows: int, *, steps_per_row: int = 1) -> Floats:
        from libra_ray.data.synthetic.recursions import drawn_back

        shocks = noise.normal(rows * steps_per_row) * (self.volatility / steps_per_row**0.5)
        return np.maximum(1.0 + drawn_back(shocks, self.reversion / steps_per_row), FACTOR_MIN)


def _path(factors: Floats) -> Floats:
    """Products of the factors one after the other, from 1."""
    return np.multiply.accumulate(np.concatenate(([1.0], np.maximum(factors, FACTOR_MIN))), dtype=np.float64)


def _not_negative(**values: float) -> None:
    for name, value in values.items():
        if not value >= 0.0 or value == float("inf"):
            raise ConfigError("CONF002", name, f"{value} is no number from 0 on", "Give 0 or more.", str(value))
