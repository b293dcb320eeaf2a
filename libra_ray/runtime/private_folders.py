"""Private folders of one session: mode 0700, held by a lock while their session lives, swept when it died.

A lock and not a process number says that a session lives: it falls with the process, whatever ended it, and it is seen
from other containers on the same file system.
"""

import os
import shutil
import tempfile
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import Final

try:
    import fcntl as _fcntl
except ImportError:  # Windows: no locks, so what a killed session leaves stays until somebody removes it
    fcntl: ModuleType | None = None
else:
    fcntl = _fcntl

__all__ = ["LOCK_NAME", "PrivateFolder", "live_folders", "memory_twin"]

PREFIX: Final = "libra-ray-"
LOCK_NAME: Final = "session.lock"
# A unix socket's path has 107 bytes; Ray adds 65 for its folders and the name of the socket, mkdtemp 19.
SOCKET_ROOT_CHARS_MAX: Final = 107 - 65 - 19
SHORT_PARENT: Final = Path("/tmp")  # noqa: S108 - folders in it are private
SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - where the system keeps shared memory


class PrivateFolder:
    """A folder that lives as long as its session. `remove` may be called twice."""

    def __init__(self, parent: Path | None = None) -> None:
        """Make one in `parent`, by default the temporary folder of the machine."""
        parent = Path(tempfile.gettempdir()) if parent is None else parent
        _sweep(parent)
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        self._lock_fd = _locked(self.path)

    @classmethod
    def for_sockets(cls) -> "PrivateFolder":
        """In the temporary folder of the machine, or in `/tmp` where that path is too long for a unix socket."""
        parent = Path(tempfile.gettempdir())
        return cls(parent if len(os.fsencode(parent)) <= SOCKET_ROOT_CHARS_MAX else SHORT_PARENT)

    def remove(self) -> None:
        """Delete the folder and its twin in shared memory with all that is in them, and let the lock go."""
        shutil.rmtree(memory_twin(self.path), ignore_errors=True)
        shutil.rmtree(self.path, ignore_errors=True)
        if self.path.exists():  # somebody wrote while it was emptied
            shutil.rmtree(self.path)
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None


def memory_twin(folder: Path) -> Path:
    """The folder in shared memory that goes with a private one: made by who needs it first, removed with it."""
    if folder.name.startswith(PREFIX):
        return SHARED_MEMORY / folder.name
    return SHARED_MEMORY / f"{PREFIX}{blake2b(os.fsencode(folder), digest_size=8).hexdigest()}"


def _locked(folder: Path) -> int | None:
    """Hold `folder`. The lock is taken before its file has the name that `_sweep` looks for."""
    if fcntl is None:
        return None
    draft = folder / f"{LOCK_NAME}.draft"
    lock_fd = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock_fd, fcntl.LOCK_EX)
    draft.rename(folder / LOCK_NAME)
    return lock_fd


def live_folders() -> list[Path]:
    """The folders of this user's sessions that live: those whose lock somebody holds, in the order of their names."""
    if fcntl is None:
        return []
    parents = {Path(tempfile.gettempdir()), SHORT_PARENT}
    locks = {lock for parent in parents for lock in parent.glob(f"{PREFIX}*/{LOCK_NAME}")}
    return sorted(lock.parent for lock in locks if _is_mine(lock) and _is_held(lock))


def _sweep(parent: Path) -> None:
    """Remove the folders of this user's sessions that were killed: those whose lock nobody holds."""
    if fcntl is None:
        return
    for lock in parent.glob(f"{PREFIX}*/{LOCK_NAME}"):
        if _is_mine(lock) and not _is_held(lock):
            shutil.rmtree(memory_twin(lock.parent), ignore_errors=True)
            shutil.rmtree(lock.parent, ignore_errors=True)


def _is_mine(lock: Path) -> bool:
    try:
        return lock.parent.stat().st_uid == os.getuid()
    except OSError:  # removed meanwhile by its owner
        return False


def _is_held(lock: Path) -> bool:
    """Whether the session lives. One whose folder is being removed counts as held: its owner is at it."""
    assert fcntl is not None  # noqa: S101 - without locks nobody asks
    try:
        lock_fd = os.open(lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return True
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock_fd)
    return False
