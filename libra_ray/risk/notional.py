"""Check 7 of the risk engine: price x quantity x multiplier against the instrument's bounds and our own limit."""

from collections.abc import Iterable
from fractions import Fraction
from math import ceil

from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import Currency, Quantity, decimal_text
from libra_ray.model.orders import Order
from libra_ray.risk.limits import Scope
from libra_ray.risk.refusal import Refusal

__all__ = ["check_notional", "exact_notional", "notional_unit"]


def exact_notional(instrument: Instrument, px_raw: int | Fraction, qty_raw: int) -> Fraction:
    """Price x quantity x multiplier in quote currency, inverse: quantity x multiplier / price in base; not rounded.

    The size of a negative price counts; an inverse contract is worth nothing at a price of 0.
    """
    units = Fraction(qty_raw * instrument.multiplier.num, instrument.multiplier.den * 10**instrument.size_precision)
    price = abs(Fraction(px_raw)) * Fraction(1, 10**instrument.price_precision)
    if not instrument.inverse:
        return units * price
    return units * Fraction(price.denominator, price.numerator) if price else Fraction(0)


def notional_unit(instrument: Instrument) -> Currency:
    """What a notional is counted in: quote currency, inverse: base."""
    return instrument.base if instrument.inverse and instrument.base is not None else instrument.quote


def check_notional(instrument: Instrument, order: Order, px_raw: int, scopes: Iterable[Scope]) -> Refusal | None:
    """The instrument's minimum (reduce-only orders are exempt) and maximum, then the largest that we allow."""
    worth = exact_notional(instrument, px_raw, order.quantity_raw)
    counted = notional_unit(instrument)
    bound_precision = instrument.quote.precision
    shown = f"notional {_rounded_up(worth, counted.precision)} {counted} for {instrument.id}"
    least, most = instrument.min_notional_raw, instrument.max_notional_raw
    if least is not None and not order.reduce_only and worth < Fraction(least, 10**bound_precision):
        text = f"ORD002 {shown} is below the minimum {decimal_text(least, bound_precision)}."
        if not worth:
            return Refusal("NOTIONAL_BELOW_MIN", text)
        missing = Fraction(least * worth.denominator, 10**bound_precision * worth.numerator)  # times as much
        steps = ceil(missing * Fraction(order.quantity_raw, instrument.step_raw))
        need = Quantity(steps * instrument.step_raw, instrument.size_precision)
        return Refusal("NOTIONAL_BELOW_MIN", f"{text} Raise the quantity to at least {need}.")
    if most is not None and worth > Fraction(most, 10**bound_precision):
        text = f"ORD002 {shown} is above the maximum {decimal_text(most, bound_precision)}. Lower the quantity."
        return Refusal("NOTIONAL_ABOVE_MAX", text)
    for scope in scopes:
        amount = scope.limits.notional_of(instrument.id)
        if amount is not None and worth > Fraction(amount[0], 10 ** amount[1]):
            text = f"ORD002 {shown} is above the limit {decimal_text(*amount)} {counted}."
            fix = f"Lower it or raise {scope.name}.max_notional_per_order."
            return Refusal("NOTIONAL_ABOVE_MAX_PER_ORDER", f"{text} {fix}")
    return None


def _rounded_up(value: Fraction, precision: int) -> str:
    return decimal_text(ceil(value * 10**precision), precision)
