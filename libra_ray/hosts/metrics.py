"""Prometheus: the status of a deployment's hosts as metrics, served while it runs.

One port has the figures of all hosts, by label `host`: also those of a host that is down, which could not be asked.
"""

import errno
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from socketserver import TCPServer, ThreadingMixIn
from typing import Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, generate_latest, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from libra_ray.errors import ConfigError, quoted
from libra_ray.hosts.metrics_settings import MetricsSettings
from libra_ray.hosts.status import HostStatus, TreeStatus

__all__ = ["MetricsSettings", "exposition", "serving_metrics"]

NS_PER_SECOND: Final = 10**9
REQUEST_SECONDS_MAX: Final = 5.0
"""Who connects and says nothing is hung up on after this."""
POLL_SECONDS: Final = 0.1
LIVING: Final = ("UP", "SUSPECT")
_USED: Final = errno.EADDRINUSE
_FORBIDDEN: Final = (errno.EACCES, errno.EPERM)


def exposition(tree: TreeStatus | None) -> str:
    """The metrics of a tree in Prometheus' text format; without one, none."""
    return generate_latest(_registry(lambda: tree)).decode()


@contextmanager
def serving_metrics(settings: MetricsSettings, read: Callable[[], TreeStatus | None]) -> Iterator[str | None]:
    """Serve what `read` gives at each request; inside, the URL, or None where `settings` ask for nothing.

    `read` is called from other threads. Raises `ConfigError`: CONF010 for a port in use, CONF002 for a port or address
    that cannot be had.
    """
    if not settings.port:
        yield None
        return
    server = _opened(settings, make_wsgi_app(_registry(read)))
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), name="metrics", daemon=True)
    thread.start()
    host = f"[{settings.address}]" if ":" in settings.address else settings.address
    try:
        yield f"http://{host}:{settings.port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# ------------------------------------------------------------------ what is served


class _Collector:
    def __init__(self, read: Callable[[], TreeStatus | None]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        tree = self._read()
        if tree is not None:
            yield from _of_deployment(tree)
            yield from _of_hosts(tree.hosts)
            yield from _of_lanes(tree.hosts)
            yield from _of_actors(tree.hosts)


def _registry(read: Callable[[], TreeStatus | None]) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_Collector(read))
    return registry


def _of_deployment(tree: TreeStatus) -> Iterator[Metric]:
    facts = (tree.name, tree.session, tree.placement)
    yield _gauge("deployment_info", "What runs.", ("name", "session", "placement"), [(facts, 1)])
    yield _gauge("deployment_status_timestamp_seconds", "When this was so.", (), [((), tree.ts_ns / NS_PER_SECOND)])
    yield _gauge("trading_halted", "1: nothing that opens a position is let through.", (), [((), bool(tree.halted_by))])


def _of_hosts(hosts: tuple[HostStatus, ...]) -> Iterator[Metric]:
    def gauge(name: str, text: str, value: Callable[[HostStatus], float]) -> Metric:
        return _gauge(f"host_{name}", text, ("host",), [((host.host_id,), value(host)) for host in hosts])

    def counter(name: str, text: str, value: Callable[[HostStatus], float]) -> Metric:
        return _counter(f"host_{name}", text, ("host",), [((host.host_id,), value(host)) for host in hosts])

    states = [((host.host_id, host.state), 1) for host in hosts]
    dead = [((host.host_id, reason), count) for host in hosts for reason, count in host.dead_letters.items()]
    yield gauge("up", "1: the host runs and is heard.", lambda host: host.state in LIVING)
    yield _gauge("host_state", "1 for the state of the host.", ("host", "state"), states)
    yield gauge("epoch", "Starts of the host so far.", lambda host: host.epoch)
    yield counter("restarts", "Starts after an end that nobody had asked for.", lambda host: host.restarts)
    yield counter("messages", "Messages taken from all lanes but CONTROL.", lambda host: host.messages)
    yield gauge("lag_seconds", "Age of the oldest message that waits.", lambda host: host.lag_ns / NS_PER_SECOND)
    yield counter("drops", "Batches that slow subscribers of this host did not get.", lambda host: host.drops)
    yield _counter("host_dead_letters", "Messages that reached nobody.", ("host", "reason"), dead)
    yield counter("cpu_seconds", "Processor time of the process.", lambda host: host.cpu_seconds)
    yield gauge("private_bytes", "Memory that the process shares with nobody.", lambda host: host.private_bytes)


def _of_lanes(hosts: tuple[HostStatus, ...]) -> Iterator[Metric]:
    names = ("host", "lane")
    lanes = [((host.host_id, name), lane) for host in hosts for name, lane in host.lanes.items()]
    ages = [(labels, lane.oldest_age_ns / NS_PER_SECOND) for labels, lane in lanes]
    yield _gauge("lane_depth", "Messages that wait.", names, [(labels, lane.depth) for labels, lane in lanes])
    yield _gauge(
        "lane_high_water", "What waited at most.", names, [(labels, lane.high_water) for labels, lane in lanes]
    )
    yield _gauge("lane_oldest_seconds", "Age of the oldest message that waits.", names, ages)
    yield _counter("lane_sent", "Messages to other hosts.", names, [(labels, lane.sent) for labels, lane in lanes])
    yield _counter("lane_received", "From other hosts.", names, [(labels, lane.received) for labels, lane in lanes])
    yield _counter("lane_dropped", "What found no room.", names, [(labels, lane.dropped) for labels, lane in lanes])
    yield _counter("lane_dead", "What was refused.", names, [(labels, lane.dead) for labels, lane in lanes])


def _of_actors(hosts: tuple[HostStatus, ...]) -> Iterator[Metric]:
    actors = [(host.host_id, actor) for host in hosts for actor in host.actors]
    states = [((host_id, actor.actor_id, actor.kind, actor.state), 1) for host_id, actor in actors]
    faults = [((host_id, actor.actor_id), actor.faults) for host_id, actor in actors]
    discarded = [((host_id, actor.actor_id), actor.discarded) for host_id, actor in actors]
    yield _gauge("actor_state", "1 for the state of the actor.", ("host", "actor", "kind", "state"), states)
    yield _counter("actor_faults", "Handlers that raised.", ("host", "actor"), faults)
    yield _counter("actor_discarded", "What came while the actor did not run.", ("host", "actor"), discarded)


def _gauge(
    name: str, text: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"libra_{name}", text, labels=labels)
    for label_values, value in values:
        family.add_metric(label_values, float(value))
    return family


def _counter(
    name: str, text: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]
) -> CounterMetricFamily:
    family = CounterMetricFamily(f"libra_{name}", text, labels=labels)
    for label_values, value in values:
        family.add_metric(label_values, float(value))
    return family


# ------------------------------------------------------------------ who serves it


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # the standard library's own asks a name server who we are
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()


class _SixServer(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = REQUEST_SECONDS_MAX

    def handle(self) -> None:
        with suppress(TimeoutError, ConnectionError):  # whoever asked has left
            super().handle()

    def log_message(self, *_: object) -> None:
        """A request is no event."""


def _opened(settings: MetricsSettings, app: Callable[..., Iterable[bytes]]) -> WSGIServer:
    address, port = settings.address, settings.port
    server_type = _SixServer if ":" in address else _Server
    try:
        server = server_type((address, port), _Handler)
    except OSError as error:
        if error.errno == _USED:
            what, fix = f"port {port} of {address} is in use", "Choose another, or 0 for none."
            raise ConfigError("CONF010", "metrics.port", what, fix, str(port)) from error
        if error.errno in _FORBIDDEN:
            what, fix = f"port {port} is not for this user", "Choose one from 1024 on, or 0 for none."
            raise ConfigError("CONF002", "metrics.port", what, fix, str(port)) from error
        what, fix = f"{quoted(address)} is no address of this machine", "Write for example 127.0.0.1."
        raise ConfigError("CONF002", "metrics.address", what, fix, address) from error
    server.set_app(app)
    return server
