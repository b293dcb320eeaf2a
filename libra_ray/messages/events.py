"""What has happened: immutable, past tense, in order of birth.

Numbers are raw integers with their scales beside them; the properties without `_raw` give `Price`, `Quantity` and
`Money`. Encoded as msgpack arrays `[kind, field...]` these same objects are what `run_hash` is made of, so a field
here is a promise: no host, epoch, sequence of the bus or wall time.
"""

from typing import TypeAlias

import msgspec

from libra_ray.model.enums import LiquiditySide, OrderSide, OrderStatus, OrderType, TimeInForce, TradingState
from libra_ray.model.numbers import Currency, Money, Price, Quantity

__all__ = [
    "AccountBooked",
    "ComponentStateChanged",
    "InstrumentHalted",
    "MarginCall",
    "OrderAccepted",
    "OrderCancelRejected",
    "OrderCanceled",
    "OrderDenied",
    "OrderEmulated",
    "OrderEvent",
    "OrderExpired",
    "OrderFilled",
    "OrderInitialized",
    "OrderModifyRejected",
    "OrderPendingCancel",
    "OrderPendingUpdate",
    "OrderRejected",
    "OrderReleased",
    "OrderSubmitted",
    "OrderTriggered",
    "OrderUpdated",
    "PositionChanged",
    "PositionClosed",
    "PositionEvent",
    "PositionOpened",
    "TradingStateChanged",
]


class ComponentStateChanged(msgspec.Struct, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """An actor's lifecycle moved, or a step of it failed."""

    actor_id: str
    from_state: str
    to_state: str
    trigger: str
    ts_ns: int
    epoch: int
    reason: str


class OrderEvent(msgspec.Struct, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """What all order events begin with. `target` is the status it leads to, where it leads to one."""

    ts_ns: int
    strategy_id: str
    instrument_id: str
    client_order_id: str


class OrderInitialized(OrderEvent, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """A strategy made an order; nobody else has seen it yet. `more`: terms that few orders have, by name, as text."""

    side: OrderSide
    type: OrderType
    quantity_raw: int
    size_precision: int
    price_raw: int | None
    trigger_raw: int | None
    price_precision: int
    time_in_force: TimeInForce
    expire_ns: int | None
    post_only: bool
    reduce_only: bool
    quote_quantity: bool
    more: tuple[tuple[str, str], ...] = ()


class OrderDenied(OrderEvent, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """Refused by us: a code of the risk engine and a sentence for people."""

    code: str
    message: str


class OrderEmulated(OrderEvent, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """Held locally by the order emulator; nothing is at the venue."""


class OrderReleased(OrderEvent, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """The order emulator lets it go: the price that hit its trigger, at the order's price decimals."""

    released_px_raw: int


class OrderSubmitted(OrderEvent, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """On its way to the venue."""


class OrderAccepted(OrderEvent, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """Working at the venue."""

    venue_order_id: str


class OrderRejected(OrderEvent, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """Refused by the venue."""

    code: str
    message: str


class OrderCanceled(OrderEvent, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """No longer working. `code` says why, and is empty where the strategy asked for it."""

    code: str


class OrderExpired(OrderEvent, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """Its time in force ended."""


class OrderTriggered(OrderEvent, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """A stop-limit order's stop was hit; it is a limit order now."""


class OrderUpdated(OrderEvent, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """Quantity, price or trigger changed; a field that did not is None."""

    quantity_raw: int | None
    price_raw: int | None
    trigger_raw: int | None


class OrderPendingUpdate(OrderEvent, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """A modification is on its way to the venue."""


class OrderPendingCancel(OrderEvent, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """A cancel is on its way to the venue."""


class OrderModifyRejected(OrderEvent, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """A modification was refused, by us or by the venue; the order is as it was."""

    code: str


class OrderCancelRejected(OrderEvent, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """A cancel was refused; the order is as it was."""

    code: str


class OrderFilled(OrderEvent, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """One fill. `commission_raw` > 0 was paid, < 0 was received, in `commission_currency`."""

    venue_order_id: str
    trade_id: str
    position_id: str
    side: OrderSide
    last_qty_raw: int
    size_precision: int
    last_px_raw: int
    price_precision: int
    liquidity: LiquiditySide
    commission_raw: int
    commission_currency: str
    commission_precision: int

    @property
    def last_qty(self) -> Quantity:
        """Quantity of this fill."""
        return Quantity(self.last_qty_raw, self.size_precision)

    @property
    def last_px(self) -> Price:
        """Price of this fill."""
        return Price(self.last_px_raw, self.price_precision)

    @property
    def commission(self) -> Money:
        """What the fill cost."""
        return Money(self.commission_raw, Currency(self.commission_currency, self.commission_precision))

    @property
    def is_buy(self) -> bool:
        """Whether the order bought."""
        return self.side is OrderSide.BUY


class PositionEvent(msgspec.Struct, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """What all position events carry.

    Attributes:
        quantity_raw: signed net quantity after the event.
        open_value_raw: sum of quantity x price of what is open; decimals are price plus size precision (inverse: 12).
        pnl_raw: profit of the reduction that this event reports, before commissions, in `currency`.
        realized_raw: profit of this position's life so far, less commissions in `currency`.
    """

    ts_ns: int
    strategy_id: str
    instrument_id: str
    position_id: str
    client_order_id: str
    quantity_raw: int
    size_precision: int
    open_value_raw: int
    pnl_raw: int
    realized_raw: int
    currency: str
    currency_precision: int

    @property
    def realized_pnl(self) -> Money:
        """Profit of this position's life so far, less commissions."""
        return Money(self.realized_raw, Currency(self.currency, self.currency_precision))


class PositionOpened(PositionEvent, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """A position came to be."""


class PositionChanged(PositionEvent, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """A position grew or shrank."""


class PositionClosed(PositionEvent, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """A position is flat."""


class AccountBooked(msgspec.Struct, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """One change of an account's total, rounded once; `instrument_id` is empty for deposits.

    `kind`: DEPOSIT, TRADE, PNL, FEE, FUNDING, SETTLEMENT, LIQUIDATION_FEE, ROLLOVER.
    """

    ts_ns: int
    account_id: str
    kind: str
    currency: str
    precision: int
    amount_raw: int
    total_raw: int
    instrument_id: str = ""


class MarginCall(msgspec.Struct, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """Equity has fallen to the margin that is held back, both in `currency`; sent once, until it is above again."""

    ts_ns: int
    account_id: str
    currency: str
    precision: int
    equity_raw: int
    locked_raw: int


class InstrumentHalted(msgspec.Struct, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """A venue reported what cannot be, and no more orders for the instrument pass until a person has looked.

    `code`: ILLEGAL_TRANSITION, FILL_CONFLICT (a trade id again with other content), OVERFILL, UNKNOWN_ORDER.
    """

    ts_ns: int
    instrument_id: str
    client_order_id: str
    code: str
    message: str


class TradingStateChanged(msgspec.Struct, frozen=True, array_like=True, tag_field="event", tag=True, gc=False):
    """The risk engine lets other things through than before."""

    ts_ns: int
    from_state: TradingState
    to_state: TradingState
    reason: str


TARGET_STATUS: dict[type[OrderEvent], OrderStatus] = {
    OrderDenied: OrderStatus.DENIED,
    OrderEmulated: OrderStatus.EMULATED,
    OrderReleased: OrderStatus.RELEASED,
    OrderSubmitted: OrderStatus.SUBMITTED,
    OrderAccepted: OrderStatus.ACCEPTED,
    OrderRejected: OrderStatus.REJECTED,
    OrderCanceled: OrderStatus.CANCELED,
    OrderExpired: OrderStatus.EXPIRED,
    OrderTriggered: OrderStatus.TRIGGERED,
    OrderPendingUpdate: OrderStatus.PENDING_UPDATE,
    OrderPendingCancel: OrderStatus.PENDING_CANCEL,
}

AnyEvent: TypeAlias = (
    OrderEvent
    | PositionEvent
    | AccountBooked
    | MarginCall
    | InstrumentHalted
    | TradingStateChanged
    | ComponentStateChanged
)
