"""The fold of orders: what an event makes of an order. One text for the execution engine and for every projection."""

from collections.abc import Mapping
from typing import Protocol

from libra_ray.execution.emulated_triggers import become_released
from libra_ray.messages.events import (
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderDenied,
    OrderEmulated,
    OrderEvent,
    OrderExpired,
    OrderModifyRejected,
    OrderPendingCancel,
    OrderPendingUpdate,
    OrderRejected,
    OrderReleased,
    OrderTriggered,
    OrderUpdated,
)
from libra_ray.model.enums import OrderStatus
from libra_ray.model.instruments import Instrument
from libra_ray.model.orders import Order

__all__ = ["FoldedOrders", "OrderFold"]


class FoldedOrders(Protocol):
    """Where the orders are."""

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """All that are loaded, by id."""
        ...

    @property
    def orders(self) -> dict[str, Order]:
        """All orders, by client order id."""
        ...

    @property
    def new(self) -> dict[str, Order]:
        """Made by a strategy and not taken yet."""
        ...

    @property
    def working(self) -> dict[str, Order]:
        """Submitted and not closed, in order of submission."""
        ...


class OrderFold:
    """Applies events to orders, in the order in which they happened.

    Attributes:
        acceptances: how many orders venues have accepted so far.
        canceling: orders of which a cancel is on its way, whatever their status says meanwhile.
    """

    acceptances: int
    canceling: dict[str, Order]

    def _fold(self, orders: FoldedOrders) -> None:
        """Begin with these."""
        self._orders = orders
        self.canceling = {}
        self.acceptances = 0

    def _apply(self, order: Order, event: OrderEvent) -> None:
        """One event; fills and submissions have ways of their own.

        Raises `InvalidOrderTransitionError`, and leaves the order as it is, where the state table does not allow it.
        """
        ts_ns = event.ts_ns
        if type(event) is OrderAccepted:
            self._accept(order, event)
        elif type(event) is OrderCanceled:
            self._close(order, OrderStatus.CANCELED, event.code, "", ts_ns)
        elif type(event) is OrderRejected:
            self._close(order, OrderStatus.REJECTED, event.code, event.message, ts_ns)
        elif type(event) is OrderExpired:
            self._close(order, OrderStatus.EXPIRED, "", "", ts_ns)
        elif type(event) is OrderTriggered:
            order.move(OrderStatus.TRIGGERED, ts_ns)
        elif type(event) is OrderEmulated:
            order.move(OrderStatus.EMULATED, ts_ns)
        elif type(event) is OrderReleased:
            order.move(OrderStatus.RELEASED, ts_ns)
            become_released(order)
        elif type(event) is OrderUpdated:
            order.settle_pending(ts_ns)
            if order.quote_quantity and event.quantity_raw is not None:
                order.quote_quantity = False
                order.size_precision = self._orders.instruments[order.instrument_id].size_precision
            order.quantity_raw = order.quantity_raw if event.quantity_raw is None else event.quantity_raw
            order.price_raw = order.price_raw if event.price_raw is None else event.price_raw
            order.trigger_raw = order.trigger_raw if event.trigger_raw is None else event.trigger_raw
        elif isinstance(event, OrderModifyRejected | OrderCancelRejected):
            order.settle_pending(ts_ns)
            if isinstance(event, OrderCancelRejected):
                self.canceling.pop(order.client_order_id, None)
        elif type(event) is OrderPendingUpdate:
            order.move(OrderStatus.PENDING_UPDATE, ts_ns)
        elif type(event) is OrderPendingCancel:
            order.move(OrderStatus.PENDING_CANCEL, ts_ns)
        elif type(event) is OrderDenied:
            self._close(order, OrderStatus.DENIED, event.code, event.message, ts_ns)

    def _accept(self, order: Order, event: OrderAccepted) -> None:
        order.accept(event.venue_order_id, self.acceptances + 1, event.ts_ns)
        self.acceptances += 1

    def _close(self, order: Order, status: OrderStatus, code: str, message: str, ts_ns: int) -> None:
        order.move(status, ts_ns)
        order.code, order.message = code, message
        self._orders.working.pop(order.client_order_id, None)
        self.canceling.pop(order.client_order_id, None)
