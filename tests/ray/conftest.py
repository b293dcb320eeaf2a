"""One local Ray for the tests that need no more than workers; tests of starting and ending start their own programs."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from libra_ray.runtime.ray import RaySession


@pytest.fixture(scope="package")
def two_workers() -> Iterator[RaySession]:
    """A session of two workers. Sessions that are opened meanwhile join it."""
    with RaySession(workers=2) as session:
        yield session


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A temporary folder short enough for a socket; pytest's own is too long."""
    folder = Path(subprocess.check_output(["/usr/bin/mktemp", "-d", "/tmp/lXXXXXX"], text=True).strip())  # noqa: S108
    yield folder
    folder.rmdir()  # fails when something is left
