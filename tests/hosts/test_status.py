"""The status of a deployment: written whole, read by anybody."""

from pathlib import Path

import pytest

from libra_ray.errors import LibraError
from libra_ray.hosts.status import (
    STATUS_NAME,
    ActorStatus,
    HostStatus,
    LaneStatus,
    TreeStatus,
    read_status,
    write_status,
)

TREE = TreeStatus(
    name="demo",
    session="s-1",
    ts_ns=5,
    placement="isolated",
    hosts=(
        HostStatus("bus", 1, pid=7),
        HostStatus(
            "EmaCross-1",
            3,
            pid=8,
            actors=(ActorStatus("EmaCross-1", "STRATEGY", "RUNNING"),),
            lanes={"ORDERS": LaneStatus(depth=2)},
            dead_letters={"STALE_EPOCH": 1},
            restarts=2,
        ),
    ),
)


def test_a_tree_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_status(tmp_path) is None

    write_status(tmp_path, TREE)

    assert read_status(tmp_path) == TREE
    assert [path.name for path in tmp_path.iterdir()] == [STATUS_NAME]


def test_hosts_and_actors_are_found_by_their_ids() -> None:
    host, actor = TREE.actor("EmaCross-1")

    assert (host, actor.state) == (TREE.host("EmaCross-1"), "RUNNING")
    with pytest.raises(KeyError):
        TREE.host("nobody")
    with pytest.raises(KeyError):
        TREE.actor("nobody")


def test_a_damaged_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / STATUS_NAME).write_text("{")

    with pytest.raises(LibraError, match="is no status"):
        read_status(tmp_path)
