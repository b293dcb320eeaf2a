"""Sweeps: many runs of one system over one shared copy of the data."""

from libra_ray.sweeps.grid import Grid, Parameter
from libra_ray.sweeps.honesty import LookaheadCheck, WarmupCheck, check_lookahead, check_warmup
from libra_ray.sweeps.monte_carlo_runs import MonteCarloResult, monte_carlo
from libra_ray.sweeps.pruning import Pruning
from libra_ray.sweeps.sweep_result import SweepProgress, SweepResult
from libra_ray.sweeps.sweeping import Progress, sweep
from libra_ray.sweeps.walk_forward_result import WalkForwardResult
from libra_ray.sweeps.walking_forward import walk_forward
from libra_ray.sweeps.workforce import staying_workers

__all__ = [
    "Grid",
    "LookaheadCheck",
    "MonteCarloResult",
    "Parameter",
    "Progress",
    "Pruning",
    "SweepProgress",
    "SweepResult",
    "WalkForwardResult",
    "WarmupCheck",
    "check_lookahead",
    "check_warmup",
    "monte_carlo",
    "staying_workers",
    "sweep",
    "walk_forward",
]
