"""The birth of an order as an event, and the order that the event tells of."""

import ast
from collections.abc import Callable, Mapping
from typing import Any, Final

from libra_ray.messages.events import OrderInitialized
from libra_ray.model.enums import ContingencyType, TrailingOffsetType, TriggerType
from libra_ray.model.numbers import Rate
from libra_ray.model.orders import Order

__all__ = ["order_of", "rare_terms"]

_DEFAULT: Final = TriggerType.DEFAULT


def rare_terms(order: Order) -> tuple[tuple[str, str], ...]:
    """What few orders are told, by name, as text; empty for a plain order."""
    if (
        order.display_raw is None
        and order.trailing_offset is None
        and order.activation_raw is None
        and order.trigger_type is _DEFAULT
        and order.emulation_trigger is None
        and order.exec_algorithm_id is None
        and order.exec_spawn_id is None
        and order.order_list_id is None
        and order.position_id is None
    ):
        return ()
    return tuple((name, str(value)) for name in _READ if (value := getattr(order, name)) not in (None, (), ""))


def order_of(event: OrderInitialized) -> Order:
    """The order as it was when it was taken up, without what the event does not carry: tags, parameters.

    Raises `ValueError` or `KeyError` for terms that no order has.
    """
    return Order(
        event.client_order_id,
        event.strategy_id,
        event.instrument_id,
        event.side,
        event.type,
        event.quantity_raw,
        event.size_precision,
        event.price_raw,
        event.trigger_raw,
        event.price_precision,
        event.ts_ns,
        event.time_in_force,
        event.expire_ns,
        event.post_only,
        event.reduce_only,
        event.quote_quantity,
        **{name: _READ[name](text) for name, text in event.more},
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(map(str, ast.literal_eval(text)))


_READ: Final[Mapping[str, Callable[[str], Any]]] = {
    "display_raw": int,
    "trigger_type": TriggerType,
    "trailing_offset": Rate.parse,
    "trailing_offset_type": TrailingOffsetType,
    "limit_offset": Rate.parse,
    "activation_raw": int,
    "emulation_trigger": TriggerType,
    "trigger_instrument_id": str,
    "exec_algorithm_id": str,
    "exec_spawn_id": str,
    "contingency_type": ContingencyType,
    "parent_order_id": str,
    "linked_order_ids": _names,
    "order_list_id": str,
    "position_id": str,
}
"""The rare terms, in the order in which they are told, and how the text of each is read."""
