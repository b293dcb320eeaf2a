"""What an actor did in one turn, as text that crosses processes: calls of its own interface, in order.

An order that the kernel knows crosses by its id, any other whole. A callback crosses as its number, which both sides
give in the same order.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from libra_ray.errors import StrategyError
from libra_ray.messages.codec import decode, encode
from libra_ray.model.numbers import Price, Quantity, Rate
from libra_ray.model.orders import Order

__all__ = [
    "Asked",
    "Call",
    "Callback",
    "CallbackBook",
    "LockstepBroken",
    "Raised",
    "Turn",
    "packed_arguments",
    "read_turn",
    "unpacked_arguments",
]

_PLAIN: Final = (type(None), bool, str, float)
_NUMBERS: Final = (Price, Quantity, Rate)
_INT64: Final = range(-(2**63), 2**63)


class LockstepBroken(BaseException):
    """Hosts do not agree, or one is gone. It is no `Exception`, so that nobody lays it to an actor's charge."""


class Raised(msgspec.Struct, array_like=True, frozen=True):
    """What ended a turn instead of its return: the facts of the error, as the actor's own host would tell them."""

    hook: str
    place: str | None
    text: str
    code: str
    fix: str
    value: str | None

    def error(self, actor_id: str) -> StrategyError:
        """The error as another host raises it in the actor's place."""
        if self.code:
            return StrategyError(self.code, self.place, self.text, self.fix, self.value)
        return StrategyError("STRAT001", self.place, f"{actor_id} {self.hook} raised {self.text}", "", self.value)


class Turn(msgspec.Struct, array_like=True, frozen=True):
    """What an actor did in its turn `number`: `calls`, as msgpack. All turns before it that are not told did nothing.

    Without calls and without an error it is a promise: nothing up to and including this turn.
    """

    actor_id: str
    number: int
    calls: bytes = b""
    raised: Raised | None = None

    @property
    def is_promise(self) -> bool:
        """Whether it only says that nothing happened."""
        return not self.calls and self.raised is None


class Call(NamedTuple):
    """A call of the actor's interface. `fresh` are ids of orders among its arguments that the kernel did not know."""

    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    fresh: frozenset[str]


class Callback:
    """A function that an actor gave to the bus or its clock. Two of one number are equal, so twice counts once."""

    __slots__ = ("actor_id", "call", "number")

    def __init__(self, actor_id: str, number: int, call: Callable[..., object]) -> None:
        self.actor_id, self.number, self.call = actor_id, number, call

    def __call__(self, *args: object) -> object:
        return self.call(*args)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Callback) and (other.actor_id, other.number) == (self.actor_id, self.number)

    def __hash__(self) -> int:
        return hash((self.actor_id, self.number))


class CallbackBook:
    """The callbacks of one actor, by number."""

    def __init__(self, actor_id: str) -> None:
        self._actor_id = actor_id
        self._numbers: dict[Callable[..., object], int] = {}
        self._made: dict[int, Callback] = {}

    def of(self, function: Callable[..., object], wrap: Callable[..., Callable[..., object]]) -> Callback:
        """The callback of a function, made by `wrap` when it is seen first."""
        if isinstance(function, Callback):
            return function
        number = self._numbers.setdefault(function, len(self._numbers))
        return self.numbered(number, lambda: wrap(function))

    def numbered(self, number: int, make: Callable[[], Callable[..., object]]) -> Callback:
        """The callback of a number, made when it is seen first."""
        made = self._made.get(number)
        if made is None:
            made = self._made[number] = Callback(self._actor_id, number, make())
        return made


def packed_arguments(calls: Sequence[Call]) -> bytes:
    """The calls of a turn as msgpack, when the turn is over: an order that was changed after its call goes as it is."""
    return msgspec.msgpack.encode(
        [
            (
                call.name,
                [_packed(value, call.fresh) for value in call.args],
                {key: _packed(value, call.fresh) for key, value in call.kwargs.items()},
            )
            for call in calls
        ]
    )


def unpacked_arguments(
    calls: bytes, order_of: Callable[[Order], Order], known: Mapping[str, Order], callback: Callable[[int], Callback]
) -> Iterator[tuple[str, list[Any], dict[str, Any]]]:
    """The calls of a turn as (name, args, kwargs), each unpacked after the one before was made, which it may rest on.

    `order_of` gives this process's object of an order that came whole; `known` are those that come by their id.
    """

    def unpacked(item: list[Any]) -> Any:  # noqa: ANN401 - whatever an argument is
        kind, *rest = item
        if kind == "o":
            return known[rest[0]]
        if kind == "O":
            return order_of(decode(rest[0], rest[1]))  # type: ignore[arg-type]  # an order was encoded
        if kind == "c":
            return callback(rest[0])
        if kind == "r":
            return Asked(rest[0])
        if kind == "t":
            return tuple(unpacked(each) for each in rest[0])
        return rest[0] if kind == "p" else decode(rest[0], rest[1])

    for name, args, kwargs in msgspec.msgpack.decode(calls) if calls else ():
        yield name, [unpacked(each) for each in args], {key: unpacked(each) for key, each in kwargs.items()}


def read_turn(body: bytes) -> Turn:
    """A turn from the wire. Raises `LockstepBroken` for bytes that are none."""
    try:
        return _DECODER.decode(body)
    except msgspec.DecodeError as error:
        raise LockstepBroken(f"a message does not decode: {error}") from error


class Asked(NamedTuple):
    """A request, as far as its reply needs it."""

    correlation_id: int


_DECODER = msgspec.msgpack.Decoder(Turn)


def _packed(value: Any, fresh: frozenset[str]) -> list[Any]:  # noqa: ANN401 - whatever an argument is
    if isinstance(value, Order):
        return ["O", *encode(value)] if value.client_order_id in fresh else ["o", value.client_order_id]
    if isinstance(value, Callback):
        return ["c", value.number]
    if isinstance(value, tuple | list) and any(isinstance(each, Order) for each in value):
        return ["t", [_packed(each, fresh) for each in value]]
    if isinstance(value, _NUMBERS):
        return ["p", str(value)]
    if type(value) in _PLAIN or (type(value) is int and value in _INT64):
        return ["p", value]
    if isinstance(value, Asked):
        return ["r", value.correlation_id]
    return ["v", *encode(value)]
