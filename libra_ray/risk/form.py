"""Checks 2 to 7 of the risk engine: what an order is, looked at alone. Pure functions that return a refusal or None."""

from fractions import Fraction
from typing import NamedTuple

from libra_ray.errors import did_you_mean, quoted
from libra_ray.model.enums import OrderType, TimeInForce, TriggerType
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import Price, Quantity, decimal_text
from libra_ray.model.orders import LIMIT_TYPES, TRAILING_TYPES, TRIGGER_TYPES, Order
from libra_ray.model.rules.fixed_point import div_ceil

__all__ = [
    "Refusal",
    "check_form",
    "check_notional",
    "check_price",
    "check_quantity",
    "exact_notional",
    "unknown_instrument",
]

_TYPES = (OrderType.MARKET, OrderType.LIMIT, OrderType.STOP_MARKET, OrderType.STOP_LIMIT)
_TIMES = (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTD)
_TRIGGERS = (
    TriggerType.DEFAULT,
    TriggerType.BID_ASK,
    TriggerType.LAST_PRICE,
    TriggerType.MID_POINT,
    TriggerType.MARK_PRICE,
)
_NEVER_PASSIVE = (OrderType.MARKET, OrderType.STOP_MARKET)
_IMMEDIATE = (TimeInForce.IOC, TimeInForce.FOK)


class Refusal(NamedTuple):
    """Why an order is denied: the code programs look at, and the sentence people read."""

    code: str
    message: str


def unknown_instrument(instrument_id: str, known: list[str]) -> Refusal:
    """Check 2: the instrument is not loaded."""
    hint = did_you_mean(instrument_id, known)
    text = f"ORD004 instrument {quoted(instrument_id)} is not loaded. {hint}".rstrip()
    return Refusal("UNKNOWN_INSTRUMENT", text)


def check_form(order: Order) -> Refusal | None:
    """Check 3: type, time in force, trigger type, flags and prices fit together."""
    name = f"for {order.instrument_id}"
    if order.type not in _TYPES:
        text = f"ORD005 order type {order.type} {name} is not supported. Use {', '.join(_TYPES)}."
        return Refusal("UNSUPPORTED_ORDER_TYPE", text)
    if order.time_in_force not in _TIMES:
        text = f"ORD005 time in force {order.time_in_force} {name} is not supported. Use {', '.join(_TIMES)}."
        return Refusal("UNSUPPORTED_TIME_IN_FORCE", text)
    if order.type in TRIGGER_TYPES and order.trigger_type not in _TRIGGERS:
        text = f"ORD005 trigger type {order.trigger_type} {name} is not supported. Use {', '.join(_TRIGGERS)}."
        return Refusal("UNSUPPORTED_TRIGGER_TYPE", text)
    if order.post_only and (order.type in _NEVER_PASSIVE or order.time_in_force in _IMMEDIATE):
        text = f"ORD006 post_only {name} conflicts with {order.type} {order.time_in_force}. Drop post_only."
        return Refusal("FLAGS_CONFLICT", text)
    if order.type in LIMIT_TYPES and order.price_raw is None:
        return Refusal("PRICE_MISSING", f"ORD007 {order.type} {name} has no price. Give one.")
    if order.type in TRIGGER_TYPES and order.type not in TRAILING_TYPES and order.trigger_raw is None:
        return Refusal("PRICE_MISSING", f"ORD007 {order.type} {name} has no trigger price. Give one.")
    if order.time_in_force is TimeInForce.GTD and order.expire_ns is None:
        return Refusal("FLAGS_CONFLICT", f"ORD006 GTD order {name} has no expire time. Give one.")
    if order.position_id is not None:
        text = f"ORD008 position id {quoted(order.position_id)} {name} is not allowed under netting. Leave it out."
        return Refusal("POSITION_ID_NOT_ALLOWED", text)
    return None


def check_price(instrument: Instrument, name: str, px_raw: int, precision: int) -> Refusal | None:
    """Check 4: positive, on the tick, within the instrument's bounds."""
    scale = precision - instrument.price_precision
    tick = instrument.tick_raw * 10**scale if scale > 0 else instrument.tick_raw
    least, most = instrument.min_price_raw, instrument.max_price_raw
    if px_raw <= 0 and not instrument.negative_prices:
        text = f"ORD001 {name} {decimal_text(px_raw, precision)} for {instrument.id} is not positive. Correct it."
        return Refusal("PRICE_NOT_POSITIVE", text)
    if px_raw % tick:
        return Refusal("PRICE_OFF_TICK", _off_grid(name, px_raw, precision, tick, instrument, "tick"))
    if scale > 0:
        px_raw //= 10**scale
    if least is not None and px_raw < least:
        shown, bound = Price(px_raw, instrument.price_precision), Price(least, instrument.price_precision)
        return Refusal("PRICE_BELOW_MIN", f"ORD009 {name} {shown} for {instrument.id} is below the minimum {bound}.")
    if most is not None and px_raw > most:
        shown, bound = Price(px_raw, instrument.price_precision), Price(most, instrument.price_precision)
        return Refusal("PRICE_ABOVE_MAX", f"ORD009 {name} {shown} for {instrument.id} is above the maximum {bound}.")
    return None


def check_quantity(instrument: Instrument, qty_raw: int, precision: int) -> Refusal | None:
    """Check 5: positive, on the step, within the instrument's bounds."""
    scale = precision - instrument.size_precision
    step = instrument.step_raw * 10**scale if scale > 0 else instrument.step_raw
    least, most = instrument.min_qty_raw, instrument.max_qty_raw
    if qty_raw <= 0:
        shown = decimal_text(qty_raw, precision)
        text = f"ORD001 quantity {shown} for {instrument.id} is not positive. The side gives the direction."
        return Refusal("QUANTITY_NOT_POSITIVE", text)
    if qty_raw % step:
        return Refusal("QUANTITY_OFF_STEP", _off_grid("quantity", qty_raw, precision, step, instrument, "step"))
    if scale > 0:
        qty_raw //= 10**scale
    if least is not None and qty_raw < least:
        size, bound = Quantity(qty_raw, instrument.size_precision), Quantity(least, instrument.size_precision)
        text = f"ORD002 quantity {size} for {instrument.id} is below the minimum {bound}."
        return Refusal("QUANTITY_BELOW_MIN", f"{text} Raise the quantity to at least {bound}.")
    if most is not None and qty_raw > most:
        size, bound = Quantity(qty_raw, instrument.size_precision), Quantity(most, instrument.size_precision)
        text = f"ORD002 quantity {size} for {instrument.id} is above the maximum {bound}."
        return Refusal("QUANTITY_ABOVE_MAX", f"{text} Lower the quantity to at most {bound}.")
    return None


def exact_notional(instrument: Instrument, px_raw: int | Fraction, qty_raw: int) -> Fraction:
    """Price x quantity x multiplier in quote currency, inverse: quantity x multiplier / price in base; not rounded."""
    units = Fraction(qty_raw * instrument.multiplier.num, instrument.multiplier.den * 10**instrument.size_precision)
    price = Fraction(px_raw, 10**instrument.price_precision)
    return units * (Fraction(price.denominator, price.numerator) if instrument.inverse else price)


def check_notional(instrument: Instrument, order: Order, px_raw: int) -> Refusal | None:
    """Check 7 without the order limit: the instrument's own minimum and maximum of price x quantity x multiplier."""
    unit = instrument.quote
    value = exact_notional(instrument, px_raw, order.quantity_raw) * 10**unit.precision
    counted = instrument.settlement if instrument.inverse else unit
    value_num, value_den = value.numerator, value.denominator
    amount = decimal_text(div_ceil(value_num, value_den), unit.precision)
    shown = f"notional {amount} {counted.code} for {instrument.id}"
    least, most = instrument.min_notional_raw, instrument.max_notional_raw
    if least is not None and not order.reduce_only and value_num < least * value_den:
        enough = div_ceil(least * value_den * order.quantity_raw, max(value_num, 1))
        wanted = div_ceil(enough, instrument.step_raw) * instrument.step_raw
        need = Quantity(wanted, instrument.size_precision)
        text = f"ORD002 {shown} is below the minimum {decimal_text(least, unit.precision)}."
        return Refusal("NOTIONAL_BELOW_MIN", f"{text} Raise the quantity to at least {need}.")
    if most is not None and value_num > most * value_den:
        text = f"ORD002 {shown} is above the maximum {decimal_text(most, unit.precision)}. Lower the quantity."
        return Refusal("NOTIONAL_ABOVE_MAX", text)
    return None


def _off_grid(what: str, raw: int, precision: int, increment: int, instrument: Instrument, grid: str) -> str:
    """The message that names the two nearest values; nothing is ever rounded silently."""
    own = instrument.price_precision if grid == "tick" else instrument.size_precision
    below = raw // increment * increment
    scale = 10 ** max(precision - own, 0)
    low, high = decimal_text(below // scale, own), decimal_text((below + increment) // scale, own)
    size = decimal_text(instrument.tick_raw if grid == "tick" else instrument.step_raw, own)
    shown = decimal_text(raw, precision)
    text = f"ORD003 {what} {shown} for {instrument.id} is not a multiple of the {grid} {size}."
    return f"{text} Nearest are {low} and {high}."
