"""Market data between hosts: from the publisher straight to each host that listens, in a flow with credit.

Frames BATCH and SNAPSHOT carry the place of their batch twice: `seq` counts those of a topic, `extra` those of the
flow. A gap in the flow is a loss; a gap in the topic alone is what conflation left out.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from libra_ray.bus import DeadReason
from libra_ray.bus.wire.descriptors import Release
from libra_ray.bus.wire.frames import Kind
from libra_ray.bus.wire.port import Letter, Port
from libra_ray.clock import Clock
from libra_ray.hosts.host_table import HostEntry
from libra_ray.hosts.market_inbound import Audience, MarketInbound
from libra_ray.hosts.market_outbound import MarketOutbound
from libra_ray.messages.codec import DecodeError, decode
from libra_ray.runtime.inbox import Lane

__all__ = ["MARKET_KINDS", "MARKET_NOTICES", "MarketDataDropped", "MarketLinks"]

MARKET_NOTICES: Final = frozenset({Kind.CREDIT, Kind.RELEASE, Kind.SUBSCRIBE})
"""Frames by which subscribers answer publishers. They call no handler and may come inside a turn."""
MARKET_KINDS: Final = MARKET_NOTICES | {Kind.BATCH, Kind.SNAPSHOT}
"""All frames that market data needs between two hosts of actors."""

DROPS_NS: Final = 1_000_000_000
PENDING_NS: Final = 50_000_000


class MarketDataDropped(msgspec.Struct, frozen=True):
    """A subscriber was slow, and newer batches took the place of older ones. Published once a second while it is so.

    `dropped` since the last such message, `total` since the flow began.
    """

    host_id: str
    subscriber: str
    dropped: int
    total: int
    ts_ns: int


class MarketLinks:
    """Both directions of a host.

    Attributes:
        outbound: what this host publishes. inbound: what it listens to.
    """

    def __init__(self, host_id: str, epoch: int, node: str, folder: Path, port: Port, clock: Clock) -> None:
        self.outbound = MarketOutbound(host_id, epoch, node, folder, port, clock)
        self.inbound = MarketInbound(folder, port, clock)
        self._host_id = host_id
        self._told_ns = 0

    def receive(self, letter: Letter, audience: Audience) -> None:
        """Take any frame of `MARKET_KINDS`."""
        frame = letter.frame
        kind = frame.kind
        if kind in (Kind.BATCH, Kind.SNAPSHOT):
            self.inbound.take(letter, audience)
        elif kind == Kind.CREDIT:
            if frame.lane == Lane.MARKET_DATA:
                self.inbound.probed(letter)
            else:
                self.outbound.credit(letter.peer, frame.extra)
        elif kind == Kind.SUBSCRIBE:
            self.outbound.send_snapshot(letter.peer, frame.destination)
        else:
            self._on_release(letter, audience)

    def retarget(self, hosts: Mapping[str, HostEntry], others_for: Callable[[str], tuple[str, ...]]) -> None:
        """The table of all hosts has changed."""
        self.outbound.retarget(hosts, others_for)

    def on_time(self, now_ns: int) -> list[MarketDataDropped]:
        """Do what is due; returns what is to be published about drops."""
        self.outbound.on_time(now_ns)
        self.inbound.on_time(now_ns)
        if now_ns < self._told_ns + DROPS_NS:
            return []
        self._told_ns = now_ns
        return [
            MarketDataDropped(self._host_id, host_id, dropped, total, now_ns)
            for host_id, dropped, total in self.outbound.drops()
        ]

    def due_ns(self, now_ns: int) -> int:
        """When `on_time` has something to do."""
        return now_ns + PENDING_NS if self.outbound.waits or self.inbound.is_owing else now_ns + DROPS_NS

    def close(self) -> None:
        """Let all shared memory go."""
        self.outbound.close()
        self.inbound.close()

    def _on_release(self, letter: Letter, audience: Audience) -> None:
        try:
            release = decode(letter.frame.type, letter.body)
        except DecodeError as error:
            audience.bury(DeadReason.UNDECODABLE, letter.peer, str(error))
            return
        if isinstance(release, Release):
            self.outbound.released(letter.peer, release)
