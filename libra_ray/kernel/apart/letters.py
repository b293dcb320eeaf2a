"""What the parts of the kernel say to each other apart, beside commands and events: one small message per deed."""

from libra_ray.kernel.apart.state import Balance, PositionState
from libra_ray.messages.codec import register
from libra_ray.messages.commands import Command
from libra_ray.messages.events import OrderDenied, OrderModifyRejected, OrderUpdated
from libra_ray.model.orders import Order

__all__ = [
    "AdoptOrder",
    "AskState",
    "FaultPolicy",
    "HoldOrder",
    "OrderReport",
    "TakeOrder",
    "UnholdOrder",
    "VenueBooks",
    "VenueRestarted",
]


class OrderReport(Command, frozen=True):
    """An event of ours about an order, with the order as it was before, for a receiver that does not know it yet."""

    order: Order
    event: OrderDenied | OrderModifyRejected | OrderUpdated


class TakeOrder(Command, frozen=True):
    """The order emulator or an algorithm has taken up a new order."""

    order: Order


class HoldOrder(Command, frozen=True):
    """`holder`, an endpoint, keeps an order before the venue: its cancels and changes go there."""

    client_order_id: str
    holder: str


class UnholdOrder(Command, frozen=True):
    """`holder` keeps the order no longer."""

    client_order_id: str
    holder: str


class AdoptOrder(Command, frozen=True):
    """A venue has made an order itself, to liquidate."""

    order: Order


class VenueRestarted(Command, frozen=True):
    """A venue that kept nothing begins anew: those of its orders are gone; None: it does not know which it had."""

    venue: str
    client_order_ids: tuple[str, ...] | None


class VenueBooks(Command, frozen=True):
    """What a venue that begins anew is told: what is held with it, and which orders are over."""

    positions: tuple[PositionState, ...]
    balances: tuple[Balance, ...]
    canceled: tuple[str, ...]


class FaultPolicy(Command, frozen=True):
    """A strategy has failed: its orders and positions are to be treated by `policy`, `keep`, `cancel` or `flatten`."""

    policy: str


class AskState(Command, frozen=True):
    """A projection wants to be told the whole state, on `topic`."""

    topic: str


register(
    AdoptOrder, AskState, FaultPolicy, HoldOrder, OrderReport, TakeOrder, UnholdOrder, VenueBooks, VenueRestarted
)  # fmt: skip
