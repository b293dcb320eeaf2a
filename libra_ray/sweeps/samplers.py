"""Where the combinations of a sweep come from: all of a grid, random draws, a Latin hypercube, or Optuna's samplers.

Each is asked for a batch, and told what came of it before the next one. What it proposes is a function of the seed and
of what it was told in the order of the trials, so a sweep has one table whatever the number of workers.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import chain, product
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from libra_ray.config import Range
from libra_ray.errors import ConfigError, did_you_mean, quoted
from libra_ray.sweeps.grid import Parameter

__all__ = ["SAMPLERS", "Chosen", "Sampler", "make_sampler"]

Chosen: TypeAlias = tuple[Any, ...]
"""One value per parameter, in their order."""
Admits: TypeAlias = Callable[[Chosen], bool]
Direction: TypeAlias = Literal["minimize", "maximize"]

SAMPLERS: Final = ("grid", "random", "lhs", "tpe", "cmaes", "nsga2")
BATCH: Final = {"tpe": 8, "cmaes": 8, "nsga2": 16}
"""Trials that Optuna proposes before it hears of the first of them."""
DRAWS_MAX: Final = 1_000
"""Draws for one trial that the constraints refuse, or that were there already, before nothing new is to be expected."""


class Sampler(ABC):
    """Proposes combinations."""

    @abstractmethod
    def ask(self, count: int) -> list[Chosen]:
        """The next combinations, at most so many; none when there are no more."""

    @abstractmethod
    def tell(self, results: Sequence[Sequence[float] | None]) -> None:
        """The objectives of what the last `ask` gave, in its order; None for a trial without them."""


def make_sampler(
    name: str,
    parameters: Sequence[Parameter],
    *,
    seed: int,
    trials: int | None,
    directions: Sequence[Direction],
    admits: Admits,
) -> Sampler:
    """A sampler by name. `directions` are of the objectives, `minimize` or `maximize`; `admits` are the constraints.

    Raises `ConfigError` CONF002: an unknown name, no number of trials, several objectives for one that has one.
    """
    if name not in SAMPLERS:
        raise _wrong("sampler", f"{quoted(name)} is no sampler", did_you_mean(name, list(SAMPLERS)), name)
    if name == "grid":
        return _Enumerated(_all_of(parameters), admits, trials)
    if trials is None:
        raise _wrong("trials", f"the sampler {name} has no number of trials", "Give trials.", None)
    if name == "random":
        return _Enumerated(_random(parameters, seed), admits, trials, is_endless=True)
    if name == "lhs":
        draws = chain(_latin(parameters, seed, trials), _random(parameters, seed))  # in place of what is refused
        return _Enumerated(draws, admits, trials, is_endless=True)
    if name != "nsga2" and len(directions) > 1:
        what = f"the sampler {name} has one objective, and {len(directions)} are given"
        raise _wrong("objectives", what, "Give one, or use nsga2.", name)
    return _OptunaSampler(name, parameters, seed, trials, directions, admits)


class _Enumerated(Sampler):
    """Combinations that do not depend on results; each once."""

    def __init__(
        self, source: Iterator[Chosen], admits: Admits, trials: int | None, *, is_endless: bool = False
    ) -> None:
        self._source, self._admits, self._left = source, admits, trials
        self._is_endless = is_endless
        self._seen: dict[Chosen, None] = {}

    def ask(self, count: int) -> list[Chosen]:
        wanted = count if self._left is None else min(count, self._left)
        found: list[Chosen] = []
        while len(found) < wanted:
            chosen = self._next()
            if chosen is None:
                break
            found.append(chosen)
        if self._left is not None:
            self._left -= len(found)
        return found

    def tell(self, results: Sequence[Sequence[float] | None]) -> None:
        """It proposes the same whatever comes of it."""

    def _next(self) -> Chosen | None:
        for draw, chosen in enumerate(self._source, 1):
            if self._admits(chosen) and not (self._is_endless and chosen in self._seen):
                if self._is_endless:
                    self._seen[chosen] = None
                return chosen
            if self._is_endless and draw == DRAWS_MAX:
                return None
        return None


def _all_of(parameters: Sequence[Parameter]) -> Iterator[Chosen]:
    return product(*(each.range.values() if each.range else each.values for each in parameters))


def _random(parameters: Sequence[Parameter], seed: int) -> Iterator[Chosen]:
    bits = _bits(seed, "random")
    while True:
        yield tuple(each.at(part) for each, part in zip(parameters, _parts(bits, len(parameters)), strict=True))


def _latin(parameters: Sequence[Parameter], seed: int, trials: int) -> Iterator[Chosen]:
    """One draw in each of `trials` equal strata of every parameter, the strata in random order (McKay, Beckman and
    Conover, "A comparison of three methods for selecting values of input variables", Technometrics 21, 1979).
    """  # noqa: D205  # the title of the paper needs two lines
    bits = _bits(seed, "lhs")
    orders = [np.argsort(bits.random_raw(trials), kind="stable").tolist() for _ in parameters]
    for trial in range(trials):
        parts = _parts(bits, len(parameters))
        yield tuple(
            each.at((order[trial] + part) / trials) for each, order, part in zip(parameters, orders, parts, strict=True)
        )


def _bits(seed: int, name: str) -> np.random.Philox:
    key = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")
    return np.random.Philox(key=np.array([seed % 2**64, key], np.uint64))


def _parts(bits: np.random.Philox, count: int) -> list[float]:
    """Even numbers, 0 <= part < 1."""
    parts: list[float] = ((bits.random_raw(count) >> np.uint64(11)).astype(np.float64) * 2.0**-53).tolist()
    return parts


class _OptunaSampler(Sampler):
    """Optuna's ask and tell. A combination that the constraints refuse is told as failed and asked anew."""

    def __init__(
        self,
        name: str,
        parameters: Sequence[Parameter],
        seed: int,
        trials: int,
        directions: Sequence[Direction],
        admits: Admits,
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        made: Mapping[str, Callable[[], Any]] = {
            "tpe": lambda: optuna.samplers.TPESampler(seed=seed, n_startup_trials=min(10, max(trials // 4, 1))),
            "cmaes": lambda: optuna.samplers.CmaEsSampler(
                seed=seed, n_startup_trials=1, warn_independent_sampling=False
            ),
            "nsga2": lambda: optuna.samplers.NSGAIISampler(seed=seed, population_size=BATCH["nsga2"]),
        }
        self._study = optuna.create_study(directions=list(directions), sampler=made[name]())
        self._batch, self._left = BATCH[name], trials
        self._parameters, self._admits = parameters, admits
        self._distributions = {
            f"{number}": _distribution(optuna.distributions, parameter) for number, parameter in enumerate(parameters)
        }
        self._asked: list[Any] = []

    def ask(self, count: int) -> list[Chosen]:
        found: list[Chosen] = []
        self._asked = []
        for _ in range(min(count, self._left, self._batch)):
            chosen = self._one()
            if chosen is None:
                break
            found.append(chosen)
        self._left -= len(found)
        return found

    def _one(self) -> Chosen | None:
        from optuna.trial import TrialState

        for _ in range(DRAWS_MAX):
            trial = self._study.ask(self._distributions)
            chosen = tuple(
                parameter.values[trial.params[f"{number}"]] if parameter.range is None else trial.params[f"{number}"]
                for number, parameter in enumerate(self._parameters)
            )
            if self._admits(chosen):
                self._asked.append(trial)
                return chosen
            self._study.tell(trial, state=TrialState.FAIL)
        return None

    def tell(self, results: Sequence[Sequence[float] | None]) -> None:
        from optuna.trial import TrialState

        for trial, values in zip(self._asked, results, strict=True):
            if values is None:
                self._study.tell(trial, state=TrialState.FAIL)
            else:
                self._study.tell(trial, list(values))


def _distribution(kinds: Any, parameter: Parameter) -> Any:  # noqa: ANN401  # Optuna's own
    """Values are chosen by their place: they may be anything, and an ordered list is searched as one."""
    found: Range | None = parameter.range
    if found is None:
        return kinds.IntDistribution(0, len(parameter.values) - 1)
    if found.is_whole:
        return kinds.IntDistribution(found.low, found.high, step=found.step or 1, log=found.log)
    return kinds.FloatDistribution(float(found.low), float(found.high), step=found.step, log=found.log)


def _wrong(place: str, what: str, fix: str, value: str | None) -> ConfigError:
    return ConfigError("CONF002", place, what, fix, value)
