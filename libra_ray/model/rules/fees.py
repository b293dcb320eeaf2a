"""Commissions of a fill, rounded half-even to the fee currency; positive is paid, negative received."""

from libra_ray.model.rules.fixed_point import div_half_even

__all__ = ["fee_inverse", "fee_linear", "fee_per_contract"]


def fee_linear(px_raw: int, qty_raw: int, num: int, den: int) -> int:
    """Notional x rate in quote currency. `num / den` holds rate, multiplier and all scales of the instrument."""
    return div_half_even(px_raw * qty_raw * num, den)


def fee_inverse(px_raw: int, qty_raw: int, num: int, den: int) -> int:
    """Notional x rate of an inverse contract in base currency, where notional = quantity x multiplier / price."""
    return div_half_even(qty_raw * num, px_raw * den)


def fee_per_contract(qty_raw: int, num: int, den: int) -> int:
    """An amount for each unit traded."""
    return div_half_even(qty_raw * num, den)
