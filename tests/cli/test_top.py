"""`libra top`: the tree of a session that runs, or one clear line."""

from collections.abc import Iterator

import pytest

from libra_ray.clock import LiveClock
from libra_ray.hosts.status import ActorStatus, HostStatus, LaneStatus, TreeStatus, write_status
from libra_ray.runtime.private_folders import PrivateFolder
from tests.cli.conftest import Libra

HOST = HostStatus(
    "EmaCross-1",
    3,
    pid=4_711,
    actors=(ActorStatus("EmaCross-1", "STRATEGY", "RUNNING"), ActorStatus("Feed-1", "ACTOR", "DEGRADED")),
    lanes={"ORDERS": LaneStatus(depth=2), "MARKET_DATA": LaneStatus(depth=17)},
    messages_per_second=1_234.4,
    lag_ns=2_500_000,
    drops=5,
    dead_letters={"STALE_EPOCH": 1, "NO_RECEIVER": 2},
    restarts=2,
)


@pytest.fixture
def session() -> Iterator[PrivateFolder]:
    """The folder of a session that lives, with a status in it."""
    folder = PrivateFolder()
    tree = TreeStatus("top-test", "s-1", LiveClock().now_ns(), "isolated", (HostStatus("bus", 1, pid=4_710), HOST))
    write_status(folder.path, tree)
    yield folder
    folder.remove()


def test_the_tree_has_a_line_for_each_actor(session: PrivateFolder, libra: Libra) -> None:
    done = libra("top", "--session", str(session.path))

    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].startswith("top-test  RUNNING  placement isolated")
    words = [line.split() for line in lines]
    assert [
        "EmaCross-1",
        "EmaCross-1",
        "RUNNING",
        "3",
        "2",
        "4711",
        "0/0/2/0/17",
        "1,234",
        "2.5",
        "5",
        "3",
        "-",
    ] in words
    assert ["Feed-1", "DEGRADED"] in words
    assert any(line[:2] == ["bus", "UP"] for line in words)


def test_json_is_the_whole_tree(session: PrivateFolder, libra: Libra) -> None:
    done = libra("top", "--session", "top-test", "--json")

    document = done.document
    assert (document["folder"], document["is_stale"]) == (str(session.path), False)
    assert document["hosts"][1]["lanes"]["ORDERS"]["depth"] == 2
    assert [actor["state"] for actor in document["hosts"][1]["actors"]] == ["RUNNING", "DEGRADED"]


def test_a_session_that_does_not_run_is_one_line(session: PrivateFolder, libra: Libra) -> None:
    done = libra("top", "--session", "top-tset")

    assert (done.code, done.out) == (2, "")
    assert "CONF002 --session: no session 'top-tset' runs here. Did you mean 'top-test'?" in done.err
    session.remove()
    assert libra("top", "--session", "top-test").code == 2
