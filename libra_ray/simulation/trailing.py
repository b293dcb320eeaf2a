"""Trailing stops: where the market puts their trigger and limit. Pure functions over exact numbers."""

from fractions import Fraction
from typing import Final

from libra_ray.model.enums import TrailingOffsetType
from libra_ray.model.numbers import Rate

__all__ = ["offset_raw", "trailed"]

BASIS_POINTS: Final = 10_000


def offset_raw(offset: Rate, kind: TrailingOffsetType, source_twice: int, tick_raw: int, precision: int) -> Fraction:
    """An offset as a distance in raw price; basis points are of the source price, which is given twice."""
    if kind is TrailingOffsetType.PRICE:
        return Fraction(offset.num * 10**precision, offset.den)
    if kind is TrailingOffsetType.TICKS:
        return Fraction(offset.num * tick_raw, offset.den)
    return Fraction(source_twice * offset.num, 2 * offset.den * BASIS_POINTS)


def trailed(start: Fraction | int, distance: Fraction, tick_raw: int, *, is_buy: bool) -> int:
    """`start` moved by `distance` and rounded to the tick, both away from the market: up for a buy, down for a sell."""
    if is_buy:
        return -int(-(start + distance) // tick_raw) * tick_raw
    return int((start - distance) // tick_raw) * tick_raw
