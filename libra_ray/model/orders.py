"""An order: what was asked for, and how far it has come. Only the kernel changes it, by applying events."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from libra_ray.errors import InvalidOrderTransitionError
from libra_ray.model.enums import (
    ContingencyType,
    OrderSide,
    OrderStatus,
    OrderType,
    TimeInForce,
    TrailingOffsetType,
    TriggerType,
)
from libra_ray.model.numbers import Price, Quantity, Rate
from libra_ray.model.order_states import CLOSED, SUCCESSORS
from libra_ray.model.rules.fixed_point import decimal_quotient

__all__ = ["LIMIT_TYPES", "MARKET_TYPES", "TOUCH_TYPES", "TRAILING_TYPES", "TRIGGER_TYPES", "Order"]

LIMIT_TYPES: Final = (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED)
"""Types that are given a price."""
TOUCH_TYPES: Final = (OrderType.MARKET_IF_TOUCHED, OrderType.LIMIT_IF_TOUCHED)
"""Types whose trigger lies on the better side of the market."""
TRAILING_TYPES: Final = (OrderType.TRAILING_STOP_MARKET, OrderType.TRAILING_STOP_LIMIT)
"""Types whose trigger follows the market."""
TRIGGER_TYPES: Final = (OrderType.STOP_MARKET, OrderType.STOP_LIMIT, *TOUCH_TYPES, *TRAILING_TYPES)
"""Types that wait for a trigger."""
MARKET_TYPES: Final = (
    OrderType.MARKET,
    OrderType.STOP_MARKET,
    OrderType.MARKET_IF_TOUCHED,
    OrderType.TRAILING_STOP_MARKET,
)
"""Types that execute at any price, once they execute."""

# Members under names of their own: Python 3.11 takes a tenth of a microsecond to find one on its class.
_BUY: Final = OrderSide.BUY
_ACCEPTED: Final = OrderStatus.ACCEPTED
_PARTIALLY_FILLED: Final = OrderStatus.PARTIALLY_FILLED
_FILLED: Final = OrderStatus.FILLED
_BEFORE_FILLS: Final = (OrderStatus.SUBMITTED, OrderStatus.ACCEPTED, OrderStatus.TRIGGERED)
_PENDING: Final = (OrderStatus.PENDING_UPDATE, OrderStatus.PENDING_CANCEL)


class Order(msgspec.Struct, eq=False, gc=False):
    """One order. Raw integers are at `price_precision` and `size_precision`, the instrument's own when it is on grid.

    Attributes:
        display_raw: what an iceberg shows at a time; None shows all.
        trailing_offset, limit_offset: distances of a trailing stop, in units of `trailing_offset_type`.
        activation_raw: the price at which a trailing stop begins to follow; None = at once.
        emulation_trigger: held locally until that price reaches it; `trigger_instrument_id`: that of another one.
        exec_algorithm_id, exec_algorithm_params: who works the order, and how; `exec_spawn_id`: the order that a child
            of an algorithm was cut from.
        contingency_type, parent_order_id, linked_order_ids: how it depends on other orders of its list.
        position_id: the position that it works on, under hedging.
        overfill_raw: what a venue filled beyond the quantity, where that is allowed.
        acceptance: its place in the order in which venues accepted orders, from 1; 0 before.
        fill_value_raw: sum of last_qty x last_px over the fills; divided by `filled_raw` it is `avg_px`.
        is_buy: whether `side` is BUY, as the plain flag that is asked for most.
        before_pending: the status to go back to when a pending change ends.
        code, message: why it was denied, rejected or canceled; empty otherwise.
    """

    client_order_id: str
    strategy_id: str
    instrument_id: str
    side: OrderSide
    type: OrderType
    quantity_raw: int
    size_precision: int
    price_raw: int | None
    trigger_raw: int | None
    price_precision: int
    ts_init_ns: int
    time_in_force: TimeInForce = TimeInForce.GTC
    expire_ns: int | None = None
    post_only: bool = False
    reduce_only: bool = False
    quote_quantity: bool = False
    trigger_type: TriggerType = TriggerType.DEFAULT
    position_id: str | None = None
    tags: tuple[str, ...] = ()
    display_raw: int | None = None
    trailing_offset: Rate | None = None
    trailing_offset_type: TrailingOffsetType = TrailingOffsetType.PRICE
    limit_offset: Rate | None = None
    activation_raw: int | None = None
    emulation_trigger: TriggerType | None = None
    trigger_instrument_id: str | None = None
    exec_algorithm_id: str | None = None
    exec_algorithm_params: Mapping[str, Any] | None = None
    exec_spawn_id: str | None = None
    contingency_type: ContingencyType | None = None
    parent_order_id: str | None = None
    linked_order_ids: tuple[str, ...] = ()
    order_list_id: str | None = None
    status: OrderStatus = OrderStatus.INITIALIZED
    before_pending: OrderStatus = OrderStatus.INITIALIZED
    filled_raw: int = 0
    fill_value_raw: int = 0
    overfill_raw: int = 0
    last_qty_raw: int = 0
    last_px_raw: int = 0
    venue_order_id: str = ""
    ts_accepted_ns: int = 0
    acceptance: int = 0
    ts_last_ns: int = 0
    code: str = ""
    message: str = ""
    is_buy: bool = False

    def __post_init__(self) -> None:
        self.is_buy = self.side is _BUY
        self.ts_last_ns = self.ts_last_ns or self.ts_init_ns  # kept where an order is read anew in mid-life

    def __repr__(self) -> str:
        at = "" if self.price_raw is None else f" @ {self.price}"
        what = f"{self.side} {self.quantity} {self.instrument_id} {self.type}{at}"
        return f"Order({self.client_order_id} {what} {self.status})"

    @property
    def quantity(self) -> Quantity:
        """What was asked for."""
        return Quantity(self.quantity_raw, self.size_precision)

    @property
    def filled_qty(self) -> Quantity:
        """What has been filled (FIX: CumQty)."""
        return Quantity(self.filled_raw, self.size_precision)

    @property
    def leaves_raw(self) -> int:
        """What is still to fill, raw."""
        return self.quantity_raw - self.filled_raw + self.overfill_raw

    @property
    def leaves_qty(self) -> Quantity:
        """What is still to fill (FIX: LeavesQty)."""
        return Quantity(self.leaves_raw, self.size_precision)

    @property
    def price(self) -> Price | None:
        """The limit, where it has one."""
        return None if self.price_raw is None else Price(self.price_raw, self.price_precision)

    @property
    def trigger_price(self) -> Price | None:
        """The trigger of a stop, where it has one."""
        return None if self.trigger_raw is None else Price(self.trigger_raw, self.price_precision)

    @property
    def avg_px(self) -> Decimal | None:
        """Quantity-weighted average of its fills, None before the first."""
        if self.filled_raw == 0:
            return None
        return decimal_quotient(self.fill_value_raw, self.filled_raw, self.price_precision)

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is expected of it."""
        return self.status in CLOSED

    @property
    def is_open(self) -> bool:
        """Whether it works at the venue."""
        return self.status not in CLOSED and bool(self.venue_order_id)

    def move(self, target: OrderStatus, ts_ns: int) -> None:
        """Go to `target`. Raises `InvalidOrderTransitionError`, and stays, where the table does not allow it."""
        status = self.status
        if target not in SUCCESSORS[status._value_]:
            raise InvalidOrderTransitionError(self.client_order_id, status, target)
        if target in _PENDING and status not in _PENDING:
            self.before_pending = status
        self.status = target
        self.ts_last_ns = ts_ns

    def accept(self, venue_order_id: str, acceptance: int, ts_ns: int) -> None:
        """A venue takes it, as its `acceptance`-th order. Raises `InvalidOrderTransitionError` as `move` does."""
        self.move(_ACCEPTED, ts_ns)
        self.venue_order_id = venue_order_id
        self.acceptance = acceptance
        self.ts_accepted_ns = ts_ns

    def settle_pending(self, ts_ns: int) -> None:
        """A pending change ended: back to the status before it, or to what fills have made of it since."""
        if self.status in _PENDING:
            back = self.before_pending
            filled = self.filled_raw > 0 and back in _BEFORE_FILLS
            self.status = _PARTIALLY_FILLED if filled else back
        self.ts_last_ns = ts_ns

    def fill(self, qty_raw: int, px_raw: int, ts_ns: int, *, allow_overfill: bool = False) -> None:
        """Apply one fill. Raises `InvalidOrderTransitionError` where the status or the leaves do not allow it.

        With `allow_overfill` a fill beyond the leaves is a fact: leaves are 0, the excess is kept in `overfill_raw`.
        """
        status, filled, quantity = self.status, self.filled_raw + qty_raw, self.quantity_raw
        if qty_raw <= 0 or (filled > quantity and not allow_overfill):
            raise InvalidOrderTransitionError(self.client_order_id, status, f"a fill of {qty_raw} raw")
        target = _FILLED if filled >= quantity else _PARTIALLY_FILLED
        if target not in SUCCESSORS[status._value_]:
            raise InvalidOrderTransitionError(self.client_order_id, status, target)
        if target is _FILLED or not (status in _PENDING or status in CLOSED):
            self.status = target
        self.filled_raw = filled
        if filled > quantity:
            self.overfill_raw = filled - quantity
        self.fill_value_raw += qty_raw * px_raw
        self.last_qty_raw = qty_raw
        self.last_px_raw = px_raw
        self.ts_last_ns = ts_ns
