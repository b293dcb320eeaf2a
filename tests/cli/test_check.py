"""`libra check`: a strategy that does not repeat is named; scenarios pass, fail, or are not supported."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Libra

pytestmark = pytest.mark.slow

IMPURE = """
import os


class Impure(Cross):
    def on_bar(self, bar: Bar) -> None:
        if hash("a") % 3:
            super().on_bar(bar)
        elif len(self.closes) < 200:
            super().on_bar(bar)
"""


def test_a_strategy_that_looks_at_hashes_is_found_and_named(libra: Libra, run_file: Path, tmp_path: Path) -> None:
    source = tmp_path / "strategies" / "cross.py"
    source.write_text(source.read_text() + IMPURE)
    run_file.write_text(run_file.read_text().replace("cross.Cross", "cross.Impure"))

    ended = libra("check", "determinism", run_file.name, "--without-sweep", "--json", PYTHONHASHSEED="0")

    document = ended.document
    assert ended.code == 1
    assert document["equal"] is False
    assert set(document["differing"]) & {"hash seed 1", "hash seed 4242"}
    assert not (tmp_path / "runs").exists()


def test_a_wrong_file_is_the_same_error_as_in_a_backtest(libra: Libra, run_file: Path) -> None:
    run_file.write_text(run_file.read_text().replace("length = 20", "lenght = 20"))

    ended = libra("check", "determinism", run_file.name)

    assert (ended.code, ended.err) == (
        2,
        "CONF001 run.toml:25 strategy.config.lenght: unknown key. Did you mean 'length'?\n",
    )


def test_scenarios_pass_and_unsupported_ones_are_named(libra: Libra, shared: Path) -> None:
    ended = libra("check", "scenario", str(shared / "scenarios"), "--json")

    document = ended.document
    assert (ended.code, document["failed"]) == (0, 0)
    assert document["passed"] == len(document["results"]) > 0
    assert document["passed"] + len(document["unsupported"]) == len(list((shared / "scenarios").glob("*.json")))


def test_a_scenario_that_expects_otherwise_fails_with_a_line(libra: Libra, shared: Path, tmp_path: Path) -> None:
    scenario = json.loads((shared / "scenarios" / "bar-next-open.json").read_text())
    scenario["expect"]["events"].pop()
    (tmp_path / "wrong.json").write_text(json.dumps(scenario))

    ended = libra("check", "scenario", "wrong.json", "--json")

    assert ended.code == 1
    assert ended.document["failed"] == 1
    assert ended.document["results"][0]["diff"] != []


def test_a_file_that_is_no_scenario_is_refused_by_name(libra: Libra, tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text('{"name": "odd"}')

    ended = libra("check", "scenario", "odd.json")

    assert ended.code == 2
    assert "odd.json" in ended.err.splitlines()[0]
