"""The place of a resting order in the queue of its price: how much of the displayed size is ahead of it.

`fifo` counts what trades and what is no longer shown; `prob` says how much of a fall of the displayed size was ahead of
us. Pure functions over integers: the plain names are exact at any size, the names in `_64` are compiled for the replay
and as exact for all of standard precision.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from libra_ray.matching.forms import compiled

__all__ = ["after_fall_prob", "after_fall_prob_64", "after_size", "after_size_64", "after_trade", "after_trade_64"]


def after_trade(ahead: int, volume: int) -> tuple[int, int]:
    """A trade of `volume` at our price: how much of it can be ours, and what is ahead then."""
    return max(volume - ahead, 0), max(ahead - volume, 0)


def after_size(ahead: int, size: int) -> int:
    """`fifo`: a row shows `size` at our price, and nobody has more ahead than is there."""
    return min(ahead, size)


def after_fall_prob(ahead: int, size_before: int, size_after: int, traded: int, power: int, step: int) -> int:
    """`prob`: a row shows `size_after` at our price, the row before showed `size_before`, and `traded` went between.

    With c the fall beyond what traded, back = max(0, size_before - ahead) and k = back^n / (back^n + ahead^n):
    ahead - (1 - k) * c + min(back - k * c, 0), within [0, size_after], up to a whole size step. One exact fraction,
    rounded once. `ahead` is already without what traded.
    """
    fall = size_before - size_after - traded
    if fall <= 0 or ahead == 0:
        return min(ahead, size_after)
    back = max(size_before - ahead, 0)
    unit = step if ahead % step == 0 and back % step == 0 else 1  # k is the same in whole steps, and its powers smaller
    weight_ahead = weight_back = 1
    for _ in range(power):
        weight_ahead *= ahead // unit
        weight_back *= back // unit
    whole = weight_ahead + weight_back
    left = ahead * whole - weight_ahead * fall + min(back * whole - weight_back * fall, 0)
    return max(0, min(-(-left // (whole * step)) * step, size_after))


after_trade_64 = compiled(after_trade)
after_size_64 = compiled(after_size)
_fall_that_fits = compiled(after_fall_prob)

BITS_MAX: Final = 62
DIGIT_BITS: Final = 30
DIGIT: Final = (1 << DIGIT_BITS) - 1
DIGITS: Final = 24  # nine factors of 62 bits take 19


@compiled
def after_fall_prob_64(ahead: int, size_before: int, size_after: int, traded: int, power: int, step: int) -> int:
    """`after_fall_prob` compiled: where a power would not fit 64 bits, the whole step is searched by exact comparisons.

    Sizes below 2^60 and `power` 1 to 8, as in standard precision.
    """
    fall = size_before - size_after - traded
    if fall <= 0 or ahead == 0:
        return min(ahead, size_after)
    back = max(size_before - ahead, 0)
    unit = step if ahead % step == 0 and back % step == 0 else 1
    largest = max(ahead, size_before, fall, step)
    if power * _bits(max(ahead, back) // unit) + _bits(largest) + 3 <= BITS_MAX:
        return _fall_that_fits(ahead, size_before, size_after, traded, power, step)
    if not (back >= fall or _at_least(back, ahead, fall - back, back, power)):  # k * c is more than what was behind
        return max(0, min(-(-(ahead + back - fall) // step) * step, size_after))
    low, high = 0, -(-size_after // step)
    while low < high:
        steps = (low + high) // 2
        rest = ahead - steps * step  # is (rest - fall) * ahead^n + rest * back^n <= 0, so that `steps` are enough?
        is_enough = rest <= 0 or (rest <= fall and _at_least(fall - rest, ahead, rest, back, power))
        low, high = (low, steps) if is_enough else (steps + 1, high)
    return min(low * step, size_after)


@compiled
def _bits(value: int) -> int:
    bits = 0
    while value > 0:
        value >>= 1
        bits += 1
    return bits


@compiled
def _at_least(x: int, a: int, y: int, b: int, power: int) -> bool:
    """Whether x * a^power >= y * b^power, all of them 0 or more."""
    left, right = _product(x, a, power), _product(y, b, power)
    for i in range(DIGITS - 1, -1, -1):
        if left[i] != right[i]:
            return bool(left[i] > right[i])
    return True


@compiled
def _product(x: int, a: int, power: int) -> npt.NDArray[np.int64]:
    """Multiply x * a^power, in digits of 30 bits, the lowest first."""
    digits = np.zeros(DIGITS, np.int64)
    digits[0], digits[1], digits[2] = x & DIGIT, (x >> DIGIT_BITS) & DIGIT, x >> (2 * DIGIT_BITS)
    for _ in range(power):
        before = digits
        digits = np.zeros(DIGITS, np.int64)
        for i in range(DIGITS):
            factor, carry, at = a if before[i] > 0 else 0, 0, i
            while factor > 0 or carry > 0:
                value = digits[at] + before[i] * (factor & DIGIT) + carry
                digits[at] = value & DIGIT
                carry = value >> DIGIT_BITS
                factor >>= DIGIT_BITS
                at += 1
    return digits
