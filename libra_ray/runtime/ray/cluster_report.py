"""A look at a cluster from inside: what each node has, and whether strangers are let in."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import ray
from ray import cloudpickle
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from libra_ray.runtime.ray import node_probe
from libra_ray.runtime.ray.cluster import join_cluster
from libra_ray.runtime.ray.environment import cluster_environment
from libra_ray.runtime.ray.node_probe import node_facts

__all__ = ["ClusterReport", "NodeReport", "cluster_report"]

ANSWER_SECONDS_MAX: Final = 30.0
STRANGER_SECONDS_MAX: Final = 20.0
TOKEN_VARIABLES: Final = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
STRANGER: Final = """
import sys
from ray._raylet import GcsClient
GcsClient(address=sys.argv[1]).internal_kv_get(b"libra", None, timeout=5)
"""


class NodeReport(msgspec.Struct, frozen=True):
    """One living node. What it did not tell is absent; `trouble` says why it told nothing at all.

    Attributes:
        cores: that work may have; 0 on a head which leaves work to others.
        store_bytes: the size of Ray's object store.
        versions: of Python and of packages, None where one is missing.
        shared: by path, what is wrong with the sight of it; empty when nothing is.
        memory_total, memory_free: of shared memory, None where the system has none.
        cache: where compiled code is kept; empty when nowhere.
    """

    address: str
    cores: int
    store_bytes: int
    trouble: str = ""
    versions: Mapping[str, str | None] = {}
    shared: Mapping[str, str] = {}
    memory_total: int | None = None
    memory_free: int | None = None
    disk_free: int = 0
    cache: str = ""


class ClusterReport(msgspec.Struct, frozen=True):
    """What was found. `lets_strangers_in`: it answers without a token; None when that could not be tried."""

    address: str
    version: str
    nodes: tuple[NodeReport, ...]
    lets_strangers_in: bool | None


def cluster_report(address: str, *, packages: Sequence[str], shared: Mapping[Path, str]) -> ClusterReport:
    """Join the cluster, ask every node, and leave. Raises `ConnectionConfigError` as `join_cluster` does.

    Args:
        address: as for Ray. A process that is connected already stays so, and looks at the cluster that it has.
        packages: distributions whose versions are wanted.
        shared: files that every node should see, with the SHA-256 of what is in them.
    """
    with _joined(address):
        context = ray.get_runtime_context()
        nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]  # Ray has no type
        alive = sorted((each for each in nodes if each["Alive"]), key=lambda each: str(each["NodeManagerAddress"]))
        reports = tuple(_asked(alive, list(packages), {str(path): digest for path, digest in shared.items()}))
        strangers = None if address.startswith("ray://") else _lets_strangers_in(str(context.gcs_address))
    return ClusterReport(address, str(ray.__version__), reports, strangers)


@contextmanager
def _joined(address: str) -> Iterator[None]:
    with ExitStack() as stack:
        if not ray.is_initialized():
            stack.enter_context(cluster_environment())
            stack.callback(ray.shutdown)
            join_cluster(address)
        yield


def _asked(nodes: Sequence[Mapping[str, Any]], packages: list[str], shared: dict[str, str]) -> Iterator[NodeReport]:
    """All nodes at once; one that does not answer is a report too."""
    # A node that lacks this library could not load the function by its name.
    cloudpickle.register_pickle_by_value(node_probe)  # type: ignore[no-untyped-call]  # Ray has no type
    try:
        probe: Any = ray.remote(num_cpus=0, max_retries=0)(node_facts)
        there = [NodeAffinitySchedulingStrategy(node["NodeID"], soft=False) for node in nodes]
        asked = [probe.options(scheduling_strategy=each).remote(packages, shared) for each in there]
    finally:
        cloudpickle.unregister_pickle_by_value(node_probe)  # type: ignore[no-untyped-call]  # Ray has no type
    ray.wait(asked, num_returns=len(asked), timeout=ANSWER_SECONDS_MAX)
    for node, reference in zip(nodes, asked, strict=True):
        resources: Mapping[str, float] = node["Resources"]
        cores, store = int(resources.get("CPU", 0)), int(resources.get("object_store_memory", 0))
        address = str(node["NodeManagerAddress"])
        try:
            facts = ray.get(reference, timeout=0)
        except RayError as error:
            trouble = (str(error).strip().splitlines() or ["no answer"])[0]
            yield NodeReport(address, cores, store, trouble=trouble)
        else:
            yield NodeReport(address, cores, store, **facts)


def _lets_strangers_in(address: str) -> bool | None:
    """Whether the control store answers a process that shows no token."""
    environment = {name: value for name, value in os.environ.items() if name not in TOKEN_VARIABLES}
    environment |= {"RAY_AUTH_MODE": "disabled"}
    command = [sys.executable, "-c", STRANGER, address]
    try:
        done = subprocess.run(  # noqa: S603  # our own program
            command, env=environment, capture_output=True, timeout=STRANGER_SECONDS_MAX, check=False, text=True
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode == 0:
        return True
    return False if "InvalidAuthToken" in done.stderr else None
