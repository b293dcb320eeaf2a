"""How an order counts while it works: at which price, with how many units, and whether it counts yet at all."""

from collections.abc import Mapping
from typing import Final, Protocol

from libra_ray.model.enums import OrderStatus, OrderType
from libra_ray.model.instruments import Instrument
from libra_ray.model.orders import Order

__all__ = ["counted_px", "counted_units", "waits_for_parent"]

_PENDING: Final = (OrderStatus.PENDING_UPDATE, OrderStatus.PENDING_CANCEL)
_NOT_RELEASED: Final = (OrderStatus.INITIALIZED, OrderStatus.EMULATED, OrderStatus.RELEASED, OrderStatus.SUBMITTED)


def waits_for_parent(order: Order, orders: Mapping[str, Order]) -> bool:
    """Whether it is an OTO child that is not released yet: it can neither fill nor cost anything.

    Known by the parent's fills before it has reached the venue, and there by its status: the venue accepts a child
    when it releases it. A venue that knows no such links accepts it at once.
    """
    if order.parent_order_id is None:
        return False
    parent = orders.get(order.parent_order_id)
    if parent is None or order.filled_raw:
        return False
    status = order.before_pending if order.status in _PENDING else order.status
    if status not in _NOT_RELEASED:
        return False
    return parent.filled_raw == 0 or bool(order.venue_order_id)


class PricesNow(Protocol):
    """The market of one instrument, as far as a price follows from it."""

    def opposite_px(self, *, is_buy: bool) -> int | None:
        """The best price that an order of that direction trades against."""
        ...

    def last(self) -> int | None:
        """The last traded price."""
        ...


def counted_px(order: Order, prices: PricesNow) -> int | None:
    """At what price an order counts: its own, its trigger, the opposite best, or the last; None where none is known."""
    if order.type is not OrderType.MARKET:
        if order.price_raw is not None:
            return order.price_raw
        if order.trigger_raw is not None:
            return order.trigger_raw
    px_raw = prices.opposite_px(is_buy=order.is_buy)
    return prices.last() if px_raw is None else px_raw


def counted_units(order: Order, instrument: Instrument, px_raw: int | None) -> int | None:
    """The leaves in units of the instrument, raw; an amount of quote currency at `px_raw`, floored to the step.

    None where an amount cannot be converted. The venue converts it on arrival, and the order is in units from then on.
    """
    if not order.quote_quantity:
        return order.leaves_raw
    if px_raw is None or px_raw <= 0:
        return None
    multiplier = instrument.multiplier
    num = order.leaves_raw * multiplier.den * 10**instrument.size_precision
    den = multiplier.num * 10**order.size_precision
    if not instrument.inverse:  # a contract of an inverse instrument is worth its multiplier in quote currency
        num, den = num * 10**instrument.price_precision, den * px_raw
    step_raw = instrument.step_raw
    floored: int = num // (den * step_raw) * step_raw
    return floored
