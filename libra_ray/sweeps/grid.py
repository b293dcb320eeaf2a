"""What a sweep varies: the values of each parameter, and their product in a fixed order.

All of it is checked before anything starts, and none of the combinations is kept: the grid computes any of them from
its trial number, in a worker too.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from math import prod
from typing import Any, Final, Protocol, TypeAlias

from pydantic import BaseModel

from libra_ray.config import Range, first_of, range_of
from libra_ray.errors import ConfigError, UserError, did_you_mean, quoted
from libra_ray.sweeps.combinations import Combinations

__all__ = ["COMBINATIONS_MAX", "Configured", "Grid", "Parameter", "Values", "declared_ranges", "parameters_of"]

COMBINATIONS_MAX: Final = 1_000_000
Values: TypeAlias = Iterable[Any] | Range | Mapping[str, Any]
"""What a parameter takes: values, or a range as such or as `{low, high, step, log}`."""
NO_VALUE: Final = "Give at least one value."


class Configured(Protocol):
    """An actor of a system, as far as a grid looks at it."""

    @property
    def actor_id(self) -> str:
        """Its name, `EmaCross-1`."""
        ...

    @property
    def cls(self) -> type:
        """Its class."""
        ...

    @property
    def config(self) -> BaseModel:
        """Its settings."""
        ...


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting of one actor, and the values it takes, or their `range`. `name` is what the caller wrote."""

    name: str
    actor_id: str
    setting: str
    values: tuple[Any, ...]
    range: Range | None = None

    def at(self, part: float) -> Any:  # noqa: ANN401  # whatever the setting takes
        """The value at a part of all, 0 <= part < 1."""
        if self.range is not None:
            return self.range.at(part)
        return self.values[int(part * len(self.values))]

    @property
    def count(self) -> int | None:
        """How many values there are; None for any number between two floats."""
        return len(self.values) if self.range is None else self.range.count


class Grid(Combinations):
    """All combinations in the order of `itertools.product`: the last parameter changes fastest."""

    def __init__(self, parameters: Iterable[Parameter]) -> None:
        super().__init__(parameters)
        self._count = prod(len(parameter.values) for parameter in self.parameters)

    @classmethod
    def of(
        cls,
        actors: Sequence[Configured],
        values: Mapping[str, Values],
        *,
        place: Callable[[str], str] = "grid.{}".format,
    ) -> "Grid":
        """Check `values` by name: `EmaCross.fast`, `EmaCross-1.fast`, or plain `fast` when one actor alone has it.

        `place` says where a name was written. Raises `ConfigError`, the first that was found with the others in its
        `more`: CONF002 for no list of values or too many, CONF005 for no combination, CONF006 for a value that is NaN
        or repeated, CONF009 for a name that fits no parameter or several.
        """
        return cls.expanded(parameters_of(actors, values, place=place))

    @classmethod
    def expanded(cls, parameters: Iterable[Parameter]) -> "Grid":
        """Of parameters whose ranges become their values. Raises `ConfigError` CONF002 where these are too many."""
        grid = cls(replace(each, values=each.range.values(), range=None) if each.range else each for each in parameters)
        if len(grid) > COMBINATIONS_MAX:
            what = f"{len(grid):,} combinations exceed the limit of {COMBINATIONS_MAX:,}"
            raise ConfigError("CONF002", "grid", what, "Give fewer values.", str(len(grid)))
        return grid

    def __len__(self) -> int:
        return self._count

    def chosen(self, trial: int) -> list[Any]:
        """The value of each parameter: `trial` is a number whose digits are their indexes."""
        rest = trial + len(self) if trial < 0 else trial
        if not 0 <= rest < len(self):
            raise IndexError(trial)
        chosen: list[Any] = []
        for parameter in reversed(self.parameters):
            rest, index = divmod(rest, len(parameter.values))
            chosen.append(parameter.values[index])
        return chosen[::-1]


def parameters_of(
    actors: Sequence[Configured],
    values: Mapping[str, Values],
    *,
    place: Callable[[str], str] = "grid.{}".format,
) -> tuple[Parameter, ...]:
    """What is to vary: values or a range by name, or, where nothing is given, the ranges that settings declare.

    Raises as `Grid.of` does.
    """
    if not values:
        values = declared_ranges(actors)
    if not values:
        raise ConfigError("CONF005", "grid", "0 combinations (no parameter is given)", "Give at least one.", "{}")
    errors: list[UserError] = []
    parameters: list[Parameter] = []
    for name, given in values.items():
        try:
            actor_id, setting = _resolved(actors, name, place(name))
            found = range_of(given, place(name)) if isinstance(given, Mapping) else given
            if isinstance(found, Range):
                parameters.append(Parameter(name, actor_id, setting, (), found))
            else:
                parameters.append(Parameter(name, actor_id, setting, _checked_values(name, found, place(name))))
            _refuse_twice(parameters, place(name))
        except ConfigError as error:
            errors.append(error)
    if errors:
        raise first_of(errors)
    return tuple(parameters)


def declared_ranges(actors: Sequence[Configured]) -> dict[str, Any]:
    """The ranges that settings declare, by `{actor id}.{setting}`."""
    return {
        f"{actor.actor_id}.{name}": found
        for actor in actors
        for name, field in type(actor.config).model_fields.items()
        for found in field.metadata
        if isinstance(found, Range)
    }


def _resolved(actors: Sequence[Configured], name: str, place: str) -> tuple[str, str]:
    """Actor id and setting that `name` means."""
    owner, _, setting = name.rpartition(".")
    fitting = [
        actor.actor_id
        for actor in actors
        if setting in type(actor.config).model_fields and owner in ("", actor.actor_id, actor.cls.__name__)
    ]
    if owner in fitting:  # an id is exact, though a class may have the same name
        return owner, setting
    if len(fitting) == 1:
        return fitting[0], setting
    if fitting:
        what = f"{quoted(name)} is a parameter of {len(fitting)} actors"
        fix = f"Write {' or '.join(quoted(f'{actor_id}.{setting}') for actor_id in fitting[:5])}."
        raise ConfigError("CONF009", place, what, fix, name)
    known = _known_names(actors, is_plain=not owner)
    raise ConfigError("CONF009", place, f"unknown sweep parameter {quoted(name)}", did_you_mean(name, known), name)


def _known_names(actors: Sequence[Configured], *, is_plain: bool) -> list[str]:
    names = {
        field if is_plain else f"{owner}.{field}": None
        for actor in actors
        for owner in (actor.cls.__name__, actor.actor_id)
        for field in type(actor.config).model_fields
        if field != "actor_id"
    }
    return list(names)


def _checked_values(name: str, given: Iterable[Any], place: str) -> tuple[Any, ...]:
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        shown = quoted(given) if isinstance(given, str) else "a table" if isinstance(given, Mapping) else repr(given)
        what = f"{shown} is not a list of values"
        raise ConfigError("CONF002", place, what, "Write for example [5, 10, 20].", str(given))
    # One more than the limit is enough to know; the iterable may have no end.
    values = tuple(_plain(value) for value in islice(given, COMBINATIONS_MAX + 1))
    if len(values) > COMBINATIONS_MAX:
        what = f"more than {COMBINATIONS_MAX:,} values"
        raise ConfigError("CONF002", place, what, "Give fewer values.")
    if not values:
        raise ConfigError("CONF005", place, f"0 combinations ({quoted(name)} is empty)", NO_VALUE, "[]")
    for number, value in enumerate(values, 1):
        if _is_nan(value):
            raise ConfigError("CONF006", place, f"value {number} of {len(values)} is NaN", "Remove it.", "NaN")
    _refuse_repeated(values, place)
    return values


def _refuse_repeated(values: Sequence[Any], place: str) -> None:
    keys = [_key(value) for value in values]
    counts: dict[Hashable, int] = {}
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    for key, value in zip(keys, values, strict=True):
        if counts[key] > 1:
            shown = quoted(value) if isinstance(value, str) else str(value)
            what = f"value {shown} is given {counts[key]} times"
            raise ConfigError("CONF006", place, what, "Remove one.", str(value))


def _refuse_twice(parameters: Sequence[Parameter], place: str) -> None:
    last = parameters[-1]
    for other in parameters[:-1]:
        if (other.actor_id, other.setting) == (last.actor_id, last.setting):
            what = f"{quoted(last.name)} and {quoted(other.name)} are one parameter"
            raise ConfigError("CONF009", place, what, "Remove one.", last.name)


def _plain(value: Any) -> Any:  # noqa: ANN401  # whatever a setting takes
    """Make numpy's scalars Python's own: settings, tables and hashes know no others."""
    return value.item() if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0 else value


def _is_nan(value: object) -> bool:
    if isinstance(value, Decimal):
        return value.is_nan()
    return isinstance(value, float) and value != value  # noqa: PLR0124  # only NaN differs from itself


def _key(value: object) -> Hashable:
    """Equal for equal values: 1 and 1.0 are one value, true and 1 are two."""
    try:
        hash(value)
    except TypeError:
        return type(value).__name__, repr(value)
    return isinstance(value, bool), value
