"""Timers: (due time, rank, set sequence) decides, whatever was canceled, replaced or chained."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.bus import Bus
from libra_ray.clock import VirtualClock
from libra_ray.runtime import NEVER_NS, Actor, Alarm, Kind, LocalHost, State, Timer, TimerQueue


def nothing(_alarm: Alarm) -> None:
    """What an alarm of these tests calls."""


@dataclass
class Set:
    """One timer of the model."""

    due_ns: int
    rank_no: int
    seq: int
    name: str
    interval_ns: int
    stop_ns: int


class SortedList:
    """The plain model of a `TimerQueue`: a list, sorted again for each question."""

    def __init__(self) -> None:
        self.timers: list[Set] = []

    def put(self, timer: Set) -> None:
        self.cancel(timer.rank_no, timer.name)
        self.timers.append(timer)

    def cancel(self, rank_no: int, name: str) -> bool:
        before = len(self.timers)
        self.timers = [each for each in self.timers if (each.rank_no, each.name) != (rank_no, name)]
        return len(self.timers) < before

    def first(self) -> Set | None:
        return min(self.timers, key=lambda each: (each.due_ns, each.rank_no, each.seq), default=None)

    def pop_due(self, ts_ns: int) -> tuple[int, int, str] | None:
        first = self.first()
        if first is None or first.due_ns > ts_ns:
            return None
        popped = (first.due_ns, first.rank_no, first.name)
        if first.interval_ns and first.due_ns + first.interval_ns <= first.stop_ns:
            first.due_ns += first.interval_ns
        else:
            self.timers.remove(first)
        return popped


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("put"), st.integers(0, 3), st.sampled_from("abc"), st.integers(0, 30), st.sampled_from([0, 0, 3, 7])
        ),
        st.tuples(st.just("cancel"), st.integers(0, 3), st.sampled_from("abc")),
        st.tuples(st.just("cancel_all"), st.integers(0, 3)),
        st.tuples(st.just("pop"), st.integers(0, 40)),
    ),
    max_size=60,
)


@given(STEPS)
def test_a_queue_answers_as_a_sorted_list_does(steps: list[tuple[object, ...]]) -> None:
    queue, model = TimerQueue(), SortedList()
    for step in steps:
        match step:
            case ("put", int(rank_no), str(name), int(due_ns), int(interval_ns)):
                seq = queue.next_seq()
                queue.put(Alarm(due_ns, (rank_no, name), seq, nothing, interval_ns, 45))
                model.put(Set(due_ns, rank_no, seq, name, interval_ns, 45))
            case ("cancel", int(rank_no), str(name)):
                assert (queue.cancel((rank_no, name)) is not None) == model.cancel(rank_no, name)
            case ("cancel_all", int(rank_no)):
                count = sum(each.rank_no == rank_no for each in model.timers)
                assert queue.cancel_all(rank_no) == count
                model.timers = [each for each in model.timers if each.rank_no != rank_no]
            case _:
                ts_ns = int(str(step[1]))
                alarm = queue.pop_due(ts_ns)
                assert (None if alarm is None else (alarm.due_ns, *alarm.key)) == model.pop_due(ts_ns)
        first = model.first()
        assert queue.next_ns == queue.next_due_ns() == (NEVER_NS if first is None else first.due_ns)
        assert len(queue) == len(model.timers)


def test_a_timer_that_is_replaced_for_ever_does_not_fill_the_memory() -> None:
    queue = TimerQueue()
    queue.put(Alarm(0, (0, "first"), queue.next_seq(), nothing))
    for due_ns in range(1, 10_000):
        queue.put(Alarm(due_ns, (0, "again"), queue.next_seq(), nothing))
    assert queue.entries <= 65
    assert [queue.pop_due(NEVER_NS).due_ns for _ in range(2)] == [0, 9_999]  # type: ignore[union-attr]
    assert queue.pop_due(NEVER_NS) is None


class Watch(Actor):
    """Writes down its timers and what the time was."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, int, int]] = []

    def on_timer(self, timer: Timer) -> None:
        self.seen.append((timer.name, timer.due_ns, self.clock.now_ns()))


def watching(host: LocalHost, kind: Kind = Kind.ACTOR) -> Watch:
    watch = Watch()
    host.start(host.add(watch, kind))
    return watch


def test_chained_alerts_fire_in_global_order_between_rows(host: LocalHost) -> None:
    """`timer-order` of the conformance scenarios: a timer each 2 s from 1, an alert at 2.5 that sets one at 2.7."""
    second, fired = 1_000_000_000, list[tuple[str, int]]()

    class Chain(Actor):
        def on_timer(self, timer: Timer) -> None:
            fired.append((timer.name, timer.due_ns))
            if timer.name == "a":
                self.clock.set_alert("b", at_ns=2_700_000_000)

    chain = Chain()
    host.start(host.add(chain))
    host.advance_to(second)
    chain.clock.set_timer("t", interval_ns=2 * second)
    chain.clock.set_alert("a", at_ns=2_500_000_000)
    host.advance_to(3 * second - 1)
    assert fired == [("a", 2_500_000_000), ("b", 2_700_000_000)]
    host.advance_to(3 * second)
    assert fired[2:] == [("t", 3 * second)]


def test_at_one_time_rank_decides_then_the_sequence_of_setting(host: LocalHost) -> None:
    order: list[str] = []

    class Teller(Actor):
        def on_timer(self, timer: Timer) -> None:
            order.append(f"{self.actor_id} {timer.name}")

    tellers = {kind: Teller() for kind in (Kind.STRATEGY, Kind.RISK)}
    for kind, teller in tellers.items():
        host.start(host.add(teller, kind))
    tellers[Kind.STRATEGY].clock.set_alert("z", at_ns=5)
    tellers[Kind.STRATEGY].clock.set_alert("a", at_ns=5)
    tellers[Kind.RISK].clock.set_alert("m", at_ns=5)
    host.advance_to(5)
    assert order == ["Teller-2 m", "Teller-1 z", "Teller-1 a"]


def test_a_repeating_timer_keeps_its_place_and_ends_at_its_stop(host: LocalHost) -> None:
    watch = watching(host)
    watch.clock.set_timer("t", interval_ns=10, first_ns=5, stop_ns=25)
    watch.clock.set_timer("u", interval_ns=10, stop_ns=29)
    assert host.run_until_idle() == 25
    assert watch.seen == [("t", 5, 5), ("u", 10, 10), ("t", 15, 15), ("u", 20, 20), ("t", 25, 25)]


def test_a_due_time_in_the_past_is_due_now_and_keeps_its_due_time(host: LocalHost) -> None:
    watch = watching(host)
    host.advance_to(100)
    watch.clock.set_alert("late", at_ns=40)
    host.advance_to(100)
    assert watch.seen == [("late", 40, 100)]


def test_setting_a_name_again_replaces_it_and_canceling_answers_whether_there_was_one(host: LocalHost) -> None:
    watch = watching(host)
    watch.clock.set_alert("a", at_ns=10)
    watch.clock.set_alert("b", at_ns=10)
    watch.clock.set_alert("a", at_ns=20)
    assert watch.clock.timer_names == ["b", "a"]
    assert watch.clock.cancel_timer("b")
    assert not watch.clock.cancel_timer("b")
    host.run_until_idle()
    assert watch.seen == [("a", 20, 20)]


def test_names_belong_to_one_actor(host: LocalHost) -> None:
    one, two = watching(host), watching(host)
    one.clock.set_alert("a", at_ns=1)
    two.clock.set_alert("a", at_ns=2)
    assert two.clock.cancel_timer("a")
    host.run_until_idle()
    assert (one.seen, two.seen) == ([("a", 1, 1)], [])


def test_a_callback_gets_the_timer_instead_of_the_hook(host: LocalHost) -> None:
    watch, called = watching(host), list[Timer]()
    watch.clock.set_alert("a", at_ns=3, callback=called.append)
    host.run_until_idle()
    assert (called, watch.seen) == ([Timer("a", 3)], [])


def test_a_timer_of_a_stopped_actor_is_skipped_and_counted_and_of_a_faulted_one_gone(host: LocalHost) -> None:
    stopped, faulted = watching(host), watching(host)
    for watch in (stopped, faulted):
        watch.clock.set_alert("a", at_ns=3)
    host.stop("Watch-1")
    host.fault("Watch-2", RuntimeError("enough"))
    assert len(host.timers) == 1
    host.run_until_idle()
    assert (stopped.seen, faulted.seen, host.discarded) == ([], [], {"Watch-1": 1})


@pytest.mark.parametrize(
    "arguments", [{"interval_ns": 0}, {"interval_ns": -5}, {"interval_ns": 10, "stop_ns": 9}, {"interval_ns": 2**60}]
)
def test_a_timer_that_could_never_fire_rightly_is_refused(host: LocalHost, arguments: dict[str, Any]) -> None:
    watch = watching(host)
    arguments = {"stop_ns": 2**59} | arguments
    with pytest.raises(ValueError, match="timer 't'"):
        watch.clock.set_timer("t", **arguments)
    assert watch.clock.timer_names == []


@pytest.mark.parametrize(("name", "at_ns"), [("", 5), ("a", -1), ("a", NEVER_NS)])
def test_an_alert_has_a_name_and_a_time_from_1970_to_2262(host: LocalHost, name: str, at_ns: int) -> None:
    with pytest.raises(ValueError, match="a timer has a name"):
        watching(host).clock.set_alert(name, at_ns=at_ns)


@pytest.mark.slow
def test_alerts_that_chain_at_one_time_for_ever_fault_their_actor(host: LocalHost) -> None:
    class Circle(Actor):
        def on_start(self) -> None:
            self.clock.set_alert("a", at_ns=5)

        def on_timer(self, timer: Timer) -> None:
            self.clock.set_alert(timer.name, at_ns=5)

    circle = Circle()
    host.start(host.add(circle))
    host.advance_to(10)
    assert circle.state == State.FAULTED
    assert str(host.faults[0].error).startswith("STRAT002 Circle-1 fired timer 65,537 of one time, 'a'.")


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 25), st.integers(0, 8), st.integers(0, 3)), min_size=1, max_size=12
    )
)
def test_whatever_is_chained_time_never_goes_back_and_ties_go_by_rank(plans: list[tuple[int, int, int, int]]) -> None:
    """Each plan is an alert of an actor that sets follow-ups a distance later, a number of times."""
    clock = VirtualClock()
    host = LocalHost(clock, Bus(clock))
    fired: list[tuple[int, int]] = []

    class Chain(Actor):
        def on_timer(self, timer: Timer) -> None:
            assert clock.ts_ns == timer.due_ns
            fired.append((timer.due_ns, self.rank_no))
            name, distance_ns, left = timer.name.split("/")
            if int(left):
                due_ns = timer.due_ns + int(distance_ns) + 1
                self.clock.set_alert(f"{name}/{distance_ns}/{int(left) - 1}", at_ns=due_ns)

    chains = [Chain() for _ in range(3)]
    for chain in chains:
        host.start(host.add(chain))
    expected: list[tuple[int, int]] = []
    for index, (who, at_ns, distance_ns, left) in enumerate(plans):
        chains[who].clock.set_alert(f"{index}/{distance_ns}/{left}", at_ns=at_ns)
        expected += [(at_ns + step * (distance_ns + 1), chains[who].rank_no) for step in range(left + 1)]
    host.run_until_idle()
    assert fired == sorted(expected)


def test_a_repetition_counts_as_set_when_its_timer_was_set(host: LocalHost) -> None:
    watch = watching(host)
    watch.clock.set_timer("first", interval_ns=10, stop_ns=20)
    watch.clock.set_alert("second", at_ns=20)
    host.run_until_idle()
    assert [name for name, due_ns, _ in watch.seen if due_ns == 20] == ["first", "second"]


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda actor: actor.clock.set_alert("a", at_ns=1e9), "timer 'a': its time is 1000000000.0"),
        (lambda actor: actor.clock.set_timer("a", interval_ns=0.5), "timer 'a': interval_ns is 0.5"),
        (lambda actor: actor.clock.set_timer("a", interval_ns=1, first_ns=2.0), "timer 'a': first_ns is 2.0"),
        (lambda actor: actor.clock.set_timer("a", interval_ns=1, stop_ns="3"), "timer 'a': stop_ns is '3'"),
        (lambda actor: actor.request("A.x", 1, 1e9), "request to A.x: timeout_ns is 1000000000.0"),
    ],
)
def test_times_are_whole_numbers(host: LocalHost, call: Callable[[Actor], object], what: str) -> None:
    actor = Actor()
    host.add(actor)
    with pytest.raises(TypeError) as caught:
        call(actor)
    assert str(caught.value) == f"{what}, not a whole number of nanoseconds; write for example 10**9"
    assert len(host.timers) == 0


def test_a_whole_number_of_numpy_is_a_time_and_becomes_an_int(host: LocalHost) -> None:
    actor = Actor()
    host.add(actor)
    actor.clock.set_alert("a", at_ns=np.int64(5))  # type: ignore[arg-type]
    assert type(host.timers.next_ns) is int


def test_a_request_that_would_time_out_after_all_time_is_refused(host: LocalHost) -> None:
    actor = Actor()
    host.add(actor)
    with pytest.raises(ValueError, match="ends after 2262"):
        actor.request("A.x", 1, 2**63)
