"""The bus host: it owns the table of all hosts and sends topics on. It runs no handler and never dies of a message."""

from typing import Final

import msgspec

from libra_ray.bus import DEAD_LETTERS_TOPIC, DeadLetter, DeadReason
from libra_ray.bus.wire.frames import Frame, Kind, Part
from libra_ray.bus.wire.port import Letter, Port
from libra_ray.clock import Clock
from libra_ray.errors import LibraError
from libra_ray.hosts.commands import (
    Answer,
    AskStatus,
    ForgetPeer,
    MovePeer,
    PeerDied,
    StopHost,
    command_in,
    post_answer,
)
from libra_ray.hosts.context import BUS, HostProgram
from libra_ray.hosts.host_table import Announcement, TableOwner, TableSeen, TableSettled, TableState
from libra_ray.hosts.meter import Meter
from libra_ray.hosts.status import HostStatus
from libra_ray.messages.codec import DecodeError, decode, encode
from libra_ray.runtime.inbox import Lane

__all__ = ["BusHost"]

RESEND_NS: Final = 100_000_000
GATHER_NS: Final = 300_000_000
"""A later life that found no journal waits so long for hosts to say what they receive, before it tells any."""


class BusHost:
    """Routes publications, store and forward: a copy for each host that listens, in lane and order of arrival.

    Bodies are not looked at. What it sends on is in its journal before the sender is told that it has it.

    Attributes:
        table: the table of all hosts.
        dead_counts: what could not be delivered, by reason.
        ends_by_ns: when this host must have ended; None while nobody asked it to stop.
    """

    def __init__(self, program: HostProgram, port: Port, clock: Clock) -> None:
        resumed = port.resumed
        snapshot = None if resumed is None else resumed.snapshot
        restored = None if snapshot is None else msgspec.msgpack.decode(snapshot, type=TableState)
        self.table = TableOwner(program.epoch, restored)
        self.dead_counts: dict[DeadReason, int] = {}
        self.ends_by_ns: int | None = None
        self._meter = Meter(port, clock)
        self._epoch = program.epoch
        self._port, self._clock = port, clock
        self._ways: dict[str, tuple[str, ...]] = {}
        self._told_ns: dict[str, int] = {}
        self._silent_until_ns = 0
        self._is_saved = True
        self._refused: list[tuple[DeadReason, str, str]] = []
        if restored is None and program.epoch > 1:
            self._silent_until_ns = clock.now_ns() + GATHER_NS
        port.on_dead = self._on_dead
        if program.supervisor is not None:
            peer = program.supervisor
            port.connect(peer.host_id, peer.address, peer.epoch, peer.server_key)
        for entry in self.table.hosts.values():
            port.connect(entry.host_id, entry.address, entry.epoch, entry.server_key)

    # --- topics -------------------------------------------------------------------------------------------------

    def route(self, letter: Letter) -> None:
        """Send a publication to each other host that listens. Raises nothing."""
        frame = letter.frame
        topic = frame.destination
        hosts = self._ways.get(topic)
        if hosts is None:
            try:
                hosts = self._ways[topic] = self.table.hosts_for(topic)
            except ValueError:
                self.bury(DeadReason.BAD_FRAME, topic, "no topic")
                return
        post, source, lane = self._port.post, letter.peer, Lane(frame.lane)
        for host_id in hosts:
            if host_id != source:
                post(
                    host_id, Kind.PUBLISH, lane, topic, frame.type, letter.body,
                    origin=frame.origin, ts_ns=frame.ts_ns, extra=frame.extra,
                )  # fmt: skip

    def receive(self, letter: Letter) -> None:
        """Take a letter: a publication, what a host says of itself, or a command."""
        frame = letter.frame
        if frame.kind == Kind.PUBLISH:
            self.route(letter)
        elif frame.kind == Kind.SUBSCRIBE:
            self._on_said(frame, letter.body)
        elif frame.kind == Kind.COMMAND:
            post_answer(self._port, letter, self._obey(letter), self._clock.now_ns())
        else:
            self.bury(DeadReason.NO_RECEIVER, frame.destination, f"kind {frame.kind} is not for the bus host")
        self._port.done(letter, keep=False)

    @property
    def lowest(self) -> Lane:
        """All."""
        return Lane.MARKET_DATA

    @property
    def is_waiting(self) -> bool:
        """Never: each letter is done when `receive` returns."""
        return False

    def resume(self) -> None:
        """Nothing to go on with."""

    def close(self) -> None:
        """Nothing is held."""

    def ask_to_stop(self, deadline_ns: int) -> None:
        """Take nothing more, and end when what was sent on has arrived."""
        self.ends_by_ns = self._clock.now_ns() + deadline_ns

    def _obey(self, letter: Letter) -> Answer:
        command = command_in(letter, self._epoch)
        match command:
            case Answer():
                return command
            case StopHost():
                self.ask_to_stop(command.deadline_ns)
            case PeerDied():
                self.peer_died(command.host_id, command.epoch)
            case ForgetPeer():
                self.peer_gone(command.host_id)
            case MovePeer():
                self._port.connect(command.host_id, command.address, command.epoch, command.server_key)
            case AskStatus():
                return Answer(is_ok=True, value=self.status())
            case _:
                return Answer(is_ok=False, text=f"the bus host does not know {type(command).__name__}")
        return Answer(is_ok=True)

    def status(self) -> HostStatus:
        """What a supervisor is told."""
        return self._meter.status(dead_letters=self.dead_counts)

    def bury(self, reason: DeadReason, destination: str, detail: str) -> None:
        """Count what could not be delivered, and publish it to who listens to dead letters."""
        count = self.dead_counts[reason] = self.dead_counts.get(reason, 0) + 1
        now_ns = self._clock.now_ns()
        type_name, body = encode(DeadLetter(reason, destination, detail, now_ns, count))
        for host_id in self.table.hosts_for(DEAD_LETTERS_TOPIC):
            self._port.post(
                host_id, Kind.PUBLISH, Lane.SIGNALS, DEAD_LETTERS_TOPIC, type_name, body, origin=BUS, ts_ns=now_ns
            )

    def _on_dead(self, reason: str, frame: Frame | None, _body: Part | None, peer_id: str) -> None:
        self._refused.append(
            (DeadReason(reason), peer_id if frame is None else frame.destination or frame.source, peer_id)
        )

    def _bury_refused(self) -> None:
        refused, self._refused = self._refused, []
        for reason, destination, peer_id in refused:
            self.bury(reason, destination, f"from {peer_id or 'an unknown peer'}")

    # --- the table ----------------------------------------------------------------------------------------------

    def _on_said(self, frame: Frame, body: Part) -> None:
        try:
            said = decode(frame.type, body)
        except DecodeError as error:
            self.bury(DeadReason.UNDECODABLE, frame.source, str(error))
            return
        if isinstance(said, TableSeen):
            self.table.saw(frame.source, said.version)
            if not self._tell_settled() and self.table.settled >= said.version:
                self._send(frame.source, TableSettled(self.table.settled))  # it has missed that
        elif isinstance(said, Announcement):
            entry = said.entry
            if entry.host_id != frame.source:
                self.bury(DeadReason.BAD_FRAME, frame.source, f"it speaks for {entry.host_id}")
                return
            try:
                changed = self.table.announce(entry)
                self._port.connect(entry.host_id, entry.address, entry.epoch, entry.server_key)
            except (LibraError, ValueError) as error:
                self.bury(DeadReason.BAD_FRAME, frame.source, str(error))
                return
            if changed:
                self.tell_all()
            elif entry.host_id in self.table.behind():
                self._tell(entry.host_id)

    def peer_died(self, host_id: str, epoch: int) -> None:
        """Nobody waits any more for that life of a host."""
        if self.table.died(host_id, epoch):
            self._tell_settled()

    def peer_gone(self, host_id: str) -> None:
        """A host is gone for good."""
        if self.table.forget(host_id):
            self._port.forget(host_id)
            self.tell_all()

    def tell_all(self) -> None:
        """Send the table to every host, and keep it for a next life."""
        self._ways.clear()
        if self._clock.now_ns() < self._silent_until_ns:
            return
        self._is_saved = False
        for host_id in self.table.hosts:
            self._tell(host_id)
        self._tell_settled()

    def on_time(self, now_ns: int) -> int:
        """Tell again who has not said that it knows, and save the table; between turns. Returns when to ask next."""
        if self._refused:
            self._bury_refused()
        if not self._is_saved:
            self._is_saved = True
            self._port.snapshot(msgspec.msgpack.encode(self.table.state))
        if self._silent_until_ns:
            if now_ns < self._silent_until_ns:
                return self._silent_until_ns
            self._silent_until_ns = 0
            self.tell_all()
        for host_id in self.table.behind():
            if now_ns >= self._told_ns.get(host_id, 0) + RESEND_NS:
                self._tell(host_id)
        return now_ns + RESEND_NS if self.table.behind() else now_ns + 10 * RESEND_NS

    def _tell(self, host_id: str) -> None:
        self._told_ns[host_id] = self._clock.now_ns()
        self._send(host_id, self.table.state)

    def _tell_settled(self) -> bool:
        settled = self.table.settle()
        if settled is None:
            return False
        for host_id in self.table.hosts:
            self._send(host_id, settled)
        return True

    def _send(self, host_id: str, message: object) -> None:
        type_name, body = encode(message)
        self._port.post_unreliable(host_id, Kind.TABLE, "", type_name, body, ts_ns=self._clock.now_ns())
