"""Where a probe stands: how its calls get onto the thread of its host, and how time passes while it waits."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from libra_ray.bus import Bus
from libra_ray.clock import LiveClock, VirtualClock
from libra_ray.runtime import LocalHost
from libra_ray.testing.cell import Cell
from libra_ray.testing.manual_clock import ManualClock

__all__ = ["FusedGround", "Ground", "LiveGround", "ground_of"]

T = TypeVar("T")

SECOND_NS: Final = 10**9


class Ground(Protocol):
    """One host, as a probe uses it.

    Attributes:
        within_ns, quiet_ns: how long `expect` and `expect_none` wait where a test does not say.
        here: held while messages come in and are looked at; notified when one came.
        prefix: what ids of probes begin with where the test gives none.
    """

    within_ns: int
    quiet_ns: int
    here: threading.Condition
    prefix: str

    def do(self, call: Callable[[LocalHost], T]) -> T:
        """Call it in the host as if a handler did it; what it staged is queued when this returns."""

    def settle(self) -> None:
        """Let what is queued go out."""

    def now_ns(self) -> int:
        """The time of the host."""

    def wait(self, is_there: Callable[[], bool], until_ns: int) -> None:
        """Let time pass until `is_there()` or until `until_ns`, whichever comes first."""

    def faults(self) -> list[str]:
        """What actors of the host have raised, a line each."""


class _Mover(Protocol):
    """Moves virtual time."""

    def step(self, until_ns: int) -> bool:
        """Settle and let the next thing happen; False when none is due by `until_ns`, which then is the time."""


class FusedGround:
    """A host on virtual time: a probe that waits lets it pass, from one thing that is due to the next."""

    within_ns = 0
    quiet_ns = 0
    prefix = ""

    def __init__(self, host: LocalHost, mover: _Mover) -> None:
        self._host, self._mover = host, mover
        self.here = threading.Condition()

    def do(self, call: Callable[[LocalHost], T]) -> T:
        host = self._host
        start = len(host.staged)
        try:
            result = call(host)
        except BaseException:
            host.rollback(start)
            raise
        host.commit(start)
        return result

    def settle(self) -> None:
        self._host.settle()

    def now_ns(self) -> int:
        return self._host.clock.now_ns()

    def wait(self, is_there: Callable[[], bool], until_ns: int) -> None:
        self._host.settle()
        while not is_there() and self._mover.step(until_ns):
            pass

    def faults(self) -> list[str]:
        return [f"{fault.actor_id} {fault.hook}: {fault.reason}" for fault in self._host.faults]


class _HostMover:
    """Moves one host's own clock."""

    def __init__(self, host: LocalHost, clock: VirtualClock) -> None:
        self._host, self._clock = host, clock

    def step(self, until_ns: int) -> bool:
        due_ns = max(self._host.timers.next_ns, self._clock.now_ns())
        self._host.advance_to(min(due_ns, until_ns))
        return due_ns <= until_ns


def ground_of(target: object) -> Ground:
    """Where a probe stands that is put on `target`: a host, a bus, a cell, a `ProbeHost` or a `Deployment`.

    A bus without a host is given one. Raises `TypeError` for what is none of these, or has a clock of its own.
    """
    if isinstance(target, LiveGround):
        return target
    if isinstance(target, Cell):
        return FusedGround(target.kernel.host, target)
    host = _host_of(target) if isinstance(target, Bus) else target
    if isinstance(host, LocalHost):
        if isinstance(host.clock, ManualClock):
            return FusedGround(host, host.clock)
        if isinstance(host.clock, VirtualClock):
            return FusedGround(host, _HostMover(host, host.clock))
        raise TypeError(f"{type(host.clock).__name__} cannot be moved: a probe among live hosts stands on a ProbeHost")
    from libra_ray.sessions.deployment import Deployment
    from libra_ray.testing.deployment_ground import DeploymentGround

    if isinstance(target, Deployment):
        return DeploymentGround(target)
    raise TypeError(f"a probe stands on a host, a bus, a cell or a deployment, not on a {type(target).__name__}")


def _host_of(bus: Bus) -> LocalHost:
    keeper = bus.deadlines
    return keeper if isinstance(keeper, LocalHost) else LocalHost(bus.clock, bus)


class LiveGround(ABC):
    """A host on the wall clock in a thread of its own: a probe that waits, waits."""

    within_ns = 3 * SECOND_NS
    quiet_ns = SECOND_NS // 10

    def __init__(self, prefix: str) -> None:
        self.here, self.prefix = threading.Condition(), prefix
        self._clock = LiveClock()

    @abstractmethod
    def do(self, call: Callable[[LocalHost], T]) -> T:
        """Call it in the thread of the host, as a turn, and wait for the end of that."""

    @abstractmethod
    def faults(self) -> list[str]:
        """What actors of the host have raised, a line each."""

    def settle(self) -> None:
        """Nothing: a turn ends settled."""
        return

    def now_ns(self) -> int:
        """The wall clock."""
        return self._clock.now_ns()

    def wait(self, is_there: Callable[[], bool], until_ns: int) -> None:
        """Until `is_there()`, which is asked when a message came, or until then."""
        with self.here:
            while not is_there():
                left_ns = until_ns - self._clock.now_ns()
                if left_ns <= 0:
                    return
                self.here.wait(left_ns / SECOND_NS)
