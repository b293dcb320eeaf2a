"""The job that every engine does, its bars, and what an engine answers.

After the close of each bar the target is long `quantity` when EMA(fast) has come above EMA(slow) and short when it has
come below; from the first cross on the job is always in the market. One market order, of twice the quantity (the first
time: once), flips the position at the open of the next bar. Each fill pays `fee_rate` of its value. An EMA begins with
the mean of its first n closes; which side the averages are on at first is no cross, and equal averages keep the side.

The numbers are chosen so that nothing is left to an engine's own taste:
- A bar opens where the one before closed. So "at the close of the signal's bar" and "at the next open" are one price,
  and an engine that knows only the former can do the job too.
- A fee is quantity * rate * price = price in cents exactly, so that engines with floats and with cents agree.
- Each bar trades at least 40 times the size of an order: no engine's limit on a share of the volume is met.
- The account is ten times a position's value: margin never decides. Nothing fills after the last bar.

Only the standard library and numpy are needed here: this file is read in each engine's own environment.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

__all__ = [
    "JOB",
    "MINUTE_NS",
    "WARM_UP_BARS",
    "Answer",
    "Bars",
    "CrossRule",
    "Ema",
    "Engine",
    "Job",
    "ema_column",
    "plain_answer",
    "synthetic_bars",
]

WARM_UP_BARS: Final = 2_000
FEE_DIVISOR: Final = 10_000
"""The fee rate, one in ten thousand, as whole numbers have it."""
MINUTE_NS: Final = 60_000_000_000
START_NS: Final = 1_704_067_200_000_000_000
"""2024-01-01T00:00:00Z; the first bar closes a minute later."""

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Job:
    """The strategy's numbers and the account's. Prices are in ticks of a cent."""

    fast: int = 10
    slow: int = 20
    quantity: int = 10_000
    fee_rate: float = 0.0001
    balance: int = 10_000_000
    ticks_per_unit: int = 100


JOB: Final = Job()


@dataclass(frozen=True)
class Bars:
    """Minute bars as columns: prices in ticks, volume in units, `ts_ns` the time of the close."""

    ts_ns: Integers
    open: Integers
    high: Integers
    low: Integers
    close: Integers
    volume: Integers

    def __len__(self) -> int:
        return len(self.ts_ns)

    def first(self, count: int) -> "Bars":
        """Take the first `count` bars."""
        return Bars(**{name: column[:count] for name, column in vars(self).items()})

    def price(self, name: str) -> Floats:
        """Give a price column in units of the currency: the double that is nearest to the tick."""
        ticks: Integers = getattr(self, name)
        return ticks / float(JOB.ticks_per_unit)

    def save(self, path: Path) -> None:
        """Write the columns as one `.npz` file."""
        np.savez(path, **vars(self))

    @classmethod
    def load(cls, path: Path) -> "Bars":
        """Read what `save` wrote."""
        with np.load(path) as columns:
            return cls(**{name: columns[name] for name in cls.__dataclass_fields__})


def synthetic_bars(count: int, *, seed: int, ticks_per_minute: float = 3.0) -> Bars:
    """Make a random walk from 100.00 by whole cents, normal steps. Raises `ValueError` if it would fall to 1.00."""
    chance = np.random.default_rng(seed)
    close = 10_000 + np.cumsum(np.rint(chance.normal(0.0, ticks_per_minute, count)).astype(np.int64))
    first_open = np.array([10_000], dtype=np.int64)
    opened = np.concatenate([first_open, close[:-1]])
    high = np.maximum(opened, close) + chance.integers(0, 4, count)
    low = np.minimum(opened, close) - chance.integers(0, 4, count)
    if low.min() <= JOB.ticks_per_unit:
        raise ValueError(f"seed {seed}: the walk falls to {low.min()} cents within {count} bars; take another seed")
    ts_ns = START_NS + MINUTE_NS * np.arange(1, count + 1, dtype=np.int64)
    volume = chance.integers(800_000, 1_200_000, count) * 2
    return Bars(ts_ns, opened, high, low, close, volume)


class Ema:
    """An EMA as a handler keeps it: None before the n-th close, there the mean of the n, then a step to each close."""

    def __init__(self, period: int) -> None:
        self._period, self._alpha = period, 2.0 / (period + 1)
        self._first: list[float] = []
        self.value: float | None = None

    def update(self, close: float) -> float | None:
        """Take the next close and give the average."""
        if self.value is not None:
            self.value += self._alpha * (close - self.value)
            return self.value
        self._first.append(close)
        if len(self._first) == self._period:
            self.value = sum(self._first) / self._period
        return self.value


class CrossRule:
    """When to order: the averages change sides. The side that they are on at first is no cross."""

    def __init__(self) -> None:
        self._side = 0
        self._position = 0

    def order_size(self, fast: float, slow: float) -> int:
        """Give the signed size of the market order that these averages call for; 0 for none."""
        side = 1 if fast > slow else -1 if fast < slow else self._side
        if side == self._side:
            return 0
        was_known, self._side = self._side != 0, side
        if not was_known:
            return 0
        size = side * JOB.quantity - self._position
        self._position += size
        return size


def ema_column(close: Floats, period: int) -> Floats:
    """Compute the same averages of a whole column, NaN before the first, with pandas' exponential mean."""
    import pandas as pd

    tail = close[period - 1 :].copy()
    tail[0] = close[:period].mean()
    averages: Floats = pd.Series(tail).ewm(alpha=2.0 / (period + 1), adjust=False).mean().to_numpy()
    return np.concatenate([np.full(period - 1, np.nan), averages])


@dataclass(frozen=True)
class Answer:
    """What came out: the number of fills, a hash over (signed quantity, price in ticks) of each, equity in cents."""

    fills: int
    fills_hash: str
    equity_cents: int

    @classmethod
    def of(cls, fills: Sequence[tuple[float, float]], equity: float) -> "Answer":
        """Make it of (signed quantity, price) pairs in order of execution and the equity marked at the last close."""
        lines = [f"{round(quantity)} {round(price * JOB.ticks_per_unit)}" for quantity, price in fills]
        digest = hashlib.blake2b("\n".join(lines).encode(), digest_size=6).hexdigest()
        return cls(len(lines), digest, round(equity * 100))

    def as_json(self) -> dict[str, Any]:
        """Give the answer as plain values."""
        return asdict(self)


def plain_answer(bars: Bars) -> Answer:
    """Do the job without any engine: the rule over the closes, and the money in whole cents.

    A fill of q at p ticks moves the cash by -q * p cents and, at one in ten thousand of 10,000, by a fee of p cents per
    10,000: no rounding anywhere. A signal after the last bar is not filled.
    """
    fast, slow, rule = Ema(JOB.fast), Ema(JOB.slow), CrossRule()
    fills: list[tuple[int, int]] = []
    waiting = position = 0
    cash_cents = JOB.balance * 100
    for price, open_ticks in zip(bars.price("close").tolist(), bars.open.tolist(), strict=True):
        if waiting:
            fills.append((waiting, open_ticks))
            position += waiting
            cash_cents -= waiting * open_ticks + abs(waiting) // FEE_DIVISOR * open_ticks
        ahead, behind = fast.update(price), slow.update(price)
        waiting = 0 if ahead is None or behind is None else rule.order_size(ahead, behind)
    equity_cents = cash_cents + position * int(bars.close[-1])
    return Answer.of([(size, ticks / JOB.ticks_per_unit) for size, ticks in fills], equity_cents / 100)


class Engine(Protocol):
    """How the job is given to one engine. Only `run` is timed."""

    distribution: str
    """Name of the package whose version is shown."""
    note: str
    """Settings that make the engine's rules equal to the job's."""

    def prepare(self, bars: Bars) -> Any:  # noqa: ANN401 - each engine has its own form of bars
        """Make of the bars what this engine reads."""

    def run(self, native: Any) -> Any:  # noqa: ANN401 - each engine has its own result
        """Do the job, from the engine's form of the bars to the final equity."""

    def answer(self, result: Any) -> Answer:  # noqa: ANN401 - each engine has its own result
        """Read fills and equity of the result."""
