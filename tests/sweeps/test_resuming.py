"""Going on from a journal: only the rest is run, the table is the same, and another sweep is refused."""

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from libra_ray import ConfigError, Pruning, Range, SweepResult, System, sweep
from tests.sweeps.runs import bars, fragile_system

BARS = bars()
SEARCHES: dict[str, dict[str, Any]] = {
    "grid": {"grid": {"lookback": list(range(2, 14))}},
    "random": {"sampler": "random", "trials": 12},
    "tpe with pruning": {"sampler": "tpe", "trials": 16, "pruning": Pruning((0.5,), 0.5)},
    "nsga2": {"sampler": "nsga2", "trials": 18, "objectives": ("total_return", "max_drawdown")},
    "constraint": {"sampler": "lhs", "trials": 8, "constraints": (lambda each: each["lookback"] > 4,)},
}


def swept(journal: Path | None, system: System | None = None, **search: Any) -> SweepResult:  # noqa: ANN401
    given = {"grid": {"lookback": Range(2, 60)}, **search}
    return sweep(system or fragile_system(), data=BARS, workers=0, journal=journal, **given)


def rows(result: SweepResult) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = result.table.drop_columns(["seconds"]).to_pylist()
    return found


@pytest.mark.parametrize("name", SEARCHES)
def test_a_journal_cut_anywhere_gives_the_same_table(tmp_path: Path, name: str) -> None:
    whole = rows(swept(tmp_path / "j", **SEARCHES[name]))
    lines = (tmp_path / "j").read_bytes().splitlines(keepends=True)
    assert rows(swept(None, **SEARCHES[name])) == whole

    for kept in (1, 2, len(lines) // 2, len(lines)):
        (tmp_path / "j").write_bytes(b"".join(lines[:kept]))
        assert rows(swept(tmp_path / "j", **SEARCHES[name])) == whole
        assert len((tmp_path / "j").read_bytes().splitlines()) == len(lines)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"rank": "max_drawdown"}, "search"),
        ({"trials": 13}, "search"),
        ({"sampler": "lhs"}, "search"),
        ({"constraints": ["lookback > 3"]}, "search"),
        ({"seed": 3}, "system"),
        ({"grid": {"lookback": Range(2, 61)}}, "parameters"),
    ],
)
def test_another_search_is_refused(tmp_path: Path, change: dict[str, Any], part: str) -> None:
    search: dict[str, Any] = {"sampler": "random", "trials": 12, "objectives": ["total_return"]}
    swept(tmp_path / "j", **search)
    before = (tmp_path / "j").read_bytes()

    with pytest.raises(ConfigError, match=rf"CONF009 resume: .*{part} differ"):
        swept(tmp_path / "j", **{**search, **change})
    assert (tmp_path / "j").read_bytes() == before


def test_a_strategy_whose_text_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "import libra_ray as lr\nclass Idle(lr.Strategy):\n    pass\n"
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "idle_one.py").write_text(text)

    def system() -> System:
        module = importlib.reload(importlib.import_module("idle_one"))
        made = System("idle", seed=1).add_venue("SIM", account="margin", balances=["100_000 USD"])
        made.add(module.Idle())
        made.add(fragile_system().actors[0].make())
        return made

    swept(tmp_path / "j", system(), **SEARCHES["grid"])
    swept(tmp_path / "j", system(), **SEARCHES["grid"])
    (tmp_path / "idle_one.py").write_text(text + "# another one\n")

    with pytest.raises(ConfigError, match=r"CONF009 resume: .*code differ"):
        swept(tmp_path / "j", system(), **SEARCHES["grid"])
