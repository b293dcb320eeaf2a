"""Which fills were applied already: a venue may report one twice, and must not change its word."""

from enum import StrEnum

from libra_ray.messages.events import OrderFilled
from libra_ray.model.enums import OrderSide

__all__ = ["FillsSeen", "Known"]


class Known(StrEnum):
    """What is known of a reported fill."""

    NEW = "NEW"
    SAME = "SAME"
    OTHER = "OTHER"


class FillsSeen:
    """Fills by (instrument, trade id, venue order id, side); an instrument's id names venue and account."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, OrderFilled]] = {}
        self._other_orders: dict[tuple[str, str, str, bool], OrderFilled] = {}

    def look(self, fill: OrderFilled) -> Known:
        """NEW, and noted; SAME when quantity and price are those of before; OTHER when they are not."""
        seen = self._seen.get(fill.instrument_id)
        if seen is None:
            seen = self._seen[fill.instrument_id] = {}
        before = seen.get(fill.trade_id)
        if before is None:
            seen[fill.trade_id] = fill
            return Known.NEW
        if before.venue_order_id != fill.venue_order_id or before.side is not fill.side:
            # Both sides of one trade were ours.
            key = (fill.instrument_id, fill.trade_id, fill.venue_order_id, fill.side is OrderSide.BUY)
            first = self._other_orders.setdefault(key, fill)
            if first is fill:
                return Known.NEW
            before = first
        is_same = before.last_qty_raw == fill.last_qty_raw and before.last_px_raw == fill.last_px_raw
        return Known.SAME if is_same else Known.OTHER
