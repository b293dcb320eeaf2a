"""Market maker, a skeleton: one bid and one ask around the mid, moved when the mid moves, bounded by inventory.

It shows the mechanics of quoting, not an edge: half spread and size are constants, where a real one (Avellaneda and
Stoikov, *High-frequency trading in a limit order book*, 2008) derives them from volatility and inventory.
"""

from typing import Self

from pydantic import PositiveInt, model_validator

from libra_actors.strategies.quantity_text import QuantityText
from libra_ray import (
    Order,
    OrderCanceled,
    OrderDenied,
    OrderEvent,
    OrderFilled,
    OrderRejected,
    OrderSide,
    Price,
    Quantity,
    Quote,
    Strategy,
    StrategyConfig,
)

__all__ = ["MarketMaker", "MarketMakerConfig"]


class MarketMakerConfig(StrategyConfig):
    """Settings of `MarketMaker`.

    Attributes:
        instrument: instrument id, such as `BTCUSDT.SIM`.
        quantity: size of each order.
        half_spread_ticks: distance of both orders from the mid, in ticks; rounded away from the mid.
        requote_ticks: move of the mid, in ticks, that replaces both orders; a complete fill does so too.
        inventory_max: largest net position, long or short; not below `quantity`.

    """

    instrument: str
    quantity: QuantityText
    half_spread_ticks: PositiveInt = 2
    requote_ticks: PositiveInt = 1
    inventory_max: QuantityText

    @model_validator(mode="after")
    def _inventory_holds_one_order(self) -> Self:
        if Quantity.parse(self.inventory_max) < Quantity.parse(self.quantity):
            raise ValueError(f"inventory_max={self.inventory_max} must not be below quantity={self.quantity}")
        return self


class MarketMaker(Strategy):
    """Post-only, and never two orders on one side: the new one is sent when the cancel of the old is confirmed.

    So the inventory limit holds with any latency. A side whose order was refused waits for the next move of the mid.
    """

    config: MarketMakerConfig

    def on_start(self) -> None:
        config, instrument = self.config, self.cache.instrument(self.config.instrument)
        self._tick_raw, self._price_precision = instrument.tick_raw, instrument.price_precision
        self._quantity = instrument.quantity(config.quantity)
        self._inventory_max_raw = instrument.quantity(config.inventory_max).raw
        # Twice the mid, bid + ask, is a whole number: no float and no rounding on the way to a price.
        self._mid_twice_raw: int | None = None  # what the orders stand around; None: quote anew at the next quote
        self._requote_twice_raw = 2 * config.requote_ticks * self._tick_raw
        self._working: dict[OrderSide, Order] = {}
        self._refused: list[OrderSide] = []
        self.subscribe_quotes(config.instrument)

    def on_quote(self, quote: Quote) -> None:
        mid_twice_raw = quote.bid_px_raw + quote.ask_px_raw
        if self._mid_twice_raw is None or abs(mid_twice_raw - self._mid_twice_raw) >= self._requote_twice_raw:
            self._mid_twice_raw = mid_twice_raw
            self._refused.clear()
            for order in self._working.values():
                self.cancel_order(order)
        for side in (OrderSide.BUY, OrderSide.SELL):
            if side not in self._working and side not in self._refused:
                self._send(side)

    def on_order_event(self, event: OrderEvent) -> None:
        for side, order in self._working.items():
            if order.client_order_id == event.client_order_id and order.is_closed:
                del self._working[side]
                if isinstance(event, OrderFilled):
                    self._mid_twice_raw = None
                elif isinstance(event, OrderDenied | OrderRejected):
                    self._refused.append(side)
                elif isinstance(event, OrderCanceled) and not event.code:
                    self._send(side)
                return

    def on_stop(self) -> None:
        self.cancel_all_orders(self.config.instrument)

    def _send(self, side: OrderSide) -> None:
        sign = 1 if side is OrderSide.BUY else -1
        held_raw = self.portfolio.net_qty_raw(self.config.instrument)
        if self._mid_twice_raw is None or sign * held_raw + self._quantity.raw > self._inventory_max_raw:
            return
        # Floor division of the price taken with the sign of the side rounds both away from the mid.
        away_twice_raw = sign * self._mid_twice_raw - 2 * self.config.half_spread_ticks * self._tick_raw
        price_raw = sign * (away_twice_raw // (2 * self._tick_raw)) * self._tick_raw
        price = Price.from_raw(price_raw, self._price_precision)
        send = self.buy if side is OrderSide.BUY else self.sell
        self._working[side] = send(self.config.instrument, self._quantity, price=price, post_only=True)
