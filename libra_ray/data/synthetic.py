"""Seeded market data of any size, equal on every machine.

Random numbers are the raw 64-bit output of Philox 4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2,
3", SC 2011), which numpy keeps stable, keyed by the seed, the type and the instrument. What follows is integer
arithmetic and IEEE products in order, no transcendental function, so that one seed gives one digest.
"""

from hashlib import blake2b
from typing import Final

import numpy as np
import numpy.typing as npt

from libra_ray.data.arrow_arrays import Int64s
from libra_ray.data.dataset import Dataset, Stream
from libra_ray.errors import ConfigError, did_you_mean, quoted
from libra_ray.messages.schemas import BARS, QUOTES, TRADES, Schema
from libra_ray.model.identifiers import period_ns
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import STANDARD_PRECISION_MAX, DecimalLike

__all__ = ["synth"]

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
) -> Dataset:
    """`bars`, `quotes` or `trades` on the instrument's tick and step; O(rows), a million quotes in well under a second.

    The first bar closes one `period` after `start_ns`. `price` is where it begins. Bars are geometric Brownian motion
    by Euler's scheme, `volatility` the standard deviation of one bar's return. Quotes and trades come `interval_ns`
    apart in the mean, and walk by -1, 0 or 1 tick.

    Raises `ConfigError` CONF002 for a wrong argument, CONF011 for an instrument of more than 9 decimals.
    """
    schema = _checked(kind, instrument, rows, period)
    first_tick = instrument.price(price).raw // instrument.tick_raw
    if instrument.price(price).precision != instrument.price_precision or first_tick < 1:
        what = f"{quoted(price)} is not a price of {instrument.id}"
        raise ConfigError("CONF002", "price", what, "Give a positive multiple of its tick.", str(price))
    bits = np.random.Philox(key=_key(seed, kind, instrument))
    if schema is BARS:
        columns = _bars(bits, rows, first_tick, volatility)
        columns["ts_init_ns"] = start_ns + np.arange(1, rows + 1, dtype=np.int64) * period_ns(period)
    else:
        gaps = _uniform(bits, rows, max(2 * interval_ns, 1))
        columns = _quotes(bits, rows, first_tick) if schema is QUOTES else _trades(bits, rows, first_tick)
        columns["ts_init_ns"] = start_ns + np.cumsum(gaps)
    on_grid = {name: values * _grid(instrument, name) for name, values in columns.items()}
    return Dataset([Stream(schema, instrument, period, schema.table(instrument, on_grid, period=period))])


def _key(seed: int, kind: str, instrument: Instrument) -> npt.NDArray[np.uint64]:
    """Streams of one seed are independent of each other."""
    if not 0 <= seed < 2**64:
        raise ConfigError("CONF002", "seed", f"{seed} is out of range", "Give a number from 0 to 2^64 - 1.", str(seed))
    name = blake2b(f"{kind}:{instrument.id}".encode(), digest_size=8).digest()
    return np.array([seed, int.from_bytes(name, "little")], np.uint64)


def _checked(kind: str, instrument: Instrument, rows: int, period: str) -> Schema:
    if kind not in KINDS:
        raise ConfigError("CONF002", "kind", f"{quoted(kind)} is not made", did_you_mean(kind, list(KINDS)), kind)
    if rows < 1:
        raise ConfigError("CONF002", "rows", f"{rows} is not positive", "Give at least 1.", str(rows))
    if kind == BARS.name:
        period_ns(period)
    elif period:
        raise ConfigError("CONF002", "period", f"{kind} have no period", "Leave it out.", period)
    if max(instrument.price_precision, instrument.size_precision) > STANDARD_PRECISION_MAX:
        what = f"{instrument.id} has more than {STANDARD_PRECISION_MAX} decimals"
        raise ConfigError("CONF011", "instrument", what, "Use an instrument of standard precision.", instrument.id)
    return KINDS[kind]


def _grid(instrument: Instrument, name: str) -> int:
    """Raw units of one tick or step; 1 for columns that are neither."""
    if name in ("volume", "qty", "bid_qty", "ask_qty"):
        return instrument.step_raw
    return 1 if name in ("ts_init_ns", "aggressor") else instrument.tick_raw


def _bars(bits: np.random.Philox, rows: int, first_tick: int, volatility: float) -> dict[str, Int64s]:
    """Each bar is a path of 8 steps; it opens where the one before closed."""
    count = rows * STEPS_PER_BAR
    factors = 1.0 + _normal(bits, count) * (volatility / STEPS_PER_BAR**0.5)
    path = np.cumprod(np.concatenate(([float(first_tick)], factors)))
    ticks = np.clip(np.rint(path), 1, PRICE_RAW_MAX).astype(np.int64)
    steps = ticks[1:].reshape(rows, STEPS_PER_BAR)
    opens, closes = ticks[:-1:STEPS_PER_BAR], steps[:, -1]
    return {
        "open": opens,
        "high": np.maximum(steps.max(axis=1), opens),
        "low": np.minimum(steps.min(axis=1), opens),
        "close": closes,
        "volume": _uniform(bits, rows, 100 * SIZE_STEPS) + 1,
    }


def _quotes(bits: np.random.Philox, rows: int, first_tick: int) -> dict[str, Int64s]:
    """A mid that walks, and a spread of 1 to 3 ticks."""
    bids = _walk(bits, rows, first_tick)
    return {
        "bid_px": bids,
        "ask_px": bids + 1 + _uniform(bits, rows, SPREAD_TICKS_MAX),
        "bid_qty": _uniform(bits, rows, SIZE_STEPS) + 1,
        "ask_qty": _uniform(bits, rows, SIZE_STEPS) + 1,
    }


def _trades(bits: np.random.Philox, rows: int, first_tick: int) -> dict[str, Int64s]:
    """Buyers pay a tick more than sellers get."""
    aggressor = _uniform(bits, rows, 2) + 1
    return {
        "price": _walk(bits, rows, first_tick) + (aggressor == 1),
        "qty": _uniform(bits, rows, SIZE_STEPS) + 1,
        "aggressor": aggressor,
    }


def _walk(bits: np.random.Philox, rows: int, first_tick: int) -> Int64s:
    """-1, 0 or 1 a row; zero reflects."""
    walk: Int64s = np.abs(first_tick + np.cumsum(_uniform(bits, rows, 3) - 1))
    return np.maximum(walk, 1)


def _uniform(bits: np.random.Philox, count: int, bound: int) -> Int64s:
    """Integers from 0 to `bound` - 1. The bias of the modulo is below `bound` / 2^63."""
    raw = bits.random_raw(count)
    return ((raw >> np.uint64(1)) % np.uint64(bound)).astype(np.int64)


def _normal(bits: np.random.Philox, count: int) -> npt.NDArray[np.float64]:
    """About normal, mean 0 and variance 1: the sum of the four 16-bit parts of one number (Irwin-Hall), within 3.47."""
    raw = bits.random_raw(count)
    parts = sum((raw >> np.uint64(shift)) & np.uint64(0xFFFF) for shift in (0, 16, 32, 48))
    # The variance of a sum of four uniform 16-bit integers is 4 x (2^32 - 1) / 12.
    centred = np.asarray(parts).astype(np.int64) - 2 * 0xFFFF
    deviation = ((2**32 - 1) / 3) ** 0.5
    normal: npt.NDArray[np.float64] = centred / deviation
    return normal
