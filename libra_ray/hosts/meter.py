"""What a host measures of itself for its status: rates, lanes, lag, processor time, memory."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from libra_ray.bus import DeadReason
from libra_ray.bus.wire.letter import LinkCount
from libra_ray.bus.wire.port import Port
from libra_ray.clock import Clock
from libra_ray.hosts.status import ActorStatus, HostStatus, LaneStatus
from libra_ray.runtime.host import LocalHost
from libra_ray.runtime.inbox import Lane

__all__ = ["Meter", "actor_statuses", "private_bytes"]

SECOND_NS: Final = 1_000_000_000
RATE_NS: Final = SECOND_NS // 2
"""A rate over less than that says little: the one before is told again."""
STATM: Final = Path("/proc/self/statm")


class Meter:
    """Belongs to the thread of its port. Reading it takes 0.1 ms with ten peers: once a second is nothing."""

    def __init__(self, port: Port, clock: Clock) -> None:
        self._port, self._clock = port, clock
        self._since_ns, self._messages, self._rate = clock.now_ns(), 0, 0.0

    def status(
        self,
        *,
        dead_letters: Mapping[DeadReason, int],
        actors: tuple[ActorStatus, ...] = (),
        drops: int = 0,
    ) -> HostStatus:
        """The host as it is now. `drops` and `dead_letters` count from the start of the process."""
        now_ns = self._clock.now_ns()
        messages = sum(self._port.lanes.count(lane).received for lane in Lane if lane is not Lane.CONTROL)
        if now_ns >= self._since_ns + RATE_NS:
            self._rate = (messages - self._messages) * SECOND_NS / (now_ns - self._since_ns)
            self._since_ns, self._messages = now_ns, messages
        lanes = self._lanes(now_ns)
        spent = os.times()
        return HostStatus(
            self._port.host_id,
            self._port.epoch,
            pid=os.getpid(),
            actors=actors,
            lanes=lanes,
            messages_per_second=self._rate,
            messages=messages,
            lag_ns=max(lane.oldest_age_ns for lane in lanes.values()),
            drops=drops,
            dead_letters={str(reason): count for reason, count in dead_letters.items() if count},
            cpu_seconds=spent.user + spent.system,
            private_bytes=private_bytes(),
            ts_ns=now_ns,
        )

    def _lanes(self, now_ns: int) -> dict[str, LaneStatus]:
        links: dict[Lane, list[LinkCount]] = {lane: [] for lane in Lane}
        for (_, lane), count in self._port.counts.items():
            links[lane].append(count)
        return {lane.name: self._lane(lane, links[lane], now_ns) for lane in Lane}

    def _lane(self, lane: Lane, links: Iterable[LinkCount], now_ns: int) -> LaneStatus:
        waiting = self._port.lanes.count(lane)
        return LaneStatus(
            depth=waiting.depth,
            high_water=waiting.high_water,
            sent=sum(link.sent for link in links),
            received=sum(link.received for link in links),
            dropped=sum(link.dropped for link in links),
            dead=sum(link.dead for link in links),
            oldest_age_ns=self._port.lanes.oldest_age_ns(lane, now_ns),
        )


def actor_statuses(host: LocalHost) -> tuple[ActorStatus, ...]:
    """All actors of a host, in order of registration."""
    faults = Counter(fault.actor_id for fault in host.faults)
    reasons = {fault.actor_id: fault.reason for fault in host.faults}
    return tuple(
        ActorStatus(
            actor_id,
            actor.rank.kind.name,
            str(actor.state),
            faults[actor_id],
            host.discarded.get(actor_id, 0),
            reasons.get(actor_id, ""),
        )
        for actor_id, actor in host.actors.items()
    )


def private_bytes() -> int:
    """Anonymous memory of this process, mapped files and shared segments left out; 0 where the system does not say."""
    with suppress(OSError, ValueError):
        _, resident, shared, *_ = map(int, STATM.read_text(encoding="ascii").split())
        return (resident - shared) * os.sysconf("SC_PAGE_SIZE")
    return 0
