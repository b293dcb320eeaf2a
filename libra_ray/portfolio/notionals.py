"""Notionals in whole numbers: what an order may buy and sell, and by which fractions that becomes money.

A *notional unit* is `model.rules.margin.notional_units`: exact, without multiplier and scales.
"""

from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import Currency
from libra_ray.model.open_orders import counted_px, counted_units
from libra_ray.model.orders import Order
from libra_ray.model.rules.fixed_point import div_ceil, div_half_even
from libra_ray.model.rules.margin import INVERSE_UNIT, notional_units
from libra_ray.portfolio.market_rows import InstrumentRows

__all__ = ["Sums", "on_order", "quote_units", "unit_factor", "worth_factor"]


class Sums:
    """Exact sums by currency, rounded half-even once."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: dict[str, tuple[int, int]] = {}

    def add(self, num: int, den: int, unit: Currency) -> None:
        """Add `num / den` of the smallest unit."""
        known = self._parts.get(unit.code)
        self._parts[unit.code] = (num, den) if known is None else (known[0] * den + num * known[1], known[1] * den)

    def rounded(self) -> dict[str, int]:
        """By currency code, raw."""
        return {code: div_half_even(num, den) for code, (num, den) in self._parts.items()}


def on_order(instrument: Instrument, order: Order, prices: InstrumentRows) -> tuple[int, int]:
    """Notional units that an order may buy and sell; what only reduces adds none."""
    if order.reduce_only:
        return 0, 0
    px_raw = counted_px(order, prices)
    if px_raw is None:
        return 0, 0
    if order.quote_quantity:
        notional = quote_units(order, instrument, px_raw)
    else:
        notional = notional_units(2 * px_raw, order.leaves_raw, inverse=instrument.inverse)
    return (notional, 0) if order.is_buy else (0, notional)


def quote_units(order: Order, instrument: Instrument, px_raw: int) -> int:
    """Notional units of an amount of quote currency, which is itself the notional of a linear contract; rounded up."""
    if instrument.inverse:
        return notional_units(2 * px_raw, counted_units(order, instrument, px_raw) or 0, inverse=True)
    num, den = worth_factor(instrument)
    amount = 2 * order.leaves_raw * 10**instrument.quote.precision * den
    return div_ceil(amount, num * 10**order.size_precision)


def worth_factor(instrument: Instrument) -> tuple[int, int]:
    """Quote currency raw per unit of price raw x quantity raw, as a fraction."""
    multiplier = instrument.multiplier
    scale = 10 ** (instrument.price_precision + instrument.size_precision)
    return multiplier.num * 10**instrument.quote.precision, multiplier.den * scale


def unit_factor(instrument: Instrument) -> tuple[int, int]:
    """Settlement raw per notional unit, as a fraction."""
    multiplier = instrument.multiplier
    num = multiplier.num * 10**instrument.settlement.precision
    if instrument.inverse:
        return num * 10**instrument.price_precision, multiplier.den * INVERSE_UNIT * 10**instrument.size_precision
    return num, 2 * multiplier.den * 10 ** (instrument.price_precision + instrument.size_precision)
