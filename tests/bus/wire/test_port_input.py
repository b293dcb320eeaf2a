"""Whatever comes in over real sockets: counted, never a crash. Addresses and keys."""

import msgspec
import pytest

from libra_ray.bus.wire import port as port_module
from libra_ray.bus.wire.bundles import bundled
from libra_ray.bus.wire.frames import BODY_BYTES_MAX, Kind
from libra_ray.bus.wire.journal import Checkpoint, Journal
from libra_ray.bus.wire.keys import Keys
from libra_ray.bus.wire.links import PeerLinks
from libra_ray.bus.wire.port import Port
from libra_ray.clock import LiveClock
from libra_ray.errors import ConfigError, ConnectionConfigError
from libra_ray.runtime.inbox import Lane
from tests.bus.wire.ports import SECOND, Net, echo, frame, post, send_raw, texts


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "BAD_FRAME"),
        (b"noise", "BAD_FRAME"),
        (bytes(8), "BAD_FRAME"),
        (bundled([(b"x", b"y")])[:-1], "BAD_FRAME"),
        (bundled([(msgspec.msgpack.encode([2, "of the future"]), b"")]), "BAD_VERSION"),
        (bundled([(bytes(10_000), b"")]), "TOO_LONG"),
        (bundled([(b"\x90", bytes(BODY_BYTES_MAX + 1))]), "TOO_LONG"),
        (bundled([(msgspec.msgpack.encode([1, 8, "a", 1, 9, "", 1, 0, ""]), b"")]), "BAD_FRAME"),
        (bundled([(msgspec.msgpack.encode([1, 99, "a", 1, 1, "", 1, 0, ""]), b"")]), "BAD_FRAME"),
    ],
    ids=["nothing", "noise", "no header", "cut off", "version", "header", "body", "lane", "kind"],
)
def test_what_is_no_frame_is_a_dead_letter(net: Net, message: bytes, reason: str) -> None:
    b = net.start("b")
    socket = net.raw(b)

    socket.send(message)
    send_raw(socket, frame(Kind.HEARTBEAT, "stranger"), b"after")
    net.until(lambda: bool(net.got["b"]))

    assert net.dead == [(reason, "")]
    assert texts(net.got["b"]) == ["after"]
    assert b.counts["", Lane.CONTROL].dead == 1


def test_frames_that_make_no_sense_are_counted(net: Net) -> None:
    a, b = net.start("a"), net.start("b")
    net.meet()
    net.settle()
    socket = net.raw(b)
    senseless = [
        (frame(Kind.SEND, "stranger", seq=1), b""),
        (frame(Kind.SEND, "a", epoch=9, seq=1), b""),
        (frame(Kind.SEND, "a", seq=2**62), b""),
        (frame(Kind.SEND, "a", seq=0), b""),
        (frame(Kind.SEND, "a", lane=Lane.MARKET_DATA, seq=1), b""),
        (frame(Kind.ACK, "stranger", seq=1, extra=5), b""),
        (frame(Kind.ACK, "a", seq=1, extra=2**62), b""),
        (frame(Kind.ACK, "a", epoch=9, seq=1, extra=1), b""),
        (frame(Kind.ACK, "a", lane=Lane.MARKET_DATA, seq=1, extra=5), b""),
        (frame(Kind.ACK, "a", seq=1, extra=-(2**62)), b""),
        (frame(Kind.HELLO, "a"), b"no greeting"),
        (frame(Kind.WELCOME, "a"), msgspec.msgpack.encode([1, 1, 5, []])),
        (frame(Kind.WELCOME, "a"), msgspec.msgpack.encode([1, 1, 5, [[0, 0, 0, 0, "x"]] * 4])),
    ]
    for header, body in senseless:
        send_raw(socket, header, body)
    send_raw(socket, frame(Kind.HEARTBEAT, "stranger"), b"after")
    net.until(lambda: bool(net.got["b"]))

    assert texts(net.got["b"]) == ["after"]
    assert net.dead == [("BAD_FRAME", "a")] * 3
    post(a, "b", "order")
    post(b, "a", "report")
    net.settle()
    assert (texts(net.got["a"]), texts(net.got["b"])) == (["report"], ["after", "order"])


def test_a_former_life_confirms_nothing(net: Net) -> None:
    b = net.start("b")
    b.connect("a", f"ipc://{net.folder}/a-2", 2)
    socket = net.raw(b)
    links = PeerLinks(2, 9)
    send_raw(socket, frame(Kind.HELLO, "a", epoch=2), msgspec.msgpack.encode(links.greeting()))
    post(b, "a", "order")

    send_raw(socket, frame(Kind.ACK, "a", epoch=1, seq=1, extra=1))
    net.until(lambda: b.counts["a", Lane.ORDERS].stale == 1)
    assert b.unconfirmed() == 1
    send_raw(socket, frame(Kind.ACK, "a", epoch=2, seq=1, extra=1))
    net.until(lambda: b.unconfirmed() == 0)


def test_a_flood_is_read_in_portions_and_nobody_sleeps_on_the_rest(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_module, "TAKEN_IN_MAX", 10)
    b = net.start("b")
    socket = net.raw(b)
    for number in range(35):
        send_raw(socket, frame(Kind.SUBSCRIBE, f"stranger-{number}", lane=Lane.CONTROL))
    net.come("b", 10)
    clock = LiveClock()
    started_ns = clock.now_ns()

    for _ in range(3):
        while (letter := b.take()) is not None:
            b.done(letter)
        b.poll(5 * SECOND)

    assert b.counts["", Lane.CONTROL].received >= 30
    assert clock.now_ns() - started_ns < 4 * SECOND


def test_strangers_are_heard_without_being_known(net: Net) -> None:
    b = net.start("b")
    socket = net.raw(b)

    for number in range(50):
        send_raw(socket, frame(Kind.SUBSCRIBE, f"stranger-{number}", lane=Lane.CONTROL))
    net.until(lambda: len(net.got["b"]) == 50)

    assert net.got["b"][0].peer == "stranger-0"
    assert set(b.counts) == {("", Lane.CONTROL)}
    assert b.counts["", Lane.CONTROL].received == 50


def test_an_address_in_use_is_one_clear_line(net: Net) -> None:
    first = Port("a", 1, "tcp://127.0.0.1:*", net.clock)
    try:
        assert first.address.rpartition(":")[2].isdigit()
        with pytest.raises(ConfigError, match=r"^CONF010 placement: cannot listen at 'tcp://127.*in use\. Choose"):
            Port("b", 1, first.address, net.clock, journal=net.journal("b"))
        Journal(net.journal("b"), Checkpoint("b", 1)).close()
    finally:
        first.close(0)


@pytest.mark.parametrize("address", [f"ipc:///tmp/{'x' * 120}", "nonsense", "tcp://127.0.0.1"])
def test_an_address_that_is_none_is_one_clear_line(net: Net, address: str) -> None:
    a = net.start("a")

    with pytest.raises(ConfigError, match="CONF010"):
        Port("b", 1, address, net.clock)
    with pytest.raises(ConfigError, match="CONF010"):
        a.connect("b", address, 1)


def test_hosts_with_keys_talk_and_others_do_not(net: Net) -> None:
    keys = Keys.for_hosts(["a", "b"])
    a, b = net.start("a", keys=keys["a"]), net.start("b", keys=keys["b"])
    stranger = net.start("c", keys=Keys.generate())
    a.connect("b", b.address, 1, keys["b"].public)
    b.connect("a", a.address, 1, keys["a"].public)
    stranger.connect("b", b.address, 1, keys["b"].public)

    for number in range(20):
        post(a, "b", str(number), kind=Kind.REQUEST)
        post(stranger, "b", "let me in")
    net.until(lambda: len(net.got["a"]) == 20, handle=echo)

    assert texts(net.got["b"]) == [str(number) for number in range(20)]
    with pytest.raises(ConnectionConfigError, match=r"CONN004 .*key is not known"):
        a.connect("d", "tcp://127.0.0.1:5", 1)


def test_a_host_that_takes_another_ones_name_is_refused(net: Net) -> None:
    keys = Keys.for_hosts(["a", "b"])
    liar, b = Port("c", 1, "tcp://127.0.0.1:*", net.clock, keys=keys["a"]), net.start("b", keys=keys["b"])
    try:
        liar.connect("b", b.address, 1, keys["b"].public)
        liar.post_unreliable("b", Kind.HEARTBEAT, "", "", b"")
        net.until(lambda: len(net.dead) == 2)
    finally:
        liar.close(0)

    assert net.dead == [("WRONG_SOURCE", "a")] * 2, "the greeting and the heartbeat"
    assert net.got["b"] == []
