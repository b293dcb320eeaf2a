"""Checks 4 and 5 of the risk engine: prices and quantities lie on the instrument's grid and within its bounds."""

from libra_ray.model.enums import OrderType
from libra_ray.model.instruments import STANDARD_RAW_LIMIT, Instrument
from libra_ray.model.numbers import Price, Quantity, decimal_text
from libra_ray.model.on_grid import rescaled
from libra_ray.model.orders import LIMIT_TYPES, Order
from libra_ray.risk.refusal import Refusal

__all__ = ["check_display", "check_price", "check_prices", "check_quantity"]

_ICEBERG_TYPES = (*LIMIT_TYPES, OrderType.TRAILING_STOP_LIMIT)


def check_prices(instrument: Instrument, order: Order) -> Refusal | None:
    """Check 4 of price, trigger and activation price, in that order."""
    precision, refusal = order.price_precision, None
    if order.price_raw is not None:
        refusal = check_price(instrument, "price", order.price_raw, precision)
    if refusal is None and order.trigger_raw is not None:
        refusal = check_price(instrument, "trigger price", order.trigger_raw, precision)
    if refusal is None and order.activation_raw is not None:
        refusal = check_price(instrument, "activation price", order.activation_raw, precision)
    return refusal


def check_price(instrument: Instrument, name: str, px_raw: int, precision: int) -> Refusal | None:
    """Check 4: positive, on the tick, within the instrument's bounds."""
    own = instrument.price_precision
    if px_raw <= 0 and not instrument.negative_prices:
        text = f"ORD001 {name} {decimal_text(px_raw, precision)} for {instrument.id} is not positive. Correct it."
        return Refusal("PRICE_NOT_POSITIVE", text)
    value_raw, tick_raw = _at_one_scale(px_raw, precision, instrument.tick_raw, own)
    if value_raw % tick_raw:
        return Refusal("PRICE_OFF_TICK", _off_grid(name, px_raw, precision, instrument, "tick"))
    px_raw = rescaled(px_raw, precision, own)
    least, most = instrument.min_price_raw, instrument.max_price_raw
    if least is not None and px_raw < least:
        text = f"ORD009 {name} {Price(px_raw, own)} for {instrument.id} is below the minimum {Price(least, own)}."
        return Refusal("PRICE_BELOW_MIN", text)
    if abs(px_raw) >= STANDARD_RAW_LIMIT:
        most = min(most or instrument.largest_raw, instrument.largest_raw)
    if most is not None and px_raw > most:
        text = f"ORD009 {name} {decimal_text(px_raw, own)} for {instrument.id} is above the maximum {Price(most, own)}."
        return Refusal("PRICE_ABOVE_MAX", text)
    return None


def check_quantity(instrument: Instrument, qty_raw: int, precision: int, *, in_quote: bool = False) -> Refusal | None:
    """Check 5: positive, on the step, within the instrument's bounds; of an amount of quote currency: positive."""
    own = instrument.size_precision
    if qty_raw <= 0:
        shown = decimal_text(qty_raw, precision)
        text = f"ORD001 quantity {shown} for {instrument.id} is not positive. The side gives the direction."
        return Refusal("QUANTITY_NOT_POSITIVE", text)
    if in_quote:
        return None if qty_raw <= instrument.largest_raw else _above(instrument, qty_raw, precision, None)
    value_raw, step_raw = qty_raw, instrument.step_raw
    if precision != own:
        value_raw, step_raw = _at_one_scale(qty_raw, precision, step_raw, own)
    if value_raw % step_raw:
        return Refusal("QUANTITY_OFF_STEP", _off_grid("quantity", qty_raw, precision, instrument, "step"))
    if precision != own:
        qty_raw = rescaled(qty_raw, precision, own)
    least, most = instrument.min_qty_raw, instrument.max_qty_raw
    if least is not None and qty_raw < least:
        size, bound = Quantity(qty_raw, own), Quantity(least, own)
        text = f"ORD002 quantity {size} for {instrument.id} is below the minimum {bound}."
        return Refusal("QUANTITY_BELOW_MIN", f"{text} Raise the quantity to at least {bound}.")
    if (most is not None and qty_raw > most) or qty_raw >= STANDARD_RAW_LIMIT:
        return _above(instrument, qty_raw, own, most)
    return None


def _above(instrument: Instrument, qty_raw: int, precision: int, most: int | None) -> Refusal | None:
    """A quantity above the maximum that the instrument has, or above what its decimals hold."""
    bound_raw = instrument.largest_raw if most is None else min(most, instrument.largest_raw)
    if qty_raw <= bound_raw:
        return None
    bound = decimal_text(bound_raw, precision)
    text = f"ORD002 quantity {decimal_text(qty_raw, precision)} for {instrument.id} is above the maximum {bound}."
    return Refusal("QUANTITY_ABOVE_MAX", f"{text} Lower the quantity to at most {bound}.")


def check_display(instrument: Instrument, order: Order) -> Refusal | None:
    """Check 5 of an iceberg: a limit type, 0 < display <= quantity, on the step."""
    display_raw, precision = order.display_raw, order.size_precision
    if display_raw is None:
        return None
    shown = f"ORD020 display quantity {decimal_text(display_raw, precision)} for {instrument.id}"
    if order.type not in _ICEBERG_TYPES:
        return Refusal("DISPLAY_QTY_INVALID", f"{shown} conflicts with {order.type}. Use a limit type or leave it out.")
    if display_raw <= 0:
        return Refusal("DISPLAY_QTY_INVALID", f"{shown} is not positive. Correct it or leave it out.")
    if display_raw > order.quantity_raw and not order.quote_quantity:
        return Refusal("DISPLAY_QTY_INVALID", f"{shown} is above the quantity {order.quantity}. Lower it.")
    value_raw, step_raw = _at_one_scale(display_raw, precision, instrument.step_raw, instrument.size_precision)
    if value_raw % step_raw:
        step = decimal_text(instrument.step_raw, instrument.size_precision)
        return Refusal("DISPLAY_QTY_INVALID", f"{shown} is not a multiple of the step {step}. Correct it.")
    return None


def _at_one_scale(raw: int, precision: int, increment: int, own: int) -> tuple[int, int]:
    """Value and increment at the finer of both scales."""
    if precision == own:
        return raw, increment
    finer = max(precision, own)
    return raw * 10 ** (finer - precision), increment * 10 ** (finer - own)


def _off_grid(what: str, raw: int, precision: int, instrument: Instrument, grid: str) -> str:
    """The message that names the two nearest values; nothing is ever rounded silently."""
    is_tick = grid == "tick"
    own = instrument.price_precision if is_tick else instrument.size_precision
    increment = instrument.tick_raw if is_tick else instrument.step_raw
    value, step = _at_one_scale(raw, precision, increment, own)
    below = value // step * increment
    low, high = decimal_text(below, own), decimal_text(below + increment, own)
    text = f"ORD003 {what} {decimal_text(raw, precision)} for {instrument.id} is not a multiple of the {grid}"
    return f"{text} {decimal_text(increment, own)}. Nearest are {low} and {high}."
