"""Segments of one host, small ones, and a subscriber of them; hosts with ports."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from libra_ray.bus.wire.segment_reader import SegmentReader
from libra_ray.bus.wire.segments import SegmentWriter, memory_folder
from libra_ray.clock import VirtualClock
from tests.bus.wire.ports import SECOND, Net
from tests.bus.wire.segment_batches import SMALL


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A private folder of a session in shared memory, where there is any."""
    session = tmp_path / f"libra-ray-{os.getpid()}-{tmp_path.name}"
    session.mkdir(mode=0o700)
    made = memory_folder(session)
    yield made
    for path in made.glob("*"):
        path.unlink()
    with suppress(FileNotFoundError):
        made.rmdir()


@pytest.fixture
def writer(folder: Path) -> Iterator[SegmentWriter]:
    """Small segments of host A-1."""
    made = SegmentWriter(folder, "A-1", 3, segment_bytes=SMALL, total_bytes_max=4 * SMALL)
    yield made
    made.close()


@pytest.fixture
def reader(folder: Path) -> Iterator[SegmentReader]:
    """A subscriber."""
    made = SegmentReader(folder)
    yield made
    made.close()


@pytest.fixture
def net() -> Iterator[Net]:
    """Hosts with ports, in one process."""
    with Net() as made:
        yield made


@pytest.fixture
def timeless() -> Iterator[tuple[Net, VirtualClock]]:
    """Such a net whose time is moved by the test."""
    clock = VirtualClock(SECOND)
    with Net(clock) as made:
        yield made, clock
