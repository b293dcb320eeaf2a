"""Inboxes between hosts: one bounded lane per priority, the highest that is not empty first.

A fused backtest does not use them: there the order of the event loop decides, and lanes never reorder it.
"""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from enum import IntEnum, StrEnum
from typing import Final

import msgspec

__all__ = ["LANE_CAPACITY", "LANE_POLICY", "FullPolicy", "Inbox", "Lane", "LaneCount"]


class Lane(IntEnum):
    """Priority of a message; the lower number is drained first. CONTROL carries lifecycle commands and heartbeats."""

    CONTROL = 0
    RISK = 1
    ORDERS = 2
    SIGNALS = 3
    MARKET_DATA = 4


class FullPolicy(StrEnum):
    """What a full lane does with one more message."""

    BLOCK = "block"
    DROP_OLDEST = "drop_oldest"
    CONFLATE = "conflate"


LANE_CAPACITY: Final[Mapping[Lane, int]] = {
    Lane.CONTROL: 65_536,
    Lane.RISK: 65_536,
    Lane.ORDERS: 65_536,
    Lane.SIGNALS: 65_536,
    Lane.MARKET_DATA: 1_024,
}
LANE_POLICY: Final[Mapping[Lane, FullPolicy]] = {
    Lane.CONTROL: FullPolicy.BLOCK,
    Lane.RISK: FullPolicy.BLOCK,
    Lane.ORDERS: FullPolicy.BLOCK,
    Lane.SIGNALS: FullPolicy.BLOCK,
    Lane.MARKET_DATA: FullPolicy.BLOCK,
}
_NEVER_DROPPED: Final = frozenset({Lane.CONTROL, Lane.RISK, Lane.ORDERS})


class LaneCount(msgspec.Struct, frozen=True):
    """Counters of one lane: accepted, handed out, dropped, held now, held at most, and refused because it was full."""

    sent: int
    received: int
    dropped: int
    depth: int
    high_water: int
    refused: int


class _Letter(msgspec.Struct, frozen=True):
    message: object
    key: Hashable
    ts_ns: int


class _LaneQueue:
    """FIFO. `superseded` are letters that a newer one of their key has made old, oldest such first."""

    __slots__ = ("capacity", "dropped", "high_water", "letters", "newest", "policy", "received", "refused", "sent",
                 "superseded")  # fmt: skip

    def __init__(self, capacity: int, policy: FullPolicy) -> None:
        self.capacity, self.policy = capacity, policy
        self.letters: OrderedDict[int, _Letter] = OrderedDict()
        self.newest: dict[Hashable, int] = {}
        self.superseded: OrderedDict[int, None] = OrderedDict()
        self.sent = self.received = self.dropped = self.high_water = self.refused = 0

    def put(self, seq: int, letter: _Letter) -> bool:
        if len(self.letters) >= self.capacity and not self._make_room(letter.key):
            self.refused += 1
            return False
        if self.policy is FullPolicy.CONFLATE:
            older = self.newest.get(letter.key)
            if older is not None:
                self.superseded[older] = None
            self.newest[letter.key] = seq
        self.letters[seq] = letter
        self.sent += 1
        self.high_water = max(self.high_water, len(self.letters))
        return True

    def take(self) -> _Letter:
        seq = next(iter(self.letters))
        self.received += 1
        return self._remove(seq)

    def _make_room(self, key: Hashable) -> bool:
        """Drop one letter if the policy finds one that may go."""
        if self.policy is FullPolicy.BLOCK:
            return False
        if self.policy is FullPolicy.CONFLATE:
            victim = next(iter(self.superseded), self.newest.get(key))
        else:
            victim = next(iter(self.letters))
        if victim is None:
            return False
        self._remove(victim)
        self.dropped += 1
        return True

    def _remove(self, seq: int) -> _Letter:
        letter = self.letters.pop(seq)
        self.superseded.pop(seq, None)
        if self.newest.get(letter.key) == seq:
            del self.newest[letter.key]
        return letter


class Inbox:
    """What has come for one host and waits.

    `capacity` and `policy` override the defaults per lane. CONTROL, RISK and ORDERS only block: they are never dropped.
    CONFLATE keeps the newest message of each key: when the lane is full the oldest letter that has a newer one of its
    key goes first, and when all keys differ the sender is held.
    """

    def __init__(
        self,
        *,
        capacity: Mapping[Lane, int] | None = None,
        policy: Mapping[Lane, FullPolicy] | None = None,
    ) -> None:
        capacities, policies = {**LANE_CAPACITY, **(capacity or {})}, {**LANE_POLICY, **(policy or {})}
        lossy = [lane.name for lane in _NEVER_DROPPED if policies[lane] is not FullPolicy.BLOCK]
        if lossy or min(capacities.values()) < 1:
            raise ValueError(f"a lane holds at least one message, and these only block: {sorted(lossy)}")
        self._lanes = tuple(_LaneQueue(capacities[lane], policies[lane]) for lane in Lane)
        self._by_priority = tuple(zip(Lane, self._lanes, strict=True))
        self._seq = 0

    def put(self, lane: Lane, message: object, *, key: Hashable = None, ts_ns: int = 0) -> bool:
        """Take `message` in. False means that the lane is full and the sender must hold it and try again.

        `key` is what conflation compares (instrument and type); `ts_ns` is what the age is counted from.
        """
        self._seq += 1
        return self._lanes[lane].put(self._seq, _Letter(message, key, ts_ns))

    def get(self) -> tuple[Lane, object] | None:
        """The oldest message of the highest lane that is not empty; None when all are."""
        for lane, queue in self._by_priority:
            if queue.letters:
                return lane, queue.take().message
        return None

    def __len__(self) -> int:
        return sum(len(queue.letters) for queue in self._lanes)

    def count(self, lane: Lane) -> LaneCount:
        """The lane's counters."""
        queue = self._lanes[lane]
        return LaneCount(queue.sent, queue.received, queue.dropped, len(queue.letters), queue.high_water, queue.refused)

    def oldest_age_ns(self, lane: Lane, now_ns: int) -> int:
        """How long the lane's oldest message has waited; 0 when it is empty."""
        letters = self._lanes[lane].letters
        return now_ns - letters[next(iter(letters))].ts_ns if letters else 0
