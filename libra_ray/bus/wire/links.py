"""Reliable links between two hosts, as state without sockets, clocks or files.

Between two hosts there is one link per lane and direction. Its frames are numbered from 1 without a gap. The receiver
takes them in order, refuses what it has had, and confirms what was *consumed*: what a handler has returned from. The
sender keeps a frame until then, and never has more than `window` of them under way.

Numbers outlive a life of the host when its journal does; `birth` is the epoch in which they began at 1. Whoever meets
a peer of another birth begins anew with it.
"""

from collections.abc import Iterator, Sequence
from enum import Enum, auto

import msgspec

from libra_ray.bus.wire.frames import Parts
from libra_ray.bus.wire.letter import RELIABLE_LANES

__all__ = ["Arrival", "Greeting", "InboundLink", "LaneState", "OutboundLink", "PeerLinks"]


class Arrival(Enum):
    """What a link says of a frame that came."""

    TAKEN = auto()
    DUPLICATE = auto()
    GAP = auto()
    """One before it is missing; the peer has been asked already, or asks itself."""
    ASK = auto()
    """One before it is missing, and the peer must be asked to send it again."""
    STALE = auto()
    """A former life of the peer sent it."""
    UNGREETED = auto()
    """This life of the peer has not said yet where its numbers stand."""


class LaneState(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Where both directions of a lane stand, as their one end sees it.

    Attributes:
        sent, confirmed: of the frames this end sends, the last that left and the last the peer has consumed.
        consumed, received: of the frames the peer sends, the last consumed here and the last taken in.
        heard: the last of the peer's frames that must have left before this was written. `received` below it is a loss.
    """

    sent: int
    confirmed: int
    consumed: int
    received: int
    heard: int


class Greeting(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Body of HELLO and WELCOME: the birth of both ends' numbers, the credit granted, and where each lane stands."""

    birth: int
    peer_birth: int
    window: int
    lanes: tuple[LaneState, LaneState, LaneState, LaneState]


class OutboundLink:
    """Frames for one peer and lane: `confirmed <= sent <= ready <= last`.

    Attributes:
        last: the last number given away.
        ready: the last that may leave: what is behind it belongs to a turn that is not written yet.
        sent: the last that left; it goes back when frames must leave again.
        high: the last that ever left.
        confirmed: the last that the peer has consumed.
        window: how many may be under way.
        held_since_ns: since when frames wait that may not leave; 0 when none does. Kept by the link's user.
    """

    __slots__ = ("confirmed", "frames", "held_since_ns", "high", "last", "ready", "sent", "window")

    def __init__(self, window: int) -> None:
        self.window = window
        self.frames: dict[int, Parts] = {}
        self.last = self.ready = self.sent = self.high = self.confirmed = self.held_since_ns = 0

    def number(self) -> int:
        """The number of one more frame."""
        self.last += 1
        return self.last

    @property
    def is_full(self) -> bool:
        """Whether the last number given away must wait for credit."""
        return self.last - self.confirmed > self.window

    def put(self, seq: int, parts: Parts) -> None:
        """The frame of that number may leave. Frames are put in order."""
        self.frames[seq] = parts
        self.ready = seq

    def next_parts(self, ahead: int = 0) -> Parts | None:
        """The frame to send now, or so many `ahead` of it; None when all have left or the credit is used up."""
        seq = self.sent + 1 + ahead
        return None if seq - self.confirmed > self.window else self.frames.get(seq)

    def left(self, count: int = 1) -> int:
        """So many of `next_parts` have left. Returns how many of them for the first time."""
        self.sent += count
        if self.sent <= self.high:
            return 0
        fresh = min(count, self.sent - self.high)
        self.high = self.sent
        return fresh

    def confirm(self, consumed: int) -> bool:
        """The peer has consumed all up to that number; whether that is news. What never left cannot be confirmed."""
        if not self.confirmed < consumed <= self.ready:
            return False
        for seq in range(self.confirmed + 1, consumed + 1):
            self.frames.pop(seq, None)
        self.confirmed = consumed
        self.sent = max(self.sent, consumed)
        return True

    def rewind(self, received: int) -> None:
        """Send again all that is behind `received`."""
        self.sent = min(self.sent, max(received, self.confirmed))

    def restore(self, confirmed: int, last: int) -> None:
        """Continue the numbers of a former life, of which nothing has left in this one."""
        self.confirmed = self.sent = self.high = confirmed
        self.last = self.ready = last

    @property
    def is_waiting(self) -> bool:
        """Whether frames may leave that have not left."""
        return self.ready > self.sent

    @property
    def is_under_way(self) -> bool:
        """Whether frames left that nobody has confirmed."""
        return self.sent > self.confirmed


class InboundLink:
    """Frames from one peer and lane: `consumed <= received`.

    Attributes:
        window: how many may be here and not consumed.
        said: the last number consumed that the peer was told.
    """

    __slots__ = ("_asked", "consumed", "heard", "received", "said", "window")

    def __init__(self, window: int) -> None:
        self.window = window
        self.begin(0)

    def begin(self, consumed: int) -> None:
        """Expect the number after `consumed` next."""
        self.consumed = self.received = self.heard = consumed
        self.said = self._asked = 0

    def skip_to(self, confirmed: int) -> None:
        """The peer no longer has what is up to `confirmed`: this end consumed it in a life that it has forgotten."""
        self.consumed = max(self.consumed, confirmed)
        self.received = max(self.received, confirmed)

    def arrive(self, seq: int) -> Arrival:
        """A frame of that number came; TAKEN means that its message is to be handed out."""
        if seq == self.received + 1 and seq - self.consumed <= self.window:
            self.received = seq
            return Arrival.TAKEN
        if seq <= self.received:
            return Arrival.DUPLICATE
        self.heard = max(self.heard, seq)
        if self._asked == self.received + 1 or seq == self.received + 1:
            return Arrival.GAP
        self._asked = self.received + 1
        return Arrival.ASK


class PeerLinks:
    """All links with one peer.

    Attributes:
        own_birth: the epoch in which this host's numbers began; `birth`: the peer's, 0 until it is known.
        epoch: the latest life of the peer heard of; `greeted`: the one whose greeting was read.
        outbound, inbound: by lane.
        unsaid: how many messages were consumed since the peer was told.
    """

    __slots__ = ("_window", "birth", "epoch", "greeted", "inbound", "outbound", "own_birth", "unsaid")

    def __init__(self, own_birth: int, window: int) -> None:
        self.own_birth, self._window = own_birth, window
        self.birth = self.epoch = self.greeted = self.unsaid = 0
        self.outbound: Sequence[OutboundLink] = tuple(OutboundLink(window) for _ in RELIABLE_LANES)
        self.inbound: Sequence[InboundLink] = tuple(InboundLink(window) for _ in RELIABLE_LANES)

    def arrive(self, epoch: int, lane: int, seq: int) -> Arrival:
        """A reliable frame came."""
        if not epoch == self.greeted == self.epoch:
            return Arrival.STALE if epoch < self.epoch else Arrival.UNGREETED
        return self.inbound[lane].arrive(seq)

    def consume(self, lane: int, seq: int) -> None:
        """The message of that number is consumed, and that is written down."""
        link = self.inbound[lane]
        link.consumed = max(link.consumed, seq)
        self.unsaid += 1

    def moved(self, epoch: int) -> None:
        """The peer lives in `epoch` now, at the end of a new socket: nothing has left through it."""
        self.epoch = max(self.epoch, epoch)
        for link in self.outbound:
            link.rewind(link.confirmed)

    def greeting(self) -> Greeting:
        """What to say in HELLO and WELCOME."""
        one, two, three, four = self._states()
        return Greeting(self.own_birth, self.birth, self._window, (one, two, three, four))

    def _states(self) -> Iterator[LaneState]:
        for out, into in zip(self.outbound, self.inbound, strict=True):
            yield LaneState(out.sent, out.confirmed, into.consumed, into.received, into.heard)

    def greeted_by(self, epoch: int, greeting: Greeting) -> bool:
        """Take in a greeting of an epoch that is not stale. Whether the peer's life or birth is new."""
        is_new = epoch != self.greeted
        is_fresh = greeting.birth != self.birth
        self.epoch = self.greeted = epoch
        self.birth = greeting.birth
        for link, state in zip(self.inbound, greeting.lanes, strict=True):
            if is_fresh:
                link.begin(state.confirmed)
            else:
                link.skip_to(state.confirmed)
            link.heard = state.sent
        if greeting.peer_birth == self.own_birth:
            self._heard_of_own(greeting)
        return is_new or is_fresh

    def _heard_of_own(self, greeting: Greeting) -> None:
        for link, state in zip(self.outbound, greeting.lanes, strict=True):
            link.window = greeting.window
            link.confirm(state.consumed)
            if state.received < state.heard:
                link.rewind(state.received)

    def confirm(self, birth: int, lane: int, consumed: int) -> bool:
        """An acknowledgement of numbers of that birth came; whether it is news."""
        return birth == self.own_birth and self.outbound[lane].confirm(consumed)
