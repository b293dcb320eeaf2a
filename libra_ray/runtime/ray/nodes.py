"""The nodes of a cluster, and a private folder on each: the driver's own, and one behind a keeper elsewhere."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec
import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from libra_ray.errors import LibraError
from libra_ray.runtime.private_folders import PrivateFolder
from libra_ray.runtime.ray.sharing import own_node

__all__ = ["Node", "NodeFolders", "living_nodes"]

KEEPER_SECONDS_MAX: Final = 20.0
PUT_SECONDS_MAX: Final = 2.0
REMOVE_SECONDS_MAX: Final = 5.0


class Node(msgspec.Struct, frozen=True):
    """A machine of the cluster, as far as Ray knows alive. `is_own`: this process runs there."""

    node_id: str
    address: str
    is_own: bool


def living_nodes() -> list[Node]:
    """All that Ray holds for alive, the driver's own first, then by id."""
    own = own_node()
    found: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]  # Ray has no type
    alive = [each for each in found if each["Alive"]]
    nodes = [Node(each["NodeID"], each["NodeManagerAddress"], each["NodeID"] == own) for each in alive]
    return sorted(nodes, key=lambda node: (not node.is_own, node.node_id))


class NodeFolders:
    """Private folders for sockets and journals. Elsewhere an actor that needs no core holds the folder.

    `own` is the one of the driver. A keeper ends with the driver; should it be killed, the next session on its node
    sweeps what it held.
    """

    def __init__(self, own: Path) -> None:
        self.own = own
        self._keepers: dict[str, tuple[Any, Path]] = {}

    def on(self, node: Node) -> Path:
        """The folder on that node; it is made when nobody asked before, which takes a second.

        Raises `LibraError` when that cannot be done.
        """
        if node.is_own:
            return self.own
        if node.node_id not in self._keepers:
            there = NodeAffinitySchedulingStrategy(node.node_id, soft=False)
            actor_class: Any = ray.remote(_Keeper)
            keeper = actor_class.options(num_cpus=0, max_restarts=0, scheduling_strategy=there).remote()
            try:
                path = Path(ray.get(keeper.path.remote(), timeout=KEEPER_SECONDS_MAX))
            except RayError as error:
                ray.kill(keeper)
                raise LibraError(f"node {node.address} takes no folder") from error
            self._keepers[node.node_id] = (keeper, path)
        return self._keepers[node.node_id][1]

    def put(self, node: Node, name: str, content: bytes) -> Path:
        """Write a file that only its owner may read into the folder on that node; returns where it is.

        Raises `LibraError` when the node does not answer within two seconds; the folder there is forgotten then.
        """
        path = self.on(node) / name
        if node.is_own:
            _write(path, content)
            return path
        try:
            ray.get(self._keepers[node.node_id][0].put.remote(name, content), timeout=PUT_SECONDS_MAX)
        except RayError as error:
            self.forget(node.node_id)
            raise LibraError(f"node {node.address} does not answer") from error
        return path

    def forget(self, node_id: str) -> None:
        """The node is gone."""
        self._keepers.pop(node_id, None)

    def close(self) -> None:
        """Remove the folders on other nodes."""
        for keeper, _ in self._keepers.values():
            with suppress(RayError):  # its node is gone, and the folder with it
                ray.get(keeper.remove.remote(), timeout=REMOVE_SECONDS_MAX)
            with suppress(RayError):
                ray.kill(keeper)
        self._keepers.clear()


class _Keeper:
    """Holds a folder on its node."""

    def __init__(self) -> None:
        self._folder = PrivateFolder.for_sockets()

    def path(self) -> str:
        return str(self._folder.path)

    def put(self, name: str, content: bytes) -> None:
        _write(self._folder.path / name, content)

    def remove(self) -> None:
        self._folder.remove()


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f"{path.name}.draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)
