"""One writer at a time where there are objects and no locks: a claim that all others see, then the hold.

Each puts its claim first and looks then, so of two at once at least one sees the other, and two never hold the place.
Who sees a hold, or a claim of a smaller name, gives way at once. The smallest of some that meet waits until the others
have given way: exactly one of them has it. A writer that died leaves its object, which must be removed by hand.
"""

import os
import platform
import secrets  # noqa: TID251  # names of objects that no other writer gives
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pyarrow.fs as pa_fs

from libra_ray.errors import DataError

__all__ = ["remote_lock"]

CLAIM: Final = ".claim"
LOOKS_MAX: Final = 100
PAUSE_SECONDS: Final = 0.05


@contextmanager
def remote_lock(files: pa_fs.FileSystem, folder: str, place: str) -> Iterator[None]:
    """Hold the folder of objects while the block runs; errors call what it guards `place`.

    It needs lists that show what was put before, as those of S3, GCS and Azure do. Raises `DataError` DATA023 where
    another holds it, at once, or where one that claims it neither holds it nor gives way within seconds.
    """
    files.create_dir(folder, recursive=True)
    ours = f"{platform.node()}-{os.getpid()}-{secrets.token_hex(4)}"
    held, claim = f"{folder}/{ours}", f"{folder}/{ours}{CLAIM}"
    try:
        _put(files, claim)
        _wait_for_others(files, folder, f"{ours}{CLAIM}", place)
        _put(files, held)  # the claim stays: a list that is made meanwhile would show neither
        yield
    finally:
        _remove(files, held)
        _remove(files, claim)


def _wait_for_others(files: pa_fs.FileSystem, folder: str, claim: str, place: str) -> None:
    """Until nobody else is there."""
    pause = threading.Event()
    others: list[str] = []
    for _ in range(LOOKS_MAX):
        found = files.get_file_info(pa_fs.FileSelector(folder))
        others = sorted(info.base_name for info in found if info.is_file and info.base_name != claim)
        if not others:
            return
        ahead = [name for name in others if not name.endswith(CLAIM) or name < claim]
        if ahead:
            raise _held(folder, ahead[0], place)
        pause.wait(PAUSE_SECONDS)
    raise _held(folder, others[0], place)


def _held(folder: str, other: str, place: str) -> DataError:
    what = f"another writer holds the dataset: {other}"
    fix = f"Wait until it ends; if it has died, remove {folder.rpartition('/')[2]}/{other.removesuffix(CLAIM)}* there."
    return DataError("DATA023", place, what, fix, other)


def _put(files: pa_fs.FileSystem, name: str) -> None:
    with files.open_output_stream(name):
        pass


def _remove(files: pa_fs.FileSystem, name: str) -> None:
    if files.get_file_info(name).type is not pa_fs.FileType.NotFound:
        files.delete_file(name)
