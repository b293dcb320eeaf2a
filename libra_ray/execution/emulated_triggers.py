"""Triggers of held orders: which price they look at, whether it hits them, where they move, what they become.

Prices of the watched instrument and of the order may have different decimals: the order's own count, exactly.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Final, NamedTuple, Protocol

import msgspec

from libra_ray.model.enums import OrderType, TimeInForce, TriggerType
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import Rate
from libra_ray.model.orders import MARKET_TYPES, TOUCH_TYPES, TRAILING_TYPES, TRIGGER_TYPES, Order
from libra_ray.model.rules.fixed_point import div_half_even
from libra_ray.model.rules.trailing import offset_raw, trailed
from libra_ray.runtime import NEVER_NS

__all__ = ["Held", "Moved", "Prices", "become_released", "is_activated", "is_hit", "moved", "released_px", "source_px"]

_RELEASED_AS: Final = {
    OrderType.MARKET: OrderType.MARKET,
    OrderType.MARKET_TO_LIMIT: OrderType.MARKET_TO_LIMIT,
    OrderType.LIMIT: OrderType.MARKET,
    OrderType.STOP_MARKET: OrderType.MARKET,
    OrderType.MARKET_IF_TOUCHED: OrderType.MARKET,
    OrderType.TRAILING_STOP_MARKET: OrderType.MARKET,
    OrderType.STOP_LIMIT: OrderType.LIMIT,
    OrderType.LIMIT_IF_TOUCHED: OrderType.LIMIT,
    OrderType.TRAILING_STOP_LIMIT: OrderType.LIMIT,
}


class Prices(Protocol):
    """Best prices of one instrument, raw; None where there is none."""

    def opposite_px(self, *, is_buy: bool) -> int | None:
        """The best price that an order of that direction trades against."""
        ...

    def last(self) -> int | None:
        """The last traded price."""
        ...


class Held(msgspec.Struct, eq=False, gc=False):
    """An order in the emulator.

    Attributes:
        watched_id: whose prices it looks at.
        asked_raw: the quantity that the strategy asks for, before links change it.
        tick_raw: the tick at the order's price decimals.
        px_num, px_den: a watched price times this fraction is at the order's price decimals.
        is_waiting: a child whose parent has not filled yet; it looks at no price.
        is_following: a trailing stop whose activation price, if it has one, was reached.
        is_released: it was let go, and its turn to be sent has not come.
        ends_ns: when its time in force ends, GTD or DAY; None for never.
    """

    order: Order
    watched_id: str
    asked_raw: int
    tick_raw: int
    px_num: int
    px_den: int
    is_waiting: bool = False
    is_following: bool = False
    is_released: bool = False
    ends_ns: int | None = None

    @classmethod
    def of(cls, order: Order, instruments: Mapping[str, Instrument]) -> "Held":
        """As it arrives; an order that is not emulated may be of an instrument that is not loaded."""
        watched_id = order.trigger_instrument_id or order.instrument_id
        own, watched = instruments.get(order.instrument_id), instruments.get(watched_id)
        precision = order.price_precision
        scale = 0 if own is None else max(precision - own.price_precision, 0)
        finer = 0 if watched is None else precision - watched.price_precision
        tick_raw = 1 if own is None else own.tick_raw * 10**scale
        return cls(order, watched_id, order.quantity_raw, tick_raw, 10 ** max(finer, 0), 10 ** max(-finer, 0))

    @property
    def expires_ns(self) -> int:
        """When it expires before rows of that time are looked at."""
        is_gtd = self.order.time_in_force is TimeInForce.GTD
        return self.ends_ns if is_gtd and self.ends_ns is not None else NEVER_NS

    @property
    def is_emulated(self) -> bool:
        """Whether it waits for a price; others are held for the sake of a parent."""
        return self.order.emulation_trigger is not None


class Moved(NamedTuple):
    """Where a trailing stop goes; None is as it was."""

    trigger_raw: int | None
    price_raw: int | None


def source_px(order: Order, prices: Prices) -> int | None:
    """The price that the order looks at, the last one or the best of the other side; raw, of the watched instrument."""
    if order.emulation_trigger is TriggerType.LAST_PRICE:
        return prices.last()
    return prices.opposite_px(is_buy=order.is_buy)


def is_hit(held: Held, px_raw: int) -> bool:
    """Whether the price releases the order: a limit is marketable, a stop or touched order is triggered."""
    order = held.order
    kind = order.type
    if kind not in TRIGGER_TYPES:
        if kind is not OrderType.LIMIT:
            return True  # a market order has nothing to wait for but a price
        level, rises = order.price_raw, not order.is_buy
    else:
        level, rises = order.trigger_raw, order.is_buy is not (kind in TOUCH_TYPES)
    if level is None or (kind in TRAILING_TYPES and not held.is_following):
        return False
    px, level = px_raw * held.px_num, level * held.px_den
    return px >= level if rises else px <= level


def is_activated(held: Held, px_raw: int | None) -> bool:
    """Whether a trailing stop may begin to follow: at once without an activation price, else when that is reached."""
    order = held.order
    if order.activation_raw is None:
        return True
    if px_raw is None:
        return False
    px, level = px_raw * held.px_num, order.activation_raw * held.px_den
    return px <= level if order.is_buy else px >= level


def moved(held: Held, px_raw: int, *, stands: bool = False) -> Moved | None:
    """Where a trailing stop that follows goes, only towards the market; None where nothing changes.

    `stands`: a trigger that there is stays where it is, as one given by the strategy does on arrival.
    """
    order = held.order
    px = Fraction(px_raw * held.px_num, held.px_den)
    offset, trigger = order.trailing_offset, order.trigger_raw
    if offset is None:
        return None
    candidate = _away(px, _distance(offset, held, px), held)
    if trigger is None:
        is_nearer = True
    else:
        is_nearer = not stands and (candidate < trigger if order.is_buy else candidate > trigger)
    is_limit = order.type is OrderType.TRAILING_STOP_LIMIT and order.limit_offset is not None
    if not is_nearer and not (is_limit and order.price_raw is None):
        return None
    level = candidate if is_nearer or trigger is None else trigger
    price = None
    if is_limit and order.limit_offset is not None:
        price = _away(Fraction(level), _distance(order.limit_offset, held, px), held)
    return Moved(candidate if is_nearer else None, None if price == order.price_raw else price)


def released_px(held: Held, px_raw: int) -> int:
    """The price that hit, at the order's price decimals; half-even where the watched instrument has more."""
    return div_half_even(px_raw * held.px_num, held.px_den)


def become_released(order: Order) -> None:
    """The order is now what it will be at the venue: MARKET, or LIMIT at its price."""
    is_market = order.type in MARKET_TYPES or order.type is OrderType.LIMIT
    order.type = _RELEASED_AS[order.type]
    order.trigger_raw = order.trailing_offset = order.limit_offset = order.activation_raw = None
    if is_market:
        order.price_raw = order.display_raw = None


def _distance(offset: Rate, held: Held, px: Fraction) -> Fraction:
    order = held.order
    return offset_raw(offset.num, offset.den, order.trailing_offset_type, px, held.tick_raw, order.price_precision)


def _away(start: Fraction, distance: Fraction, held: Held) -> int:
    return trailed(start, distance, held.tick_raw, is_buy=held.order.is_buy)
