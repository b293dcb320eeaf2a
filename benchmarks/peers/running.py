"""One engine's process: started with the bars, read when it has ended."""

import json
import statistics
import subprocess
from pathlib import Path
from typing import Any, Final, TypeAlias

from benchmarks.peers.environments import Peer
from benchmarks.peers.grid import PAIRS

__all__ = ["BrokenEngineError", "Outcome", "measured"]

ROOT: Final = Path(__file__).resolve().parent.parent.parent
ENGINE_SECONDS_MAX: Final = 3_600

Outcome: TypeAlias = dict[str, Any]


class BrokenEngineError(Exception):
    """An engine's process ended without an answer; the text is its last line."""


def measured(python: Path, peer: Peer, flags: list[str]) -> Outcome:
    """Run one engine's process. Raises `BrokenEngineError`."""
    command: list[str | Path] = [python, "-W", "ignore", "-m", f"benchmarks.peers.{peer.module}", *flags]
    try:
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=ENGINE_SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired as error:
        raise BrokenEngineError(f"no answer after {ENGINE_SECONDS_MAX:,} s") from error
    if run.returncode:
        lines = run.stderr.strip().splitlines() or [f"exit code {run.returncode}"]
        raise BrokenEngineError(lines[-1])
    outcome: Outcome = json.loads(run.stdout.strip().splitlines()[-1])
    outcome["seconds_median"] = statistics.median(outcome["seconds"])
    times = len(PAIRS) if peer.module.startswith("grid_") else 1
    outcome["bars_per_s"] = outcome["bars"] * times / outcome["seconds_median"]
    return outcome
