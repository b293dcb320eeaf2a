"""What may cross an inbox: msgspec structs, plain values and containers of them, Arrow data.

Inside a host a message is passed by reference and never encoded, yet the rule is the same as between hosts, so that an
actor that works fused also works apart.
"""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from numbers import Integral
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec
import numpy as np

from libra_ray.errors import UnsendableError

__all__ = ["check_sendable"]

_PLAIN: Final = frozenset(
    {type(None), bool, int, float, str, bytes, Decimal, datetime, date, time, timedelta},
)
_ALIKE: Final = (Integral, float, np.floating, np.bool_, str, bytes, bytearray, memoryview)
"""Numbers of numpy and other kin of plain values: they encode, and arrive as the plain values they equal."""
_ARROW_DOORS: Final = ("__arrow_c_array__", "__arrow_c_stream__")
_TRUSTED: Final = ("libra_ray.messages.", "libra_ray.model.")
"""Where the library itself fills the fields: Python does not hold anybody else to their annotations."""

_closed: set[type] = set(_PLAIN)
"""Types whose every value encodes, found by their annotations once. It grows with the message types there are."""


def check_sendable(message: object) -> None:
    """Raise `UnsendableError`, naming type and field, when `message` cannot be encoded.

    One set lookup for messages of the library whose annotations promise it; all others are walked.
    """
    if type(message) in _closed:
        return
    type_name = type(message).__name__
    try:
        _walk(message, type_name, "")
    except RecursionError:  # it holds itself
        raise UnsendableError(type_name, "(itself)") from None


def _walk(value: object, type_name: str, field: str) -> None:
    kind = type(value)
    if kind in _closed or isinstance(value, Enum):
        return
    if isinstance(value, msgspec.Struct):
        if kind.__module__.startswith(_TRUSTED) and _is_closed(kind, frozenset()):
            _closed.add(kind)
            return
        for name in value.__struct_fields__:
            item = getattr(value, name)
            if type(item) not in _closed:
                _walk(item, type_name, f"{field}.{name}" if field else name)
    elif isinstance(value, dict):
        for key, item in value.items():
            inner = f"{field}[{key!r}]"
            if type(key) not in _PLAIN:
                raise UnsendableError(type_name, inner)
            _walk(item, type_name, inner)
    elif isinstance(value, list | tuple | frozenset | set):
        for index, item in enumerate(value):
            _walk(item, type_name, f"{field}[{index}]")
    elif not isinstance(value, _ALIKE) and not any(hasattr(kind, door) for door in _ARROW_DOORS):
        raise UnsendableError(type_name, field or "(itself)")


def _is_closed(annotation: Any, above: frozenset[type]) -> bool:  # noqa: ANN401 - annotations are of any type
    """The annotation admits nothing that would not encode. `above` are the structs being looked at, for cycles."""
    if annotation in _PLAIN or annotation in above:
        return True
    origin = get_origin(annotation)
    if origin is not None:
        inner = [argument for argument in get_args(annotation) if argument is not Ellipsis]
        return (origin in (tuple, frozenset, Union) or _is_union(origin)) and all(_is_closed(a, above) for a in inner)
    if hasattr(annotation, "__supertype__"):  # a NewType
        return _is_closed(annotation.__supertype__, above)
    if not isinstance(annotation, type):
        return False
    if issubclass(annotation, Enum):
        return True
    if not issubclass(annotation, msgspec.Struct):
        return False
    try:
        hints = get_type_hints(annotation)
    except NameError:  # annotations that cannot be resolved promise nothing; the values are walked instead
        return False
    return all(_is_closed(hints[name], above | {annotation}) for name in annotation.__struct_fields__)


def _is_union(origin: object) -> bool:
    return getattr(origin, "__name__", "") == "UnionType"
