"""Hosts as processes of their own: commands and answers, kills and next lives."""

import itertools
import multiprocessing
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from libra_ray.bus import DeadReason, NoReceiver
from libra_ray.hosts.commands import (
    AddActor,
    AskStatus,
    DisposeActor,
    FaultActor,
    ForgetPeer,
    HostCommand,
    RemoveActor,
    ResetActor,
    RestartActor,
    ResumeActor,
    SaveActor,
    StartActors,
    StopActors,
    StopHost,
)
from libra_ray.hosts.context import BUS, HostProgram, MadeActor
from libra_ray.hosts.loop import run_host
from tests.hosts.director import MS, SECOND, Director
from tests.hosts.residents import Counter, Fickle, NoStart, Quiet, Relay

pytestmark = pytest.mark.slow

RESIDENTS = "tests.hosts.residents"


@pytest.fixture
def director() -> Iterator[Director]:
    with Director() as made:
        yield made


def test_actors_are_started_stopped_resumed_reset_and_disposed_of_by_command(director: Director) -> None:
    assert director.start("h", Quiet, begin=False).is_ok
    seen = []
    for command in (StartActors(), StopActors(), ResumeActor("Quiet"), StopActors(("Quiet",)), ResetActor("Quiet"),
                    DisposeActor("Quiet")):  # fmt: skip
        answer = director.ask("h", command)
        assert (answer.is_ok, answer.text) == (True, "")
        seen.append(director.states("h")["Quiet"])
    assert seen == ["RUNNING", "STOPPED", "RUNNING", "STOPPED", "READY", "DISPOSED"]


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (StartActors(("Quite",)), "no actor 'Quite'. Did you mean 'Quiet'?"),
        (ResumeActor("Quiet"), "BUG000 Quiet: trigger RESUME is illegal in state RUNNING."),
        (AddActor("no.such.module:X", "x", {}), ("CONF003 module 'no.such.module' not found (no.such.module:X). "
         "Write it as package.module:Class.")),
        (AddActor(f"{RESIDENTS}:NotAnActor", "x", {}), (f"CONF004 '{RESIDENTS}:NotAnActor' is not an Actor. "
         "Name a class of actors.")),
        (AddActor(f"{RESIDENTS}:Quiet", "Quiet", {}), ("CONF007 actor id 'Quiet' is given 2 times. "
         "Give each actor an actor_id of its own.")),
        (AddActor(f"{RESIDENTS}:Quiet", "x", {"speed": 9}), None),
        (ForgetPeer("nobody"), ""),
        (HostCommand(), "a host of actors does not know HostCommand"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_one_line(director: Director, command: HostCommand, text: str | None) -> None:
    director.start("h", Quiet)
    answer = director.ask("h", command)
    assert answer.is_ok == (text == "")
    assert "\n" not in answer.text
    assert text is None or answer.text == text
    assert director.states("h") == {"Quiet": "RUNNING"}


def test_a_command_for_another_life_is_refused(director: Director) -> None:
    director.start("h", Quiet)
    answer = director.ask("h", StopActors(), epoch=7)
    assert (answer.is_ok, answer.text) == (False, "the command was for epoch 7, this is 1")


def test_an_actor_that_cannot_start_says_why_and_the_others_run(director: Director) -> None:
    answer = director.start("h", NoStart, Quiet)
    assert (answer.is_ok, answer.text) == (False, "NoStart on_start: ValueError: not today")
    assert director.states("h") == {"NoStart": "FAULTED", "Quiet": "RUNNING"}


def test_actors_come_and_go_at_run_time(director: Director) -> None:
    director.start("h", Counter)
    assert director.ask("h", AddActor(f"{RESIDENTS}:Relay", "r", {})).is_ok
    assert director.states("h") == {"Counter": "RUNNING", "r": "READY"}
    assert director.ask("h", StartActors(("r",))).is_ok
    director.send("r.execute", 1)
    director.until(lambda: director.query("Counter.query") == [1])
    assert director.ask("h", RemoveActor("r")).is_ok
    assert director.states("h") == {"Counter": "RUNNING"}
    assert director.query("Counter.query") == [1, -1], "what it sent when it was stopped"
    director.until(lambda: not director.carrier.bus.has_endpoint("r.execute"))
    assert director.ask("h", AddActor(f"{RESIDENTS}:Relay", "r", {})).is_ok


def test_a_faulted_actor_is_made_anew_with_what_it_saved(director: Director) -> None:
    director.start("h", Relay, Counter)
    director.send("Relay.execute", 1, 2)
    assert director.query("Relay.query")[2] == [1, 2]
    assert director.ask("h", SaveActor("Relay")).value["numbers"] == b"\x92\x01\x02"
    director.send("Relay.execute", 13_000_000)
    director.until(lambda: director.states("h") == {"Relay": "FAULTED", "Counter": "RUNNING"})
    assert director.ask("h", RestartActor("Relay")).is_ok
    assert director.query("Relay.query")[1:] == (["start", "load"], [1, 2])


def test_an_actor_that_cannot_be_made_anew_says_why_and_its_host_lives_on(director: Director) -> None:
    director.start("h", Fickle, Quiet)
    answers = [director.ask("h", RestartActor("Fickle")) for _ in range(2)]
    assert (answers[0].is_ok, answers[0].text) == (False, "Fickle: OSError: the file is gone")
    assert (answers[1].is_ok, answers[1].text) == (True, "")
    assert director.states("h") == {"Quiet": "RUNNING", "Fickle": "RUNNING"}


def test_an_actor_is_faulted_by_decision(director: Director) -> None:
    director.start("h", Quiet)
    assert director.ask("h", FaultActor("Quiet", "enough")).is_ok
    status = director.ask("h", AskStatus()).value
    assert [(actor.state, actor.faults) for actor in status.actors] == [("FAULTED", 1)]


def test_a_killed_host_continues_where_it_was(director: Director) -> None:
    """State by `on_load`, then what came since by replay, and nothing that it sent is sent again."""
    director.start("c", Counter)
    director.start("r", Relay, save_every_ns=300 * MS)
    director.send("Relay.execute", *range(5))
    director.run(700 * MS)
    director.send("Relay.execute", *range(5, 8))
    director.until(lambda: len(director.query("Counter.query")) == 8)
    director.kill("r")
    director.send("Relay.execute", 8, 9)
    assert director.start("r", Relay).is_ok
    director.until(lambda: len(director.query("Counter.query")) >= 10)
    assert director.query("Relay.query")[1:] == (["start", "load"], list(range(10)))
    assert director.query("Counter.query") == list(range(10))


def test_what_is_published_while_a_host_is_dead_reaches_its_next_life(director: Director) -> None:
    director.start("c", Counter)
    director.start("r", Relay)
    director.publish("events.order.S", 1)
    director.until(lambda: director.query("Counter.query") == [1])
    director.kill("r")
    director.publish("events.order.S", 2)
    director.run(50 * MS)
    director.start("r", Relay, begin=False)
    director.publish("events.order.S", 3)
    director.until(lambda: ("r", 2) in [beat[:2] for beat in director.carrier.beats])
    director.run(50 * MS)
    director.publish("events.order.S", 4)
    director.send("Relay.execute", 5)
    director.run(50 * MS)
    assert director.query("Counter.query") == [1]
    director.ask("r", StartActors())
    director.publish("events.order.S", 6)
    director.until(lambda: len(director.query("Counter.query")) >= 6)
    assert sorted(director.query("Counter.query")) == [1, 2, 3, 4, 5, 6]


def test_no_kill_at_any_moment_loses_or_doubles_a_message(director: Director) -> None:
    """Numbers flow through a relay that is killed again and again; the counter is killed too."""
    director.start("c", Counter)
    director.start("r", Relay, save_every_ns=50 * MS)
    sent = 0
    for life in range(6):
        for _ in range(20):
            director.send("Relay.execute", *range(sent, sent + 25))
            sent += 25
            director.run(1 * MS if life % 2 else 3 * MS)
        director.kill("r")
        if life == 3:
            director.kill("c")
            director.start("c", Counter)
        director.start("r", Relay, save_every_ns=50 * MS)
    director.until(lambda: len(director.query("Relay.query")[2]) >= sent, seconds=30)
    director.until(lambda: len(director.query("Counter.query")) >= sent)
    assert director.query("Relay.query")[2] == list(range(sent))
    assert director.query("Counter.query") == list(range(sent))


def test_without_the_bus_host_direct_links_go_on_and_topics_wait_for_its_next_life(director: Director) -> None:
    director.start("c", Counter)
    director.start("r", Relay)
    director.until(lambda: director.carrier.bus.has_endpoint("Relay.execute"))
    director.kill(BUS)
    director.publish("events.order.S", 1)
    director.send("Relay.execute", 2)
    director.until(lambda: director.query("Counter.query") == [2])
    director.start_bus()
    director.until(lambda: director.query("Counter.query") == [2, 1])
    assert director.start("late", Quiet).is_ok
    director.publish("events.order.S", 3)
    director.until(lambda: director.query("Counter.query") == [2, 1, 3])


def test_a_host_says_that_it_lives_and_one_that_hangs_does_not(director: Director) -> None:
    director.start("c", Counter)
    director.start("r", Relay)
    director.run(1_500 * MS)
    times = [ts_ns for host_id, _, ts_ns in director.carrier.beats if host_id == "r"][1:]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(100 * MS < gap < 600 * MS for gap in gaps)
    assert director.carrier.statuses["r"].actors[0].state == "RUNNING"
    director.send("Relay.execute", 14_000_000)
    director.run(300 * MS)
    before = len([1 for host_id, _, _ in director.carrier.beats if host_id == "r"])
    director.run(1_000 * MS)
    assert len([1 for host_id, _, _ in director.carrier.beats if host_id == "r"]) == before


def test_a_stopped_host_has_stopped_its_actors_sent_what_they_said_and_ended_well(director: Director) -> None:
    director.start("c", Counter)
    director.start("r", Relay)
    answer = director.ask("r", StopHost(2 * SECOND))
    assert answer.is_ok
    director.until(lambda: director.processes["r"].exitcode is not None)
    assert director.processes["r"].exitcode == 0
    assert director.query("Counter.query") == [-1]
    assert not (director.folder / "r-1").exists()


def test_a_host_that_is_gone_for_good_is_no_receiver(director: Director) -> None:
    director.start("c", Counter)
    director.kill("c")
    assert director.ask(BUS, ForgetPeer("c")).is_ok
    director.until(lambda: not director.carrier.bus.has_endpoint("Counter.query"))
    ends: list[object] = []
    bus = director.carrier.bus
    director.carrier.act(
        lambda: bus.request("Counter.query", 1, timeout_ns=SECOND, on_reply=lambda _id, end: ends.append(end))
    )
    assert [type(end) for end in ends] == [NoReceiver]
    assert [each.destination for each in bus.dead_letters if each.reason is DeadReason.NO_RECEIVER][
        -1
    ] == "Counter.query"


def test_two_hosts_that_take_one_endpoint_at_once_leave_it_to_the_first(director: Director) -> None:
    director.start("one", MadeActor(Counter, "one"), begin=False)
    director.start("two", MadeActor(Counter, "two"), begin=False)
    director.run(300 * MS)
    first, second = director.tell("one", StartActors()), director.tell("two", StartActors())
    director.until(lambda: {first, second} <= director.carrier.answers.keys())
    director.until(
        lambda: sorted([director.states("one")["one"], director.states("two")["two"]]) == ["FAULTED", "RUNNING"]
    )


def test_a_host_ends_when_its_parent_is_gone(director: Director) -> None:
    program = director.program("orphan", (), 1)
    middle = multiprocessing.get_context("forkserver").Process(target=_start_and_leave, args=(program,))
    middle.start()
    director.until(lambda: any(host_id == "orphan" for host_id, _, _ in director.carrier.beats))
    (pid,) = {status.pid for host_id, status in director.carrier.statuses.items() if host_id == "orphan"}
    middle.join(5)
    director.until(lambda: not Path(f"/proc/{pid}").exists())


def _start_and_leave(program: HostProgram) -> None:
    """Start a host and be gone while it runs."""
    if os.fork() == 0:
        run_host(program)
        os._exit(0)
    time.sleep(0.5)  # noqa: TID251 - the host shall see who its parent is
    os._exit(0)
