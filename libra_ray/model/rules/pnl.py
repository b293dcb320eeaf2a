"""Open value, released value and profit of positions, in integers.

Linear: the open value is the sum of quantity x price, exact. Inverse: quantity x multiplier / price in base currency,
held at 12 decimals half-even. A reduction releases its share half-even, so partial closes add up to the whole.
"""

from typing import Final

from libra_ray.model.rules.fixed_point import div_half_even

__all__ = ["INVERSE_DECIMALS", "inverse_value", "pnl_inverse", "pnl_linear", "released"]

INVERSE_DECIMALS: Final = 12


def released(open_value: int, quantity: int, size: int) -> int:
    """The share of `open_value` that a reduction by `quantity` of a position of `size` (both > 0) gives up."""
    return open_value if quantity == size else div_half_even(open_value * quantity, size)


def pnl_linear(sign: int, value: int, released_value: int, num: int, den: int) -> int:
    """`sign * (q * px - released) * multiplier` in settlement currency; `num / den` holds multiplier and scales."""
    return div_half_even(sign * (value - released_value) * num, den)


def inverse_value(px_raw: int, qty_raw: int, num: int, den: int) -> int:
    """`q * multiplier / px` in base currency at 12 decimals; `num / den` holds multiplier and scales."""
    return div_half_even(qty_raw * num, px_raw * den)


def pnl_inverse(sign: int, value: int, released_value: int, precision: int) -> int:
    """`sign * (released - value)` in base currency, from 12 decimals to the currency's."""
    amount = sign * (released_value - value)
    if precision >= INVERSE_DECIMALS:
        factor: int = 10 ** (precision - INVERSE_DECIMALS)
        return amount * factor
    return div_half_even(amount, 10 ** (INVERSE_DECIMALS - precision))
