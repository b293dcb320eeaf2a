"""Breakout of Donchian channels with a protective stop: the Turtles' rules in their plain form.

Source: Faith, *Way of the Turtle* (2007): enter where price leaves the channel of the last 20 days, leave where it
crosses the opposite side of the 10-day channel, stop at 2 N from the entry (N is Wilder's average true range over 20).
"""

from dataclasses import dataclass
from math import ceil, floor
from typing import Annotated, NamedTuple, Self

from pydantic import Field, PositiveInt, model_validator

from libra_actors.strategies.quantity_text import QuantityText
from libra_ray import (
    Order,
    OrderDenied,
    OrderRejected,
    PositionChanged,
    PositionClosed,
    PositionOpened,
    Price,
    Quantity,
    StrategyConfig,
)
from libra_ray.strategy.compiled import BarValues, CompiledStrategy, Desk, compiled

__all__ = ["Breakout", "BreakoutConfig"]


class BreakoutConfig(StrategyConfig):
    """Settings of `Breakout`.

    Attributes:
        instrument: instrument id, such as `EURUSD.SIM`.
        bars: period of the bars, such as `1d`.
        entry: bars of the channel whose break opens a position.
        exit: bars of the channel whose opposite break closes it; not above `entry`.
        stop_atrs: distance of the stop from the entry price in average true ranges (over `entry` bars); 0 is no stop.
        quantity: size of a position.
        long_only: never short, as a cash account needs for shares.

    """

    instrument: str
    bars: str
    entry: PositiveInt = 20
    exit: PositiveInt = 10
    stop_atrs: Annotated[float, Field(ge=0.0)] = 2.0
    quantity: QuantityText
    long_only: bool = False

    @model_validator(mode="after")
    def _exit_is_not_above_entry(self) -> Self:
        if self.exit > self.entry:
            raise ValueError(f"exit={self.exit} must not be above entry={self.entry}")
        return self


@dataclass(slots=True)
class ChannelState:
    """Highs and lows of the last `entry` bars, the newest at `count - 1` modulo their number; the true range's mean."""

    highs: list[float]
    lows: list[float]
    count: int = 0
    close: float = 0.0
    atr: float = 0.0


class ChannelParams(NamedTuple):
    """Bars of both channels, and the net quantity to hold after a break upwards and downwards."""

    entry: int
    exit: int
    above_raw: int
    below_raw: int
    long_only: bool


@compiled
def highest(state: ChannelState, params: ChannelParams, bars: int) -> float:
    """The highest high of the last `bars` bars."""
    newest = state.count - 1
    found = state.highs[newest % params.entry]
    for back in range(1, bars):
        found = max(found, state.highs[(newest - back) % params.entry])
    return found


@compiled
def lowest(state: ChannelState, params: ChannelParams, bars: int) -> float:
    """The lowest low of the last `bars` bars."""
    newest = state.count - 1
    found = state.lows[newest % params.entry]
    for back in range(1, bars):
        found = min(found, state.lows[(newest - back) % params.entry])
    return found


@compiled
def add_bar(state: ChannelState, params: ChannelParams, bar: BarValues) -> None:
    """One more bar in the channels and in Wilder's average of the true range (as `Atr`)."""
    true_range = max(state.close, bar.high_f) - min(state.close, bar.low_f)
    state.close = bar.close_f
    place = state.count % params.entry
    state.highs[place] = bar.high_f
    state.lows[place] = bar.low_f
    if state.count > params.entry:
        state.atr += (true_range - state.atr) / float(params.entry)
    elif state.count > 0:
        state.atr += (true_range - state.atr) / float(state.count)
    state.count += 1


@compiled
def break_out(state: ChannelState, params: ChannelParams, bar: BarValues, orders: Desk) -> None:
    """The channel of the bars before decides: a close is never beyond one that contains its own bar."""
    if state.count <= params.entry - 1:
        add_bar(state, params, bar)
        return
    upper = highest(state, params, params.entry)
    lower = lowest(state, params, params.entry)
    exit_upper = highest(state, params, params.exit)
    exit_lower = lowest(state, params, params.exit)
    add_bar(state, params, bar)
    close = bar.close_f
    held_raw = orders.net_qty_raw()
    if close > upper and held_raw <= 0:
        orders.target(params.above_raw)
    elif close < lower and held_raw >= 0 and not params.long_only:
        orders.target(params.below_raw)
    elif (held_raw > 0 and close < exit_lower) or (held_raw < 0 and close > exit_upper):
        orders.close()  # reduce-only: where the stop is faster, nothing is left to turn around


class Breakout(CompiledStrategy):
    """Entries and exits are decided at each close; the stop works at the venue between the bars.

    The stop is reduce-only and belongs to one position: it is canceled with it. A stop that is refused leaves a
    position without protection, so that position is closed at once.
    """

    config: BreakoutConfig

    def on_start(self) -> None:
        config = self.config
        quantity = self.cache.instrument(config.instrument).quantity(config.quantity)
        self._stop: Order | None = None
        self.handle_by(
            ChannelState([0.0] * config.entry, [0.0] * config.entry),
            ChannelParams(config.entry, config.exit, quantity.raw, -quantity.raw, config.long_only),
            instrument=config.instrument,
            size_precision=quantity.precision,
            on_bar=break_out,
        )
        self.subscribe_bars(config.instrument, config.bars)

    def on_position_opened(self, event: PositionOpened) -> None:
        order, atr = self.cache.order(event.client_order_id), self.memory.atr
        if order is None or self.config.stop_atrs == 0.0:
            return
        instrument = self.cache.instrument(event.instrument_id)
        ticks_away = self.config.stop_atrs * atr * 10**instrument.price_precision / instrument.tick_raw
        entry_ticks = order.last_px_raw / instrument.tick_raw
        is_long = event.quantity_raw > 0
        # Away from the market, so that rounding never brings the stop nearer than asked.
        ticks = floor(entry_ticks - ticks_away) if is_long else ceil(entry_ticks + ticks_away)
        trigger = Price.from_raw(ticks * instrument.tick_raw, instrument.price_precision)
        quantity = Quantity.from_raw(abs(event.quantity_raw), event.size_precision)
        send = self.sell if is_long else self.buy
        self._stop = send(event.instrument_id, quantity, trigger_price=trigger, reduce_only=True, tags=("STOP_LOSS",))

    def on_position_changed(self, event: PositionChanged) -> None:
        if self._stop is not None and abs(event.quantity_raw) > self._stop.quantity_raw:
            quantity = Quantity.from_raw(abs(event.quantity_raw), event.size_precision)
            self.modify_order(self._stop, quantity=quantity)

    def on_position_closed(self, event: PositionClosed) -> None:  # noqa: ARG002 - the hook has it, one position is all
        if self._stop is not None and not self._stop.is_closed:
            self.cancel_order(self._stop)  # not every venue cancels a reduce-only order that has nothing left to reduce
        self._stop = None

    def on_order_denied(self, event: OrderDenied) -> None:
        self._leave_if_unprotected(event.client_order_id)

    def on_order_rejected(self, event: OrderRejected) -> None:
        self._leave_if_unprotected(event.client_order_id)

    def _leave_if_unprotected(self, client_order_id: str) -> None:
        if self._stop is not None and self._stop.client_order_id == client_order_id:
            self._stop = None
            self.close_position(self.config.instrument)
