"""Keys between nodes: every host has a CURVE key pair, knows the public keys of the others, and lets nobody else in.

Sockets on one node are files in a private folder and need no keys; tcp sockets are armed with them. ZeroMQ asks on a
socket of its own whether a client may come in; the port answers there between two messages, without a thread.
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Never, Self

import msgspec
import zmq
import zmq.utils.z85
from zmq.utils.monitor import recv_monitor_message

from libra_ray.errors import ConnectionConfigError

__all__ = ["Gatekeeper", "HandshakeWatch", "Keys", "arm_client", "arm_server"]

_KEY: Final = re.compile(rb"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")
"""32 bytes in Z85."""
_ZAP_ADDRESS: Final = "inproc://zeromq.zap.01"
_ZAP_VERSION: Final = b"1.0"
_ZAP_DOMAIN: Final = b"libra"
_ZAP_CURVE_FIELDS: Final = 7  # version, request, domain, address, identity, mechanism, key
_FAILURES: Final[dict[int, str]] = {
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: "our key is not known there",
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "the peer does not speak CURVE, or has another key than we were told",
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: "the peer ended the handshake; it may have another key than we were told",
}


class Keys:
    """A host's own key pair, and the public keys of all hosts by their ids. All in Z85.

    Its text names the public key and no more. It cannot be sent or pickled, since Ray keeps what is given to an actor:
    it is written to a file of mode 0600 in the private folder of the session, and the file is named instead.
    """

    __slots__ = ("peers", "public", "secret")

    def __init__(self, public: bytes, secret: bytes, peers: Mapping[str, bytes] | None = None) -> None:
        self.public = _checked(public)
        self.secret = _checked(secret)
        self.peers = MappingProxyType({host_id: _checked(key) for host_id, key in (peers or {}).items()})

    def __repr__(self) -> str:
        return f"Keys({self.public.decode()}, {len(self.peers):,} peers)"

    def __reduce__(self) -> Never:
        raise TypeError("keys are not pickled: give the path of their file")

    @classmethod
    def generate(cls) -> Self:
        """A new pair that knows nobody yet."""
        return cls(*zmq.curve_keypair())

    @classmethod
    def for_hosts(cls, host_ids: Iterable[str]) -> dict[str, Self]:
        """A new pair for each host; all know each other, and themselves."""
        pairs = {host_id: zmq.curve_keypair() for host_id in host_ids}
        public = {host_id: pair[0] for host_id, pair in pairs.items()}
        return {host_id: cls(*pair, public) for host_id, pair in pairs.items()}

    def knowing(self, peers: Mapping[str, bytes]) -> Self:
        """The same pair that knows these too."""
        return type(self)(self.public, self.secret, {**self.peers, **peers})

    def write(self, path: Path) -> None:
        """Store them in a file that only its owner can read. It appears whole or not at all."""
        draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        draft.unlink(missing_ok=True)
        file_fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(file_fd, "wb") as file:
            file.write(msgspec.msgpack.encode([self.public, self.secret, dict(self.peers)]))
        draft.replace(path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """What `write` stored. Raises `ConnectionConfigError` CONN004 where nothing is stored or others can read it."""
        try:
            with path.open("rb") as file:
                mode, content = os.fstat(file.fileno()).st_mode, file.read()
            if mode & 0o077:
                raise _key_error(path.name, f"others can read the keys, mode {mode & 0o777:o}")
            public, secret, peers = msgspec.msgpack.decode(content, type=tuple[bytes, bytes, dict[str, bytes]])
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            if isinstance(error, ConnectionConfigError):
                raise
            raise _key_error(path.name, "no keys can be read") from error
        return cls(public, secret, peers)


def arm_server(socket: zmq.Socket[bytes], keys: Keys) -> None:
    """Let in by CURVE only, and only whom the `Gatekeeper` of the socket's context knows. To be called before bind."""
    _arm(socket, keys)
    socket.setsockopt(zmq.CURVE_SERVER, 1)
    socket.setsockopt(zmq.ZAP_DOMAIN, _ZAP_DOMAIN)
    socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)  # without it a context that has no gatekeeper lets everybody in


def arm_client(socket: zmq.Socket[bytes], keys: Keys, server_public: bytes) -> None:
    """Talk only to the owner of `server_public`. To be called before connect. Raises CONN004 for what is no key."""
    _arm(socket, keys)
    socket.setsockopt(zmq.CURVE_SERVERKEY, _checked(server_public))


def _arm(socket: zmq.Socket[bytes], keys: Keys) -> None:
    socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.public)
    socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret)


class Gatekeeper:
    """Says whether a client may come in, by its public key. One per ZeroMQ context, made before a socket is bound.

    `socket` is polled together with the port's own; `answer` is called when it can be read. What comes in by an armed
    socket names the host it is from: `zmq.Frame.get("User-Id")`.
    """

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", peers: Mapping[str, bytes]) -> None:
        """Raises `zmq.ZMQError` where the context has a gatekeeper already."""
        self._host_ids = {key: host_id for host_id, key in peers.items()}
        self.refused = 0
        """How often somebody was kept out. Who is refused tries again, so it grows while he lives."""
        self.socket: zmq.Socket[bytes] = context.socket(zmq.REP)
        self.socket.setsockopt(zmq.LINGER, 0)
        try:
            self.socket.bind(_ZAP_ADDRESS)
        except zmq.ZMQError:
            self.socket.close()
            raise

    def allow(self, host_id: str, public: bytes) -> None:
        """Let that host in from now on, by this key only."""
        self.forbid(host_id)
        self._host_ids[_checked(public)] = host_id

    def forbid(self, host_id: str) -> None:
        """Let it in no more. Who is in already stays in."""
        self._host_ids = {key: known for key, known in self._host_ids.items() if known != host_id}

    def answer(self) -> int:
        """Answer all who ask now, without waiting; returns how many were refused."""
        refused = 0
        while self.socket.poll(0, zmq.POLLIN):
            request = self.socket.recv_multipart()
            host_id = self._host_id_of(request)
            refused += host_id is None
            code, text = (b"400", b"unknown key") if host_id is None else (b"200", b"OK")
            self.socket.send_multipart([_ZAP_VERSION, request[1], code, text, (host_id or "").encode(), b""])
        self.refused += refused
        return refused

    def _host_id_of(self, request: list[bytes]) -> str | None:
        if len(request) != _ZAP_CURVE_FIELDS:  # of another mechanism
            return None
        version, _, domain, _, _, mechanism, key = request
        if (version, domain, mechanism) != (_ZAP_VERSION, _ZAP_DOMAIN, b"CURVE"):
            return None
        return self._host_ids.get(zmq.utils.z85.encode(key))

    def close(self) -> None:
        """Let nobody in any more."""
        self.socket.close()


class HandshakeWatch:
    """Tells the one who connects why it was not let in; ZeroMQ itself tries again and says nothing."""

    def __init__(self, socket: zmq.Socket[bytes]) -> None:
        """Watch `socket`, before it connects."""
        self._watched = socket
        events = 0
        for event in _FAILURES:
            events |= event
        self.socket: zmq.Socket[bytes] = socket.get_monitor_socket(events)

    def failure(self) -> str | None:
        """What has failed since the last call, in words; None where nothing has. Does not wait."""
        found = None
        while self.socket.poll(0, zmq.POLLIN):
            event = recv_monitor_message(self.socket)["event"]
            found = _FAILURES.get(event, found)
        return found

    def close(self) -> None:
        """Watch no longer. To be called before the watched socket is closed."""
        self._watched.disable_monitor()
        self.socket.close()


def _checked(key: bytes) -> bytes:
    """`key`. What is none is not shown: it could be part of a secret one."""
    if _KEY.fullmatch(key) is None:
        raise _key_error(None, f"{len(key):,} bytes are no key of 40 characters of Z85")
    return key


def _key_error(place: str | None, what: str) -> ConnectionConfigError:
    return ConnectionConfigError("CONN004", place, what, "Keys are made when a session starts: start it again.")
