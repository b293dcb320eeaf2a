"""Strategies: actors that send orders, algorithms that work them, the factory that makes them, sizes and indicators."""

from libra_ray.strategy.exec_algorithm import ExecAlgorithm, ExecAlgorithmConfig
from libra_ray.strategy.order_factory import OrderFactory
from libra_ray.strategy.sizing import (
    SizingError,
    kelly_fraction,
    size_by_fraction,
    size_by_risk,
    size_by_volatility,
)
from libra_ray.strategy.strategy import Strategy, StrategyConfig

__all__ = [
    "ExecAlgorithm",
    "ExecAlgorithmConfig",
    "OrderFactory",
    "SizingError",
    "Strategy",
    "StrategyConfig",
    "kelly_fraction",
    "size_by_fraction",
    "size_by_risk",
    "size_by_volatility",
]
