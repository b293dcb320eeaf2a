"""Sweeps: many runs of one system over one shared copy of the data."""

from libra_ray.sweeps.grid import Grid, Parameter
from libra_ray.sweeps.grid_sweep import Progress, sweep
from libra_ray.sweeps.sweep_result import SweepProgress, SweepResult

__all__ = ["Grid", "Parameter", "Progress", "SweepProgress", "SweepResult", "sweep"]
