"""The local host: who is called for a row, random numbers, and one seed giving one story."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from libra_ray.bus import Bus
from libra_ray.clock import LiveClock, VirtualClock
from libra_ray.messages.events import ComponentStateChanged
from libra_ray.messages.schemas import Bar, Quote, RowSpec
from libra_ray.model.identifiers import InstrumentId
from libra_ray.runtime import Actor, Kind, LocalHost, Signal, State, Timer


class BarReader(Actor):
    """Reads bars of one instrument and subscribes to quotes without a handler for them."""

    def on_start(self) -> None:
        self.subscribe_bars("EURUSD.SIM", "1h")
        self.subscribe_quotes("EURUSD.SIM")

    def on_bar(self, bar: Bar) -> None:
        self.publish_signal("close", bar.close_raw)


def test_an_actor_is_called_for_a_row_only_if_it_subscribed_has_a_handler_and_is_active(host: LocalHost) -> None:
    readers = [BarReader() for _ in range(2)]
    for reader, kind in zip(readers, (Kind.STRATEGY, Kind.ACTOR), strict=True):
        host.add(reader, kind)
    topic = "data.bars.EURUSD.SIM-1h"
    assert host.row_handlers(topic) == ()
    host.start_all(["BarReader-1", "BarReader-2"])
    assert host.row_handlers(topic) == ((readers[1], readers[1].on_bar), (readers[0], readers[0].on_bar))
    assert host.row_handlers("data.quotes.SIM.EURUSD") == ()
    assert len(host.bus.receivers("data.quotes.SIM.EURUSD")) == 2
    host.stop("BarReader-2")
    assert host.row_handlers(topic) == ((readers[0], readers[0].on_bar),)


def test_the_version_changes_with_subscriptions_and_with_who_is_active_and_else_stays(host: LocalHost) -> None:
    reader = BarReader()
    host.add(reader)
    versions = [host.version]
    host.start("BarReader-1")
    versions.append(host.version)
    host.deliver(reader, reader.unsubscribe_bars, "EURUSD.SIM", "1h")
    versions.append(host.version)
    host.stop("BarReader-1")
    versions.append(host.version)
    host.resume("BarReader-1")
    versions.append(host.version)
    host.fault("BarReader-1", RuntimeError("enough"))
    versions.append(host.version)
    assert versions == sorted(set(versions))
    other = Actor()
    host.add(other)
    host.bus.publish("events.risk", 1)
    host.settle()
    assert host.version == versions[-1]


def test_a_change_of_subscriptions_inside_a_handler_is_seen_by_the_test_that_loops_make(host: LocalHost) -> None:
    reader = BarReader()
    host.add(reader)
    host.start("BarReader-1")
    reader.unsubscribe_quotes("EURUSD.SIM")
    assert host.staged != []
    host.commit()
    assert (host.staged, list(host.queue)) == ([], [])


def test_a_subscriber_that_is_no_actor_stands_without_one_and_its_error_is_raised(host: LocalHost) -> None:
    def record(_row: object) -> None:
        """A recorder."""

    host.bus.subscribe("data.*", record)
    assert host.row_handlers("data.trades.SIM.EURUSD") == ((None, record),)
    with pytest.raises(ValueError, match="broken"):
        host.on_handler_error(None, ValueError("broken"))


def test_signals_carry_value_time_and_source(host: LocalHost, clock: VirtualClock) -> None:
    heard: list[Signal] = []
    host.bus.subscribe("signals.*", heard.append)
    actor = Actor()
    host.add(actor)
    clock.ts_ns = 9
    actor.publish_signal("trend", 0.5)
    host.settle()
    assert heard == [Signal("trend", 0.5, 9, "Actor-1")]


def test_random_numbers_depend_on_seed_actor_and_purpose_alone() -> None:
    def draw(seed: int, actor_id: str, purpose: str) -> list[int]:
        host = LocalHost(VirtualClock(), Bus(), seed)
        return host.rng(actor_id, purpose).integers(0, 2**32, 4).tolist()  # type: ignore[no-any-return]

    assert draw(7, "A-1", "noise") == draw(7, "A-1", "noise") == [2641174406, 4237234479, 1530342646, 1264707544]
    draws = [draw(7, "A-1", "noise"), draw(8, "A-1", "noise"), draw(7, "A-2", "noise"), draw(7, "A-1", "delay")]
    assert len({tuple(each) for each in draws}) == 4


def test_only_a_virtual_clock_can_be_moved() -> None:
    clock = LiveClock()
    host = LocalHost(clock, Bus(clock))
    with pytest.raises(TypeError, match="LiveClock cannot be moved"):
        host.advance_to(5)


def test_every_actor_has_a_log_of_its_own() -> None:
    asked: list[str] = []

    class Lines:
        def debug(self, message: str, /, *args: object, **kwargs: object) -> None:
            raise AssertionError(message, args, kwargs)

        info = warning = error = debug

    def log_of(actor_id: str) -> Lines:
        asked.append(actor_id)
        return Lines()

    host = LocalHost(VirtualClock(), Bus(), log_of=log_of)
    actors = [Actor(), Actor(actor_id="x")]
    for actor in actors:
        host.add(actor)
    assert asked == ["Actor-1", "x"]
    assert actors[0].log is not actors[1].log


class Gossip(Actor):
    """Tells numbers around at random times and degrades or faults now and then: a story full of ties."""

    def on_start(self) -> None:
        self.random = self.rng("gossip")
        self.heard = 0
        self.subscribe("gossip.*", self.hear)
        self.clock.set_timer("tell", interval_ns=10, stop_ns=200)

    def on_timer(self, timer: Timer) -> None:
        self.publish(f"gossip.{self.actor_id}", int(self.random.integers(0, 100)))
        if self.random.integers(0, 3) == 0:
            self.clock.set_alert("again", at_ns=timer.due_ns + int(self.random.integers(0, 20)))

    def hear(self, number: int) -> None:
        self.heard += number
        if number < 30:
            self.publish("gossip.echo", number + 25)
        if self.heard % 97 == 0:
            raise ValueError(self.heard)


def story(seed: int) -> list[str]:
    """All that happens in one run of five gossips, written down."""
    clock = VirtualClock()
    bus = Bus(clock)
    host = LocalHost(clock, bus, seed)
    lines: list[str] = []
    host.bus.subscribe("gossip.*", lambda number: lines.append(f"{clock.ts_ns} {number}"))

    def state(event: ComponentStateChanged) -> None:
        lines.append(f"{event.ts_ns} {event.actor_id} {event.from_state} {event.to_state} {event.reason}")

    host.bus.subscribe("events.system.*", state)
    ids = [host.add(Gossip(on_error="degrade")) for _ in range(5)]
    host.start_all(ids)
    host.run_until_idle()
    host.stop_all(ids)
    lines += [f"{fault.actor_id} {fault.hook} {fault.place}" for fault in host.faults]
    return [*lines, str(bus.topic_counts), str(host.discarded)]


def test_the_same_seed_gives_the_same_story_and_another_seed_another() -> None:
    first = story(7)
    assert first == story(7)
    assert first != story(8)
    assert any("DEGRADED" in line for line in first)


@pytest.mark.slow
def test_the_story_is_the_same_under_other_hash_seeds_in_other_processes(tmp_path: Path) -> None:
    code = "import hashlib, test_host; print(hashlib.sha256(repr(test_host.story(7)).encode()).hexdigest())"
    folder = Path(__file__).parent
    expected = hashlib.sha256(repr(story(7)).encode()).hexdigest()
    for hash_seed in ("0", "4242"):
        paths = ":".join([str(folder), *sys.path])
        environment = {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": paths}
        ran = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        assert ran.stdout.strip() == expected


def test_rows_that_share_nothing_but_the_host_do_not_disturb_each_other(host: LocalHost) -> None:
    """A fault of one subscriber of a row leaves the other its row."""

    class Touchy(Actor):
        def on_start(self) -> None:
            self.subscribe_quotes("EURUSD.SIM")
            self.rows = 0

        def on_quote(self, quote: Quote) -> None:
            self.rows += quote.ts_ns
            if self.actor_id == "Touchy-1":
                raise ValueError(self.rows)

    quote = Quote(RowSpec(InstrumentId("EURUSD.SIM"), 5, 0, 1e5, 1.0), 1, 1, 0, 0, 0, 0)
    touchies = [Touchy(), Touchy()]
    host.start_all([host.add(each) for each in touchies])
    for _ in range(3):
        host.bus.publish("data.quotes.SIM.EURUSD", quote)
    assert [each.rows for each in touchies] == [1, 3]
    assert [each.state for each in touchies] == [State.FAULTED, State.RUNNING]
