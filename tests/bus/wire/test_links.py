"""Links against a wire that loses, doubles, reorders and delays, between hosts that are killed and come back."""

from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from libra_ray.bus.wire.links import Arrival, Greeting, InboundLink, OutboundLink, PeerLinks
from libra_ray.runtime.inbox import Lane

LANES = (Lane.RISK, Lane.ORDERS)
WINDOW = 4


@dataclass(frozen=True)
class Packet:
    """What is under way: a message, an acknowledgement, or a greeting."""

    epoch: int
    lane: int = 0
    seq: int = 0
    text: str = ""
    is_ack: bool = False
    birth: int = 0
    greeting: Greeting | None = None
    is_question: bool = False


@dataclass
class End:
    """One host: its links, what it has consumed, and what would be in its journal."""

    name: str
    links: PeerLinks = field(default_factory=lambda: PeerLinks(1, WINDOW))
    epoch: int = 1
    wire: list[Packet] = field(default_factory=list)
    """What it has sent and nobody has received."""
    waiting: list[Packet] = field(default_factory=list)
    consumed: dict[int, list[str]] = field(default_factory=lambda: {lane: [] for lane in LANES})
    sent: dict[int, list[str]] = field(default_factory=lambda: {lane: [] for lane in LANES})

    def send(self, lane: Lane) -> None:
        text = f"{self.name}{lane}.{len(self.sent[lane])}"
        self.sent[lane].append(text)
        link = self.links.outbound[lane]
        link.put(link.number(), (text.encode(), b""))
        self.transmit()

    def transmit(self) -> None:
        for lane, link in enumerate(self.links.outbound):
            while (parts := link.next_parts()) is not None:
                link.left()
                assert link.sent - link.confirmed <= WINDOW
                self.wire.append(Packet(self.epoch, lane, link.sent, bytes(parts[0]).decode()))

    def greet(self, *, is_question: bool) -> None:
        self.wire.append(Packet(self.epoch, greeting=self.links.greeting(), is_question=is_question))

    def receive(self, packet: Packet) -> None:
        if packet.greeting is not None:
            if packet.epoch >= self.links.epoch:
                self.links.greeted_by(packet.epoch, packet.greeting)
                if packet.is_question:
                    self.greet(is_question=False)
        elif packet.is_ack:
            if packet.epoch == self.links.greeted:
                self.links.confirm(packet.birth, packet.lane, packet.seq)
        else:
            arrival = self.links.arrive(packet.epoch, packet.lane, packet.seq)
            if arrival is Arrival.TAKEN:
                self.waiting.append(packet)
            elif arrival is Arrival.ASK:
                self.greet(is_question=False)
        self.transmit()

    def consume(self) -> None:
        """The highest lane first."""
        if self.waiting:
            packet = min(self.waiting, key=lambda waiting: waiting.lane)
            self.waiting.remove(packet)
            self.consumed[packet.lane].append(packet.text)
            self.links.consume(packet.lane, packet.seq)

    def acknowledge(self) -> None:
        for lane in LANES:
            consumed = self.links.inbound[lane].consumed
            self.wire.append(Packet(self.epoch, lane, consumed, is_ack=True, birth=self.links.birth))

    def restart(self, peer: "End") -> None:
        """Killed and back with its journal: what was consumed and what is not confirmed is known, nothing else."""
        former, self.epoch = self.links, self.epoch + 1
        self.links = PeerLinks(former.own_birth, WINDOW)
        self.links.birth, self.links.epoch = former.birth, former.epoch
        for old, new in zip(former.inbound, self.links.inbound, strict=True):
            new.begin(old.consumed)
        for before, after in zip(former.outbound, self.links.outbound, strict=True):
            after.restore(before.confirmed, before.last)
            after.frames.update(before.frames)
        self.waiting.clear()
        peer.meet(self)
        self.meet(peer)

    def meet(self, peer: "End") -> None:
        """Connect: what was on the way to its former life arrives nowhere."""
        self.links.moved(peer.epoch)
        self.greet(is_question=True)
        self.transmit()


def run(operations: list[tuple[str, int, int]]) -> tuple[End, End]:
    left, right = End("a"), End("b")
    left.meet(right)
    right.meet(left)
    for operation, side, number in operations:
        one, other = (left, right) if side == 0 else (right, left)
        match operation:
            case "send":
                one.send(LANES[number % 2])
            case "deliver" if one.wire:
                other.receive(one.wire.pop(number % len(one.wire)))
            case "in order" if one.wire:
                other.receive(one.wire.pop(0))
            case "double" if one.wire:
                other.receive(one.wire[number % len(one.wire)])
            case "lose" if one.wire:
                one.wire.pop(number % len(one.wire))
            case "consume":
                one.consume()
            case "acknowledge":
                one.acknowledge()
            case "ask":
                one.greet(is_question=True)
            case "kill":
                one.restart(other)
            case _:
                pass
    return left, right


def settle(left: End, right: End) -> None:
    """The wire is sound from here on: in a few rounds everything must have arrived."""
    for _ in range(60):
        for one, other in ((left, right), (right, left)):
            while one.wire:
                other.receive(one.wire.pop(0))
            one.consume()
            one.acknowledge()
        if not any(link.last > link.confirmed for end in (left, right) for link in end.links.outbound):
            return
        left.greet(is_question=True)
        right.greet(is_question=True)
    raise AssertionError("it does not settle")


names = st.sampled_from(
    ["send", "send", "send", "deliver", "in order", "in order", "in order", "double", "lose", "consume", "consume",
     "acknowledge", "ask", "kill"]
)  # fmt: skip
operations = st.lists(st.tuples(names, st.integers(0, 1), st.integers(0, 30)), max_size=120)


@pytest.mark.slow
@given(operations)
@example([("kill", 0, 0), ("send", 0, 0), ("kill", 1, 0)])
@example([("send", 0, 0), ("in order", 0, 0), ("in order", 0, 0), ("consume", 1, 0), ("kill", 1, 0), ("kill", 0, 0)])
def test_every_message_is_consumed_once_and_in_order(operations: list[tuple[str, int, int]]) -> None:
    left, right = run(operations)
    for one, other in ((left, right), (right, left)):
        for lane in LANES:
            assert other.consumed[lane] == one.sent[lane][: len(other.consumed[lane])]

    settle(left, right)

    assert left.consumed == right.sent
    assert right.consumed == left.sent


def test_no_more_than_the_window_is_under_way() -> None:
    link = OutboundLink(2)
    for text in (b"1", b"2", b"3"):
        link.put(link.number(), (text, b""))

    leaving = []
    while (parts := link.next_parts()) is not None:
        leaving.append(parts[0])
        link.left()

    assert leaving == [b"1", b"2"]
    assert link.is_full
    assert link.is_waiting
    assert link.confirm(1)
    assert link.next_parts() == (b"3", b"")
    assert not link.confirm(1), "that is no news"
    assert not link.confirm(4), "what never left cannot be confirmed"


def numbered(*, ready: int, sent: int, confirmed: int = 0) -> OutboundLink:
    """A link that stands there."""
    link = OutboundLink(9)
    for _ in range(ready):
        seq = link.number()
        link.put(seq, (b"%d" % seq, b""))
    for _ in range(sent):
        link.left()
    link.confirm(confirmed)
    return link


def test_a_link_goes_back_but_never_behind_what_is_confirmed() -> None:
    link = numbered(ready=5, sent=5, confirmed=2)

    link.rewind(0)
    assert link.next_parts() == (b"3", b""), "an old word of the receiver"
    link.rewind(4)
    assert link.next_parts() == (b"3", b""), "to rewind is not to skip"


def test_what_is_confirmed_need_not_leave_again() -> None:
    link = numbered(ready=5, sent=5)
    link.rewind(0)

    assert link.confirm(3)
    assert link.next_parts() == (b"4", b"")


def test_a_peer_that_moved_is_sent_all_that_it_has_not_confirmed() -> None:
    left, right = End("a"), End("b")
    left.meet(right)
    right.meet(left)
    left.send(Lane.ORDERS)
    left.send(Lane.ORDERS)
    left.wire.clear()

    left.links.moved(2)

    assert left.links.outbound[Lane.ORDERS].next_parts() == (b"a2.0", b"")


def test_a_greeting_about_former_numbers_confirms_nothing() -> None:
    left, right = PeerLinks(2, WINDOW), PeerLinks(1, WINDOW)
    right.birth = 1
    right.inbound[Lane.ORDERS].begin(1)
    link = left.outbound[Lane.ORDERS]
    link.put(link.number(), (b"new", b""))
    link.left()

    left.greeted_by(1, right.greeting())
    assert link.confirmed == 0
    right.greeted_by(2, left.greeting())
    assert right.inbound[Lane.ORDERS].received == 0


def test_what_the_peer_no_longer_has_is_not_waited_for() -> None:
    """The receiver has forgotten that it consumed them: its journal is an old copy."""
    left, right = PeerLinks(1, WINDOW), PeerLinks(1, WINDOW)
    right.birth = 1
    link = left.outbound[Lane.ORDERS]
    link.restore(confirmed=7, last=7)

    right.greeted_by(1, left.greeting())

    inbound = right.inbound[Lane.ORDERS]
    assert (inbound.consumed, inbound.received) == (7, 7)
    assert right.arrive(1, Lane.ORDERS, 8) is Arrival.TAKEN


def test_a_receiver_takes_no_more_than_its_window() -> None:
    link = InboundLink(2)

    assert [link.arrive(seq) for seq in (1, 2, 3)] == [Arrival.TAKEN, Arrival.TAKEN, Arrival.GAP]
    link.consumed = 1
    assert link.arrive(3) is Arrival.TAKEN


def test_a_gap_is_asked_for_once() -> None:
    link = InboundLink(9)

    assert [link.arrive(seq) for seq in (1, 3, 4)] == [Arrival.TAKEN, Arrival.ASK, Arrival.GAP]
    assert (link.received, link.heard) == (1, 4)
    assert [link.arrive(seq) for seq in (2, 3, 4, 4)] == [Arrival.TAKEN] * 3 + [Arrival.DUPLICATE]


def test_a_former_life_is_refused_and_a_new_one_must_greet() -> None:
    left, right = End("a"), End("b")
    left.meet(right)
    right.receive(left.wire.pop(0))
    assert right.links.arrive(1, Lane.ORDERS, 1) is Arrival.TAKEN
    right.links.moved(2)

    assert right.links.arrive(1, Lane.ORDERS, 2) is Arrival.STALE
    assert right.links.arrive(2, Lane.ORDERS, 2) is Arrival.UNGREETED


def test_a_host_without_a_journal_begins_anew_at_both_ends() -> None:
    left, right = End("a"), End("b")
    left.meet(right)
    right.meet(left)
    left.send(Lane.ORDERS)
    right.send(Lane.ORDERS)
    settle(left, right)
    right.send(Lane.ORDERS)
    right.wire.clear()

    left.links, left.epoch = PeerLinks(2, WINDOW), 2
    right.meet(left)
    left.meet(right)
    left.send(Lane.ORDERS)
    settle(left, right)

    assert left.links.own_birth == right.links.birth == 2
    assert left.links.inbound[Lane.ORDERS].consumed == 2, "the one confirmed before is not sent again, the other is"
    assert left.consumed[Lane.ORDERS] == ["b2.0", "b2.1"]
    assert right.consumed[Lane.ORDERS] == ["a2.0", "a2.1"], "new numbers are not taken for old ones"


def test_an_acknowledgement_of_former_numbers_confirms_nothing() -> None:
    links = PeerLinks(2, WINDOW)
    link = links.outbound[Lane.ORDERS]
    link.put(link.number(), (b"", b""))
    link.left()

    assert not links.confirm(1, Lane.ORDERS, 1)
    assert links.confirm(2, Lane.ORDERS, 1)
