"""Pairs: two instruments that move together; sell the dear one and buy the cheap one, leave when they meet again.

Source: Gatev, Goetzmann and Rouwenhorst, *Pairs Trading: Performance of a Relative-Value Arbitrage Rule* (2006), here
on the z-score of a spread with a fixed hedge ratio: spread = close(first) - hedge_ratio x close(second).
"""

from typing import Annotated, Self

from pydantic import Field, PositiveFloat, model_validator

from libra_actors.strategies.quantity_text import QuantityText
from libra_ray import Bar, OrderDenied, OrderEvent, OrderRejected, Strategy, StrategyConfig
from libra_ray.strategy.indicators import BollingerBands

__all__ = ["Pairs", "PairsConfig"]


class PairsConfig(StrategyConfig):
    """Settings of `Pairs`.

    Attributes:
        first, second: instrument ids of the two legs.
        bars: period of the bars of both.
        period: bars over which the spread's mean and deviation are taken.
        hedge_ratio: units of price of `second` that stand against one of `first`.
        entry_z: deviations from the mean at which a position is opened.
        exit_z: deviations at which it is closed; below `entry_z`.
        first_quantity, second_quantity: sizes of the legs.

    """

    first: str
    second: str
    bars: str
    period: Annotated[int, Field(ge=3)] = 60
    hedge_ratio: PositiveFloat = 1.0
    entry_z: PositiveFloat = 2.0
    exit_z: Annotated[float, Field(ge=0.0)] = 0.5
    first_quantity: QuantityText
    second_quantity: QuantityText

    @model_validator(mode="after")
    def _legs_differ_and_exit_is_below_entry(self) -> Self:
        if self.first == self.second:
            raise ValueError(f"first and second are both {self.first}")
        if self.exit_z >= self.entry_z:
            raise ValueError(f"exit_z={self.exit_z} must be below entry_z={self.entry_z}")
        return self


class Pairs(Strategy):
    """Looks at the spread only when both legs have a bar of the same time; a bar without its twin is not used.

    Both legs or none: where one is refused, whatever the other has got is closed, and the next signal starts anew.
    """

    config: PairsConfig

    def on_start(self) -> None:
        config = self.config
        self._spread = BollingerBands(config.period, config.entry_z)
        self._side = 0  # 1: long the spread (long first, short second), -1: short the spread, 0: flat
        self._bars: dict[str, Bar] = {}
        self.subscribe_bars(config.first, config.bars)
        self.subscribe_bars(config.second, config.bars)

    def on_bar(self, bar: Bar) -> None:
        config, bars = self.config, self._bars
        bars[bar.instrument_id] = bar
        first, second = bars.get(config.first), bars.get(config.second)
        if first is None or second is None or first.ts_ns != second.ts_ns:
            return
        spread = first.close_f - config.hedge_ratio * second.close_f
        mean = self._spread.update(spread)
        deviation = self._spread.deviation
        if mean is None or not deviation:  # a spread that does not move has no z-score
            return
        z = (spread - mean) / deviation
        if self._side == 0:
            if abs(z) > config.entry_z:
                self._hold(-1 if z > 0.0 else 1)
        elif self._side * z > -config.exit_z:  # a long spread was opened at a low z, and leaves as z rises
            self._hold(0)

    def on_order_event(self, event: OrderEvent) -> None:
        # Once per signal: were the way out refused too, asking again at once would never end.
        if self._side != 0 and isinstance(event, OrderDenied | OrderRejected):
            self._hold(0)

    def _hold(self, side: int) -> None:
        config = self.config
        self._side = side
        self.target(config.first, _signed(config.first_quantity, side))
        self.target(config.second, _signed(config.second_quantity, -side))


def _signed(quantity: str, side: int) -> str:
    """The quantity with the sign of `side`, "0" for side 0."""
    return {1: quantity, 0: "0", -1: f"-{quantity}"}[side]
