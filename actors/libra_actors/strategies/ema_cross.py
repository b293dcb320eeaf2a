"""EMA cross: long while the fast average is above the slow one, short or flat while it is below.

The oldest trend rule there is (Appel, *Technical Analysis*, 2005), and the job that the benchmarks run.
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

from pydantic import PositiveInt, model_validator

from libra_actors.strategies.quantity_text import QuantityText
from libra_ray import StrategyConfig
from libra_ray.strategy.compiled import BarValues, CompiledStrategy, Desk, compiled

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


@dataclass(slots=True)
class CrossState:
    """Both averages, how many closes they have seen, and the side: 1 fast above slow, -1 below, 0 not known yet."""

    fast: float = 0.0
    slow: float = 0.0
    count: int = 0
    side: int = 0


class CrossParams(NamedTuple):
    """Periods, the weight of a new close in each average, and the net quantity to hold after a cross up and down."""

    fast: int
    slow: int
    fast_weight: float
    slow_weight: float
    above_raw: int
    below_raw: int


@compiled
def averaged(value: float, close: float, count: int, period: int, weight: float) -> float:
    """One more close in an average: the plain mean of the first `period`, exponential from there on (as `Ema`)."""
    if count <= period:
        return value + (close - value) / count
    return value + weight * (close - value)


@compiled
def follow(state: CrossState, params: CrossParams, bar: BarValues, orders: Desk) -> None:
    """Acts only when the averages change sides; the side they are on when both become known is no cross yet."""
    close = bar.close_f
    if state.count >= params.slow:
        fast = state.fast + params.fast_weight * (close - state.fast)
        slow = state.slow + params.slow_weight * (close - state.slow)
        state.fast = fast
        state.slow = slow
    else:
        state.count += 1
        fast = averaged(state.fast, close, state.count, params.fast, params.fast_weight)
        slow = averaged(state.slow, close, state.count, params.slow, params.slow_weight)
        state.fast = fast
        state.slow = slow
        if state.count < params.slow:
            return
    if fast > slow:
        if state.side != 1:
            if state.side != 0:
                orders.target(params.above_raw)
            state.side = 1
    elif fast < slow and state.side != -1:
        if state.side != 0:
            orders.target(params.below_raw)
        state.side = -1


class EmaCross(CompiledStrategy):
    """Equal averages keep the side. A cross moves the net position to its target with one market order."""

    config: EmaCrossConfig

    def on_start(self) -> None:
        config = self.config
        quantity = self.cache.instrument(config.instrument).quantity(config.quantity)
        weights = (2.0 / (config.fast + 1), 2.0 / (config.slow + 1))
        below_raw = 0 if config.long_only else -quantity.raw
        self.handle_by(
            CrossState(),
            CrossParams(config.fast, config.slow, *weights, quantity.raw, below_raw),
            instrument=config.instrument,
            size_precision=quantity.precision,
            on_bar=follow,
        )
        self.subscribe_bars(config.instrument, config.bars)
