"""Parameters of an order's algorithm: read from text or numbers, refused with the name of what is wrong and the fix."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from libra_ray import ConfigError
from libra_ray.model.numbers import parse_decimal

__all__ = ["ParameterError", "Parameters"]

NS_PER_SECOND: Final = 10**9


class ParameterError(ValueError):
    """An order does not say what its algorithm must know; the text is the message of its denial."""


class Parameters:
    """`exec_algorithm_params` of one order, exactly: decimals are fractions, seconds are nanoseconds.

    Every method raises `ParameterError` for a value that is missing or no good. `known` are all names there are, each
    with an example.
    """

    def __init__(self, algorithm: str, given: Mapping[str, Any] | None, known: Mapping[str, str]) -> None:
        self._algorithm, self._given, self._known = algorithm, given or {}, known
        for name in self._given:
            if name not in known:
                raise ParameterError(f"ORD006 {algorithm} does not know the parameter {name}. Use {', '.join(known)}.")

    def has(self, name: str) -> bool:
        """Whether it is given."""
        return self._given.get(name) is not None

    def positive(self, name: str) -> Fraction:
        """A number above 0."""
        value = self._number(name, self._given.get(name))
        if value <= 0:
            raise self._wrong(name, "is not positive")
        return value

    def share(self, name: str) -> Fraction:
        """A number above 0, at most 1."""
        value = self.positive(name)
        if value > 1:
            raise self._wrong(name, "is more than 1")
        return value

    def nanoseconds(self, name: str) -> int:
        """Seconds above 0, with at most 9 decimals."""
        value = self.positive(name) * NS_PER_SECOND
        if value.denominator != 1:
            raise self._wrong(name, "has more than 9 decimals")
        return value.numerator

    def weights(self, name: str) -> list[Fraction]:
        """Numbers not below 0, one at least above."""
        given = self._given.get(name)
        if isinstance(given, str) or not isinstance(given, list | tuple) or not given:
            raise self._wrong(name, "is no list of weights")
        values = [self._number(name, value) for value in given]
        if min(values) < 0 or not any(values):
            raise self._wrong(name, "has a weight below 0, or none above")
        return values

    def wrong(self, what: str) -> ParameterError:
        """Parameters that do not fit together."""
        return ParameterError(f"ORD006 {self._algorithm}: {what}")

    def _number(self, name: str, value: object) -> Fraction:
        if value is None:
            text = f"ORD006 {self._algorithm} needs the parameter {name}."
            raise ParameterError(f"{text} Give it in exec_algorithm_params, for example {name} = {self._known[name]}.")
        try:
            raw, scale = parse_decimal(value)  # type: ignore[arg-type]  # whatever a strategy has put there
        except ConfigError:
            raise self._wrong(name, "is not a decimal") from None
        return Fraction(raw, 10**scale)

    def _wrong(self, name: str, what: str) -> ParameterError:
        shown = f"{name} = {self._given.get(name)!r}"
        return ParameterError(f"ORD006 {self._algorithm}: {shown} {what}. Give for example {self._known[name]}.")
