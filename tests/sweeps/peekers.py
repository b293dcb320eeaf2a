"""Strategies that do, or do not, know what comes next; workers import this module too."""

from libra_ray import Bar, Dataset, Strategy, StrategyConfig, System, synth
from libra_ray.strategy.indicators import Ema, Sma
from tests.sweeps.runs import PAIR, bars

ROWS = 240


class PeekerConfig(StrategyConfig):
    """Closes of all bars, known beforehand, and how many bars ahead of the present one are looked at."""

    closes: tuple[int, ...] = ()
    ahead: int = 1


class Peeker(Strategy):
    """Buys where the close that many bars ahead is higher, sells where it is lower; acts on changes of side alone."""

    config: PeekerConfig

    def on_start(self) -> None:
        self.known = self.closes()
        self.seen = 0
        self.side = 0
        self.subscribe_bars(PAIR, "1h")

    def closes(self) -> tuple[int, ...]:
        return self.config.closes

    def on_bar(self, bar: Bar) -> None:
        then = min(max(self.seen + self.config.ahead, 0), len(self.known) - 1)
        side = 1 if self.known[then] > bar.close_raw else -1
        self.seen += 1
        if side != self.side:
            self.side = side
            self.target(PAIR, f"{1000 * side}")


class LoadingPeeker(Peeker):
    """Loads the data by itself, as the run does."""

    def closes(self) -> tuple[int, ...]:
        (stream,) = synth("bars", bars(1).streams[0].instrument, rows=ROWS, period="1h", price="1.1", seed=3).streams
        return tuple(int(raw) for raw in stream.raw("close"))


class Clumsy(Peeker):
    """Does not notice that it is beyond the end."""

    def on_bar(self, bar: Bar) -> None:
        side = 1 if self.known[self.seen + self.config.ahead] > bar.close_raw else -1
        self.seen += 1
        if self.seen % 10 == 0:
            self.target(PAIR, f"{1000 * side}")


class CrossConfig(StrategyConfig):
    """Periods; `is_exact` averages over a window, which forgets, instead of recursively."""

    fast: int = 5
    slow: int = 20
    is_exact: bool = False


class Cross(Strategy):
    """Long while a fast average is above a slow one, else short."""

    config: CrossConfig

    def on_start(self) -> None:
        kind = Sma if self.config.is_exact else Ema
        self._fast, self._slow = kind(self.config.fast), kind(self.config.slow)
        self.side = 0
        self.subscribe_bars(PAIR, "1h")

    def on_bar(self, bar: Bar) -> None:
        fast, slow = self._fast.update(bar.close_f), self._slow.update(bar.close_f)
        if fast is None or slow is None:
            return
        side = 1 if fast > slow else -1
        if side != self.side:
            self.side = side
            self.target(PAIR, f"{1000 * side}")

    def on_stop(self) -> None:
        self.target(PAIR, "0")


class Rememberer(Strategy):
    """Trades on every tenth bar since it began: no history is ever enough."""

    def on_start(self) -> None:
        self.seen = 0
        self.subscribe_bars(PAIR, "1h")

    def on_bar(self, _bar: Bar) -> None:
        self.seen += 1
        if self.seen % 10 == 0:
            self.target(PAIR, "1000" if self.seen % 20 else "-1000")


def system_of(strategy: Strategy) -> System:
    """One strategy with 100,000 USD."""
    system = System("honest", seed=7)
    system.add_venue("SIM", account="margin", balances=["100_000 USD"])
    system.add(strategy)
    return system


def closes_of(data: Dataset) -> tuple[int, ...]:
    """The closes of the only stream."""
    return tuple(int(raw) for raw in data.streams[0].raw("close"))
