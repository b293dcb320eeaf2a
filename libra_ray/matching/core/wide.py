"""Integer arithmetic that never wraps: products that leave 64 bits raise, quotients go through 128."""

import numpy as np

from libra_ray.matching.core.forms import inner, small

__all__ = ["add", "mul", "mul_div_ceil", "mul_div_half_even", "sub"]

SMALL = 2**31
"""The product of two numbers below this fits."""
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
def _product(a: int, b: int) -> tuple[np.uint64, np.uint64]:
    """|a * b| as its high and low 64 bits."""
    x, y = np.uint64(abs(a)), np.uint64(abs(b))
    x_low, x_high, y_low, y_high = x & _LOW, x >> _HALF, y & _LOW, y >> _HALF
    low, mid, cross, high = x_low * y_low, x_high * y_low, x_low * y_high, x_high * y_high
    middle = (low >> _HALF) + (mid & _LOW) + (cross & _LOW)
    low = (low & _LOW) | (middle << _HALF)
    high += (mid >> _HALF) + (cross >> _HALF) + (middle >> _HALF)
    return high, low


@small
def mul(a: int, b: int) -> int:
    """A * b."""
    if -SMALL < a < SMALL and -SMALL < b < SMALL:
        return a * b
    high, low = _product(a, b)
    if high != 0 or low >> _TOP != 0:
        raise OverflowError("a product has left 64 bits")
    return a * b


@inner
def _divided(a: int, b: int, den: int) -> tuple[np.int64, np.int64]:
    """|a * b| / den as quotient and remainder, by 128 bits where that is needed."""
    d = np.uint64(den)
    high, low = _product(a, b)
    if high == 0:
        quotient = low // d  # unsigned: half the time, and nothing is negative here
        rest = low - quotient * d
    else:
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
    if quotient >> _TOP != 0:
        raise OverflowError("a quotient has left 64 bits")
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
