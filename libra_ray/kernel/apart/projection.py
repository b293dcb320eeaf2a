"""The projection: cache and portfolio of a host, folded from the events that the execution engine publishes."""

from collections import deque
from collections.abc import Sequence

import msgspec

from libra_ray.errors import InvalidOrderTransitionError
from libra_ray.execution.fills_seen import FillsSeen, Known
from libra_ray.execution.fold import OrderFold
from libra_ray.execution.initialized import order_of
from libra_ray.kernel.apart.plan import KernelPlan
from libra_ray.kernel.apart.state import StatePage, renew, restore
from libra_ray.kernel.books import Books
from libra_ray.messages.events import (
    AccountBooked,
    AnyEvent,
    OrderAccepted,
    OrderCanceled,
    OrderDenied,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderInitialized,
    OrderModifyRejected,
    OrderRejected,
    OrderReleased,
    OrderSubmitted,
    OrderUpdated,
    PositionClosed,
)
from libra_ray.model.enums import OrderStatus
from libra_ray.model.on_grid import put_on_grid
from libra_ray.model.order_states import CLOSED, is_legal
from libra_ray.model.orders import Order

__all__ = ["LOCAL", "Projection"]

LOCAL = (OrderStatus.INITIALIZED, OrderStatus.EMULATED, OrderStatus.RELEASED)
"""States of an order that has not been submitted: whoever keeps it knows best how it stands."""

_REFUSED_BY_VENUE = ("QUANTITY_FILLED", "POST_ONLY_WOULD_TAKE", "STOP_IN_MARKET", "UNKNOWN_ORDER", "ORDER_CLOSED")
_LEAVES = (OrderSubmitted, OrderDenied, OrderAccepted, OrderRejected, OrderFilled, OrderCanceled, OrderExpired)


class Projection(OrderFold):
    """Read-only for actors; equal to the kernel's own cache and portfolio at the event that was folded last.

    An event that comes again changes nothing, and neither does a stretch of events that comes again in its order.
    Orders that this host itself moves on, ahead of the events that tell of it, are *led*: what the events say of them
    is known here, up to the one that says that they have left.

    Attributes:
        books: the cache, the portfolio with its accounts, the funds.
        is_synced: it stands where the execution engine stands; before, events are not looked at.
        unknown: events of orders whose birth this host was not told of.
        led: ids of led orders, and by whom.
    """

    def __init__(self, plan: KernelPlan, ts_ns: int = 0) -> None:
        self.books = Books(plan.venues, plan.instruments, ts_ns)
        self.cache, self.portfolio = self.books.cache, self.books.portfolio
        self.is_synced = False
        self.unknown = 0
        self._fold(self.cache)
        self.led: dict[str, str] = {}
        self._filled: list[OrderFilled] = []
        self._seen = FillsSeen(self._filled)
        self._expected: dict[str, deque[AccountBooked]] = {}
        self._pages: list[StatePage] = []

    # ------------------------------------------------------------------ the fold

    def apply(self, event: AnyEvent, *, again: bool = False) -> None:
        """One event of the stream, in its order. `again`: an earlier life of this host was given it too.

        What that life knew ahead of its events is not known any more, so they are looked at also where it led.
        """
        if not self.is_synced:
            return
        if isinstance(event, OrderEvent):
            self._on_order_event(event, again=again)
        elif type(event) is AccountBooked:
            self._on_booked(event)
        elif type(event) is PositionClosed and not event.client_order_id:
            self.portfolio.on_settled(event)  # all other positions follow from fills

    def _on_order_event(self, event: OrderEvent, *, again: bool) -> None:
        order_id = event.client_order_id
        order = self.cache.orders.get(order_id)
        if type(event) is OrderInitialized:
            self._on_initialized(order, event)
            return
        if order is None:
            self.unknown += 1
            return
        if order_id in self.led:
            if isinstance(event, _LEAVES) or (type(event) is OrderReleased and order.status is OrderStatus.EMULATED):
                del self.led[order_id]  # it has left, or an earlier life of this host has let it go
                self._give_way(order, event)
            elif not again:
                return
        if type(event) is OrderFilled:
            self._on_fill(order, event)
        elif type(event) is OrderSubmitted:
            self._on_submitted(order, event.ts_ns)
        elif self._changes(order, event):
            self._move(order, event)

    def _on_initialized(self, order: Order | None, event: OrderInitialized) -> None:
        if order is None:
            self.cache.orders[event.client_order_id] = order_of(event)
        elif order.emulation_trigger is not None or order.exec_algorithm_id is not None:
            self.cache.new.pop(event.client_order_id, None)  # others stay new until they are submitted

    def _on_submitted(self, order: Order, ts_ns: int) -> None:
        self.cache.new.pop(order.client_order_id, None)
        if not is_legal(order.status, OrderStatus.SUBMITTED) or order.status not in LOCAL:
            return  # sent from here
        order.move(OrderStatus.SUBMITTED, ts_ns)
        put_on_grid(order, self.cache.instruments[order.instrument_id])
        self.cache.working[order.client_order_id] = order

    def _on_fill(self, order: Order, event: OrderFilled) -> None:
        if self._seen.look(event) is not Known.NEW:
            return
        self._filled.append(event)
        order.venue_order_id = order.venue_order_id or event.venue_order_id
        if not is_legal(order.status, OrderStatus.PARTIALLY_FILLED):
            order.status = OrderStatus.SUBMITTED  # the engine has applied it: so it was sent, whatever is known here
        order.fill(event.last_qty_raw, event.last_px_raw, event.ts_ns, allow_overfill=True)
        if order.status is OrderStatus.FILLED:
            self.cache.working.pop(order.client_order_id, None)
        for booked in self.portfolio.on_fill(event):
            if isinstance(booked, AccountBooked):
                self._expected.setdefault(booked.account_id, deque()).append(booked)

    def _on_booked(self, event: AccountBooked) -> None:
        """A booking: one that a fill has made here already, or one that says what the total is now."""
        expected = self._expected.get(event.account_id)
        if expected and expected[0] == event:
            expected.popleft()
            return
        for booked in expected or ():  # converted at another rate there: what is said holds
            self.portfolio.take_back(booked)
        if expected:
            expected.clear()
        self.portfolio.on_booked(event)

    @staticmethod
    def _changes(order: Order, event: OrderEvent) -> bool:
        """Whether an event can still matter to the order as it stands."""
        if type(event) is OrderModifyRejected:
            # What we refuse ourselves leaves an earlier change on its way.
            return order.status is OrderStatus.PENDING_UPDATE and event.code in _REFUSED_BY_VENUE
        return type(event) is not OrderUpdated or order.status not in CLOSED

    def _move(self, order: Order, event: OrderEvent) -> None:
        self.cache.new.pop(order.client_order_id, None)
        try:
            if type(event) is OrderAccepted and order.acceptance:
                order.move(OrderStatus.ACCEPTED, event.ts_ns)  # accepted once, and counted then
            else:
                self._apply(order, event)
        except InvalidOrderTransitionError:
            return  # it is further already

    def _give_way(self, order: Order, event: OrderEvent) -> None:
        """What was decided here may have been decided otherwise in an earlier life of this host: the events hold."""
        decided = OrderStatus.SUBMITTED if isinstance(event, OrderDenied) else OrderStatus.DENIED
        if order.status is decided:
            order.status, order.code, order.message = OrderStatus.INITIALIZED, "", ""
            self.cache.working.pop(order.client_order_id, None)

    # ------------------------------------------------------------------ what this host itself does

    def own(self, copy: Order, by: str) -> Order | None:
        """The object that stands here for a new order that came with a command to `by`; None where `by` had it before.

        While an order is local, who sent it knows best how it stands: the object is brought up to that.
        """
        order_id = copy.client_order_id
        order = self.cache.orders.get(order_id)
        if order is None:
            order = self.cache.orders[order_id] = msgspec.structs.replace(copy)
        elif order.status not in LOCAL or self.led.get(order_id) == by:
            return None
        elif order is not copy:
            renew(order, copy)
        return order

    def known(self, copy: Order) -> Order:
        """The object that stands here for an order that a command names; the copy itself where there is none."""
        return self.cache.orders.get(copy.client_order_id, copy)

    def lead(self, order: Order, by: str) -> None:
        """`by` keeps the order, or has moved it on: until the events say that it has left, what is known here holds."""
        self.led[order.client_order_id] = by

    def tell(self, event: OrderEvent) -> None:
        """An event that this host makes itself, ahead of the stream."""
        order = self.cache.orders.get(event.client_order_id)
        if order is not None:
            self._move(order, event)

    def submitted(self, order: Order, ts_ns: int) -> None:
        """The order was let pass to the venue: it counts as submitted from here on."""
        self._on_submitted(order, ts_ns)

    # ------------------------------------------------------------------ the state as a whole

    def take_page(self, page: StatePage) -> None:
        """A page of the execution engine's state; with the last one the projection stands where that stands."""
        if page.number == 0:
            self._pages.clear()
        if page.number != len(self._pages):
            return  # the first ones were sent before this host listened
        self._pages.append(page)
        if page.is_last:
            self.restore(self._pages)
            self._pages.clear()

    def restore(self, pages: Sequence[StatePage]) -> None:
        """Stand where the whole state stands, but for orders that are led here and have not left there."""
        for state in (state for page in pages for state in page.orders):
            if state.status not in LOCAL:
                self.led.pop(state.client_order_id, None)
            if state.status is not OrderStatus.INITIALIZED or state.exec_algorithm_id is not None:
                self.cache.new.pop(state.client_order_id, None)
        restore(self.books, pages, ahead=self.led)
        self._expected.clear()
        self.acceptances = pages[-1].acceptances
        self.is_synced = True
