"""What a port hands out: a letter, the count of a link, and what a predecessor left."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol, TypeAlias

import msgspec

from libra_ray.bus.wire.frames import Frame, Kind, Part
from libra_ray.runtime.inbox import Lane

__all__ = [
    "NO_RECEIVER",
    "RELIABLE_KINDS",
    "RELIABLE_LANES",
    "STALE_EPOCH",
    "WRONG_SOURCE",
    "Faults",
    "Letter",
    "LinkCount",
    "OnDead",
    "Resumed",
]

RELIABLE_KINDS: Final = frozenset(
    {Kind.COMMAND, Kind.ANSWER, Kind.SEND, Kind.PUBLISH, Kind.REQUEST, Kind.REPLY, Kind.DEAD}
)
"""Kinds that travel on a reliable link: numbered, acknowledged, sent again, journaled. All others may be lost."""
RELIABLE_LANES: Final = (Lane.CONTROL, Lane.RISK, Lane.ORDERS, Lane.SIGNALS)
"""Each pair of hosts has one reliable link per lane and direction, so that a higher lane never waits for a lower."""
STALE_EPOCH: Final = "STALE_EPOCH"
"""Reason of a dead letter: a former life of its source sent it."""
WRONG_SOURCE: Final = "WRONG_SOURCE"
"""Reason of a dead letter: the key of who sent it is another host's than it says."""
NO_RECEIVER: Final = "NO_RECEIVER"
"""Reason of a dead letter: the host it is for is gone for good."""

OnDead: TypeAlias = Callable[[str, Frame | None, Part | None, str], None]
"""Told (reason, frame where it could be read, body, peer where it is known) of what was refused."""


class Letter(msgspec.Struct, frozen=True, gc=False):
    """One message as it came: `peer` is the host that sent it, `header` the frame as bytes."""

    frame: Frame
    body: Part
    peer: str
    header: Part

    @property
    def is_reliable(self) -> bool:
        """Whether it has a place in a link."""
        return self.frame.kind in RELIABLE_KINDS


class LinkCount(msgspec.Struct):
    """Counters of one peer and lane, both directions.

    Attributes:
        sent, resent: frames given to the socket for the first time, and again.
        held: frames that had to wait for credit or for room in the socket.
        received, duplicates: frames taken in, and those that had been taken in before.
        gaps: frames refused because one before them is missing.
        stale, dead: frames of an older epoch, and all frames refused (stale ones included).
        dropped: unreliable frames that found no room, here or in the socket.
    """

    sent: int = 0
    resent: int = 0
    held: int = 0
    received: int = 0
    duplicates: int = 0
    gaps: int = 0
    stale: int = 0
    dead: int = 0
    dropped: int = 0


class Resumed(msgspec.Struct, frozen=True):
    """What the journal held when it was opened.

    Attributes:
        snapshot: the last state saved, None when there was none.
        letters: what was consumed since, in order of consumption. What their handlers sent has left or will leave.
        consumed, sent: by (peer, lane) the last sequence consumed, and how many frames were posted.
        unconfirmed: how many frames are sent again because nobody confirmed them.
        cut_bytes: length of the torn record at the end, which a kill left.
    """

    snapshot: bytes | None
    letters: tuple[Letter, ...]
    consumed: Mapping[tuple[str, Lane], int]
    sent: Mapping[tuple[str, Lane], int]
    unconfirmed: int
    cut_bytes: int


class Faults(Protocol):
    """What the wire does wrong, by order of a test."""

    def outgoing(self, frame: Frame, peer_id: str) -> Sequence[int]:
        """Delays in ns of the copies to send: (0,) is normal, () loses it, (0, 0) doubles it."""
        ...
