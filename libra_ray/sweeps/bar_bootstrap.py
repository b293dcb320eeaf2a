"""Markets that could have been: bars of a dataset put together anew from blocks of its own returns.

The stationary bootstrap of Politis, D. N. and Romano, J. P. (1994), "The Stationary Bootstrap", Journal of the
American Statistical Association 89: blocks begin anywhere with equal chance, run on over the end to the beginning, and
have a geometric length. Returns inside a block keep their order, and so what links them over a block's length.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from libra_ray.data import Dataset, Stream
from libra_ray.data.synthetic.noise import Noise
from libra_ray.errors import ConfigError
from libra_ray.messages.schemas import BARS

__all__ = ["block_rows_of", "check_resampled", "drawn_rows", "resampled"]

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
PRICES: Final = ("open", "high", "low", "close")
ROWS_MIN: Final = 3


def check_resampled(data: Dataset) -> None:
    """Raises `ConfigError` CONF002 for data that cannot be put together anew: no bars, too few, prices not above 0."""
    for stream in data.streams:
        fix = 'Use bars alone, or method = "trades".'
        if stream.schema is not BARS:
            what = f"{stream.topic} holds no bars, and only bars are put together anew"
            raise ConfigError("CONF002", "monte_carlo", what, fix, stream.topic)
        if stream.rows < ROWS_MIN:
            what = f"{stream.topic} has {stream.rows} rows, and blocks need {ROWS_MIN}"
            raise ConfigError("CONF002", "monte_carlo", what, "Give more data.", str(stream.rows))
        if min(min(stream.raw(name)) for name in PRICES) <= 0:
            what = f"{stream.topic} has prices that are not above 0, which have no returns"
            raise ConfigError("CONF002", "monte_carlo", what, fix, stream.topic)


def block_rows_of(data: Dataset) -> int:
    """The mean length of a block where none is given: the cube root of the rows of the longest stream, rounded up.

    The order of the length that is best for a mean; Hall, P., Horowitz, J. L. and Jing, B.-Y. (1995), "On blocking
    rules for the bootstrap with dependent data", Biometrika 82(3).
    """
    rows = max(stream.rows for stream in data.streams)
    length = 1
    while length**3 < rows:
        length += 1
    return length


def drawn_rows(count: int, *, block_rows: int, noise: Noise) -> Rows:
    """`count` row numbers from 0 to `count` - 1 in blocks of `block_rows` rows in the mean.

    Each row begins a new block with a chance of 1 in `block_rows`, wherever; else it follows the one before it, 0 after
    the last. Two draws of `noise` a row, whatever comes of them.
    """
    begins = noise.uniform(count) < 1 / block_rows
    starts = noise.integers(count, max(count, 1))
    begins[:1] = True
    places = np.arange(count)
    first = np.maximum.accumulate(np.where(begins, places, 0))
    rows: Rows = (starts[first] + places - first) % max(count, 1)
    return rows


def resampled(data: Dataset, *, block_rows: int, seed: int, path: int) -> Dataset:
    """Path number `path`: the same times and first prices, and behind them returns in another order.

    A bar is drawn as a whole: its open, high, low and close relative to the close before it, and its volume. Prices are
    rounded to the tick, and are one tick at least. Streams with the same times are drawn together, so what links
    instruments stays; others are drawn apart. The path depends on the seed and its number alone (a Philox stream of
    its own). Expects data that `check_resampled` passed. O(rows).
    """
    drawn: dict[bytes, Rows] = {}
    streams = []
    for stream in data.streams:
        times = stream.ts_ns.tobytes()
        if times not in drawn:
            noise = Noise(seed, f"bars:{path}:{len(drawn)}")
            drawn[times] = drawn_rows(stream.rows - 1, block_rows=block_rows, noise=noise) + 1
        streams.append(_stream(stream, drawn[times]))
    return Dataset(streams)


def _stream(stream: Stream, source: Rows) -> Stream:
    """Row 0 as it is, then the rows `source`, moved to where the price now stands."""
    raw = {name: np.array(stream.raw(name), np.float64) for name in PRICES}
    before = raw["close"][source - 1]
    growth = raw["close"][source] / before
    stood = raw["close"][0] * np.cumprod(np.concatenate(([1.0], growth)))
    tick_raw = stream.instrument.tick_raw
    columns: dict[str, npt.ArrayLike] = {
        name: _on_grid(np.concatenate((raw[name][:1], stood[:-1] * (raw[name][source] / before))), tick_raw)
        for name in PRICES
    }
    volume = stream.raw("volume")
    order = [0, *source.tolist()]
    columns["volume"] = [volume[row] for row in order] if isinstance(volume, list) else volume[order]
    columns |= {name: stream.raw(name) for name in ("ts_event_ns", "ts_init_ns")}
    table = stream.schema.table(stream.instrument, columns, period=stream.period)
    return Stream(stream.schema, stream.instrument, stream.period, table, order_known=True)


def _on_grid(prices_raw: Floats, tick_raw: int) -> Sequence[int] | Rows:
    ticks = np.maximum(np.rint(prices_raw / tick_raw), 1.0)
    if float(ticks.max()) * tick_raw < 2.0**62:
        on_grid: Rows = ticks.astype(np.int64) * tick_raw
        return on_grid
    return [int(count) * tick_raw for count in ticks.tolist()]
