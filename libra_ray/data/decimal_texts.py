"""Decimal texts to scaled integers, exactly and by whole columns; a float is never on the way."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, Overflow
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from libra_ray.data.arrow_arrays import Mask, arrow_bools, mask_of
from libra_ray.messages.schemas import decimal_type
from libra_ray.model.numbers import STANDARD_PRECISION_MAX

__all__ = ["DIGITS_STANDARD", "Decimals", "decimals_of_texts"]

DIGITS_STANDARD: Final = 18
DIGITS_HIGH: Final = 38
FINE_SCALE: Final = 40
FINE: Final = pa.decimal256(76, FINE_SCALE)
NUMBER: Final = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?$"
PLAIN: Final = r"^[+-]?0*(\d{1,18}(\.\d{0,40})?|\.\d{1,40})$"
MARKED: Final = r"^[+-]?(\d+,\d+|\d{1,3}([,.' ]\d{3})+([.,]\d+)?)$"


@dataclass(frozen=True)
class Decimals:
    """A column of decimals, with masks of the rows where its text was at fault; those rows hold no meaning.

    Attributes:
        marked: a decimal comma or thousands separators that were not declared.
        malformed: no finite decimal.
        too_large: more digits than the precision holds.
        inexact: more decimals than the scale; the value is rounded half-even.

    """

    values: pa.Array
    marked: Mask
    malformed: Mask
    too_large: Mask
    inexact: Mask


def decimals_of_texts(
    texts: pa.Array, precision: int, *, decimal: str = ".", thousands: str = "", wide: bool = False
) -> Decimals:
    """Texts such as `-12.50` or `1e-5` at `precision` decimals. O(rows), vectorised; only odd texts go one by one.

    `wide` numbers have 18 digits at any precision.
    """
    kind = decimal_type(precision, wide=wide)
    digits_max = DIGITS_STANDARD if wide or precision <= STANDARD_PRECISION_MAX else DIGITS_HIGH
    good = np.zeros(len(texts), bool)
    if decimal == "." and not thousands:
        try:
            return Decimals(texts.cast(kind), good, good, good, good)
        except pa.ArrowInvalid:
            pass  # some text is odd: the slow way finds out which
    plain = _plain(texts, decimal, thousands)
    is_number = mask_of(pc.match_substring_regex(plain, NUMBER))
    marked = ~is_number & mask_of(pc.match_substring_regex(pc.utf8_trim_whitespace(texts), MARKED))
    simple = mask_of(pc.match_substring_regex(plain, PLAIN)) & is_number
    fine = pc.if_else(arrow_bools(simple), plain, pa.scalar("0", plain.type)).cast(FINE)
    rounded = pc.round(fine, precision, "half_to_even")
    inexact = mask_of(pc.not_equal(rounded, fine))
    raw = rounded.cast(pa.decimal256(76, precision))
    too_large = np.zeros(len(texts), bool)
    odd = np.flatnonzero(is_number & ~simple)
    found: list[int] = []
    for index in odd.tolist():
        one = _one_raw(plain[index].as_py(), precision, digits_max)
        found.append(0 if one is None else one[0])
        too_large[index], inexact[index] = one is None, one is not None and one[1]
    if len(odd):
        raw = _replaced(raw, odd, found, precision)
    limit = pa.scalar(Decimal(10) ** (digits_max - precision), pa.decimal256(76, precision))
    too_large |= mask_of(pc.greater_equal(pc.abs(raw), limit))
    raw = pc.if_else(arrow_bools(too_large), pa.scalar(Decimal(0), raw.type), raw)
    # Arrow has no cast from 256 to 64 bits.
    values = raw.cast(pa.decimal128(38, precision)).cast(kind)
    return Decimals(values, marked, ~is_number & ~marked, too_large, inexact & ~too_large)


def _plain(texts: pa.Array, decimal: str, thousands: str) -> pa.Array:
    """Without outer space and thousands separators, with a decimal point.

    Only whole groups of three are thousands: `0,125` and `1,2500` are what somebody else calls decimals.
    """
    plain = pc.utf8_trim_whitespace(texts)
    if thousands:
        sign, point = re.escape(thousands), re.escape(decimal)
        grouped = pc.match_substring_regex(plain, rf"^[+-]?[1-9]\d{{0,2}}({sign}\d{{3}})+({point}\d*)?$")
        plain = pc.if_else(grouped, pc.replace_substring(plain, thousands, ""), plain)
    if decimal != ".":
        # A point is no number then, and must not become one.
        plain = pc.replace_substring(pc.replace_substring(plain, ".", "?"), decimal, ".")
    return plain


def _one_raw(text: str, precision: int, digits_max: int) -> tuple[int, bool] | None:
    """(raw, whether rounded) of one number in any form; None when it has too many digits."""
    context = Context(prec=2_000, rounding=ROUND_HALF_EVEN, Emax=10_000, Emin=-10_000)
    try:
        value = context.create_decimal(text)
    except Overflow:
        return None
    if value and value.adjusted() >= digits_max - precision:
        return None
    rounded = value.quantize(Decimal(1).scaleb(-precision), context=context)
    return int(rounded.scaleb(precision, context=context)), bool(context.flags[Inexact])


def _replaced(raw: pa.Array, rows: npt.NDArray[np.int64], values: list[int], precision: int) -> pa.Array:
    replacement = pa.array([Decimal(value).scaleb(-precision, Context(prec=80)) for value in values], raw.type)
    mask = np.zeros(len(raw), bool)
    mask[rows] = True
    return pc.replace_with_mask(raw, arrow_bools(mask), replacement)
