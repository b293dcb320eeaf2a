"""Workers that stay run one sweep after another, each over its own data, and end with their block."""

import os
import signal
from typing import Any

import pytest

import libra_ray as lr
from libra_ray.errors import ConfigError
from libra_ray.runtime.ray import RaySession
from libra_ray.sweeps import SweepProgress
from tests.ray.workers import engines_end, engines_of
from tests.sweeps.runs import bars, fragile_system

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.usefixtures("two_workers")]

GRID = {"lookback": [2, 3, 5, 9]}


def swept(rows: int, grid: dict[str, Any] = GRID, **more: Any) -> lr.SweepResult:  # noqa: ANN401 - of sweep
    return lr.sweep(fragile_system(), data=bars(rows), grid=grid, **more)


def test_the_same_processes_run_sweeps_over_other_data_and_other_work() -> None:
    with lr.staying_workers():
        first = swept(2_000)
        pids = engines_of(os.getpid())
        second = swept(1_000, workers=2)
        ahead = lr.walk_forward(fragile_system(), data=bars(4_000), grid=GRID, train="60d", test="30d")
        assert engines_of(os.getpid()) == pids
        assert (len(pids), first.workers, second.workers) == (2, 2, 2)
    assert engines_end(os.getpid())

    for there, rows in ((first, 2_000), (second, 1_000)):
        assert there.table["run_hash"].equals(swept(rows, workers=0).table["run_hash"])
    alone = lr.walk_forward(fragile_system(), data=bars(4_000), grid=GRID, train="60d", test="30d", workers=0)
    assert ahead.run_hash == alone.run_hash


def test_one_that_dies_or_is_interrupted_is_replaced_for_the_next_sweep() -> None:
    def interrupt(progress: SweepProgress) -> None:
        if progress.done == 3:
            raise KeyboardInterrupt

    with lr.staying_workers(2):
        with pytest.raises(KeyboardInterrupt):
            swept(2_000, {"lookback": range(2, 60)}, progress=interrupt)
        assert swept(1_000).failed == 0
        os.kill(engines_of(os.getpid())[0], signal.SIGKILL)
        assert swept(1_000).failed == 0


def test_another_number_and_a_block_in_a_block_are_refused(two_workers: RaySession) -> None:
    assert two_workers.workers == 2
    with lr.staying_workers(1):
        with pytest.raises(ConfigError, match="CONF002 workers: 2 where 1 stay"):
            swept(1_000, workers=2)
        with pytest.raises(ConfigError, match="CONF002 workers: workers stay already"), lr.staying_workers():
            pass
        assert swept(1_000, workers=0).workers == 0
