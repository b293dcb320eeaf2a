"""Letters that came and wait to be taken: unreliable ones of lane CONTROL before all others, then lane by lane.

The windows of the links bound the reliable lanes, so their queues know no limit; notices and market data have one.
"""

from collections import deque
from typing import Final

import msgspec

from libra_ray.bus.wire.letter import RELIABLE_LANES, Letter
from libra_ray.runtime.inbox import Inbox, Lane, LaneCount

__all__ = ["LetterLanes"]

NOTICES_MAX: Final = 65_536


class LetterLanes:
    """One queue per lane, and one for notices: unreliable letters of lane CONTROL.

    Attributes:
        waiting: how many letters wait in all.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self._notices: deque[Letter] = deque()
        self._queues: tuple[deque[Letter], ...] = tuple(deque() for _ in RELIABLE_LANES)
        self._came = [0 for _ in RELIABLE_LANES]
        self._most = [0 for _ in RELIABLE_LANES]
        self._market_data = Inbox()

    def put_reliable(self, letter: Letter) -> None:
        """Take in a letter that its link has counted as received."""
        lane = letter.frame.lane
        self._queues[lane].append(letter)
        self._came[lane] += 1
        self.waiting += 1

    def put_unreliable(self, letter: Letter) -> bool:
        """Take in another letter; False when there is no room."""
        if letter.frame.lane == Lane.MARKET_DATA:
            is_taken = self._market_data.put(Lane.MARKET_DATA, letter, ts_ns=letter.frame.ts_ns)
        else:
            is_taken = len(self._notices) < NOTICES_MAX
            if is_taken:
                self._notices.append(letter)
        self.waiting += is_taken
        return is_taken

    def notice(self) -> Letter | None:
        """The oldest notice."""
        if not self._notices:
            return None
        self.waiting -= 1
        return self._notices.popleft()

    def next(self, lowest: Lane = Lane.MARKET_DATA) -> Letter | None:
        """The oldest letter of the highest lane that is not empty, down to `lowest`."""
        if self._notices or not self.waiting:
            return self.notice()
        for lane, queue in enumerate(self._queues):
            if lane > lowest:
                return None
            if queue:
                self.waiting -= 1
                self._most[lane] = max(self._most[lane], len(queue))
                return queue.popleft()
        if lowest < Lane.MARKET_DATA:
            return None
        found = self._market_data.get()
        self.waiting -= found is not None
        return None if found is None else found[1]  # type: ignore[return-value] # nothing but letters is put in

    def count(self, lane: Lane) -> LaneCount:
        """What came in a lane, was taken, and waits; in CONTROL with the notices that wait."""
        if lane is Lane.MARKET_DATA:
            return self._market_data.count(lane)
        depth, came = len(self._queues[lane]), self._came[lane]
        high_water = max(self._most[lane], depth)
        count = LaneCount(came, came - depth, 0, depth, high_water, 0)
        if lane is not Lane.CONTROL:
            return count
        return msgspec.structs.replace(count, depth=depth + len(self._notices))

    def oldest_age_ns(self, lane: Lane, now_ns: int) -> int:
        """How long ago the oldest letter of a lane was sent, by the clock of who sent it; 0 where none waits."""
        if lane is Lane.MARKET_DATA:
            age_ns = self._market_data.oldest_age_ns(lane, now_ns)
        else:
            queue = self._queues[lane]
            age_ns = now_ns - queue[0].frame.ts_ns if queue else 0
        return age_ns if 0 < age_ns < now_ns else 0  # clocks of two machines differ; a letter may bear no time
