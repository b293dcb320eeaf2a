"""There and back between two hosts: direct, and through the bus, beside a plain ZeroMQ echo and a plain Ray call.

pinger <--- ipc ---> echo              floor: two processes and two sockets, 200 bytes, nothing else
pinger <--- host ---> host: echo       direct: an endpoint, numbered, confirmed and journaled
pinger <--- bus ---> host: echo        bus: a topic, there and back through the bus host, stored at each step
pinger <--- Ray ---> actor: echo       ray: `ray.get(echo.call.remote(message))`

A route's time is the median of its round trips; `*_p99` is their 99th percentile. The path counts there and back.
"""

import multiprocessing
import shutil
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import ray
import zmq

from benchmarks._hosts import Measuring, hosts, percentile, report_of
from benchmarks.harness import Bench, main
from libra_ray.runtime import Actor
from libra_ray.runtime.ray import RaySession

BODY: Final = "x" * 200
WARM: Final = 100
ONE_HOP_SECONDS_MAX: Final = 150e-6
BUS_SECONDS_MAX: Final = 300e-6
BUS_P99_SECONDS_MAX: Final = 1.5e-3


class Pinger(Measuring):
    """Sends, waits for what comes back, sends again."""

    def prepare(self) -> None:
        self.seconds: list[float] = []
        self.bus.register("Pinger.execute", self.on_back)

    def begin(self) -> None:
        self.sent = perf_counter()
        self.ping()

    def ping(self) -> None:
        """One message."""
        self.send("Echo.execute", BODY)

    def on_back(self, message: object) -> None:
        """It came back."""
        now = perf_counter()
        self.seconds.append(now - self.sent)
        if len(self.seconds) == self.config.count + WARM:
            self.tell({"seconds": self.seconds[WARM:], "is_right": message == BODY})
            return
        self.sent = perf_counter()
        self.ping()

    KNOWN_HOOKS = frozenset({"on_back"})


class TopicPinger(Pinger):
    """The same through the bus."""

    def prepare(self) -> None:
        super().prepare()
        self.subscribe("events.pong", self.on_back)

    def ping(self) -> None:
        self.publish("events.ping", BODY)


class Echo(Actor):
    """Sends back what comes, by the way it came."""

    def on_start(self) -> None:
        self.bus.register("Echo.execute", lambda message: self.send("Pinger.execute", message))
        self.subscribe("events.ping", lambda message: self.publish("events.pong", message))


def host_latency(bench: Bench) -> None:
    """Go there and back by four ways."""
    count = bench.size("round_trips", smoke=50, full=2_000)
    bench.needs_cores(2)
    bench.budget("direct", seconds_max=ONE_HOP_SECONDS_MAX)
    bench.budget("bus", seconds_max=BUS_SECONDS_MAX)
    bench.budget("bus_p99", seconds_max=BUS_P99_SECONDS_MAX)
    with RaySession(workers=1):
        for _ in bench.runs(warm_up=False):
            for name, way in bench.turns({"floor": _by_zmq, "direct": _direct, "bus": _by_bus, "ray": _by_ray}):
                seconds, is_right = way(count)
                bench.check(actual=(len(seconds), is_right), expected=(count, True))
                bench.record(name, seconds=percentile(seconds, 50), items=1)
                bench.record(f"{name}_p99", seconds=percentile(seconds, 99), items=1, floor="floor_p99")


def _direct(count: int) -> tuple[list[float], bool]:
    return _between_hosts(Pinger, count)


def _by_bus(count: int) -> tuple[list[float], bool]:
    return _between_hosts(TopicPinger, count)


def _between_hosts(pinger: type[Pinger], count: int) -> tuple[list[float], bool]:
    with hosts({"a": [(pinger, {"report": "found", "count": count})], "b": [(Echo, {})]}) as folder:
        found = report_of(folder, "found")
    return found["seconds"], found["is_right"]


def _by_zmq(count: int) -> tuple[list[float], bool]:
    folder = Path(tempfile.mkdtemp(prefix="libra-b-", dir="/tmp"))
    address = f"ipc://{folder}/echo"
    process = multiprocessing.get_context("spawn").Process(target=_echo_forever, args=(address,), daemon=True)
    process.start()
    seconds, body = [], BODY.encode()
    is_right = True
    try:
        with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
            socket.connect(address)
            for _ in range(count + WARM):
                started = perf_counter()
                socket.send(body)
                is_right &= socket.recv() == body
                seconds.append(perf_counter() - started)
    finally:
        process.kill()
        process.join()
        shutil.rmtree(folder, ignore_errors=True)
    return seconds[WARM:], is_right


def _echo_forever(address: str) -> None:
    with zmq.Context() as context, context.socket(zmq.ROUTER) as socket:
        socket.bind(address)
        while True:
            socket.send_multipart(socket.recv_multipart())


class RayEcho:
    """The plain way: a method of a Ray actor."""

    def call(self, message: str) -> str:
        """Give it back."""
        return message


def _by_ray(count: int) -> tuple[list[float], bool]:
    declared: Any = ray.remote(num_cpus=0)
    echo = declared(RayEcho).remote()
    seconds, is_right = [], True
    try:
        for _ in range(count + WARM):
            started = perf_counter()
            is_right &= ray.get(echo.call.remote(BODY)) == BODY
            seconds.append(perf_counter() - started)
    finally:
        ray.kill(echo)
    return seconds[WARM:], is_right


if __name__ == "__main__":
    sys.exit(main(host_latency))
