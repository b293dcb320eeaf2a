"""What all indicators share, and the check of their periods."""

from abc import ABC, abstractmethod
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Floats", "Indicator", "as_column", "as_columns", "checked_period"]

Floats: TypeAlias = npt.NDArray[np.float64]


class Indicator(ABC):
    """A running value over a stream of numbers.

    Inputs must be finite. A NaN or infinity is not looked for on the hot path: it leaves a window indicator together
    with the value that brought it, and stays in a recursive one (`Ema`, `Rsi`, `Atr`, `Macd`) until `reset`.
    """

    __slots__ = ("value",)

    value: float | None
    """The latest result; None until `warmup` updates have been made."""

    @property
    def initialized(self) -> bool:
        """Whether there is a value."""
        return self.value is not None

    @property
    @abstractmethod
    def warmup(self) -> int:
        """How many updates the first value needs."""

    @property
    @abstractmethod
    def count(self) -> int:
        """Updates made so far, counted up to `warmup`: counting on for ever would tax each update by a sixth."""

    @abstractmethod
    def reset(self) -> None:
        """Forget all values, as if just made."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(value={self.value}, count={self.count} of {self.warmup})"


def checked_period(period: int, *, name: str = "period", least: int = 1) -> int:
    """`period` itself. Raises `TypeError` when it is not an int and `ValueError` when it is below `least`."""
    if isinstance(period, bool) or not isinstance(period, int):
        raise TypeError(f"{name} must be an int, got {period!r}")
    if period < least:
        raise ValueError(f"{name} must be at least {least}, got {period}")
    return period


def as_column(values: npt.ArrayLike) -> Floats:
    """`values` as a contiguous float64 array. Raises `ValueError` unless it has one dimension."""
    column = np.ascontiguousarray(values, dtype=np.float64)
    if column.ndim != 1:
        raise ValueError(f"a column has one dimension, got shape {column.shape}")
    return column


def as_columns(*columns: npt.ArrayLike) -> tuple[Floats, ...]:
    """Each as `as_column` gives it. Raises `ValueError` unless all have one length."""
    arrays = tuple(as_column(column) for column in columns)
    sizes = [array.size for array in arrays]
    if len(set(sizes)) > 1:
        raise ValueError(f"columns must have one length, got {sizes}")
    return arrays
