"""What the library needs from a machine, checked one by one; each problem comes with what to do."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

__all__ = ["SHARED_BYTES_MIN", "Check", "checks", "cores", "memory_bytes", "size_text"]

PYTHON_MIN, PYTHON_TESTED_MAX = (3, 11), (3, 13)
MEMORY_BYTES_MIN: Final = 2 << 30
SHARED_BYTES_MIN: Final = 256 << 20
DISK_BYTES_MIN: Final = 1 << 30
OPEN_FILES_MIN: Final = 1_024
IMPORT_SECONDS_MAX: Final = 60
_REQUIREMENT: Final = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*\(?>=\s*([0-9][0-9.]*)")
_GROUP_LIMITS: Final = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True)
class Check:
    """One finding: what was looked at, whether it is well, what was found, and what to do when it is not."""

    name: str
    ok: bool
    found: str
    fix: str = ""


def checks() -> Iterator[Check]:
    """Every check, in the order of how much depends on it. Takes about a second, for Ray's import."""
    yield _python()
    yield from _dependencies()
    yield _importable("ray")
    yield Check("cores", ok=True, found=str(cores()))
    total = memory_bytes()
    yield Check("memory", total >= MEMORY_BYTES_MIN, size_text(total), "Give the machine or container 2 GiB or more.")
    yield _shared_memory()
    yield _open_files()
    yield _time_zones()
    yield _working_folder()
    yield _compile_cache()


def cores() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes() -> int:
    """The memory of the machine, or of the container where that is less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in map(Path, _GROUP_LIMITS):
        limit = path.read_text().strip() if path.is_file() else ""
        if limit.isdecimal():
            total = min(total, int(limit))
    return total


def _python() -> Check:
    version = sys.version_info[:2]
    bits = sys.maxsize.bit_length() + 1
    found = f"{'.'.join(map(str, sys.version_info[:3]))}, {bits} bit, {sysconfig.get_platform()}"
    fix = "Use 64-bit CPython 3.11, 3.12 or 3.13."
    return Check("python", PYTHON_MIN <= version <= PYTHON_TESTED_MAX and bits == 64, found, fix)  # noqa: PLR2004


def _dependencies() -> Iterator[Check]:
    for name, bound in sorted(_bounds().items()):
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Check(name, ok=False, found="not installed", fix=f"pip install '{name}>={bound}'")
            continue
        is_new = _numbers(installed) >= _numbers(bound)
        yield Check(name, is_new, f"{installed} (needs {bound})", f"pip install --upgrade '{name}>={bound}'")


def _bounds() -> dict[str, str]:
    """The lower bound of each dependency, as installed, or as the checkout says."""
    try:
        lines = metadata.requires("libra-ray") or []
    except metadata.PackageNotFoundError:
        project = Path(__file__).resolve().parents[2] / "pyproject.toml"
        lines = tomllib.loads(project.read_text())["project"]["dependencies"] if project.is_file() else []
    needed = (_REQUIREMENT.match(line) for line in lines if "extra ==" not in line)
    return {match.group(1): match.group(2) for match in needed if match is not None}


def _numbers(version: str) -> tuple[int, ...]:
    """`2.60.0rc1` as (2, 60, 0); trailing zeros do not count."""
    match = re.match(r"\d+(\.\d+)*", version)
    parts = [int(part) for part in match.group().split(".")] if match else []
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def _importable(name: str) -> Check:
    """Whether a module imports, in a process of its own: it stays out of this one."""
    command = [sys.executable, "-c", f"import {name}"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=IMPORT_SECONDS_MAX, check=False, text=True)  # noqa: S603
    except subprocess.TimeoutExpired:
        return Check(f"import {name}", ok=False, found=f"no end within {IMPORT_SECONDS_MAX} s", fix="Reinstall it.")
    last = (done.stderr.strip().splitlines() or [""])[-1]
    return Check(
        f"import {name}", done.returncode == 0, "works" if done.returncode == 0 else last, f"Reinstall {name}."
    )


def _shared_memory() -> Check:
    path = Path("/dev/shm")  # noqa: S108  # the place where processes share memory, not a scratch file
    if not path.is_dir():
        return Check("shared memory", ok=True, found="no /dev/shm; files are mapped instead")
    free = shutil.disk_usage(path).free
    fix = "Start the container with --shm-size=2g, or free space in /dev/shm."
    return Check("shared memory", free >= SHARED_BYTES_MIN, f"{size_text(free)} free in {path}", fix)


def _open_files() -> Check:
    try:
        import resource
    except ImportError:  # pragma: no cover  # no such limit on this platform
        return Check("open files", ok=True, found="no limit known")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    is_enough = soft == resource.RLIM_INFINITY or soft >= OPEN_FILES_MIN
    return Check("open files", is_enough, f"{soft} (hard {hard})", f"ulimit -n {OPEN_FILES_MIN}")


def _time_zones() -> Check:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo("America/New_York")
    except ZoneInfoNotFoundError:
        return Check("time zones", ok=False, found="no time zone data", fix="pip install tzdata")
    return Check("time zones", ok=True, found="present")


def _working_folder() -> Check:
    free = shutil.disk_usage(Path.cwd()).free
    is_writable = _accepts_files(Path.cwd())
    found = f"{'writable' if is_writable else 'not writable'}, {size_text(free)} free"
    fix = "Change to a folder you may write to, with 1 GiB free."
    return Check("working folder", is_writable and free >= DISK_BYTES_MIN, found, fix)


def _compile_cache() -> Check:
    """Where numba keeps compiled code: beside the library, in `NUMBA_CACHE_DIR`, or in the user's own cache."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    package = Path(__file__).resolve().parents[1]
    user = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folders: list[tuple[Path, Callable[[Path], bool]]] = [(Path(chosen), _can_be_made)] if chosen else []
    folders += [] if chosen else [(package, _accepts_files), (user, _can_be_made)]
    found = next((folder for folder, test in folders if test(folder)), None)
    fix = "Set NUMBA_CACHE_DIR to a folder you may write to; without it every run compiles anew."
    return Check("compile cache", found is not None, str(found or "no writable folder"), fix)


def _can_be_made(folder: Path) -> bool:
    """Whether the folder, or the nearest one above it that exists, accepts files."""
    return _accepts_files(next(each for each in (folder, *folder.absolute().parents) if each.exists()))


def _accepts_files(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def size_text(size_bytes: int) -> str:
    """`23.5 GiB`."""
    return f"{size_bytes / (1 << 30):,.1f} GiB"
