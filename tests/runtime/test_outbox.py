"""The outbox: all of a handler's wishes, in order, or none of them."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.bus import Bus
from libra_ray.clock import VirtualClock
from libra_ray.errors import StrategyError
from libra_ray.messages.events import ComponentStateChanged, OrderSubmitted
from libra_ray.runtime import HELD_EVENTS_MAX, SETTLE_MESSAGES_MAX, Actor, ActorConfig, LocalHost, Signal, State, Timer
from libra_ray.runtime.delivery import Delivery
from libra_ray.runtime.views import Handler


class Scripted(Actor):
    """Does what each message tells it, in one handler call; `raise` at the end of a script makes it raise."""

    def __init__(self, **settings: object) -> None:
        super().__init__(ActorConfig.model_validate(settings))
        self.seen: list[object] = []
        self.rollbacks = 0

    def on_event(self, event: tuple[str, ...]) -> None:
        for word in event:
            verb, _, rest = word.partition(" ")
            match verb:
                case "publish":
                    self.publish("words", rest)
                case "alert":
                    self.clock.set_alert(rest, at_ns=100 + len(rest))
                case "cancel":
                    self.clock.cancel_timer(rest)
                case "subscribe":
                    self.subscribe(rest, self.hear)
                case "unsubscribe":
                    self.unsubscribe(rest, self.hear)
                case "register":
                    self.bus.register(rest, self.hear)
                case _:
                    raise ValueError(word)

    def hear(self, message: object) -> None:
        self.seen.append(message)

    def on_timer(self, timer: Timer) -> None:
        self.seen.append(timer.name)

    def _rollback(self) -> None:
        self.rollbacks += 1


def running(host: LocalHost, **settings: object) -> Scripted:
    actor = Scripted(**settings)
    host.start(host.add(actor))
    return actor


def words(host: LocalHost) -> list[object]:
    heard: list[object] = []
    host.bus.subscribe("words", heard.append)
    return heard


def test_nothing_leaves_before_the_handler_has_returned_and_settle_was_called(host: LocalHost) -> None:
    actor, heard = running(host), words(host)
    host.deliver(actor, actor.on_event, ("publish a", "publish b"))
    assert (heard, len(host.queue), host.staged) == ([], 2, [])
    assert host.settle() == 2
    assert heard == ["a", "b"]


def test_a_handler_that_raised_has_sent_nothing_set_nothing_and_subscribed_nothing(host: LocalHost) -> None:
    actor, heard = running(host, on_error="degrade"), words(host)
    host.deliver(actor, actor.on_event, ("alert old", "subscribe signals.*", "subscribe words"))
    version = [repr(each) for each in host.bus.receivers("words")]
    script = ("publish a", "alert new", "alert old", "cancel old", "subscribe events.*", "unsubscribe words")
    host.deliver(actor, actor.on_event, (*script, "register Script.execute", "raise"))
    assert actor.state == State.DEGRADED
    assert (host.staged, list(host.queue), actor.rollbacks) == ([], [], 1)
    assert actor.clock.timer_names == ["old"]
    assert host.bus.receivers("events.risk") == ()
    assert [repr(each) for each in host.bus.receivers("words")] == version
    assert not host.bus.send("Script.execute", "x")
    host.run_until_idle()
    assert (heard, actor.seen) == ([], ["old"])


@given(
    before=st.lists(st.sampled_from(["alert a", "alert bb", "subscribe words", "subscribe w*"]), max_size=4),
    script=st.lists(
        st.sampled_from(
            [f"{verb} {name}" for verb in ("alert", "cancel") for name in ("a", "bb")]
            + [f"{verb} {pattern}" for verb in ("publish", "subscribe", "unsubscribe") for pattern in ("words", "w*")]
        ),
        max_size=12,
    ),
)
def test_a_discarded_handler_call_leaves_the_host_as_it_was(before: list[str], script: list[str]) -> None:
    clock = VirtualClock()
    host = LocalHost(clock, Bus(clock))
    first, actor, last = (running(host, on_error="degrade") for _ in range(3))
    for each in (first, actor, last):
        host.deliver(each, each.on_event, tuple(before))
    host.settle()

    def picture() -> tuple[object, ...]:
        keys = [(each.rank_no, name) for each in (first, actor, last) for name in ("a", "bb")]
        alarms = [host.timers.get(key) for key in keys]
        timers = [alarm and (alarm.due_ns, alarm.seq) for alarm in alarms]
        return (timers, host.timers.next_ns, host.bus.receivers("words"), list(host.queue), list(host.staged))

    expected = picture()
    host.deliver(actor, actor.on_event, (*script, "raise"))
    assert actor.state == State.DEGRADED
    assert picture() == expected


def test_an_actor_sees_its_own_timers_at_once(host: LocalHost) -> None:
    names: list[list[str]] = []

    class Setter(Actor):
        def on_start(self) -> None:
            self.clock.set_alert("a", at_ns=5)
            names.append(self.clock.timer_names)

    host.start(host.add(Setter()))
    assert names == [["a"]]


def test_settle_is_first_in_first_out_and_what_handlers_send_joins_the_end(host: LocalHost) -> None:
    order: list[str] = []

    class Echo(Actor):
        def on_start(self) -> None:
            self.subscribe("echo.*", self.echo)

        def echo(self, word: str) -> None:
            order.append(f"{self.actor_id} {word}")
            if len(word) < 3:
                self.publish("echo.x", f"{word}{self.actor_id[-1]}")

    ids = [host.add(Echo()) for _ in range(2)]
    host.start_all(ids)
    host.settle()
    host.actors["Echo-1"].publish("echo.x", "a")
    host.actors["Echo-1"].publish("echo.x", "b")
    host.settle()
    waiting, expected = ["a", "b"], list[str]()
    while waiting:
        word = waiting.pop(0)
        expected += [f"Echo-1 {word}", f"Echo-2 {word}"]
        waiting += [f"{word}1", f"{word}2"] if len(word) < 3 else []
    assert order == expected


def test_a_message_to_itself_is_not_handled_inside_the_handler(host: LocalHost) -> None:
    order: list[str] = []

    class Selfish(Actor):
        def on_start(self) -> None:
            self.subscribe_signal("self")
            self.publish_signal("self", 1)
            order.append("started")

        def on_signal(self, signal: Signal) -> None:
            order.append(signal.name)

    host.start(host.add(Selfish()))
    assert order == ["started"]
    host.settle()
    assert order == ["started", "self"]


@pytest.mark.parametrize(
    "make",
    [
        lambda host, actor: Delivery(host, actor, actor.on_event, keeps=True),
        lambda host, actor: lambda script: host.deliver(actor, actor.on_event, script),
    ],
    ids=["by the bus", "by the host"],
)
def test_a_fault_in_a_subscriber_discards_only_its_own_outbox(
    host: LocalHost, make: Callable[[LocalHost, Scripted], Handler]
) -> None:
    """A kernel function may publish while it handles a message: the subscriber's calls are nested in its own."""
    outer, inner, heard = running(host), running(host), words(host)
    host.bus.subscribe("relay", make(host, inner))

    def relay(script: tuple[str, ...]) -> None:
        outer.publish("words", "before")
        host.bus.publish("relay", script)
        outer.publish("words", "after")

    host.run(outer, relay, ("alert inner", "publish inner"))
    assert host.settle() == 3
    assert heard == ["inner", "before", "after"]
    host.run(outer, relay, ("publish lost", "raise"))
    host.settle()
    assert heard[3:] == ["before", "after"]
    assert (outer.state, inner.state) == (State.RUNNING, State.FAULTED)


def test_on_error_degrade_degrades_once_and_faults_the_second_time(host: LocalHost) -> None:
    actor = running(host, on_error="degrade")
    states = []
    for _ in range(2):
        host.deliver(actor, actor.on_event, ("raise",))
        states.append(actor.state)
    assert states == [State.DEGRADED, State.FAULTED]
    assert [fault.hook for fault in host.faults] == ["on_event", "on_event"]


class Enduring(Scripted):
    """Declares what becomes of it."""

    on_error = "degrade"


@pytest.mark.parametrize(
    ("settings", "state"),
    [({}, State.DEGRADED), ({"actor_id": "E"}, State.DEGRADED), ({"on_error": "fault"}, State.FAULTED)],
)
def test_a_class_may_declare_on_error_and_settings_go_before(
    host: LocalHost, settings: dict[str, object], state: State
) -> None:
    actor = Enduring(**settings)
    host.start(host.add(actor))
    host.deliver(actor, actor.on_event, ("raise",))
    assert actor.state is state
    assert type(actor)(**actor.config.model_dump(exclude_unset=True)).config == actor.config


def test_events_for_a_stopped_actor_wait_in_order_and_market_data_is_discarded(host: LocalHost) -> None:
    actor = running(host)
    host.run(actor, actor.subscribe, "events.order.x", actor.hear)
    host.run(actor, actor.subscribe, "data.custom.x", actor.hear)
    host.stop("Scripted-1")
    for number in range(3):
        host.bus.publish("events.order.x", number)
        host.bus.publish("data.custom.x", number)
    assert (actor.seen, host.discarded) == ([], {"Scripted-1": 3})
    host.resume("Scripted-1")
    assert actor.seen == [0, 1, 2]


@pytest.mark.parametrize("pattern", ["*", "events*", "?vents.order.S", "events.order.S"])
def test_events_of_orders_wait_by_whatever_pattern_they_come(host: LocalHost, pattern: str) -> None:
    actor = running(host)
    actor.subscribe(pattern, actor.hear)
    host.settle()
    host.stop(actor.actor_id)
    event = OrderSubmitted(1, "S", "ACME.SIM", "S-1")
    host.bus.publish("events.order.S", event)
    host.bus.publish("data.custom.x", 5)
    host.resume(actor.actor_id)
    assert [each for each in actor.seen if not isinstance(each, ComponentStateChanged)] == [event]


def test_an_actor_hears_of_its_own_transitions_in_order(host: LocalHost) -> None:
    actor = running(host)
    actor.subscribe("events.system.*", actor.hear)
    host.settle()
    for drive in (host.stop, host.resume, host.stop, host.resume):
        drive(actor.actor_id)
    heard = [str(each.to_state) for each in actor.seen if isinstance(each, ComponentStateChanged)]
    assert heard == ["STOPPING", "STOPPED", "RESUMING", "RUNNING"] * 2


def test_kept_events_that_raise_leave_the_rest_to_a_faulted_actor_undelivered_and_counted(host: LocalHost) -> None:
    actor = running(host)
    host.stop("Scripted-1")
    for script in (("publish a",), ("raise",), ("publish b",)):
        host.deliver(actor, actor.on_event, script)
    host.resume("Scripted-1")
    assert actor.state == State.FAULTED
    host.deliver(actor, actor.on_event, ("publish c",))
    assert host.settle() == 1
    assert host.discarded == {"Scripted-1": 2}


@pytest.mark.slow
def test_more_kept_events_than_the_bound_fault_the_actor(host: LocalHost) -> None:
    actor = running(host)
    host.stop("Scripted-1")
    for _ in range(HELD_EVENTS_MAX):
        host.deliver(actor, actor.on_event, ())
    assert host.faults == []
    host.deliver(actor, actor.on_event, ())
    assert actor.state == State.FAULTED
    assert host.faults[0].to_error().code == "STRAT005"


class Doubler(Actor):
    """Answers each word by a new one, for ever."""

    def on_start(self) -> None:
        self.subscribe(f"words.{self.actor_id}", self.again)

    def again(self, number: int) -> None:
        self.publish(f"words.{self.actor_id}", number + 1)


@pytest.mark.slow
def test_message_65537_of_one_settle_faults_its_sender_and_spares_the_others(host: LocalHost) -> None:
    doubler, other = Doubler(), running(host)
    host.start(host.add(doubler))
    heard: list[int] = []
    host.bus.subscribe("words.Doubler-1", heard.append)
    doubler.publish("words.Doubler-1", 1)
    assert host.settle() == SETTLE_MESSAGES_MAX + 1
    assert (doubler.state, other.state) == (State.FAULTED, State.RUNNING)
    assert heard[-1] == SETTLE_MESSAGES_MAX + 1
    error = host.faults[0].error
    assert isinstance(error, StrategyError)
    assert str(error).startswith("STRAT002 Doubler-1 sent message 65,537 of one settle. Break the circle")


@pytest.mark.slow
def test_65536_messages_in_one_settle_are_allowed(host: LocalHost) -> None:
    actor = running(host)
    for _ in range(SETTLE_MESSAGES_MAX):
        actor.publish("words", 1)
    assert host.settle() == SETTLE_MESSAGES_MAX
    assert host.faults == []


def test_an_error_of_a_subscriber_that_is_no_actor_is_not_swallowed(host: LocalHost) -> None:
    actor = running(host)

    def broken(_message: object) -> None:
        raise KeyError("recorder")

    host.bus.subscribe("words", broken)
    actor.publish("words", 1)
    with pytest.raises(KeyError, match="recorder"):
        host.settle()


def test_an_endpoint_function_of_a_kernel_actor_faults_that_actor(host: LocalHost) -> None:
    sender, receiver = running(host), running(host)
    host.bus.register("Kernel.command", receiver.on_event)
    host.queue.append((sender, host.bus.link("Kernel.command"), ("publish a", "raise")))
    host.settle()
    assert (sender.state, receiver.state) == (State.RUNNING, State.FAULTED)
    assert len(host.queue) == 0


def test_a_loop_may_inline_the_handler_call(host: LocalHost) -> None:
    """The form that the simulation uses for each row."""
    actor, heard = running(host, on_error="degrade"), words(host)
    for script in (("publish a",), (), ("alert x", "publish lost", "raise"), ("publish b",)):
        try:
            actor.on_event(script)
            if host.staged:
                host.commit()
        except ValueError as error:
            host.on_handler_error(actor, error)
        if host.queue:
            host.settle()
    assert heard == ["a", "b"]
    assert actor.clock.timer_names == []
    assert [(fault.hook, fault.reason) for fault in host.faults] == [("on_event", "ValueError: raise")]
