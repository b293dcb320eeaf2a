"""Probes on virtual time: what they hear, how far they let time pass, and what they say when disappointed."""

import pytest

import libra_ray as lr
from libra_ray.bus import Bus, DeadLetter, NoReceiver, Request, TimedOut
from libra_ray.clock import LiveClock, VirtualClock
from libra_ray.errors import EndpointTakenError, NoReceiverError
from libra_ray.messages.events import OrderFilled
from libra_ray.runtime import Actor, LocalHost, Signal, State, Timer
from libra_ray.testing import Cell, ManualClock, Probe

SECOND = 10**9


class Metronome(Actor):
    """A signal each second, counted from 1; its third one raises when it is told to."""

    breaks_at = 0

    def on_start(self) -> None:
        self.count = 0
        self.publish("started", self.actor_id)
        self.clock.set_timer("tick", interval_ns=SECOND)

    def on_timer(self, _timer: Timer) -> None:
        self.count += 1
        if self.count == self.breaks_at:
            raise ValueError("worn out")
        self.publish_signal("tick", self.count)


@pytest.fixture
def host() -> LocalHost:
    clock = VirtualClock()
    return LocalHost(clock, Bus(clock), seed=7)


@pytest.fixture
def ticking(host: LocalHost) -> LocalHost:
    host.start(host.add(Metronome()))
    return host


def test_it_hears_in_order_by_types_values_predicates_and_fields(host: LocalHost) -> None:
    probe = Probe(host, "signals.*", "news")
    for name, value in (("a", 1), ("b", 2), ("c", 3)):
        host.bus.publish(f"signals.{name}", Signal(name, value, 0, "test"))
    host.bus.publish("news", "rain")
    host.bus.publish("news", 5)
    host.bus.publish("news", 6)

    signal = probe.expect(Signal)
    assert signal.value == 1
    assert probe.last.by == "signals.*"
    probe.expect(Signal, name="b", value=2)
    probe.expect(lambda message: message.value > 2)
    probe.expect("rain")
    assert probe.expect((int, float)) == 5
    assert [heard.message for heard in probe.waiting] == [6]
    assert probe.skip() == 1
    probe.expect_none()


def test_what_was_sent_before_it_came_is_heard_if_it_is_still_queued(ticking: LocalHost) -> None:
    Probe(ticking, "started").expect("Metronome-1")


def test_waiting_lets_time_pass_as_far_as_the_message_and_no_further(ticking: LocalHost) -> None:
    probe = Probe(ticking, "signals.tick")
    with pytest.raises(AssertionError):
        probe.expect(Signal)
    assert ticking.clock.now_ns() == 0
    probe.expect(Signal, value=1, within_ns=10 * SECOND)
    assert ticking.clock.now_ns() == SECOND
    probe.expect_none(within_ns=SECOND - 1)
    assert ticking.clock.now_ns() == 2 * SECOND - 1
    with pytest.raises(AssertionError, match="nothing came"):
        probe.expect(Signal, within_ns=0)
    probe.expect(Signal, value=2, within_ns=1)


def test_nothing_else_happens_before_a_message_that_is_queued_already(host: LocalHost) -> None:
    host.start(host.add(Metronome()))
    host.actors["Metronome-1"].clock.set_alert("now", at_ns=0)
    probe = Probe(host, "started", "signals.tick")
    probe.expect("Metronome-1")
    assert probe.waiting == []
    probe.expect(Signal, value=1)


def test_what_an_act_had_staged_before_it_raised_is_taken_back(host: LocalHost) -> None:
    probe = Probe(host, "news")

    def act(_host: LocalHost) -> None:
        host.actors[probe.actor_id].publish("news", 1)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        probe.act(act)
    probe.expect_none()
    assert not host.faults


def test_fishing_skips_what_comes_before_and_nothing_when_it_fails(ticking: LocalHost) -> None:
    probe = Probe(ticking, "signals.tick")
    assert probe.fish(Signal, value=3, within_ns=5 * SECOND).ts_ns == 3 * SECOND
    assert probe.waiting == []
    with pytest.raises(AssertionError, match="among all"):
        probe.fish(str, within_ns=2 * SECOND)
    assert [heard.message.value for heard in probe.waiting] == [4, 5]
    assert [signal.value for signal in probe.receive(3, within_ns=SECOND)] == [4, 5, 6]
    with pytest.raises(AssertionError, match="expected 2 messages within 1 s"):
        probe.receive(2, within_ns=SECOND)


def test_all_of_them_in_any_order(host: LocalHost) -> None:
    probe = Probe(host, "news")
    for message in (3, "b", "a", 4):
        host.bus.publish("news", message)
    assert probe.expect_all("a", "b", int) == ["a", "b", 3]
    with pytest.raises(AssertionError, match="expected 'c' within 0 s after 1 others"):
        probe.expect_all(int, "c")
    assert len(probe.waiting) == 1


def test_none_of_a_kind_may_come_while_others_do(ticking: LocalHost) -> None:
    probe = Probe(ticking, "signals.tick")
    probe.expect_none(Signal, value=3, within_ns=2 * SECOND)
    with pytest.raises(AssertionError, match="expected no Signal with value=3 within 2 s"):
        probe.expect_none(Signal, value=3, within_ns=2 * SECOND)
    with pytest.raises(AssertionError, match="expected nothing within 0 s"):
        probe.expect_none()


def test_a_disappointment_shows_what_came_instead_and_stays(ticking: LocalHost) -> None:
    probe = Probe(ticking, "signals.tick", name="listener")
    probe.expect(Signal, within_ns=SECOND)
    ticking.actors["Metronome-1"].breaks_at = 4  # type: ignore[attr-defined]
    ticking.advance_to(4 * SECOND)
    with pytest.raises(AssertionError) as caught:
        probe.expect(Signal, value=7, within_ns=SECOND // 2)
    assert str(caught.value).splitlines() == [
        "listener expected Signal with value=7 within 0.5 s; heard",
        "  2 s by signals.tick: Signal(name='tick', value=2, ts_ns=2000000000, source='Metronome-1')  <- value is 2",
        "  3 s by signals.tick: Signal(name='tick', value=3, ts_ns=3000000000, source='Metronome-1')  <- value is 3",
        "before that it took",
        "  1 s by signals.tick: Signal(name='tick', value=1, ts_ns=1000000000, source='Metronome-1')",
        "actors of its host raised",
        "  Metronome-1 on_timer: ValueError: worn out",
    ]
    probe.expect(Signal, value=2)


def test_a_predicate_is_named_by_its_place(host: LocalHost) -> None:
    probe = Probe(host, "news")
    host.bus.publish("news", 1)
    with pytest.raises(AssertionError, match=r"expected what fits <lambda> of test_probes.py:\d+ within 0 s; heard"):
        probe.expect(lambda message: message > 1)
    with pytest.raises(AssertionError, match="it is a int"):
        probe.expect(str)
    with pytest.raises(AssertionError, match="it has no colour"):
        probe.expect(int, colour="red")


def test_it_sends_asks_and_answers(host: LocalHost) -> None:
    asker, model = Probe(host), Probe(host)
    model.register("Model.query", answer=lambda body: body * 2)
    assert asker.ask("Model.query", 21) == 42
    assert model.expect(Request, endpoint="Model.query").body == 21
    assert isinstance(asker.ask("Nobody.query", 1), NoReceiver)

    model.register("Model.slow")
    number = asker.request("Model.slow", "how", timeout_ns=SECOND)
    model.reply(model.expect(Request), "so")
    asker.expect("so")
    assert asker.last.by == f"reply:{number}"
    assert isinstance(asker.ask("Model.slow", "again", timeout_ns=SECOND), TimedOut)
    assert host.clock.now_ns() == SECOND

    letters = Probe(host, "dead_letters")
    asker.send("Nobody.execute", 1)
    letters.fish(DeadLetter, destination="Nobody.execute")
    asker.send("Model.slow", "told")
    model.fish("told")
    asker.subscribe("news")
    model.publish("news", 5)
    asker.expect(5)
    asker.command("Model.slow", "do")
    model.expect("do")
    with pytest.raises(NoReceiverError):
        asker.command("Nobody.execute", 1)
    with pytest.raises(EndpointTakenError):
        asker.register("Model.slow")
    with pytest.raises(ValueError, match="is no topic"):
        asker.publish("news.*", 1)
    assert not host.faults


def test_an_ask_leaves_other_messages_alone(host: LocalHost) -> None:
    probe = Probe(host, "news")
    host.bus.register("Model.query", lambda request: host.bus.reply(request.correlation_id, "yes"))
    host.bus.publish("news", 1)
    assert probe.ask("Model.query", "?") == "yes"
    probe.expect(1)
    probe.expect_none()


def test_subscriptions_come_and_go(host: LocalHost) -> None:
    probe = Probe(host, "news")
    assert not probe.subscribe("news")
    assert probe.unsubscribe("news")
    assert not probe.unsubscribe("news")
    host.bus.publish("news", 1)
    probe.expect_none()


def test_it_leaves_nothing_behind(host: LocalHost) -> None:
    with Probe(host, "news") as probe:
        probe.register("A.do")
        assert host.actors[probe.actor_id].state is State.RUNNING
        assert Probe(host).actor_id == "Probe-2"
    probe.close()
    assert "Probe-1" not in host.actors
    assert not host.bus.has_endpoint("A.do")
    assert host.bus.receivers("news") == ()
    assert Probe(host).actor_id == "Probe-1"


def test_it_stands_on_a_bus_and_on_a_clock_of_the_test() -> None:
    bus = Bus()
    probe = Probe(bus, "news")
    bus.publish("news", 1)
    probe.expect(1)
    assert Probe(bus).actor_id == "Probe-2"

    clock = ManualClock()
    near, far = (clock.drive(LocalHost(clock, Bus(clock))) for _ in range(2))
    far.start(far.add(Metronome()))
    far.bus.subscribe("signals.tick", lambda signal: near.bus.publish("news", signal.value))
    probe = Probe(near, "news")
    probe.expect(1, within_ns=SECOND)
    assert clock.now_ns() == SECOND

    live = LocalHost(LiveClock(), Bus(LiveClock()))
    with pytest.raises(TypeError, match="stands on a ProbeHost"):
        Probe(live)


def test_it_stands_on_a_cell() -> None:
    class Buyer(lr.Strategy):
        def on_start(self) -> None:
            self.subscribe_quotes("ACME.SIM")

        def on_quote(self, _quote: lr.Quote) -> None:
            if self.portfolio.is_flat("ACME.SIM"):
                self.buy("ACME.SIM", 1)

    cell = Cell(lr.equity("ACME.SIM", quote="USD"), latency={"base": "0.25"})
    probe = Probe(cell, "events.order.*")
    cell.add(Buyer())
    cell.quote("ACME.SIM", "9.98", "10.02")
    filled = probe.fish(OrderFilled, within_ns=SECOND)
    assert filled.instrument_id == "ACME.SIM"
    assert cell.now_ns == SECOND + SECOND // 4


def test_an_answer_that_raises_is_shown(host: LocalHost) -> None:
    probe = Probe(host)
    probe.register("Model.query", answer=lambda body: body["missing"])
    asker = Probe(host)
    with pytest.raises(AssertionError, match=r"(?s)actors of its host raised.*Probe-1.*KeyError: 'missing'"):
        asker.expect(1, within_ns=asker.request("Model.query", {}, timeout_ns=SECOND))
