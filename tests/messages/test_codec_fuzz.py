"""Whatever bytes come: a value or a `DecodeError`, soon, and in bounded memory."""

import resource
import struct
import tracemalloc

import msgspec
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.msgpack import Ext

from libra_ray.messages.codec import MESSAGE_BYTES_MAX, DecodeError, decode, encode
from tests.messages.message_values import Feature, Holder, Level, Spot, any_values, instances, message_classes

ARROW_NAMES = ["arrow.batch", "arrow.table", "arrow.array", "arrow.chunks"]
USER_NAMES = [f"{cls.__module__}:{cls.__qualname__}" for cls in (Feature, Holder, Level, Spot)]
NAMES = ["value", *ARROW_NAMES, *USER_NAMES, *(cls.__name__ for cls in message_classes())]
CODES = range(-1, 18)

type_names = st.sampled_from(NAMES)


def read(type_name: str, body: bytes) -> None:
    """Decode; anything but a value or a `DecodeError` is a failure."""
    try:
        value = decode(type_name, body)
    except DecodeError as error:
        assert "\n" not in str(error)  # noqa: PT017 - the only error there may be, of one line
    else:
        if isinstance(value, pa.RecordBatch | pa.Table):
            repr(value)  # its names and values can be looked at
        encode(value)  # and all of them can be sent on


@given(type_names | st.text(), st.binary(max_size=200))
def test_arbitrary_bytes(type_name: str, body: bytes) -> None:
    read(type_name, body)
    read(type_name, b"\xc1" + body)


def packed(items: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Lists, maps, and extensions of every code with such content."""
    return (
        st.lists(items, max_size=4)
        | st.dictionaries(st.text(max_size=3), items, max_size=3)
        | st.builds(lambda code, item: Ext(code, msgspec.msgpack.encode(item)), st.sampled_from(CODES), items)
        | st.builds(Ext, st.sampled_from(CODES), st.binary(max_size=12))
    )


names = st.sampled_from([*NAMES, "libra_ray.model.enums:OrderSide", "OrderSide", "UP"])
trees = st.recursive(st.none() | st.booleans() | st.integers(-5, 2**63) | st.floats() | st.binary() | names, packed)


@given(type_name=type_names, tree=trees, exact=st.booleans())
@example(type_name="value", tree=Ext(9, msgspec.msgpack.encode([[1]])), exact=False)
@example(type_name="value", tree=Ext(11, msgspec.msgpack.encode([[1], 2])), exact=False)
@example(type_name="value", tree=Ext(11, msgspec.msgpack.encode([1])), exact=False)
@example(type_name="value", tree=Ext(14, msgspec.msgpack.encode(["value"])), exact=False)
@example(type_name="value", tree=Ext(3, b"1e99999999999999999999"), exact=False)
def test_well_formed_msgpack_that_means_nothing(type_name: str, tree: object, *, exact: bool) -> None:
    body = msgspec.msgpack.encode(tree)

    read(type_name, b"\xc1" + body if exact else body)


@pytest.mark.slow
@given(data=st.data())
def test_messages_with_some_bytes_changed(data: st.DataObject) -> None:
    cls = data.draw(st.sampled_from(message_classes()))
    type_name, body = encode(data.draw(any_values | instances(cls)))

    read(type_name, changed(data, body))


ARROW_VALUES = [
    pa.record_batch({"px": [1, 2, 3], "name": ["a", None, "ccc"]}),
    pa.table({"list": [[1, 2], [3]], "d": pa.array(["a", "b"]).dictionary_encode()}),
    pa.array([{"a": "x", "b": 1.5}]),
    Feature(pa.table({"f": [0.5]})),
]


@pytest.mark.slow
@settings(max_examples=300)
@given(data=st.data(), value=st.sampled_from(ARROW_VALUES))
def test_arrow_data_with_some_bytes_changed(data: st.DataObject, value: object) -> None:
    type_name, body = encode(value)

    read(type_name, changed(data, body))


def changed(data: st.DataObject, body: bytes) -> bytes:
    """`body` with a few bytes set to others, and cut."""
    draft = bytearray(body)
    for _ in range(data.draw(st.integers(1, 4))):
        if draft:
            draft[data.draw(st.integers(0, len(draft) - 1))] = data.draw(st.integers(0, 255))
    return bytes(draft[: data.draw(st.integers(0, len(draft)) | st.just(len(draft)))])


def nested(depth: int, code: int) -> bytes:
    """An extension in an extension, `depth` times."""
    body = b"\xc0"
    for _ in range(depth):
        body = b"\xc9" + struct.pack(">I", len(body) + 1) + bytes([code, 0x91]) + body
    return body


@pytest.mark.parametrize(
    "body",
    [
        b"\x91" * MESSAGE_BYTES_MAX,
        b"\x81\xc0" * (MESSAGE_BYTES_MAX // 2),
        *(nested(20_000, code) for code in (8, 9, 11, 14, 15)),
    ],
    ids=["lists", "maps", "tuples", "sets", "dicts", "structs", "arrow"],
)
def test_what_is_nested_without_end_is_refused(body: bytes) -> None:
    for type_name in ("value", "Request", "OrderFilled"):
        for prefix in (b"", b"\xc1"):
            with pytest.raises(DecodeError):
                decode(type_name, (prefix + body)[:MESSAGE_BYTES_MAX])


@pytest.mark.parametrize(
    "head", [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff"]
)
def test_a_length_that_is_not_there_takes_no_memory(head: bytes) -> None:
    tracemalloc.start()
    try:
        for type_name in ("value", "OrderFilled", "StreamsAnswer", "SubmitOrderList"):
            for body in (head, b"\xc1" + head, head + b"\x00" * 100):
                with pytest.raises(DecodeError):
                    decode(type_name, body)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_the_most_expensive_body_takes_two_hundred_times_its_size_at_most() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for item in (b"\x90", b"\x80", b"\xc7\x01\x08\x90", b"\xc7\x01\x09\x90", b"\xc7\x01\x01\x00"):
        count = (MESSAGE_BYTES_MAX - 5) // len(item)
        value = decode("value", b"\xdd" + struct.pack(">I", count) + item * count)
        assert isinstance(value, list)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024

    assert grown < 200 * MESSAGE_BYTES_MAX


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_compressed_arrow_data_is_refused(codec: str) -> None:
    """A kilobyte of it could be gigabytes."""
    sink = pa.BufferOutputStream()
    batch = pa.record_batch({"px": [0] * 100_000})
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as writer:
        writer.write_batch(batch)

    with pytest.raises(DecodeError, match="compressed"):
        decode("arrow.batch", sink.getvalue().to_pybytes())


def test_compressed_dictionaries_are_refused() -> None:
    sink = pa.BufferOutputStream()
    column = pa.array([str(number) for number in range(1_000)]).dictionary_encode()
    batch = pa.record_batch({"name": column})
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_batch(batch)

    with pytest.raises(DecodeError, match="compressed"):
        decode("arrow.batch", sink.getvalue().to_pybytes())


def test_offsets_that_lead_outside_are_refused() -> None:
    """Nothing would stop a reader of such a column from reading foreign memory."""
    name, body = encode(pa.record_batch({"name": ["abc", "de"]}))
    at = body.index(struct.pack("<iii", 0, 3, 5))

    with pytest.raises(DecodeError):
        decode(name, body[:at] + struct.pack("<iii", 0, 3, 1 << 30) + body[at + 12 :])
