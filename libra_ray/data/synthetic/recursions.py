"""Loops in which each step needs the one before, in compiled code; loaded by the processes that need them."""

import numpy as np
from numba import njit

from libra_ray.data.synthetic.noise import Floats

__all__ = ["deviations", "drawn_back"]


@njit(cache=True)
def deviations(shocks: Floats, mean: float, reversion: float, volatility: float) -> Floats:
    """The square root of each step's variance, as it stands when the step begins."""
    deviations = np.empty_like(shocks)
    variance = mean
    for i in range(len(shocks)):
        root = np.sqrt(max(variance, 0.0))
        deviations[i] = root
        variance = variance + reversion * (mean - max(variance, 0.0)) + volatility * root * shocks[i]
    return deviations


@njit(cache=True)
def drawn_back(shocks: Floats, reversion: float) -> Floats:
    """The deviation at each step, the first 0."""
    path = np.empty(len(shocks) + 1)
    path[0] = x = 0.0
    for i in range(len(shocks)):
        x = x - reversion * x + shocks[i]
        path[i + 1] = x
    return path
