"""The bus inside a host: order, changes while a message is in hand, requests and dead letters."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.bus import Bus, DeadLetter, DeadReason, NoReceiver, Request, TimedOut
from libra_ray.clock import VirtualClock
from libra_ray.errors import EndpointTakenError, NoReceiverError
from libra_ray.messages.commands import CancelAllOrders
from libra_ray.runtime import Actor, LocalHost, State


def test_higher_priority_first_then_order_of_subscription() -> None:
    bus, order = Bus(), list[str]()
    for name, priority in (("a", 0), ("b", 5), ("c", 5), ("d", 0)):
        bus.subscribe("events.*", lambda _message, name=name: order.append(name), priority)  # type: ignore[misc]
    bus.publish("events.risk", 1)
    assert order == ["b", "c", "a", "d"]


def test_a_handler_that_matches_by_two_patterns_is_called_twice_and_by_one_pattern_once() -> None:
    bus, heard = Bus(), list[object]()
    assert bus.subscribe("a.*", heard.append)
    assert bus.subscribe("*.b", heard.append)
    assert not bus.subscribe("a.*", heard.append, 3)
    bus.publish("a.b", 1)
    assert heard == [1, 1]


@pytest.mark.parametrize(("pattern", "priority"), [("a", -1), ("", 0), ("a b", 0)])
def test_a_negative_priority_or_a_bad_pattern_is_refused(pattern: str, priority: int) -> None:
    bus = Bus()
    with pytest.raises(ValueError, match=r"is negative|is no pattern"):
        bus.subscribe(pattern, print, priority)
    assert bus.version == 0


@pytest.mark.parametrize("handler", [None, "print", 5])
def test_what_cannot_be_called_receives_nothing(handler: Any) -> None:  # noqa: ANN401 - whatever is wrong
    bus = Bus()
    with pytest.raises(TypeError, match=r"^subscription to words needs a plain function, not"):
        bus.subscribe("words", handler)
    with pytest.raises(TypeError, match=r"^endpoint A\.x needs a plain function, not"):
        bus.register("A.x", handler)
    assert (bus.subscriptions(), bus.has_endpoint("A.x")) == ([], False)


@pytest.mark.parametrize("pattern", ["words", "", "a b", "*"])
def test_to_unsubscribe_what_is_not_subscribed_is_false_whatever_it_is(host: LocalHost, pattern: str) -> None:
    actor = Actor()
    host.add(actor)
    assert not actor.unsubscribe(pattern)
    assert not actor.unsubscribe(pattern, print)
    assert not host.bus.unsubscribe(pattern, print)


def test_publishing_to_what_is_no_topic_is_refused() -> None:
    with pytest.raises(ValueError, match="is no topic"):
        Bus().publish("events.*", 1)


def test_a_change_inside_a_handler_takes_effect_after_the_message_in_hand() -> None:
    bus, heard = Bus(), list[str]()

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
    bus.publish("x", "1")
    bus.publish("x", "2")
    assert heard == ["swap 1", "leaving 1", "swap 2", "late 2"]


def test_rows_go_by_rank_whatever_the_priority(host: LocalHost) -> None:
    order: list[str] = []

    class Reader(Actor):
        def on_data(self, data: object) -> None:
            assert data == 1
            order.append(self.actor_id)

    readers = [Reader() for _ in range(3)]
    ids = [host.add(reader) for reader in readers]
    host.bus.subscribe("data.custom.x", lambda _message: order.append("(no rank)"), 9)
    for priority, reader in enumerate(reversed(readers)):
        reader.subscribe("data.custom.*", priority=priority)
    host.start_all(ids)
    host.bus.publish("data.custom.x", 1)
    assert order == ["Reader-1", "Reader-2", "Reader-3", "(no rank)"]


def test_an_endpoint_has_one_receiver() -> None:
    bus, heard = Bus(), list[object]()
    bus.register("RiskEngine.execute", heard.append)
    with pytest.raises(EndpointTakenError) as caught:
        bus.register("RiskEngine.execute", print)
    assert caught.value.endpoint == "RiskEngine.execute"
    assert bus.send("RiskEngine.execute", 1)
    assert (heard, bus.endpoint_counts) == ([1], {"RiskEngine.execute": 1})


def test_what_nobody_receives_is_a_dead_letter_with_reason_and_count(clock: VirtualClock) -> None:
    bus, letters = Bus(clock, dead_letters_max=2), list[DeadLetter]()
    bus.subscribe("dead_letters", letters.append)
    clock.ts_ns = 7
    assert [bus.send("Nobody.execute", number) for number in range(3)] == [False] * 3
    assert letters == [DeadLetter(DeadReason.NO_RECEIVER, "Nobody.execute", n, 7, n + 1) for n in range(3)]
    assert list(bus.dead_letters) == letters[1:]
    assert bus.dead_counts[DeadReason.NO_RECEIVER] == 3


def test_a_link_is_resolved_once_outlives_the_endpoint_and_needs_a_receiver() -> None:
    bus, heard = Bus(), list[object]()
    with pytest.raises(NoReceiverError):
        bus.link("RiskEngine.execute")
    bus.register("RiskEngine.execute", heard.append)
    link = bus.link("RiskEngine.execute")
    bus.unregister("RiskEngine.execute")
    link(1)
    assert heard == [1]


def test_a_command_to_nobody_raises_at_the_sender_and_is_not_staged(host: LocalHost) -> None:
    actor = Actor()
    host.add(actor)
    with pytest.raises(NoReceiverError):
        actor.bus.command("RiskEngine.execute", 1)
    assert host.staged == []


def test_an_actor_learns_whether_anybody_receives_and_its_command_to_nobody_raises(host: LocalHost) -> None:
    actor, received = Actor(), list[object]()
    host.add(actor)
    host.bus.register("Somebody.execute", received.append)
    command = CancelAllOrders(0, "S", None)
    assert [actor.send(f"{name}.execute", "word") for name in ("Somebody", "Nobody")] == [True, False]
    assert actor.send("Somebody.execute", command)
    with pytest.raises(NoReceiverError, match=r"Nobody\.execute"):
        actor.send("Nobody.execute", command)
    host.settle()
    assert received == ["word", command]
    assert [letter.message for letter in host.bus.dead_letters] == ["word"]  # type: ignore[attr-defined]


class Asker(Actor):
    """Asks, and writes down how it ended."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[tuple[int, Any]] = []

    def on_reply(self, correlation_id: int, reply: Any) -> None:  # noqa: ANN401 - as the hook has it
        self.ends.append((correlation_id, reply))


class Oracle(Actor):
    """Answers a number by its double after that many nanoseconds, 0 at once, negative never."""

    def on_start(self) -> None:
        self.bus.register("Oracle.query", self.answer)

    def answer(self, request: Request) -> None:
        if request.body > 0:
            due_ns = self.clock.now_ns() + request.body
            name = str(request.correlation_id)
            self.clock.set_alert(name, at_ns=due_ns, callback=lambda _timer: self.reply(request, 2 * request.body))
        elif request.body == 0:
            self.reply(request, 0)


def asker_and_oracle(host: LocalHost) -> Asker:
    asker = Asker()
    host.start_all([host.add(asker), host.add(Oracle())])
    return asker


def test_a_request_is_answered_at_once_or_later(host: LocalHost) -> None:
    asker = asker_and_oracle(host)
    assert [asker.request("Oracle.query", body, 100) for body in (0, 30)] == [1, 2]
    host.settle()
    assert asker.ends == [(1, 0)]
    assert host.run_until_idle() == 30
    assert asker.ends == [(1, 0), (2, 60)]


def test_a_time_out_is_the_end_and_a_late_reply_a_dead_letter(host: LocalHost) -> None:
    asker = asker_and_oracle(host)
    asker.request("Oracle.query", 30, 20)
    host.run_until_idle()
    assert asker.ends == [(1, TimedOut(1, "Oracle.query", 20))]
    assert list(host.bus.dead_letters) == [DeadLetter(DeadReason.LATE_REPLY, "reply:1", 60, 30, 1)]  # type: ignore[attr-defined]


def test_without_a_receiver_the_end_is_no_receiver_and_a_dead_letter(host: LocalHost) -> None:
    asker = asker_and_oracle(host)
    asker.request("Nobody.query", 1, 20)
    host.settle()
    host.run_until_idle()
    assert asker.ends == [(1, NoReceiver(1, "Nobody.query", 0))]
    assert len(host.timers) == 0


def test_a_reply_to_what_never_was_asked_is_a_dead_letter_of_its_own_kind() -> None:
    bus = Bus()
    assert not bus.reply(5, "?")
    assert {reason: count for reason, count in bus.dead_counts.items() if count} == {DeadReason.UNKNOWN_REQUEST: 1}


def test_a_callback_takes_the_end_instead_of_the_hook(host: LocalHost) -> None:
    asker, ends = asker_and_oracle(host), list[tuple[int, Any]]()
    asker.request("Oracle.query", 0, 100, lambda *end: ends.append(end))
    host.settle()
    assert (ends, asker.ends) == ([(1, 0)], [])


def test_a_request_of_a_handler_that_raised_was_never_made(host: LocalHost) -> None:
    asker = asker_and_oracle(host)

    def ask_and_raise() -> None:
        asker.request("Oracle.query", 0, 100)
        raise ValueError("no")

    host.run(asker, ask_and_raise)
    host.settle()
    assert (asker.ends, asker.state, len(host.timers)) == ([], State.FAULTED, 0)


@pytest.mark.parametrize(("body", "dead"), [(30, {}), (60, {DeadReason.LATE_REPLY: 1}), (-1, {})])
def test_the_end_of_a_request_of_before_a_reset_comes_to_nobody_and_is_counted(
    host: LocalHost, body: int, dead: dict[DeadReason, int]
) -> None:
    asker = asker_and_oracle(host)
    asker.request("Oracle.query", body, 50)
    host.settle()
    host.stop("Asker-1")
    host.reset("Asker-1")
    host.start("Asker-1")
    host.run_until_idle()
    assert isinstance(host.bus, Bus)
    assert (asker.ends, host.bus.requests_open, host.discarded) == ([], 0, {"Asker-1": 1})
    assert {reason: count for reason, count in host.bus.dead_counts.items() if count} == dead


def test_requests_need_a_positive_time_out_and_a_host() -> None:
    bus = Bus()
    bus.register("Oracle.query", print)
    with pytest.raises(ValueError, match="timeout_ns 0 is not positive"):
        bus.request("Oracle.query", 1, timeout_ns=0, on_reply=print)
    with pytest.raises(RuntimeError, match=r"Bus\.attach"):
        bus.request("Oracle.query", 1, timeout_ns=1, on_reply=print)


@given(
    asked=st.lists(
        st.tuples(st.sampled_from(["Oracle.query", "Nobody.query"]), st.integers(-1, 8), st.integers(1, 8)), max_size=10
    ),
    stop_at_ns=st.one_of(st.none(), st.integers(0, 8)),
)
def test_each_request_ends_exactly_once(asked: list[tuple[str, int, int]], stop_at_ns: int | None) -> None:
    """Also when the receiver faults meanwhile: then what it had not answered times out."""
    clock = VirtualClock()
    bus = Bus(clock)
    host = LocalHost(clock, bus)
    asker = asker_and_oracle(host)
    for endpoint, body, timeout_ns in asked:
        asker.request(endpoint, body, timeout_ns)
    host.settle()
    if stop_at_ns is not None:
        host.advance_to(stop_at_ns)
        host.fault("Oracle-1", RuntimeError("enough"))
    host.run_until_idle()
    assert sorted(correlation_id for correlation_id, _ in asker.ends) == list(range(1, len(asked) + 1))
    for correlation_id, end in asker.ends:
        endpoint, body, timeout_ns = asked[correlation_id - 1]
        alive_ns = 9 if stop_at_ns is None else stop_at_ns
        # At one time the asker's deadline comes before the oracle's alert: its rank is lower.
        is_answered = body == 0 or (0 < body < timeout_ns and body <= alive_ns)
        if endpoint == "Nobody.query":
            assert end == NoReceiver(correlation_id, endpoint, 0)
        else:
            assert end == (2 * body if is_answered else TimedOut(correlation_id, endpoint, timeout_ns))
    assert bus.requests_open == 0
