"""Orders that depend on others: children, siblings, and reduce-only orders that follow their position.

Links act on the sum of an execution, after the order's own end.
"""

from abc import abstractmethod
from collections.abc import Iterator

from libra_ray.messages.events import OrderCanceled
from libra_ray.model.enums import ContingencyType, OrderStatus
from libra_ray.model.order_states import CLOSED
from libra_ray.model.orders import Order
from libra_ray.simulation.market import Market
from libra_ray.simulation.reports import VenueReports
from libra_ray.simulation.working import Working

__all__ = ["Contingencies"]

_BY_LINKS = ("CONTINGENCY", "PARENT_REJECTED")
"""Ends that came from another order, which sees to the whole group itself."""


class Contingencies(VenueReports):
    """What happens to others when an order has filled or ended.

    Attributes:
        children: orders that name a parent, held or released, by the parent's id, in list order.
    """

    __slots__ = ()

    children: dict[str, list[Working]]

    @abstractmethod
    def _arrive(self, working: Working) -> None:
        """An order arrives and acts."""

    # ------------------------------------------------------------------ arriving

    def _register_links(self, working: Working) -> bool:
        """Note an order's links; whether it must wait for its parent."""
        order = working.order
        if not self.settings.support_contingent_orders:
            return False
        if order.parent_order_id is None:
            return False
        self.children.setdefault(order.parent_order_id, []).append(working)
        parent = self._orders.get(order.parent_order_id)
        if parent is None or parent.is_closed:
            return False
        return self.settings.oto_mode == "full" or parent.filled_raw == 0

    def _missed_by(self, working: Working) -> int:
        """How much its siblings take off an order that they could not be told of, because it comes after them."""
        order = working.order
        if not order.linked_order_ids or order.parent_order_id is not None:
            return 0
        others = [self._orders[name] for name in order.linked_order_ids if name in self._orders]
        arrived = [other for other in others if other.venue_order_id]
        if order.contingency_type is ContingencyType.OUO:
            return sum(other.filled_raw for other in arrived)
        return order.quantity_raw if any(other.filled_raw or other.is_closed for other in arrived) else 0

    def _quantity_left(self, working: Working, missed: int) -> int:
        """How large an order may be that arrives after its parent or siblings have filled or ended; 0: it ends."""
        order = working.order
        parent = None if order.parent_order_id is None else self._orders.get(order.parent_order_id)
        return max(order.quantity_raw - missed, 0) if parent is None else self._leaves_under(working, parent)

    # ------------------------------------------------------------------ after an execution

    def _after_execution(self, working: Working, filled: int, code: str | None = None) -> None:
        """All that one order got is reported: its own end, then children, siblings, reduce-only orders."""
        is_ended = False
        if working.order.status in CLOSED:
            self._drop(working)
        elif code is not None:
            self._drop(working)
            self._report(OrderCanceled(*self._head(working.order), code))
            is_ended = True
        if self.children or working.order.linked_order_ids or self._reduce_only_count:
            self._follow_links(working, filled, is_ended=is_ended)

    def _after_end(self, working: Working) -> None:
        self._follow_links(working, 0, is_ended=True)

    def _follow_links(self, working: Working, filled: int, *, is_ended: bool) -> None:
        order = working.order
        if self.children and order.client_order_id in self.children:
            if is_ended and not order.filled_raw:
                self._end_children(order)
            elif filled or self.settings.oto_mode == "full":
                self._follow_parent(order)
        if order.linked_order_ids and self.settings.support_contingent_orders:
            if filled:
                self._follow_sibling(order, filled)
            elif is_ended and order.contingency_type is ContingencyType.OCO and order.code not in _BY_LINKS:
                for sibling in list(self._siblings(order)):
                    self._cancel(sibling, "CONTINGENCY")
        if filled and self._reduce_only_count:
            self._follow_positions(working.market)

    # ------------------------------------------------------------------ children

    def _follow_parent(self, parent: Order) -> None:
        """A parent has filled: children are released with, or raised to, what it has; in `full` mode at its end."""
        if self.settings.oto_mode == "full" and not parent.is_closed:
            return
        for child in list(self.children[parent.client_order_id]):
            self._release_or_raise(child, parent)

    def _end_children(self, parent: Order) -> None:
        """A parent ends without a fill: children that wait for it end too."""
        for child in list(self.children[parent.client_order_id]):
            if child.order.client_order_id not in self.held:
                continue
            if parent.status is OrderStatus.REJECTED:
                self._reject(child, "PARENT_REJECTED")
            else:
                self._cancel(child, "CONTINGENCY")

    def _release_or_raise(self, child: Working, parent: Order) -> None:
        order = child.order
        if order.is_closed:
            return
        is_held = order.client_order_id in self.held
        quantity = order.filled_raw + self._leaves_under(child, parent)
        if is_held:
            if quantity <= order.filled_raw:
                return
            del self.held[order.client_order_id]
            if quantity != order.quantity_raw:
                self._update(order, quantity=quantity)
            self._arrive(child)
        elif quantity > order.quantity_raw:
            self._update(order, quantity=quantity)
            self._lose_priority(child)

    def _leaves_under(self, child: Working, parent: Order) -> int:
        """What a child may still fill: what its parent has less what its group has taken, and no more than is asked."""
        own = taken = child.order.filled_raw
        if child.order.contingency_type is ContingencyType.OUO:
            taken += sum(self._orders[name].filled_raw for name in child.order.linked_order_ids if name in self._orders)
        return max(min(child.asked_raw - own, parent.filled_raw - taken), 0)

    @abstractmethod
    def _lose_priority(self, working: Working) -> None:
        """An order goes to the back of its queue."""

    # ------------------------------------------------------------------ siblings

    def _siblings(self, order: Order) -> Iterator[Working]:
        """Orders linked to this one that are not closed, in list order."""
        for name in order.linked_order_ids:
            other = self._orders.get(name)
            if other is not None and not other.is_closed:
                sibling = self._find(other)
                if sibling is not None:
                    yield sibling

    def _follow_sibling(self, order: Order, filled: int) -> None:
        """OCO: any fill cancels the others. OUO: a fill takes as much off the others' leaves."""
        for sibling in list(self._siblings(order)):
            other = sibling.order
            if other.is_closed:
                continue
            if order.contingency_type is not ContingencyType.OUO:
                self._cancel(sibling, "CONTINGENCY")
                continue
            parent = None if other.parent_order_id is None else self._orders.get(other.parent_order_id)
            if parent is not None and parent.filled_raw:
                quantity = other.filled_raw + self._leaves_under(sibling, parent)
            else:
                quantity = other.quantity_raw - filled
            if quantity <= other.filled_raw:
                self._cancel(sibling, "CONTINGENCY")
            elif quantity != other.quantity_raw:
                self._update(other, quantity=quantity)
                if parent is None:
                    sibling.asked_raw = quantity
                sibling.market.changed()

    # ------------------------------------------------------------------ reduce-only

    def _follow_positions(self, market: Market) -> None:
        """Reduce-only orders, in order of acceptance, are held against their position, each against all of it."""
        for working in list(market.working.values()):
            order = working.order
            if not order.reduce_only or order.is_closed:
                continue
            held = self._held_raw(order)
            if held == 0 or (held > 0) == order.is_buy:
                self._cancel(working, "REDUCE_ONLY_FLAT")
            elif order.leaves_raw > abs(held):
                self._update(order, quantity=order.filled_raw + abs(held))
