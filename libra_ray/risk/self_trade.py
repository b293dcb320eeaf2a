"""Check 11 of the risk engine: an order that would match an own resting one. Decides; the engine carries out."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from libra_ray.model.enums import OrderStatus, OrderType, TimeInForce
from libra_ray.model.orders import TRIGGER_TYPES, Order
from libra_ray.risk.refusal import Refusal

__all__ = ["Cut", "SelfTradeMode", "SelfTrades", "resting_in_reach"]

_AUCTIONS: Final = (TimeInForce.AT_THE_OPEN, TimeInForce.AT_THE_CLOSE)
_PENDING: Final = (OrderStatus.PENDING_UPDATE, OrderStatus.PENDING_CANCEL)
_TRIGGERED: Final = (OrderStatus.TRIGGERED, OrderStatus.PARTIALLY_FILLED)


class SelfTradeMode(StrEnum):
    """What happens to an order that would match an own resting one."""

    NONE = "none"
    CANCEL_NEWEST = "cancel_newest"
    CANCEL_OLDEST = "cancel_oldest"
    DECREMENT = "decrement"


class Cut(NamedTuple):
    """A resting order is to lose `by_raw`; all that is left of it: it is to be canceled."""

    order: Order
    by_raw: int
    is_cancel: bool


class SelfTrades:
    """What one command, an order or a list, means for own resting orders.

    Attributes:
        cuts: what resting orders lose, in order.
        quantities: the new quantity of orders that are to be sent smaller, by client order id.
    """

    def __init__(self, mode: SelfTradeMode) -> None:
        self._mode = mode
        self._lost: dict[str, int] = {}
        self.cuts: list[Cut] = []
        self.quantities: dict[str, int] = {}

    def check(self, order: Order, working: Iterable[Order], opposite_px: int | None) -> Refusal | None:
        """Note what a new order does to resting ones, or refuse it; see `resting_in_reach`."""
        met = [one for one in resting_in_reach(order, working, opposite_px) if self._leaves(one) > 0]
        if not met:
            return None
        stuck = any(one.status is OrderStatus.UNKNOWN for one in met)
        if stuck or self._mode is SelfTradeMode.CANCEL_NEWEST or (self._decrements and order.quote_quantity):
            return _refusal(order, met[0], "")
        met = [one for one in met if one.status is not OrderStatus.PENDING_CANCEL]
        if self._decrements:
            return self._decrement(order, met)
        for one in sorted(met, key=_by_acceptance):
            self._cut(one, self._leaves(one))
        return None

    def only_since(self, cut: int) -> "SelfTrades":
        """What an order that is denied means for resting ones, without those before it in its list."""
        alone = SelfTrades(self._mode)
        alone.cuts = self.cuts[cut:]
        return alone

    @property
    def _decrements(self) -> bool:
        return self._mode is SelfTradeMode.DECREMENT

    def _decrement(self, order: Order, met: list[Order]) -> Refusal | None:
        """Both lose the smaller leaves: the best price first, as they would match."""
        left = order.leaves_raw
        best_first = sorted(
            met, key=lambda one: ((one.price_raw or 0) * (1 if order.is_buy else -1), *_by_acceptance(one))
        )
        for one in best_first:
            lost = min(left, self._leaves(one))
            self._cut(one, lost)
            left -= lost
            if left == 0:
                return _refusal(order, one, " Nothing of it is left beyond that.")
        if left < order.leaves_raw:
            self.quantities[order.client_order_id] = order.filled_raw + left
        return None

    def _leaves(self, order: Order) -> int:
        return order.leaves_raw - self._lost.get(order.client_order_id, 0)

    def _cut(self, order: Order, lost: int) -> None:
        self.cuts.append(Cut(order, lost, lost == self._leaves(order)))
        self._lost[order.client_order_id] = self._lost.get(order.client_order_id, 0) + lost


def resting_in_reach(order: Order, working: Iterable[Order], opposite_px: int | None) -> list[Order]:
    """Own limit orders on the other side that `order` reaches if it executes now, in order of submission.

    `opposite_px`: the best price of the market, which is as far as an order without a limit of its own is looked at.
    """
    if order.type in TRIGGER_TYPES or order.time_in_force in _AUCTIONS:
        return []
    limit = order.price_raw if order.type is OrderType.LIMIT else opposite_px
    if limit is None:
        return []
    is_buy = order.is_buy
    return [
        one
        for one in working
        if one.is_buy is not is_buy
        and one.instrument_id == order.instrument_id
        and one.price_raw is not None
        and (limit >= one.price_raw if is_buy else limit <= one.price_raw)
        and _rests(one)
    ]


def _by_acceptance(order: Order) -> tuple[bool, int]:
    """Those in flight come last, in order of submission as all that is equal here."""
    return order.acceptance == 0, order.acceptance


def _rests(order: Order) -> bool:
    """Whether it lies at the venue as a limit, or is on its way there and not held for a parent."""
    status = order.before_pending if order.status in _PENDING else order.status
    if order.time_in_force in _AUCTIONS or order.type is OrderType.MARKET:
        return False
    if order.type in TRIGGER_TYPES:
        return status in _TRIGGERED
    if status is OrderStatus.SUBMITTED:
        is_gone_at_once = order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
        return order.parent_order_id is None and not is_gone_at_once
    return True


def _refusal(order: Order, met: Order, more: str) -> Refusal:
    text = (
        f"ORD018 {order.side} of {order.instrument_id} would match the own order {met.client_order_id} at {met.price}."
    )
    return Refusal("SELF_TRADE", f"{text}{more or ' Cancel that first or move the price.'}")
