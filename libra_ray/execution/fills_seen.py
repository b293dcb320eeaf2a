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
        self._seen: dict[tuple[str, str, str, bool], OrderFilled] = {}

    def look(self, fill: OrderFilled) -> Known:
        """NEW, and noted; SAME when quantity and price are those of before; OTHER when they are not."""
        key = (fill.instrument_id, fill.trade_id, fill.venue_order_id, fill.side is OrderSide.BUY)
        before = self._seen.get(key)
        if before is None:
            self._seen[key] = fill
            return Known.NEW
        is_same = before.last_qty_raw == fill.last_qty_raw and before.last_px_raw == fill.last_px_raw
        return Known.SAME if is_same else Known.OTHER
