"""An instrument's factors, worked out once, so that a fill costs a few integer multiplications.

Every rule divides by a constant of the instrument: the multiplier, the decimals of price, size and currency. Here those
constants are reduced fractions, ready for `libra_ray.model.rules`.
"""

from fractions import Fraction
from math import gcd
from typing import Self

from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import Rate
from libra_ray.model.rules.fees import fee_inverse, fee_linear
from libra_ray.model.rules.fixed_point import div_half_even
from libra_ray.model.rules.pnl import INVERSE_DECIMALS, inverse_value, pnl_inverse, pnl_linear

__all__ = ["ContractTerms"]


class ContractTerms:
    """What `instrument` makes of prices and quantities: value, profit, fee and notional, in raw integers."""

    __slots__ = (
        "_fee",
        "_pnl_den",
        "_pnl_num",
        "_value_den",
        "_value_num",
        "fee_unit",
        "instrument",
        "instrument_id",
        "inverse",
        "precision",
        "settlement",
        "venue",
    )

    def __init__(self, instrument: Instrument, maker: Rate, taker: Rate) -> None:
        self.instrument = instrument
        self.instrument_id = instrument.id
        self.venue = instrument.venue
        self.inverse = instrument.inverse
        self.settlement = instrument.settlement
        self.precision = instrument.settlement.precision
        multiplier = instrument.multiplier
        scale = instrument.price_precision + instrument.size_precision
        self._pnl_num, self._pnl_den = _reduced(multiplier.num * 10**self.precision, multiplier.den * 10**scale)
        value_scale = INVERSE_DECIMALS + instrument.price_precision
        self._value_num, self._value_den = _reduced(
            multiplier.num * 10**value_scale, multiplier.den * 10**instrument.size_precision
        )
        self.fee_unit = instrument.settlement if instrument.inverse else instrument.quote
        self._fee = (self._fee_factor(maker), self._fee_factor(taker))

    @classmethod
    def of(cls, instrument: Instrument) -> Self:
        """With the instrument's own fee rates."""
        return cls(instrument, instrument.maker_fee, instrument.taker_fee)

    def _fee_factor(self, rate: Rate) -> tuple[int, int]:
        multiplier, made = self.instrument.multiplier, self.instrument
        num, den = multiplier.num * rate.num * 10**self.fee_unit.precision, multiplier.den * rate.den
        if self.inverse:
            return _reduced(num * 10**made.price_precision, den * 10**made.size_precision)
        return _reduced(num, den * 10 ** (made.price_precision + made.size_precision))

    def value(self, px_raw: int, qty_raw: int) -> int:
        """What `qty_raw` at `px_raw` adds to a position's open value (see `model.rules.pnl` for its decimals)."""
        if self.inverse:
            return inverse_value(px_raw, qty_raw, self._value_num, self._value_den)
        return px_raw * qty_raw

    def pnl(self, sign: int, px_raw: int, qty_raw: int, released_value: int) -> int:
        """Profit of closing `qty_raw` at `px_raw` of a position with `sign` +1 long or -1 short, settlement raw."""
        return self.gain(sign, self.value(px_raw, qty_raw), released_value)

    def gain(self, sign: int, value: int, released_value: int) -> int:
        """`pnl` of what is worth `value` where it is closed."""
        if self.inverse:
            return pnl_inverse(sign, value, released_value, self.precision)
        return pnl_linear(sign, value, released_value, self._pnl_num, self._pnl_den)

    def at_the_end(self, sign: int, qty_raw: int, open_value: int, px: Fraction) -> tuple[int, int]:
        """(value, profit) of all that is open where a contract ends at the raw `px`, which may be off the tick."""
        if self.inverse:
            value = inverse_value(px.numerator, qty_raw * px.denominator, self._value_num, self._value_den)
            return value, self.gain(sign, value, open_value)
        worth, den = qty_raw * px.numerator, px.denominator
        profit = pnl_linear(sign, worth, open_value * den, self._pnl_num, self._pnl_den * den)
        return div_half_even(worth, den), profit

    def px_of_profit(self, sign: int, qty_raw: int, open_value: int, pnl: int) -> Fraction:
        """The raw price, on no grid, at which `at_the_end` makes that profit without rounding."""
        if self.inverse:
            value = open_value - sign * pnl * Fraction(10**INVERSE_DECIMALS, 10**self.precision)
            return Fraction(qty_raw * self._value_num, value * self._value_den)
        return Fraction(open_value + sign * pnl * Fraction(self._pnl_den, self._pnl_num), qty_raw)

    def unrealized(self, quantity_raw: int, open_value: int, px_raw: int) -> int:
        """Profit if the signed `quantity_raw` were closed at `px_raw`, settlement raw."""
        sign = 1 if quantity_raw > 0 else -1
        if self.inverse:
            return self.pnl(sign, px_raw, sign * quantity_raw, open_value)
        return pnl_linear(sign, px_raw * quantity_raw * sign, open_value, self._pnl_num, self._pnl_den)

    def fee(self, px_raw: int, qty_raw: int, *, is_taker: bool) -> int:
        """Commission of a fill in `fee_unit`: quote currency, or base currency of an inverse contract; raw."""
        num, den = self._fee[is_taker]
        if self.inverse:
            return fee_inverse(px_raw, qty_raw, num, den)
        return fee_linear(px_raw, qty_raw, num, den)

    def notional(self, px_raw: int, qty_raw: int) -> int:
        """Price x quantity x multiplier in settlement currency raw, half-even; inverse: over the price."""
        if self.inverse:
            value = inverse_value(px_raw, qty_raw, self._value_num, self._value_den)
            return pnl_inverse(-1, value, 0, self.precision)
        return div_half_even(px_raw * qty_raw * self._pnl_num, self._pnl_den)

    @property
    def pnl_factor(self) -> tuple[int, int]:
        """Settlement raw per raw price x raw quantity, as `num / den` (linear contracts)."""
        return self._pnl_num, self._pnl_den

    @property
    def maker_factor(self) -> tuple[int, int]:
        """The maker fee as `num / den`; as `taker_factor`."""
        return (0, 1) if self.inverse else self._fee[0]

    @property
    def taker_factor(self) -> tuple[int, int]:
        """The taker fee as `num / den` over price x quantity in quote raw; (0, 1) for an inverse contract."""
        return (0, 1) if self.inverse else self._fee[1]


def _reduced(num: int, den: int) -> tuple[int, int]:
    shared = gcd(num, den) or 1
    return num // shared, den // shared
