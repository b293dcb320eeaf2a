"""What all tests share: the material beside the checkout, one deterministic profile, and a watch on what is left."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}

LONG_TESTS = bool(os.environ.get("LIBRA_LONG_TESTS"))
"""Also what takes long and needs no run with each change; CI sets it."""

takes_long = pytest.mark.skipif(not LONG_TESTS, reason="takes long: LIBRA_LONG_TESTS=1")

# A slow minute of a shared machine is no property of the code, hence no deadline and no health check on speed.
settings.register_profile("home", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("home"), derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if IN_CI else "home")

MARK = "LIBRA_TEST_SESSION"
PROC, SEGMENTS = Path("/proc"), Path("/dev/shm")  # noqa: S108 - where the system keeps shared memory, not a scratch file
SEGMENT_PATTERN = "*libra*"
EXIT_SECONDS_MAX = 10
# Python's own servants of one interpreter: they end with it, so they outlive its last test.
SERVANTS = (b"multiprocessing.resource_tracker", b"multiprocessing.forkserver")


def absent(what: str) -> NoReturn:
    """Material beside the checkout is not there: a skip at home, a failure in CI, which has it."""
    if IN_CI:
        pytest.fail(f"needs {what} beside the checkout, and CI has it", pytrace=False)
    pytest.skip(f"needs {what} beside the checkout")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `shared` beside the checkout: specification cases and market data. Absent at home it is a skip."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        absent("shared/")
    return folder


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left_behind() -> Iterator[None]:
    """After the last test no process that a test started is alive, and no shared segment of ours exists.

    Every child inherits a mark in its environment, also one whose parent died, so that sessions side by side on one
    machine do not see each other. What is found is ended, and fails the session.
    """
    if not sys.platform.startswith("linux"):
        yield
        return
    mark = f"{os.getpid()}.{time.time_ns()}"  # noqa: TID251 - tells two sessions of one process number apart
    os.environ[MARK] = mark
    segments_before = set(SEGMENTS.glob(SEGMENT_PATTERN))
    yield
    left: dict[int, str] = {}
    for _ in range(EXIT_SECONDS_MAX * 10):
        time.sleep(0.1)  # noqa: TID251 - a process needs a moment to begin and, after Ray's shutdown, to end
        left = _marked_processes(mark)
        if not left:
            break
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    segments = [path for path in SEGMENTS.glob(SEGMENT_PATTERN) if path not in segments_before]
    segments = [path for path in segments if not _is_mapped(path)]
    for path in segments:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    assert (left, segments) == ({}, []), "tests left processes or shared segments behind (now removed)"


def _marked_processes(mark: str) -> dict[int, str]:
    """Process number to command line of each living descendant of this session, itself excluded."""
    marked: dict[int, str] = {}
    wanted = f"{MARK}={mark}".encode()
    for folder in PROC.glob("[0-9]*"):
        try:
            environment, command = (folder / "environ").read_bytes(), (folder / "cmdline").read_bytes()
        except OSError:  # ended meanwhile, or somebody else's
            continue
        if wanted in environment.split(b"\0") and not any(servant in command for servant in SERVANTS):
            marked[int(folder.name)] = command.replace(b"\0", b" ").decode(errors="replace").strip()[:120]
    marked.pop(os.getpid(), None)
    return marked


def _is_mapped(segment: Path) -> bool:
    """Whether a living process maps `segment`: then it belongs to another session on this machine."""
    for folder in PROC.glob("[0-9]*"):
        try:
            maps = (folder / "maps").read_text(errors="replace")
        except OSError:
            continue
        if int(folder.name) != os.getpid() and str(segment) in maps:
            return True
    return False
