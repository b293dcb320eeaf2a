"""`libra runs`: the folders are the index."""

from pathlib import Path

import pytest

from tests.cli.conftest import Libra

pytestmark = pytest.mark.slow


@pytest.fixture
def two_runs(libra: Libra, run_file: Path) -> list[str]:
    """Two runs that differ in one setting."""
    words = ("backtest", run_file.name, "--json")
    return [libra(*words).document["run_hash"], libra(*words, "--set", "strategy.config.length=9").document["run_hash"]]


def test_runs_are_listed_shown_compared_and_opened(libra: Libra, two_runs: list[str], tmp_path: Path) -> None:
    listed = libra("runs", "ls", "--json").document["runs"]
    shown = libra("runs", "show", "last", "--json").document
    compared = libra("runs", "compare", "trial-1", "trial-2", "--json").document
    opened = libra("runs", "open", "trial-1")

    assert [(run["run_id"], run["run_hash"]) for run in listed] == [("trial-1", two_runs[0]), ("trial-2", two_runs[1])]
    assert (shown["run_id"], shown["config"]["strategy"][0]["config"]) == ("trial-2", {"length": 9})
    assert compared["equal"] is False
    assert compared["run_hashes"] == two_runs
    assert list(compared["differences"]["config"]) == ["strategy"]
    assert "config" in compared["differences"]["hashes"]
    assert opened.out == f"{tmp_path / 'runs' / 'trial-1' / 'report.html'}\n"
    assert "trial-2" in libra("runs", "ls").out


def test_an_unknown_run_is_refused_with_the_nearest_one(libra: Libra, two_runs: list[str]) -> None:
    assert len(two_runs) == 2

    unknown, unclear = libra("runs", "show", "tral-1"), libra("runs", "show", "trial")

    assert (unknown.code, unknown.err) == (2, "CONF000 runs: no run 'tral-1'. Did you mean 'trial-1'?\n")
    assert (unclear.code, unclear.err) == (
        2,
        "CONF000 runs: 'trial' begins 2 runs. Write one of them: trial-1, trial-2.\n",
    )


def test_no_runs_is_no_error(libra: Libra) -> None:
    assert libra("runs", "ls").out == "no runs in runs\n"
    assert libra("runs", "show", "last").err == "CONF000 runs: no run 'last'. Make one with 'libra backtest'.\n"


def test_a_damaged_run_is_named(libra: Libra, two_runs: list[str], tmp_path: Path) -> None:
    assert len(two_runs) == 2
    (tmp_path / "runs" / "trial-1" / "run.json").write_text("{")

    ended = libra("runs", "ls")

    line = "DATA011 trial-1/run.json: not readable as JSON. Delete the run folder or restore it.\n"
    assert (ended.code, ended.err) == (3, line)
