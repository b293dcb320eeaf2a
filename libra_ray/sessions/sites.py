"""Where the next life of a host goes: node, folder, address and keys."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from libra_ray.bus.wire.keys import Keys
from libra_ray.clock import Clock
from libra_ray.errors import ConfigError, LibraError
from libra_ray.hosts.context import BUS, SUPERVISOR
from libra_ray.runtime.ray.nodes import Node, NodeFolders, living_nodes

__all__ = ["ClusterSites", "OwnSites", "Site", "Sites"]

FIXED: Final = (BUS, SUPERVISOR)
"""They live on the driver's node, and at an address that others are told before they run."""
AVOID_NS: Final = 120_000_000_000
"""So long a node that did not answer gets no host."""


@dataclass(frozen=True, slots=True)
class Site:
    """One place. `node_id` None leaves the node to Ray; `address` may end in `*` for any port."""

    folder: Path
    address: str
    node_id: str | None = None
    keys_path: Path | None = None


class Sites(Protocol):
    """Finds places for hosts."""

    def site(self, host_id: str, epoch: int) -> Site:
        """The place of that life of a host. Asked again it is the same one."""

    def public_key(self, host_id: str) -> bytes | None:
        """What peers know it by; None where links are not encrypted."""

    def keys(self, host_id: str) -> Keys | None:
        """All its keys."""


class OwnSites:
    """Everything on the driver's node: sockets are files in the session's folder."""

    def __init__(self, folder: Path, node_id: str | None) -> None:
        self._folder, self._node_id = folder, node_id

    def site(self, host_id: str, epoch: int) -> Site:
        return Site(self._folder, f"ipc://{self._folder}/{host_id}-{epoch}", self._node_id)

    def public_key(self, host_id: str) -> bytes | None:  # noqa: ARG002
        return None

    def keys(self, host_id: str) -> Keys | None:  # noqa: ARG002
        return None


class ClusterSites:
    """Hosts are dealt out over all nodes, one after another; links are encrypted, each host knows the keys of all.

    A host stays on its node while that answers. Raises `ConfigError` CONF010 for a driver that is on no node.
    """

    def __init__(
        self,
        folders: NodeFolders,
        host_ids: Sequence[str],
        clock: Clock,
        nodes: Callable[[], list[Node]] = living_nodes,
    ) -> None:
        self._folders, self._clock, self._nodes = folders, clock, nodes
        self._keys = Keys.for_hosts([SUPERVISOR, *host_ids])
        self._homes: dict[str, str] = {}
        self._sites: dict[tuple[str, int], Site] = {}
        self._avoided_ns: dict[str, int] = {}
        self._turn = 0

    def site(self, host_id: str, epoch: int) -> Site:
        known = self._sites.get((host_id, epoch))
        while known is None:
            node = self._node_for(host_id)
            try:
                path = self._keys_on(node, host_id)
            except LibraError:
                if node.is_own or node.node_id in self._avoided_ns:
                    raise
                self._avoided_ns[node.node_id] = self._clock.now_ns()
                continue
            port = str(_free_port(node.address)) if host_id in FIXED else "*"
            known = Site(path.parent, f"tcp://{node.address}:{port}", node.node_id, path)
            self._sites[host_id, epoch] = known
        return known

    def public_key(self, host_id: str) -> bytes | None:
        return self._keys_of(host_id).public

    def keys(self, host_id: str) -> Keys | None:
        return self._keys_of(host_id)

    def _keys_on(self, node: Node, host_id: str) -> Path:
        """The file with its keys on that node. Elsewhere it goes as a value of a call, which Ray does not keep."""
        path = self._folders.own / f"{host_id}.keys"
        self._keys_of(host_id).write(path)
        if node.is_own:
            return path
        content = path.read_bytes()
        path.unlink()
        return self._folders.put(node, path.name, content)

    def _keys_of(self, host_id: str) -> Keys:
        """Those of a host that came later know all who were there, and all who come after it are told of it."""
        if host_id not in self._keys:
            public = {other: keys.public for other, keys in self._keys.items()}
            new = Keys.generate().knowing(public)
            self._keys = {other: keys.knowing({host_id: new.public}) for other, keys in self._keys.items()}
            self._keys[host_id] = new
        return self._keys[host_id]

    def _node_for(self, host_id: str) -> Node:
        nodes = self._nodes()
        if host_id in FIXED:
            own = [node for node in nodes if node.is_own]
            if not own:
                fix = "Run the driver on a node of the cluster."
                raise ConfigError("CONF010", "nodes", "this process is on no node of the cluster", fix)
            return own[0]
        since_ns = self._clock.now_ns() - AVOID_NS
        self._avoided_ns = {node_id: at_ns for node_id, at_ns in self._avoided_ns.items() if at_ns > since_ns}
        fine = [node for node in nodes if node.node_id not in self._avoided_ns] or nodes
        home = next((node for node in fine if node.node_id == self._homes.get(host_id)), None)
        if home is None:
            home = fine[self._turn % len(fine)]
            self._turn += 1
            self._homes[host_id] = home.node_id
        return home


def _free_port(address: str) -> int:
    """A port that nobody has now. Should somebody take it meanwhile, the start fails and another is tried."""
    with socket.create_server((address, 0)) as server:
        return int(server.getsockname()[1])
