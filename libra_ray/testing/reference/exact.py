"""Exact numbers of the reference: decimals that never round by themselves, fractions, and the few places that round.

All arithmetic runs in the context `EXACT`, where a result that would have to be rounded raises. What a rule rounds goes
through one of the functions here, by name.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, Inexact, Overflow
from decimal import InvalidOperation as Invalid
from fractions import Fraction
from typing import Final

__all__ = [
    "EXACT",
    "SECOND_NS",
    "ceil_to",
    "decimals_of",
    "floor_to",
    "half_even",
    "money_text",
    "rounded_up",
    "text",
    "ts_ns",
    "ts_text",
]

SECOND_NS: Final = 10**9
TS_DECIMALS: Final = 9
EXACT: Final = Context(prec=400, traps=[Inexact, Invalid, DivisionByZero, Overflow])
ROUNDING: Final = Context(prec=400, traps=[Invalid, DivisionByZero, Overflow])


def _at(value: Decimal | Fraction, decimals: int, rounding: str) -> Decimal:
    if isinstance(value, Decimal):
        return value.quantize(Decimal(1).scaleb(-decimals), rounding=rounding, context=ROUNDING)
    scaled = value * 10**decimals
    if rounding == ROUND_HALF_EVEN:
        whole = round(scaled)  # a fraction rounds half to even
    else:
        whole = -(-scaled.numerator // scaled.denominator) if rounding == ROUND_CEILING else scaled.__floor__()
    return Decimal(whole).scaleb(-decimals)


def half_even(value: Decimal | Fraction, decimals: int) -> Decimal:
    """`value` at `decimals`, to the nearest, ties to the even one."""
    return _at(value, decimals, ROUND_HALF_EVEN)


def rounded_up(value: Decimal | Fraction, decimals: int) -> Decimal:
    """`value` at `decimals`, never below it."""
    return _at(value, decimals, ROUND_CEILING)


def floor_to(value: Decimal | Fraction, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not above `value`."""
    return _at(Fraction(value) / Fraction(step), 0, ROUND_FLOOR) * step


def ceil_to(value: Decimal | Fraction, step: Decimal) -> Decimal:
    """The smallest multiple of `step` that is not below `value`."""
    return _at(Fraction(value) / Fraction(step), 0, ROUND_CEILING) * step


def decimals_of(number: str) -> int:
    """How many decimals the text of a number has."""
    return len(number.partition(".")[2])


def text(value: Decimal) -> str:
    """Plain decimal text without trailing zeros and without an exponent."""
    return "0" if value == 0 else f"{value.normalize(ROUNDING):f}"


def money_text(amount: Decimal, code: str) -> str:
    """`1.5 USD`."""
    return f"{text(amount)} {code}"


def ts_ns(seconds: str) -> int:
    """Nanoseconds since the epoch of scenarios."""
    return int(Decimal(seconds).scaleb(TS_DECIMALS))


def ts_text(ns: int) -> str:
    """Seconds since the epoch of scenarios."""
    return text(Decimal(ns).scaleb(-TS_DECIMALS))
