"""Strategies whose handlers run compiled in a backtest and interpreted everywhere else, with the same results."""

from libra_ray.strategy.compiled.declarations import CompiledFunction, compiled
from libra_ray.strategy.compiled.desk import Desk
from libra_ray.strategy.compiled.rows import BarValues, QuoteValues, TradeValues
from libra_ray.strategy.compiled.strategy import CompiledStrategy

__all__ = ["BarValues", "CompiledFunction", "CompiledStrategy", "Desk", "QuoteValues", "TradeValues", "compiled"]
