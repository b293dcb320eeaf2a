"""A sweep on workers gives the rows of a sweep in this process."""

import asyncio
import os
import signal
from typing import Any

import pytest

from libra_ray import SweepResult, sweep
from libra_ray.runtime.ray import RaySession
from libra_ray.sweeps import SweepProgress
from tests.ray.workers import engines_of
from tests.sweeps.runs import Fragile, FragileConfig, bars, fragile_system

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.usefixtures("two_workers")]

BARS = bars(2_000)
GRID = {"lookback": range(2, 12), "mode": ["", "raise"], "at": [50, "x"]}


def swept(workers: int, grid: dict[str, Any], **more: Any) -> SweepResult:  # noqa: ANN401 - arguments of sweep
    return sweep(fragile_system(), data=BARS, grid=grid, workers=workers, **more)


def test_one_worker_two_workers_and_none_give_equal_rows() -> None:
    results = [swept(workers, GRID, seed=11) for workers in (0, 1, 2)]

    tables = [result.table.drop_columns(["seconds", "worker"]) for result in results]
    assert tables[0].num_rows == 40
    assert tables[1].equals(tables[0])
    assert tables[2].equals(tables[0])
    hashes = tables[0].filter(tables[0]["error"].is_null())["run_hash"].to_pylist()
    assert len(set(hashes)) == len(hashes) == 10
    assert [(result.workers, result.failed, result.invalid) for result in results] == [
        (0, 10, 20),
        (1, 10, 20),
        (2, 10, 20),
    ]


def test_a_worker_that_is_killed_on_the_way_costs_no_row() -> None:
    killed: list[int] = []

    def kill_one(progress: SweepProgress) -> None:
        if progress.done == 3:
            killed.append(engines_of(os.getpid())[0])
            os.kill(killed[0], signal.SIGKILL)

    result = swept(2, {"lookback": range(2, 60)}, progress=kill_one)

    assert len(killed) == 1
    assert result.table["trial"].to_pylist() == list(range(58))
    assert result.table["error"].null_count == 58
    assert result.table["run_hash"].equals(swept(0, {"lookback": range(2, 60)}).table["run_hash"])


def test_a_strategy_that_kills_its_process_is_a_row_with_that_error() -> None:
    result = swept(2, {"mode": ["", "die"], "lookback": [3, 9]})

    assert result.table["error"].to_pylist() == [
        None,
        None,
        *["STRAT010 3 workers died while they ran it. Run it alone to see why; memory may be short."] * 2,
    ]
    assert result.failed == 2


def test_a_strategy_that_exists_in_this_process_only_travels_to_the_workers() -> None:
    class Notebook(Fragile):
        """As one written in a cell of a notebook: no module has it."""

    system = fragile_system()
    system.add(Notebook(FragileConfig(lookback=4)))

    results = [
        sweep(system, data=BARS, grid={"Notebook.lookback": [3, 9]}, workers=workers).table for workers in (0, 2)
    ]

    assert results[1]["error"].null_count == 2
    assert results[1]["run_hash"].equals(results[0]["run_hash"])


def test_an_interrupt_in_the_midst_of_a_sweep_is_raised_and_ends_its_workers(two_workers: RaySession) -> None:
    def interrupt(progress: SweepProgress) -> None:
        if progress.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        swept(2, {"lookback": range(2, 60)}, progress=interrupt)

    assert two_workers.is_local
    assert swept(2, {"lookback": [3, 9]}).failed == 0


async def _within_a_running_loop() -> SweepResult:
    return swept(2, {"lookback": [3, 9]})


def test_a_sweep_runs_under_a_running_event_loop_as_in_a_notebook() -> None:
    result = asyncio.run(_within_a_running_loop())

    assert result.table["run_hash"].equals(swept(0, {"lookback": [3, 9]}).table["run_hash"])
