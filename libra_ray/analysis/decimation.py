"""Fewer points for a picture, without losing what a screen can show."""

import numpy as np
import numpy.typing as npt

__all__ = ["m4_rows"]


def m4_rows(x: npt.NDArray[np.int64], y: npt.NDArray[np.float64], *, columns_max: int) -> npt.NDArray[np.intp]:
    """Choose the rows to draw: first, lowest, highest and last of each of `columns_max` equal spans of x, ascending.

    A line through them covers the same pixels as a line through all, on a canvas of up to `columns_max` pixels: no peak
    and no trough is lost. x ascends and y has no NaN. All rows when there are no more than four a column. O(n). M4:
    Jugel, U. et al. (2014), "M4: A Visualization-Oriented Time Series Data Aggregation", PVLDB 7(10).
    """
    if x.size <= 4 * columns_max:
        return np.arange(x.size)
    span = int(x[-1]) - int(x[0])
    column = (x - x[0]) // max(1, -(-(span + 1) // columns_max))
    first = np.flatnonzero(np.append(True, column[1:] != column[:-1]))
    last = np.append(first[1:], x.size) - 1
    # By column, then by y: the lowest of a column stands first and the highest last.
    order = np.lexsort((y, column))
    return np.unique(np.concatenate((first, last, order[first], order[last])))
