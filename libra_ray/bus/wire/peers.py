"""The peers of a port: the way to each, what may leave now, and when one must be asked whether all arrived."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from libra_ray.bus.wire.bundles import BUNDLE_BYTES_MAX, BUNDLE_FRAMES_MAX
from libra_ray.bus.wire.frames import VERSION, Frame, Kind, Part, Parts, pack
from libra_ray.bus.wire.ledger import Ledger
from libra_ray.bus.wire.letter import RELIABLE_LANES, LinkCount
from libra_ray.bus.wire.links import PeerLinks
from libra_ray.bus.wire.sockets import FaultySender, Sender
from libra_ray.runtime.inbox import Lane

__all__ = ["ACK_EVERY", "Peer", "Peers"]

ASK_AFTER_NS: Final = 100_000_000
"""Frames under way of which nothing is confirmed for so long are asked after, then each time after twice as long."""
ASK_AFTER_NS_MAX: Final = 1_000_000_000
ACK_EVERY: Final = 64
"""Consumed messages that are confirmed at once; fewer wait for the next tick."""

ORDER_LANES: Final = (Lane.RISK, Lane.ORDERS)

Way: TypeAlias = Sender | FaultySender

_encode = msgspec.msgpack.Encoder().encode


class Peer:
    """Who is at the other end.

    Attributes:
        links: what was sent and received.
        counts: by lane.
        address, epoch: where it is connected to; None and 0 when it is not.
        is_full: its socket refused a frame.
    """

    def __init__(self, host_id: str, epoch: int, peer_id: str, links: PeerLinks, now_ns: Callable[[], int]) -> None:
        self.peer_id, self.links = peer_id, links
        self.counts = tuple(LinkCount() for _ in Lane)
        self.address: str | None = None
        self.epoch = 0
        self.is_full = False
        self._host_id, self._host_epoch, self._now_ns = host_id, epoch, now_ns
        self._way: Way | None = None
        self._confirmed = 0
        self._ask_at_ns = self._ask_after_ns = 0

    def connect(self, way: Way, address: str, epoch: int) -> None:
        """Go that way from now on: greet, and send again what is not confirmed."""
        self.disconnect()
        self._way, self.address, self.epoch = way, address, epoch
        self.links.moved(epoch)
        self.greet(Kind.HELLO)
        self.transmit()

    def disconnect(self, linger_ns: int = 0) -> None:
        """Close the way."""
        if self._way is not None:
            self._way.close(linger_ns)
        self._way, self.address, self.epoch = None, None, 0
        self.is_full = False
        for link in self.links.outbound:
            link.held_since_ns = 0

    def send(self, header: Part, body: Part) -> bool:
        """Send past all links. False when there is no way or no room."""
        return self._way is not None and self._way.send(((header, body),))

    def greet(self, kind: Kind) -> bool:
        """Say HELLO, which is answered, or WELCOME, the answer."""
        return self.send(*pack(self._frame(kind), _encode(self.links.greeting())))

    def transmit(self) -> None:
        """Send all that may leave, the highest lane first."""
        way = self._way
        if way is None:
            return
        self.is_full, is_more = False, True
        while is_more:
            frames, runs, is_more = self._next_bundle()
            if frames and not way.send(frames):
                self.is_full = True
                break
            self._left(runs)
        for link in self.links.outbound:
            if link.ready == link.sent:
                link.held_since_ns = 0
            elif not link.held_since_ns:
                link.held_since_ns = self._now_ns()

    def _next_bundle(self) -> tuple[list[Parts], list[tuple[int, int]], bool]:
        """What may leave as one message, how many frames of each (lane, count) that is, and whether it is full."""
        frames: list[Parts] = []
        runs, size = [], 0
        for lane, link in enumerate(self.links.outbound):
            if link.ready == link.sent:
                continue
            first = len(frames)
            while (parts := link.next_parts(len(frames) - first)) is not None:
                if len(frames) == BUNDLE_FRAMES_MAX or size >= BUNDLE_BYTES_MAX:
                    runs.append((lane, len(frames) - first))
                    return frames, runs, True
                frames.append(parts)
                size += len(parts[0]) + len(parts[1])
            runs.append((lane, len(frames) - first))
        return frames, runs, False

    def _left(self, runs: Sequence[tuple[int, int]]) -> None:
        for lane, count in runs:
            fresh = self.links.outbound[lane].left(count)
            self.counts[lane].sent += fresh
            self.counts[lane].resent += count - fresh

    @property
    def unconfirmed(self) -> int:
        """Frames that the peer has not consumed."""
        return sum(link.last - link.confirmed for link in self.links.outbound)

    @property
    def held(self) -> int:
        """Frames that have not left."""
        return sum(link.last - link.sent for link in self.links.outbound)

    def held_since_ns(self, lanes: Sequence[Lane]) -> int | None:
        """Since when frames of these lanes wait although there is a way; None when none do."""
        since = [self.links.outbound[lane].held_since_ns for lane in lanes]
        return min((since_ns for since_ns in since if since_ns), default=None)

    def acknowledge(self, at_least: int = 1) -> None:
        """Confirm what was consumed, if that many messages were."""
        links = self.links
        if self._way is None or links.unsaid < at_least:
            return
        acks = [
            pack(self._frame(Kind.ACK, lane, links.birth, link.consumed))
            for lane, link in zip(RELIABLE_LANES, links.inbound, strict=True)
            if link.consumed != link.said
        ]
        if acks and not self._way.send(acks):
            return
        links.unsaid = 0
        for link in links.inbound:
            link.said = link.consumed

    def _frame(self, kind: Kind, lane: Lane = Lane.CONTROL, seq: int = 0, extra: int = 0) -> Frame:
        return Frame(VERSION, kind, self._host_id, self._host_epoch, lane, "", seq, 0, "", "", extra)

    def tend(self, now_ns: int) -> bool:
        """Confirm, send what is late, ask after what is long under way. Whether to be called again soon."""
        way = self._way
        if way is None:
            return False
        if self.is_full:
            self.transmit()
        self.acknowledge()
        is_late = way.pump() is not None
        return self._ask(now_ns) or self.is_full or is_late or self.links.unsaid > 0

    def _ask(self, now_ns: int) -> bool:
        """Whether anything is under way. What the answer shows as lost is sent again."""
        confirmed, is_under_way = 0, False
        for link in self.links.outbound:
            confirmed += link.confirmed
            is_under_way = is_under_way or link.is_under_way
        if not is_under_way:
            self._ask_at_ns = 0
            return False
        if confirmed != self._confirmed or not self._ask_at_ns:
            self._confirmed = confirmed
            self._ask_after_ns = ASK_AFTER_NS
            self._ask_at_ns = now_ns + ASK_AFTER_NS
        elif now_ns >= self._ask_at_ns:
            self.greet(Kind.HELLO)
            self._ask_after_ns = min(2 * self._ask_after_ns, ASK_AFTER_NS_MAX)
            self._ask_at_ns = now_ns + self._ask_after_ns
        return True


class Peers:
    """All peers of one host, by id."""

    def __init__(self, host_id: str, epoch: int, ledger: Ledger, now_ns: Callable[[], int]) -> None:
        """Those that the ledger knows from a former life are there at once."""
        self._host_id, self._epoch, self._ledger, self._now_ns = host_id, epoch, ledger, now_ns
        self._peers: dict[str, Peer] = {}
        self._strangers = LinkCount()
        for peer_id in ledger.links:
            self.of(peer_id)

    def __iter__(self) -> Iterator[Peer]:
        return iter(self._peers.values())

    def get(self, peer_id: str) -> Peer | None:
        """The peer, None when it is not known."""
        return self._peers.get(peer_id)

    def of(self, peer_id: str) -> Peer:
        """The peer, made known where it is not."""
        peer = self._peers.get(peer_id)
        if peer is None:
            links = self._ledger.of(peer_id)
            peer = self._peers[peer_id] = Peer(self._host_id, self._epoch, peer_id, links, self._now_ns)
        return peer

    def epoch_of(self, peer_id: str) -> int:
        """The latest life of the peer that is known; 0 for none."""
        peer = self._peers.get(peer_id)
        return 0 if peer is None else peer.links.epoch

    def count(self, peer_id: str, lane: int) -> LinkCount:
        """The counters of a peer's lane; all strangers have one."""
        peer = self._peers.get(peer_id)
        return self._strangers if peer is None else peer.counts[lane]

    @property
    def counts(self) -> Mapping[tuple[str, Lane], LinkCount]:
        """All counters by (peer, lane), those of strangers under the empty name."""
        known = {(peer.peer_id, lane): peer.counts[lane] for peer in self for lane in Lane}
        return {**known, ("", Lane.CONTROL): self._strangers}

    def slow(self, over_ns: int) -> Sequence[str]:
        """Those for which frames of an order lane have been held for longer than that."""
        held = [(peer.peer_id, peer.held_since_ns(ORDER_LANES)) for peer in self]
        if all(since_ns is None for _, since_ns in held):
            return ()
        now_ns = self._now_ns()
        return tuple(peer_id for peer_id, since_ns in held if since_ns is not None and now_ns - since_ns > over_ns)
