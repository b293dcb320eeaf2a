"""What is sent is what arrives: of every message class, of every kind of value, type by type."""

import sys
from collections.abc import Callable
from decimal import Decimal
from types import ModuleType

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.bus import DeadLetter, DeadReason, Request
from libra_ray.errors import UnsendableError
from libra_ray.messages.class_names import class_of, name_of
from libra_ray.messages.codec import MESSAGE_BYTES_MAX, DecodeError, decode, encode, register
from libra_ray.messages.commands import SubmitOrder
from libra_ray.messages.events import OrderDenied, OrderFilled
from libra_ray.messages.rows import Bar, RowSpec
from libra_ray.model.enums import LiquiditySide, OrderSide, OrderStatus, OrderType
from libra_ray.model.identifiers import InstrumentId
from libra_ray.model.orders import Order
from libra_ray.runtime import Signal, check_sendable
from tests.messages.message_values import (
    Feature,
    Holder,
    Level,
    Loose,
    Spot,
    Way,
    any_values,
    instances,
    message_classes,
    same,
)

EXACT = 0xC1


def there_and_back(message: object) -> object:
    """`message`, encoded and decoded."""
    return decode(*encode(message))


def filled(qty_raw: int = 100_000) -> OrderFilled:
    """A fill."""
    return OrderFilled(
        1_700_000_000_000_000_000, "S-1", "BTCUSDT.SIM", "O-1", "V-1", "T-1", "P-1", OrderSide.BUY,
        qty_raw, 8, 5_000_000, 2, LiquiditySide.MAKER, 12, "USDT", 2,
    )  # fmt: skip


def an_order(**more: object) -> Order:
    """An order."""
    return Order("O-1", "S-1", "BTCUSDT.SIM", OrderSide.SELL, OrderType.LIMIT, 100, 8, 5_000_000, None, 2, 7, **more)  # type: ignore[arg-type]


def test_the_messages_are_found() -> None:
    names = {cls.__name__ for cls in message_classes()}

    assert {"SubmitOrder", "OrderFilled", "AskAccount", "Bar", "Request", "Signal", "Order", "Instrument"} < names
    assert {"StartActors", "HostStatus", "Descriptors"} < names
    assert len(names) > 90


@pytest.mark.slow
@given(data=st.data())
def test_every_message_comes_back_as_it_was(data: st.DataObject) -> None:
    cls = data.draw(st.sampled_from(message_classes()), label="class")
    message = data.draw(instances(cls), label="message")

    check_sendable(message)
    assert same(there_and_back(message), message)


@pytest.mark.parametrize("cls", message_classes(), ids=lambda cls: cls.__name__)
def test_every_message_class_is_found_by_its_name(cls: type[msgspec.Struct]) -> None:
    name = name_of(cls)

    assert name in (cls.__name__, f"{cls.__module__}:{cls.__name__}")
    assert class_of(name) is cls


@given(any_values)
def test_every_value_comes_back_as_it_was(value: object) -> None:
    check_sendable(value)
    assert same(there_and_back(value), value)


@given(any_values)
def test_equal_values_have_equal_bytes(value: object) -> None:
    assert encode(there_and_back(value)) == encode(value)


@given(top=any_values)
def test_what_a_request_carries_comes_back_as_it_was(top: object) -> None:
    message = Request(3, "A.ask", DeadLetter(DeadReason.NO_RECEIVER, "x", top, 1, 2), "B", 4, 5)

    assert same(there_and_back(message), message)


@pytest.mark.parametrize(
    "message",
    [
        Holder(Level(1)),
        Holder(Level(1), (Level(2), Level(2**64)), [None], text=Decimal("1.50"), extra=(1, [2], {3: b"x"})),
        Holder(Level(1), event=OrderDenied(1, "s", "i", "c", "CODE", "text")),  # a subclass where its base is annotated
        Holder(Level(1), by_name={"a": Spot(1, Way.UP)}, text=b"bytes"),
        Holder(Level(1), batch=pa.record_batch({"px": [1, 2]})),
        Loose({"a": 1}, Loose(None)),
        Spot(1, (2, 3)),
    ],
    ids=repr,
)
def test_structs_of_users_come_back_as_they_were(message: object) -> None:
    check_sendable(message)
    assert same(there_and_back(message), message)


def test_an_order_in_mid_life_stays_there() -> None:
    order = an_order(exec_algorithm_params={"slices": 3, "until": Decimal("0.5")})
    order.move(OrderStatus.SUBMITTED, 20)
    order.move(OrderStatus.ACCEPTED, 30)
    order.fill(40, 5_000_000, 40)

    arrived = there_and_back(SubmitOrder(50, "S-1", order))

    assert isinstance(arrived, SubmitOrder)
    assert same(arrived.order, order)
    assert (arrived.order.ts_last_ns, arrived.order.is_buy) == (40, False)


def test_ordinary_messages_go_as_msgspec_writes_them() -> None:
    spec = RowSpec(InstrumentId("BTCUSDT.SIM"), 2, 8, 100.0, 1e8, "1h")
    for message in (filled(), SubmitOrder(1, "S-1", an_order()), Bar(spec, 1, 2, 3, 4, 5, 6, 7)):
        assert encode(message) == (type(message).__name__, msgspec.msgpack.encode(message))


def test_integers_beyond_64_bits_take_the_exact_form() -> None:
    name, body = encode(filled(10**30))

    assert (name, body[0]) == ("OrderFilled", EXACT)
    assert decode(name, body) == filled(10**30)


def test_numbers_of_numpy_arrive_as_plain_numbers() -> None:
    signal = Signal("x", np.float64(1.5), np.int64(7), "A-1")  # type: ignore[arg-type]

    check_sendable(signal)
    assert same(there_and_back(signal), Signal("x", 1.5, 7, "A-1"))
    assert same(there_and_back(filled(np.int64(3))), filled(3))  # type: ignore[arg-type]


def test_golden_bytes() -> None:
    """The form on the wire: who changes it changes `VERSION` of the frames too."""
    assert encode(OrderDenied(1, "S-1", "A.SIM", "O-1", "CODE", "text")) == (
        "OrderDenied",
        b"\x97\xabOrderDenied\x01\xa3S-1\xa5A.SIM\xa3O-1\xa4CODE\xa4text",
    )
    assert encode(Signal("x", 1.5, 7, "A-1")) == ("Signal", b"\xc1\x94\xa1x\xcb?\xf8\0\0\0\0\0\0\x07\xa3A-1")
    assert encode((1, Decimal("1.50"), 2**64)) == (
        "value",
        b"\xc7\x14\x08\x93\x01\xd6\x031.50\xc7\x09\x01\0\0\0\0\0\0\0\0\x01",
    )
    assert encode({"a": Way.UP}) == (
        "value",
        b"\x81\xa1a\xc7\x27\x0c\x92\xd9\x21tests.messages.message_values:Way\xa2UP",
    )


# What cannot be sent


@pytest.mark.parametrize(
    ("message", "type_name", "field"),
    [
        (object(), "object", "(itself)"),
        (print, "builtin_function_or_method", "(itself)"),
        (Holder(Level(1), extra=object()), "Holder", "extra"),
        (Holder(Level(1), extra={"a": [1, print]}), "Holder", "extra['a'][1]"),
        ({(1, 2): 3}, "dict", "[(1, 2)]"),
        ([1, [Order]], "list", "[1][0]"),
    ],
)
def test_what_does_not_encode_is_named_as_check_sendable_names_it(message: object, type_name: str, field: str) -> None:
    for refuse in (check_sendable, encode):
        with pytest.raises(UnsendableError) as caught:
            refuse(message)
        assert (caught.value.type_name, caught.value.field) == (type_name, field)


def refusal(function: Callable[[object], object], message: object) -> tuple[object, ...] | None:
    """What the function says against `message`; None where it takes it."""
    try:
        function(message)
    except UnsendableError as error:
        return error.args
    return None


unsendable = st.sampled_from([object(), print, Order, 1j, range(3)])


@pytest.mark.slow
@given(st.recursive(any_values | unsendable, lambda items: st.lists(items) | st.dictionaries(st.text(), items)))
def test_what_check_sendable_lets_pass_encodes_and_nothing_else(message: object) -> None:
    assert refusal(encode, message) == refusal(check_sendable, message)


def test_a_message_that_holds_itself_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)

    with pytest.raises(UnsendableError):
        encode(endless)


def test_a_class_that_nobody_could_find_is_refused() -> None:
    class Local(msgspec.Struct):
        """Local to a function."""

        x: int

    with pytest.raises(UnsendableError, match="class"):
        encode(Local(1))


def test_a_name_is_given_once() -> None:
    register(Level)
    assert encode(Level(1))[0] == "Level"

    class Level2(msgspec.Struct):
        """Another class of the same name."""

    Level2.__name__ = "OrderFilled"
    with pytest.raises(ValueError, match="one name"):
        register(Level2)


# Arrow


@pytest.mark.parametrize(
    "message",
    [
        pa.record_batch({"px": [1, 2], "name": ["a", None]}),
        pa.record_batch({"px": pa.array([], pa.int64())}),
        pa.record_batch({"px": [1, 2, 3]}).slice(1),
        pa.record_batch({"px": [1]}).replace_schema_metadata({"libra.type": "bars"}),
        pa.table({"px": [1, 2]}),
        pa.table({"px": pa.chunked_array([], pa.int64())}),
        pa.table({}),
        pa.table({"px": pa.chunked_array([[1], [], [2, 3]])}),
        pa.table({"px": pa.array([Decimal("1.5")], pa.decimal64(18, 2)), "d": pa.array(["a"]).dictionary_encode()}),
        pa.array([1, None]),
        pa.array([{"a": [1, 2]}, {"a": None}]),
        pa.chunked_array([[1.5], [2.5]]),
        pa.chunked_array([], pa.string()),
        Feature(pa.table({"f": [0.5]})),
        [{"nested": pa.record_batch({"px": [1]})}, Feature(pa.table({"f": [1]}))],
    ],
    ids=lambda message: type(message).__name__,
)
def test_arrow_data_comes_back_as_it_was(message: object) -> None:
    check_sendable(message)
    assert same(there_and_back(message), message)


def test_a_slice_does_not_carry_the_rows_around_it() -> None:
    whole = pa.record_batch({"px": np.arange(100_000)})

    assert len(encode(whole.slice(500, 10))[1]) < 1_000


def test_foreign_arrow_types_arrive_as_pyarrow_s() -> None:
    table = pa.table({"px": [1, 2]})

    assert there_and_back(pl.DataFrame({"px": [1, 2]})) == table
    assert there_and_back(pa.RecordBatchReader.from_batches(table.schema, table.to_batches())) == table
    assert there_and_back(pl.Series("px", [1, 2])) == pa.chunked_array([[1, 2]])


def test_arrow_columns_are_aligned_wherever_the_body_begins() -> None:
    name, body = encode(pa.record_batch({"px": [1, 2, 3]}))

    for shift in range(8):
        view = memoryview(b"\0" * shift + body)[shift:]
        batch = decode(name, view)
        assert isinstance(batch, pa.RecordBatch)
        assert batch.column(0).buffers()[1].address % 8 == 0
        assert batch.column(0).to_pylist() == [1, 2, 3]


def test_a_body_is_read_without_a_copy() -> None:
    name, body = encode(pa.record_batch({"px": np.arange(1_000)}))
    start = pa.py_buffer(body).address

    batch = decode(name, body)

    assert isinstance(batch, pa.RecordBatch)
    assert start <= batch.column(0).buffers()[1].address < start + len(body)


# What cannot be read


@pytest.mark.parametrize(
    ("type_name", "body", "reason"),
    [
        ("OrderFilled", b"", "index out of range"),
        ("OrderFilled", b"\x90", "Expected `array` of at least length 17"),
        ("OrderFilled", b"\xc1\x90", "0 fields, OrderFilled has 16"),
        ("OrderFilled", b"\xc1\x80", "no list of fields"),
        ("Nothing", b"\x90", "no such type is loaded here"),
        ("json:JSONDecoder", b"\x90", "no such type is loaded here"),
        ("os:system", b"\x90", "no such type is loaded here"),
        ("Signal", msgspec.msgpack.encode(Signal("x", 1, 1, "s")), "it is always written in exact form"),
        ("value", b"\xc7\x00\x63", "99"),
        ("arrow.batch", b"", "schema message"),
        ("value", b"\0" * (MESSAGE_BYTES_MAX + 1), "1,048,577 bytes are more than 1,048,576"),
    ],
)
def test_what_is_no_message_gives_a_reason(type_name: str, body: bytes, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(type_name, body)
    assert caught.value.type_name == type_name
    assert reason in caught.value.reason


def test_decoding_imports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Lazy(ModuleType):
        """A module that would load more when asked for a name it lacks."""

        def __getattr__(self, name: str) -> object:
            raise AssertionError(name)

    monkeypatch.setitem(sys.modules, "lazy_module", Lazy("lazy_module"))
    loaded = set(sys.modules)

    for name in ("lazy_module:Thing", "antigravity:Thing", "lazy_module:Thing.Inner", ":x", "lazy_module:", "a.b:c"):
        with pytest.raises(DecodeError):
            decode(name, b"\x90")
    assert set(sys.modules) == loaded


def test_a_class_that_raises_when_it_is_built_is_a_decode_error() -> None:
    name, body = encode(Fragile(1))

    with pytest.raises(DecodeError, match="cannot be"):
        decode(name, body.replace(b"\x01", b"\x02"))


class Fragile(msgspec.Struct):
    """A struct that raises."""

    x: int

    def __post_init__(self) -> None:
        if self.x != 1:
            raise RuntimeError("cannot be\nso")
