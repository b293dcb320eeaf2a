"""Ready-made strategies: each one file, complete, to take as it is or to copy and change.

Signals are floats from `libra_ray.strategy.indicators`; quantities and prices of orders are decimal text or integers.
Every setting that a sweep may vary is a plain number with its bounds. All run unchanged in backtest, paper and live.
"""

from libra_actors.strategies.breakout import Breakout, BreakoutConfig
from libra_actors.strategies.ema_cross import EmaCross, EmaCrossConfig
from libra_actors.strategies.market_maker import MarketMaker, MarketMakerConfig
from libra_actors.strategies.mean_reversion import MeanReversion, MeanReversionConfig
from libra_actors.strategies.pairs import Pairs, PairsConfig
from libra_actors.strategies.two_sided_quoter import TwoSidedQuoter, TwoSidedQuoterConfig

__all__ = [
    "Breakout",
    "BreakoutConfig",
    "EmaCross",
    "EmaCrossConfig",
    "MarketMaker",
    "MarketMakerConfig",
    "MeanReversion",
    "MeanReversionConfig",
    "Pairs",
    "PairsConfig",
    "TwoSidedQuoter",
    "TwoSidedQuoterConfig",
]
