"""Every benchmark runs in its small size with its answers checked, so that none can rot."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.harness import Bench, benchmark_named, benchmark_names
from tests.conftest import takes_long

ROOT = Path(__file__).parents[2]
RAY = {
    "host_latency", "lockstep", "sweep_grid", "sweep_memory", "sweep_overhead", "sweep_scaling", "sweep_slope",
    "tick_to_order",
}  # fmt: skip
LONG = {
    "capture_replay", "cold_start", "host_latency", "lockstep", "sweep_grid", "sweep_memory", "sweep_overhead",
    "sweep_scaling", "sweep_slope", "tick_to_order",
}  # fmt: skip


def marked(name: str) -> object:
    """The name with the markers of what it starts."""
    marks: list[pytest.MarkDecorator] = [pytest.mark.slow, *([pytest.mark.ray] if name in RAY else [])]
    if name in LONG:
        marks.append(takes_long)
    return pytest.param(name, marks=marks)


@pytest.mark.parametrize("name", [marked(name) for name in benchmark_names()])
def test_it_runs_in_smoke_size_and_its_answer_is_right(name: str) -> None:
    bench = Bench(name, smoke=True)

    benchmark_named(name)(bench)

    report = bench.report()
    assert report.checks > 0
    assert all(len(route.seconds) == 1 for route in report.routes)


def test_every_marked_name_is_a_benchmark() -> None:
    assert set(benchmark_names()) >= RAY | LONG


@pytest.mark.slow
def test_the_command_runs_those_that_are_named() -> None:
    command = [sys.executable, "-m", "benchmarks", "bus_one_to_one", "bus_one_to_three", "--smoke", "--json"]

    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    document = json.loads(run.stdout)
    assert [report["benchmark"] for report in document["benchmarks"]] == ["bus_one_to_one", "bus_one_to_three"]
    assert document["failed"] == []


def test_an_unknown_name_is_a_usage_error_with_the_closest_one() -> None:
    command = [sys.executable, "-m", "benchmarks", "bus_one_to_oen"]

    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.returncode == 2
    assert run.stderr.endswith("no benchmark 'bus_one_to_oen'. Did you mean 'bus_one_to_one'?\n")
