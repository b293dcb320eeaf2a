"""Metrics: the status as Prometheus reads it, served on a port of their own or not at all."""

import http.client
import socket
import threading
from collections.abc import Callable

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from libra_ray.config import build_settings
from libra_ray.errors import ConfigError
from libra_ray.hosts.metrics import exposition, serving_metrics
from libra_ray.hosts.metrics_settings import MetricsSettings
from libra_ray.hosts.status import ActorStatus, HostStatus, LaneStatus, TreeStatus

LANE = LaneStatus(depth=2, high_water=9, sent=5, received=11, dropped=1, dead=3, oldest_age_ns=2_500_000)
TREE = TreeStatus(
    name='de"mo\n',
    session="s-1",
    ts_ns=1_500_000_000,
    placement="isolated",
    hosts=(
        HostStatus("bus", 1, state="SUSPECT"),
        HostStatus(
            "EmaCross-1",
            3,
            state="DOWN",
            actors=(ActorStatus("EmaCross-1", "STRATEGY", "DOWN", faults=4, discarded=6),),
            lanes={"ORDERS": LANE},
            messages=7,
            lag_ns=2_500_000,
            drops=8,
            dead_letters={"STALE_EPOCH": 3, "NO_RECEIVER": 1},
            restarts=2,
            cpu_seconds=1.25,
            private_bytes=98_000_000,
        ),
    ),
    halted_by="by hand",
)
HOST = {"host": "EmaCross-1"}
ACTOR = {"host": "EmaCross-1", "actor": "EmaCross-1"}
ORDERS = {"host": "EmaCross-1", "lane": "ORDERS"}
SAMPLES = [
    ("libra_deployment_info", {"name": 'de"mo\n', "session": "s-1", "placement": "isolated"}, 1),
    ("libra_deployment_status_timestamp_seconds", {}, 1.5),
    ("libra_trading_halted", {}, 1),
    ("libra_host_up", {"host": "bus"}, 1),
    ("libra_host_up", HOST, 0),
    ("libra_host_state", {**HOST, "state": "DOWN"}, 1),
    ("libra_host_epoch", HOST, 3),
    ("libra_host_restarts_total", HOST, 2),
    ("libra_host_messages_total", HOST, 7),
    ("libra_host_lag_seconds", HOST, 0.0025),
    ("libra_host_drops_total", HOST, 8),
    ("libra_host_dead_letters_total", {**HOST, "reason": "STALE_EPOCH"}, 3),
    ("libra_host_dead_letters_total", {**HOST, "reason": "NO_RECEIVER"}, 1),
    ("libra_host_cpu_seconds_total", HOST, 1.25),
    ("libra_host_private_bytes", HOST, 98_000_000),
    ("libra_lane_depth", ORDERS, 2),
    ("libra_lane_high_water", ORDERS, 9),
    ("libra_lane_oldest_seconds", ORDERS, 0.0025),
    ("libra_lane_sent_total", ORDERS, 5),
    ("libra_lane_received_total", ORDERS, 11),
    ("libra_lane_dropped_total", ORDERS, 1),
    ("libra_lane_dead_total", ORDERS, 3),
    ("libra_actor_state", {**ACTOR, "kind": "STRATEGY", "state": "DOWN"}, 1),
    ("libra_actor_faults_total", ACTOR, 4),
    ("libra_actor_discarded_total", ACTOR, 6),
]


def samples(text: str) -> list[tuple[str, dict[str, str], float]]:
    """As a reader of the format reads it."""
    families = text_string_to_metric_families(text)
    return [(sample.name, sample.labels, sample.value) for family in families for sample in family.samples]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample[0])
def test_what_a_host_says_of_itself_is_a_metric(sample: tuple[str, dict[str, str], float]) -> None:
    assert sample in samples(exposition(TREE))


def test_every_host_has_each_metric_of_hosts_once() -> None:
    names = [(name, tuple(labels.items())) for name, labels, _ in samples(exposition(TREE))]

    assert len(names) == len(set(names)) == len(SAMPLES) + 8, "the bus has the eight that need no lane and no letter"
    assert exposition(None) == ""


# ------------------------------------------------------------------ served


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def answer(port: int, method: str = "GET", host: str = "127.0.0.1") -> tuple[int, str, str]:
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request(method, "/metrics")
        response = connection.getresponse()
        return response.status, response.headers["Content-Type"], response.read().decode()
    finally:
        connection.close()


def is_refused(port: int) -> bool:
    with pytest.raises(ConnectionRefusedError):
        answer(port)
    return True


def test_each_request_is_answered_with_what_is_so_now() -> None:
    trees: list[TreeStatus | None] = [None]
    port = free_port()

    with serving_metrics(MetricsSettings(port=port), lambda: trees[-1]) as url:
        before = answer(port)
        trees.append(TREE)
        status, kind, text = answer(port)
        changed = msgspec.structs.replace(TREE, halted_by="")
        trees.append(changed)

        assert url == f"http://127.0.0.1:{port}/metrics"
        assert (before[0], before[2]) == (200, "")
        assert (status, kind.split(";")[0], text) == (200, "text/plain", exposition(TREE))
        assert answer(port)[2] == exposition(changed)
        assert answer(port, "POST")[0] == 405
    assert is_refused(port)
    assert [thread.name for thread in threading.enumerate() if thread.name == "metrics"] == []


def test_port_0_serves_nothing() -> None:
    threads = threading.active_count()

    with serving_metrics(MetricsSettings(), lambda: TREE) as url:
        assert (url, threading.active_count()) == (None, threads)


def test_who_connects_and_says_nothing_keeps_nobody_waiting(capfd: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    with (
        serving_metrics(MetricsSettings(port=port), lambda: TREE),
        socket.create_connection(("127.0.0.1", port)) as mute,
    ):
        mute.sendall(b"GET /metr")

        assert answer(port)[0] == 200
    assert capfd.readouterr() == ("", "")


def has_version_six() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as tried:
            tried.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_version_six(), reason="this machine has no IPv6")
def test_an_address_of_the_sixth_version_is_served_too() -> None:
    port = free_port()
    with serving_metrics(MetricsSettings(port=port, address="::1"), lambda: TREE) as url:
        assert url == f"http://[::1]:{port}/metrics"
        assert answer(port, host="::1")[0] == 200


def refusal(open_it: Callable[[], object]) -> str:
    with pytest.raises(ConfigError) as caught:
        open_it()
    return str(caught.value)


def opened(**settings: object) -> None:
    with serving_metrics(build_settings(MetricsSettings, settings, place="metrics"), lambda: TREE):
        pytest.fail("it was served")


def test_a_port_in_use_is_one_line() -> None:
    port = free_port()
    with serving_metrics(MetricsSettings(port=port), lambda: TREE):
        assert refusal(lambda: opened(port=port)) == (
            f"CONF010 metrics.port: port {port} of 127.0.0.1 is in use. Choose another, or 0 for none."
        )


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"port": 70_000}, "CONF002 metrics.port: 70000 is above 65535. Give at most 65535."),
        ({"port": -1}, "CONF002 metrics.port: -1 is below 0. Give at least 0."),
        ({"port": 9_464, "address": ""}, "CONF002 metrics.address: '' is too short. Give at least 1 characters."),
        (
            {"port": 9_464, "address": "192.0.2.1"},
            "CONF002 metrics.address: '192.0.2.1' is no address of this machine. Write for example 127.0.0.1.",
        ),
        (
            {"port": 9_464, "address": "no such place"},
            "CONF002 metrics.address: 'no such place' is no address of this machine. Write for example 127.0.0.1.",
        ),
    ],
)
def test_what_cannot_be_served_is_one_line(settings: dict[str, object], text: str) -> None:
    assert refusal(lambda: opened(**settings)) == text
