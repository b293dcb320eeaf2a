"""The table of states and triggers, and the host that drives it."""

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.bus import Bus
from libra_ray.clock import VirtualClock
from libra_ray.errors import InvalidTransitionError
from libra_ray.messages.events import ComponentStateChanged
from libra_ray.runtime import NEXT, Actor, Kind, LocalHost, State, Trigger, next_state

TABLE = """
PRE_INITIALIZED INITIALIZE READY
READY START STARTING | READY RESET RESETTING | READY DISPOSE DISPOSING
STARTING START_COMPLETED RUNNING | STARTING STOP STOPPING | STARTING FAULT FAULTING
RUNNING STOP STOPPING | RUNNING DEGRADE DEGRADING | RUNNING FAULT FAULTING
STOPPING STOP_COMPLETED STOPPED | STOPPING FAULT FAULTING
STOPPED RESUME RESUMING | STOPPED RESET RESETTING | STOPPED DISPOSE DISPOSING | STOPPED FAULT FAULTING
RESUMING RESUME_COMPLETED RUNNING | RESUMING STOP STOPPING | RESUMING FAULT FAULTING
RESETTING RESET_COMPLETED READY | RESETTING FAULT FAULTING
DEGRADING DEGRADE_COMPLETED DEGRADED | DEGRADING FAULT FAULTING
DEGRADED RESUME RESUMING | DEGRADED STOP STOPPING | DEGRADED FAULT FAULTING
DISPOSING DISPOSE_COMPLETED DISPOSED
FAULTING FAULT_COMPLETED FAULTED
FAULTED DISPOSE DISPOSING
"""
"""`spec/lifecycle.md`, written down a second time: from, trigger, to."""

DRIVES: dict[str, Callable[[LocalHost, str], object]] = {
    "START": LocalHost.start,
    "STOP": LocalHost.stop,
    "RESUME": LocalHost.resume,
    "RESET": LocalHost.reset,
    "DISPOSE": LocalHost.dispose,
    "DEGRADE": lambda host, actor_id: host.degrade(actor_id, "thin book"),
    "FAULT": lambda host, actor_id: host.fault(actor_id, RuntimeError("by decision")),
}


def expected_table() -> dict[tuple[str, str], str]:
    rows = [row.split() for row in TABLE.replace("|", "\n").splitlines() if row.strip()]
    return {(state, trigger): to_state for state, trigger, to_state in rows}


class Diary(Actor):
    """Writes down each hook; raises where it is told to."""

    def __init__(self, raises_in: str = "") -> None:
        super().__init__()
        self.hooks: list[str] = []
        self.raises_in = raises_in

    def note(self, hook: str) -> None:
        self.hooks.append(hook)
        self.publish("diary", hook)
        if hook == self.raises_in:
            raise ValueError(hook)

    def on_start(self) -> None:
        self.note("on_start")

    def on_stop(self) -> None:
        self.note("on_stop")

    def on_resume(self) -> None:
        self.note("on_resume")

    def on_reset(self) -> None:
        self.note("on_reset")

    def on_dispose(self) -> None:
        self.note("on_dispose")

    def on_degrade(self, reason: str) -> None:
        assert reason == "thin book"
        self.note("on_degrade")

    def on_fault(self, error: Exception) -> None:
        assert str(error) in {"by decision", "gone before", self.raises_in}
        self.note("on_fault")

    def on_save(self) -> Mapping[str, bytes]:
        self.note("on_save")
        return {"count": b"3"}

    def on_load(self, state: Mapping[str, bytes]) -> None:
        self.note("on_load")
        assert state == {"count": b"3"}


def test_the_table_has_exactly_the_29_transitions_of_the_specification() -> None:
    assert {
        (str(state), str(trigger)): str(to_state) for (state, trigger), to_state in NEXT.items()
    } == expected_table()
    assert (len(NEXT), len(State), len(Trigger)) == (29, 14, 15)


@given(state=st.sampled_from(State), trigger=st.sampled_from(Trigger))
def test_a_pair_outside_the_table_raises_and_names_actor_state_and_trigger(state: State, trigger: Trigger) -> None:
    to_state = expected_table().get((state, trigger))
    if to_state is not None:
        assert next_state("A-1", state, trigger) == to_state
        return
    with pytest.raises(InvalidTransitionError) as caught:
        next_state("A-1", state, trigger)
    assert (caught.value.actor_id, caught.value.state, caught.value.trigger) == ("A-1", state, trigger)


@given(st.lists(st.sampled_from(sorted(DRIVES)), max_size=12))
def test_any_sequence_of_triggers_follows_the_table_and_illegal_ones_change_nothing(triggers: list[str]) -> None:
    clock = VirtualClock()
    host, actor, table = LocalHost(clock, Bus(clock)), Diary(), expected_table()
    seen: list[ComponentStateChanged] = []
    host.bus.subscribe("events.system.*", seen.append)
    host.add(actor)
    state = "READY"
    for trigger in triggers:
        hooks, events = list(actor.hooks), len(seen)
        if (state, trigger) in table:
            DRIVES[trigger](host, "Diary-1")
            during = table[state, trigger]
            done = table[during, f"{trigger}_COMPLETED"]
            assert [(event.from_state, event.trigger, event.to_state) for event in seen[events:]] == [
                (state, trigger, during),
                (during, f"{trigger}_COMPLETED", done),
            ]
            assert actor.hooks == [*hooks, f"on_{trigger.lower()}"]
            state = done
        else:
            with pytest.raises(InvalidTransitionError):
                DRIVES[trigger](host, "Diary-1")
            assert (actor.hooks, len(seen)) == (hooks, events)
        assert actor.state == state
        assert actor.is_active == (state in ("RUNNING", "DEGRADED"))


def test_each_transition_is_published_with_time_epoch_and_reason(host: LocalHost, clock: VirtualClock) -> None:
    seen: list[ComponentStateChanged] = []
    host.bus.subscribe("events.system.Diary-1", seen.append)
    host.add(Diary())
    clock.ts_ns = 5
    host.start("Diary-1")
    host.degrade("Diary-1", "thin book")
    assert seen == [
        ComponentStateChanged("Diary-1", "PRE_INITIALIZED", "READY", "INITIALIZE", 0, 1, ""),
        ComponentStateChanged("Diary-1", "READY", "STARTING", "START", 5, 1, ""),
        ComponentStateChanged("Diary-1", "STARTING", "RUNNING", "START_COMPLETED", 5, 1, ""),
        ComponentStateChanged("Diary-1", "RUNNING", "DEGRADING", "DEGRADE", 5, 1, "thin book"),
        ComponentStateChanged("Diary-1", "DEGRADING", "DEGRADED", "DEGRADE_COMPLETED", 5, 1, "thin book"),
    ]


WAYS = {
    "on_start": (["START"], "FAULTED"),
    "on_stop": (["START", "STOP"], "FAULTED"),
    "on_resume": (["START", "STOP", "RESUME"], "FAULTED"),
    "on_reset": (["START", "STOP", "RESET"], "FAULTED"),
    "on_degrade": (["START", "DEGRADE"], "FAULTED"),
    "on_dispose": (["START", "STOP", "DISPOSE"], "DISPOSED"),
    "on_fault": (["START", "FAULT"], "FAULTED"),
}


@pytest.mark.parametrize("hook", sorted(WAYS))
def test_a_hook_that_raises_ends_in_a_fault_that_says_where_and_sent_nothing(host: LocalHost, hook: str) -> None:
    triggers, end = WAYS[hook]
    actor, sent = Diary(raises_in=hook), list[str]()
    host.bus.subscribe("diary", sent.append)
    host.add(actor)
    for trigger in triggers:
        DRIVES[trigger](host, "Diary-1")
    host.settle()
    assert actor.state == end
    fault = host.faults[-1]
    assert (fault.hook, str(fault.error), fault.place) == (hook, hook, f"test_lifecycle.py:{raise_line()}")
    assert hook not in sent
    assert actor.hooks[-1] == ("on_fault" if hook not in ("on_dispose", "on_fault") else hook)
    assert sent == [each for each in actor.hooks if each != hook]


def raise_line() -> int:
    """The line of the `raise` in `Diary.note`."""
    return Diary.note.__code__.co_firstlineno + 4


def test_the_error_of_a_hook_reads_as_the_catalogue_of_errors_has_it(host: LocalHost) -> None:
    host.add(Diary(raises_in="on_start"))
    host.start("Diary-1")
    error = host.faults[0].to_error()
    assert str(error) == f"STRAT001 test_lifecycle.py:{raise_line()}: Diary-1 on_start raised ValueError: on_start."
    assert error.exit_code == 1


def test_a_raising_dispose_is_reported_with_the_transition(host: LocalHost) -> None:
    seen: list[ComponentStateChanged] = []
    host.add(Diary(raises_in="on_dispose"))
    host.bus.subscribe("events.system.*", seen.append)
    host.dispose("Diary-1")
    assert [(event.trigger, event.reason) for event in seen] == [
        ("DISPOSE", ""),
        ("DISPOSE_COMPLETED", "ValueError: on_dispose"),
    ]


def test_what_was_saved_is_loaded_after_on_start_and_before_the_first_event(host: LocalHost) -> None:
    first, second = Diary(), Diary()
    for actor in (first, second):
        host.add(actor)
    host.start("Diary-1")
    saved = host.save("Diary-1")
    assert saved == {"count": b"3"}

    host.deliver(second, second.note, "early event")
    host.start("Diary-2", saved)

    assert second.hooks == ["on_start", "on_load", "early event"]


def test_a_save_that_raises_faults_and_gives_nothing(host: LocalHost) -> None:
    actor = Diary(raises_in="on_save")
    host.add(actor)
    host.start("Diary-1")
    assert host.save("Diary-1") is None
    assert actor.state == State.FAULTED
    assert host.faults[0].hook == "on_save"


class Saver(Actor):
    """Saves what it was told to."""

    given: object = None

    def on_save(self) -> Mapping[str, bytes]:
        return self.given  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (None, "on_save gave 'None', not a mapping of names to bytes"),
        ([("a", b"x")], "on_save gave '[('a', b'x')]', not a mapping of names to bytes"),
        ({"a": "x"}, "on_save gave 'x' for 'a': names are text, values are bytes"),
        ({1: b"x"}, "on_save gave 'b'x'' for '1': names are text, values are bytes"),
    ],
)
def test_a_save_that_the_next_life_could_not_read_is_a_fault(host: LocalHost, given: object, text: str) -> None:
    actor = Saver()
    actor.given = given
    host.start(host.add(actor))
    assert host.save("Saver-1") is None
    place = f"test_lifecycle.py:{Saver.on_save.__code__.co_firstlineno}"
    assert [(fault.hook, fault.place, fault.reason) for fault in host.faults] == [
        ("on_save", place, f"TypeError: {text}")
    ]


def test_a_save_of_other_kinds_of_bytes_is_one_of_bytes(host: LocalHost) -> None:
    actor = Saver()
    actor.given = {"a": bytearray(b"x"), "b": memoryview(b"y")}
    host.start(host.add(actor))
    assert host.save("Saver-1") == {"a": b"x", "b": b"y"}


def test_a_failed_start_leaves_the_others_running_and_is_reported_at_the_end(host: LocalHost) -> None:
    actors = [Diary(), Diary(raises_in="on_start"), Diary()]
    ids = [host.add(actor) for actor in actors]
    faults = host.start_all(ids)
    assert [fault.actor_id for fault in faults] == ["Diary-2"]
    assert [actor.state for actor in actors] == [State.RUNNING, State.FAULTED, State.RUNNING]


def test_stop_goes_in_reverse_settles_each_and_goes_on_past_a_failure(host: LocalHost) -> None:
    actors = [Diary(), Diary(raises_in="on_stop"), Diary(), Diary()]
    ids = [host.add(actor) for actor in actors]
    host.start_all(ids)
    host.settle()
    host.fault("Diary-4", RuntimeError("gone before"))
    host.settle()
    order: list[str] = []
    host.bus.subscribe("events.system.*", lambda event: order.append(f"{event.actor_id} {event.to_state}"))
    host.bus.subscribe("diary", order.append)
    faults = host.stop_all(ids)
    assert [fault.actor_id for fault in faults] == ["Diary-2"]
    assert order == [
        *("Diary-3 STOPPING", "Diary-3 STOPPED", "on_stop"),
        *("Diary-2 STOPPING", "Diary-2 FAULTING", "Diary-2 FAULTED", "on_fault"),
        *("Diary-1 STOPPING", "Diary-1 STOPPED", "on_stop"),
    ]


def test_orders_of_on_start_wait_for_all_and_go_by_rank_not_by_order_of_start(host: LocalHost) -> None:
    ids = [host.add(Diary(), kind) for kind in (Kind.STRATEGY, Kind.ACTOR, Kind.STRATEGY)]
    senders: list[str] = []
    host.start_all(ids)
    assert all(actor.is_active for actor in host.actors.values())
    senders = [sender.actor_id for sender, _, _ in host.queue]
    assert senders == ["Diary-2", "Diary-1", "Diary-3"]


def test_subscribers_see_transitions_in_order_also_those_that_hearing_of_one_causes(host: LocalHost) -> None:
    class Fragile(Actor):
        def on_start(self) -> None:
            self.subscribe("events.system.Diary-1", self.hear)

        def hear(self, event: ComponentStateChanged) -> None:
            raise ValueError(event.to_state)

    host.add(Fragile())
    host.start("Fragile-1")
    seen: list[str] = []
    host.bus.subscribe("events.system.*", lambda event: seen.append(f"{event.actor_id} {event.to_state}"))
    host.add(Diary())
    assert seen == ["Diary-1 READY", "Fragile-1 FAULTING", "Fragile-1 FAULTED"]


def test_a_stop_inside_on_start_wins_over_its_completion(host: LocalHost) -> None:
    class Reluctant(Actor):
        def on_start(self) -> None:
            host.stop("Reluctant-1")

    actor = Reluctant()
    host.add(actor)
    assert not host.start("Reluctant-1")
    assert actor.state == State.STOPPED


def test_a_reset_actor_has_no_timers_subscriptions_endpoints_or_kept_events(host: LocalHost) -> None:
    actor = Diary()
    host.add(actor)
    host.start("Diary-1")
    actor.subscribe("signals.x")
    actor.bus.register("Diary.execute", actor.on_event)
    actor.clock.set_alert("a", at_ns=10)
    host.settle()
    host.stop("Diary-1")
    host.deliver(actor, actor.on_event, "kept")
    host.reset("Diary-1")
    assert actor.state == State.READY
    assert (host.bus.receivers("signals.x"), actor.clock.timer_names) == ((), [])
    assert not host.bus.send("Diary.execute", 1)
    assert host.discarded == {"Diary-1": 1}


def test_a_fault_of_the_kernel_and_of_a_strategy_go_to_different_callbacks(host: LocalHost) -> None:
    told: list[str] = []
    host.on_faulted = lambda actor, fault: told.append(f"{actor.actor_id} {actor.state} {fault.error}")
    host.on_kernel_fault = lambda actor, fault: told.append(f"halt: {actor.actor_id} {fault.error}")
    host.add(Diary(raises_in="on_start"), Kind.STRATEGY)
    host.add(Diary(raises_in="on_start"), Kind.RISK)
    host.start_all(["Diary-1", "Diary-2"])
    assert told == ["Diary-1 FAULTED on_start", "halt: Diary-2 on_start"]
