"""One copy of a folder per node: written once, mapped by all workers of the node.

The first copy lies on the machine that shares it. Another node gets its own when its first worker opens: a keeper, an
actor without a core of its own, receives the files there and holds the folder until the end.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import ray
from ray.exceptions import RayError
from ray.util.client import ray as ray_client
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from libra_ray.runtime.private_folders import LOCK_NAME, PrivateFolder

__all__ = ["SharedFolder", "own_node"]

PIECE_BYTES: Final = 32 << 20
REMOVE_SECONDS_MAX: Final = 10


class SharedFolder:
    """Context manager, inside a session, over a private folder that `write` fills; removed everywhere at the end.

    It lies on disk: the page cache shares it between processes as shared memory would, and can give the memory back.
    """

    def __init__(self, write: Callable[[Path], object]) -> None:
        self._write = write
        self._folder: PrivateFolder | None = None
        self._keepers: dict[str, tuple[Any, str]] = {}

    def __enter__(self) -> Self:
        self._folder = PrivateFolder()
        try:
            self._write(self.path)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def path(self) -> Path:
        """Where the files are on this machine. Raises `RuntimeError` outside."""
        if self._folder is None:
            raise RuntimeError("a shared folder exists inside its context only")
        return self._folder.path

    def on_node(self, node_id: str) -> str:
        """Where the files are on that node; they are copied there first when nobody asked before."""
        if node_id == own_node():
            return str(self.path)
        if node_id not in self._keepers:
            self._keepers[node_id] = self._copied_to(node_id)
        return self._keepers[node_id][1]

    def close(self) -> None:
        """Remove the folder on every node. Processes that map its files keep their pages until they end."""
        for keeper, _ in self._keepers.values():
            with suppress(RayError):  # its node is gone, and the folder with it
                ray.get(keeper.remove.remote(), timeout=REMOVE_SECONDS_MAX)
            with suppress(RayError):
                ray.kill(keeper)
        self._keepers.clear()
        if self._folder is not None:
            self._folder.remove()
            self._folder = None

    def _copied_to(self, node_id: str) -> tuple[Any, str]:
        there = NodeAffinitySchedulingStrategy(node_id, soft=False)
        actor_class: Any = ray.remote(FolderKeeper)
        keeper = actor_class.options(num_cpus=0, max_restarts=0, scheduling_strategy=there).remote()
        try:
            for name, piece in _pieces(self.path):
                ray.get(keeper.append.remote(name, ray.put(piece)))
            return keeper, str(ray.get(keeper.path.remote()))
        except BaseException:
            ray.kill(keeper)
            raise


class FolderKeeper:
    """Holds the copy of a folder on its node. Should it be killed, the next session there sweeps what it held."""

    def __init__(self) -> None:
        self._folder = PrivateFolder()

    def append(self, name: str, piece: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
        """Add to the end of a file."""
        with (self._folder.path / name).open("ab") as file:
            piece.tofile(file)

    def path(self) -> str:
        """Where it is."""
        return str(self._folder.path)

    def remove(self) -> None:
        """Delete it."""
        self._folder.remove()


def _pieces(folder: Path) -> Iterator[tuple[str, np.ndarray[Any, np.dtype[np.uint8]]]]:
    """All files of `folder`, which has no folders within, in pieces that fit every object store."""
    for path in sorted(folder.iterdir()):
        if path.name == LOCK_NAME:
            continue
        content = np.memmap(path, np.uint8, mode="r") if path.stat().st_size else np.empty(0, np.uint8)
        for start in range(0, max(len(content), 1), PIECE_BYTES):
            yield path.name, np.asarray(content[start : start + PIECE_BYTES])


def own_node() -> str | None:
    """The node whose disk this process sees; None for a client, whose machine is no node."""
    client: Any = ray_client
    return None if client.is_connected() else str(ray.get_runtime_context().get_node_id())
