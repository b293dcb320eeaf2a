"""Frames: what is packed is unpacked, the bytes are fixed, and whatever else comes is refused with its reason."""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from libra_ray.bus.wire.frames import (
    BODY_BYTES_MAX,
    HEADER_BYTES_MAX,
    VERSION,
    Frame,
    FrameError,
    FrameFault,
    Kind,
    pack,
    unpack,
)
from libra_ray.runtime import Lane

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
counts = st.integers(0, 2**63 - 1)
numbers = st.integers(-(2**63), 2**64 - 1)
frames = st.builds(
    Frame,
    version=st.just(VERSION),
    kind=st.sampled_from(Kind).map(int),
    source=names,
    epoch=counts,
    lane=st.sampled_from(Lane).map(int),
    destination=names,
    seq=counts,
    ts_ns=numbers,
    type=names,
    origin=names,
    extra=numbers,
)
ORDER = Frame(
    VERSION, Kind.SEND, "A-1", 3, Lane.ORDERS, "ExecEngine.execute", 7, 1_700_000_000_000_000_000, "SubmitOrder"
)


@given(frames, st.binary(max_size=100))
def test_a_frame_comes_back_as_it_was(frame: Frame, body: bytes) -> None:
    header, sent = pack(frame, body)
    arrived, view = unpack((memoryview(header), bytearray(sent)))

    assert arrived == frame
    assert bytes(view) == body


def test_a_body_is_not_copied() -> None:
    body = bytearray(b"x" * 100)
    _, sent = pack(ORDER, body)
    _, view = unpack((pack(ORDER)[0], sent))
    body[0] = 0

    assert view[0] == 0


@pytest.mark.parametrize(
    ("frame", "header"),
    [
        (
            ORDER,
            b"\x9b\x01\x08\xa3A-1\x03\x02\xb2ExecEngine.execute\x07\xcf\x17\x97\x9c\xfe\x36\x2a\x00\x00\xabSubmitOrder\xa0\x00",
        ),
        (
            Frame(1, Kind.HELLO, "bus", 1, 0, "", 0, 0, "value"),
            b"\x9b\x01\x01\xa3bus\x01\x00\xa0\x00\x00\xa5value\xa0\x00",
        ),
        (
            Frame(1, Kind.BATCH, "d", 2**40, 4, "data.quotes.SIM.X", 1, -1, "segment", "Feed", 5),
            b"\x9b\x01\x0c\xa1d\xcf\x00\x00\x01\x00\x00\x00\x00\x00\x04\xb1data.quotes.SIM.X\x01\xff\xa7segment\xa4Feed\x05",
        ),
    ],
    ids=["order", "hello", "batch"],
)
def test_golden_bytes(frame: Frame, header: bytes) -> None:
    """The form on the wire: who changes it changes `VERSION`."""
    assert pack(frame, b"body") == (header, b"body")
    arrived, body = unpack((header, b"body"))
    assert (arrived, bytes(body)) == (frame, b"body")


def test_the_numbers_of_kinds_and_lanes_stay() -> None:
    assert [(kind.name, kind.value) for kind in Kind] == [
        ("HELLO", 1), ("WELCOME", 2), ("ACK", 3), ("HEARTBEAT", 4), ("TABLE", 5), ("COMMAND", 6), ("ANSWER", 7),
        ("SEND", 8), ("PUBLISH", 9), ("REQUEST", 10), ("REPLY", 11), ("BATCH", 12), ("SNAPSHOT", 13), ("RELEASE", 14),
        ("CREDIT", 15), ("GOODBYE", 16), ("SUBSCRIBE", 17), ("DEAD", 18),
    ]  # fmt: skip
    assert [int(lane) for lane in Lane] == [0, 1, 2, 3, 4]


def header(*changes: tuple[int, object]) -> bytes:
    """The header of `ORDER` with some items changed; an index past the end adds one."""
    items: list[object] = list(msgspec.structs.astuple(ORDER))
    for index, value in changes:
        items[index : index + 1] = [value]
    return msgspec.msgpack.encode(items)


@pytest.mark.parametrize(
    ("head", "body", "reason", "detail"),
    [
        (b"", b"", FrameFault.BAD_FRAME, "Input data was truncated"),
        (header() + b"\0", b"", FrameFault.BAD_FRAME, "MessagePack data is malformed: trailing characters (byte 52)"),
        (header((11, "more")), b"", FrameFault.BAD_FRAME, "Expected `array` of at most length 11, got 12"),
        (header((1, 0)), b"", FrameFault.BAD_FRAME, "Expected `int` >= 1 - at `$[1]`"),
        (header((1, 19)), b"", FrameFault.BAD_FRAME, "Expected `int` <= 18 - at `$[1]`"),
        (header((4, 5)), b"", FrameFault.BAD_FRAME, "Expected `int` <= 4 - at `$[4]`"),
        (header((6, -1)), b"", FrameFault.BAD_FRAME, "Expected `int` >= 0 - at `$[6]`"),
        (header((2, 7)), b"", FrameFault.BAD_FRAME, "Expected `str`, got `int` - at `$[2]`"),
        (header((0, "1")), b"", FrameFault.BAD_FRAME, "Expected `int`, got `str` - at `$[0]`"),
        (header((0, 2)), b"", FrameFault.BAD_VERSION, "version 2, this host speaks 1"),
        (header((0, 0)), b"", FrameFault.BAD_VERSION, "version 0, this host speaks 1"),
        (b"\x93\x07\x80\xa1x", b"", FrameFault.BAD_VERSION, "version 7, this host speaks 1"),
        (b"\0" * (HEADER_BYTES_MAX + 1), b"", FrameFault.TOO_LONG, "a header of 4,097 and a body of 0 bytes"),
        (header(), b"\0" * (BODY_BYTES_MAX + 1), FrameFault.TOO_LONG, "a header of 52 and a body of 1,048,577 bytes"),
    ],
)  # fmt: skip
def test_what_is_no_frame_is_refused_with_its_reason(head: bytes, body: bytes, reason: FrameFault, detail: str) -> None:
    with pytest.raises(FrameError) as caught:
        unpack((head, body))
    assert (caught.value.reason, caught.value.detail) == (reason, detail)
    assert str(caught.value) == f"BUG000 frame {reason}: {detail}."


def checked(head: bytes) -> None:
    """A frame or a `FrameError`; anything else is a failure."""
    try:
        frame, _ = unpack((head, b""))
    except FrameError as error:
        assert "\n" not in str(error)  # noqa: PT017 - the only error there may be, of one line
    else:
        assert pack(frame)


@given(st.binary(max_size=60))
@example(b"\x91" * HEADER_BYTES_MAX)
@example(b"\xdd\xff\xff\xff\xff")
@example(b"\xdf\xff\xff\xff\xff")
@example(b"\x9b\x01\x08\xa1\xff")
@example(b"\xc1")
def test_arbitrary_bytes(head: bytes) -> None:
    checked(head)


@given(frames, st.data())
def test_frames_with_some_bytes_changed(frame: Frame, data: st.DataObject) -> None:
    draft = bytearray(pack(frame)[0])
    for _ in range(data.draw(st.integers(1, 4))):
        draft[data.draw(st.integers(0, len(draft) - 1))] = data.draw(st.integers(0, 255))
    checked(bytes(draft[: data.draw(st.integers(0, len(draft)))]))
    checked(bytes(draft))


trees = st.recursive(
    st.none() | numbers | st.text(max_size=3) | st.floats() | st.binary(max_size=3),
    lambda items: st.lists(items, max_size=12) | st.dictionaries(st.text(max_size=2), items, max_size=3),
)


@given(trees)
def test_well_formed_msgpack_that_means_nothing(tree: object) -> None:
    checked(msgspec.msgpack.encode(tree))


@pytest.mark.parametrize(
    ("changes", "body", "reason"),
    [
        ({}, b"\0" * (BODY_BYTES_MAX + 1), FrameFault.TOO_LONG),
        ({"destination": "x" * HEADER_BYTES_MAX}, b"", FrameFault.TOO_LONG),
        ({"extra": 2**64}, b"", FrameFault.BAD_FRAME),
        ({"origin": "\ud800"}, b"", FrameFault.BAD_FRAME),
    ],
)
def test_what_a_receiver_would_refuse_is_not_packed(
    changes: dict[str, object], body: bytes, reason: FrameFault
) -> None:
    with pytest.raises(FrameError) as caught:
        pack(msgspec.structs.replace(ORDER, **changes), body)
    assert caught.value.reason is reason
