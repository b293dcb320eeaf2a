"""Mean reversion on Bollinger bands: buy below the lower band, sell above the upper, leave at the middle.

A touch of a band alone is no signal (Bollinger 2001 warns of that); as a rule for a market that swings around its
mean it is the usual baseline. There is no stop: what bounds the loss is the size.
"""

from typing import Annotated

from pydantic import Field, PositiveFloat

from libra_actors.strategies.quantity_text import QuantityText
from libra_ray import Bar, Strategy, StrategyConfig
from libra_ray.strategy.indicators import BollingerBands

__all__ = ["MeanReversion", "MeanReversionConfig"]


class MeanReversionConfig(StrategyConfig):
    """Settings of `MeanReversion`.

    Attributes:
        instrument: instrument id, such as `EURUSD.SIM`.
        bars: period of the bars, such as `1h`.
        period: bars in the bands; 2 at least, since one bar has no deviation.
        multiplier: deviations from the middle to a band.
        quantity: size of a position.
        long_only: never short, as a cash account needs for shares.

    """

    instrument: str
    bars: str
    period: Annotated[int, Field(ge=2)] = 20
    multiplier: PositiveFloat = 2.0
    quantity: QuantityText
    long_only: bool = False


class MeanReversion(Strategy):
    """Decides at each close from the position it really holds, so a refused order is tried again later.

    A market that does not move has bands of no width, and no close beyond them.
    """

    config: MeanReversionConfig

    def on_start(self) -> None:
        self._bands = BollingerBands(self.config.period, self.config.multiplier)
        self.subscribe_bars(self.config.instrument, self.config.bars)

    def on_bar(self, bar: Bar) -> None:
        close, bands = bar.close_f, self._bands
        middle = bands.update(close)
        if middle is None or bands.lower is None or bands.upper is None:
            return
        instrument, quantity = self.config.instrument, self.config.quantity
        held_raw = self.portfolio.net_qty_raw(instrument)
        if held_raw > 0:
            if close >= middle:
                self.target(instrument, "0")
        elif held_raw < 0:
            if close <= middle:
                self.target(instrument, "0")
        elif close < bands.lower:
            self.target(instrument, quantity)
        elif close > bands.upper and not self.config.long_only:
            self.target(instrument, f"-{quantity}")
