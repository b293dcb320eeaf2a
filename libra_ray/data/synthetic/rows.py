"""Seeded bars, quotes and trades of one instrument, equal on every machine."""

from typing import Final

import numpy as np

from libra_ray.data.arrow_arrays import Int64s
from libra_ray.data.dataset import Dataset, Stream
from libra_ray.data.synthetic.noise import Floats, Noise
from libra_ray.data.synthetic.processes import Process
from libra_ray.errors import ConfigError, did_you_mean, quoted
from libra_ray.messages.schemas import BARS, QUOTES, TRADES, Schema
from libra_ray.model.identifiers import period_ns
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import STANDARD_PRECISION_MAX, DecimalLike

__all__ = ["START_NS", "first_tick_of", "refuse_high_precision", "stream_of", "synth"]

START_NS: Final = 1_704_067_200 * 10**9
"""2024-01-01, a Monday."""
STEPS_PER_BAR: Final = 8
SPREAD_TICKS_MAX: Final = 3
SIZE_STEPS: Final = 1_000
PRICE_RAW_MAX: Final = 10**17
KINDS: Final = {schema.name: schema for schema in (BARS, QUOTES, TRADES)}


def synth(
    kind: str,
    instrument: Instrument,
    *,
    rows: int,
    period: str = "",
    seed: int = 1,
    start_ns: int = START_NS,
    price: DecimalLike = 100,
    volatility: float = 0.001,
    interval_ns: int = 10**9,
    process: Process | None = None,
) -> Dataset:
    """`bars`, `quotes` or `trades` on the instrument's tick and step; O(rows), a million quotes in well under a second.

    The first bar closes one `period` after `start_ns`. `price` is where it begins. `process` moves the price: `Gbm`,
    `JumpDiffusion`, `Heston`, `OrnsteinUhlenbeck`, with parameters per row. Without one, bars are geometric Brownian
    motion with `volatility` as the standard deviation of one bar's return, its steps within 3.47 of their deviation,
    and quotes and trades walk by -1, 0 or 1 tick. Quotes and trades come `interval_ns` apart in the mean.

    Raises `ConfigError` CONF002 for a wrong argument, CONF011 for an instrument of more than 9 decimals.
    """
    schema = _checked(kind, instrument, rows, period)
    first_tick = first_tick_of(instrument, price)
    noise = Noise(seed, f"{kind}:{instrument.id}")
    if schema is BARS:
        columns = _bars(noise, rows, first_tick, volatility, process)
        columns["ts_init_ns"] = start_ns + np.arange(1, rows + 1, dtype=np.int64) * period_ns(period)
    else:
        gaps = noise.integers(rows, max(2 * interval_ns, 1))
        path = None if process is None else _ticks(process.path(noise, rows), first_tick)[:-1]
        columns = (_quotes if schema is QUOTES else _trades)(noise, rows, first_tick, path)
        columns["ts_init_ns"] = start_ns + np.cumsum(gaps)
    return Dataset([stream_of(schema, instrument, columns, period=period)])


def stream_of(schema: Schema, instrument: Instrument, columns: dict[str, Int64s], *, period: str = "") -> Stream:
    """A stream of columns that count in ticks and steps."""
    on_grid = {name: values * _grid(instrument, name) for name, values in columns.items()}
    return Stream(schema, instrument, period, schema.table(instrument, on_grid, period=period))


def first_tick_of(instrument: Instrument, price: DecimalLike) -> int:
    """The price in ticks. Raises `ConfigError` CONF002 for one that is none of the instrument or not positive."""
    given = instrument.price(price)
    if given.precision != instrument.price_precision or given.raw < instrument.tick_raw:
        what = f"{quoted(price)} is not a price of {instrument.id}"
        raise ConfigError("CONF002", "price", what, "Give a positive multiple of its tick.", str(price))
    return given.raw // instrument.tick_raw


def refuse_high_precision(instrument: Instrument) -> None:
    """Raises `ConfigError` CONF011 for an instrument of more than 9 decimals."""
    if max(instrument.price_precision, instrument.size_precision) > STANDARD_PRECISION_MAX:
        what = f"{instrument.id} has more than {STANDARD_PRECISION_MAX} decimals"
        raise ConfigError("CONF011", "instrument", what, "Use an instrument of standard precision.", instrument.id)


def _checked(kind: str, instrument: Instrument, rows: int, period: str) -> Schema:
    if kind not in KINDS:
        raise ConfigError("CONF002", "kind", f"{quoted(kind)} is not made", did_you_mean(kind, list(KINDS)), kind)
    if rows < 1:
        raise ConfigError("CONF002", "rows", f"{rows} is not positive", "Give at least 1.", str(rows))
    if kind == BARS.name:
        period_ns(period)
    elif period:
        raise ConfigError("CONF002", "period", f"{kind} have no period", "Leave it out.", period)
    refuse_high_precision(instrument)
    return KINDS[kind]


def _grid(instrument: Instrument, name: str) -> int:
    """Raw units of one tick or step; 1 for columns that are neither."""
    if name in ("volume", "qty", "bid_qty", "ask_qty"):
        return instrument.step_raw
    return instrument.tick_raw if name.endswith("px") or name in ("price", "open", "high", "low", "close") else 1


def _ticks(path: Floats, first_tick: int) -> Int64s:
    """A path of factors as whole ticks of a price that begins at `first_tick` and never falls below one."""
    ticks: Int64s = np.clip(np.rint(path * float(first_tick)), 1, PRICE_RAW_MAX).astype(np.int64)
    return ticks


def _bars(noise: Noise, rows: int, first_tick: int, volatility: float, process: Process | None) -> dict[str, Int64s]:
    """Each bar is a path of 8 steps; it opens where the one before closed."""
    if process is None:
        factors = 1.0 + noise.bell(rows * STEPS_PER_BAR) * (volatility / STEPS_PER_BAR**0.5)
        prices = np.multiply.accumulate(np.concatenate(([float(first_tick)], factors)), dtype=np.float64)
        ticks = _ticks(prices, 1)
    else:
        ticks = _ticks(process.path(noise, rows, steps_per_row=STEPS_PER_BAR), first_tick)
    steps = ticks[1:].reshape(rows, STEPS_PER_BAR)
    opens, closes = ticks[:-1:STEPS_PER_BAR], steps[:, -1]
    return {
        "open": opens,
        "high": np.maximum(steps.max(axis=1), opens),
        "low": np.minimum(steps.min(axis=1), opens),
        "close": closes,
        "volume": noise.integers(rows, 100 * SIZE_STEPS) + 1,
    }


def _quotes(noise: Noise, rows: int, first_tick: int, path: Int64s | None) -> dict[str, Int64s]:
    """A bid that moves, and a spread of 1 to 3 ticks."""
    bids = _walk(noise, rows, first_tick) if path is None else path
    return {
        "bid_px": bids,
        "ask_px": bids + 1 + noise.integers(rows, SPREAD_TICKS_MAX),
        "bid_qty": noise.integers(rows, SIZE_STEPS) + 1,
        "ask_qty": noise.integers(rows, SIZE_STEPS) + 1,
    }


def _trades(noise: Noise, rows: int, first_tick: int, path: Int64s | None) -> dict[str, Int64s]:
    """Buyers pay a tick more than sellers get."""
    aggressor = noise.integers(rows, 2) + 1
    prices = _walk(noise, rows, first_tick) if path is None else path
    return {"price": prices + (aggressor == 1), "qty": noise.integers(rows, SIZE_STEPS) + 1, "aggressor": aggressor}


def _walk(noise: Noise, rows: int, first_tick: int) -> Int64s:
    """-1, 0 or 1 a row; zero reflects."""
    walk: Int64s = np.abs(first_tick + np.cumsum(noise.integers(rows, 3) - 1))
    return np.maximum(walk, 1)
