"""Trailing stops (orders 6)."""

from decimal import Decimal
from fractions import Fraction
from typing import Final

from libra_ray.testing.reference.exact import ceil_to, floor_to
from libra_ray.testing.reference.orders import Order, sign

__all__ = ["first_trigger", "moved_trigger"]

BASIS_POINTS: Final = 10_000


def _distance(order: Order, offset: Decimal, source: Decimal) -> Fraction:
    if order.offset_type == "TICKS":
        return Fraction(offset * order.instrument.tick)
    if order.offset_type == "BASIS_POINTS":
        return Fraction(source) * Fraction(offset) / BASIS_POINTS
    return Fraction(offset)


def _away(order: Order, value: Fraction) -> Decimal:
    """To the tick away from the market: SELL down, BUY up."""
    tick = order.instrument.tick
    return floor_to(value, tick) if order.side == "SELL" else ceil_to(value, tick)


def first_trigger(order: Order, source: Decimal) -> dict[str, Decimal]:
    """SELL: source - offset; BUY: source + offset; the price of a limit type limit_offset further."""
    side = sign(order.side)
    trigger = _away(order, Fraction(source) + side * _distance(order, order.offset or Decimal(0), source))
    if order.type == "TRAILING_STOP_MARKET":
        return {"trigger": trigger}
    distance = _distance(order, order.limit_offset or Decimal(0), source)
    return {"price": _away(order, Fraction(trigger) + side * distance), "trigger": trigger}


def moved_trigger(order: Order, source: Decimal) -> dict[str, Decimal]:
    """SELL: the trigger only rises; BUY: it only falls. Empty when it does not move."""
    moved = first_trigger(order, source)
    if order.trigger is None:
        return moved
    is_closer = moved["trigger"] > order.trigger if order.side == "SELL" else moved["trigger"] < order.trigger
    return moved if is_closer else {}
