"""From a tick to the order at the venue, over a whole system with every part in a Ray actor of its own.

feed --> strategy --> RiskEngine --> ExecEngine --> venue client     tick_to_order: as `deploy` runs it
feed --> strategy --> risk --> execution --> venue client            ray: the same five, plain Ray calls, no checks

Each tick makes the strategy send a market order. Timed from the moment the feed stamps the tick to the moment at which
the venue fills the order, by the wall clock of the one machine that all run on. A route's time is the median, `*_p99`
the 99th percentile. The plain route does no work at all: no risk check, no journal, no order events.
"""

import sys
import tempfile
import time
from typing import Any, Final

import ray

import libra_ray as lr
from benchmarks._hosts import percentile
from benchmarks.harness import Bench, main
from libra_actors.feeds import ReplayFeed
from libra_ray.bus import Request
from libra_ray.runtime.ray import RaySession
from libra_ray.sessions import Deployment

ACME: Final = lr.equity("ACME.SIM", quote="USD", margin_init="0.01")
TICKS_PER_SECOND: Final = 50
P50_SECONDS_MAX: Final = 1e-3
P99_SECONDS_MAX: Final = 5e-3
RAY_RATIO_MAX: Final = 0.25
NS: Final = 1e9


class Prompt(lr.Strategy):
    """Sends an order at each tick, and notes how long it took to the venue."""

    def on_start(self) -> None:
        self.ticks: dict[str, int] = {}
        self.seconds: list[float] = []
        self.bus.register("Prompt.seconds", self.answer)
        self.subscribe_quotes("ACME.SIM")

    def on_quote(self, quote: lr.Quote) -> None:
        side = self.sell if self.portfolio.net_qty_raw("ACME.SIM") > 0 else self.buy
        self.ticks[side("ACME.SIM", 1).client_order_id] = quote.ts_ns

    def on_order_filled(self, event: lr.OrderFilled) -> None:
        self.seconds.append((event.ts_ns - self.ticks.pop(event.client_order_id)) / NS)

    def answer(self, request: Request) -> None:
        """All since the question before."""
        self.reply(request, self.seconds)
        self.seconds = []


class Link:
    """One of five: calls the next at once, or notes the time when it is the last."""

    def __init__(self, following: Any = None) -> None:  # noqa: ANN401 - a handle of Ray
        self._next, self._seconds = following, list[float]()

    def take(self, tick_ns: int) -> None:
        """Pass it on."""
        if self._next is None:
            self._seconds.append((time.time_ns() - tick_ns) / NS)
        else:
            self._next.take.remote(tick_ns)

    def seconds(self) -> list[float]:
        """All since the question before."""
        found, self._seconds = self._seconds, []
        return found


def tick_to_order(bench: Bench) -> None:
    """Tick through both, side by side."""
    ticks = bench.size("ticks", smoke=20, full=250)
    bench.needs_cores(2)
    bench.budget("tick_to_order", seconds_max=P50_SECONDS_MAX)
    bench.budget("tick_to_order_p99", seconds_max=P99_SECONDS_MAX)
    bench.budget("tick_to_order", at_most=RAY_RATIO_MAX, of="ray")
    with RaySession(workers=1), tempfile.TemporaryDirectory() as folder:
        lr.synth("quotes", ACME, rows=100_000, seed=bench.seed).write(folder)
        routes = {"tick_to_order": _through_hosts, "ray": _through_ray}
        with lr.deploy(_system(folder)) as deployment:
            chain = _chain()
            deployment.request("Prompt.seconds", None)
            for _ in bench.runs():
                for name, route in bench.turns(routes):
                    seconds = route(deployment, chain, ticks)
                    bench.check(actual=(len(seconds) >= ticks, min(seconds) > 0), expected=(True, True))
                    bench.record(name, seconds=percentile(seconds, 50), items=1, floor="ray")
                    bench.record(f"{name}_p99", seconds=percentile(seconds, 99), items=1, floor="ray_p99")
            for actor in chain:
                ray.kill(actor)


def _system(folder: str) -> lr.System:
    system = lr.System("tick-to-order", seed=7)
    system.add_venue("SIM", account="margin", balances=["10_000_000 USD"])
    system.add_instrument(ACME)
    system.risk(max_order_rate="1000/1s")
    system.add(ReplayFeed(folder=folder, rows_per_second=TICKS_PER_SECOND))
    system.add(Prompt())
    return system


def _through_hosts(deployment: Deployment, _chain: list[Any], ticks: int) -> list[float]:
    deployment.request("Prompt.seconds", None)
    seconds: list[float] = []
    while len(seconds) < ticks:
        time.sleep(ticks / TICKS_PER_SECOND / 2)
        seconds += deployment.request("Prompt.seconds", None)
    return seconds


def _chain() -> list[Any]:
    """Venue client, execution, risk, strategy."""
    actors: list[Any] = []
    declared: Any = ray.remote(num_cpus=0)
    for _ in range(4):
        actors.append(declared(Link).remote(actors[-1] if actors else None))
    return actors


def _through_ray(_deployment: Deployment, chain: list[Any], ticks: int) -> list[float]:
    venue, *_, strategy = chain
    ray.get(venue.seconds.remote())
    for _ in range(ticks):
        strategy.take.remote(time.time_ns())
        time.sleep(1 / TICKS_PER_SECOND)
    seconds: list[float] = ray.get(venue.seconds.remote())
    while len(seconds) < ticks:
        time.sleep(0.05)
        seconds += ray.get(venue.seconds.remote())
    return seconds


if __name__ == "__main__":
    sys.exit(main(tick_to_order))
