"""Self-trade prevention (orders 15, check 11)."""

from decimal import Decimal

from libra_ray.testing.reference.contingencies import Contingencies
from libra_ray.testing.reference.exact import text
from libra_ray.testing.reference.orders import Order, Place
from libra_ray.testing.reference.state import State

__all__ = ["SelfTrades"]


class SelfTrades:
    """Finds own resting orders that an order would match, and keeps it from them."""

    def __init__(self, state: State, links: Contingencies) -> None:
        self.state, self.links = state, links

    def _matches(self, order: Order) -> list[Order]:
        """Own limits at the venue, on the other side, that the order's price reaches: best first, then by time."""
        if order.waits_for_trigger or order.is_auction:
            return []
        reach = order.price if order.is_limit else self.state.market(order).opposite(order.side)
        found = [
            other
            for other in self.state.working(order.instrument)
            if self._lies_there(other) and other.side != order.side and self._reaches(order, reach, other)
        ]
        best_first = -1 if order.side == "SELL" else 1
        return sorted(found, key=lambda other: (best_first * (other.price or Decimal(0)), other.accepted_seq))

    @staticmethod
    def _lies_there(order: Order) -> bool:
        """Resting, or waiting for the next open."""
        is_stop = order.waits_for_trigger and not order.is_triggered
        return order.place is Place.RESTING or (order.place is Place.PENDING and not is_stop)

    @staticmethod
    def _reaches(order: Order, reach: Decimal | None, other: Order) -> bool:
        if reach is None or other.price is None:
            return False
        return reach >= other.price if order.side == "BUY" else reach <= other.price

    def failure(self, order: Order) -> str:
        """`cancel_newest` denies; `decrement` denies what the resting orders cover, and an amount of quote currency."""
        policy = self.state.limits.stp
        if policy not in ("cancel_newest", "decrement"):
            return ""
        matches = self._matches(order)
        if not matches:
            return ""
        covered = sum((other.leaves for other in matches), Decimal(0))
        if policy == "cancel_newest" or order.quote_qty:
            return "SELF_TRADE"
        if covered < order.leaves:
            return ""
        self._decrement(order, matches)
        return "SELF_TRADE"

    def prevent(self, orders: list[Order]) -> None:
        """All passed: `cancel_oldest` cancels, `decrement` reduces both by the smaller leaves, resting ones first."""
        policy, cuts = self.state.limits.stp, []
        for order in orders:
            if policy == "cancel_oldest":
                for other in sorted(self._matches(order), key=lambda other: other.accepted_seq):
                    self._cancel(other)
            elif policy == "decrement":
                cuts.append((order, self._decrement(order, self._matches(order))))
        for order, cut in cuts:
            if cut:
                order.qty = order.asked_qty = order.qty - cut
                self.state.emit(order, "UPDATED", {"qty": text(order.qty)}, is_local=True)

    def _decrement(self, order: Order, matches: list[Order]) -> Decimal:
        left = order.leaves
        for other in matches:
            part = min(left, other.leaves)
            if part == 0 or other.is_closed:  # closed by links of the one before it: it covered this part, though
                left -= part
                continue
            left -= part
            if part == other.leaves:
                self._cancel(other)
            else:
                self.state.update(other, qty=other.qty - part)
        return order.leaves - left

    def _cancel(self, other: Order) -> None:
        if other.is_closed:  # by links of the one before it
            return
        self.state.emit(other, "CANCELED", code="SELF_TRADE")
        self.links.ended(other)
