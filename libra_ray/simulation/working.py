"""An order at the simulated venue: what the venue itself remembers of it."""

from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from libra_ray.model.enums import OrderType
from libra_ray.model.orders import MARKET_TYPES, TOUCH_TYPES, TRAILING_TYPES, TRIGGER_TYPES, Order

if TYPE_CHECKING:
    from libra_ray.simulation.market import Market

__all__ = ["Working"]


_SHAPES: Final = {
    kind._value_: (kind in TRIGGER_TYPES, kind in TOUCH_TYPES, kind in TRAILING_TYPES, kind in MARKET_TYPES)
    for kind in OrderType
}


class Working(msgspec.Struct, eq=False):
    """An order at the venue.

    Attributes:
        arrival: its number among all orders that reached the venue; what chance is keyed by.
        accepted: its place in the order of acceptance; `seq`: its time priority, new where priority is lost.
        waits: it has a trigger that has not been hit; `is_touch`: that is hit from the other side.
        pending: a bar venue's order that executes at the next open.
        is_market: it executes at any price, once it executes; `is_trailing`: its trigger follows the market.
        is_following: a trailing stop that is active.
        asked_raw: the quantity that the strategy asks for, before links and the position change it.
        slice_raw: what is left of the slice that an iceberg shows; None where all is shown.
        ahead: what is in the queue before it; `shown`: the size displayed at its price by the last row; `traded`:
            traded there since; `arrivals`, `version`: where it stands among a book's own orders (L3).
        draws: how often chance was asked for it.
    """

    order: Order
    market: Any  # the `Market` that the order is for, which imports this
    arrival: int
    waits: bool
    is_touch: bool
    is_trailing: bool
    is_market: bool
    asked_raw: int
    slice_raw: int | None
    accepted: int = 0
    seq: int = 0
    pending: bool = False
    is_following: bool = False
    ahead: int = 0
    shown: int = 0
    traded: int = 0
    arrivals: int = 0
    version: int = 0
    draws: int = 0

    @classmethod
    def of(cls, order: Order, market: "Market", arrival: int) -> Self:
        """An order as it reaches the venue."""
        waits, is_touch, is_trailing, is_market = _SHAPES[order.type._value_]
        shown_raw = order.display_raw
        return cls(order, market, arrival, waits, is_touch, is_trailing, is_market, order.quantity_raw, shown_raw)

    @property
    def price(self) -> int:
        """The limit, raw; asked only of orders that have one."""
        px = self.order.price_raw
        assert px is not None  # noqa: S101  # limit types without a price are denied
        return px

    @property
    def trigger(self) -> int | None:
        """The trigger, raw; None for a trailing stop that has not begun to follow."""
        return self.order.trigger_raw

    @property
    def limit(self) -> int | None:
        """The worst price it may execute at; None for any."""
        return None if self.is_market else self.order.price_raw

    @property
    def rests(self) -> bool:
        """Whether it is a limit order in the book."""
        return not self.waits and not self.pending and self.order.type is not OrderType.MARKET
