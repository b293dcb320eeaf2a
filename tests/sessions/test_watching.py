"""A deployment as it is watched from outside: metrics on a port, and `libra top` in another process."""

import http.client
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from libra_ray.cli.top import top
from libra_ray.errors import ConfigError
from libra_ray.hosts.status import TreeStatus
from libra_ray.runtime.private_folders import live_folders
from libra_ray.runtime.ray import RaySession
from libra_ray.sessions import Deployment, deploy
from libra_ray.simulation import System
from tests.sessions.parts import Counter, Ticker

HOSTS = ("bus", "T", "C")
HEARING = ("bus", "C")
"""A ticker is told nothing."""


def system() -> System:
    """A ticker and a counter of its ticks."""
    made = System("watched", seed=1)
    made.add(Ticker(), "T")
    made.add(Counter(), "C")
    return made


@pytest.fixture(scope="module")
def deployment(local_ray: RaySession) -> Iterator[Deployment]:
    """Two hosts and the bus, with metrics."""
    assert local_ray.workers == 2
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with deploy(system(), metrics={"port": port}) as made:
        made.wait_for(lambda tree: min(tree.host(name).messages for name in HEARING) > 10)
        yield made
    assert made.metrics_url is None
    with pytest.raises(ConnectionRefusedError):
        asked(port)


def asked(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def metrics(deployment: Deployment) -> dict[tuple[str, str], float]:
    """By name and host."""
    host, _, port = str(deployment.metrics_url).removeprefix("http://").removesuffix("/metrics").partition(":")
    assert host == "127.0.0.1"
    text = asked(int(port))
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(each.name, each.labels.get("host", "")): each.value for each in samples}


@pytest.mark.ray
@pytest.mark.slow
def test_every_host_measures_itself(deployment: Deployment) -> None:
    def all_have_spoken(tree: TreeStatus) -> bool:
        hosts = [tree.host(name) for name in HOSTS]
        if not all(host.lanes for host in hosts):
            return False
        received = [host.lanes["SIGNALS"].received > 10 for host in hosts]
        sent = [host.lanes["SIGNALS"].sent > 10 for host in hosts]
        is_all = (received, sent) == ([True, False, True], [True, True, False])
        return is_all and min(tree.host(name).messages_per_second for name in HEARING) > 10

    tree = deployment.wait_for(all_have_spoken)

    for host in (tree.host(name) for name in HOSTS):
        assert 0 < host.cpu_seconds < 60
        assert 20e6 < host.private_bytes < 300e6
        assert (host.drops, dict(host.dead_letters), host.restarts) == (0, {}, 0)
        assert host.lag_ns < 1e9
    assert [actor.kind for actor in tree.host("C").actors] == ["ACTOR"]


@pytest.mark.ray
@pytest.mark.slow
def test_prometheus_finds_all_hosts_on_one_port(deployment: Deployment) -> None:
    found = metrics(deployment)

    assert {name: found["libra_host_up", name] for name in HOSTS} == dict.fromkeys(HOSTS, 1.0)
    assert min(found["libra_host_messages_total", name] for name in HEARING) > 10
    assert found["libra_trading_halted", ""] == 0
    later = deployment.wait_for(lambda tree: tree.host("C").messages > found["libra_host_messages_total", "C"])
    assert metrics(deployment)["libra_host_messages_total", "C"] >= later.host("C").messages


@pytest.mark.ray
@pytest.mark.slow
def test_top_reads_what_the_deployment_says(deployment: Deployment) -> None:
    document = dict(top(deployment.folder.name, as_json=True).document)

    assert (document.pop("folder"), document.pop("is_stale")) == (str(deployment.folder), False)
    seen = msgspec.convert(document, TreeStatus)
    assert [host.pid for host in seen.hosts] == [host.pid for host in deployment.tree().hosts]
    assert {host.state for host in seen.hosts} == {"UP"}


@pytest.mark.parametrize("start", [lambda made: made.start(), lambda made: made.__enter__()])
def test_a_port_in_use_is_refused_before_anything_starts(
    start: Callable[[Deployment], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_reached(*_: object, **__: object) -> None:
        pytest.fail("Ray was started")

    monkeypatch.setattr("libra_ray.sessions.deployment.RaySession", not_reached)
    before = live_folders()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(ConfigError) as caught:
            start(Deployment(system(), metrics={"port": port}))

    assert str(caught.value) == (
        f"CONF010 metrics.port: port {port} of 127.0.0.1 is in use. Choose another, or 0 for none."
    )
    assert set(live_folders()) <= set(before)


def test_metrics_are_checked_like_other_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^CONF001 metrics\.prt: unknown key\. Did you mean 'port'\?$"):
        Deployment(system(), metrics={"prt": 1})
    assert list(tmp_path.iterdir()) == []
