"""Jobs for the pool; its workers import this module."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np
import ray

from libra_ray.data import Dataset
from libra_ray.errors import DataError

SECOND_NS = 10**9


@dataclass(frozen=True)
class Square:
    """Squares numbers; `pid` tells which process did."""

    def open(self, _folder: str) -> Callable[[int], tuple[int, int]]:
        return lambda number: (number * number, os.getpid())


@dataclass(frozen=True)
class Slow:
    """Takes a tenth of a second for each number."""

    def open(self, _folder: str) -> Callable[[int], tuple[int, int]]:
        def run(number: int) -> tuple[int, int]:
            Event().wait(0.1)
            return number, os.getpid()

        return run


class Unpicklable(Exception):  # noqa: N818 - what user code may raise
    """Cannot be pickled."""

    def __reduce__(self) -> str:
        raise TypeError("no")


@dataclass(frozen=True)
class Troubled:
    """Fails on some numbers, in every way there is."""

    def open(self, _folder: str) -> Callable[[int], int]:
        return trouble


def trouble(number: int) -> int:
    """What `Troubled` does with a number."""
    if number == 1:
        raise DataError("DATA008", "x.csv", "0 data rows", "Check it.")
    if number == 2:
        raise Unpicklable("cannot travel")
    if number == 3:
        raise SystemExit(7)
    if number == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@dataclass(frozen=True)
class Unopenable:
    """Cannot even be opened."""

    def open(self, _folder: str) -> Callable[[int], int]:
        raise DataError("DATA011", "dataset.json", "unreadable", "Write it again.")


@dataclass(frozen=True)
class Deadly:
    """Kills every worker that opens it."""

    def open(self, _folder: str) -> Callable[[int], int]:
        os.kill(os.getpid(), signal.SIGKILL)
        return int


@dataclass(frozen=True)
class Reader:
    """Maps a dataset and reads all of it; each item tells by how much the private memory of its process grew."""

    def open(self, folder: str) -> Callable[[int], tuple[int, int, int]]:
        before = anonymous_bytes()
        dataset = Dataset.open(folder)

        def run(_: int) -> tuple[int, int, int]:
            return sum_of(dataset), anonymous_bytes() - before, os.getpid()

        return run


@dataclass(frozen=True)
class Littering:
    """Leaves a ring with a large array behind; each item tells by how much the private memory has grown."""

    def open(self, _folder: str) -> Callable[[int], int]:
        before = anonymous_bytes()

        def run(_: int) -> int:
            ring: list[object] = [np.ones(1_000_000)]
            ring.append(ring)
            Event().wait(0.06)  # a chunk of its own
            return anonymous_bytes() - before

        return run


def sum_of(dataset: Dataset) -> int:
    """All raw integers of all columns added up: it reads every page."""
    columns = [stream.raw(name) for stream in dataset for name in stream.table.column_names]
    return sum(int(np.sum(column)) for column in columns)


def anonymous_bytes() -> int:
    """Memory of this process that no file stands behind: what a copy would cost."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Anonymous:")) * 1024


@dataclass(frozen=True)
class Placed:
    """Tells where it runs and what lies in the shared folder there: name, size and hash of each file."""

    def open(self, folder: str) -> Callable[[int], tuple[str, str, tuple[tuple[str, int, int], ...]]]:
        node = ray.get_runtime_context().get_node_id()
        contents = {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir()) if path.suffix != ".lock"}
        files = tuple((name, len(content), hash(content)) for name, content in contents.items())

        def run(_: int) -> tuple[str, str, tuple[tuple[str, int, int], ...]]:
            Event().wait(0.05)
            return node, folder, files

        return run
