"""The codec: every message as (type name, bytes) and back, exactly. Nothing is pickled, and decoding imports nothing.

A struct whose annotations say all about its values goes as msgpack that its own class writes, reads and checks
(`typed_form`). What annotations leave open (`Any`, a subclass in place of its base, integers beyond 64 bits) goes a
slower way behind a mark that msgpack never begins with: each value with its own type (`exact_form`). Arrow data is an
Arrow IPC stream (`arrow_bodies`). The receiver needs the classes: the library's go by their short names, all others by
`module:qualname`, and must be loaded there already.
"""

from collections.abc import Callable
from enum import Enum
from types import ModuleType
from typing import Final, TypeAlias

import msgspec

from libra_ray.errors import LibraError, UnsendableError, printable
from libra_ray.messages import commands, events, queries, rows
from libra_ray.messages.arrow_bodies import arrow_bytes, arrow_value, is_arrow_name
from libra_ray.messages.class_names import class_of, has_arrow_door, name_of, register
from libra_ray.messages.exact_form import culprit, read_struct, read_value, write_struct, write_value
from libra_ray.messages.typed_form import Guard, guard_of
from libra_ray.model import enums, instruments, numbers, orders

__all__ = ["MESSAGE_BYTES_MAX", "VALUE_TYPE", "Buffer", "DecodeError", "decode", "encode", "register"]

MESSAGE_BYTES_MAX: Final = 1 << 20
"""The longest body that is decoded."""
VALUE_TYPE: Final = "value"
"""The type name of everything that is neither a struct nor Arrow data: numbers, text, tuples, dicts, enumerations."""

Buffer: TypeAlias = bytes | bytearray | memoryview

_EXACT: Final = 0xC1
"""The first byte of a struct in exact form: the one that msgpack never uses."""
_EXACT_MARK: Final = bytes([_EXACT])
_REASON_CHARS_MAX: Final = 200


class DecodeError(LibraError):
    """Bytes that are no message of the type they are said to be; the receiver makes a dead letter of them."""

    def __init__(self, type_name: str, reason: str) -> None:
        super().__init__(type_name, reason)
        self.type_name, self.reason = type_name, reason

    @property
    def message(self) -> str:
        """Which type, and why."""
        return f"BUG000 a body of type '{self.type_name}' does not decode: {self.reason}."


class _StructForm:
    """How one class of structs is written and read. `guard` None and `read_typed`: always in typed form."""

    __slots__ = ("cls", "guard", "name", "read_typed")

    def __init__(self, cls: type[msgspec.Struct]) -> None:
        self.cls = cls
        self.name = name_of(cls)
        self.guard: Guard | None = _never
        self.read_typed: Callable[[Buffer], object] | None = None
        try:
            self.guard = guard_of(cls)
            self.read_typed = msgspec.msgpack.Decoder(cls, ext_hook=_refuse).decode
        except (TypeError, NameError):  # annotations that msgspec cannot read
            self.guard = _never

    def read(self, body: Buffer) -> object:
        """Raises whatever bytes raise that are no such struct."""
        if body[0] == _EXACT:
            return read_struct(self.cls, memoryview(body)[1:])
        if self.read_typed is None:
            raise ValueError("it is always written in exact form")
        return self.read_typed(body)


def _refuse(code: int, _data: memoryview) -> object:
    """The typed form has no extensions."""
    raise ValueError(f"an extension of code {code}")


def _never(_message: object) -> bool:
    return False


_write_typed = msgspec.msgpack.Encoder().encode
_forms: dict[type, _StructForm] = {}


def encode(message: object) -> tuple[str, bytes]:
    """Type name and body of `message`. Raises `UnsendableError`, naming type and field, where it does not encode."""
    form = _forms.get(type(message))
    if form is None:
        if not isinstance(message, msgspec.Struct):
            return _encode_other(message)
        form = _form_of(type(message))
    name, guard = form.name, form.guard
    if name is None:
        raise UnsendableError(type(message).__name__, "(its class)")
    if guard is None or guard(message):
        try:
            return name, _write_typed(message)
        except (
            TypeError,
            ValueError,
            OverflowError,
        ):  # an integer beyond 64 bits, a number of numpy, half a surrogate pair
            pass
    try:
        return name, _EXACT_MARK + write_struct(message)  # type: ignore[arg-type]  # only structs have a form
    except Exception as error:
        raise _unsendable(message) from error


def decode(type_name: str, body: Buffer) -> object:
    """What was encoded. Raises `DecodeError`, and nothing else, for whatever is no such message.

    Arrow data lies in the memory of `body`, which must not be written to afterwards.
    """
    if len(body) > MESSAGE_BYTES_MAX:
        raise DecodeError(_shown(type_name), f"{len(body):,} bytes are more than {MESSAGE_BYTES_MAX:,}")
    try:
        cls = class_of(type_name)
        if cls is not None:
            form = _forms.get(cls) or (_form_of(cls) if issubclass(cls, msgspec.Struct) else None)
            return arrow_value(type_name, body) if form is None else form.read(body)
        if type_name == VALUE_TYPE:
            return read_value(body)
        if is_arrow_name(type_name):
            return arrow_value(type_name, body)
    except Exception as error:  # a class of a user may raise anything when it is built
        reason = printable(error)[:_REASON_CHARS_MAX] or type(error).__name__
        raise DecodeError(_shown(type_name), reason) from error
    raise DecodeError(_shown(type_name), "no such type is loaded here")


def _form_of(cls: type[msgspec.Struct]) -> _StructForm:
    form = _forms[cls] = _StructForm(cls)
    return form


def _encode_other(message: object) -> tuple[str, bytes]:
    try:
        if has_arrow_door(type(message)) and not isinstance(message, Enum | list | tuple | dict | set | frozenset):
            return arrow_bytes(message)
        return VALUE_TYPE, write_value(message)
    except Exception as error:  # whatever a door of a user raises
        raise _unsendable(message) from error


def _unsendable(message: object) -> UnsendableError:
    try:
        field = culprit(message)
    except RecursionError:  # it holds itself
        field = None
    return UnsendableError(type(message).__name__, field or "(itself)")


def _shown(type_name: str) -> str:
    return printable(type_name)[:_REASON_CHARS_MAX]


def _register_all(*modules: ModuleType) -> None:
    for module in modules:
        for found in vars(module).values():
            if (
                isinstance(found, type)
                and issubclass(found, msgspec.Struct | Enum)
                and found.__module__ == module.__name__
            ):
                register(found)


_register_all(commands, events, queries, rows, enums, instruments, numbers, orders)
