"""Breakout of Donchian channels with a protective stop: the Turtles' rules in their plain form.

Source: Faith, *Way of the Turtle* (2007): enter where price leaves the channel of the last 20 days, leave where it
crosses the opposite side of the 10-day channel, stop at 2 N from the entry (N is Wilder's average true range over 20).
"""

from math import ceil, floor
from typing import Annotated, Self

from pydantic import Field, PositiveInt, model_validator

from libra_actors.strategies.quantity_text import QuantityText
from libra_ray import (
    Bar,
    Order,
    OrderDenied,
    OrderRejected,
    PositionChanged,
    PositionClosed,
    PositionOpened,
    Price,
    Quantity,
    Strategy,
    StrategyConfig,
)
from libra_ray.strategy.indicators import Atr, DonchianChannel

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


class Breakout(Strategy):
    """A close beyond the channel of the bars before it decides; the stop works at the venue between the bars.

    The stop is reduce-only and belongs to one position: it is canceled with it. A stop that is refused leaves a
    position without protection, so that position is closed at once.
    """

    config: BreakoutConfig

    def on_start(self) -> None:
        config = self.config
        self._entry, self._exit = DonchianChannel(config.entry), DonchianChannel(config.exit)
        self._atr = Atr(config.entry)
        self._stop: Order | None = None
        self.subscribe_bars(config.instrument, config.bars)

    def on_bar(self, bar: Bar) -> None:
        high, low, close = bar.high_f, bar.low_f, bar.close_f
        # Read before the update: a close is never beyond a channel that contains its own bar.
        upper, lower = self._entry.upper, self._entry.lower
        exit_upper, exit_lower = self._exit.upper, self._exit.lower
        self._entry.update(high, low)
        self._exit.update(high, low)
        atr = self._atr.update(high, low, close)
        if atr is None or upper is None or lower is None or exit_upper is None or exit_lower is None:
            return
        instrument, quantity = self.config.instrument, self.config.quantity
        held_raw = self.portfolio.net_qty_raw(instrument)
        if close > upper and held_raw <= 0:
            self.target(instrument, quantity)
        elif close < lower and held_raw >= 0 and not self.config.long_only:
            self.target(instrument, f"-{quantity}")
        elif (held_raw > 0 and close < exit_lower) or (held_raw < 0 and close > exit_upper):
            self.close_position(instrument)  # reduce-only: where the stop is faster, nothing is left to turn around

    def on_position_opened(self, event: PositionOpened) -> None:
        order, atr = self.cache.order(event.client_order_id), self._atr.value
        if order is None or atr is None or self.config.stop_atrs == 0.0:
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
