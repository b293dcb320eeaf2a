"""Looking ahead: the next row that touches a waiting order.

With orders open, a replay asks this once per block instead of testing every row. The loops are compiled; for columns of
Python integers (high precision) the same text runs interpreted.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["NEVER_FALL", "NEVER_RISE", "Column", "next_quote_touch", "next_touch"]

Column: TypeAlias = "npt.NDArray[np.int64] | Sequence[int]"

NEVER_FALL: Final = -(2**62)
"""A price that no row falls to (standard precision keeps |raw| below 10^18)."""
NEVER_RISE: Final = 2**62
"""A price that no row rises to."""


@njit(cache=True)
def _touch(low: Column, high: Column, start: int, stop: int, fall_px: int, rise_px: int) -> int:
    for i in range(start, stop):
        if low[i] <= fall_px or high[i] >= rise_px:
            return i
    return stop


@njit(cache=True)
def _quote_touch(
    bid: Column, ask: Column, start: int, stop: int, bid_fall: int, bid_rise: int, ask_fall: int, ask_rise: int
) -> int:
    for i in range(start, stop):
        if ask[i] <= ask_fall or ask[i] >= ask_rise or bid[i] <= bid_fall or bid[i] >= bid_rise:
            return i
    return stop


def next_touch(low: Column, high: Column, start: int, stop: int, fall_px: int, rise_px: int) -> int:
    """The first row in [start, stop) with low <= `fall_px` or high >= `rise_px`; `stop` where there is none."""
    scan = _touch if isinstance(low, np.ndarray) else _touch.py_func
    return int(scan(low, high, start, stop, fall_px, rise_px))


def next_quote_touch(
    bid: Column, ask: Column, start: int, stop: int, bid_px: tuple[int, int], ask_px: tuple[int, int]
) -> int:
    """The first row in [start, stop) whose bid or ask falls to the first or rises to the second price of its pair."""
    scan = _quote_touch if isinstance(bid, np.ndarray) else _quote_touch.py_func
    return int(scan(bid, ask, start, stop, *bid_px, *ask_px))
