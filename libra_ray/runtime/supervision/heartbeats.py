"""Heartbeats: who has not been heard of for too long."""

from enum import StrEnum
from typing import Final

import msgspec

__all__ = ["DEAD_NS", "HEARTBEAT_NS", "SUSPECT_NS", "Health", "HealthChange", "HeartbeatMonitor"]

HEARTBEAT_NS: Final = 250_000_000
"""How often a host sends one, from the loop that runs its handlers: a handler that hangs stops it."""
SUSPECT_NS: Final = 1_000_000_000
DEAD_NS: Final = 2_900_000_000
"""A tenth of a second below three: so much the way and the look at the clock may take."""
OWN_STALL_NS: Final = 500_000_000


class Health(StrEnum):
    """What silence says of a host."""

    FINE = "FINE"
    SUSPECT = "SUSPECT"
    DEAD = "DEAD"


class HealthChange(msgspec.Struct, frozen=True):
    """A host's health is now another."""

    host_id: str
    epoch: int
    health: Health


class _Watched(msgspec.Struct):
    epoch: int
    heard_ns: int
    first_by_ns: int
    health: Health = Health.FINE


class HeartbeatMonitor:
    """Watches hosts between `watch` and `forget`. DEAD is final: a host that then speaks is a zombie.

    A monitor that was itself held up (its process was stopped, its machine slept) has heard nobody meanwhile: when
    `check` comes more than half a second after it was due, the time beyond that is nobody's silence.
    """

    def __init__(self, *, suspect_ns: int = SUSPECT_NS, dead_ns: int = DEAD_NS) -> None:
        if not 0 < suspect_ns <= dead_ns:
            raise ValueError(f"suspect after {suspect_ns} ns and dead after {dead_ns} ns")
        self._suspect_ns, self._dead_ns = suspect_ns, dead_ns
        self._watched: dict[str, _Watched] = {}
        self._due_ns: int | None = None

    def watch(self, host_id: str, epoch: int, now_ns: int, *, start_ns_max: int) -> None:
        """Begin: the first heartbeat may take `start_ns_max`, since a process must start first."""
        self._watched[host_id] = _Watched(epoch, now_ns, now_ns + start_ns_max)
        self._due_ns = self.next_due_ns()

    def forget(self, host_id: str) -> None:
        """End; nothing happens for a host that is not watched."""
        self._watched.pop(host_id, None)

    def beat(self, host_id: str, epoch: int, now_ns: int) -> HealthChange | None:
        """A heartbeat came. One of another epoch, of a host not watched or a dead one, counts for nothing."""
        watched = self._watched.get(host_id)
        if watched is None or watched.epoch != epoch or watched.health is Health.DEAD:
            return None
        watched.heard_ns, watched.first_by_ns = max(watched.heard_ns, now_ns), 0
        if watched.health is Health.FINE:
            return None
        watched.health = Health.FINE
        return HealthChange(host_id, epoch, Health.FINE)

    def health(self, host_id: str) -> Health | None:
        """What is known; None for a host that is not watched."""
        watched = self._watched.get(host_id)
        return None if watched is None else watched.health

    def silence_ns(self, host_id: str, now_ns: int) -> int:
        """For how long nothing came; 0 for a host that is not watched or still starts."""
        watched = self._watched.get(host_id)
        return 0 if watched is None or watched.first_by_ns else max(0, now_ns - watched.heard_ns)

    def check(self, now_ns: int) -> list[HealthChange]:
        """Whose health has changed by silence, in the order in which they were first watched."""
        self._forgive_own_stall(now_ns)
        changes = []
        for host_id, watched in self._watched.items():
            health = self._health_at(watched, now_ns)
            if watched.health is not Health.DEAD and health is not watched.health:
                watched.health = health
                changes.append(HealthChange(host_id, watched.epoch, health))
        self._due_ns = self.next_due_ns()
        return changes

    def next_due_ns(self) -> int | None:
        """When `check` may find something; None when nobody is watched."""
        dues = [self._due_of(watched) for watched in self._watched.values() if watched.health is not Health.DEAD]
        return min(dues, default=None)

    def _health_at(self, watched: _Watched, now_ns: int) -> Health:
        if watched.first_by_ns:
            return Health.DEAD if now_ns >= watched.first_by_ns else Health.FINE
        silent_ns = now_ns - watched.heard_ns
        if silent_ns >= self._dead_ns:
            return Health.DEAD
        return Health.SUSPECT if silent_ns >= self._suspect_ns else Health.FINE

    def _due_of(self, watched: _Watched) -> int:
        if watched.first_by_ns:
            return watched.first_by_ns
        return watched.heard_ns + (self._suspect_ns if watched.health is Health.FINE else self._dead_ns)

    def _forgive_own_stall(self, now_ns: int) -> None:
        stalled_ns = 0 if self._due_ns is None else now_ns - self._due_ns - OWN_STALL_NS
        if stalled_ns <= 0:
            return
        for watched in self._watched.values():
            # Whoever was heard after the stall keeps that time.
            watched.heard_ns = min(watched.heard_ns + stalled_ns, now_ns)
            if watched.first_by_ns:
                watched.first_by_ns += stalled_ns
