"""Folders short enough for Ray's sockets."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def head_folder() -> Iterator[Path]:
    """A temporary folder short enough for a socket; pytest's own is too long."""
    folder = Path(subprocess.check_output(["/usr/bin/mktemp", "-d", "/tmp/lXXXXXX"], text=True).strip())  # noqa: S108
    yield folder
    folder.rmdir()  # fails when something is left
