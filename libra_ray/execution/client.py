"""What the execution engine needs of a venue."""

from typing import Protocol

from libra_ray.messages.commands import ModifyOrder
from libra_ray.model.orders import Order

__all__ = ["ExecutionClient"]


class ExecutionClient(Protocol):
    """Takes commands; answers by order events to the execution engine, at once or later."""

    def submit(self, order: Order, ts_ns: int) -> None:
        """Send an approved order."""
        ...

    def submit_list(self, orders: tuple[Order, ...], ts_ns: int) -> None:
        """Send approved orders that depend on each other, in list order."""
        ...

    def modify(self, command: ModifyOrder) -> None:
        """Change a working order."""
        ...

    def cancel(self, order: Order, ts_ns: int, code: str = "") -> None:
        """Take an order off; `code` says why where its strategy did not ask."""
        ...
