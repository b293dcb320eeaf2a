"""What a node says of itself. It travels by value and needs the standard library alone: a node may lack this one."""

import hashlib
import os
import platform
import shutil
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

__all__ = ["node_facts"]


def node_facts(packages: list[str], shared: dict[str, str]) -> dict[str, Any]:
    """Versions (None where a package is missing), the sight of shared files, and room in memory and on the disk.

    Args:
        packages: distributions whose versions are wanted.
        shared: paths with the digest that their content should have; the answer says what is wrong, or nothing.
    """
    versions: dict[str, str | None] = {"python": platform.python_version()}
    for name in packages:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    memory = Path("/dev/shm")  # noqa: S108  # where processes share memory
    room = shutil.disk_usage(memory) if memory.is_dir() else None
    return {
        "versions": versions,
        "shared": {path: _trouble(path, digest) for path, digest in shared.items()},
        "memory_total": None if room is None else room.total,
        "memory_free": None if room is None else room.free,
        "disk_free": shutil.disk_usage(tempfile.gettempdir()).free,
        "cache": _cache(),
    }


def _trouble(path: str, digest: str) -> str:
    try:
        found = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        return error.strerror or "unreadable"
    return "" if found == digest else "another file"


def _cache() -> str:
    """The first folder in which compiled code can be kept; empty when there is none."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    for folder in [chosen] if chosen else [home, tempfile.gettempdir()]:
        place = next(each for each in (Path(folder), *Path(folder).absolute().parents) if each.exists())
        if os.access(place, os.W_OK):
            return folder
    return ""
