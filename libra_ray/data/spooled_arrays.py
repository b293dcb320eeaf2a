"""Arrays of integers that are put aside while a file is read: in memory, or in one nameless file that is mapped."""

import mmap
from typing import IO, Final, NamedTuple

import numpy as np

from libra_ray.data.arrow_arrays import Int64s
from libra_ray.data.mapped_rows import nameless_file, room_for

__all__ = ["SpooledArrays", "Stored"]

_WIDTH: Final = 8


class Stored(NamedTuple):
    """Where an array is, and its shape."""

    place: int
    shape: tuple[int, ...]


class SpooledArrays:
    """Takes arrays, and gives them back read-only once it is sealed. Owned by one thread.

    Args:
        on_disk: in a nameless file instead of in memory. Errors call what is put there `name`.

    """

    def __init__(self, name: str, *, on_disk: bool) -> None:
        self._name = name
        self._file: IO[bytes] | None = nameless_file() if on_disk else None
        self._mapped: Int64s = np.empty(0, np.int64)
        self._kept: list[Int64s] | None = None if on_disk else []
        self._end = 0

    def put(self, array: Int64s) -> Stored:
        """Put an array aside. Raises `DataError` DATA007 where the disk has no room for it."""
        if self._kept is not None:
            self._kept.append(array)
            return Stored(len(self._kept) - 1, array.shape)
        assert self._file is not None  # noqa: S101  # it is not sealed yet
        with room_for(self._name):
            self._file.write(np.ascontiguousarray(array).data)
        self._end += array.size
        return Stored(self._end - array.size, array.shape)

    def seal(self) -> None:
        """Nothing more is put aside."""
        if self._file is None:
            return
        with room_for(self._name):
            self._file.flush()
        if self._end:
            self._mapped = np.frombuffer(mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ), np.int64)
        self.close()

    def close(self) -> None:
        """Let the file go; what is mapped stays."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def get(self, stored: Stored) -> Int64s:
        """An array that was put aside, without a copy."""
        if self._kept is not None:
            return self._kept[stored.place]
        size = int(np.prod(stored.shape))
        return self._mapped[stored.place : stored.place + size].reshape(stored.shape)
