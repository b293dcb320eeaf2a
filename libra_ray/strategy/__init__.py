"""Strategies: actors that send orders, algorithms that work them, the factory that makes them, and indicators."""

from libra_ray.strategy.exec_algorithm import ExecAlgorithm, ExecAlgorithmConfig
from libra_ray.strategy.order_factory import OrderFactory
from libra_ray.strategy.strategy import Strategy, StrategyConfig

__all__ = ["ExecAlgorithm", "ExecAlgorithmConfig", "OrderFactory", "Strategy", "StrategyConfig"]
