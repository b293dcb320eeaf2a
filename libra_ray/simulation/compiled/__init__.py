"""Compiled runs: a whole system of one compiled strategy inside the core, and its result made afterwards."""

from libra_ray.simulation.compiled.run import try_core
from libra_ray.simulation.compiled.support import reason_not_core

__all__ = ["reason_not_core", "try_core"]
