"""A host's one thread: wait for letters, hand them out, fire what is due, say that it lives."""

import os
import sys
import threading
from typing import Final, Protocol

from libra_ray.bus.wire.frames import Kind
from libra_ray.bus.wire.keys import Keys
from libra_ray.bus.wire.port import Letter, Port
from libra_ray.clock import Clock, LiveClock
from libra_ray.hosts.actor_carrier import ActorCarrier
from libra_ray.hosts.bus_host import BusHost
from libra_ray.hosts.context import SUPERVISOR, HostProgram
from libra_ray.messages.codec import encode
from libra_ray.runtime.inbox import Lane

__all__ = ["HEARTBEAT_NS", "Carrier", "HostLoop", "run_host"]

HEARTBEAT_NS: Final = 250_000_000
"""How often a host says that it lives; with its status once a second."""
STATUS_BEATS: Final = 4
LETTERS_A_PASS: Final = 64
"""So many letters are handed out before new ones are looked for: a higher lane overtakes at most these."""
STOP_NS: Final = 2_000_000_000


class Carrier(Protocol):
    """What a loop carries: actors, or the bus."""

    ends_by_ns: int | None

    @property
    def lowest(self) -> Lane:
        """The lowest lane from which letters are taken now."""

    @property
    def is_waiting(self) -> bool:
        """A turn is open: only unreliable letters of lane CONTROL may be taken."""

    def receive(self, letter: Letter) -> None:
        """Take a letter."""

    def resume(self) -> None:
        """Go on with the open turn, if there is one and it can."""

    def on_time(self, now_ns: int) -> int:
        """Do what is due; returns when to come again."""

    def ask_to_stop(self, deadline_ns: int) -> None:
        """Begin to end."""

    def status(self) -> object:
        """What a supervisor is told."""

    def close(self) -> None:
        """Let go what it holds; the port is closed by others."""


class HostLoop:
    """Runs one carrier on one port until it has ended."""

    def __init__(
        self, program: HostProgram, port: Port, clock: Clock, carrier: Carrier, stopping: threading.Event | None
    ) -> None:
        self._program, self._port, self._clock, self._carrier = program, port, clock, carrier
        self._stopping = stopping
        self._beats = 0
        self._beat_ns = self._due_ns = 0
        self._parent_pid = os.getppid()

    def run(self) -> object:
        """Until the carrier has ended and what it sent is confirmed, or its deadline is over. Returns the status."""
        try:
            return self._run()
        finally:
            self._carrier.close()

    def _run(self) -> object:
        port, clock, carrier = self._port, self._clock, self._carrier
        while True:
            port.poll(max(0, min(self._due_ns, self._beat_ns) - clock.now_ns()))
            carrier.resume()
            for _ in range(LETTERS_A_PASS):
                is_waiting = carrier.is_waiting
                letter = port.take(unreliable_only=True) if is_waiting else port.take(lowest=carrier.lowest)
                if letter is None:
                    break
                carrier.receive(letter)
                if is_waiting:
                    carrier.resume()
                if clock.now_ns() >= min(self._due_ns, self._beat_ns):
                    break  # timers and heartbeats do not wait for a crowd of letters
            now_ns = clock.now_ns()
            self._due_ns = carrier.on_time(now_ns)
            if now_ns >= self._beat_ns:
                self._beat(now_ns)
            if carrier.ends_by_ns is not None and not carrier.is_waiting:
                break
        self._drain(carrier.ends_by_ns)
        return carrier.status()

    def _drain(self, until_ns: int) -> None:
        """Nothing is taken any more; what was sent is waited for."""
        port, clock = self._port, self._clock
        while port.unconfirmed() and (now_ns := clock.now_ns()) < until_ns:
            port.poll(min(until_ns - now_ns, HEARTBEAT_NS))
            letter = port.take(unreliable_only=True)
            if letter is not None:
                port.done(letter)
            if now_ns >= self._beat_ns:
                self._beat(now_ns)

    def _beat(self, now_ns: int) -> None:
        """Say that this host lives, and look whether it should."""
        self._beat_ns = now_ns + HEARTBEAT_NS
        self._beats += 1
        type_name, body = "", b""
        if self._beats % STATUS_BEATS == 1:
            type_name, body = encode(self._carrier.status())
        if self._program.supervisor is not None:
            self._port.post_unreliable(SUPERVISOR, Kind.HEARTBEAT, "", type_name, body, ts_ns=now_ns)
        is_orphan = self._program.ends_with_parent and os.getppid() != self._parent_pid
        if is_orphan or (self._stopping is not None and self._stopping.is_set()):
            self._carrier.ask_to_stop(STOP_NS)


def run_host(program: HostProgram, stopping: threading.Event | None = None) -> object:
    """Be the host of `program` until told to stop, by command or by `stopping`; returns the final `HostStatus`.

    The bus host is the program whose `bus` is None. What building the residents raises passes through.
    """
    sys.path.extend(entry for entry in program.search_path if entry not in sys.path)
    clock = LiveClock()
    journal = program.folder / f"{program.host_id}.journal" if program.is_journaled else None
    keys = None if program.keys_path is None else Keys.read(program.keys_path)
    port = Port(
        program.host_id, program.epoch, program.address, clock, journal=journal, keys=keys, faults=program.faults
    )
    try:
        carrier: Carrier
        if program.bus is None:
            carrier = BusHost(program, port, clock)
        else:
            carrier = ActorCarrier(program, port, clock, None if keys is None else keys.public)
        return HostLoop(program, port, clock, carrier, stopping).run()
    finally:
        port.close(HEARTBEAT_NS)
