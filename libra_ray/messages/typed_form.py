"""The typed form of a struct: msgpack as msgspec writes it and the struct's own class reads it.

It gives back what was sent only where the annotations say all about the values. A guard tells, message by message,
whether those fields that leave something open hold nothing that would be lost.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import Any, Final, Literal, NamedTuple, TypeAlias, Union, get_args, get_origin, get_type_hints

import msgspec

__all__ = ["Guard", "field_hints", "guard_of"]

Guard: TypeAlias = Callable[[Any], bool]
"""Whether a message may go in its typed form."""

_SCALARS: Final[frozenset[type]] = frozenset({type(None), bool, int, float, str, bytes})
_PLAIN: Final = _SCALARS | {Decimal}
_ITEM_CONTAINERS: Final = (tuple, list, set, frozenset)


class _Admitted(NamedTuple):
    """What a field may hold: values of exactly these types, some of which are looked into."""

    types: frozenset[type]
    inside: dict[type, Guard]


_OPEN: Final = _Admitted(_SCALARS, {})


def field_hints(cls: type[msgspec.Struct]) -> dict[str, Any]:
    """Annotations of the fields, in order. Raises `NameError` where one of them cannot be resolved."""
    hints = get_type_hints(cls)
    return {name: hints[name] for name in cls.__struct_fields__}


def guard_of(cls: type[msgspec.Struct]) -> Guard | None:
    """The guard of a struct; None where its annotations leave nothing open. Raises `NameError`, see `field_hints`."""
    return _guard_of(cls, {})


def _guard_of(cls: type[msgspec.Struct], known: dict[type, Guard | None]) -> Guard | None:
    if cls in known:
        return known[cls]
    fields: list[tuple[str, frozenset[type], dict[type, Guard]]] = []

    def is_typed(message: object) -> bool:
        for name, types, inside in fields:
            value = getattr(message, name)
            kind = type(value)
            if kind not in types or (kind in inside and not inside[kind](value)):
                return False
        return True

    known[cls] = is_typed  # before the fields: a struct may be made of itself
    for name, hint in field_hints(cls).items():
        admitted = _admitted(hint, known)
        if admitted is not None:
            fields.append((name, admitted.types, admitted.inside))
    if not fields:
        known[cls] = None
    return known[cls]


def _admitted(hint: Any, known: dict[type, Guard | None]) -> _Admitted | None:  # noqa: ANN401 - any annotation
    """What values of that annotation go in typed form; None where all of them do."""
    if hint in _PLAIN or get_origin(hint) is Literal:
        return None
    if hasattr(hint, "__supertype__"):  # a NewType
        return _admitted(hint.__supertype__, known)
    origin = get_origin(hint)
    parts = get_args(hint)
    if origin in (Union, UnionType):
        return _admitted_union(parts, known)
    if origin in _ITEM_CONTAINERS and parts:
        return _admitted_items(origin, parts, known)
    if origin is dict and parts and all(_admitted(part, known) is None for part in parts):
        return None
    if isinstance(hint, type) and issubclass(hint, Enum):
        return None
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        guard = _guard_of(hint, known)
        return _Admitted(frozenset({hint}), {} if guard is None else {hint: guard})
    return _OPEN


def _admitted_union(hints: Iterable[Any], known: dict[type, Guard | None]) -> _Admitted | None:
    parts = [(hint, _admitted(hint, known)) for hint in hints]
    if all(part is None for _, part in parts):
        return None
    types: set[type] = set()
    inside: dict[type, Guard] = {}
    for hint, part in parts:
        if part is not None:
            types |= part.types
            inside |= part.inside
        else:
            bare = get_origin(hint) or getattr(hint, "__supertype__", hint)
            types |= {bare} if isinstance(bare, type) else set()
    return _Admitted(frozenset(types), inside)


def _admitted_items(kind: type, hints: tuple[Any, ...], known: dict[type, Guard | None]) -> _Admitted | None:
    parts = [_admitted(hint, known) for hint in hints if hint is not Ellipsis]
    if all(part is None for part in parts):
        return None
    if len(parts) != 1:
        return _Admitted(frozenset(), {})
    part = parts[0]
    assert part is not None  # noqa: S101 - the only one, and not all are None
    types, inside = part

    def are_typed(items: Iterable[object]) -> bool:
        return all((kind := type(item)) in types and (kind not in inside or inside[kind](item)) for item in items)

    return _Admitted(frozenset({kind}), {kind: are_typed})
