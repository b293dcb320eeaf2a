"""The exact form: every value written with its own type, so that it comes back as what it was without annotations.

msgpack has numbers, text, bytes, lists and maps. All else is an extension, whose code says what it is; its data is
msgpack again. A struct is its class name and the values of its fields, and its class checks them when it is built.
Codes are part of the wire: new ones are added, old ones are never used again.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from numbers import Integral
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec
import numpy as np
from msgspec.msgpack import Ext

from libra_ray.messages.arrow_bodies import arrow_bytes, arrow_value
from libra_ray.messages.class_names import class_of, has_arrow_door, is_named_tuple, name_of
from libra_ray.messages.typed_form import field_hints

__all__ = ["culprit", "read_struct", "read_value", "write_struct", "write_value"]


class _Code:
    """Plain integers: msgspec takes no others."""

    INTEGER = 1
    TEXT = 2
    DECIMAL = 3
    DATETIME = 4
    DATE = 5
    TIME = 6
    TIMEDELTA = 7
    TUPLE = 8
    SET = 9
    FROZENSET = 10
    DICT = 11
    ENUM = 12
    NAMED_TUPLE = 13
    STRUCT = 14
    ARROW = 15


_INT_MIN, _INT_MAX = -(2**63), 2**64 - 1
_KEYS: Final = frozenset({type(None), bool, int, float, str, bytes, Decimal, datetime, date, time, timedelta})
"""Types that keys of a dict may have; the same that `check_sendable` lets pass."""
_CONTAINERS: Final = (list, tuple, set, frozenset)

_encode = msgspec.msgpack.Encoder().encode
_members: dict[tuple[type, str], Ext] = {}
"""Members of enumerations as they are written."""
_hints: dict[type, tuple[Any, ...] | None] = {}
"""Annotations of structs that msgspec cannot check for us; None where they cannot be resolved."""


def write_value(value: object) -> bytes:
    """Any sendable value. Raises `TypeError` or another error where there is something that does not encode."""
    return _encode(_plain(value))


def write_struct(message: msgspec.Struct) -> bytes:
    """The values of a struct's fields; the name of its class travels elsewhere. Raises as `write_value`."""
    return _encode(_field_values(message))


def read_value(body: Any) -> Any:  # noqa: ANN401 - any buffer, any value
    """What `write_value` was given. Raises whatever is raised by bytes that are none, and by the classes they name."""
    return _decode(body)


def read_struct(cls: type[msgspec.Struct], body: Any) -> msgspec.Struct:  # noqa: ANN401 - any buffer
    """What `write_struct` was given. Raises as `read_value`."""
    values = _decode(body)
    if not isinstance(values, list):
        raise TypeError("no list of fields")
    return _built(cls, values)


def culprit(value: object, field: str = "") -> str | None:
    """The first place inside `value` that does not encode, such as `extra['a'][1]`; None where all does."""
    inner: Iterable[tuple[str, object]] = ()
    if isinstance(value, msgspec.Struct):
        inner = ((f"{field}.{name}" if field else name, getattr(value, name)) for name in value.__struct_fields__)
    elif isinstance(value, dict):
        bad = next((key for key in value if type(key) not in _KEYS), None)
        if bad is not None:
            return f"{field}[{bad!r}]"
        inner = ((f"{field}[{key!r}]", item) for key, item in value.items())
    elif isinstance(value, _CONTAINERS):
        inner = ((f"{field}[{index}]", item) for index, item in enumerate(value))
    for place, item in inner:
        found = culprit(item, place)
        if found is not None:
            return found
    try:
        write_value(value)
    except Exception:  # noqa: BLE001 - whatever it is, this is the place
        return field or "(itself)"
    return None


# Writing


def _plain(value: Any) -> Any:  # noqa: ANN401 - any value
    """What msgpack can carry for `value`."""
    writer = _WRITERS.get(type(value))
    return _plain_of_class(value) if writer is None else writer(value)


def _itself(value: object) -> object:
    return value


def _plain_int(value: int) -> object:
    if _INT_MIN <= value <= _INT_MAX:
        return value
    return Ext(_Code.INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True))


def _plain_text(value: str) -> object:
    if value.isascii():
        return value
    data = value.encode(errors="surrogatepass")
    try:
        data.decode()
    except UnicodeDecodeError:  # half of a surrogate pair: legal in Python, no legal UTF-8
        return Ext(_Code.TEXT, data)
    return value


def _plain_dict(value: dict[Any, Any]) -> object:
    if all(type(key) is str and key.isascii() for key in value):
        return {key: _plain(item) for key, item in value.items()}
    wrong = [key for key in value if type(key) not in _KEYS]
    if wrong:
        raise TypeError(f"a key of type {type(wrong[0]).__name__}")
    return _ext(_Code.DICT, [_plain(part) for pair in value.items() for part in pair])


def _plain_set(value: Iterable[object]) -> list[object]:
    """In the order of their bytes: equal sets have equal bytes."""
    return [msgspec.Raw(item) for item in sorted(_encode(_plain(item)) for item in value)]


def _plain_enum(value: Enum) -> object:
    """By its name; a combination of flags, which has none of its own, by its value."""
    key = (type(value), value.name)
    known = _members.get(key)
    if known is None:
        name = _name(type(value))
        if value.name not in type(value).__members__:
            return _ext(_Code.ENUM, [name, None, _plain(value.value)])
        known = _members[key] = _ext(_Code.ENUM, [name, value.name])
    return known


def _field_values(message: msgspec.Struct) -> list[object]:
    return [_plain(getattr(message, name)) for name in message.__struct_fields__]


def _plain_of_class(value: Any) -> object:  # noqa: ANN401 - any value
    cls = type(value)
    if isinstance(value, Enum):
        return _plain_enum(value)
    if isinstance(value, msgspec.Struct):
        return _ext(_Code.STRUCT, [_name(cls), *_field_values(value)])
    if is_named_tuple(cls):
        return _ext(_Code.NAMED_TUPLE, [_name(cls), *map(_plain, value)])
    for base in (dict, *_CONTAINERS):
        if isinstance(value, base):
            return _WRITERS[base](value)
    # Numbers of numpy and subclasses of Python's own, which a field of a plain type may hold unnoticed
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        return _plain_int(int(value))
    if isinstance(value, float | np.floating):
        return float(value)
    if isinstance(value, str):
        return _plain_text(str(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if has_arrow_door(cls):
        return _ext(_Code.ARROW, list(arrow_bytes(value)))
    raise TypeError(f"values of type {cls.__name__} do not encode")


def _name(cls: type) -> str:
    name = name_of(cls)
    if name is None:
        raise TypeError(f"{cls.__qualname__} cannot be found by its name")
    return name


def _ext(code: int, content: object) -> Ext:
    return Ext(code, _encode(content))


_WRITERS: Final[dict[type, Callable[[Any], object]]] = {
    type(None): _itself,
    bool: _itself,
    float: _itself,
    bytes: _itself,
    int: _plain_int,
    str: _plain_text,
    Decimal: lambda value: Ext(_Code.DECIMAL, str(value).encode()),
    datetime: lambda value: _ext(_Code.DATETIME, [value.isoformat(), value.fold]),
    date: lambda value: Ext(_Code.DATE, value.isoformat().encode()),
    time: lambda value: _ext(_Code.TIME, [value.isoformat(), value.fold]),
    timedelta: lambda value: _ext(_Code.TIMEDELTA, [value.days, value.seconds, value.microseconds]),
    list: lambda value: [_plain(item) for item in value],
    tuple: lambda value: _ext(_Code.TUPLE, [_plain(item) for item in value]),
    set: lambda value: _ext(_Code.SET, _plain_set(value)),
    frozenset: lambda value: _ext(_Code.FROZENSET, _plain_set(value)),
    dict: _plain_dict,
}


# Reading


def _read_datetime(data: memoryview) -> datetime:
    text, fold = _decode(data)
    return datetime.fromisoformat(text).replace(fold=fold)


def _read_time(data: memoryview) -> time:
    text, fold = _decode(data)
    return time.fromisoformat(text).replace(fold=fold)


def _read_timedelta(data: memoryview) -> timedelta:
    days, seconds, microseconds = _decode(data)
    return timedelta(days, seconds, microseconds)


def _read_dict(data: memoryview) -> dict[Any, Any]:
    parts = _decode(data)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _read_enum(data: memoryview) -> Enum:
    name, member, *value = _decode(data)
    cls: type[Enum] = _class(name, Enum)
    return cls(*value) if member is None else cls[member]


def _read_named_tuple(data: memoryview) -> object:
    name, *values = _decode(data)
    cls: Any = _class(name, tuple)
    if not is_named_tuple(cls) or len(values) != len(cls._fields):
        raise ValueError(f"{name} has other fields")
    return cls._make(values)


def _read_struct(data: memoryview) -> msgspec.Struct:
    name, *values = _decode(data)
    return _built(_class(name, msgspec.Struct), values)


def _read_arrow(data: memoryview) -> object:
    name, body = _decode(data)
    return arrow_value(name, body)


_READERS: Final[dict[int, Callable[[memoryview], object]]] = {
    _Code.INTEGER: lambda data: int.from_bytes(data, "little", signed=True),
    _Code.TEXT: lambda data: bytes(data).decode(errors="surrogatepass"),
    _Code.DECIMAL: lambda data: Decimal(bytes(data).decode()),
    _Code.DATETIME: _read_datetime,
    _Code.DATE: lambda data: date.fromisoformat(bytes(data).decode()),
    _Code.TIME: _read_time,
    _Code.TIMEDELTA: _read_timedelta,
    _Code.TUPLE: lambda data: tuple(_decode(data)),
    _Code.SET: lambda data: set(_decode(data)),
    _Code.FROZENSET: lambda data: frozenset(_decode(data)),
    _Code.DICT: _read_dict,
    _Code.ENUM: _read_enum,
    _Code.NAMED_TUPLE: _read_named_tuple,
    _Code.STRUCT: _read_struct,
    _Code.ARROW: _read_arrow,
}


def _read_ext(code: int, data: memoryview) -> object:
    return _READERS[code](data)


_decode: Callable[[Any], Any] = msgspec.msgpack.Decoder(ext_hook=_read_ext).decode


def _class(name: str, base: Any) -> Any:  # noqa: ANN401 - a class, known at run time
    found = class_of(name)
    if found is None or not issubclass(found, base):
        raise ValueError(f"no {base.__name__} named {name!r} is loaded here")
    return found


def _built(cls: type[msgspec.Struct], values: list[Any]) -> msgspec.Struct:
    """A struct of these values, each of which fits its annotation."""
    if len(values) != len(cls.__struct_fields__):
        raise ValueError(f"{len(values)} fields, {cls.__name__} has {len(cls.__struct_fields__)}")
    if cls not in _hints:
        try:
            return _converted(cls, values)
        except msgspec.ValidationError:  # it wants exactly the annotated class, where a subclass will do
            pass
        except (TypeError, NameError):  # annotations it cannot read, such as a union of two kinds of text
            _hints[cls] = _hints_of(cls)
    hints = _hints_of(cls) if cls not in _hints else _hints[cls]
    if hints is not None and not all(map(_fits, values, hints)):
        wrong = next(
            name
            for name, value, hint in zip(cls.__struct_fields__, values, hints, strict=True)
            if not _fits(value, hint)
        )
        raise ValueError(f"field {wrong} of {cls.__name__} is of another type")
    return cls(**dict(zip(cls.__struct_fields__, values, strict=True)))


def _converted(cls: type[msgspec.Struct], values: list[Any]) -> msgspec.Struct:
    tag = cls.__struct_config__.tag
    if cls.__struct_config__.array_like:
        return msgspec.convert(values if tag is None else [tag, *values], cls)
    return msgspec.convert(dict(zip(cls.__struct_encode_fields__, values, strict=True)), cls)


def _hints_of(cls: type[msgspec.Struct]) -> tuple[Any, ...] | None:
    try:
        return tuple(field_hints(cls).values())
    except NameError:
        return None


def _fits(value: Any, hint: Any) -> bool:  # noqa: ANN401 - any value, any annotation
    """Whether `value` is what the annotation says; of an annotation that is not known here, True."""
    if hint is Any:
        return True
    if isinstance(hint, type) and get_origin(hint) is None:
        return isinstance(value, int | float if hint is float else hint)
    if hasattr(hint, "__supertype__"):
        return _fits(value, hint.__supertype__)
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is Annotated:
        return _fits(value, parts[0])
    if origin is Literal:
        return value in parts
    if not isinstance(origin, type):
        return True
    if not isinstance(value, origin):
        return False
    items: Any = value
    if isinstance(value, Mapping):
        return all(_fits(key, parts[0]) and _fits(item, parts[1]) for key, item in items.items())
    if origin is tuple and Ellipsis not in parts:
        return len(items) == len(parts) and all(map(_fits, items, parts))
    return not isinstance(value, _CONTAINERS) or all(_fits(item, parts[0]) for item in items)
