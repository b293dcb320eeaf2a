"""Every message class there is, values of any sendable kind, and a comparison that minds types."""

import importlib
import pkgutil
import typing
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag, StrEnum
from functools import cache
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec
import pyarrow as pa
from hypothesis import strategies as st

from libra_ray.messages.events import OrderEvent
from libra_ray.model.numbers import Price, Rate

__all__ = [
    "Feature",
    "Holder",
    "Level",
    "Loose",
    "Spot",
    "Way",
    "Ways",
    "any_values",
    "instances",
    "message_classes",
    "same",
]

PACKAGES = ["libra_ray.messages", "libra_ray.hosts", "libra_ray.kernel.apart"]
MODULES = [
    "libra_ray.bus.letters",
    "libra_ray.bus.wire.descriptors",
    "libra_ray.model.instruments",
    "libra_ray.model.numbers",
    "libra_ray.model.orders",
    "libra_ray.runtime.signals",
]


class Way(StrEnum):
    """An enumeration of text."""

    UP = "up"
    DOWN = "down"


class Ways(Flag):
    """An enumeration whose members combine."""

    NORTH = 1
    EAST = 2


class Spot(NamedTuple):
    """A tuple with names."""

    x: int
    y: object


class Level(msgspec.Struct, frozen=True):
    """A struct whose annotations say all."""

    px_raw: int
    way: Way | None = None


class Deeper(Level, frozen=True):
    """A struct in place of its base."""

    depth: int = 0


class Holder(msgspec.Struct, frozen=True, tag="held", rename="camel"):
    """A struct that leaves much open, with names and a tag of its own."""

    top_level: Level
    many_levels: tuple[Level, ...] = ()
    rates: list[Rate | None] = []
    event: OrderEvent | None = None
    when: datetime | None = None
    text: str | Decimal | bytes = ""
    extra: Any = None
    by_name: Mapping[str, Any] | None = None
    batch: pa.RecordBatch | None = None


class Loose(msgspec.Struct, array_like=True, omit_defaults=True):
    """A struct with annotations that cannot be resolved."""

    inner: "NotThere"  # type: ignore[name-defined]  # noqa: F821 - that is the point
    next: "Loose | None" = None


class Feature:
    """A user's own Arrow type."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)

    @classmethod
    def from_arrow(cls, table: pa.Table) -> "Feature":
        """The door back."""
        return cls(table)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Feature) and other.table.equals(self.table, check_metadata=True)

    __hash__ = None  # type: ignore[assignment]  # tables have none


@cache
def message_classes() -> list[type[msgspec.Struct]]:
    """All public structs of the packages and modules whose structs are sent, in order of name."""
    names = [*MODULES]
    for package in PACKAGES:
        folder = importlib.import_module(package).__path__
        names += [f"{package}.{found.name}" for found in pkgutil.iter_modules(folder)]
    found = {
        value
        for name in names
        for value in vars(importlib.import_module(name)).values()
        if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__module__ == name
    }
    return sorted((cls for cls in found if not cls.__name__.startswith("_")), key=lambda cls: cls.__qualname__)


integers = st.integers(-(2**70), 2**70) | st.integers(-(2**300), 2**300)
texts = st.text(max_size=8) | st.text(st.characters(categories=["Cs", "Ll"]), max_size=3)
zones = st.none() | st.just(UTC) | st.integers(-86_399, 86_399).map(lambda s: timezone(timedelta(seconds=s)))
moments = st.datetimes(timezones=zones, allow_imaginary=True)
plain_values = (
    st.none()
    | st.booleans()
    | integers
    | st.floats()
    | texts
    | st.binary(max_size=8)
    | st.decimals()
    | moments
    | st.dates()
    | st.times(timezones=zones)
    | st.timedeltas()
)
leaves = (
    plain_values
    | st.sampled_from([*Way, *Ways, Ways.NORTH | Ways.EAST, Ways(0), Price(12, 1), Rate(10**30, 10**18)])
    | st.builds(Deeper, integers, st.none() | st.sampled_from(Way), integers)
)
keys = st.none() | st.booleans() | integers | st.floats() | texts | st.binary(max_size=4) | st.decimals(allow_nan=False)


def _containers(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    hashable = keys | st.sampled_from(Way)
    return (
        st.lists(items, max_size=4)
        | st.lists(items, max_size=4).map(tuple)
        | st.dictionaries(keys, items, max_size=4)
        | st.sets(hashable, max_size=4)
        | st.frozensets(hashable, max_size=4)
        | st.builds(Spot, integers, items)
        | st.builds(Holder, st.builds(Level, integers), extra=items)
    )


any_values: st.SearchStrategy[Any] = st.recursive(leaves, _containers, max_leaves=8)
"""Values of all kinds that may be sent, nested."""


def instances(cls: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Instances of `cls` with values of its annotations."""
    hints = get_type_hints(cls)
    return st.builds(cls, **{name: values_of(hints[name]) for name in cls.__struct_fields__})


PLAIN: dict[object, st.SearchStrategy[Any]] = {
    int: integers,
    str: texts,
    float: st.floats(),
    bool: st.booleans(),
    bytes: st.binary(max_size=8),
    type(None): st.none(),
    Any: any_values,
    object: any_values,
}


def values_of(hint: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401 - any annotation
    """Values that fit an annotation. Raises `TypeError` for one that nobody thought of here."""
    if hint in PLAIN:
        return PLAIN[hint]
    if isinstance(hint, typing.NewType):
        return values_of(hint.__supertype__)
    origin, parts = get_origin(hint), [part for part in get_args(hint) if part is not Ellipsis]
    if origin in (Union, UnionType):
        return st.one_of([values_of(part) for part in parts])
    if origin is tuple and ... in get_args(hint):
        return st.lists(values_of(parts[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values_of, parts))
    if origin is list:
        return st.lists(values_of(parts[0]), max_size=3)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return st.dictionaries(values_of(parts[0]), values_of(parts[1]), max_size=3)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return instances(hint)
    raise TypeError(f"no values of {hint}")


def same(left: Any, right: Any) -> bool:  # noqa: ANN401 - any value
    """Whether both are of one type and equal, all the way down; a NaN is the same as another."""
    if type(left) is not type(right):
        return False
    if isinstance(left, msgspec.Struct):
        return all(same(getattr(left, name), getattr(right, name)) for name in left.__struct_fields__)
    if isinstance(left, dict):
        return len(left) == len(right) and all(
            same(*keys) and same(*items)
            for keys, items in zip(
                zip(left, right, strict=True), zip(left.values(), right.values(), strict=True), strict=True
            )
        )
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, set | frozenset):
        return sorted(map(repr, left)) == sorted(map(repr, right))
    if isinstance(left, pa.RecordBatch | pa.Table):
        return bool(left.equals(right, check_metadata=True))
    if isinstance(left, pa.Array | pa.ChunkedArray | Feature | Enum):
        return bool(left == right)
    if isinstance(left, datetime):
        return (left.isoformat(), left.fold) == (right.isoformat(), right.fold)
    return repr(left) == repr(right)
