"""What a modification is refused for before it is sent, in the order of the rules."""

import msgspec

from libra_ray.messages.commands import ModifyOrder
from libra_ray.model.enums import OrderStatus
from libra_ray.model.instruments import Instrument
from libra_ray.model.on_grid import rescaled
from libra_ray.model.orders import Order
from libra_ray.risk.grid import check_price, check_quantity

__all__ = ["form_refusal", "is_change", "on_grid", "status_refusal"]


def status_refusal(order: Order) -> str | None:
    """An order that has ended, or is about to by a cancel on its way, or that nobody was sent."""
    status = order.status
    if order.is_closed or status is OrderStatus.PENDING_CANCEL:
        return "ORDER_CLOSED"
    is_held = order.emulation_trigger is not None or order.exec_algorithm_id is not None
    if status is OrderStatus.UNKNOWN or (status is OrderStatus.INITIALIZED and not is_held):
        return "UNKNOWN_ORDER"
    return None


def is_change(command: ModifyOrder) -> bool:
    """Whether a given value differs from the present one."""
    order = command.order
    size_precision, px_precision = _precisions(command)
    asked = (
        (command.quantity_raw, size_precision, order.quantity_raw, order.size_precision),
        (command.price_raw, px_precision, order.price_raw, order.price_precision),
        (command.trigger_raw, px_precision, order.trigger_raw, order.price_precision),
    )
    return any(
        new is not None and (old is None or new * 10**old_precision != old * 10**precision)
        for new, precision, old, old_precision in asked
    )


def form_refusal(command: ModifyOrder, instrument: Instrument) -> str | None:
    """The code of check 4 or 5 of the new values."""
    size_precision, px_precision = _precisions(command)
    for name, px_raw in (("price", command.price_raw), ("trigger price", command.trigger_raw)):
        refusal = None if px_raw is None else check_price(instrument, name, px_raw, px_precision)
        if refusal is not None:
            return refusal.code
    if command.quantity_raw is not None:
        refusal = check_quantity(instrument, command.quantity_raw, size_precision)
        if refusal is not None:
            return refusal.code
        display, order = command.order.display_raw, command.order
        if display is not None and display * 10**size_precision > command.quantity_raw * 10**order.size_precision:
            return "DISPLAY_QTY_INVALID"
    return None


def on_grid(command: ModifyOrder, instrument: Instrument) -> ModifyOrder:
    """The same change at the instrument's own decimals, which it was found to fit."""
    size_precision, px_precision = _precisions(command)
    own_size, own_px = instrument.size_precision, instrument.price_precision
    if size_precision == own_size and px_precision == own_px:
        return command

    def at(raw: int | None, given: int, own: int) -> int | None:
        return None if raw is None else rescaled(raw, given, own)

    return msgspec.structs.replace(
        command,
        quantity_raw=at(command.quantity_raw, size_precision, own_size),
        price_raw=at(command.price_raw, px_precision, own_px),
        trigger_raw=at(command.trigger_raw, px_precision, own_px),
        size_precision=own_size,
        price_precision=own_px,
    )


def _precisions(command: ModifyOrder) -> tuple[int, int]:
    order = command.order
    size, price = command.size_precision, command.price_precision
    return order.size_precision if size is None else size, order.price_precision if price is None else price
