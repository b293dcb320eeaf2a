"""Trailing stops: where the market puts their trigger and limit. Pure functions over exact numbers."""

from fractions import Fraction
from typing import Final

from libra_ray.model.enums import TrailingOffsetType

__all__ = ["offset_raw", "trailed"]

BASIS_POINTS: Final = 10_000


def offset_raw(
    num: int, den: int, kind: TrailingOffsetType, source: Fraction, tick_raw: int, precision: int
) -> Fraction:
    """An offset of `num / den` as a distance in raw price; basis points are of the source price."""
    if kind is TrailingOffsetType.PRICE:
        return Fraction(num * 10**precision, den)
    if kind is TrailingOffsetType.TICKS:
        return Fraction(num * tick_raw, den)
    return source * Fraction(num, den * BASIS_POINTS)


def trailed(start: Fraction | int, distance: Fraction, tick_raw: int, *, is_buy: bool) -> int:
    """`start` moved by `distance` and rounded to the tick, both away from the market: up for a buy, down for a sell."""
    if is_buy:
        return -int(-(start + distance) // tick_raw) * tick_raw
    return int((start - distance) // tick_raw) * tick_raw
