"""What somebody wants done: immutable, imperative. Inside a host the order travels by reference."""

import msgspec

from libra_ray.model.enums import TradingState
from libra_ray.model.orders import Order

__all__ = [
    "CancelAllOrders",
    "CancelOrder",
    "Command",
    "ModifyOrder",
    "RefuseCommand",
    "SetTradingState",
    "SubmitOrder",
    "SubmitOrderList",
]


class Command(msgspec.Struct, frozen=True, gc=False):
    """What all commands begin with."""

    ts_ns: int
    strategy_id: str


class SubmitOrder(Command, frozen=True, gc=False):
    """Send an order. What the risk engine lets pass is this same object: the approval is the reference."""

    order: Order


class SubmitOrderList(Command, frozen=True, gc=False):
    """Send orders that stand or fall together: one that is denied denies all."""

    orders: tuple[Order, ...]


class ModifyOrder(Command, frozen=True, gc=False):
    """Change what is given; None leaves a field as it is.

    Raw integers are at the order's own decimals, or at these where more digits were asked for: nothing is rounded.
    """

    order: Order
    quantity_raw: int | None
    price_raw: int | None
    trigger_raw: int | None
    size_precision: int | None = None
    price_precision: int | None = None


class CancelOrder(Command, frozen=True, gc=False):
    """Take an order off the venue. `code`: why, where it is not its own strategy that asks."""

    order: Order
    code: str = ""


class CancelAllOrders(Command, frozen=True, gc=False):
    """Cancel all open orders of the strategy, in order of acceptance; `instrument_id` None means all instruments."""

    instrument_id: str | None


class RefuseCommand(Command, frozen=True, gc=False):
    """Answer new orders, or a change of one, with a refusal: an actor that has failed sends nothing but cancels."""

    command: Command


class SetTradingState(Command, frozen=True, gc=False):
    """Set what the risk engine lets through."""

    state: TradingState
    reason: str

    def __post_init__(self) -> None:
        """Raises `ValueError` for a state that there is not, at whoever says it."""
        msgspec.structs.force_setattr(self, "state", TradingState(self.state))
