"""Mathematics for compiled handlers: both engines call these in compiled form, so that their last bits agree.

A handler that is compiled by one engine and interpreted by the other may use + - * / and comparisons as they are: IEEE
754 says what they give. Powers, sums and transcendental functions it does not, so they come from here. What they are
given is hidden from the optimizer, which makes `x * x` of the power 2: another last bit than the function gives.
"""

import math
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

__all__ = [
    "COLUMN_FUNCTIONS",
    "SCALAR_FUNCTIONS",
    "ceil",
    "cos",
    "dot",
    "exp",
    "floor",
    "log",
    "maximum",
    "mean",
    "minimum",
    "power",
    "sin",
    "sqrt",
    "std",
    "total",
]

Values: TypeAlias = "npt.NDArray[np.float64] | Sequence[float]"
LARGEST: Final = 9.2e18
"""Below 2^63 by more than a float's rounding."""


@intrinsic
def _hide(_typing, value):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, ARG001
    """A float as it is, of which the optimizer knows nothing: it passes through an empty piece of assembly."""

    def emit(_context, builder, _signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        bits = ir.IntType(64)
        same = ir.FunctionType(bits, [bits])
        given = builder.bitcast(arguments[0], bits)
        return builder.bitcast(builder.asm(same, "", "=r,0", [given], False), ir.DoubleType())  # noqa: FBT003

    return types.float64(types.float64), emit


_hidden: Any = _hide  # its type names the argument that compilers are given, too


@njit(cache=True)
def sqrt(x: float) -> float:
    """The square root; NaN below 0."""
    return math.sqrt(x) if x >= 0.0 else math.nan


@njit(cache=True)
def exp(x: float) -> float:
    """E to the power x."""
    return math.exp(_hidden(x))


@njit(cache=True)
def log(x: float) -> float:
    """The natural logarithm; NaN from 0 down."""
    return math.log(_hidden(x)) if x > 0.0 else math.nan


@njit(cache=True)
def sin(x: float) -> float:
    """The sine, x in radians."""
    return math.sin(_hidden(x))


@njit(cache=True)
def cos(x: float) -> float:
    """The cosine, x in radians."""
    return math.cos(_hidden(x))


@njit(cache=True)
def power(x: float, y: float) -> float:
    """X to the power y, x above 0; NaN else. Whole powers are repeated products, left to right: write those."""
    return math.pow(_hidden(x), _hidden(y)) if x > 0.0 else math.nan


@njit(cache=True)
def floor(x: float) -> int:
    """The largest integer that is not above x. Raises `OverflowError` for NaN and beyond 64 bits."""
    if not abs(x) < LARGEST:
        raise OverflowError("floor of a number beyond 64 bits")
    return math.floor(x)


@njit(cache=True)
def ceil(x: float) -> int:
    """The smallest integer that is not below x. Raises `OverflowError` for NaN and beyond 64 bits."""
    if not abs(x) < LARGEST:
        raise OverflowError("ceil of a number beyond 64 bits")
    return math.ceil(x)


@njit(cache=True)
def _total(values: Any) -> float:  # noqa: ANN401
    summed = 0.0
    for value in values:
        summed += value
    return summed


@njit(cache=True)
def _mean(values: Any) -> float:  # noqa: ANN401
    return float(_total(values) / len(values))


@njit(cache=True)
def _minimum(values: Any) -> float:  # noqa: ANN401
    if len(values) == 0:
        raise IndexError("no values")
    least: float = values[0]
    for value in values:
        if value < least:  # noqa: PLR1730 - min of NaN is another function when compiled
            least = value
    return least


@njit(cache=True)
def _maximum(values: Any) -> float:  # noqa: ANN401
    if len(values) == 0:
        raise IndexError("no values")
    most: float = values[0]
    for value in values:
        if value > most:  # noqa: PLR1730
            most = value
    return most


@njit(cache=True)
def _std(values: Any) -> float:  # noqa: ANN401
    count, mean, squares = 0, 0.0, 0.0
    for value in values:
        count += 1
        apart = value - mean
        mean += apart / count
        squares += apart * (value - mean)
    return math.sqrt(squares / count)


@njit(cache=True)
def _dot(one: Any, other: Any) -> float:  # noqa: ANN401
    if len(one) != len(other):
        raise IndexError("columns of different lengths")
    summed = 0.0
    for i in range(len(one)):
        summed += one[i] * other[i]
    return summed


def total(values: Values) -> float:
    """The sum, from the first value to the last."""
    return float(_total(_column(values)))


def mean(values: Values) -> float:
    """`total` over the count. Raises `ZeroDivisionError` where that is 0."""
    return float(_mean(_column(values)))


def std(values: Values) -> float:
    """The standard deviation of all values (over n), by Welford's updates ("Note on a method for calculating corrected
    sums of squares and products", Technometrics 4, 1962).
    """  # noqa: D205  # the title of the paper needs two lines
    return float(_std(_column(values)))


def dot(one: Values, other: Values) -> float:
    """The sum of products, from the first pair to the last. Raises `IndexError` for different lengths."""
    return float(_dot(_column(one), _column(other)))


def minimum(values: Values) -> float:
    """The smallest value, by comparisons from the first on. Raises `IndexError` where there is none."""
    return float(_minimum(_column(values)))


def maximum(values: Values) -> float:
    """The largest value, by comparisons from the first on. Raises `IndexError` where there is none."""
    return float(_maximum(_column(values)))


def _column(values: Values) -> npt.NDArray[np.float64]:
    return np.asarray(values, np.float64)


SCALAR_FUNCTIONS: Final = {
    "sqrt": "float",
    "exp": "float",
    "log": "float",
    "sin": "float",
    "cos": "float",
    "power": "float",
    "floor": "int",
    "ceil": "int",
}
"""What takes floats, by name, and what it gives."""
COLUMN_FUNCTIONS: Final = {
    "total": _total,
    "mean": _mean,
    "std": _std,
    "dot": _dot,
    "minimum": _minimum,
    "maximum": _maximum,
}
"""What takes arrays and gives a float: the form that compiled handlers call, by name."""
