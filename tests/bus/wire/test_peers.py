"""One peer, with a way that refuses when the test says so."""

from collections.abc import Sequence

import msgspec
import pytest

from libra_ray.bus.wire.bundles import BUNDLE_BYTES_MAX, BUNDLE_FRAMES_MAX
from libra_ray.bus.wire.frames import Frame, Kind, Parts, unpack
from libra_ray.bus.wire.links import Greeting, PeerLinks
from libra_ray.bus.wire.peers import ACK_EVERY, ASK_AFTER_NS, ASK_AFTER_NS_MAX, Peer
from libra_ray.bus.wire.sockets import Sender
from libra_ray.clock import VirtualClock
from libra_ray.runtime.inbox import Lane

WINDOW = 3


class Way(Sender):
    """Takes so many messages."""

    def __init__(self) -> None:
        self.room = 1_000
        self.taken: list[tuple[Frame, bytes]] = []

    def send(self, frames: Sequence[Parts]) -> bool:
        if not self.room:
            return False
        self.room -= 1
        arrived = [unpack(parts) for parts in frames]
        self.taken += [(frame, bytes(text)) for frame, text in arrived]
        return True

    def close(self, linger_ns: int = 0) -> None:
        self.room = linger_ns

    def kinds(self) -> list[Kind]:
        """Of what was taken since the last call."""
        kinds = [Kind(frame.kind) for frame, _ in self.taken]
        self.taken.clear()
        return kinds


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(1)


@pytest.fixture
def links() -> PeerLinks:
    return PeerLinks(1, WINDOW)


@pytest.fixture
def peer(clock: VirtualClock, links: PeerLinks) -> Peer:
    return Peer("a", 1, "b", links, clock.now_ns)


@pytest.fixture
def way(peer: Peer) -> Way:
    made = Way()
    peer.connect(made, "address", 1)
    assert made.kinds() == [Kind.HELLO]
    return made


def put(links: PeerLinks, count: int, lane: Lane = Lane.ORDERS) -> None:
    link = links.outbound[lane]
    for _ in range(count):
        seq = link.number()
        link.put(seq, (msgspec.msgpack.encode([1, Kind.SEND, "a", 1, lane, lane.name, seq, 0, ""]), b""))


SEND = msgspec.msgpack.encode([1, Kind.SEND, "a", 1, Lane.ORDERS, "", 1, 0, ""])


def test_a_full_way_is_tried_again_until_all_has_left(peer: Peer, links: PeerLinks, way: Way) -> None:
    links.outbound[Lane.ORDERS].window = 9 * BUNDLE_FRAMES_MAX
    put(links, BUNDLE_FRAMES_MAX + 2)
    way.room = 1
    peer.transmit()
    assert (peer.is_full, peer.held) == (True, 2)
    assert peer.held_since_ns([Lane.ORDERS]) == 1

    way.room = 9
    assert peer.tend(2)
    assert (peer.is_full, peer.held) == (False, 0)
    assert peer.held_since_ns([Lane.ORDERS]) is None
    assert (peer.counts[Lane.ORDERS].sent, peer.counts[Lane.ORDERS].resent) == (BUNDLE_FRAMES_MAX + 2, 0)


def test_the_highest_lane_leaves_first_also_when_it_was_held(peer: Peer, links: PeerLinks, way: Way) -> None:
    way.room = 0
    put(links, 1, Lane.SIGNALS)
    put(links, 1, Lane.RISK)
    peer.transmit()
    way.room = 1
    peer.transmit()

    assert [frame.destination for frame, _ in way.taken] == ["RISK", "SIGNALS"]


def test_what_may_leave_together_is_one_message(peer: Peer, links: PeerLinks, way: Way) -> None:
    put(links, 2)
    put(links, 1, Lane.RISK)
    way.room = 1
    peer.transmit()

    assert [frame.destination for frame, _ in way.taken] == ["RISK", "ORDERS", "ORDERS"]


def test_all_lanes_are_confirmed_by_one_message(peer: Peer, links: PeerLinks, way: Way) -> None:
    links.consume(Lane.RISK, 1)
    links.consume(Lane.ORDERS, 1)
    way.room = 1
    peer.acknowledge()

    assert way.kinds() == [Kind.ACK, Kind.ACK]


def test_a_long_frame_leaves_before_the_next_bundle(peer: Peer, links: PeerLinks, way: Way) -> None:
    link = links.outbound[Lane.ORDERS]
    link.put(link.number(), (SEND, bytes(BUNDLE_BYTES_MAX)))
    link.put(link.number(), (SEND, b""))
    way.room = 1
    peer.transmit()

    assert (peer.is_full, peer.held) == (True, 1)


def test_held_counts_from_its_beginning(peer: Peer, links: PeerLinks, way: Way, clock: VirtualClock) -> None:
    put(links, 5)
    peer.transmit()
    clock.advance_to(9)
    links.outbound[Lane.ORDERS].confirm(1)
    peer.transmit()

    assert peer.held == 1
    assert peer.held_since_ns([Lane.ORDERS]) == 1
    assert len(way.taken) == 4


def test_held_ends_when_all_is_confirmed(peer: Peer, links: PeerLinks, way: Way) -> None:
    put(links, 4)
    peer.transmit()
    assert peer.held_since_ns([Lane.ORDERS]) == 1
    assert peer.held_since_ns([Lane.RISK]) is None
    assert way.room < 1_000

    links.outbound[Lane.ORDERS].confirm(4)
    peer.transmit()

    assert peer.held_since_ns([Lane.ORDERS]) is None


def test_what_is_consumed_is_confirmed_in_time(peer: Peer, links: PeerLinks, way: Way) -> None:
    links.birth = 7
    links.consume(Lane.ORDERS, 1)
    peer.acknowledge(ACK_EVERY)
    assert way.kinds() == [], "one alone waits for the next tick"

    way.room = 0
    assert peer.tend(2), "there was no room"
    way.room = 9
    assert not peer.tend(3)
    ((frame, _),) = way.taken
    assert (frame.kind, frame.lane, frame.seq, frame.extra) == (Kind.ACK, Lane.ORDERS, 7, 1)
    assert not peer.tend(4)
    assert len(way.taken) == 1, "it is said once"
    for seq in range(2, 2 + ACK_EVERY):
        links.consume(Lane.ORDERS, seq)
    peer.acknowledge(ACK_EVERY)
    assert way.taken[-1][0].extra == 1 + ACK_EVERY


def test_it_asks_after_a_silence_and_less_and_less_often(peer: Peer, links: PeerLinks, way: Way) -> None:
    put(links, 2)
    peer.transmit()
    way.kinds()
    asked = []
    for ms in range(5_000):
        assert peer.tend(ms * 1_000_000)
        if way.kinds() == [Kind.HELLO]:
            asked.append(ms)

    assert asked == [100, 300, 700, 1_500, 2_500, 3_500, 4_500]
    assert ASK_AFTER_NS * 10 == ASK_AFTER_NS_MAX
    links.outbound[Lane.ORDERS].confirm(1)
    assert peer.tend(5_000 * 1_000_000)
    assert peer.tend(5_099 * 1_000_000)
    assert way.kinds() == [], "something was confirmed: the silence is over"
    links.outbound[Lane.ORDERS].confirm(2)
    assert not peer.tend(9_000 * 1_000_000), "nothing is under way"


def test_without_a_way_all_waits(peer: Peer, links: PeerLinks, way: Way) -> None:
    put(links, 4)
    peer.transmit()
    peer.disconnect()

    assert (peer.address, peer.epoch) == (None, 0)
    assert peer.held_since_ns([Lane.ORDERS]) is None, "it is not slow, it is away"
    assert not peer.tend(9)
    assert not peer.send(SEND, b"")
    assert way.room == 0, "closed"
    later = Way()
    peer.connect(later, "elsewhere", 2)
    assert later.kinds() == [Kind.HELLO, Kind.SEND, Kind.SEND, Kind.SEND]
    assert peer.counts[Lane.ORDERS].resent == 3


def test_a_greeting_says_where_all_stands(peer: Peer, links: PeerLinks, way: Way) -> None:
    links.birth = 7
    put(links, 2)
    peer.transmit()
    links.consume(Lane.RISK, 5)
    way.taken.clear()
    peer.greet(Kind.WELCOME)

    ((frame, body),) = way.taken
    greeting = msgspec.msgpack.decode(body, type=Greeting)
    assert (frame.kind, frame.source, frame.epoch) == (Kind.WELCOME, "a", 1)
    assert (greeting.birth, greeting.peer_birth, greeting.window) == (1, 7, WINDOW)
    assert greeting.lanes[Lane.ORDERS].sent == 2
    assert greeting.lanes[Lane.RISK].consumed == 5
