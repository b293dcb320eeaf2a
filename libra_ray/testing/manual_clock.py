"""A clock that a test moves: what is due on the way happens at its time and in order, in all hosts that share it."""

from collections.abc import Callable
from typing import Final, TypeVar

from libra_ray.clock import VirtualClock
from libra_ray.runtime import NEVER_NS, Alarm, LocalHost, TimerQueue

__all__ = ["ManualClock"]

H = TypeVar("H", bound=LocalHost)

SECOND_NS: Final = 10**9
_CALLS_RANK: Final = 0


class ManualClock(VirtualClock):
    """Time that stands until `advance` moves it.

        clock = ManualClock()
        host = clock.drive(LocalHost(clock, Bus(clock)))
        clock.call_every(250_000_000, lambda: monitor.look(clock.now_ns()))
        clock.advance(seconds=3)

    Timers of the hosts it drives fire on the way, each at its time and then settled in all of them; at one time hosts
    come in the order of `drive`, then the test's own calls. Parts that only ask for the time need no `drive`.
    `advance_to` is what hosts themselves use: it moves the time and fires nothing.
    """

    __slots__ = ("_calls", "_hosts", "_is_moving")

    def __init__(self, ts_ns: int = 0) -> None:
        super().__init__(ts_ns)
        self._hosts: list[LocalHost] = []
        self._calls = TimerQueue()
        self._is_moving = False

    def drive(self, host: H) -> H:
        """Fire the timers of `host` from now on; returns it. Raises `ValueError` for a host of another clock."""
        if host.clock is not self:
            raise ValueError(f"the host has a {type(host.clock).__name__} of its own: give it this clock")
        if host not in self._hosts:
            self._hosts.append(host)
        return host

    def call_at(self, at_ns: int, call: Callable[[], object]) -> None:
        """Call `call()` when the time is `at_ns`; a time in the past is the next that comes."""
        self._set(at_ns, call)

    def call_every(self, interval_ns: int, call: Callable[[], object]) -> None:
        """Call `call()` every `interval_ns`, first one interval from now. Raises `ValueError` below 1 ns."""
        if interval_ns < 1:
            raise ValueError(f"interval_ns {interval_ns} is not positive")
        self._set(self.ts_ns + interval_ns, call, interval_ns)

    # --- moving -------------------------------------------------------------------------------------------------

    def advance(self, *, seconds: float = 0, ns: int = 0) -> int:
        """Let so much time pass, and all that is due up to then, its end included; returns the time.

        Raises `ValueError` for a time that is negative, `RuntimeError` from inside a handler.
        """
        by_ns = round(seconds * SECOND_NS) + ns
        if by_ns < 0:
            raise ValueError(f"time cannot go back by {-by_ns} ns")
        return self.advance_until(self.ts_ns + by_ns)

    def advance_until(self, ts_ns: int) -> int:
        """`advance` up to `ts_ns`, included; returns the time. Raises `ValueError` when that lies in the past."""
        if ts_ns < self.ts_ns:
            raise ValueError(f"time cannot go back from {self.ts_ns} to {ts_ns}")
        while self.step(ts_ns):
            pass
        return self.ts_ns

    def step(self, until_ns: int = NEVER_NS) -> bool:
        """Settle, then fire the one thing that is due next and settle again; False when none is due by `until_ns`.

        Then the time is `until_ns`, or as it was where none was given. Raises `RuntimeError` from inside a handler.
        """
        if self._is_moving:
            raise RuntimeError("a handler cannot move the clock that called it")
        self._is_moving = True
        try:
            self._settle()
            due_ns, fire = self._next()
            if due_ns > until_ns or due_ns == NEVER_NS:
                if until_ns != NEVER_NS:
                    self.advance_to(max(self.ts_ns, until_ns))
                return False
            self.ts_ns = due_ns
            fire()
            self._settle()
            return True
        finally:
            self._is_moving = False

    def run_until_idle(self) -> int:
        """Jump from one thing to the next until only endless ones are left; returns the time then."""
        self._settle()
        while any(timers.has_finite() for timers in (*(host.timers for host in self._hosts), self._calls)):
            self.step()
        return self.ts_ns

    @property
    def next_ns(self) -> int:
        """When the next thing is due; `NEVER_NS` when nothing is set."""
        return self._next()[0]

    # --- inside -------------------------------------------------------------------------------------------------

    def _next(self) -> tuple[int, Callable[[], object]]:
        """When the first thing is due and how it is fired; of things overdue the host's of the first `drive`."""
        now_ns, due_ns, fire = self.ts_ns, NEVER_NS, self._fire_call
        for host in self._hosts:
            if host.timers.next_ns < NEVER_NS and max(host.timers.next_ns, now_ns) < due_ns:
                due_ns, fire = max(host.timers.next_ns, now_ns), host.fire_next
        if self._calls.next_ns < NEVER_NS and max(self._calls.next_ns, now_ns) < due_ns:
            due_ns, fire = max(self._calls.next_ns, now_ns), self._fire_call
        return due_ns, fire

    def _fire_call(self) -> None:
        alarm = self._calls.pop_due(NEVER_NS)
        if alarm is not None:
            alarm.fire(alarm)

    def _settle(self) -> None:
        """Until no host has anything left: one may have sent to another."""
        while sum([host.settle() for host in self._hosts]):
            pass

    def _set(self, at_ns: int, call: Callable[[], object], interval_ns: int = 0) -> None:
        def fire(_alarm: Alarm) -> None:
            call()

        seq = self._calls.next_seq()
        self._calls.put(Alarm(at_ns, (_CALLS_RANK, seq), seq, fire, interval_ns))
