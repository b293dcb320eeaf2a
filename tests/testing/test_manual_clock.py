"""The clock that a test moves: hosts, parts without a host, ties, and what it refuses."""

import pytest

from libra_ray.bus import Bus, Throttler
from libra_ray.clock import VirtualClock
from libra_ray.runtime import NEVER_NS, Actor, LocalHost, Timer
from libra_ray.testing import ManualClock

SECOND = 10**9


class Ticker(Actor):
    """Ticks each second, and tells the other host."""

    def __init__(self, log: list[tuple[str, int]], other: Bus | None = None) -> None:
        super().__init__()
        self.noted, self.other = log, other

    def on_start(self) -> None:
        self.clock.set_timer("tick", interval_ns=SECOND)
        self.subscribe("told", self.hear)

    def on_timer(self, timer: Timer) -> None:
        self.noted.append((f"tick {self.actor_id}", self.clock.now_ns()))
        if self.other is not None:
            self.other.publish("told", timer.due_ns)

    def hear(self, due_ns: int) -> None:
        self.send("nobody", due_ns)
        self.noted.append((f"told {self.actor_id}", self.clock.now_ns()))


def started(clock: ManualClock, actor: Actor) -> LocalHost:
    host = clock.drive(LocalHost(clock, Bus(clock)))
    host.start(host.add(actor))
    return host


def test_timers_fire_at_their_times_in_order_over_all_hosts_and_calls() -> None:
    clock, log = ManualClock(), list[tuple[str, int]]()
    other = LocalHost(clock, Bus(clock))
    started(clock, Ticker(log, other.bus))  # type: ignore[arg-type]
    clock.drive(other)
    other.start(other.add(Ticker(log)))
    clock.call_every(SECOND, lambda: log.append(("call", clock.now_ns())))
    clock.call_at(SECOND + 1, lambda: log.append(("once", clock.now_ns())))

    assert clock.advance(seconds=1.5) == 1_500_000_000
    assert log == [
        ("tick Ticker-1", SECOND),
        ("told Ticker-1", SECOND),
        ("tick Ticker-1", SECOND),
        ("call", SECOND),
        ("once", SECOND + 1),
    ]


def test_what_another_host_sent_is_settled_too() -> None:
    clock, log = ManualClock(), list[tuple[str, int]]()
    late = LocalHost(clock, Bus(clock))
    clock.drive(late)
    late.start(late.add(Ticker(log)))
    started(clock, Ticker(log, late.bus))  # type: ignore[arg-type]

    clock.advance(ns=SECOND)
    assert late.bus.dead_counts["NO_RECEIVER"] == 1  # type: ignore[attr-defined]


def test_hosts_settle_each_other_until_nothing_is_left() -> None:
    clock, log = ManualClock(), list[tuple[str, int]]()
    one, other = (clock.drive(LocalHost(clock, Bus(clock))) for _ in range(2))

    class Echo(Actor):
        """Passes a number on, one less, to the bus of the other host."""

        def __init__(self, to: Bus) -> None:
            super().__init__()
            self.to = to

        def on_start(self) -> None:
            self.subscribe("number", self.pass_on)
            self.bus.register("Echo.do", lambda number: self.to.publish("number", number))

        def pass_on(self, number: int) -> None:
            log.append((self.actor_id, number))
            if number:
                self.send("Echo.do", number - 1)

    for host, to in ((one, other), (other, one)):
        host.start(host.add(Echo(to.bus)))  # type: ignore[arg-type]
    clock.call_at(1, lambda: other.bus.publish("number", 3))
    clock.step()
    assert [number for _, number in log] == [3, 2, 1, 0]


def test_parts_without_a_host_just_ask_it() -> None:
    clock = ManualClock()
    throttler: Throttler[int] = Throttler(1, SECOND, "queue")
    passed: list[tuple[int, int]] = []
    throttler.offer(clock.now_ns(), 1)
    throttler.offer(clock.now_ns(), 2)
    release_ns = throttler.next_release_ns
    assert release_ns is not None
    clock.call_at(release_ns, lambda: passed.extend((m, clock.now_ns()) for m in throttler.release(clock.now_ns())))

    clock.advance(ns=SECOND - 1)
    assert passed == []
    clock.advance(ns=1)
    assert passed == [(2, SECOND)]


def test_a_time_in_the_past_is_now_and_never_moves_it_back() -> None:
    clock, log = ManualClock(5), list[int]()
    clock.call_at(3, lambda: log.append(clock.now_ns()))

    assert clock.next_ns == 5
    assert clock.advance() == 5
    assert log == [5]
    assert clock.next_ns == NEVER_NS


def test_steps_go_one_thing_at_a_time() -> None:
    clock, log = ManualClock(), list[int]()
    for at_ns in (10, 10, 30):
        clock.call_at(at_ns, lambda: log.append(clock.now_ns()))

    assert clock.step(20)
    assert log == [10]
    assert clock.step(20)
    assert not clock.step(20)
    assert (log, clock.now_ns()) == ([10, 10], 20)
    assert clock.step()
    assert not clock.step()
    assert (log, clock.now_ns()) == ([10, 10, 30], 30)


def test_idle_means_that_only_endless_timers_are_left() -> None:
    clock, log = ManualClock(), list[tuple[str, int]]()
    started(clock, Ticker(log))
    clock.call_at(3 * SECOND, lambda: clock.call_at(4 * SECOND + 1, lambda: log.append(("end", clock.now_ns()))))

    assert clock.run_until_idle() == 4 * SECOND + 1
    assert [name for name, _ in log].count("tick Ticker-1") == 4
    assert log[-1] == ("end", 4 * SECOND + 1)


def test_what_it_refuses() -> None:
    clock = ManualClock(7)
    with pytest.raises(ValueError, match="cannot go back from 7 to 6"):
        clock.advance_until(6)
    with pytest.raises(ValueError, match="cannot go back by 1 ns"):
        clock.advance(ns=-1)
    with pytest.raises(ValueError, match="not positive"):
        clock.call_every(0, list)
    with pytest.raises(ValueError, match="give it this clock"):
        clock.drive(LocalHost(VirtualClock(), Bus()))
    clock.call_at(8, clock.advance)
    with pytest.raises(RuntimeError, match="a handler cannot move the clock"):
        clock.advance(ns=1)
    assert clock.advance(ns=1) == 9
