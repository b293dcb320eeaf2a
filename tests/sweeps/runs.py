"""Systems, data and strategies that the tests of sweeps run; workers import this module too."""

import os
import signal
from typing import Any

from libra_ray import Bar, Dataset, Strategy, StrategyConfig, System, pair, synth

PAIR = "EURUSD.SIM"


class HolderConfig(StrategyConfig):
    """Settings of any kind."""

    bars: Any = "1h"
    lookback: Any = 1
    threshold: Any = 0.5
    label: Any = ""


class Holder(Strategy):
    """Does nothing."""

    config: HolderConfig


class MoverConfig(StrategyConfig):
    """One setting that `Holder` has not."""

    speed: int = 1


class Mover(Strategy):
    """Does nothing."""

    config: MoverConfig


class FragileConfig(StrategyConfig):
    """`mode` says what happens at bar `at`: `raise`, `exit` or `die`."""

    lookback: int
    mode: str = ""
    at: int = 5


class Fragile(Strategy):
    """Turns its position around every `lookback` bars, and may fail on the way."""

    config: FragileConfig

    def on_start(self) -> None:
        self._bars = 0
        self.subscribe_bars(PAIR, "1h")

    def on_bar(self, bar: Bar) -> None:
        self._bars += 1
        if self._bars == self.config.at:
            fail(self.config.mode)
        if self._bars % self.config.lookback == 0:
            side = 1 if self._bars // self.config.lookback % 2 else -1
            self.target(bar.spec.instrument_id, f"{1000 * side}")


def fail(mode: str) -> None:
    """Raise, exit or die; nothing for an empty mode."""
    if mode == "raise":
        raise ValueError("asked to")
    if mode == "exit":
        raise SystemExit(3)
    if mode == "die":
        os.kill(os.getpid(), signal.SIGKILL)


def bars(rows: int = 300) -> Dataset:
    """Synthetic hourly bars."""
    instrument = pair(PAIR, base="EUR", quote="USD", tick="0.00001", step="1")
    return synth("bars", instrument, rows=rows, period="1h", price="1.1", seed=3)


def fragile_system(**settings: Any) -> System:  # noqa: ANN401 - settings of Fragile
    """One `Fragile` with 100,000 USD."""
    system = System("fragile", seed=7)
    system.add_venue("SIM", account="margin", balances=["100_000 USD"])
    system.add(Fragile(FragileConfig(**{"lookback": 7, **settings})))
    return system
