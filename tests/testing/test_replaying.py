"""Replay: a recorded session goes on in its own order in a fresh host, or says where it does not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from libra_ray.bus import Request
from libra_ray.messages.codec import encode
from libra_ray.runtime import Actor, Lane, Timer
from libra_ray.testing import (
    Crossing,
    Recorder,
    ReplayDivergedError,
    Replayed,
    Replayer,
    assert_same_traffic,
    read_traffic,
)
from tests.testing.sessions import Feed, Trader, new_host, run_session


def test_a_session_replays_into_a_part_of_it_in_its_own_order(tmp_path: Path) -> None:
    session = run_session(tmp_path / "t")
    host = new_host(trader := Trader())
    with Recorder(tmp_path / "u", host):
        host.start_all(list(host.actors))
        replayed = Replayer(tmp_path / "t").into(host)

    assert trader.told == session.actors["Trader-1"].told  # type: ignore[attr-defined]
    assert "time out" in trader.told

    def of_trader(path: Path) -> Iterator[Crossing]:
        return (each for each in read_traffic(path) if each.source == "Trader-1")

    assert_same_traffic(of_trader(tmp_path / "t"), of_trader(tmp_path / "u"))
    assert [each.ts_ns for each in of_trader(tmp_path / "t")] == [each.ts_ns for each in of_trader(tmp_path / "u")]
    timers = sum(each.kind in ("TIMER", "DEADLINE") for each in of_trader(tmp_path / "t"))
    assert isinstance(replayed, Replayed)
    assert replayed.fired == timers
    assert not host.bus.has_endpoint("Feed.query")


def test_a_session_replays_into_all_of_it(tmp_path: Path) -> None:
    run_session(tmp_path / "t")
    host = new_host(Feed(), Trader())
    with Recorder(tmp_path / "u", host):
        host.start_all(list(host.actors))
        Replayer(tmp_path / "t").into(host)
    assert_same_traffic(tmp_path / "t", tmp_path / "u")
    assert_same_traffic(tmp_path / "t", tmp_path / "u", by_source=True)


class Late(Actor):
    """Says in which order it heard a message and its timer."""

    def on_start(self) -> None:
        self.subscribe("news", self.hear)
        self.clock.set_alert("due", at_ns=10)

    def on_timer(self, _timer: Timer) -> None:
        self.publish("said", f"timer {self.clock.now_ns()}")

    def hear(self, message: str) -> None:
        self.publish("said", f"{message} {self.clock.now_ns()}")


def test_a_timer_that_was_late_then_is_late_again(tmp_path: Path) -> None:
    host = new_host(Late())
    host.start_all(["Late-1"])
    with Recorder(tmp_path / "t", host):
        host.clock.advance_to(12)  # type: ignore[attr-defined]
        host.bus.publish("news", "first")
        host.settle()
        host.clock.advance_to(15)  # type: ignore[attr-defined]
        host.fire_next()
        host.settle()
    said = [each.message for each in read_traffic(tmp_path / "t") if each.destination == "said"]
    assert said == ["first 12", "timer 15"]

    again = new_host(Late())
    again.start_all(["Late-1"])
    with Recorder(tmp_path / "u", again):
        assert Replayer(tmp_path / "t").into(again) == Replayed(given=1, fired=1, own=2)
    assert_same_traffic(tmp_path / "t", tmp_path / "u")
    assert [each.message for each in read_traffic(tmp_path / "u") if each.destination == "said"] == said


def test_without_recorded_timers_they_fire_when_due(tmp_path: Path) -> None:
    host = new_host(Late())
    host.start_all(["Late-1"])
    with Recorder(tmp_path / "t", host.bus):  # type: ignore[arg-type]
        host.advance_to(12)
        host.bus.publish("news", "first")
        host.settle()
    again = new_host(Late())
    again.start_all(["Late-1"])
    news = [each for each in read_traffic(tmp_path / "t") if each.destination == "news"]
    with Recorder(tmp_path / "u", again.bus):  # type: ignore[arg-type]
        Replayer(news).into(again)
    assert_same_traffic(tmp_path / "t", tmp_path / "u")


def test_a_message_comes_before_a_timer_of_its_time(tmp_path: Path) -> None:
    host = new_host(Late())
    host.start_all(["Late-1"])
    with Recorder(tmp_path / "u", host):
        Replayer([Crossing(10, Lane.SIGNALS, "Press", 1, "PUBLISH", "news", *encode("on time"))]).into(host)
        host.advance_to(10)
    said = [each.message for each in read_traffic(tmp_path / "u") if each.destination == "said"]
    assert said == ["on time 10", "timer 10"]
    given = next(each for each in read_traffic(tmp_path / "u") if each.destination == "news")
    assert given.source == "Press"


class Asker(Actor):
    """Asks each question that it hears, and says which answer was to which."""

    def on_start(self) -> None:
        self.questions: dict[int, str] = {}
        self.subscribe("ask", self.ask)

    def ask(self, question: str) -> None:
        self.questions[self.request("Sage.query", question, 100)] = question

    def on_reply(self, correlation_id: int, reply: object) -> None:
        self.publish("said", (self.questions[correlation_id], type(reply).__name__, str(reply)[:3]))


def test_answers_go_to_the_requests_they_were_for(tmp_path: Path) -> None:
    host, asked = new_host(Asker()), list[Request]()
    host.bus.register("Sage.query", asked.append)
    host.start_all(["Asker-1"])
    with Recorder(tmp_path / "t", host):
        for question in ("one", "two", "never"):
            host.bus.publish("ask", question)
        host.settle()
        for request in (asked[1], asked[0]):
            host.bus.reply(request.correlation_id, request.body)
        host.advance_to(200)

    again = new_host(Asker())
    again.start_all(["Asker-1"])
    again.bus.next_correlation_id()
    with Recorder(tmp_path / "u", again):
        Replayer(tmp_path / "t").into(again)
    assert_same_traffic(tmp_path / "t", tmp_path / "u", ignoring=("ts_ns", "deadline_ns"))
    said = [each.message for each in read_traffic(tmp_path / "u") if each.destination == "said"]
    assert said == [("two", "str", "two"), ("one", "str", "one"), ("never", "TimedOut", "Tim")]


def test_a_host_that_does_something_else_is_found_out(tmp_path: Path) -> None:
    class Idle(Actor):
        pass

    run_session(tmp_path / "t")
    host = new_host()
    host.add(Idle(actor_id="Trader-1"))
    host.start_all(["Trader-1"])
    with pytest.raises(ReplayDivergedError) as caught:
        Replayer(tmp_path / "t").into(host)
    assert "REQUEST Feed.query" in caught.value.expected
    assert caught.value.what == "Trader-1 asks nothing now"
