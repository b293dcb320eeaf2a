"""Integers of compiled handlers: what Python's own would give, or an `OverflowError`, never a wrapped number.

Machine code is made as if integers never overflowed, so a look at the result comes too late: the same operation on
floats tells beforehand. What comes near the end of 64 bits counts as beyond it.
"""

from numba import njit

__all__ = ["add", "greatest", "least", "mul", "neg", "sub"]

LARGEST = 9.2e18
"""Below 2^63 by more than a float's rounding."""


@njit(cache=True)
def add(a: int, b: int) -> int:
    """A + b."""
    if abs(float(a) + float(b)) > LARGEST:
        raise OverflowError("an int of a compiled handler has left 64 bits")
    return a + b


@njit(cache=True)
def sub(a: int, b: int) -> int:
    """A - b."""
    if abs(float(a) - float(b)) > LARGEST:
        raise OverflowError("an int of a compiled handler has left 64 bits")
    return a - b


@njit(cache=True)
def mul(a: int, b: int) -> int:
    """A * b."""
    if abs(float(a) * float(b)) > LARGEST:
        raise OverflowError("an int of a compiled handler has left 64 bits")
    return a * b


@njit(cache=True)
def neg(a: int) -> int:
    """-a."""
    if float(a) < -LARGEST:
        raise OverflowError("an int of a compiled handler has left 64 bits")
    return -a


@njit(cache=True)
def least(a, b):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """`min(a, b)`, also of NaN: the first unless the second is below."""
    return b if b < a else a  # noqa: FURB136  # the builtin is another function when compiled


@njit(cache=True)
def greatest(a, b):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """`max(a, b)`, also of NaN: the first unless the second is above."""
    return b if b > a else a  # noqa: FURB136  # as above
