"""What a run leaves behind: its events in order of birth, its orders, and samples of equity."""

from libra_ray.messages.events import AnyEvent
from libra_ray.model.orders import Order

__all__ = ["RunRecord"]


class RunRecord:
    """Filled while a run goes on; tables and the run hash are made from it afterwards.

    Attributes:
        events: order events without SUBMITTED and PENDING_*, position and account events, in order of birth.
        orders: every order that was submitted by a strategy, in order of their taking.
        equity: (ts_ns, venue, balance raw, equity raw) in the account's reporting currency.
    """

    __slots__ = ("equity", "events", "orders")

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []
        self.orders: list[Order] = []
        self.equity: list[tuple[int, str, int, int]] = []
