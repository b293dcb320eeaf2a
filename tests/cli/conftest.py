"""The `libra` command as people start it: a process of its own, in a folder of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

ROOT = Path(__file__).resolve().parents[2]

RUN_FILE = """\
[run]
name = "trial"
seed = 7

[data.synth]
instrument = "EURUSD.SIM"
type = "bars"
period = "1h"
rows = 600
price = "1.1"

[[venue]]
name = "SIM"
account = "margin"
balances = ["100_000 USD"]
fees = { maker = "0.00002", taker = "0.00005" }

[risk]
max_order_rate = "100/1s"

[strategy]
path = "cross.Cross"

[strategy.config]
length = 20
"""

CROSS = """\
from libra_ray import Bar, Strategy, StrategyConfig


class CrossConfig(StrategyConfig):
    length: int = 20
    quantity: str = "1000"


class Cross(Strategy):
    config: CrossConfig

    def on_start(self) -> None:
        self.closes: list[float] = []
        self.subscribe_bars("EURUSD.SIM", "1h")

    def on_bar(self, bar: Bar) -> None:
        self.closes.append(bar.close_f)
        last = self.closes[-self.config.length :]
        if len(last) == self.config.length:
            sign = "" if bar.close_f > sum(last) / len(last) else "-"
            self.target("EURUSD.SIM", sign + self.config.quantity)


class Boom(Strategy):
    def on_start(self) -> None:
        raise ValueError("x")


class Late(Cross):
    def on_bar(self, bar: Bar) -> None:
        super().on_bar(bar)
        print("from the strategy")
        if len(self.closes) == 300:
            raise KeyError("late")


class NotOne:
    pass
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        read: dict[str, Any] = json.loads(self.out)
        return read


class Libra(Protocol):
    """Runs one command."""

    def __call__(self, *arguments: str, **environment: str) -> Ended: ...


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "libra_ray", *arguments]


def environment(**more: str) -> dict[str, str]:
    """The environment of this process, in which a checkout is found without being installed."""
    paths = [str(ROOT), str(ROOT / "actors"), *filter(None, [os.environ.get("PYTHONPATH")])]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIBRA_") or "__" not in name}
    return {**kept, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200", **more}


@pytest.fixture
def libra(tmp_path: Path) -> Libra:
    """`libra("backtest", "run.toml")`, run in `tmp_path`."""

    def run(*arguments: str, **more: str) -> Ended:
        done = subprocess.run(
            command(*arguments), cwd=tmp_path, env=environment(**more), capture_output=True, text=True, check=False
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    """`run.toml` and the strategies it names."""
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "cross.py").write_text(CROSS)
    path = tmp_path / "run.toml"
    path.write_text(RUN_FILE)
    return path
