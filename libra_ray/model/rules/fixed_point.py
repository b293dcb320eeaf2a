"""Integer arithmetic on scaled numbers: the only place where the library rounds.

Interpreted, Python's integers are exact at any size. Every rule that multiplies and divides goes through these
functions, so that a compiled form needs one checked 128-bit version of each and nothing else.
"""

from decimal import Context, Decimal
from typing import Final

__all__ = ["decimal_quotient", "div_ceil", "div_half_even", "rescale_half_even"]

_AVERAGES: Final = Context(prec=60)


def div_half_even(numerator: int, denominator: int) -> int:
    """`numerator / denominator` to the nearest integer, ties to the even one. `denominator` > 0."""
    quotient, remainder = divmod(numerator, denominator)
    if not remainder:
        return quotient
    twice = remainder + remainder
    if twice > denominator or (twice == denominator and quotient & 1):
        return quotient + 1
    return quotient


def div_ceil(numerator: int, denominator: int) -> int:
    """`numerator / denominator` rounded up (towards plus infinity). `denominator` > 0."""
    return -(-numerator // denominator)


def rescale_half_even(raw: int, from_scale: int, to_scale: int) -> int:
    """The same value at another number of decimals, half-even where decimals are lost."""
    if to_scale >= from_scale:
        factor: int = 10 ** (to_scale - from_scale)
        return raw * factor
    return div_half_even(raw, 10 ** (from_scale - to_scale))


def decimal_quotient(numerator: int, denominator: int, decimals: int) -> Decimal:
    """`numerator / denominator / 10**decimals` to 60 digits, for averages that people read; whatever the context."""
    return _AVERAGES.scaleb(_AVERAGES.divide(Decimal(numerator), Decimal(denominator)), -decimals)
