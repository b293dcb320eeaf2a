"""What those who keep orders before the venue, the emulator and algorithms, need of the execution engine."""

from typing import Protocol

from libra_ray.messages.commands import Command
from libra_ray.messages.events import OrderEvent
from libra_ray.model.orders import Order
from libra_ray.runtime.views import Handler

__all__ = ["ExecutionPort"]


class ExecutionPort(Protocol):
    """`ExecutionEngine` has it and documents it."""

    def take(self, order: Order) -> None:
        """A new order is taken up."""

    def hold(self, order: Order, holder: Handler) -> None:
        """`order` is kept: its cancels and changes go to `holder`."""

    def unhold(self, order: Order) -> None:
        """It is kept no longer."""

    def holds(self, order: Order) -> bool:
        """Whether somebody keeps it."""
        ...

    def recall(self, order: Order) -> None:
        """An order of an earlier life."""

    def refuse(self, order: Order, event: OrderEvent) -> None:
        """`OrderDenied`, or `OrderModifyRejected`."""

    def process_local(self, event: OrderEvent) -> None:
        """An event that the holder itself makes."""

    def execute(self, command: Command) -> None:
        """Cancels and changes of orders that are kept elsewhere, or work."""
