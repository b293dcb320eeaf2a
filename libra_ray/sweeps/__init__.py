"""Sweeps: many runs of one system over one shared copy of the data."""

from libra_ray.sweeps.grid import Grid, Parameter
from libra_ray.sweeps.pruning import Pruning
from libra_ray.sweeps.sweep_result import SweepProgress, SweepResult
from libra_ray.sweeps.sweeping import Progress, sweep

__all__ = ["Grid", "Parameter", "Progress", "Pruning", "SweepProgress", "SweepResult", "sweep"]
