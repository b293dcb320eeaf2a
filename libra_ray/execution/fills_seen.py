"""Which fills were applied already: a venue may report one twice, and must not change its word."""

from collections.abc import Sequence
from enum import StrEnum

from libra_ray.messages.events import AnyEvent, OrderFilled
from libra_ray.model.enums import OrderSide

__all__ = ["FillsSeen", "Known"]


class Known(StrEnum):
    """What is known of a reported fill."""

    NEW = "NEW"
    SAME = "SAME"
    OTHER = "OTHER"


class FillsSeen:
    """Fills by (instrument, trade id, venue order id, side); an instrument's id names venue and account.

    It reads them off the record, and only when somebody asks: a simulated venue, which repeats nothing, costs nothing.
    """

    def __init__(self, events: Sequence[AnyEvent]) -> None:
        self._events = events
        self._read = 0
        self._seen: dict[tuple[str, str, str, bool], OrderFilled] = {}

    def look(self, fill: OrderFilled) -> Known:
        """NEW; SAME when quantity and price are those that were applied before; OTHER when they are not."""
        for event in self._events[self._read :]:
            if type(event) is OrderFilled:
                self._seen.setdefault(_key(event), event)
        self._read = len(self._events)
        before = self._seen.get(_key(fill))
        if before is None:
            return Known.NEW
        is_same = before.last_qty_raw == fill.last_qty_raw and before.last_px_raw == fill.last_px_raw
        return Known.SAME if is_same else Known.OTHER


def _key(fill: OrderFilled) -> tuple[str, str, str, bool]:
    return fill.instrument_id, fill.trade_id, fill.venue_order_id, fill.side is OrderSide.BUY
