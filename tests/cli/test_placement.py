"""The placement of a run file: a run in lockstep keeps to it, and nobody else looks at it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from libra_ray.cli.backtest import Engine, backtest
from libra_ray.simulation import System
from tests.cli.conftest import Libra

PLACEMENT = """
[placement.hosts]
orders = ["RiskEngine", "ExecEngine"]

[placement.actors]
Cross-1 = "strategies"
SIM-client = "@RiskEngine"
"""


class AskedError(Exception):
    """What `backtest` was asked for."""


@pytest.fixture
def asked(run_file: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    """The placement that a command asks `backtest` for."""

    def backtest_instead(_system: System, **how: object) -> None:
        raise AskedError(how.get("placement"))

    monkeypatch.setattr("libra_ray.simulation.backtest", backtest_instead)
    monkeypatch.chdir(run_file.parent)

    def ask(engine: Engine, placement: str | None = None) -> object:
        with pytest.raises(AskedError) as caught:
            backtest(run_file, engine=engine, placement=placement, as_json=True)
        return caught.value.args[0]

    return ask


def test_lockstep_alone_is_placed_as_the_file_says_and_an_option_wins(
    run_file: Path, asked: Callable[..., object]
) -> None:
    run_file.write_text(run_file.read_text() + PLACEMENT)

    placed = asked(Engine.LOCKSTEP)

    others = dict.fromkeys(("Cache", "Portfolio", "OrderEmulator", "DataEngine"), "main")
    assert placed == {**others, "RiskEngine": "orders", "ExecEngine": "orders", "Cross-1": "strategies"}
    assert asked(Engine.LOCKSTEP, "isolated") == "isolated"
    assert asked(Engine.EVENT) is None


def test_a_placement_that_cannot_be_is_refused_before_anything_is_read(libra: Libra, run_file: Path) -> None:
    line = run_file.read_text().count("\n") + 6
    run_file.write_text(run_file.read_text() + PLACEMENT.replace("Cross-1", "Cros-1"))

    done = libra("backtest", "run.toml", "--json")

    error = done.document["error"]
    assert (done.code, error["code"], error["place"]) == (2, "CONF010", f"run.toml:{line} placement.actors.Cros-1")
    assert done.err == (
        f"CONF010 run.toml:{line} placement.actors.Cros-1: no actor 'Cros-1'. Did you mean 'Cross-1'?\n"
    )
    assert not (run_file.parent / "runs").exists()
