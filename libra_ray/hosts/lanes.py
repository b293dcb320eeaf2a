"""Lanes by type: which priority a message has between hosts. A type has one lane."""

from libra_ray.messages.commands import Command, SetTradingState
from libra_ray.messages.events import (
    AccountBooked,
    ComponentStateChanged,
    InstrumentHalted,
    MarginCall,
    OrderEvent,
    PositionEvent,
    TradingStateChanged,
)
from libra_ray.runtime.inbox import Lane

__all__ = ["assign_lane", "lane_of"]

_assigned: dict[type, Lane] = {
    SetTradingState: Lane.RISK,
    TradingStateChanged: Lane.RISK,
    InstrumentHalted: Lane.RISK,
    MarginCall: Lane.RISK,
    Command: Lane.ORDERS,
    OrderEvent: Lane.ORDERS,
    PositionEvent: Lane.ORDERS,
    AccountBooked: Lane.ORDERS,
    ComponentStateChanged: Lane.ORDERS,
}
_known: dict[type, Lane] = {}


def assign_lane(message_type: type, lane: Lane) -> None:
    """Messages of this type, and of types derived from it, travel in `lane`; the nearest assigned ancestor decides.

    Raises `ValueError` for CONTROL, which is the library's own, and MARKET_DATA, which topics decide.
    """
    if lane not in (Lane.RISK, Lane.ORDERS, Lane.SIGNALS):
        raise ValueError(f"{message_type.__name__} cannot travel in lane {lane.name}")
    _assigned[message_type] = lane
    _known.clear()


def lane_of(message: object) -> Lane:
    """The lane of a message that is no market data: SIGNALS where nothing else is assigned."""
    kind = type(message)
    lane = _known.get(kind)
    if lane is None:
        lane = _known[kind] = next((_assigned[each] for each in kind.__mro__ if each in _assigned), Lane.SIGNALS)
    return lane
