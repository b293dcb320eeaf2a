"""Markets made by hand, and a short way to run one strategy in one of them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import numpy as np

import libra_ray as lr
from libra_ray.messages.schemas import BARS, QUOTES

HOUR_NS = 3_600 * 10**9
SECOND_NS = 10**9
STOCK = lr.equity("ABC.SIM", quote="USD")
OTHER = lr.equity("XYZ.SIM", quote="USD")


class Deal(NamedTuple):
    """A fill, as a person would note it: hour, side, quantity and price in whole units."""

    hour: int
    side: str
    quantity: Decimal | int
    price: Decimal | int


def bars(
    closes: Sequence[float], *, instrument: lr.Instrument = STOCK, hours: Sequence[int] | None = None
) -> lr.Stream:
    """Hourly bars that open at the former close; prices in dollars, on the cent."""
    close = np.round(np.array(closes, np.float64) * 100).astype(np.int64)
    opening = np.concatenate([close[:1], close[:-1]])
    at = np.arange(1, len(close) + 1) if hours is None else np.array(hours)
    columns = {
        "ts_init_ns": at * HOUR_NS,
        "open": opening,
        "high": np.maximum(opening, close),
        "low": np.minimum(opening, close),
        "close": close,
        "volume": np.full(len(close), 1_000_000),
    }
    return lr.Stream(BARS, instrument, "1h", BARS.table(instrument, columns, period="1h"))


def quotes(bids_and_asks: Sequence[tuple[int, int]], *, instrument: lr.Instrument = STOCK) -> lr.Stream:
    """One quote a second; prices in ticks, a million on each side."""
    bid, ask = (np.array(side, np.int64) for side in zip(*bids_and_asks, strict=True))
    size = np.full(len(bid), 1_000_000)
    times = np.arange(1, len(bid) + 1) * SECOND_NS
    columns = {"ts_init_ns": times, "bid_px": bid, "ask_px": ask, "bid_qty": size, "ask_qty": size}
    return lr.Stream(QUOTES, instrument, "", QUOTES.table(instrument, columns))


def random_walk(rows: int, *, seed: int, volatility: float = 0.01) -> list[float]:
    """Prices near 100."""
    steps = np.random.default_rng(seed).normal(0.0, volatility, rows)
    return [float(price) for price in np.round(100.0 * np.exp(np.cumsum(steps)), 2)]


def run(
    strategy: lr.Strategy, *streams: lr.Stream, account: str = "margin", risk: dict[str, object] | None = None
) -> lr.BacktestResult:
    """One backtest with a million dollars and no fees; a run with a fault fails the test."""
    system = lr.System("test", seed=1)
    system.add_venue("SIM", account=account, balances=["1_000_000 USD"])
    system.risk(**(risk or {}))
    system.add(strategy)
    result = lr.backtest(system, data=lr.Dataset(streams))
    assert result.faults == []
    return result


def deals(result: lr.BacktestResult, instrument: lr.Instrument = STOCK) -> list[Deal]:
    """The fills of one instrument, in order. Bars are stamped at their close: hour 3 opens where hour 2 closed."""
    rows = [row for row in result.fills.to_pylist() if row["instrument_id"] == instrument.id]
    return [Deal(row["ts_ns"] // HOUR_NS, row["side"], row["last_qty"], row["last_px"]) for row in rows]
