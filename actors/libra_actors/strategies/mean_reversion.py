"""Mean reversion on Bollinger bands: buy below the lower band, sell above the upper, leave at the middle.

A touch of a band alone is no signal (Bollinger 2001 warns of that); as a rule for a market that swings around its
mean it is the usual baseline. There is no stop: what bounds the loss is the size.
"""

from dataclasses import dataclass
from typing import Annotated, NamedTuple

from pydantic import Field, PositiveFloat

from libra_actors.strategies.quantity_text import QuantityText
from libra_ray import StrategyConfig
from libra_ray.strategy import numeric
from libra_ray.strategy.compiled import BarValues, CompiledStrategy, Desk, compiled

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


@dataclass(slots=True)
class BandsState:
    """Bollinger bands in blocks, as the indicator of that name has them, and what they are now.

    `block` holds the closes of the running block; the tails are means and squared deviations of the last k closes of
    the block before it; `size` closes are in the head.
    """

    block: list[float]
    tail_means: list[float]
    tail_squares: list[float]
    head_mean: float = 0.0
    head_square: float = 0.0
    size: int = 0
    is_full: bool = False
    middle: float = 0.0
    deviation: float = 0.0


class BandsParams(NamedTuple):
    """Closes in the bands, deviations to a band, and the net quantity to hold below and above them."""

    period: int
    multiplier: float
    below_raw: int
    above_raw: int
    long_only: bool


@compiled
def end_block(state: BandsState, params: BandsParams) -> None:
    """The block is full: its closes from the end on become the tails of the next one."""
    mean = 0.0
    square = 0.0
    for size in range(1, params.period):
        close = state.block[params.period - size]
        above = close - mean
        mean += above / float(size)
        square += above * (close - mean)
        state.tail_means[params.period - size] = mean
        state.tail_squares[params.period - size] = square
    state.head_mean = 0.0
    state.head_square = 0.0
    state.size = 0


@compiled
def take(state: BandsState, params: BandsParams, close: float) -> bool:
    """One more close; whether there are enough for bands."""
    state.block[state.size] = close
    state.size += 1
    above = close - state.head_mean
    state.head_mean += above / float(state.size)
    state.head_square += above * (close - state.head_mean)
    mean = state.head_mean
    square = state.head_square
    period = params.period
    if state.size == period:
        end_block(state, params)
        state.is_full = True
    elif not state.is_full:
        return False
    else:
        size = state.size
        apart = mean - state.tail_means[size]
        mean = state.tail_means[size] + apart * (float(size) / float(period))
        weight = float(size * (period - size)) / float(period)
        square = state.tail_squares[size] + square + apart * apart * weight
    state.deviation = numeric.sqrt(square / float(period))
    state.middle = mean
    return True


@compiled
def revert(state: BandsState, params: BandsParams, bar: BarValues, orders: Desk) -> None:
    """Decides at each close from the position that is really held, so a refused order is tried again later."""
    close = bar.close_f
    if not take(state, params, close):
        return
    half_width = params.multiplier * state.deviation
    held_raw = orders.net_qty_raw()
    if held_raw > 0:
        if close >= state.middle:
            orders.target(0)
    elif held_raw < 0:
        if close <= state.middle:
            orders.target(0)
    elif close < state.middle - half_width:
        orders.target(params.below_raw)
    elif close > state.middle + half_width and not params.long_only:
        orders.target(params.above_raw)


class MeanReversion(CompiledStrategy):
    """A market that does not move has bands of no width, and no close beyond them."""

    config: MeanReversionConfig

    def on_start(self) -> None:
        config = self.config
        quantity = self.cache.instrument(config.instrument).quantity(config.quantity)
        block, means, squares = ([0.0] * config.period for _ in range(3))
        self.handle_by(
            BandsState(block, means, squares),
            BandsParams(config.period, config.multiplier, quantity.raw, -quantity.raw, config.long_only),
            instrument=config.instrument,
            size_precision=quantity.precision,
            on_bar=revert,
        )
        self.subscribe_bars(config.instrument, config.bars)
