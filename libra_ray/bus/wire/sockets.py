"""The sockets of one port: one that all peers send to, and one per peer to send by. Each carries frames one way.

PULL and PUSH, since nothing is answered on the socket it came by: a full PUSH socket refuses, where others drop.
"""

import heapq
import select
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Final, TypeAlias

import zmq

from libra_ray.bus.wire.bundles import bundled
from libra_ray.bus.wire.frames import BODY_BYTES_MAX, Part, Parts, unpack
from libra_ray.bus.wire.keys import Gatekeeper, Keys, arm_client, arm_server
from libra_ray.bus.wire.letter import Faults
from libra_ray.clock import Clock
from libra_ray.errors import ConfigError, ConnectionConfigError, quoted

__all__ = ["FaultySender", "Receiver", "Sender", "Sockets"]

QUEUED_MAX: Final = 1_024
"""Bundles that wait inside a socket, in each direction; what is behind them can still be overtaken by a higher lane."""
RECEIVED_BYTES_MAX: Final = 4 * BODY_BYTES_MAX
"""A longer message ends its connection; a frame between this and the limit of frames is a dead letter."""
RECONNECT_MS: Final = 5
RECONNECT_MS_MAX: Final = 200
TCP_ALIVE_MS: Final = 1_000
TCP_DEAD_MS: Final = 3_000
# Plain integers: operators of flags, and their conversion, cost a microsecond each.
_EVENTS: Final = int(zmq.EVENTS)
_POLLIN: Final = int(zmq.POLLIN)
_NOBLOCK: Final = int(zmq.NOBLOCK)

_Socket: TypeAlias = "zmq.Socket[bytes]"


class _Context(zmq.Context["zmq.Socket[bytes]"]):
    """A context that never waits while garbage is collected.

    ZeroMQ's own would, forever, when a port was dropped without being closed: then it no longer sees its sockets.
    """

    def __del__(self) -> None:
        """Leave it: the sockets close themselves, and warn."""


class Sockets:
    """The ZeroMQ context of a port. It must be made in the process, and used by the one thread, that uses the port."""

    def __init__(self, address: str, keys: Keys | None) -> None:
        """Bind. Raises `ConfigError` CONF010 where that cannot be done."""
        self._context = _Context(io_threads=1)
        self._keys = keys
        try:
            self.receiver = Receiver(self._context, address, keys)
        except BaseException:
            self._context.destroy(linger=0)
            raise

    def sender(self, address: str, server_key: bytes | None) -> "Sender":
        """A way to the peer that listens at `address`. Raises `ConnectionConfigError` CONN004 for a missing key."""
        return Sender(self._context, address, self._keys, server_key)

    def close(self) -> None:
        """Close the receiver; what senders still hold is given up, unless they were closed before."""
        self.receiver.close()
        self._context.destroy()


class Receiver:
    """What comes from all peers, in the order of each.

    Attributes:
        address: as bound, with the port that tcp has chosen.
        is_drained: nothing is here, and the descriptor will tell of what comes.
        sender: the host that sent the message last received, as its key says; empty where there are no keys.
    """

    def __init__(self, context: _Context, address: str, keys: Keys | None) -> None:
        self.sender = ""
        self.is_drained = False
        self._gatekeeper = None if keys is None else Gatekeeper(context, keys.peers)
        self._socket: _Socket = context.socket(zmq.PULL)
        _prepare(self._socket, address)
        self._socket.setsockopt(zmq.RCVHWM, QUEUED_MAX)
        self._socket.setsockopt(zmq.MAXMSGSIZE, RECEIVED_BYTES_MAX)
        if keys is not None:
            arm_server(self._socket, keys)
        try:
            self._socket.bind(address)
        except zmq.ZMQError as error:
            what = f"cannot listen at {quoted(address)}: {zmq.strerror(error.errno or 0)}"
            raise ConfigError("CONF010", "placement", what, "Choose another address.", address) from error
        self.address = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self._ready = select.poll()
        self._ready.register(self._socket.FD, select.POLLIN)
        if self._gatekeeper is not None:
            self._ready.register(self._gatekeeper.socket.FD, select.POLLIN)

    def wait(self, timeout_ns: int) -> None:
        """Sleep until something may have come since it was drained; at most so long, rounded up to milliseconds."""
        if self.is_drained and self._ready.poll(-(-timeout_ns // 1_000_000)):
            self.is_drained = False

    def receive(self) -> Part | None:
        """The next message, None when it is drained."""
        if self.is_drained:
            return None
        socket, message = self._socket, None
        try:
            message = socket.recv(_NOBLOCK) if self._gatekeeper is None else self._receive_known()
        except zmq.Again:
            self.is_drained = True
        else:
            self.is_drained = not int(socket.get(_EVENTS)) & _POLLIN  # costs half of what `Again` does
        if self.is_drained and self._gatekeeper is not None:
            self._gatekeeper.answer()
        return message

    def _receive_known(self) -> bytes:
        frame = self._socket.recv(_NOBLOCK, copy=False)
        self.sender = str(frame.get("User-Id"))
        return frame.bytes

    def allow(self, peer_id: str, server_key: bytes) -> None:
        """Let a peer in by its key."""
        if self._gatekeeper is not None:
            self._gatekeeper.allow(peer_id, server_key)

    def close(self) -> None:
        """Listen no more. ZeroMQ leaves the file of an ipc address where it is."""
        self._socket.close(linger=0)
        if self.address.startswith("ipc://"):
            Path(self.address.removeprefix("ipc://")).unlink(missing_ok=True)
        if self._gatekeeper is not None:
            self._gatekeeper.close()


class Sender:
    """The way to one peer. It may be made before the peer listens."""

    def __init__(self, context: _Context, address: str, keys: Keys | None, server_key: bytes | None) -> None:
        if keys is not None and server_key is None:
            raise ConnectionConfigError("CONN004", address, "its key is not known", "Give it with the address.")
        self._socket: _Socket = context.socket(zmq.PUSH)
        _prepare(self._socket, address)
        self._socket.setsockopt(zmq.SNDHWM, QUEUED_MAX)
        self._socket.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
        self._socket.setsockopt(zmq.RECONNECT_IVL_MAX, RECONNECT_MS_MAX)
        try:
            if keys is not None and server_key is not None:
                arm_client(self._socket, keys, server_key)
            self._socket.connect(address)
        except zmq.ZMQError as error:
            self._socket.close(linger=0)
            what = f"{quoted(address)} is no address: {zmq.strerror(error.errno or 0)}"
            raise ConfigError("CONF010", "placement", what, "Write ipc://path or tcp://host:port.", address) from error
        except BaseException:
            self._socket.close(linger=0)
            raise
        self._send = super(zmq.Socket, self._socket).send  # pyzmq's own adds options that cost half a microsecond

    def send(self, frames: Sequence[Parts]) -> bool:
        """Whether the socket took these, as one message; it does not when it is full, or while it loses its peer."""
        try:
            self._send(bundled(frames), _NOBLOCK)
        except zmq.Again:
            return False
        return True

    def pump(self) -> int | None:
        """A plain sender keeps nothing back: there is nothing to send later."""
        return None

    def close(self, linger_ns: int = 0) -> None:
        """Give up what is not sent within that time."""
        self._socket.close(linger=linger_ns // 1_000_000)


class FaultySender:
    """A sender that loses, doubles and delays by order of `faults`."""

    def __init__(self, sender: Sender, peer_id: str, faults: Faults, clock: Clock) -> None:
        self._sender, self._peer_id, self._faults, self._clock = sender, peer_id, faults, clock
        self._late: list[tuple[int, int, Parts]] = []
        self._numbers = count()

    def send(self, frames: Sequence[Parts]) -> bool:
        """As a sender's, but each frame by itself; what is delayed counts as taken."""
        is_taken = True
        for parts in frames:
            frame, _ = unpack(parts)
            for delay_ns in self._faults.outgoing(frame, self._peer_id):
                if delay_ns <= 0:
                    is_taken = self._sender.send((parts,)) and is_taken
                else:
                    heapq.heappush(self._late, (self._clock.now_ns() + delay_ns, next(self._numbers), parts))
        return is_taken

    def pump(self) -> int | None:
        """Send what is due; when something is due next, None when nothing waits."""
        late = self._late
        while late and late[0][0] <= self._clock.now_ns():
            self._sender.send(heapq.heappop(late)[2:])
        return late[0][0] if late else None

    def close(self, linger_ns: int = 0) -> None:
        """Give up what is late."""
        self._sender.close(linger_ns)


def _prepare(socket: _Socket, address: str) -> None:
    """A peer on another node may vanish without a word: ask it each second, drop the connection after three."""
    socket.setsockopt(zmq.LINGER, 0)
    if address.startswith("tcp"):
        socket.setsockopt(zmq.HEARTBEAT_IVL, TCP_ALIVE_MS)
        socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, TCP_DEAD_MS)
