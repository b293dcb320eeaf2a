"""What a sweep gives back, and what it tells on its way."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

__all__ = ["SweepProgress", "SweepResult"]


@dataclass(frozen=True, slots=True)
class SweepProgress:
    """Where a sweep stands, told once before the first trial and after each.

    Attributes:
        done: trials with a row, failed and invalid ones too.
        row: of the trial that has just finished, as in `SweepResult.best`; None at the start.
        best: the best row so far.
        engine: what runs the trials: `Ray 2.60.0, 2 workers on this machine`.
        seconds: since the sweep began.
    """

    done: int
    trials: int
    failed: int
    invalid: int
    row: Mapping[str, Any] | None
    best: Mapping[str, Any] | None
    engine: str
    seconds: float


@dataclass(frozen=True, slots=True)
class SweepResult:
    """All trials of a sweep.

    Attributes:
        table: one row per trial by number: trial, parameters, figures, run_hash, seconds, worker, error.
        best: the row with the best figure `rank`; None when no trial has one.
        trials: how many rows.
        failed: rows that ended with an error while they ran.
        invalid: rows that the strategy's own settings refused; they were not run.
        workers: processes that ran trials; 0 for this process.
        seconds: of the whole sweep, start and end of the workers included.
        engine: what ran the trials.
        pruned: rows of trials that were not run to the end, since others were better by then.
        stopped: why there are fewer trials than planned; empty where there are not.
    """

    table: pa.Table
    best: Mapping[str, Any] | None
    rank: str
    trials: int
    failed: int
    invalid: int
    workers: int
    seconds: float
    engine: str
    pruned: int = 0
    stopped: str = ""
