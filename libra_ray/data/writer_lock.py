"""One writer at a time: a lock that the system takes back when its holder dies, however it dies."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from libra_ray.errors import DataError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["writer_lock"]


@contextmanager
def writer_lock(path: Path) -> Iterator[None]:
    """Hold the lock file while the block runs; its folder is made where it is not there.

    Raises `DataError` DATA023 at once when another process holds it.
    """
    file = _locked(path)
    try:
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(file)


def _locked(path: Path) -> int:
    """The file, open and locked.

    A first writer that fails takes its folder back, with the lock it holds. Whoever comes between has the lock of a
    file that is nowhere, or finds no folder, and begins again: nobody else has won.
    """
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:
            continue
        try:
            _lock(file)
        except OSError as error:
            held = _held(file, path)
            os.close(file)
            raise held from error
        if _is_at(file, path):
            return file
        os.close(file)


def _held(file: int, path: Path) -> DataError:
    holder = os.pread(file, 20, 0).decode(errors="replace").strip() if sys.platform != "win32" else ""
    what = f"another writer holds the dataset{f', pid {holder}' if holder.isdigit() else ''}"
    return DataError("DATA023", str(path.parent), what, "Wait until it ends, or stop it.", holder)


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _lock(file: int) -> None:
    if sys.platform == "win32":
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
