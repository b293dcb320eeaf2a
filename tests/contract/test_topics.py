"""Topics: who hears what, in which order, and when a change takes effect. `spec/bus.md`, Topics."""

from typing import Any

import pytest

from libra_ray.bus import Bus, TopicCount
from tests.contract.actors import Listener, Sender
from tests.contract.worlds import World


def test_a_publication_reaches_every_host_that_listens_and_no_other(world: World) -> None:
    here, there, deaf = Listener("here", "events.r*"), Listener("there", "events.risk"), Listener("deaf", "events.x")
    for where, listener in (("a", here), ("b", there), ("c", deaf)):
        world.add(where, listener)
    world.bus("a", lambda bus: bus.publish("events.risk", "halt"))
    assert (here.heard, there.heard, deaf.heard) == (["halt"], ["halt"], [])


def test_who_publishes_hears_itself_once_when_it_listens(world: World) -> None:
    listener, other = Listener("a1", "events.risk"), Listener("b1", "events.risk")
    world.add("a", listener)
    world.add("b", other)
    world.bus("a", lambda bus: bus.publish("events.risk", 1))
    world.bus("b", lambda bus: bus.publish("events.risk", 2))
    assert (listener.heard, other.heard) == ([1, 2], [1, 2])


def test_messages_of_one_sender_come_in_order(world: World) -> None:
    listener, sender = Listener("l", "events.order.*"), Sender()
    world.add("b", listener)
    world.add("a", sender)

    def send(_bus: Bus) -> None:
        for number in range(200):
            sender.publish(f"events.order.S{number % 3}", number)

    world.bus("a", send)
    assert listener.heard == list(range(200))


@pytest.mark.parametrize(
    ("pattern", "topic", "matches"),
    [
        ("events.*", "events", False),
        ("events*", "events", True),
        ("events.*", "events.order.S-1", True),
        ("events.?", "events.x", True),
        ("events.?", "events.xy", False),
        ("*.S-1", "events.order.S-1", True),
        ("events.order", "events.order", True),
        ("events+order", "events.order", None),
    ],
)
def test_patterns(world: World, pattern: str, topic: str, *, matches: bool | None) -> None:
    heard: list[Any] = []
    if matches is None:
        with pytest.raises(ValueError, match="is no pattern"):
            world.bus("b", lambda bus: bus.subscribe(pattern, heard.append))
        return
    world.bus("b", lambda bus: bus.subscribe(pattern, heard.append))
    world.bus("a", lambda bus: bus.publish(topic, 1))
    assert heard == ([1] if matches else [])


def test_priority_then_order_of_subscription_decides_within_a_host(world: World) -> None:
    order: list[str] = []

    def subscribe(bus: Bus) -> None:
        for name, priority in (("a", 0), ("b", 5), ("c", 5), ("d", 0)):
            bus.subscribe("events.*", lambda _message, name=name: order.append(name), priority)  # type: ignore[misc]

    world.bus("b", subscribe)
    world.bus("a", lambda bus: bus.publish("events.risk", 1))
    assert order == ["b", "c", "a", "d"]


def test_a_handler_that_matches_by_two_patterns_is_called_twice_and_by_one_pattern_once(world: World) -> None:
    heard: list[Any] = []

    def subscribe(bus: Bus) -> list[bool]:
        return [bus.subscribe("events.*", heard.append), bus.subscribe("*.x", heard.append),
                bus.subscribe("events.*", heard.append, 3)]  # fmt: skip

    assert world.bus("b", subscribe) == [True, True, False]
    world.bus("a", lambda bus: bus.publish("events.x", 1))
    assert heard == [1, 1]


@pytest.mark.parametrize(("pattern", "priority"), [("a", -1), ("", 0), ("a b", 0)])
def test_a_negative_priority_or_a_bad_pattern_is_refused(world: World, pattern: str, priority: int) -> None:
    with pytest.raises(ValueError, match=r"is negative|is no pattern"):
        world.bus("b", lambda bus: bus.subscribe(pattern, print, priority))


def test_publishing_to_what_is_no_topic_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="is no topic"):
        world.bus("a", lambda bus: bus.publish("events.*", 1))


def test_a_change_inside_a_handler_takes_effect_after_the_message_in_hand(world: World) -> None:
    heard: list[str] = []

    def subscribe(bus: Bus) -> None:
        def late(message: str) -> None:
            heard.append(f"late {message}")

        def swap(message: str) -> None:
            heard.append(f"swap {message}")
            bus.subscribe("x", late)
            bus.unsubscribe("x", leaving)

        def leaving(message: str) -> None:
            heard.append(f"leaving {message}")

        bus.subscribe("x", swap)
        bus.subscribe("x", leaving)

    world.bus("b", subscribe)
    world.bus("a", lambda bus: bus.publish("x", "1"))
    world.bus("a", lambda bus: bus.publish("x", "2"))
    assert heard == ["swap 1", "leaving 1", "swap 2", "late 2"]


def test_after_the_last_unsubscription_nothing_comes_and_the_second_one_is_false(world: World) -> None:
    heard: list[Any] = []
    world.bus("b", lambda bus: bus.subscribe("x", heard.append))
    assert world.bus("b", lambda bus: bus.unsubscribe("x", heard.append))
    assert not world.bus("b", lambda bus: bus.unsubscribe("x", heard.append))
    world.bus("a", lambda bus: bus.publish("x", 1))
    assert heard == []


def test_what_is_published_because_of_a_subscription_is_heard_by_it(world: World) -> None:
    """A handler subscribes and then asks for something that is answered on that topic."""

    class Echo(Sender):
        def on_start(self) -> None:
            self.bus.register("Echo.execute", lambda topic: self.publish(topic, "answer"))

    class Curious(Listener):
        def on_start(self) -> None:
            for number in range(20):
                self.subscribe(f"events.order.{number}")
                self.send("Echo.execute", f"events.order.{number}")

    curious = Curious("curious")
    world.add("b", Echo("echo"))
    world.add("a", curious)
    world.settle()
    assert curious.heard == ["answer"] * 20


def test_a_handler_that_raises_faults_its_actor_and_the_others_still_hear(world: World) -> None:
    class Bad(Listener):
        def on_event(self, event: Any) -> None:  # noqa: ANN401 - as the hook has it
            self.publish("events.other", event)
            raise ValueError(event)

    bad, good, other = Bad("bad", "events.x"), Listener("good", "events.x"), Listener("other", "events.other")
    world.add("b", bad, good)
    world.add("c", other)
    for number in range(2):
        world.bus("a", lambda bus, number=number: bus.publish("events.x", number))  # type: ignore[misc]
    assert (bad.state, good.heard, other.heard) == ("FAULTED", [0, 1], [])


def test_events_wait_for_an_actor_that_is_stopped_and_signals_do_not(world: World) -> None:
    listener = Listener("l", "events.x", "signals.y")
    world.add("b", listener)
    world.do("b", lambda host: host.stop("l"))
    world.bus("a", lambda bus: bus.publish("events.x", 1))
    world.bus("a", lambda bus: bus.publish("signals.y", 2))
    assert listener.heard == []
    world.do("b", lambda host: host.resume("l"))
    assert listener.heard == [1]


def test_counters_tell_what_a_host_published_and_what_reached_it(world: World) -> None:
    listener = Listener("l", "events.x", "events.*")
    world.add("b", listener)
    for _ in range(3):
        world.bus("a", lambda bus: bus.publish("events.x", 1))
    assert world.bus("b", lambda bus: bus.topic_counts["events.x"]) == TopicCount(3, 6)
