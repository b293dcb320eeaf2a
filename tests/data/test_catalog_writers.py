"""Writers that die, and writers that come at once: real processes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import LONG_TESTS

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="forks and SIGKILL"),
]


def children(*arguments: object) -> Any:  # noqa: ANN401  # a JSON document
    command = [sys.executable, "-m", "tests.data.catalog_children", *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, timeout=800)
    return json.loads(done.stdout)


@pytest.mark.timeout(900)
def test_writers_killed_at_any_moment_leave_what_was_or_what_should_be(tmp_path: Path) -> None:
    kills = 1_000 if LONG_TESTS else 50

    found = children("kill", tmp_path / "catalog", 7, kills)

    assert found["faults"] == []
    assert found["orphans"] == []
    assert found["died"] == kills


def test_of_writers_at_once_each_writes_or_is_refused(tmp_path: Path) -> None:
    rounds = children("race", tmp_path, 100 if LONG_TESTS else 5)

    for found in rounds:
        assert "written" in found["said"]
        assert set(found["said"]) <= {"written", "DATA023"}
        assert found["as_said"]
        assert found["errors"] == []
