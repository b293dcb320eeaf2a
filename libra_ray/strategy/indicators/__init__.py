"""Incremental indicators: floats in, one float out, constant work per value, and the same bits as their batch form.

They are for signals, never for money: quantities and prices of orders stay integers. `update` takes the next value
and returns the indicator's value, or None until `warmup` values have been seen. `batch` takes arrays and gives the
whole history at once, NaN where `update` returns None, and otherwise bit for bit what `update` would have returned.

Seeds follow TA-Lib, so a recursive average starts from the plain mean of its first `period` values. No window
subtracts what leaves it (see `window`), so results do not drift, and a constant input gives exactly that constant.
"""

from libra_ray.strategy.indicators.bands import BollingerBands, BollingerSeries, DonchianChannel, DonchianSeries
from libra_ray.strategy.indicators.indicator import Indicator
from libra_ray.strategy.indicators.macd import Macd, MacdSeries
from libra_ray.strategy.indicators.moving_averages import Ema, Sma, Wma
from libra_ray.strategy.indicators.vwap import Vwap
from libra_ray.strategy.indicators.wilder import Atr, Rsi

__all__ = [
    "Atr",
    "BollingerBands",
    "BollingerSeries",
    "DonchianChannel",
    "DonchianSeries",
    "Ema",
    "Indicator",
    "Macd",
    "MacdSeries",
    "Rsi",
    "Sma",
    "Vwap",
    "Wma",
]
