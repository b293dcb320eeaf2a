"""What is said while work goes on, on stderr: a live line on a terminal, plain lines elsewhere."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from libra_ray.cli.tables import seconds_text

if TYPE_CHECKING:
    from libra_ray.sweeps import SweepProgress

__all__ = ["log_to", "note", "trial_progress"]

LINE_SECONDS: Final = 2.0
REDRAWN_PER_SECOND: Final = 4
STATUS: Final = Path("/proc")
PRIVATE: Final = ("RssAnon:", "RssShmem:")


def note(text: str) -> None:
    """One line about what is going on."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextmanager
def log_to(path: Path, *, debug: bool) -> Iterator[None]:
    """Inside, the log of actors goes to `path` from INFO on (DEBUG with `debug`), warnings to stderr too."""
    from loguru import logger

    logger.remove()
    sinks = [
        logger.add(path, level="DEBUG" if debug else "INFO", format="{level: <7} {extra} {message}"),
        logger.add(sys.stderr, level="DEBUG" if debug else "WARNING", format="{level: <7} {extra} {message}"),
    ]
    try:
        yield
    finally:
        for sink in sinks:
            logger.remove(sink)


@contextmanager
def trial_progress(rank: str, *, quiet: bool) -> Iterator[Callable[["SweepProgress"], None] | None]:
    """What a sweep calls after each trial: it redraws a line on a terminal, and prints one in two seconds elsewhere."""
    if quiet:
        yield None
        return
    speed = Speed()
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        with Live(console=Console(stderr=True), refresh_per_second=REDRAWN_PER_SECOND) as live:
            drawn_s = 0.0

            def redraw(at: "SweepProgress") -> None:
                nonlocal drawn_s
                left_s = speed.left_s(at)
                if at.done in (0, at.trials) or time.monotonic() - drawn_s >= 1 / REDRAWN_PER_SECOND:
                    drawn_s = time.monotonic()
                    live.update(Text(f"{_bar(at)} {progress_line(at, rank, left_s)}"))

            yield redraw
        return
    printed_s = time.monotonic()

    def plain(at: "SweepProgress") -> None:
        nonlocal printed_s
        left_s = speed.left_s(at)
        if at.done in (0, at.trials) or time.monotonic() - printed_s >= LINE_SECONDS:
            printed_s = time.monotonic()
            note(progress_line(at, rank, left_s))

    yield plain


class Speed:
    """Trials a second since the first one came back: what starting the workers took says nothing about the rest."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None

    def left_s(self, at: "SweepProgress") -> float | None:
        """How long the rest will take; None before two trials are done."""
        ran = at.done - at.invalid
        if self._first is None:
            self._first = (ran, at.seconds) if ran else None
            return None
        done, seconds = ran - self._first[0], at.seconds - self._first[1]
        return (at.trials - at.done) * seconds / done if done and seconds > 0 else None


def progress_line(at: "SweepProgress", rank: str, left_s: float | None) -> str:
    """`120 of 200 done, 2 failed, 14.1 trials/s, 5.7 s left, best sharpe_ratio 1.42, 213 MiB`."""
    parts = [f"{at.done:,} of {at.trials:,} done", f"{at.failed:,} failed"]
    if at.invalid:
        parts.append(f"{at.invalid:,} refused")
    if left_s is not None and at.done < at.trials:
        speed = (at.trials - at.done) / left_s if left_s else 0.0
        parts += [f"{speed:.1f} trials/s", f"{seconds_text(left_s)} left"]
    if at.best is not None and at.best.get(rank) is not None:
        parts.append(f"best {rank} {at.best[rank]:.4g}")
    memory = memory_mib()
    if memory:
        parts.append(f"{memory:,} MiB")
    if not at.done:
        parts.append(at.engine)
    return ", ".join(parts)


def _bar(at: "SweepProgress") -> str:
    width = 20
    full = width * at.done // max(at.trials, 1)
    return f"[{'#' * full}{'.' * (width - full)}]"


def memory_mib() -> int:
    """Memory that this process and those it started hold of their own, in MiB; 0 where the system does not say.

    Pages of mapped data are shared and not counted.
    """
    if not (STATUS / "self" / "status").is_file():
        return 0
    parents, private_kib = {}, {}
    for entry in os.scandir(STATUS):
        if entry.name.isdecimal():
            parent, size = _status(Path(entry.path) / "status")
            parents[int(entry.name)], private_kib[int(entry.name)] = parent, size
    mine = {os.getpid()}
    while grown := {pid for pid, parent in parents.items() if parent in mine} - mine:
        mine |= grown
    return sum(private_kib.get(pid, 0) for pid in mine) // 1024


def _status(path: Path) -> tuple[int, int]:
    """Parent and private KiB of a process; zeros when it has just ended."""
    try:
        fields = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return 0, 0
    values = {parts[0]: int(parts[1]) for parts in fields if parts and parts[0] in ("PPid:", *PRIVATE)}
    return values.get("PPid:", 0), sum(values.get(name, 0) for name in PRIVATE)
