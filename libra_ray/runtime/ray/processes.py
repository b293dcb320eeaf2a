"""The processes that a session started, found by what Ray puts on their command line and by descent.

Needs `/proc`; elsewhere nothing is found and Ray's own waiting has to do.
"""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["Started", "end", "kill", "own_start_ticks", "started_by_session"]

PROC: Final = Path("/proc")
POLL_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Started:
    """One process; its start time tells it from a later one of the same number."""

    pid: int
    parent_pid: int
    start_ticks: int


def started_by_session(folder: Path) -> list[Started]:
    """Children of this process that carry the session's `folder` on their command line, and all their descendants."""
    everything = _table()
    found = [each for each in everything if each.parent_pid == os.getpid() and _names(each, folder)]
    for each in found:  # grows while it is read: children, their children, ...
        found.extend(child for child in everything if child.parent_pid == each.pid)
    return found


def end(processes: Iterable[Started], *, grace_seconds: float) -> None:
    """Wait until all have ended; after `grace_seconds` kill those that have not."""
    left = [each for each in processes if _is_alive(each)]
    for _ in range(int(grace_seconds / POLL_SECONDS)):
        if not left:
            return
        time.sleep(POLL_SECONDS)  # noqa: TID251  # other processes end in their own time, and send no word
        left = [each for each in left if _is_alive(each)]
    for each in left:
        try:
            os.kill(each.pid, signal.SIGKILL)
        except ProcessLookupError:  # ended meanwhile
            continue


def own_start_ticks() -> int:
    """What tells this process from a later one of its number; 0 where nothing does."""
    entry = _entry(str(os.getpid()))
    return 0 if entry is None else entry.start_ticks


def kill(pid: int, start_ticks: int) -> None:
    """SIGKILL that process of this machine, also when it is stopped. Nothing happens to another of its number."""
    now = _entry(str(pid))
    if now is not None and start_ticks and now.start_ticks == start_ticks:
        with suppress(ProcessLookupError):  # ended meanwhile
            os.kill(pid, signal.SIGKILL)


def _table() -> list[Started]:
    entries = (_entry(path.name) for path in PROC.glob("[0-9]*"))
    return [entry for entry in entries if entry is not None]


def _entry(pid: str) -> Started | None:
    """What the table says of `pid`; None for one that has ended, waited for or not."""
    try:
        text = (PROC / pid / "stat").read_text()
    except OSError:
        return None
    state, parent_pid, *others = text[text.rindex(")") + 2 :].split()  # the name before may hold spaces and brackets
    return None if state in "ZX" else Started(int(pid), int(parent_pid), int(others[17]))


def _is_alive(process: Started) -> bool:
    now = _entry(str(process.pid))
    return now is not None and now.start_ticks == process.start_ticks


def _names(process: Started, folder: Path) -> bool:
    try:
        command = (PROC / str(process.pid) / "cmdline").read_bytes()
    except OSError:  # ended meanwhile
        return False
    return os.fsencode(folder) in command
