"""One run: the system as values, the simulated venue, the event loop, the result."""

from libra_ray.simulation.backtest import backtest
from libra_ray.simulation.result import BacktestResult
from libra_ray.simulation.system import ActorEntry, System

__all__ = ["ActorEntry", "BacktestResult", "System", "backtest"]
