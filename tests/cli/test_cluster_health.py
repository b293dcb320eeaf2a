"""`libra doctor --cluster`: each thing that is wrong is one line with what to do."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from libra_ray.cli import cluster_health
from libra_ray.cli.cluster_health import report_checks, token_file_checks
from libra_ray.cli.health import Check
from libra_ray.runtime.ray.cluster_report import ClusterReport, NodeReport
from libra_ray.runtime.ray.node_probe import node_facts
from tests.cli.conftest import Libra

OWN: dict[str, str | None] = {"python": "3.11.7", "ray": "2.60.0", "pyarrow": "26.0.1", "libra-ray": "0.1.0"}
GIB = 1 << 30


def node(address: str, **changed: Any) -> NodeReport:  # noqa: ANN401 - any field of it
    """A node without a fault."""
    facts = {"memory_total": 4 * GIB, "memory_free": 3 * GIB, "disk_free": 50 * GIB, "cache": "/var/cache/libra"}
    shared = {"/shared/probe": ""}
    return NodeReport(address, 4, 2 * GIB, **{"versions": OWN, "shared": shared, **facts, **changed})


def found(*nodes: NodeReport, strangers: bool | None = False) -> list[Check]:
    return list(report_checks(ClusterReport("10.0.0.1:6379", "2.60.0", nodes, strangers), OWN))


def wrong(*nodes: NodeReport, strangers: bool | None = False) -> list[tuple[str, str, str]]:
    return [(check.name, check.found, check.fix) for check in found(*nodes, strangers=strangers) if not check.ok]


def test_a_sound_cluster_has_nothing_to_mend() -> None:
    checks = found(node("10.0.0.1"), node("10.0.0.2"))

    assert [check.name for check in checks if not check.ok] == []
    assert {check.name: check.found for check in checks} == {
        "cluster": "Ray 2.60.0, 2 nodes, 8 cores, 10.0.0.1:6379",
        "cluster's token": "asked for",
        "versions": "the same everywhere",
        "shared folder": "/shared is seen by all",
        "shared memory": "enough on every node",
        "room on disk": "1 GiB or more everywhere",
        "compile cache": "kept on every node",
    }


def test_versions_that_differ_are_one_line_for_each_package_with_the_nodes() -> None:
    old = {**OWN, "pyarrow": "25.0.0"}
    bare = {**OWN, "libra-ray": None}
    nodes = [node(f"10.0.0.{number}", versions=old) for number in range(2, 7)]

    assert wrong(node("10.0.0.1"), *nodes, node("10.0.0.9", versions=bare)) == [
        ("pyarrow", "25.0.0 on 10.0.0.2, 10.0.0.3, 10.0.0.4 and 2 more, 26.0.1 here", cluster_health.SAME_VERSIONS),
        ("libra-ray", "not installed on 10.0.0.9", cluster_health.SAME_VERSIONS),
    ]


def test_a_node_that_does_not_see_the_folder_is_named() -> None:
    blind = node("10.0.0.2", shared={"/shared/probe": "No such file or directory"})

    assert wrong(node("10.0.0.1"), blind) == [
        (
            "shared folder",
            "/shared is not seen by 10.0.0.2",
            "Mount one folder on every node and give it with --shared; tables and run folders belong there.",
        )
    ]


def test_a_cluster_that_answers_without_a_token_is_open_to_all() -> None:
    assert wrong(node("10.0.0.1"), strangers=True) == [
        (
            "cluster's token",
            "anybody who reaches it can run code",
            "Set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH on every node before 'ray start'.",
        )
    ]


@pytest.mark.parametrize(("total", "free"), [(GIB // 16, GIB // 16), (4 * GIB, GIB // 8)])
def test_too_little_shared_memory_is_told_with_the_size_of_the_store(total: int, free: int) -> None:
    ((name, what, fix),) = wrong(node("10.0.0.1"), node("10.0.0.2", memory_total=total, memory_free=free))

    assert (name, what) == ("shared memory", "0.1 GiB free in /dev/shm on 10.0.0.2, the object store is 2.0 GiB")
    assert fix == "Start the container with --shm-size above the store."


def test_a_full_disk_and_a_missing_cache_are_told() -> None:
    assert [line[:2] for line in wrong(node("10.0.0.1", disk_free=5, cache=""))] == [
        ("room on disk", "too little on 10.0.0.1"),
        ("compile cache", "no writable folder on 10.0.0.1"),
    ]


def test_a_node_without_an_answer_is_named_once_and_judged_no_further() -> None:
    mute = NodeReport("10.0.0.2", 4, GIB, trouble="The node died.")

    assert [line[:2] for line in wrong(node("10.0.0.1"), mute)] == [
        ("nodes", "no answer from 10.0.0.2 (The node died.)")
    ]


def test_a_cluster_without_cores_cannot_work() -> None:
    ((name, what, _),) = wrong(NodeReport("10.0.0.1", 0, GIB, versions=OWN, disk_free=GIB, cache="/c"))

    assert (name, what) == ("cluster", "Ray 2.60.0, 1 node, 0 cores, 10.0.0.1:6379")


@pytest.mark.parametrize(
    ("mode", "content", "expected"),
    [
        (0o600, "ab" * 32, None),
        (0o644, "ab" * 32, "mode 0644"),
        (0o600, " \n", "is empty"),
        (None, "", "No such file or directory"),
    ],
)
def test_a_token_file_must_be_there_filled_and_private(
    tmp_path: Path, mode: int | None, content: str, expected: str | None
) -> None:
    path = tmp_path / "token"
    if mode is not None:
        path.write_text(content)
        path.chmod(mode)

    (check,) = token_file_checks({"RAY_AUTH_TOKEN_PATH": str(path)})

    assert check.ok is (expected is None)
    assert str(path) in check.found
    assert (expected or "") in check.found


def test_no_token_at_all_is_told_and_one_in_the_environment_is_enough() -> None:
    (missing,) = token_file_checks({})
    (given,) = token_file_checks({"RAY_AUTH_TOKEN": "ab" * 32})

    assert (missing.ok, missing.found, missing.fix) == (
        False,
        "no token configured here",
        "Set RAY_AUTH_TOKEN_PATH.",
    )
    assert (given.ok, given.found) == (True, "RAY_AUTH_TOKEN")


def test_a_node_tells_what_it_has(tmp_path: Path) -> None:
    seen = tmp_path / "probe"
    seen.write_text("content")
    digest = hashlib.sha256(b"content").hexdigest()

    facts = node_facts(["ray", "no-such-thing"], {str(seen): digest, str(tmp_path / "other"): digest})
    other = node_facts([], {str(seen): "0" * 64})

    assert facts["versions"]["no-such-thing"] is None
    assert facts["shared"] == {str(seen): "", str(tmp_path / "other"): "No such file or directory"}
    assert other["shared"] == {str(seen): "another file"}
    assert NodeReport("10.0.0.1", 1, 1, **facts).disk_free > 0


@pytest.mark.slow
def test_without_an_address_the_command_says_so_in_one_line_each(libra: Libra, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RAY_ADDRESS", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)

    ended = libra("doctor", "--cluster")

    assert ended.code == 1
    assert ended.out == (
        "!!  own token        no token configured here. Set RAY_AUTH_TOKEN_PATH.\n"
        "!!  cluster          RAY_ADDRESS is not set. "
        "Export RAY_ADDRESS, for example 10.0.0.5:6379, or run this as a Ray job.\n"
        "2 to mend\n"
    )


@pytest.mark.slow
@pytest.mark.ray
def test_an_address_where_nobody_listens_is_a_finding_with_its_code(libra: Libra, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.touch(mode=0o600)
    token.write_text("ab" * 32)

    ended = libra("doctor", "--cluster", "--json", RAY_ADDRESS="127.0.0.1:1", RAY_AUTH_TOKEN_PATH=str(token))

    own, cluster = ended.document["checks"]
    assert (ended.code, own["ok"], cluster["ok"]) == (1, True, False)
    assert cluster["found"] == "CONN001 127.0.0.1:1: connection refused"


@pytest.mark.slow
def test_the_folder_alone_is_wrong_usage(libra: Libra) -> None:
    ended = libra("doctor", "--shared", "/shared")

    assert (ended.code, ended.err) == (2, "CONF000 --shared: it tells of a cluster's folder. Add --cluster.\n")
