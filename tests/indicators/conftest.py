"""The one compilation of the batch loops, before any test is timed."""

import numpy as np
import pytest

from libra_ray.strategy.indicators import Atr, BollingerBands, DonchianChannel, Ema, Macd, Rsi, Sma, Vwap, Wma


@pytest.fixture(scope="session", autouse=True)
def _compiled_batch_loops() -> None:
    column = np.arange(1.0, 6.0)
    for indicator in (Sma(2), Ema(2), Wma(2), Rsi(2), BollingerBands(2), Macd(1, 2, 1)):
        indicator.batch(column)
    Atr(2).batch(column, column, column)
    DonchianChannel(2).batch(column, column)
    Vwap().batch(column, column)
