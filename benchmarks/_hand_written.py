"""The EMA cross as somebody writes it for this job alone: one numba loop over floats, nothing but position and cash."""

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["hand_written_cross"]

Prices = npt.NDArray[np.float64]


@njit(cache=True)
def hand_written_cross(
    open_: Prices, close: Prices, fast: int, slow: int, quantity: float, fee_rate: float, fills: Prices
) -> tuple[int, float]:
    """Flips at the next open, fees paid from cash. Signed quantity and price of each fill; how many, and cash."""
    fast_weight, slow_weight = 2.0 / (fast + 1), 2.0 / (slow + 1)
    fast_ema, slow_ema, side, wanted, held, cash, count = 0.0, 0.0, 0, 0.0, 0.0, 0.0, 0
    for i in range(len(close)):
        if wanted != held:
            size, px = wanted - held, open_[i]
            cash -= size * px + abs(size) * px * fee_rate
            fills[count, 0], fills[count, 1] = size, px
            count += 1
            held = wanted
        px = close[i]
        fast_ema += (px - fast_ema) / (i + 1) if i < fast else fast_weight * (px - fast_ema)
        slow_ema += (px - slow_ema) / (i + 1) if i < slow else slow_weight * (px - slow_ema)
        if i + 1 < slow:
            continue
        now = 1 if fast_ema > slow_ema else -1 if fast_ema < slow_ema else side
        if side not in (0, now):
            wanted = now * quantity
        side = now
    return count, cash
