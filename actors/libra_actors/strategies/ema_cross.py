"""EMA cross: long while the fast average is above the slow one, short or flat while it is below.

The oldest trend rule there is (Appel, *Technical Analysis*, 2005), and the job that the benchmarks run.
"""

from typing import Self

from pydantic import PositiveInt, model_validator

from libra_actors.strategies.quantity_text import QuantityText
from libra_ray import Bar, Strategy, StrategyConfig
from libra_ray.strategy.indicators import Ema

__all__ = ["EmaCross", "EmaCrossConfig"]


class EmaCrossConfig(StrategyConfig):
    """Settings of `EmaCross`.

    Attributes:
        instrument: instrument id, such as `EURUSD.SIM`.
        bars: period of the bars, such as `1h`.
        fast: period of the fast average, in bars; below `slow`.
        slow: period of the slow average, in bars; the first signal can come one bar later.
        quantity: size of the position held after a cross.
        long_only: flat instead of short after a cross down, as a cash account needs for shares.

    """

    instrument: str
    bars: str
    fast: PositiveInt
    slow: PositiveInt
    quantity: QuantityText
    long_only: bool = False

    @model_validator(mode="after")
    def _fast_is_below_slow(self) -> Self:
        if self.fast >= self.slow:
            raise ValueError(f"fast={self.fast} must be below slow={self.slow}")
        return self


class EmaCross(Strategy):
    """Acts only when the averages change sides; the side they are on when both become known is no cross yet.

    Equal averages keep the side. A cross moves the net position to its target with one market order.
    """

    config: EmaCrossConfig

    def on_start(self) -> None:
        config = self.config
        self._fast = Ema(config.fast)
        self._slow = Ema(config.slow)
        self._side = 0  # 1: fast above slow, -1: below, 0: not known yet
        self._targets = {1: config.quantity, -1: "0" if config.long_only else f"-{config.quantity}"}
        self.subscribe_bars(config.instrument, config.bars)

    def on_bar(self, bar: Bar) -> None:
        close = bar.close_f
        fast = self._fast.update(close)
        slow = self._slow.update(close)
        if fast is None or slow is None:
            return
        if fast > slow:
            if self._side != 1:
                self._cross(1)
        elif fast < slow and self._side != -1:
            self._cross(-1)

    def _cross(self, side: int) -> None:
        was_known = self._side != 0
        self._side = side
        if was_known:
            self.target(self.config.instrument, self._targets[side])
