"""Where bars end among columns of rows, in compiled code: each rule of the builders, over many rows at once."""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

from libra_ray.data.arrow_arrays import Int64s

__all__ = ["BAR_COLUMNS", "Made", "imbalance_ends", "renko_bars", "runs_ends", "value_bars", "volume_bars"]

Made: TypeAlias = npt.NDArray[np.int64]
"""One row per bar: the row of the source that closed it, open, high, low, close, volume."""
BAR_COLUMNS: Final = 6
BUYER, SELLER = 1, 2


def imbalance_ends(aggressor: Int64s, lead: int) -> Int64s:
    """The rows at which buyers lead sellers by `lead` trades since the last such row, or sellers buyers."""
    ends: Int64s = _imbalance(aggressor, lead)
    return ends


def runs_ends(aggressor: Int64s, trades: int) -> Int64s:
    """The rows at which one side has `trades` since the last such row."""
    ends: Int64s = _runs(aggressor, trades)
    return ends


def volume_bars(pieces: tuple[Int64s, ...], step_raw: int) -> tuple[Made, int]:
    """Bars of `step_raw` each, and the volume that is left. Pieces: open, high, low, close, quantity."""
    opens, highs, lows, closes, quantity = pieces
    count, rest = _volume(opens, highs, lows, closes, quantity, step_raw, np.empty((0, BAR_COLUMNS), np.int64))
    made = np.empty((count, BAR_COLUMNS), np.int64)
    _volume(opens, highs, lows, closes, quantity, step_raw, made)
    return made, int(rest)


def value_bars(pieces: tuple[Int64s, ...], value_raw: int, size_step_raw: int) -> tuple[Made, int]:
    """Bars whose price x quantity reaches `value_raw`, and the volume that is left."""
    opens, highs, lows, closes, quantity = pieces
    nothing = np.empty((0, BAR_COLUMNS), np.int64)
    count, rest = _value(opens, highs, lows, closes, quantity, value_raw, size_step_raw, nothing)
    made = np.empty((count, BAR_COLUMNS), np.int64)
    _value(opens, highs, lows, closes, quantity, value_raw, size_step_raw, made)
    return made, int(rest)


def renko_bars(opens: Int64s, closes: Int64s, quantity: Int64s, height_raw: int) -> tuple[Made, int]:
    """Bricks of `height_raw`, and the volume that is left."""
    count, rest = _renko(opens, closes, quantity, height_raw, np.empty((0, BAR_COLUMNS), np.int64))
    made = np.empty((count, BAR_COLUMNS), np.int64)
    _renko(opens, closes, quantity, height_raw, made)
    return made, int(rest)


@njit(cache=True)
def _imbalance(aggressor: Int64s, lead: int) -> Int64s:
    ends = np.empty(len(aggressor), np.int64)
    count = signed = 0
    for i in range(len(aggressor)):
        signed += (aggressor[i] == BUYER) - (aggressor[i] == SELLER)
        if abs(signed) >= lead:
            ends[count] = i
            count += 1
            signed = 0
    return ends[:count].copy()


@njit(cache=True)
def _runs(aggressor: Int64s, trades: int) -> Int64s:
    ends = np.empty(len(aggressor), np.int64)
    count = buys = sells = 0
    for i in range(len(aggressor)):
        buys += aggressor[i] == BUYER
        sells += aggressor[i] == SELLER
        if buys >= trades or sells >= trades:
            ends[count] = i
            count += 1
            buys = sells = 0
    return ends[:count].copy()


@njit(cache=True)
def _volume(  # type: ignore[no-untyped-def]  # noqa: ANN202
    opens: Int64s, highs: Int64s, lows: Int64s, closes: Int64s, quantity: Int64s, step: int, out: Made
):
    """How many bars there are, and the volume that is left; the bars go to `out` as far as it has room."""
    count = volume = first = high = low = 0
    is_empty = True
    for i in range(len(opens)):
        o, h, lo, c, left = opens[i], highs[i], lows[i], closes[i], quantity[i]
        while volume + left >= step:
            part = step - volume
            first, high, low = _joined(is_empty, first, high, low, o, h, lo)
            if count < len(out):
                out[count] = (i, first, high, low, c, step)
            count, volume, is_empty = count + 1, 0, True
            left -= part
            o = h = lo = c
            if left == 0:
                break
        if left or not quantity[i]:
            first, high, low = _joined(is_empty, first, high, low, o, h, lo)
            volume, is_empty = volume + left, False
    return count, volume


@njit(cache=True)
def _value(  # type: ignore[no-untyped-def]  # noqa: ANN202
    opens: Int64s,
    highs: Int64s,
    lows: Int64s,
    closes: Int64s,
    quantity: Int64s,
    step: int,
    size_step: int,
    out: Made,
):
    """As `_volume`, by price x quantity."""
    count = volume = value = first = high = low = 0
    is_empty = True
    for i in range(len(opens)):
        o, h, lo, c, left = opens[i], highs[i], lows[i], closes[i], quantity[i]
        px = abs(c)
        while value + px * left >= step:
            least = -(-(step - value) // px)
            part = min(-(-least // size_step) * size_step, left)
            first, high, low = _joined(is_empty, first, high, low, o, h, lo)
            if count < len(out):
                out[count] = (i, first, high, low, c, volume + part)
            count, volume, value, is_empty = count + 1, 0, 0, True
            left -= part
            o = h = lo = c
            if left == 0:
                break
        if left or not quantity[i]:
            first, high, low = _joined(is_empty, first, high, low, o, h, lo)
            volume, value, is_empty = volume + left, value + px * left, False
    return count, volume


@njit(cache=True)
def _renko(opens: Int64s, closes: Int64s, quantity: Int64s, height: int, out: Made):  # type: ignore[no-untyped-def]  # noqa: ANN202
    """As `_volume`, by bricks."""
    count = volume = level = 0
    for i in range(len(opens)):
        if i == 0:
            level = opens[0]
        volume += quantity[i]
        while abs(closes[i] - level) >= height:
            other = level + height if closes[i] > level else level - height
            if count < len(out):
                out[count] = (i, level, max(level, other), min(level, other), other, volume)
            count, volume, level = count + 1, 0, other
    return count, volume


@njit(cache=True)
def _joined(is_empty: bool, first: int, high: int, low: int, o: int, h: int, lo: int):  # type: ignore[no-untyped-def]  # noqa: ANN202, FBT001
    """Open, high and low of a bar that takes a row in."""
    if is_empty:
        return o, h, lo
    return first, max(high, h), min(low, lo)
