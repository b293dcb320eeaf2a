"""The simulation behind SCALING.md, where its answer can be worked out by hand."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.scaling import Costs, simulate, tables

FREE = Costs(0.0, 0.0, 0.0, 0.0)
MEASURED = Path(__file__).resolve().parent.parent.parent / "cluster" / "scaling.json"


@given(workers=st.integers(1, 40), rounds=st.integers(1, 40), trial_s=st.floats(0.1, 10.0))
def test_a_free_driver_keeps_every_core_at_work(workers: int, rounds: int, trial_s: float) -> None:
    made = simulate(FREE, workers=workers, trials=workers * rounds, trial_s=trial_s)

    assert made.seconds == pytest.approx(rounds * trial_s)
    assert made.core_share == pytest.approx(1.0)
    assert made.driver_share == 0.0


@given(workers=st.integers(1, 300), trials=st.integers(1, 3_000))
def test_the_driver_is_a_floor_that_no_worker_lowers(workers: int, trials: int) -> None:
    costs = Costs(trial_s=0.01, call_s=0.0, look_s=0.0, start_s=0.0)

    assert simulate(costs, workers=workers, trials=trials, trial_s=0.001).seconds >= trials * 0.01


def test_copies_go_one_after_the_other() -> None:
    made = simulate(FREE, workers=4, trials=4, trial_s=1.0, nodes=4, node_s=10.0)

    assert made.seconds == pytest.approx(31.0)  # the fourth node has waited for three copies; nobody takes its trial


def test_short_trials_travel_together_and_long_ones_alone() -> None:
    assert simulate(FREE, workers=2, trials=10_000, trial_s=0.001).calls < 400
    assert simulate(FREE, workers=2, trials=500, trial_s=1.0).calls == 500


def test_the_tables_of_the_text_are_those_of_the_script() -> None:
    text = MEASURED.with_name("SCALING.md").read_text()

    for line in tables(json.loads(MEASURED.read_text())).splitlines():
        assert line in text
