"""Keys: who is known comes in, nobody else does, and the secret one is nowhere to be read."""

import pickle
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.bus.wire.keys import Gatekeeper, HandshakeWatch, Keys, arm_client, arm_server
from libra_ray.errors import ConnectionConfigError, UnsendableError
from libra_ray.messages.codec import encode

WAIT_MS = 5_000
WHILE_MS = 300


class Net:
    """A server's context and a client's, as in two processes; all that is opened is closed."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.server, self.client = (stack.enter_context(zmq.Context()) for _ in range(2))

    def serve(self, keys: Keys, *, guarded: bool = True) -> "Server":
        """An armed ROUTER bound to a free port of the loopback interface."""
        gatekeeper = self.stack.enter_context(closing(Gatekeeper(self.server, keys.peers))) if guarded else None
        router = self.stack.enter_context(self.server.socket(zmq.ROUTER))
        arm_server(router, keys)
        return Server(router, gatekeeper, f"tcp://127.0.0.1:{router.bind_to_random_port('tcp://127.0.0.1')}")

    def dealer(self) -> zmq.Socket[bytes]:
        """A socket of the client."""
        dealer: zmq.Socket[bytes] = self.stack.enter_context(self.client.socket(zmq.DEALER))
        dealer.setsockopt(zmq.LINGER, 0)
        return dealer


class Server(NamedTuple):
    """What is bound, and who guards it."""

    router: zmq.Socket[bytes]
    gatekeeper: Gatekeeper | None
    address: str

    def arrives(self, wait_ms: int = WAIT_MS) -> list[zmq.Frame] | None:
        """What comes in within the time, while the gatekeeper answers; None when it refuses somebody."""
        poller = zmq.Poller()
        poller.register(self.router, zmq.POLLIN)
        if self.gatekeeper is not None:
            poller.register(self.gatekeeper.socket, zmq.POLLIN)
        while events := dict(poller.poll(wait_ms)):
            if self.gatekeeper is not None and self.gatekeeper.socket in events and self.gatekeeper.answer():
                return None
            if self.router in events:
                return self.router.recv_multipart(copy=False)
        return None


@pytest.fixture
def net() -> Iterator[Net]:
    """Two contexts."""
    with ExitStack() as stack:
        yield Net(stack)


def test_a_host_that_is_known_comes_in_under_its_own_name(net: Net) -> None:
    keys = Keys.for_hosts(["bus", "A-1"])
    server, dealer = net.serve(keys["bus"]), net.dealer()
    arm_client(dealer, keys["A-1"], keys["A-1"].peers["bus"])
    dealer.connect(server.address)
    dealer.send_multipart([b"header", b"body"])

    parts = server.arrives()

    assert parts is not None
    assert [part.bytes for part in parts[1:]] == [b"header", b"body"]
    assert parts[1].get("User-Id") == "A-1"
    assert server.gatekeeper is not None
    assert server.gatekeeper.refused == 0


def test_a_key_that_is_not_known_is_refused_and_told_so(net: Net) -> None:
    keys = Keys.for_hosts(["bus", "A-1"])["bus"]
    server, dealer = net.serve(keys), net.dealer()
    arm_client(dealer, Keys.generate(), keys.public)
    with closing(HandshakeWatch(dealer)) as watch:
        dealer.connect(server.address)
        dealer.send(b"let me in")

        assert server.arrives() is None
        assert server.gatekeeper is not None
        assert server.gatekeeper.refused == 1
        assert watch.socket.poll(WAIT_MS)
        assert watch.failure() == "our key is not known there"
        assert watch.failure() is None


@pytest.mark.slow
def test_a_server_with_another_key_than_expected_gets_nothing(net: Net) -> None:
    keys = Keys.for_hosts(["bus", "A-1"])
    server, dealer = net.serve(keys["bus"]), net.dealer()
    arm_client(dealer, keys["A-1"], Keys.generate().public)
    with closing(HandshakeWatch(dealer)) as watch:
        dealer.connect(server.address)
        dealer.send(b"for the bus alone")

        assert server.arrives(WHILE_MS) is None
        assert watch.failure() is not None


@pytest.mark.slow
def test_a_client_without_a_key_is_not_let_in(net: Net) -> None:
    server, dealer = net.serve(Keys.generate()), net.dealer()
    dealer.connect(server.address)
    dealer.send(b"plain text")

    assert server.arrives(WHILE_MS) is None


@pytest.mark.slow
def test_without_a_gatekeeper_nobody_comes_in(net: Net) -> None:
    keys = Keys.for_hosts(["bus", "A-1"])
    server, dealer = net.serve(keys["bus"], guarded=False), net.dealer()
    arm_client(dealer, keys["A-1"], keys["bus"].public)
    dealer.connect(server.address)
    dealer.send(b"anybody?")

    assert server.arrives(WHILE_MS) is None


def test_hosts_are_let_in_and_kept_out_as_the_session_goes_on(net: Net) -> None:
    keys, late = Keys.generate(), Keys.generate()
    server = net.serve(keys)
    assert server.gatekeeper is not None
    server.gatekeeper.allow("late", Keys.generate().public)
    server.gatekeeper.allow("late", late.public)  # a new key takes the place of the old one

    def send_once() -> list[zmq.Frame] | None:
        dealer = net.dealer()
        arm_client(dealer, late, keys.public)
        dealer.connect(server.address)
        dealer.send(b"here")
        return server.arrives()

    assert send_once() is not None
    server.gatekeeper.forbid("late")
    assert send_once() is None


def test_a_context_has_one_gatekeeper(net: Net) -> None:
    net.serve(Keys.generate())

    with pytest.raises(zmq.ZMQError):
        Gatekeeper(net.server, {})


def test_the_secret_is_nowhere_to_be_read(tmp_path: Path) -> None:
    keys = Keys.for_hosts(["A", "B"])["A"]
    path = tmp_path / "A.keys"
    keys.write(path)

    assert keys.secret.decode() not in f"{keys} {keys!r} {[keys]}"
    assert repr(keys) == f"Keys({keys.public.decode()}, 2 peers)"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["A.keys"]
    with pytest.raises(TypeError, match="path of their file"):
        pickle.dumps(keys)
    with pytest.raises(UnsendableError):
        encode(keys)


def test_keys_come_back_from_their_file(tmp_path: Path) -> None:
    keys = Keys.generate().knowing({"bus": Keys.generate().public})
    path = tmp_path / "A.keys"
    path.write_text("of a session before")
    keys.write(path)

    read = Keys.read(path)

    assert (read.public, read.secret, read.peers) == (keys.public, keys.secret, keys.peers)


@pytest.mark.parametrize(
    ("content", "mode", "text"),
    [
        (None, 0, "CONN004 A.keys: no keys can be read. Keys are made when a session starts: start it again."),
        (b"", 0o600, "CONN004 A.keys: no keys can be read. Keys are made when a session starts: start it again."),
        (b"\x93\xc4\x01a\xc4\x01b\x80", 0o600, "CONN004 1 bytes are no key of 40 characters of Z85."),
        (b"", 0o640, "CONN004 A.keys: others can read the keys, mode 640. Keys are made"),
    ],
)
def test_a_file_that_holds_no_keys(tmp_path: Path, content: bytes | None, mode: int, text: str) -> None:
    path = tmp_path / "A.keys"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)

    with pytest.raises(ConnectionConfigError) as caught:
        Keys.read(path)
    assert str(caught.value).startswith(text)


@given(st.binary(max_size=50) | st.binary(min_size=40, max_size=40))
def test_what_is_no_key_is_refused_and_not_shown(key: bytes) -> None:
    try:
        Keys(key, key)
    except ConnectionConfigError as error:
        assert str(error).startswith(f"CONN004 {len(key)} bytes are no key")  # noqa: PT017 - the only error there may be
