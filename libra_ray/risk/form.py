"""Check 3 of the risk engine: what an order is, looked at alone. Pure functions that return a refusal or None."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from libra_ray.errors import did_you_mean, quoted
from libra_ray.model.enums import OrderStatus, OrderType, TimeInForce, TriggerType
from libra_ray.model.numbers import decimal_text
from libra_ray.model.orders import LIMIT_TYPES, TRAILING_TYPES, TRIGGER_TYPES, Order
from libra_ray.risk.refusal import Refusal

__all__ = ["check_bracket", "check_form", "unknown_instrument"]

_TRIGGERS: Final = (
    TriggerType.DEFAULT,
    TriggerType.BID_ASK,
    TriggerType.LAST_PRICE,
    TriggerType.MID_POINT,
    TriggerType.MARK_PRICE,
)
_EMULATED: Final = (TriggerType.BID_ASK, TriggerType.LAST_PRICE)
_NEVER_PASSIVE: Final = (
    OrderType.MARKET,
    OrderType.MARKET_TO_LIMIT,
    OrderType.STOP_MARKET,
    OrderType.MARKET_IF_TOUCHED,
    OrderType.TRAILING_STOP_MARKET,
)
_NEVER_RESTING: Final = (
    TimeInForce.IOC,
    TimeInForce.FOK,
    TimeInForce.AT_THE_OPEN,
    TimeInForce.AT_THE_CLOSE,
)
_AUCTIONS: Final = (TimeInForce.AT_THE_OPEN, TimeInForce.AT_THE_CLOSE)
_AUCTION_TYPES: Final = (OrderType.MARKET, OrderType.LIMIT)


def unknown_instrument(instrument_id: str, known: list[str]) -> Refusal:
    """Check 2: the instrument is not loaded."""
    hint = did_you_mean(instrument_id, known)
    text = f"ORD004 instrument {quoted(instrument_id)} is not loaded. {hint}".rstrip()
    return Refusal("UNKNOWN_INSTRUMENT", text)


def check_form(order: Order) -> Refusal | None:
    """Type, time in force, trigger type, flags and prices fit together."""
    type_, tif, name = order.type, order.time_in_force, f"for {order.instrument_id}"
    if tif in _AUCTIONS and type_ not in _AUCTION_TYPES:
        text = f"ORD005 time in force {tif} {name} is not supported with {type_}. Use MARKET or LIMIT."
        return Refusal("UNSUPPORTED_TIME_IN_FORCE", text)
    if type_ in TRIGGER_TYPES and order.trigger_type not in _TRIGGERS:
        text = f"ORD005 trigger type {order.trigger_type} {name} is not supported. Use {', '.join(_TRIGGERS)}."
        return Refusal("UNSUPPORTED_TRIGGER_TYPE", text)
    emulation = order.emulation_trigger
    if emulation is not None and emulation not in _EMULATED and order.status is OrderStatus.INITIALIZED:
        text = f"ORD005 emulation trigger {emulation} {name} is not supported. Use {', '.join(_EMULATED)}."
        return Refusal("UNSUPPORTED_TRIGGER_TYPE", text)
    if order.post_only and (type_ in _NEVER_PASSIVE or tif in _NEVER_RESTING):
        text = f"ORD006 post_only {name} conflicts with {type_} {tif}. Drop post_only."
        return Refusal("FLAGS_CONFLICT", text)
    if tif is TimeInForce.GTD and order.expire_ns is None:
        return Refusal("FLAGS_CONFLICT", f"ORD006 GTD order {name} has no expire time. Give one.")
    return _check_prices_given(order, name)


def _check_prices_given(order: Order, name: str) -> Refusal | None:
    type_ = order.type
    if type_ in LIMIT_TYPES and order.price_raw is None:
        return Refusal("PRICE_MISSING", f"ORD007 {type_} {name} has no price. Give one.")
    if type_ in TRAILING_TYPES:
        offset = order.trailing_offset
        if offset is None:
            return Refusal("PRICE_MISSING", f"ORD007 {type_} {name} has no trailing offset. Give one.")
        if offset.num <= 0:
            text = f"ORD007 trailing offset {offset} of {type_} {name} is not positive. Correct it."
            return Refusal("PRICE_MISSING", text)
        if type_ is OrderType.TRAILING_STOP_LIMIT and order.limit_offset is None:
            return Refusal("PRICE_MISSING", f"ORD007 {type_} {name} has no limit offset. Give one.")
    elif type_ in TRIGGER_TYPES and order.trigger_raw is None:
        return Refusal("PRICE_MISSING", f"ORD007 {type_} {name} has no trigger price. Give one.")
    return None


def check_bracket(entry: Order, orders: Iterable[Order]) -> Refusal | None:
    """A long entry needs stop-loss < entry < take-profit, a short one the reverse; prices not known yet are skipped."""
    children = [child for child in orders if child.parent_order_id == entry.client_order_id]
    stop = next((child for child in children if "STOP_LOSS" in child.tags), None)
    profit = next((child for child in children if "TAKE_PROFIT" in child.tags), None)
    if stop is None or profit is None:
        return None
    steps = [
        (name, order.price_precision, px_raw)
        for name, order, px_raw in (
            ("stop-loss", stop, stop.trigger_raw),
            ("entry", entry, _price_of(entry)),
            ("take-profit", profit, profit.trigger_raw if _price_of(profit) is None else _price_of(profit)),
        )
        if px_raw is not None
    ]
    finest = max((precision for _, precision, _ in steps), default=0)
    values = [px_raw * 10 ** (finest - precision) for _, precision, px_raw in steps]
    rising = values if entry.is_buy else values[::-1]
    if all(low < high for low, high in pairwise(rising)):
        return None
    shown = ", ".join(f"{name} {decimal_text(px_raw, precision)}" for name, precision, px_raw in steps)
    order = "stop-loss < entry < take-profit" if entry.is_buy else "take-profit < entry < stop-loss"
    text = f"ORD019 bracket prices for {entry.instrument_id} are on the wrong side of each other: {shown}."
    return Refusal("BRACKET_PRICES", f"{text} A {'long' if entry.is_buy else 'short'} needs {order}.")


def _price_of(order: Order) -> int | None:
    """The limit of an order that has one."""
    return order.price_raw if order.type in LIMIT_TYPES else None
