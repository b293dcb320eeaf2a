"""The risk engine: an actor that every order and modification passes before anything reaches a venue."""

from collections.abc import Callable
from fractions import Fraction
from math import ceil
from typing import TypeAlias

from libra_ray.bus import Throttler
from libra_ray.messages.commands import Command, ModifyOrder, SetTradingState, SubmitOrder, SubmitOrderList
from libra_ray.messages.events import OrderDenied, OrderEvent, OrderModifyRejected, TradingStateChanged
from libra_ray.model.enums import OrderStatus, TimeInForce, TradingState
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import decimal_text
from libra_ray.model.orders import Order
from libra_ray.model.views import CacheView, FundsView, PortfolioView
from libra_ray.risk.exposure import Exposure
from libra_ray.risk.form import (
    Refusal,
    check_form,
    check_notional,
    check_price,
    check_quantity,
    exact_notional,
    unknown_instrument,
)
from libra_ray.risk.limits import RiskLimits
from libra_ray.runtime import Actor

__all__ = ["RiskEngine"]

Report: TypeAlias = Callable[[Order, OrderEvent], None]
Forward: TypeAlias = Callable[[Command], None]


class RiskEngine(Actor):
    """Checks in a fixed order; the first failure is the denial. A denied order uses none of the rate."""

    def wire(
        self,
        cache: CacheView,
        portfolio: PortfolioView,
        funds: dict[str, FundsView],
        limits: RiskLimits,
        *,
        take: Callable[[Order], None],
        report: Report,
        forward: Forward,
        announce: Callable[[TradingStateChanged], None],
    ) -> None:
        """Give it what it looks at and where its answers go. Called once by the kernel, before start."""
        self._cache, self._portfolio, self._funds = cache, portfolio, funds
        self._limits = limits
        self._take, self._report, self._forward, self._announce = take, report, forward, announce
        self._exposure = Exposure(cache, portfolio, funds)
        self._order_rate: Throttler[None] = Throttler(limits.order_limit, limits.order_interval_ns)
        self._modify_rate: Throttler[None] = Throttler(limits.modify_limit, limits.modify_interval_ns)
        self._has_limits = bool(limits.open_orders or limits.position or limits.exposure)
        self.trading_state = limits.trading_state
        self.denied_count = 0

    # ------------------------------------------------------------------ commands

    def execute(self, command: Command) -> None:
        """Endpoint `RiskEngine.execute`."""
        if type(command) is SubmitOrder:
            self.submit(command)
        elif type(command) is SubmitOrderList:
            self.submit_list(command)
        elif type(command) is ModifyOrder:
            self.modify(command)
        elif type(command) is SetTradingState:
            self.set_state(TradingState(command.state), command.reason, command.ts_ns)
        else:
            self._forward(command)

    def submit(self, command: SubmitOrder) -> None:
        """Check an order; forward it, or report `OrderDenied`."""
        order, now_ns = command.order, command.ts_ns
        self._take(order)
        refusal = self.check(order, now_ns)
        if refusal is None:
            self._forward(command)
            return
        self.denied_count += 1
        denied = OrderDenied(
            now_ns, order.strategy_id, order.instrument_id, order.client_order_id, refusal.code, refusal.message
        )
        self._report(order, denied)

    def submit_list(self, command: SubmitOrderList) -> None:
        """Check the orders of a list in order; forward it whole, or report `OrderDenied` of all."""
        for order in command.orders:
            self._take(order)
        found = next(((order, refusal) for order in command.orders if (refusal := self.check(order, command.ts_ns))), None)
        if found is None:
            self._forward(command)
            return
        for order in command.orders:
            code, text = found[1] if order is found[0] else ("LIST_DENIED", "ORD017 another order of its list is denied.")
            self.denied_count += 1
            head = (command.ts_ns, order.strategy_id, order.instrument_id, order.client_order_id)
            self._report(order, OrderDenied(*head, code, text))

    def modify(self, command: ModifyOrder) -> None:
        """Check a modification; forward it, or report `OrderModifyRejected`."""
        order = command.order
        code = self._modify_refusal(command)
        if code is None:
            self._forward(command)
        else:
            event = OrderModifyRejected(
                command.ts_ns, order.strategy_id, order.instrument_id, order.client_order_id, code
            )
            self._report(order, event)

    def set_state(self, state: TradingState, reason: str, ts_ns: int) -> None:
        """Move the trading state; the same state again does nothing."""
        if state is not self.trading_state:
            changed = TradingStateChanged(ts_ns, self.trading_state, state, reason)
            self.trading_state = state
            self._announce(changed)

    # ------------------------------------------------------------------ checks

    def check(self, order: Order, now_ns: int) -> Refusal | None:
        """All checks in the order of their numbers; None means the order may go."""
        if self.trading_state is TradingState.HALTED:
            return Refusal("TRADING_HALTED", "ORD010 trading is halted. Set it active first.")
        instrument = self._cache.instruments.get(order.instrument_id)
        if instrument is None:
            return unknown_instrument(order.instrument_id, list(self._cache.instruments))
        refusal = self._check_alone(order, instrument, now_ns)
        if refusal is not None:
            return refusal
        if self.trading_state is TradingState.REDUCING:
            refusal = self._exposure.check_reducing(order)
        if refusal is None and self._limits.price_collar is not None:
            refusal = self._exposure.check_collar(order, self._limits)
        if refusal is None and self._has_limits:
            refusal = self._exposure.check_limits(order, self._limits)
        if refusal is not None:
            return refusal
        code = self._funds[order.instrument_id].refusal([order])
        if code is not None:
            what = f"{order.quantity} {order.instrument_id}"
            text = f"ORD013 the account of {instrument.venue} cannot carry {what}. Lower the quantity."
            return Refusal(code, text)
        if not self._order_rate.allows(now_ns):
            limits = self._limits
            text = f"ORD014 {limits.order_limit} orders passed within {limits.order_interval_ns // 10**9} s, the limit."
            return Refusal("ORDER_RATE_EXCEEDED", f"{text} Send fewer or raise risk.max_order_rate.")
        return None

    def _check_alone(self, order: Order, instrument: Instrument, now_ns: int) -> Refusal | None:
        """Checks 2 to 7: the order without its surroundings."""
        begins, ends = instrument.activation_ns, instrument.expiration_ns
        if (begins is not None and now_ns < begins) or (ends is not None and now_ns >= ends):
            text = f"ORD004 instrument {instrument.id} is not active now. Trade it between activation and expiry."
            return Refusal("INSTRUMENT_NOT_ACTIVE", text)
        known = self._cache.orders.get(order.client_order_id)
        if known is not order or order.status not in (OrderStatus.INITIALIZED, OrderStatus.RELEASED):
            text = f"ORD015 client order id {order.client_order_id} is used already. Make a new order."
            return Refusal("DUPLICATE_CLIENT_ORDER_ID", text)
        refusal = check_form(order)
        if refusal is None and order.price_raw is not None:
            refusal = check_price(instrument, "price", order.price_raw, order.price_precision)
        if refusal is None and order.trigger_raw is not None:
            refusal = check_price(instrument, "trigger price", order.trigger_raw, order.price_precision)
        if refusal is None:
            refusal = check_quantity(instrument, order.quantity_raw, order.size_precision)
        if refusal is not None:
            return refusal
        if order.time_in_force is TimeInForce.GTD and order.expire_ns is not None and order.expire_ns <= now_ns:
            text = f"ORD016 expire time of the order for {instrument.id} is past. Give a later one."
            return Refusal("EXPIRE_TIME_PAST", text)
        return self._check_notional(order, instrument)

    def _check_notional(self, order: Order, instrument: Instrument) -> Refusal | None:
        """Check 7."""
        largest = self._limits.notional_per_order
        if instrument.min_notional_raw is None and instrument.max_notional_raw is None and not largest:
            return None
        px_raw = self._funds[order.instrument_id].order_px(order)
        if px_raw is None:
            return None
        refusal = check_notional(instrument, order, px_raw)
        amount = largest.get(instrument.id) or largest.get("")
        if refusal is not None or amount is None:
            return refusal
        worth = exact_notional(instrument, px_raw, order.quantity_raw)
        if worth <= Fraction(amount[0], 10 ** amount[1]):
            return None
        unit = instrument.settlement
        shown = f"{decimal_text(ceil(worth * 10**unit.precision), unit.precision)} {unit}"
        text = f"ORD002 notional {shown} for {instrument.id} is above the limit {decimal_text(*amount)} {unit}."
        return Refusal("NOTIONAL_ABOVE_MAX_PER_ORDER", f"{text} Lower it or raise risk.max_notional_per_order.")

    def _modify_refusal(self, command: ModifyOrder) -> str | None:
        order = command.order
        if order.is_closed:
            return "ORDER_CLOSED"
        if self.trading_state is TradingState.HALTED:
            return "TRADING_HALTED"
        size_precision = order.size_precision if command.size_precision is None else command.size_precision
        px_precision = order.price_precision if command.price_precision is None else command.price_precision
        asked = (
            (command.quantity_raw, order.quantity_raw, size_precision == order.size_precision),
            (command.price_raw, order.price_raw, px_precision == order.price_precision),
            (command.trigger_raw, order.trigger_raw, px_precision == order.price_precision),
        )
        if all(new is None or (new == old and is_same_scale) for new, old, is_same_scale in asked):
            return "NO_CHANGE"
        instrument = self._cache.instruments[order.instrument_id]
        refusal = None
        for name, px_raw in (("price", command.price_raw), ("trigger price", command.trigger_raw)):
            if px_raw is not None and refusal is None:
                refusal = check_price(instrument, name, px_raw, px_precision)
        if command.quantity_raw is not None and refusal is None:
            refusal = check_quantity(instrument, command.quantity_raw, size_precision)
        if refusal is not None:
            return refusal.code
        return None if self._modify_rate.allows(command.ts_ns) else "MODIFY_RATE_EXCEEDED"
