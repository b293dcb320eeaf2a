"""What does not encode cannot be sent, and the error names the field."""

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from libra_ray.bus import Request
from libra_ray.errors import UnsendableError
from libra_ray.runtime import Actor, LocalHost, Signal, check_sendable


class Side(StrEnum):
    """An enumeration."""

    BUY = "BUY"


class Level(msgspec.Struct, frozen=True):
    """Its annotations promise that it encodes."""

    px_raw: int
    side: Side


class Note(msgspec.Struct, frozen=True):
    """Open: `extra` may be anything."""

    levels: tuple[Level, ...]
    extra: object


class Tree(msgspec.Struct, frozen=True):
    """Made of itself."""

    children: "tuple[Tree, ...]"
    weight: float | None


@pytest.mark.parametrize(
    "message",
    [
        None,
        7,
        "text",
        Decimal("1.5"),
        [1, {"a": (2.5, b"x")}],
        Side.BUY,
        Level(1, Side.BUY),
        Note((Level(1, Side.BUY),), {"a": [1]}),
        Tree((Tree((), 1.0),), None),
        Signal("x", 1.5, 3, "A-1"),
        Signal("x", np.float64(1.5), 3, "A-1"),
        [np.int64(3), np.float32(0.5), bytearray(b"x"), memoryview(b"y")],
        pa.table({"px": [1]}),
        pa.record_batch({"px": [1]}),
    ],
)
def test_plain_values_structs_and_arrow_can_be_sent(message: object) -> None:
    check_sendable(message)
    check_sendable(message)  # the second time by the type alone


@pytest.mark.parametrize(
    ("message", "type_name", "field"),
    [
        (object(), "object", "(itself)"),
        (Note((), object()), "Note", "extra"),
        (Note((), {"a": [1, print]}), "Note", "extra['a'][1]"),
        ({(1, 2): 3}, "dict", "[(1, 2)]"),
        ([1, [Actor]], "list", "[1][0]"),
        (Level(object(), Side.BUY), "Level", "px_raw"),  # type: ignore[arg-type] # nobody holds it to its annotation
        (Tree((Tree((), object()),), None), "Tree", "children[0].weight"),  # type: ignore[arg-type]
        (Signal("x", object(), 3, "A-1"), "Signal", "value"),  # type: ignore[arg-type]
        (np.arange(2), "ndarray", "(itself)"),
    ],
)
def test_what_does_not_encode_is_named_by_type_and_field(message: object, type_name: str, field: str) -> None:
    with pytest.raises(UnsendableError) as caught:
        check_sendable(message)
    assert (caught.value.type_name, caught.value.field) == (type_name, field)


def test_what_holds_itself_does_not_encode() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(UnsendableError) as caught:
        check_sendable(endless)
    assert (caught.value.type_name, caught.value.field) == ("list", "(itself)")


@pytest.mark.parametrize(
    "way",
    [
        lambda actor: actor.publish("words", object()),
        lambda actor: actor.publish_signal("word", object()),
        lambda actor: actor.send("Kernel.command", object()),
        lambda actor: actor.request("Kernel.command", object(), 5),
        lambda actor: actor.reply(Request(1, "Kernel.command", None, "A-1", 0, 5), object()),
    ],
    ids=["publish", "publish_signal", "send", "request", "reply"],
)
def test_the_sender_learns_it_at_once_and_nothing_is_staged(host: LocalHost, way: Callable[[Actor], object]) -> None:
    actor = Actor()
    host.add(actor)
    with pytest.raises(UnsendableError):
        way(actor)
    assert host.staged == []
