"""One copy of a folder per node: what many workers read, written once and mapped by all."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from libra_ray.runtime.ray.folders import PrivateFolder

__all__ = ["SharedFolder"]


class SharedFolder:
    """Context manager over a private folder that `write` fills; removed at the end.

    It lies on disk: the page cache shares it between processes as shared memory would, and can give the memory back.
    """

    def __init__(self, write: Callable[[Path], object]) -> None:
        self._write = write
        self._folder: PrivateFolder | None = None

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
        """Where the files are. Raises `RuntimeError` outside."""
        if self._folder is None:
            raise RuntimeError("a shared folder exists inside its context only")
        return self._folder.path

    def close(self) -> None:
        """Remove the folder. Processes that map its files keep their pages until they end."""
        if self._folder is not None:
            self._folder.remove()
            self._folder = None
