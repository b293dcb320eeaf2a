"""The model of a large sweep, and the numbers of `SCALING.md`, which are what it says."""

import json
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

FOLDER = Path(__file__).parents[2] / "cluster"
MODEL = runpy.run_path(str(FOLDER / "scaling_model.py"))
Plan: Callable[..., Any] = MODEL["Plan"]
simulate: Callable[..., Any] = MODEL["simulate"]
MEASURED: dict[str, float] = json.loads((FOLDER / "measured.json").read_text())
FREE = {**MEASURED, "driver_seconds_a_trial": 0.0, "worker_start_seconds": 0.0}
ROW = re.compile(
    r"^\| ([\d,]+) \| ([\d,]+) \| ([\d.]+) s \| ([\d.]+) GB \| ([\d,]+) s \| (\d+) % \| (\d+) % \| ([a-z' ]+) \|$",
    re.MULTILINE,
)


def text() -> str:
    return (FOLDER / "SCALING.md").read_text()


def test_a_driver_that_costs_nothing_is_as_fast_as_the_cores() -> None:
    forecast = simulate(Plan(cores=10, cores_a_node=5, trials=1_000, trial_seconds=2.0, dataset_bytes=0), FREE)

    assert forecast.seconds == pytest.approx(200.0)
    assert forecast.worker_share == pytest.approx(1.0)
    assert (forecast.driver_share, forecast.limit) == (0.0, "the trials themselves")


def test_a_slow_driver_is_the_limit_whatever_the_cores() -> None:
    slow = {**FREE, "driver_seconds_a_trial": 0.5}
    forecasts = [
        simulate(Plan(cores=cores, trials=2_000, trial_seconds=0.1, dataset_bytes=0), slow) for cores in (100, 900)
    ]

    assert [round(each.seconds) for each in forecasts] == [1_000, 1_000]
    assert {each.limit for each in forecasts} == {"the driver's booking"}


def test_copies_go_one_after_another() -> None:
    plan = Plan(cores=80, cores_a_node=8, trials=160, trial_seconds=1.0, dataset_bytes=5e9, bandwidth=1e9)

    forecast = simulate(plan, FREE)

    assert (forecast.copy_seconds, forecast.seconds, forecast.limit) == (50.0, 52.0, "copies of the dataset")


@settings(max_examples=60)
@given(
    st.integers(1, 60),
    st.integers(1, 16),
    st.integers(1, 400),
    st.floats(0.01, 5.0),
    st.floats(0.0, 0.1),
    st.floats(0, 1e9),
)
def test_no_forecast_beats_the_cores_the_driver_or_the_copies(
    cores: int, cores_a_node: int, trials: int, trial_seconds: float, booking: float, size: float
) -> None:
    plan = Plan(cores, cores_a_node, trials, trial_seconds, size, 1e9)
    forecast = simulate(plan, {**MEASURED, "driver_seconds_a_trial": booking})

    least = max(forecast.ideal_seconds, trials * booking, MEASURED["worker_start_seconds"] + trial_seconds)
    assert forecast.seconds >= least * (1 - 1e-9)
    serial = MEASURED["worker_start_seconds"] + forecast.copy_seconds + trials * (trial_seconds + booking)
    assert forecast.seconds <= serial * (1 + 1e-9)


def test_the_numbers_of_the_text_are_those_of_the_model() -> None:
    rows = ROW.findall(text())
    assert len(rows) == 6

    for cores, trials, seconds, size, *told in rows:
        plan = Plan(
            cores=int(cores.replace(",", "")),
            trials=int(trials.replace(",", "")),
            trial_seconds=float(seconds),
            dataset_bytes=float(size) * 1e9,
        )
        forecast = simulate(plan, MEASURED)
        shares = (f"{forecast.worker_share * 100:.0f}", f"{forecast.driver_share * 100:.0f}")
        assert told == [f"{forecast.seconds:,.0f}", *shares, forecast.limit]


def test_the_measured_numbers_of_the_text_are_those_of_the_file() -> None:
    few, many = (MEASURED[f"{name}_seconds_a_trial"] / MEASURED[f"{name}_trial_seconds"] for name in ("few", "many"))
    slope = many / few
    said = text()

    assert f"{MEASURED['driver_seconds_a_trial'] * 1e3:.2f} ms" in said
    assert f"{MEASURED['worker_start_seconds']:.1f} s" in said
    assert f"{MEASURED['worker_bytes'] / 1e6:.0f} MB" in said
    assert f"{MEASURED['journal_bytes_a_trial']:,.0f} bytes" in said
    assert f"{MEASURED['few_seconds_a_trial'] * 1e3:.1f} ms" in said
    assert f"{MEASURED['many_seconds_a_trial'] * 1e3:.1f} ms" in said
    assert f"{MEASURED['few_trial_seconds'] * 1e3:.1f} ms" in said
    assert f"{MEASURED['many_trial_seconds'] * 1e3:.1f} ms" in said
    assert f"{MEASURED['fresh_trial_seconds'] * 1e3:.1f} ms" in said
    assert f"{MEASURED['few_driver_seconds_a_trial'] * 1e3:.2f} ms" in said
    assert f"{slope:.2f} times" in said
    assert f"{1 / MEASURED['driver_seconds_a_trial']:,.0f} trials/s" in said
    assert (MEASURED["few_trials"], MEASURED["many_trials"]) == (1_000, 10_000)
    assert 0.9 < slope < 1.1


def test_the_large_run_confirms_the_model() -> None:
    """Its time is what the model gives for two cores, from its trials' own time and the small run's overhead."""
    overhead = MEASURED["few_seconds_a_trial"] * 2 / MEASURED["few_trial_seconds"]
    occupied_s = MEASURED["many_trial_seconds"] * overhead
    plan = Plan(cores=2, cores_a_node=2, trials=10_000, trial_seconds=occupied_s, dataset_bytes=0)

    forecast = simulate(plan, {**MEASURED, "worker_start_seconds": 0.0})

    assert forecast.seconds == pytest.approx(MEASURED["many_seconds_a_trial"] * 10_000, rel=0.05)


def test_it_prints_one_document() -> None:
    command = [sys.executable, str(FOLDER / "scaling_model.py"), "--cores", "16", "--trials", "100"]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert json.loads(done.stdout)["plan"]["cores"] == 16
