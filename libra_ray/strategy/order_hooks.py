"""The hooks for events of orders, for actors other than strategies."""

from typing import ClassVar, Final

from libra_ray.messages.events import (
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderDenied,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderModifyRejected,
    OrderPendingCancel,
    OrderPendingUpdate,
    OrderRejected,
    OrderSubmitted,
    OrderTriggered,
    OrderUpdated,
)
from libra_ray.runtime import Actor

__all__ = ["HOOK_OF_EVENT", "OrderHooks"]

HOOK_OF_EVENT: Final[dict[type[OrderEvent], str]] = {
    OrderDenied: "on_order_denied",
    OrderSubmitted: "on_order_submitted",
    OrderAccepted: "on_order_accepted",
    OrderRejected: "on_order_rejected",
    OrderCanceled: "on_order_canceled",
    OrderExpired: "on_order_expired",
    OrderTriggered: "on_order_triggered",
    OrderUpdated: "on_order_updated",
    OrderPendingUpdate: "on_order_pending_update",
    OrderPendingCancel: "on_order_pending_cancel",
    OrderModifyRejected: "on_order_modify_rejected",
    OrderCancelRejected: "on_order_cancel_rejected",
    OrderFilled: "on_order_filled",
}
"""What is called for an event; then `on_order_event`."""


class OrderHooks(Actor):
    """Override those you need. They run in RUNNING and DEGRADED; in other states the events are kept."""

    KNOWN_HOOKS: ClassVar[frozenset[str]] = Actor.KNOWN_HOOKS | {"on_order_event", *HOOK_OF_EVENT.values()}

    def on_order_event(self, event: OrderEvent) -> None:
        """Any event of an order, after its own hook."""

    def on_order_denied(self, event: OrderDenied) -> None:
        """Refused by us; `event.code` says why. It never reached the venue."""

    def on_order_submitted(self, event: OrderSubmitted) -> None:
        """On its way to the venue."""

    def on_order_accepted(self, event: OrderAccepted) -> None:
        """Working at the venue."""

    def on_order_rejected(self, event: OrderRejected) -> None:
        """Refused by the venue; `event.code` says why."""

    def on_order_canceled(self, event: OrderCanceled) -> None:
        """No longer working; `event.code` is empty where somebody asked for it."""

    def on_order_expired(self, event: OrderExpired) -> None:
        """Its time in force ended."""

    def on_order_triggered(self, event: OrderTriggered) -> None:
        """A stop-limit is a limit order now."""

    def on_order_updated(self, event: OrderUpdated) -> None:
        """Quantity, price or trigger changed."""

    def on_order_pending_update(self, event: OrderPendingUpdate) -> None:
        """A modification is on its way."""

    def on_order_pending_cancel(self, event: OrderPendingCancel) -> None:
        """A cancel is on its way."""

    def on_order_modify_rejected(self, event: OrderModifyRejected) -> None:
        """A modification was refused; the order is as it was."""

    def on_order_cancel_rejected(self, event: OrderCancelRejected) -> None:
        """A cancel was refused; the order is as it was."""

    def on_order_filled(self, event: OrderFilled) -> None:
        """A fill; position and account contain it already."""
