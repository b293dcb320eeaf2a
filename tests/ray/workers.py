"""Worker processes, as the system knows them."""

import time
from contextlib import suppress
from pathlib import Path

__all__ = ["engines_end", "engines_of"]

END_SECONDS_MAX = 10


def engines_of(root: int) -> list[int]:
    """The workers that descend from `root`, those that have ended and those that Ray keeps for later left out."""
    found, engines = [root], []
    for pid in found:
        with suppress(FileNotFoundError, ProcessLookupError):  # it ends while it is looked at
            for task in Path(f"/proc/{pid}/task").glob("*"):
                found += [int(child) for child in (task / "children").read_text().split()]
            if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::Engine"):
                engines.append(pid)
    return engines


def engines_end(root: int) -> bool:
    """Whether none is left in time: Ray passes a kill on, and returns before the process is gone."""
    for _ in range(END_SECONDS_MAX * 20):
        if not engines_of(root):
            return True
        time.sleep(0.05)  # noqa: TID251 - other processes end in their own time, and send no word
    return False
