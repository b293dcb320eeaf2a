"""The value of all fills."""

from libra_ray.matching.core.forms import outer
from libra_ray.matching.core.layout import Columns
from libra_ray.matching.core.wide import mul, mul_div_half_even

__all__ = ["traded_value_f"]


@outer
def traded_value_f(px: Columns, qty: Columns, num: int, den: int, unit: float) -> float:
    """The sum of `ContractTerms.notional` over fills, in whole units, in their order."""
    total = 0.0
    for at in range(len(px)):
        total += mul_div_half_even(mul(px[at], qty[at]), num, den) / unit
    return total
