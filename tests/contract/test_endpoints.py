"""Endpoints, requests and their ends, dead letters. `spec/bus.md`, Endpoints, request and response."""

from typing import Any

import pytest

from libra_ray.bus import Bus, DeadLetter, DeadReason, NoReceiver, TimedOut
from libra_ray.errors import EndpointTakenError, NoReceiverError, UnsendableError
from libra_ray.runtime import State
from tests.contract.actors import Box, Listener, Oracle, Sender
from tests.contract.worlds import MS, World


def test_what_is_sent_to_an_endpoint_reaches_its_one_receiver(world: World) -> None:
    box, sender = Box("box"), Sender()
    world.add("b", box)
    world.add("a", sender)
    assert world.bus("a", lambda bus: [bus.has_endpoint("box.execute"), bus.has_endpoint("x")]) == [True, False]
    assert world.bus("a", lambda bus: bus.send("box.execute", 1))
    world.bus("a", lambda _bus: sender.send("box.execute", 2))
    world.bus("a", lambda _bus: sender.bus.command("box.execute", 3))
    world.bus("a", lambda bus: bus.link("box.execute")(4))
    assert box.got == [1, 2, 3, 4]


def test_an_endpoint_is_taken_whoever_has_it(world: World) -> None:
    world.add("b", Box("box"))
    with pytest.raises(EndpointTakenError) as caught:
        world.bus("a", lambda bus: bus.register("box.execute", print))
    assert caught.value.endpoint == "box.execute"


def test_an_endpoint_that_was_given_up_can_be_taken_elsewhere(world: World) -> None:
    got: list[Any] = []
    world.add("b", Box("box"))
    assert world.bus("b", lambda bus: bus.unregister("box.execute"))
    assert not world.bus("b", lambda bus: bus.unregister("box.execute"))
    world.bus("a", lambda bus: bus.register("box.execute", got.append))
    assert world.bus("c", lambda bus: bus.send("box.execute", 1))
    assert got == [1]


def test_what_nobody_receives_is_a_dead_letter_that_every_host_may_hear_of(world: World) -> None:
    grave = Listener("grave", "dead_letters")
    world.add("c", grave)
    assert world.bus("a", lambda bus: [bus.send("Nobody.execute", number) for number in range(3)]) == [False] * 3
    assert [(each.reason, each.destination, each.message, each.count) for each in grave.heard] == [
        (DeadReason.NO_RECEIVER, "Nobody.execute", number, number + 1) for number in range(3)
    ]
    assert world.bus("a", lambda bus: bus.dead_counts[DeadReason.NO_RECEIVER]) == 3


def test_a_command_to_nobody_raises_at_the_sender(world: World) -> None:
    sender = Sender()
    world.add("a", sender)
    with pytest.raises(NoReceiverError):
        world.bus("a", lambda _bus: sender.bus.command("RiskEngine.execute", 1))
    with pytest.raises(NoReceiverError):
        world.bus("a", lambda bus: bus.link("RiskEngine.execute"))


def test_what_does_not_encode_is_refused_at_the_sender_with_its_field(world: World) -> None:
    sender, box = Sender(), Box("box")
    world.add("a", sender)
    world.add("b", box)
    with pytest.raises(UnsendableError, match=r"'\[1\]'"):
        world.bus("a", lambda _bus: sender.send("box.execute", [1, object()]))
    assert box.got == []


def test_a_request_is_answered_at_once_or_later(world: World) -> None:
    sender, oracle = Sender(), Oracle()
    world.add("b", oracle)
    world.add("a", sender)
    first, second = world.bus("a", lambda _bus: [sender.request("Oracle.query", body, 2_000 * MS) for body in (0, 30)])
    assert sender.ends == [(first, 0)]
    assert [(asked.endpoint, asked.source) for asked in oracle.asked] == [("Oracle.query", "sender")] * 2
    assert oracle.asked[1].deadline_ns - oracle.asked[1].ts_ns == 2_000 * MS
    world.pass_time(60 * MS)
    assert sender.ends == [(first, 0), (second, 60)]


def test_a_time_out_is_the_end_and_a_late_reply_a_dead_letter(world: World) -> None:
    sender = Sender()
    world.add("b", Oracle())
    world.add("a", sender)
    correlation_id = world.bus("a", lambda _bus: sender.request("Oracle.query", 60, 20 * MS))
    world.pass_time(40 * MS)
    (end,) = sender.ends
    assert end[0] == correlation_id
    assert isinstance(end[1], TimedOut)
    assert end[1].endpoint == "Oracle.query"
    world.pass_time(60 * MS)
    assert len(sender.ends) == 1
    dead = world.bus("a", lambda bus: [(each.reason, each.destination, each.message) for each in bus.dead_letters])
    assert dead == [(DeadReason.LATE_REPLY, f"reply:{correlation_id}", 120)]


def test_the_first_answer_counts_and_a_second_one_is_a_dead_letter(world: World) -> None:
    sender = Sender()
    world.add("b", Oracle())
    world.add("a", sender)
    correlation_id = world.bus("a", lambda _bus: sender.request("Oracle.query", 100, 2_000 * MS))
    assert sender.ends == [(correlation_id, 100)]
    assert world.bus("a", lambda bus: bus.dead_counts[DeadReason.LATE_REPLY]) == 1


def test_without_a_receiver_the_end_is_no_receiver_and_a_dead_letter(world: World) -> None:
    sender = Sender()
    world.add("a", sender)
    correlation_id = world.bus("a", lambda _bus: sender.request("Nobody.query", 1, 20 * MS))
    ((ended, end),) = sender.ends
    assert (ended, type(end)) == (correlation_id, NoReceiver)
    world.pass_time(40 * MS)
    assert len(sender.ends) == 1
    assert world.bus("a", lambda bus: bus.dead_counts[DeadReason.NO_RECEIVER]) == 1


def test_a_reply_to_what_never_was_asked_is_a_dead_letter_of_its_own_kind(world: World) -> None:
    assert not world.bus("a", lambda bus: bus.reply(5, "?"))
    assert world.bus("a", lambda bus: bus.dead_counts[DeadReason.UNKNOWN_REQUEST]) == 1


def test_two_askers_each_get_their_own_answers(world: World) -> None:
    senders = [Sender("one"), Sender("two")]
    world.add("b", Oracle())
    for where, sender in zip("ac", senders, strict=True):
        world.add(where, sender)
    for where, sender in zip("ac", senders, strict=True):
        world.bus(where, lambda _bus, sender=sender: [sender.request("Oracle.query", 0, 2_000 * MS) for _ in range(5)])  # type: ignore[misc]
    ids = [correlation_id for sender in senders for correlation_id, _ in sender.ends]
    assert [len(sender.ends) for sender in senders] == [5, 5]
    assert len(set(ids)) == 10


def test_a_request_of_a_handler_that_raised_was_never_made(world: World) -> None:
    sender, oracle = Sender(), Oracle()
    world.add("b", oracle)
    world.add("a", sender)

    def ask_and_raise() -> None:
        sender.request("Oracle.query", 0, 100 * MS)
        raise ValueError("no")

    world.do("a", lambda host: host.run(sender, ask_and_raise))
    world.settle()
    assert (sender.ends, sender.state, oracle.asked) == ([], State.FAULTED, [])


def test_requests_need_a_positive_time_out(world: World) -> None:
    sender = Sender()
    world.add("b", Oracle())
    world.add("a", sender)
    with pytest.raises(ValueError, match="timeout_ns 0 is not positive"):
        world.bus("a", lambda _bus: sender.request("Oracle.query", 1, 0))


def test_commands_wait_for_an_actor_that_is_stopped(world: World) -> None:
    box = Box("box")
    world.add("b", box)
    world.do("b", lambda host: host.stop("box"))
    world.bus("a", lambda bus: bus.send("box.execute", 1))
    assert box.got == []
    world.do("b", lambda host: host.resume("box"))
    assert box.got == [1]


def test_every_dead_letter_is_kept_and_counted_by_reason(world: World) -> None:
    def bury(bus: Bus) -> list[DeadLetter]:
        bus.send("x", 1)
        bus.reply(9, 2)
        bus.send("y", 3)
        return list(bus.dead_letters)

    letters = world.bus("a", bury)
    assert [(each.reason, each.count) for each in letters] == [
        (DeadReason.NO_RECEIVER, 1),
        (DeadReason.UNKNOWN_REQUEST, 1),
        (DeadReason.NO_RECEIVER, 2),
    ]
