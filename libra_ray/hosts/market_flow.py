"""Credit for market data, one flow per pair of hosts: what may be under way, what waits, what was lost.

Pure: knows positions and items and sends nothing. A position counts the batches of one flow from 1, without gaps.
"""

from collections import OrderedDict, deque
from typing import Final, Generic, TypeVar

from libra_ray.runtime.inbox import FullPolicy

__all__ = ["BLOCKED_MAX", "WINDOW", "InboundFlow", "OutboundFlow"]

T = TypeVar("T")

WINDOW: Final = 1_024
"""So many batches may be under way to one host."""
BLOCKED_MAX: Final = 65_536
"""So many may wait for it by the policy `block`; whoever wants to send more is at fault."""


class OutboundFlow(Generic[T]):
    """What one host is to get. What its window has no room for waits: of a topic that conflates the newest alone.

    Attributes:
        dropped: items that a newer one of their topic replaced before they left.
        position: of the last item that left; confirmed: up to where the receiver has consumed.
    """

    __slots__ = ("_queue", "_waiting", "_window", "confirmed", "dropped", "position")

    def __init__(self, window: int = WINDOW) -> None:
        self._window = window
        self._queue: deque[tuple[str, T]] = deque()
        self._waiting: OrderedDict[str, T] = OrderedDict()
        self.dropped = self.position = self.confirmed = 0

    def offer(self, topic: str, item: T, policy: FullPolicy) -> T | None:
        """Take an item; it leaves by `next`. Returns the one that it replaced, if it did.

        Raises `OverflowError` when too many wait that must not be dropped.
        """
        queue, waiting = self._queue, self._waiting
        if policy is FullPolicy.CONFLATE:
            if waiting or self.position - self.confirmed + len(queue) >= self._window:
                replaced = waiting.get(topic)
                waiting[topic] = item
                if replaced is not None:
                    self.dropped += 1
                return replaced
        elif len(queue) >= BLOCKED_MAX:
            raise OverflowError(f"{BLOCKED_MAX:,} batches wait")
        queue.append((topic, item))
        return None

    def next(self) -> tuple[str, T] | None:
        """What may leave now, in order of arrival; it has left then. None: nothing waits, or the window is full."""
        if self.is_full:
            return None
        if self._queue:
            self.position += 1
            return self._queue.popleft()
        if self._waiting:
            self.position += 1
            return self._waiting.popitem(last=False)
        return None

    def put_back(self, topic: str, item: T) -> None:
        """What `next` gave could not leave: it is the next one again."""
        self.position -= 1
        self._queue.appendleft((topic, item))

    def credit(self, position: int) -> bool:
        """The receiver has consumed up to `position`. False when that is no news, or more than was ever sent."""
        if not self.confirmed < position <= self.position:
            return False
        self.confirmed = position
        return True

    @property
    def is_full(self) -> bool:
        """So many are under way that nothing may leave."""
        return self.position - self.confirmed >= self._window

    @property
    def waits(self) -> int:
        """Items that have not left."""
        return len(self._queue) + len(self._waiting)


class InboundFlow:
    """What came from one host in one of its lives.

    Attributes:
        epoch: of that life. consumed: the last position that came. lost: how many never came.
    """

    __slots__ = ("_every", "_said", "consumed", "epoch", "lost")

    def __init__(self, epoch: int, window: int = WINDOW) -> None:
        self.epoch = epoch
        self.consumed = self.lost = self._said = 0
        self._every = max(1, window // 8)

    def arrived(self, first: int, last: int) -> int:
        """Positions `first` to `last` are here; returns how many before them are lost; -1 if they came before."""
        if last <= self.consumed:
            return -1
        lost = max(0, first - self.consumed - 1)
        self.lost += lost
        self.consumed = last
        return lost

    def due(self, *, everything: bool = False) -> int | None:
        """The position to tell the sender now; None when that can wait, or with `everything` when it is no news."""
        news = self.consumed - self._said
        if news < (1 if everything else self._every):
            return None
        self._said = self.consumed
        return self.consumed
