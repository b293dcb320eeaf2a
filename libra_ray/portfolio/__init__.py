"""What is held: the cache of orders and market rows, positions, accounts, and what accounts hold back."""

from libra_ray.portfolio.actors import CacheActor, PortfolioActor
from libra_ray.portfolio.cache import Cache
from libra_ray.portfolio.funds import Funds
from libra_ray.portfolio.market_rows import Cursor, InstrumentRows, MarketRows
from libra_ray.portfolio.portfolio import Portfolio, PortfolioEvent
from libra_ray.portfolio.strategy_view import StrategyPortfolio

__all__ = [
    "Cache",
    "CacheActor",
    "Cursor",
    "Funds",
    "InstrumentRows",
    "MarketRows",
    "Portfolio",
    "PortfolioActor",
    "PortfolioEvent",
    "StrategyPortfolio",
]
