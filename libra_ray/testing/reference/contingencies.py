"""What an execution or an end of one order does to others: links and reduce-only (orders 4 and 5)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from libra_ray.testing.reference.orders import Order, Place, sign
from libra_ray.testing.reference.queue_position import join
from libra_ray.testing.reference.state import State

__all__ = ["Contingencies"]

ZERO: Final = Decimal(0)
WITHOUT_FILL: Final = {"REJECTED": ("REJECTED", "PARENT_REJECTED"), "DENIED": ("DENIED", "LIST_DENIED")}


class Contingencies:
    """OTO, OCO, OUO and reduce-only.

    Attributes:
        release: what to do with a child that is let go: it arrives at that moment, at the venue or in the emulator.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.is_on = state.options.support_contingent_orders
        self.release: Callable[[Order], None] = lambda _: None

    # ---------------------------------------------------------------------- who belongs to whom

    def parent_of(self, order: Order) -> Order | None:
        """The OTO parent."""
        return self.state.orders.get(order.parent) if self.is_on and order.parent else None

    def _children_of(self, order: Order) -> list[Order]:
        """In list order."""
        if not self.is_on:
            return []
        return [other for other in self.state.orders.values() if other.parent and other.parent == order.label]

    def _siblings_of(self, order: Order) -> list[Order]:
        """Linked orders that are not closed, in list order."""
        if not self.is_on or order.contingency not in ("OCO", "OUO"):
            return []
        linked = set(order.linked)
        return [other for label, other in self.state.orders.items() if label in linked and not other.is_closed]

    def must_wait(self, order: Order) -> bool:
        """Whether an arriving order is held for its parent."""
        parent = self.parent_of(order)
        return parent is not None and not self._releases(parent)

    def _releases(self, parent: Order) -> bool:
        """Partial mode: at the first fill. Full mode: when FILLED, or ended with a part of it."""
        if self.state.options.oto_mode == "partial":
            return parent.filled > 0
        return parent.filled > 0 and parent.is_closed

    # ---------------------------------------------------------------------- after an execution

    def executed(self, order: Order, got: Decimal) -> None:
        """After an execution of `got`, or (got = 0) after an end: children, siblings, then reduce-only orders."""
        self._tell_children(order, got)
        for sibling in self._siblings_of(order):
            if not sibling.is_closed:
                self._after_sibling(order, sibling, got)
        if got > 0:
            self.adjust_reduce_only()

    def _tell_children(self, order: Order, got: Decimal) -> None:
        for child in self._children_of(order):
            if not child.is_closed:
                self._after_parent(order, child, got)

    def ended(self, order: Order) -> None:
        """After a rejection, cancel or expiry."""
        self.executed(order, ZERO)

    def _after_parent(self, parent: Order, child: Order, got: Decimal) -> None:
        if parent.is_closed and parent.filled == 0:
            event, code = WITHOUT_FILL.get(parent.status, ("CANCELED", "CONTINGENCY"))
            self._end(child, event, code)
        elif child.place is Place.HELD:
            if self._releases(parent):
                self.let_go(child, parent)
        elif got > 0:
            target = child.filled + self._leaves_by_parent(child, parent)
            if target > child.qty:  # each later parent fill raises it
                self.state.update(child, qty=target)
                child.priority = self.state.next_seq()  # a larger quantity loses its place (orders 7)
                if child.place is Place.RESTING:
                    join(child, self.state.market(child))

    def let_go(self, child: Order, parent: Order) -> None:
        """Quantity = min(own quantity, parent filled_qty); UPDATED where it differs; then it arrives."""
        qty = child.filled + self._leaves_by_parent(child, parent)
        if qty <= 0:
            self._end(child, "CANCELED", "CONTINGENCY")
            return
        if not child.position_id:
            child.position_id = parent.position_id  # HEDGING: it works on the position of its entry
        if qty != child.qty:
            self.state.update(child, qty=qty)
        self.release(child)

    def _leaves_by_parent(self, child: Order, parent: Order) -> Decimal:
        """OUO with an OTO parent: parent.filled_qty - fills of the group; else what the parent filled."""
        others = self._group_of(child) if child.contingency == "OUO" else [child]
        return min(parent.filled - sum((other.filled for other in others), ZERO), child.asked_qty - child.filled)

    def _group_of(self, order: Order) -> list[Order]:
        return [order, *(self.state.orders[label] for label in order.linked if label in self.state.orders)]

    def _after_sibling(self, order: Order, sibling: Order, got: Decimal) -> None:
        if order.contingency == "OCO":
            if got > 0 or order.is_closed:  # any fill, cancel, expiry or rejection
                self._end(sibling, "CANCELED", "CONTINGENCY")
            return
        parent = self.parent_of(sibling)
        if got == 0 or (sibling.place is Place.HELD and parent is not None and parent.filled == 0):
            return
        leaves = sibling.leaves - got
        if parent is not None:
            leaves = self._leaves_by_parent(sibling, parent)  # always, also where it was cut down before
        if leaves <= 0:
            self._end(sibling, "CANCELED", "CONTINGENCY")
        elif leaves != sibling.leaves:
            self.state.update(sibling, qty=sibling.filled + leaves)

    def _end(self, order: Order, event: str, code: str) -> None:
        """End an order because of another one: its children follow, its siblings were meant by the other one."""
        self.state.emit(order, event, is_local=not order.reached_venue, code=code)
        self._tell_children(order, ZERO)

    # ---------------------------------------------------------------------- reduce-only (orders 4)

    def room(self, order: Order) -> Decimal:
        """How much of its position an order can reduce; 0 when flat or on the same side."""
        position = self.state.positions.worked_on(order)
        if position is None or (position.qty > 0) == (sign(order.side) > 0):
            return ZERO
        return abs(position.qty)

    def adjust_reduce_only(self) -> None:
        """Where a position is smaller than the leaves of a resting reduce-only order: cut down, at flat canceled."""
        for order in self.state.working():
            if not order.reduce_only or not order.is_accepted:
                continue
            room = self.room(order)
            if room == 0:
                self.state.emit(order, "CANCELED", code="REDUCE_ONLY_FLAT")
                self.ended(order)
            elif order.leaves > room:
                self.state.update(order, qty=order.filled + room)
