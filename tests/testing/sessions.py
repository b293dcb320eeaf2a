"""A small session that is recorded and replayed: a feed, and a trader that asks it."""

from pathlib import Path

from libra_ray.bus import Bus, Request, TimedOut
from libra_ray.clock import VirtualClock
from libra_ray.runtime import Actor, LocalHost, Signal, Timer
from libra_ray.testing import Recorder

SECOND = 10**9


class Feed(Actor):
    """Ticks each second with a number, and answers what it is asked."""

    def on_start(self) -> None:
        self.count = 0
        self.bus.register("Feed.query", self.answer)
        self.clock.set_timer("tick", interval_ns=SECOND)

    def on_timer(self, _timer: Timer) -> None:
        self.count += 1
        self.publish_signal("tick", self.count)

    def answer(self, request: Request) -> None:
        if request.body != "never":
            self.reply(request, self.count * 10)


class Trader(Actor):
    """Asks on each tick, and tells what it was told half a second later."""

    def on_start(self) -> None:
        self.told: list[object] = []
        self.subscribe_signal("tick")
        self.bus.register("Trader.query", self.answer)

    def on_signal(self, signal: Signal) -> None:
        body = "never" if signal.value == 2 else "now"
        self.request("Feed.query", body, 2 * SECOND + 1)

    def on_reply(self, correlation_id: int, reply: object) -> None:
        del correlation_id
        self.told.append("time out" if isinstance(reply, TimedOut) else reply)
        self.clock.set_alert(f"tell {len(self.told)}", at_ns=self.clock.now_ns() + SECOND // 2)

    def on_timer(self, timer: Timer) -> None:
        self.send("Log.write", (timer.name, str(self.told[-1])))
        self.publish("events.told", str(self.told))

    def answer(self, request: Request) -> None:
        self.reply(request, len(self.told))


def new_host(*actors: Actor) -> LocalHost:
    clock = VirtualClock()
    host = LocalHost(clock, Bus(clock), seed=1)
    for actor in actors:
        host.add(actor)
    return host


def run_session(path: Path) -> LocalHost:
    host = new_host(Feed(), Trader())
    host.bus.register("Log.write", lambda _line: None)
    with Recorder(path, host):
        host.start_all(list(host.actors))
        host.advance_to(SECOND * 3)
        host.bus.publish("signals.tick", Signal("tick", 7, SECOND * 3, "test"))
        host.bus.request("Trader.query", "how many", timeout_ns=SECOND, on_reply=lambda _n, _r: None, source="test")
        host.advance_to(SECOND * 5)
    return host
