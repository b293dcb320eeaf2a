"""From the core's arrays to what the event engine leaves behind: events, orders, positions, money, samples of equity.

Positions and bookings are folded from the fills once more, by the portfolio itself.
"""

from itertools import repeat
from typing import Final

from libra_ray.kernel import TradingKernel
from libra_ray.matching.core.layout import (
    ACCEPTANCE,
    BY_FUNDS,
    BY_PRICE,
    BY_RATE,
    CANCEL_REFUSED,
    CANCELLATION,
    DENIAL,
    EVENTS,
    FILL,
    LIMIT,
    MADE,
    ORDERS,
    REJECTION,
    SAMPLES,
    STOP,
    UPDATE,
    VENUE_NO,
    Ledger,
)
from libra_ray.messages.events import (
    AnyEvent,
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderDenied,
    OrderFilled,
    OrderInitialized,
    OrderRejected,
    OrderUpdated,
)
from libra_ray.model.enums import LiquiditySide, OrderSide, OrderStatus, OrderType
from libra_ray.model.instruments import Instrument
from libra_ray.model.orders import Order
from libra_ray.risk.checks import funds_refusal, rate_refusal
from libra_ray.risk.grid import check_prices, check_quantity

__all__ = ["CODES", "STATUSES", "TYPES", "denial", "order_of", "rejection_message", "retell"]

CODES: Final = (
    "", "PRICE", "QUANTITY", "INSUFFICIENT_MARGIN", "ORDER_RATE_EXCEEDED", "POST_ONLY_WOULD_TAKE", "STOP_IN_MARKET",
    "REDUCE_ONLY_NO_POSITION", "REDUCE_ONLY_FLAT", "ORDER_CLOSED",
)  # fmt: skip
"""By the core's number of a code; those of prices and quantities depend on the order."""
STATUSES: Final = (
    OrderStatus.INITIALIZED, OrderStatus.DENIED, OrderStatus.SUBMITTED, OrderStatus.ACCEPTED,
    OrderStatus.PARTIALLY_FILLED, OrderStatus.REJECTED, OrderStatus.CANCELED, OrderStatus.FILLED,
)  # fmt: skip
TYPES: Final = (OrderType.MARKET, OrderType.LIMIT, OrderType.STOP_MARKET)


def retell(kernel: TradingKernel, ledger: Ledger, instrument_id: str, rate: tuple[int, int]) -> None:
    """Fill a started kernel's record and portfolio, which have seen nothing but the deposits.

    `rate`: how many orders may pass in how many nanoseconds.
    """
    story = _Story(kernel, instrument_id, rate)
    numbers = ledger.now
    for row in ledger.orders[: numbers[ORDERS]].tolist():
        story.order(row)
    for kind, ts_ns, order, *values in ledger.events[: numbers[EVENTS]].tolist():
        story.event(kind, ts_ns, order, values)
    for order, row in zip(story.orders, ledger.orders[: numbers[ORDERS]].tolist(), strict=True):
        story.finish(order, row)
    kernel.record.orders.extend(story.orders)
    kernel.record.equity.extend(
        (ts_ns, venue, balance, equity)
        for venue, (ts_ns, balance, equity) in zip(
            repeat(story.instrument.venue), ledger.samples[: numbers[SAMPLES]].tolist(), strict=False
        )
    )


def order_of(row: list[int], number: int, strategy_id: str, instrument: Instrument) -> Order:
    """The order of a row, as its strategy made it; `number` from 0."""
    side, kind, _, quantity, px, flag, _, _, _, ts_ns = row[:10]
    is_limit, is_stop, has_flag = kind == int(LIMIT), kind == int(STOP), flag != 0
    return Order(
        f"{strategy_id}-{number + 1}", strategy_id, instrument.id, OrderSide.BUY if side > 0 else OrderSide.SELL,
        TYPES[kind], quantity, instrument.size_precision, px if is_limit else None, px if is_stop else None,
        instrument.price_precision, ts_ns, post_only=is_limit and has_flag, reduce_only=has_flag and not is_limit,
    )  # fmt: skip


class _Story:
    """One run being told again."""

    def __init__(self, kernel: TradingKernel, instrument_id: str, rate: tuple[int, int]) -> None:
        self._kernel, self._rate = kernel, rate
        self.instrument: Instrument = kernel.cache.instruments[instrument_id]
        self._strategy_id = kernel.strategies[0].actor_id
        self._position_id = kernel.portfolio.netting_ids[instrument_id, self._strategy_id]
        self._fee_unit = kernel.portfolio.terms[instrument_id].fee_unit
        self._events: list[AnyEvent] = kernel.record.events
        self.orders: list[Order] = []
        self._numbers: list[int] = []
        self._acceptances = 0

    def order(self, row: list[int]) -> None:
        """An order as its strategy made it."""
        made = order_of(row, len(self.orders), self._strategy_id, self.instrument)
        self._kernel.cache.orders[made.client_order_id] = made
        self.orders.append(made)
        self._numbers.append(row[VENUE_NO])

    def event(self, kind: int, ts_ns: int, number: int, values: list[int]) -> None:
        """One event; what a fill leads to follows from it."""
        if kind > CANCEL_REFUSED:
            return
        order = self.orders[number]
        head = (ts_ns, self._strategy_id, self.instrument.id, order.client_order_id)
        if kind == FILL:
            self._fill(number, head, values)
            return
        code = values[0]
        made: AnyEvent
        if kind == MADE:
            made = self._initialized(order, head)
        elif kind == ACCEPTANCE:
            self._acceptances += 1
            order.acceptance = self._acceptances
            made = OrderAccepted(*head, self._venue_id(self._numbers[number]))
        elif kind == DENIAL:
            made = OrderDenied(*head, *denial(self.instrument, order, code, self._rate))
        elif kind == REJECTION:
            made = OrderRejected(*head, CODES[code], rejection_message(self.instrument, code))
        elif kind == CANCELLATION:
            made = OrderCanceled(*head, CODES[code])
        elif kind == UPDATE:
            made = OrderUpdated(*head, values[0], None, None)
        else:
            made = OrderCancelRejected(*head, CODES[code])
        self._events.append(made)

    def finish(self, order: Order, row: list[int]) -> None:
        """What has become of an order."""
        (_, _, quantity, _, _, _, status, filled, value, _, ts_last, ts_accepted, _, number, code, _, _, _, last_qty,
         last_px) = row  # fmt: skip
        order.quantity_raw, order.filled_raw, order.fill_value_raw = quantity, filled, value
        order.status, order.ts_last_ns, order.ts_accepted_ns = STATUSES[status], ts_last, ts_accepted
        order.last_qty_raw, order.last_px_raw = last_qty, last_px
        order.venue_order_id = self._venue_id(number) if number else ""
        if order.status is OrderStatus.DENIED:
            order.code, order.message = denial(self.instrument, order, code, self._rate)
        else:
            order.code = CODES[code]
            order.message = rejection_message(self.instrument, code) if order.status is OrderStatus.REJECTED else ""

    def _venue_id(self, number: int) -> str:
        return f"V-{self.instrument.venue}-{number}"

    @staticmethod
    def _initialized(order: Order, head: tuple[int, str, str, str]) -> OrderInitialized:
        return OrderInitialized(
            *head, order.side, order.type, order.quantity_raw, order.size_precision, order.price_raw,
            order.trigger_raw, order.price_precision, order.time_in_force, order.expire_ns, order.post_only,
            order.reduce_only, order.quote_quantity,
        )  # fmt: skip

    def _fill(self, order_no: int, head: tuple[int, str, str, str], values: list[int]) -> None:
        instrument, unit, order = self.instrument, self._fee_unit, self.orders[order_no]
        quantity, px, is_taker, fee, trade_no = values[:5]
        fill = OrderFilled(
            *head, self._venue_id(self._numbers[order_no]), f"T-{instrument.venue}-{trade_no}",
            self._position_id, order.side, quantity, instrument.size_precision, px, instrument.price_precision,
            LiquiditySide.TAKER if is_taker else LiquiditySide.MAKER, fee, unit.code, unit.precision,
        )  # fmt: skip
        self._events += (fill, *self._kernel.portfolio.on_fill(fill))


def denial(instrument: Instrument, order: Order, code: int, rate: tuple[int, int]) -> tuple[str, str]:
    """Code and message of a denial, by the check that denied it."""
    if code == BY_PRICE:
        refusal = check_prices(instrument, order)
    elif code == BY_FUNDS:
        refusal = funds_refusal(CODES[code], order, instrument)
    elif code == BY_RATE:
        refusal = rate_refusal(*rate, "risk")
    else:
        refusal = check_quantity(instrument, order.quantity_raw, order.size_precision)
    assert refusal is not None  # noqa: S101  # the core denied it by the same check
    return refusal.code, refusal.message


def rejection_message(instrument: Instrument, code: int) -> str:
    """As the venue words it."""
    return f"rejected by {instrument.venue}: {CODES[code]}"
