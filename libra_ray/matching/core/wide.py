"""Integer arithmetic that never wraps: products that leave 64 bits raise, quotients go through 128."""

import numpy as np

from libra_ray.matching.core.forms import inner, small

__all__ = ["add", "mul", "mul_div_ceil", "mul_div_half_even", "sub"]

SAFE = 9.0e18
"""Below 2^63 by more than a product of floats can err."""
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_ONE = np.uint64(1)
_TOP = np.uint64(63)


@small
def add(a: int, b: int) -> int:
    """A + b."""
    c = a + b
    if ((a ^ c) & (b ^ c)) < 0:
        raise OverflowError("a sum has left 64 bits")
    return c


@small
def sub(a: int, b: int) -> int:
    """A - b."""
    c = a - b
    if ((a ^ b) & (a ^ c)) < 0:
        raise OverflowError("a difference has left 64 bits")
    return c


@small
def mul(a: int, b: int) -> int:
    """A * b."""
    if abs(float(a) * float(b)) >= SAFE:
        raise OverflowError("a product has left 64 bits")
    return a * b


@inner
def _divided(a: int, b: int, den: int) -> tuple[np.int64, np.int64]:
    """|a * b| / den as quotient and remainder, by 128 bits where that is needed."""
    if abs(float(a) * float(b)) < SAFE:
        product, divisor = np.uint64(abs(a * b)), np.uint64(den)
        quotient = product // divisor  # unsigned: half the time, and nothing is negative here
        return np.int64(quotient), np.int64(product - quotient * divisor)
    x, y, d = np.uint64(abs(a)), np.uint64(abs(b)), np.uint64(den)
    x_low, x_high, y_low, y_high = x & _LOW, x >> _HALF, y & _LOW, y >> _HALF
    low, mid, cross, high = x_low * y_low, x_high * y_low, x_low * y_high, x_high * y_high
    middle = (low >> _HALF) + (mid & _LOW) + (cross & _LOW)
    low = (low & _LOW) | (middle << _HALF)
    high += (mid >> _HALF) + (cross >> _HALF) + (middle >> _HALF)
    if high >= d >> _ONE:
        raise OverflowError("a quotient has left 64 bits")
    rest, quotient = high, np.uint64(0)
    for _ in range(64):
        rest = (rest << _ONE) | (low >> _TOP)
        low <<= _ONE
        quotient <<= _ONE
        if rest >= d:
            rest -= d
            quotient |= _ONE
    return np.int64(quotient), np.int64(rest)


@small
def mul_div_half_even(a: int, b: int, den: int) -> int:
    """`div_half_even(a * b, den)`; ties go to the even one on either side of 0, so the sign can wait."""
    quotient, rest = _divided(a, b, den)
    if rest > den - rest or (rest == den - rest and quotient & 1):
        quotient += 1
    result: int = -quotient if (a < 0) != (b < 0) else quotient  # type: ignore[assignment]  # an integer
    return result


@small
def mul_div_ceil(a: int, b: int, den: int) -> int:
    """`div_ceil(a * b, den)`."""
    quotient, rest = _divided(a, b, den)
    up = quotient + 1 if rest else quotient
    result: int = -quotient if (a < 0) != (b < 0) else up  # type: ignore[assignment]  # an integer
    return result
