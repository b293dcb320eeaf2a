"""A host's side of the table of all hosts: it says what it receives and takes over what the bus host says of others."""

from collections.abc import Callable
from typing import Final

from libra_ray.bus.wire.frames import Frame, Kind, Part
from libra_ray.bus.wire.port import Port
from libra_ray.clock import Clock
from libra_ray.errors import EndpointTakenError
from libra_ray.hosts.context import BUS, HostProgram, PeerAddress
from libra_ray.hosts.host_table import Announcement, HostEntry, TableSeen, TableSettled, TableState
from libra_ray.hosts.remote_bus import RemoteBus
from libra_ray.messages.codec import decode, encode

__all__ = ["TableSync"]

RESEND_NS: Final = 100_000_000
PATIENCE_NS: Final = 1_000_000_000


class TableSync:
    """Keeps the bus host's table right about this host, and this host's copy right about the others.

    What is said is the whole, numbered, and said again until the table has it: a lost frame or a bus host that starts
    anew costs time and nothing else.

    Attributes:
        on_endpoint_lost: called with an endpoint that another host had before, and the error.
        unsettled: how often this host went on before all others knew what it subscribed to.
    """

    def __init__(
        self,
        program: HostProgram,
        port: Port,
        bus: RemoteBus,
        clock: Clock,
        server_key: bytes | None,
        on_endpoint_lost: Callable[[str, Exception], object],
    ) -> None:
        self.unsettled = 0
        self._program, self._port, self._bus, self._clock = program, port, bus, clock
        self._on_endpoint_lost = on_endpoint_lost
        self._server_key = server_key
        self._change = 0
        self._said_version = -1
        self._said_ns = 0
        self._additions = 0
        self._awaited_until_ns: int | None = None
        self._peers: dict[str, PeerAddress] = {}

    # --- what this host says ------------------------------------------------------------------------------------

    def announce(self) -> None:
        """Say what this host receives, if that has changed since it was said last."""
        if self._bus.table.version == self._said_version:
            return
        self._said_version = self._bus.table.version
        self._change += 1
        self._say()

    def must_wait(self) -> bool:
        """Something was subscribed or registered of which not all hosts know yet. At most for a second."""
        bus = self._bus
        if bus.additions == self._additions:
            return False
        self.announce()
        if self._awaited_until_ns is None:
            self._awaited_until_ns = self._clock.now_ns() + PATIENCE_NS
        if not bus.copy.has_settled(self._change):
            if self._clock.now_ns() < self._awaited_until_ns:
                return True
            self.unsettled += 1
        self._additions, self._awaited_until_ns = bus.additions, None
        return False

    @property
    def has_table(self) -> bool:
        """The bus host has said who there is, this host included."""
        return self._change > 0 and self._bus.copy.has_heard(1)

    @property
    def is_told(self) -> bool:
        """The table has all that this host receives."""
        return self._bus.table.version == self._said_version and self._bus.copy.has_heard(self._change)

    def on_time(self, now_ns: int) -> int:
        """Say again what the table lacks; returns when to ask next."""
        is_known = self._bus.copy.has_heard(self._change)
        if is_known and self._awaited_until_ns is None:
            return now_ns + PATIENCE_NS
        if now_ns >= self._said_ns + RESEND_NS:
            if is_known:
                self._said_ns = now_ns
                self._send(TableSeen(self._bus.copy.version))
            else:
                self._say()
        return self._said_ns + RESEND_NS

    def _say(self) -> None:
        self._said_ns = self._clock.now_ns()
        program, bus = self._program, self._bus
        entry = HostEntry(
            program.host_id,
            program.epoch,
            self._port.address,
            self._server_key,
            self._change,
            bus.patterns,
            tuple(bus.table.endpoints),
            program.node,
        )
        self._send(Announcement(entry))

    def _send(self, message: object) -> None:
        type_name, body = encode(message)
        self._port.post_unreliable(BUS, Kind.SUBSCRIBE, "", type_name, body, ts_ns=self._clock.now_ns())

    # --- what it is told ----------------------------------------------------------------------------------------

    def on_table(self, frame: Frame, body: Part) -> None:
        """Take over a frame TABLE. Raises `DecodeError`."""
        message = decode(frame.type, body)
        copy = self._bus.copy
        if isinstance(message, TableSettled):
            copy.settled = max(copy.settled, message.version)
        elif isinstance(message, TableState):
            if copy.apply(message):
                self._connect_to_all()
                for host_id in message.gone:
                    self.forget_peer(host_id)
                self._give_back(message)
                self._bus.market.retarget(copy.hosts, copy.others_for)
            self._send(TableSeen(copy.version))

    def move_peer(self, peer: PeerAddress) -> None:
        """A peer lives elsewhere or again. A bus host that is new is told at once what this host receives."""
        known = self._peers.get(peer.host_id)
        if known is not None and (known.epoch > peer.epoch or known == peer):
            return
        self._peers[peer.host_id] = peer
        self._port.connect(peer.host_id, peer.address, peer.epoch, peer.server_key)
        if peer.host_id == BUS and self._change:
            self._say()

    def forget_peer(self, host_id: str) -> None:
        """A peer is gone for good."""
        if self._peers.pop(host_id, None) is not None:
            self._port.forget(host_id)

    def _connect_to_all(self) -> None:
        hosts = self._bus.copy.hosts
        for entry in hosts.values():
            if entry.host_id != self._program.host_id:
                self.move_peer(PeerAddress(entry.host_id, entry.address, entry.epoch, entry.server_key))

    def _give_back(self, state: TableState) -> None:
        for host_id, endpoint in state.refused:
            if host_id == self._program.host_id:
                self._on_endpoint_lost(endpoint, EndpointTakenError(endpoint))
