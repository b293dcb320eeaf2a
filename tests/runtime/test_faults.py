"""What an actor's code raises: where it is told to have happened, and as what."""

import signal
import sys

import pytest

from libra_ray.errors import ConfigError, NoReceiverError, StrategyError
from libra_ray.runtime import Actor, LocalHost, State, Timer


class Unfit(Actor):
    """Its handlers cannot be called."""

    def on_event(self) -> None:  # type: ignore[override]
        """Takes no event."""

    def on_timer(self, timer: Timer, more: int) -> None:  # type: ignore[override]
        """Wants more than there is."""


@pytest.mark.parametrize("hook", ["on_event", "on_timer"])
def test_a_hook_that_cannot_be_called_faults_at_the_line_where_it_begins(host: LocalHost, hook: str) -> None:
    actor = Unfit()
    host.start(host.add(actor))
    if hook == "on_event":
        actor.subscribe("words")
        host.bus.publish("words", 1)
    else:
        actor.clock.set_alert("a", at_ns=5)
        host.run_until_idle()
    line = getattr(Unfit, hook).__code__.co_firstlineno
    (fault,) = host.faults
    assert (fault.hook, fault.place, actor.state) == (hook, f"test_faults.py:{line}", State.FAULTED)


class MuteError(Exception):
    """Its text cannot be made."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (MuteError(), "MuteError: (making its text raised RuntimeError)."),
        (ValueError(), "ValueError."),
        (NoReceiverError("A.x"), "BUG000 endpoint 'A.x' has no receiver; the command was not sent."),
        (
            ConfigError("CONF002", None, "'ten' is not a decimal", "Write 10.", "ten"),
            "CONF002 'ten' is not a decimal. Write 10.",
        ),
        (ConfigError("CONF002", "run.toml:3", "'ten' is not a decimal", "Write 10.", "ten"), ""),
        (StrategyError("STRAT006", None, "it cannot be sized", "Say more."), ""),
    ],
)
def test_what_an_author_let_happen_is_told_with_the_line_unless_it_says_where(
    host: LocalHost, error: Exception, text: str
) -> None:
    class Thrower(Actor):
        def on_start(self) -> None:
            raise error

    assert not host.start(host.add(Thrower()))
    line = Thrower.on_start.__code__.co_firstlineno + 1
    told = host.faults[0].to_error()
    expected = f"STRAT001 test_faults.py:{line}: Thrower-1 on_start raised {text}" if text else str(error)
    assert (str(told), told.exit_code) == (expected, 1 if text else error.exit_code)  # type: ignore[attr-defined]


class Quitter(Actor):
    """Ends the process, as it thinks."""

    def on_event(self, event: object) -> None:
        sys.exit(event)  # type: ignore[arg-type]


@pytest.mark.parametrize(("code", "reason"), [(0, "SystemExit: 0"), (None, "SystemExit"), ("bye", "SystemExit: bye")])
def test_an_exit_in_a_handler_ends_the_actor_and_not_the_process(host: LocalHost, code: object, reason: str) -> None:
    actor = Quitter()
    host.start(host.add(actor))
    actor.subscribe("words")
    host.bus.publish("words", code)
    line = Quitter.on_event.__code__.co_firstlineno + 1
    told = [(fault.hook, fault.place, fault.reason) for fault in host.faults]
    assert (actor.state, told) == (State.FAULTED, [("on_event", f"test_faults.py:{line}", reason)])


def test_an_exit_that_a_signal_asks_for_in_a_handler_ends_the_process(host: LocalHost) -> None:
    class Slow(Actor):
        def on_event(self, event: object) -> None:
            del event
            signal.raise_signal(signal.SIGTERM)

    def leave(_number: int, _frame: object) -> None:
        sys.exit(7)

    actor = Slow()
    host.start(host.add(actor))
    actor.subscribe("words")
    before = signal.signal(signal.SIGTERM, leave)
    try:
        with pytest.raises(SystemExit):
            host.bus.publish("words", 1)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (actor.state, host.faults) == (State.RUNNING, [])
