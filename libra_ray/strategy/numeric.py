"""Mathematics for compiled handlers: both engines call these in compiled form, so that their last bits agree.

A handler that is compiled by one engine and interpreted by the other may use + - * / and comparisons as they are: IEEE
754 says what they give. Powers, sums and transcendental functions it does not, so they come from here.
"""

import math
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

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


@njit(cache=True)
def sqrt(x: float) -> float:
    """The square root; NaN below 0."""
    return math.sqrt(x) if x >= 0.0 else math.nan


@njit(cache=True)
def exp(x: float) -> float:
    """E to the power x."""
    return math.exp(x)


@njit(cache=True)
def log(x: float) -> float:
    """The natural logarithm; NaN from 0 down."""
    return math.log(x) if x > 0.0 else math.nan


@njit(cache=True)
def sin(x: float) -> float:
    """The sine, x in radians."""
    return math.sin(x)


@njit(cache=True)
def cos(x: float) -> float:
    """The cosine, x in radians."""
    return math.cos(x)


@njit(cache=True)
def power(x: float, y: float) -> float:
    """X to the power y, x above 0; NaN else. Whole powers are repeated products, left to right: write those."""
    return math.pow(x, y) if x > 0.0 else math.nan


@njit(cache=True)
def floor(x: float) -> int:
    """The largest integer that is not above x."""
    return math.floor(x)


@njit(cache=True)
def ceil(x: float) -> int:
    """The smallest integer that is not below x."""
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
    least: float = values[0]
    for value in values:
        least = min(least, value)
    return least


@njit(cache=True)
def _maximum(values: Any) -> float:  # noqa: ANN401
    most: float = values[0]
    for value in values:
        most = max(most, value)
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
    summed = 0.0
    for i in range(len(one)):
        summed += one[i] * other[i]
    return summed


def total(values: Values) -> float:
    """The sum, from the first value to the last."""
    return float(_total(_column(values)))


def mean(values: Values) -> float:
    """`total` over the count."""
    return float(_mean(_column(values)))


def std(values: Values) -> float:
    """The standard deviation of all values (over n), by Welford's updates ("Note on a method for calculating corrected
    sums of squares and products", Technometrics 4, 1962).
    """  # noqa: D205  # the title of the paper needs two lines
    return float(_std(_column(values)))


def dot(one: Values, other: Values) -> float:
    """The sum of products, from the first pair to the last."""
    return float(_dot(_column(one), _column(other)))


def minimum(values: Values) -> float:
    """The smallest value."""
    return float(_minimum(_column(values)))


def maximum(values: Values) -> float:
    """The largest value."""
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
