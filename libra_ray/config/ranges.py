"""Ranges of settings: where a sweep may look, declared once, beside the setting."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, isfinite
from typing import Any, Final

from libra_ray.errors import ConfigError, did_you_mean

__all__ = ["Range", "range_of"]

STEPS_MAX: Final = 1_000_000
_KEYS: Final = ("low", "high", "step", "log")


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high`, both included; of ints, whole numbers.

        class CrossConfig(lr.StrategyConfig):
            fast: Annotated[PositiveInt, lr.Range(5, 50)]
            weight: Annotated[float, lr.Range(0.001, 0.1, log=True)]

    Attributes:
        step: distance of two values, from `low` on; None is 1 for ints and any number between for floats.
        log: draws are even in the logarithm: as many from 1 to 10 as from 10 to 100.

    Raises `ConfigError` CONF002 for bounds that are no numbers or the wrong way round.
    """

    low: int | float
    high: int | float
    step: int | float | None = None
    log: bool = False

    def __post_init__(self) -> None:
        numbers = [each for each in (self.low, self.high, self.step) if each is not None]
        if any(isinstance(each, bool) or not isinstance(each, int | float) or not isfinite(each) for each in numbers):
            raise _wrong(f"{self} has a bound that is no number", "Give numbers.")
        if self.low > self.high:
            raise _wrong(f"low {self.low} is above high {self.high}", "Exchange them.")
        if self.step is not None and self.step <= 0:
            raise _wrong(f"step {self.step} is not positive", "Give a positive step.")
        if self.log and (self.low <= 0 or self.step is not None):
            raise _wrong(f"a logarithmic range from {self.low} with step {self.step}", "Begin above 0, without a step.")

    @property
    def is_whole(self) -> bool:
        """Whether its values are ints."""
        return all(isinstance(each, int) for each in (self.low, self.high, self.step) if each is not None)

    @property
    def count(self) -> int | None:
        """How many values there are; None for floats without a step."""
        step = 1 if self.step is None and self.is_whole else self.step
        # A step that divides the range only almost still reaches its end: 0.1 to 0.3 by 0.1.
        return None if step is None else floor((self.high - self.low) / step + 1e-9) + 1

    def values(self) -> tuple[int | float, ...]:
        """All values, ascending. Raises `ConfigError` CONF002 for floats without a step and for more than a million."""
        count = self.count
        if count is None:
            raise _wrong(f"{self.low} to {self.high} has no step", "Give a step, or another sampler than grid.")
        if count > STEPS_MAX:
            raise _wrong(f"{count:,} values", f"Give a step that leaves {STEPS_MAX:,} at most.")
        return tuple(self._value(number) for number in range(count))

    def at(self, part: float) -> int | float:
        """The value at a part of the range, 0 <= part < 1."""
        if self.log:
            low, high = float(self.low), float(self.high) + (1.0 if self.is_whole else 0.0)
            value = low * (high / low) ** part
            return min(int(value), int(self.high)) if self.is_whole else value
        count = self.count
        if count is None:
            return self.low + part * (self.high - self.low)
        return self._value(min(int(part * count), count - 1))

    def _value(self, number: int) -> int | float:
        step = 1 if self.step is None else self.step
        value = self.low + number * step
        # The shortest decimal near it: 0.1 + 2 x 0.1 is meant to be 0.3.
        return value if self.is_whole else float(f"{value:.12g}")


def range_of(given: Mapping[str, Any], place: str) -> Range:
    """A range from its keys: `{ low = 5, high = 50, step = 5 }`. Raises `ConfigError` CONF001, CONF002."""
    for key in given:
        if key not in _KEYS:
            raise ConfigError("CONF001", place, f"unknown key '{key}' of a range", did_you_mean(key, list(_KEYS)), key)
    for key in ("low", "high"):
        if key not in given:
            raise ConfigError("CONF002", place, f"a range without {key}", "Write { low = 5, high = 50 }.")
    try:
        return Range(**given)
    except ConfigError as error:
        raise ConfigError(error.code, place, error.what, error.fix, error.value) from None


def _wrong(what: str, fix: str) -> ConfigError:
    return ConfigError("CONF002", "range", what, fix)
