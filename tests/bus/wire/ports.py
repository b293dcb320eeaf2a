"""Ports for tests: hosts in one process, over real sockets, that are run until something is so."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import zmq

from libra_ray.bus.wire.bundles import bundled
from libra_ray.bus.wire.frames import VERSION, Frame, Kind, Part, pack
from libra_ray.bus.wire.keys import Keys
from libra_ray.bus.wire.letter import Faults, Letter
from libra_ray.bus.wire.port import Port
from libra_ray.clock import Clock, LiveClock, VirtualClock
from libra_ray.runtime.inbox import Lane

__all__ = ["MS", "SECOND", "Net", "Wire", "advance", "echo", "frame", "post", "send_raw", "texts"]

MS = 1_000_000
SECOND = 1_000_000_000
ROUNDS_MAX = 3_000


class Wire:
    """What goes wrong, told frame by frame: `act` gives the delays, and all that leaves is written down."""

    def __init__(self, act: Callable[[Frame], Sequence[int]] = lambda _: (0,)) -> None:
        self.act = act
        self.seen: list[Frame] = []

    def outgoing(self, frame: Frame, _peer_id: str) -> Sequence[int]:
        self.seen.append(frame)
        return self.act(frame)

    def numbers(self) -> list[int]:
        """Of the reliable frames, in the order in which they left."""
        return [frame.seq for frame in self.seen if frame.kind == Kind.SEND]


class Net:
    """Hosts by name, each in its latest life; all know each other."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="libra-ray-net-"))
        self.clock: Clock = LiveClock() if clock is None else clock
        self.ports: dict[str, Port] = {}
        self.got: dict[str, list[Letter]] = {}
        self.dead: list[tuple[str, str]] = []
        self._raw: list[zmq.Socket[bytes]] = []
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for name in list(self.ports):
            self.kill(name)
        for socket in self._raw:
            socket.close()
        self._context.term()
        shutil.rmtree(self.folder)

    def journal(self, name: str) -> Path:
        return self.folder / f"{name}.journal"

    def start(
        self,
        name: str,
        epoch: int = 1,
        *,
        is_journaled: bool = True,
        faults: Faults | None = None,
        window: int = 65_536,
        keys: Keys | None = None,
    ) -> Port:
        """A life of a host, known to all that are there."""
        address = f"ipc://{self.folder}/{name}-{epoch}" if keys is None else "tcp://127.0.0.1:*"
        journal = self.journal(name) if is_journaled else None
        port = Port(name, epoch, address, self.clock, journal=journal, faults=faults, window=window, keys=keys)
        port.on_dead = lambda reason, _frame, _body, peer: self.dead.append((reason, peer))
        self.ports[name] = port
        self.got.setdefault(name, [])
        return port

    def meet(self, *names: str) -> None:
        """Those, or all, connect to each other."""
        for name, port in self.ports.items():
            for other, peer in self.ports.items():
                if name != other and (not names or {name, other} <= set(names)):
                    port.connect(other, peer.address, peer.epoch)

    def kill(self, name: str) -> None:
        """Nothing is written or sent any more."""
        port = self.ports.pop(name)
        for peer in port._peers:  # noqa: SLF001 - a kill asks nobody
            peer.disconnect()
        port._sockets.close()  # noqa: SLF001
        if port._ledger._journal is not None:  # noqa: SLF001
            port._ledger._journal.close()  # noqa: SLF001

    def turn(self, handle: Callable[[Port, Letter], Any] | None = None) -> None:
        """One turn of each host."""
        for name, port in list(self.ports.items()):
            port.poll(MS)
            while (letter := port.take()) is not None:
                self.got[name].append(letter)
                if handle is not None:
                    handle(port, letter)
                port.done(letter)

    def until(
        self, is_so: Callable[[], bool], handle: Callable[[Port, Letter], Any] | None = None, *, take: bool = True
    ) -> None:
        """Turns until it is so; without `take` all letters stay where they are."""
        for _ in range(ROUNDS_MAX):
            if is_so():
                return
            if take:
                self.turn(handle)
            for port in () if take else self.ports.values():
                _poll(port)
        raise AssertionError("it does not become so")

    def letter(self, name: str) -> Letter:
        """The next letter of a host, whose turn has begun then."""
        port = self.ports[name]
        for _ in range(ROUNDS_MAX):
            letter = port.take()
            if letter is not None:
                return letter
            port.poll(MS)
        raise AssertionError("no letter comes")

    def come(self, name: str, count: int) -> None:
        """Wait until that many letters are there, and take none."""
        port = self.ports[name]
        for _ in range(ROUNDS_MAX):
            if port.waiting >= count:
                return
            _poll(port)
        raise AssertionError(f"{port.waiting} letters come")

    def settle(self) -> None:
        """Turns until everything posted is confirmed."""
        self.until(lambda: not any(port.unconfirmed() for port in self.ports.values()))

    def raw(self, port: Port) -> "zmq.Socket[bytes]":
        """A socket of somebody who may send anything to that port."""
        socket = self._context.socket(zmq.PUSH)
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(port.address)
        self._raw.append(socket)
        return socket


def _poll(port: Port) -> None:
    """Poll, and wait for what is under way: with a letter at hand a port does not."""
    port.poll(MS)
    port._receiver.wait(MS)  # noqa: SLF001 - waits, which poll may not have done


def post(port: Port, peer: str, text: str, lane: Lane = Lane.ORDERS, kind: Kind = Kind.SEND) -> bool:
    """A short message."""
    return port.post(peer, kind, lane, "endpoint", "text", text.encode())


def texts(letters: Sequence[Letter]) -> list[str]:
    """The bodies."""
    return [bytes(letter.body).decode() for letter in letters]


def frame(kind: Kind, source: str, *, epoch: int = 1, lane: int = 2, seq: int = 0, extra: int = 0) -> Frame:
    """One as a stranger would send it."""
    return Frame(VERSION, kind, source, epoch, lane, "endpoint", seq, 0, "text", "", extra)


def send_raw(socket: "zmq.Socket[bytes]", header: Frame, body: Part = b"") -> None:
    """Past all links."""
    socket.send(bundled([pack(header, body)]))


def echo(port: Port, letter: Letter) -> None:
    """Answer requests."""
    if letter.frame.kind == Kind.REQUEST:
        port.post(letter.peer, Kind.REPLY, Lane.ORDERS, "asker", "text", b"re " + bytes(letter.body))


def advance(net: Net, clock: VirtualClock, is_so: Callable[[], bool]) -> None:
    """Turns until it is so, while time passes."""

    def has_passed() -> bool:
        clock.advance_to(clock.now_ns() + 2 * MS)
        return is_so()

    net.until(has_passed)
