"""`libra new`: a strategy, its configuration and its test, ready to run."""

import keyword
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Annotated, Final, TextIO

import typer

from libra_ray.cli.answer import Answer
from libra_ray.cli.options import Debug, Json
from libra_ray.errors import ConfigError, printable, quoted

__all__ = ["new"]

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")

STRATEGY: Final = '''\
"""${class_name}: long above the average of the last closes, short below it."""

from collections import deque

from pydantic import PositiveInt

from libra_ray import Bar, Strategy, StrategyConfig


class ${class_name}Config(StrategyConfig):
    """What to trade, and over how many bars the average runs."""

    instrument: str
    bars: str = "1h"
    length: PositiveInt = 20
    quantity: str = "1000"


class ${class_name}(Strategy):
    """Holds `quantity` on the side of the average that the last close is on."""

    config: ${class_name}Config

    def on_start(self) -> None:
        self.closes: deque[float] = deque(maxlen=self.config.length)
        self.subscribe_bars(self.config.instrument, self.config.bars)

    def on_bar(self, bar: Bar) -> None:
        self.closes.append(bar.close_f)
        if len(self.closes) < self.config.length:
            return
        average = sum(self.closes) / len(self.closes)
        side = 1 if bar.close_f > average else -1
        self.target(self.config.instrument, f"{'-' if side < 0 else ''}{self.config.quantity}")
'''

CONFIG: Final = """\
# Run it with: libra backtest ${module}.toml
# Try a grid:  libra sweep ${module}.toml

[run]
name = "${module}"
seed = 7

[data.synth]            # synthetic, so that it runs at once; see 'libra data import' for your own
instrument = "EURUSD.SIM"
type = "bars"
period = "1h"
rows = 5_000
price = "1.10"
seed = 7

[[venue]]
name = "SIM"
account = "margin"
balances = ["100_000 USD"]
fees = { maker = "0.00002", taker = "0.00005" }

[strategy]
path = "${module}.${class_name}"

[strategy.config]
instrument = "EURUSD.SIM"
bars = "1h"
length = 20
quantity = "10_000"

[sweep]
rank = "sharpe_ratio"

[grid]
length = [10, 20, 50, 100]
"""

TEST: Final = '''\
"""${class_name} trades, never faults, and does the same twice."""

from pathlib import Path

import libra_ray as lr
from libra_ray.simulation.run_config import load_run

CONFIG = Path(__file__).resolve().parents[1] / "${module}.toml"


def test_it_trades_without_a_fault_and_repeats_exactly() -> None:
    run = load_run(CONFIG)

    first = lr.backtest(run.system, data=run.data)
    second = lr.backtest(run.system, data=run.data)

    assert first.faults == []
    assert first.fills.num_rows > 0
    assert first.run_hash == second.run_hash
'''


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as mean_reversion or MeanReversion.")],
    *,
    into: Annotated[Path, typer.Option("--into", metavar="DIR", help="Where to write.")] = Path(),
    _json: Json = False,
    _debug: Debug = False,
) -> Answer:
    """Write a strategy, a run file and a test under one name. Nothing that exists is changed."""
    module, class_name = names(name)
    words = {"module": module, "class_name": class_name}
    files = {
        into / "strategies" / f"{module}.py": STRATEGY,
        into / f"{module}.toml": CONFIG,
        into / "tests" / f"test_{module}.py": TEST,
    }
    for path in files:
        if path.exists():
            raise ConfigError(
                "CONF000", printable(path), "this file exists", "Choose another name or folder.", str(path)
            )
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(Template(text).substitute(words))
        except OSError as error:
            what = f"cannot be written ({error.strerror})"
            raise ConfigError("CONF000", printable(path), what, "Choose a folder you may write to.") from error

    def show(out: TextIO) -> None:
        out.writelines(f"{path}\n" for path in files)
        out.write(f"Run it: libra backtest {into / f'{module}.toml'}\nTest it: pytest {into / 'tests'}\n")

    return Answer({"files": [str(path) for path in files], "module": module, "class": class_name}, show)


def names(name: str) -> tuple[str, str]:
    """Module and class: `MeanReversion` and `mean_reversion` are one name. Raises `ConfigError` CONF000."""
    fix = "Use letters, digits and '_', beginning with a letter."
    if _NAME.fullmatch(name) is None:
        raise ConfigError("CONF000", None, f"{quoted(name)} cannot name a strategy", fix, name)
    module = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_")
    if keyword.iskeyword(module) or module in sys.stdlib_module_names or find_spec(module) is not None:
        raise ConfigError("CONF000", None, f"{quoted(module)} is taken by Python", "Choose another name.", name)
    return module, "".join(part.capitalize() for part in module.split("_"))
