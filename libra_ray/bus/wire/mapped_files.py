"""Files that are mapped read-only: found by a plain name in one folder and nowhere else."""

import errno
import mmap
import os
import re
import stat
from enum import StrEnum
from pathlib import Path
from typing import Final

import pyarrow as pa

from libra_ray.errors import LibraError, quoted

__all__ = ["OWN_STREAM", "SEGMENT_ALIGNMENT", "SegmentError", "SegmentFault", "inside", "mapped"]

SEGMENT_ALIGNMENT: Final = 64
"""Everything in a segment begins at a multiple of so many bytes."""
OWN_STREAM: Final = -1
"""In place of a schema's offset: the batch brings its schema and its dictionaries with it."""

_FILE_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}", re.ASCII)


class SegmentFault(StrEnum):
    """What is wrong with a segment, a descriptor or a batch."""

    BAD_NAME = "BAD_NAME"
    NOT_THERE = "NOT_THERE"
    UNSAFE = "UNSAFE"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    DAMAGED = "DAMAGED"
    TOO_LARGE = "TOO_LARGE"
    NO_SPACE = "NO_SPACE"


class SegmentError(LibraError):
    """A batch cannot be written to a segment, or a descriptor leads to none."""

    def __init__(self, reason: SegmentFault, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail

    @property
    def message(self) -> str:
        """The reason and what was seen."""
        return f"BUG000 segment {self.reason}: {self.detail}."


def inside(folder: Path, name: str) -> Path:
    """The file of that name in the folder. Raises `SegmentError` BAD_NAME for a name that could lead elsewhere."""
    if _FILE_NAME.fullmatch(name) is None:
        raise SegmentError(SegmentFault.BAD_NAME, quoted(name))
    return folder / name


def mapped(path: Path) -> pa.Buffer:
    """The whole file, mapped read-only until the last reference to the buffer is gone. Raises `SegmentError`."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        reason = SegmentFault.NOT_THERE if error.errno == errno.ENOENT else SegmentFault.UNSAFE
        raise SegmentError(reason, f"{path.name} cannot be opened") from error
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise SegmentError(SegmentFault.UNSAFE, f"{path.name} is no file")
        if status.st_size == 0:
            raise SegmentError(SegmentFault.DAMAGED, f"{path.name} is empty")
        return pa.py_buffer(mmap.mmap(fd, status.st_size, access=mmap.ACCESS_READ))
    finally:
        os.close(fd)
