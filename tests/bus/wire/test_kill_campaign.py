"""No kill, at any point, loses or doubles a message. LIBRA_KILLS=5000 for more of them than 300, or 2,000 in CI."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.bus.wire.kill_campaign import NAMES, POINTS
from tests.conftest import LONG_TESTS
from tests.tidy.sources import ROOT

KILLS = int(os.environ.get("LIBRA_KILLS") or ("2000" if LONG_TESTS else "300"))
SECONDS_MAX = 60 + KILLS // 10


def campaign(*arguments: str) -> tuple[int, dict[str, Any]]:
    program = [sys.executable, "-m", "tests.bus.wire.kill_campaign", *arguments]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS_MAX)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.timeout(SECONDS_MAX + 10)
def test_no_kill_loses_or_doubles_a_message() -> None:
    code, found = campaign("--kills", str(KILLS), "--seed", "1")

    assert code == 0, found
    assert found["kills"] >= KILLS
    assert found["messages"] > KILLS, "between kills work was done"
    assert all(found["points"][point] > 0 for point in POINTS)


@pytest.mark.slow
@pytest.mark.timeout(SECONDS_MAX + 10)
def test_nor_does_a_kill_on_a_wire_that_loses_doubles_and_delays() -> None:
    code, found = campaign("--kills", str(KILLS // 3), "--seed", "2", "--lossy")

    assert code == 0, found
    assert found["kills"] >= KILLS // 3


@pytest.mark.slow
@pytest.mark.parametrize(
    "broken", [*(("--without-journal", name) for name in NAMES), ("--write-late",)], ids=[*NAMES, "late"]
)
def test_a_loss_is_noticed(broken: tuple[str, ...]) -> None:
    code, found = campaign("--kills", "2000", "--seed", "1", *broken)

    assert code == 1
    assert list(found) == ["lost"]
