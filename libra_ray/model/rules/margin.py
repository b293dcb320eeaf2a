"""What an account holds back: margin of positions and orders, money of cash orders."""

from libra_ray.model.rules.fixed_point import div_ceil, div_half_even

__all__ = ["cash_locked", "instrument_margin", "worst_notional"]


def worst_notional(position: int, buys: int, sells: int) -> int:
    """`max(|P + B|, |P - S|)`: the larger exposure if all open buys, or all open sells, were filled."""
    return max(abs(position + buys), abs(position - sells))


def instrument_margin(notional: int, num: int, den: int) -> int:
    """Notional x rate (/ leverage), half-even; `num / den` holds rate, leverage and scales."""
    return div_half_even(notional * num, den)


def cash_locked(px_raw: int, qty_raw: int, num: int, den: int) -> int:
    """What an open buy of a cash account must be able to pay: price x quantity plus fee, rounded up."""
    return div_ceil(px_raw * qty_raw * num, den)
