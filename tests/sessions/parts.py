"""Actors that the deployments of the tests run; their hosts import this module."""

import os
import signal
from collections.abc import Mapping

from libra_ray.hosts.commands import AddActor, Answer, RemoveActor, StartActors, StopActors
from libra_ray.runtime import Actor, ActorConfig, Signal, Timer

MS, SECOND = 1_000_000, 1_000_000_000

__all__ = ["Counter", "CounterConfig", "Founder", "Ticker", "TickerConfig", "Unstable", "UnstableConfig"]


class TickerConfig(ActorConfig):
    """How often it says a number."""

    period_ns: int = 20 * MS


class Ticker(Actor):
    """Publishes 1, 2, 3, ... as the signal `tick`, and goes on where it was after a restart."""

    config: TickerConfig

    def on_start(self) -> None:
        self.count = 0
        self.clock.set_timer("tick", interval_ns=self.config.period_ns)

    def on_timer(self, _timer: Timer) -> None:
        self.count += 1
        self.publish_signal("tick", self.count)

    def on_save(self) -> dict[str, bytes]:
        return {"count": str(self.count).encode()}

    def on_load(self, state: Mapping[str, bytes]) -> None:
        self.count = int(state["count"])


class CounterConfig(ActorConfig):
    """Whose ticks it counts."""

    of: str = "tick"


class Counter(Actor):
    """Counts ticks; answers how many, and the last, at `{actor_id}.count`; ends its process at `end.{actor_id}`."""

    config: CounterConfig

    def on_start(self) -> None:
        self.count = self.last = 0
        self.subscribe_signal(self.config.of)
        self.subscribe_signal(f"end.{self.actor_id}")
        self.bus.register(f"{self.actor_id}.count", lambda request: self.reply(request, (self.count, self.last)))

    def on_signal(self, signal_: Signal) -> None:
        if signal_.name.startswith("end."):
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1
        self.last = int(signal_.value)

    def on_save(self) -> dict[str, bytes]:
        return {"count": str(self.count).encode(), "last": str(self.last).encode()}

    def on_load(self, state: Mapping[str, bytes]) -> None:
        self.count, self.last = int(state["count"]), int(state["last"])


class UnstableConfig(ActorConfig):
    """What goes wrong, and when."""

    fails_in: str = "on_start"


class Unstable(Actor):
    """Raises or dies where it is told to."""

    config: UnstableConfig

    def on_start(self) -> None:
        if self.config.fails_in == "on_start":
            raise ValueError("as it was told to")
        self.clock.set_timer("fail", interval_ns=100 * MS)

    def on_timer(self, _timer: Timer) -> None:
        if self.config.fails_in == "process":
            os.kill(os.getpid(), signal.SIGKILL)
        raise ValueError("as it was told to")


class Founder(Actor):
    """Has a counter added, started, stopped and removed by commands, and tells the answers at `Founder.answers`."""

    def on_start(self) -> None:
        self.answers: list[tuple[bool, str]] = []
        self.steps: list[object] = [
            AddActor("tests.sessions.parts:Counter", "Founded", {}),
            StartActors(("Founded",)),
            StartActors(("Nobody",)),
            StopActors(("Founded",)),
            RemoveActor("Founded"),
            Signal("no command", 1, 0, ""),
        ]
        self.bus.register("Founder.answers", lambda request: self.reply(request, list(self.answers)))
        self.subscribe_signal("found")

    def on_signal(self, _signal: Signal) -> None:
        self.go_on()

    def on_reply(self, _correlation_id: int, reply: Answer) -> None:
        self.answers.append((reply.is_ok, reply.text))
        self.go_on()

    def go_on(self) -> None:
        """The next command."""
        if self.steps:
            self.request("Kernel.command", self.steps.pop(0), 10 * SECOND)
