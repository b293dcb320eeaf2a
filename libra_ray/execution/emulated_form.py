"""What the order emulator can hold: the form of an order looked at alone. The rest is the risk engine's, at release."""

from collections.abc import Mapping
from typing import Final

from libra_ray.errors import did_you_mean, quoted
from libra_ray.model.enums import OrderType, TimeInForce, TriggerType
from libra_ray.model.instruments import Instrument
from libra_ray.model.orders import LIMIT_TYPES, TRAILING_TYPES, TRIGGER_TYPES, Order

__all__ = ["EMULATED_TRIGGERS", "emulation_refusal"]

EMULATED_TRIGGERS: Final = (TriggerType.BID_ASK, TriggerType.LAST_PRICE)
"""Which prices the emulator can look at."""


def emulation_refusal(order: Order, instruments: Mapping[str, Instrument], now_ns: int) -> tuple[str, str] | None:
    """(code, message) of the denial where `order` cannot be held; None where it can.

    One that waits here without a trigger of its own, beside another of its list, must only be known.
    """
    name = f"for {order.instrument_id}"
    for instrument_id in (order.instrument_id, order.trigger_instrument_id):
        if instrument_id is not None and instrument_id not in instruments:
            hint = did_you_mean(instrument_id, list(instruments))
            return "UNKNOWN_INSTRUMENT", f"ORD004 instrument {quoted(instrument_id)} is not loaded. {hint}".rstrip()
    if order.emulation_trigger is None:
        return None
    if order.emulation_trigger not in EMULATED_TRIGGERS:
        text = f"ORD005 emulation trigger {order.emulation_trigger} {name} is not supported."
        return "UNSUPPORTED_TRIGGER_TYPE", f"{text} Use {', '.join(EMULATED_TRIGGERS)}."
    missing = _missing(order)
    if missing is not None:
        return "PRICE_MISSING", f"ORD007 {order.type} {name} has no {missing}. Give one."
    if order.time_in_force is TimeInForce.GTD:
        if order.expire_ns is None:
            return "FLAGS_CONFLICT", f"ORD006 GTD order {name} has no expire time. Give one."
        if order.expire_ns <= now_ns:
            return "EXPIRE_TIME_PAST", f"ORD016 expire time of the order {name} is past. Give a later one."
    return None


def _missing(order: Order) -> str | None:
    if order.type in LIMIT_TYPES and order.price_raw is None:
        return "price"
    if order.type in TRAILING_TYPES:
        if order.trailing_offset is None:
            return "trailing offset"
        is_limit = order.type is OrderType.TRAILING_STOP_LIMIT
        return "limit offset" if is_limit and order.limit_offset is None and order.price_raw is None else None
    return "trigger price" if order.type in TRIGGER_TYPES and order.trigger_raw is None else None
