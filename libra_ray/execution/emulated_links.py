"""Links of held orders: children that wait for a parent, siblings that cancel or update each other.

The venue minds the links among the orders that it has. Here is what it cannot see: what happens to held orders, and
what the end of a held order means for others. Links act on the sum of an execution, after the order's own end.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from libra_ray.execution.emulated_triggers import Held
from libra_ray.messages.events import OrderCanceled, OrderDenied, OrderEvent, OrderRejected
from libra_ray.model.enums import ContingencyType, OrderStatus
from libra_ray.model.orders import Order

__all__ = ["Links"]


class _Desk(Protocol):
    """What the links ask of the emulator."""

    def begin(self, held: Held) -> None:
        """A child waits no longer."""

    def end(self, held: Held, event: OrderEvent) -> None:
        """A held order ends."""

    def resize(self, held: Held, quantity_raw: int) -> None:
        """A held order is given another quantity."""

    def raise_at_venue(self, order: Order, quantity_raw: int) -> None:
        """A released order is given a larger quantity."""

    def cancel_elsewhere(self, order: Order) -> None:
        """An order that the emulator does not hold is canceled."""

    def head(self, order: Order) -> tuple[int, str, str, str]:
        """How an event of the order begins, now."""
        ...


class Links:
    """Follows fills and ends of the orders that held orders depend on.

    Attributes:
        followed: ids of those orders, and of held orders that others depend on.
        released: quantities asked for of emulated children that went to the venue while their parent still fills.
    """

    def __init__(
        self,
        desk: _Desk,
        orders: Mapping[str, Order],
        held: Mapping[str, Held],
        fills_whole: Callable[[Order], bool],
    ) -> None:
        self._desk, self._orders, self._held = desk, orders, held
        self._fills_whole = fills_whole  # the venue's oto_mode is "full"
        self._filled: dict[str, int] = {}
        self.followed: dict[str, Order] = {}
        self.released: dict[str, int] = {}

    # ------------------------------------------------------------------ whom to follow

    def waits(self, order: Order) -> bool:
        """Whether a child must wait here: an emulated one for its parent's fill, another one with a held parent."""
        parent = self._parent(order)
        if parent is None:
            return False
        if order.emulation_trigger is not None:
            return not (parent.is_closed or self._frees(parent))
        held = self._held.get(parent.client_order_id)
        return held is not None and (held.is_emulated or self.waits(parent))

    def follow_related(self) -> None:
        """Look anew whose events matter: orders that are linked to a held one, or the parent of a released child."""
        wanted: dict[str, Order] = {}
        for held in self._held.values():
            self._want(wanted, held.order, self._related(held.order))
        for order_id in list(self.released):
            order = self._orders[order_id]
            parent = self._parent(order)
            if order.is_closed or parent is None or parent.is_closed:
                del self.released[order_id]
            else:
                self._want(wanted, order, (parent, *self._siblings(order)))
        self._filled = {name: self._filled.get(name, order.filled_raw) for name, order in wanted.items()}
        self.followed = wanted

    def note_released(self, held: Held) -> None:
        """An emulated child goes to the venue; it may still be raised with its parent."""
        parent = self._parent(held.order)
        if parent is not None and not parent.is_closed:
            self.released[held.order.client_order_id] = held.asked_raw

    def _related(self, order: Order) -> tuple[Order, ...]:
        parent = self._parent(order)
        return (*(() if parent is None else (parent,)), *self._siblings(order))

    @staticmethod
    def _want(wanted: dict[str, Order], order: Order, related: Iterable[Order]) -> None:
        for each in related:
            wanted[order.client_order_id] = order
            wanted[each.client_order_id] = each

    def _parent(self, order: Order) -> Order | None:
        return None if order.parent_order_id is None else self._orders.get(order.parent_order_id)

    def _siblings(self, order: Order) -> list[Order]:
        return [self._orders[name] for name in order.linked_order_ids if name in self._orders]

    def _frees(self, parent: Order) -> bool:
        """Whether children of `parent` need not wait."""
        return parent.filled_raw > 0 and (parent.is_closed or not self._fills_whole(parent))

    # ------------------------------------------------------------------ what follows

    def begin(self, held: Held) -> None:
        """An emulated order waits for nobody: a child is as large as its parent's fill, or ends where there is none."""
        order = held.order
        parent = self._parent(order)
        if parent is not None and parent.is_closed and not parent.filled_raw:
            self._end_child(held, parent)
            return
        quantity = order.quantity_raw if parent is None else self._quantity_under(order, held.asked_raw, parent)
        if quantity <= order.filled_raw:
            self._desk.end(held, OrderCanceled(*self._desk.head(order), "CONTINGENCY"))
            return
        if quantity != order.quantity_raw:
            self._desk.resize(held, quantity)
        self._desk.begin(held)

    def follow(self, order: Order) -> None:
        """An order has filled or ended: its children, then its siblings."""
        order_id = order.client_order_id
        filled = order.filled_raw - self._filled.get(order_id, order.filled_raw)
        self._filled[order_id] = order.filled_raw
        has_ended = order.is_closed and order.status is not OrderStatus.FILLED
        if has_ended and not order.filled_raw:
            self._end_children(order)
        elif self._frees(order):
            self._follow_parent(order)
        if filled:
            for sibling in self._siblings(order):
                self._follow_sibling(order, sibling, filled)
        elif has_ended and order.contingency_type is ContingencyType.OCO:
            self._end_siblings(order)

    def _is_held(self, held: Held) -> bool:
        return self._held.get(held.order.client_order_id) is held

    def _children(self, parent: Order) -> list[Held]:
        parent_id = parent.client_order_id
        return [held for held in self._held.values() if held.order.parent_order_id == parent_id]

    def _end_children(self, parent: Order) -> None:
        for child in self._children(parent):
            if self._is_held(child) and child.is_waiting:
                self._end_child(child, parent)

    def _end_child(self, child: Held, parent: Order) -> None:
        head = self._desk.head(child.order)
        if parent.status is OrderStatus.DENIED:
            event: OrderEvent = OrderDenied(*head, "LIST_DENIED", "ORD017 another order of its list is denied.")
        elif parent.status is OrderStatus.REJECTED:
            event = OrderRejected(*head, "PARENT_REJECTED", "its parent was rejected")
        else:
            event = OrderCanceled(*head, "CONTINGENCY")
        self._desk.end(child, event)

    def _follow_parent(self, parent: Order) -> None:
        """Children are let go with what the parent has, or raised to it."""
        for child in self._children(parent):
            if not self._is_held(child) or not child.is_emulated:
                continue
            quantity = self._quantity_under(child.order, child.asked_raw, parent)
            if child.is_waiting:
                if quantity > child.order.filled_raw:
                    self.begin(child)
            elif quantity > child.order.quantity_raw:
                self._desk.resize(child, quantity)
        for order_id, asked_raw in list(self.released.items()):
            order = self._orders[order_id]
            if order.parent_order_id == parent.client_order_id and not order.is_closed:
                quantity = self._quantity_under(order, asked_raw, parent)
                if quantity > order.quantity_raw:
                    self._desk.raise_at_venue(order, quantity)

    def _quantity_under(self, order: Order, asked_raw: int, parent: Order) -> int:
        """A child's quantity: as much as its parent has, less what the others of its group have taken."""
        others = 0
        if order.contingency_type is ContingencyType.OUO:
            others = sum(sibling.filled_raw for sibling in self._siblings(order))
        return max(min(asked_raw, parent.filled_raw) - others, order.filled_raw)

    def _follow_sibling(self, order: Order, sibling: Order, filled: int) -> None:
        """OCO: any fill cancels the others. OUO: a fill takes as much off the others' leaves."""
        held = self._held.get(sibling.client_order_id)
        if held is None:
            return  # the venue sees to it
        if order.contingency_type is ContingencyType.OUO:
            parent = self._parent(sibling)
            if parent is not None and parent.filled_raw:
                quantity = self._quantity_under(sibling, held.asked_raw, parent)
            else:
                quantity = held.asked_raw = sibling.quantity_raw - filled
            if quantity > 0:
                if quantity != sibling.quantity_raw:
                    self._desk.resize(held, quantity)
                return
        self._desk.end(held, OrderCanceled(*self._desk.head(sibling), "CONTINGENCY"))

    def _end_siblings(self, order: Order) -> None:
        is_unknown_to_venue = not order.venue_order_id
        for sibling in self._siblings(order):
            held = self._held.get(sibling.client_order_id)
            if held is not None:
                self._desk.end(held, OrderCanceled(*self._desk.head(sibling), "CONTINGENCY"))
            elif is_unknown_to_venue and not sibling.is_closed:
                self._desk.cancel_elsewhere(sibling)
