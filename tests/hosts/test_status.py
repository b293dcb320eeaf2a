"""The status of a deployment: written whole, read by anybody."""

from pathlib import Path

import msgspec
import pytest

from libra_ray.errors import DataError
from libra_ray.hosts.status import (
    STATUS_NAME,
    ActorStatus,
    HostStatus,
    LaneStatus,
    TreeStatus,
    live_sessions,
    read_status,
    write_status,
)
from libra_ray.messages.codec import decode, encode
from libra_ray.runtime.private_folders import PrivateFolder

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


@pytest.mark.parametrize("content", ["{", "[]", '{"name": "x"}', b"\xff"])
def test_a_damaged_file_is_a_clear_error(tmp_path: Path, content: str | bytes) -> None:
    (tmp_path / STATUS_NAME).write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(
        DataError, match=r"^DATA011 .*status\.json: is no status: [^\n]*\. It is damaged, or its session"
    ):
        read_status(tmp_path)


def test_a_tree_survives_the_wire() -> None:
    assert decode(*encode(TREE)) == TREE
    assert decode(*encode(TREE.hosts[1])) == TREE.hosts[1]


def test_a_later_version_may_say_more(tmp_path: Path) -> None:
    document = msgspec.to_builtins(TREE)
    document["hosts"][0]["colour"] = "red"
    (tmp_path / STATUS_NAME).write_bytes(msgspec.json.encode(document))

    assert read_status(tmp_path) == TREE


def test_sessions_that_live_are_found_and_one_damaged_file_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("libra_ray.runtime.private_folders.SHORT_PARENT", tmp_path)
    silent, speaking, damaged, ended = (PrivateFolder() for _ in range(4))
    write_status(speaking.path, TREE)
    write_status(ended.path, TREE)
    (damaged.path / STATUS_NAME).write_text("{")
    ended.remove()

    found = live_sessions()

    assert set(found) == {speaking.path, damaged.path}
    assert found[speaking.path] == TREE
    assert isinstance(found[damaged.path], DataError)
    for folder in (silent, speaking, damaged):
        folder.remove()
    assert live_sessions() == {}
