"""What an account holds back: margin of positions and orders, money of cash orders."""

from libra_ray.model.rules.fixed_point import div_ceil

__all__ = ["INVERSE_UNIT", "cash_locked", "notional_units", "worst_notional"]

INVERSE_UNIT = 10**24
"""Notionals of inverse contracts are divided by a price: they are kept in parts as fine as this."""


def notional_units(px_twice_raw: int, qty_raw: int, *, inverse: bool) -> int:
    """A notional as an integer, without multiplier and scales: twice price x quantity, which is exact.

    Inverse: `INVERSE_UNIT` x quantity / price, rounded down; 0 at a price of 0. A negative price counts by its size.
    """
    if not inverse:
        return abs(px_twice_raw) * qty_raw
    return 2 * qty_raw * INVERSE_UNIT // abs(px_twice_raw) if px_twice_raw else 0


def worst_notional(position: int, buys: int, sells: int) -> int:
    """`max(|P + B|, |P - S|)`: the larger exposure if all open buys, or all open sells, were filled."""
    return max(abs(position + buys), abs(position - sells))


def cash_locked(px_raw: int, qty_raw: int, num: int, den: int) -> int:
    """What an open buy of a cash account must be able to pay: price x quantity plus fee, rounded up; never below 0."""
    return max(0, div_ceil(px_raw * qty_raw * num, den))
