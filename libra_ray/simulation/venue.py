"""The simulated venue: takes orders and changes, and says what arrives executes, waits or is refused."""

from heapq import heappop

from libra_ray.messages.commands import ModifyOrder
from libra_ray.messages.events import (
    OrderCancelRejected,
    OrderExpired,
    OrderModifyRejected,
    OrderUpdated,
)
from libra_ray.model.enums import (
    InstrumentKind,
    OrderType,
)
from libra_ray.model.orders import Order
from libra_ray.simulation.market import Market, Working
from libra_ray.simulation.steps import Steps

__all__ = ["SimulatedVenue"]


class SimulatedVenue(Steps):
    """One venue with all its instruments. Ids count up from 1 in the order of birth."""

    # ------------------------------------------------------------------ commands

    def submit(self, order: Order, ts_ns: int) -> None:
        """An order arrives."""
        self._now_ns = ts_ns
        self._orders_seen += 1
        order.venue_order_id = f"V-{self.settings.name}-{self._orders_seen}"
        market = self.markets[order.instrument_id]
        code = self._refusal_on_arrival(order) if order.reduce_only or self._is_cash else None
        if code is not None:
            self._reject(order, code)
            return
        working = Working(order, self._next_priority())
        if order.type is OrderType.MARKET:
            if market.rows.bid_ask() is None:
                self._reject(order, "NO_MARKET")
            elif self._holds(market):
                self._accept(order)
                self._hold(market, working)
            elif market.stand_at_latest().opposite(is_buy=order.is_buy).px is None:
                self._reject(order, "NO_MARKET")
            else:
                self._execute_taker(market, working, None)
            return
        market.stand_at_latest()
        if order.type is OrderType.LIMIT:
            self._submit_limit(market, working)
        else:
            self._submit_stop(market, working)

    def modify(self, command: ModifyOrder) -> None:
        """A change arrives."""
        self._now_ns = command.ts_ns
        order = command.order
        market = self.markets[order.instrument_id]
        working = market.working.get(order.client_order_id)
        code = "ORDER_CLOSED" if working is None else self._modify_refusal(market, working, command)
        if code is not None or working is None:
            self._report(OrderModifyRejected(*self._head(order), code or "ORDER_CLOSED"))
            return
        moves = (command.price_raw is not None and command.price_raw != order.price_raw) or (
            command.trigger_raw is not None and command.trigger_raw != order.trigger_raw
        )
        loses_priority = moves or (command.quantity_raw is not None and command.quantity_raw > order.quantity_raw)
        changed = (
            None if command.quantity_raw == order.quantity_raw else command.quantity_raw,
            None if command.price_raw == order.price_raw else command.price_raw,
            None if command.trigger_raw == order.trigger_raw else command.trigger_raw,
        )
        self._report(OrderUpdated(*self._head(order), *changed))
        if loses_priority:
            working.seq = self._next_priority()
        market.changed()
        if order.reduce_only:
            self._follow_position(market)
        if moves and not working.pending:
            self._act_after_change(market, working)

    def cancel(self, order: Order, ts_ns: int) -> None:
        """A cancel arrives."""
        self._now_ns = ts_ns
        market = self.markets[order.instrument_id]
        working = market.working.get(order.client_order_id)
        if working is None:
            code = "ORDER_CLOSED" if order.venue_order_id else "UNKNOWN_ORDER"
            self._report(OrderCancelRejected(*self._head(order), code))
        else:
            self._cancel(market, working, "")

    # ------------------------------------------------------------------ time

    @property
    def next_expiry_ns(self) -> int | None:
        """When the next GTD order that still works expires."""
        while self.expiries and self.expiries[0][2].order.is_closed:
            heappop(self.expiries)
        return self.expiries[0][0] if self.expiries else None

    def expire(self, ts_ns: int) -> None:
        """GTD orders with `expire_time` up to `ts_ns` end, by expire time and acceptance, each stamped with its own."""
        while (due_ns := self.next_expiry_ns) is not None and due_ns <= ts_ns:
            working = heappop(self.expiries)[2]
            self._now_ns = due_ns
            market = self.markets[working.order.instrument_id]
            self._drop(market, working)
            self._report(OrderExpired(*self._head(working.order)))

    # ------------------------------------------------------------------ arrival

    def _refusal_on_arrival(self, order: Order) -> str | None:
        position = self._portfolio.open.get((order.instrument_id, order.strategy_id))
        held = 0 if position is None else position.quantity_raw
        if order.reduce_only:
            if held == 0 or (held > 0) == order.is_buy:
                return "REDUCE_ONLY_NO_POSITION"
            if order.leaves_raw > abs(held):
                self._report(OrderUpdated(*self._head(order), order.filled_raw + abs(held), None, None))
        if self._is_cash and not order.is_buy and not self.settings.allow_borrowing:
            kind = self._portfolio.cache.instruments[order.instrument_id].kind
            if kind is not InstrumentKind.PAIR and order.quantity_raw > max(held, 0):
                return "SHORT_NOT_ALLOWED"
        return None

    def _submit_limit(self, market: Market, working: Working) -> None:
        order = working.order
        is_marketable = market.book.is_marketable(working.price, is_buy=order.is_buy)
        if order.post_only and is_marketable:
            self._reject(order, "POST_ONLY_WOULD_TAKE")
            return
        self._accept(order)
        if not is_marketable:
            self._rest(market, working)
        elif self._holds(market):
            self._hold(market, working)
        else:
            self._execute_taker(market, working, working.price)

    def _submit_stop(self, market: Market, working: Working) -> None:
        order = working.order
        is_hit = market.stop_is_hit(order, working.trigger)
        if is_hit and self.settings.reject_stop_orders:
            self._reject(order, "STOP_IN_MARKET")
            return
        self._accept(order)
        if not is_hit:
            self._wait(market, working)
        elif self._holds(market):
            self._hold(market, working)
        else:
            self._trigger(market, working)

    def _modify_refusal(self, market: Market, working: Working, command: ModifyOrder) -> str | None:
        order = working.order
        book = market.stand_at_latest()
        if command.quantity_raw is not None and command.quantity_raw <= order.filled_raw:
            return "QUANTITY_FILLED"
        if working.waits:
            trigger = command.trigger_raw if command.trigger_raw is not None else working.trigger
            if self.settings.reject_stop_orders and market.stop_is_hit(order, trigger):
                return "STOP_IN_MARKET"
            return None
        asked = command.price_raw
        would_take = asked is not None and book.is_marketable(asked, is_buy=order.is_buy)
        return "POST_ONLY_WOULD_TAKE" if order.post_only and would_take else None

    def _act_after_change(self, market: Market, working: Working) -> None:
        """What became marketable, or was hit, by a change acts as if it arrived now."""
        order = working.order
        if working.waits:
            acts = market.stop_is_hit(order, working.trigger)
        else:
            acts = market.book.is_marketable(working.price, is_buy=order.is_buy)
        if not acts:
            return
        if self._holds(market):
            self._hold(market, working)
        elif working.waits:
            self._trigger(market, working)
        else:
            self._execute_taker(market, working, working.price)
