"""Strategies: actors that send orders, the factory that makes them, and indicators."""

from libra_ray.strategy.order_factory import OrderFactory
from libra_ray.strategy.strategy import Strategy, StrategyConfig

__all__ = ["OrderFactory", "Strategy", "StrategyConfig"]
