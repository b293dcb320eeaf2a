"""The simulated venue: takes orders, matches them against the rows of the market, reports what happens.

One row of data is one step (a bar: four). Waiting orders that a step reaches execute in price-time priority, resting
limits as makers at their own price, triggered and arriving ones as takers against the book. Each event is reported,
and so applied to positions and money, before the next one is made.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import TypeAlias

from libra_ray.kernel.settings import VenueSettings
from libra_ray.matching import L1Book
from libra_ray.messages.commands import ModifyOrder
from libra_ray.messages.events import (
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderModifyRejected,
    OrderRejected,
    OrderTriggered,
    OrderUpdated,
)
from libra_ray.messages.schemas import Bar, Row, Trade
from libra_ray.model.enums import (
    AggressorSide,
    InstrumentKind,
    LiquiditySide,
    OrderType,
    TimeInForce,
    TriggerType,
)
from libra_ray.model.orders import Order
from libra_ray.portfolio import Portfolio
from libra_ray.simulation.market import BAR_STEPS, Market, Working, bar_path, bar_sizes, is_market_type
from libra_ray.simulation.stream_state import StreamState

__all__ = ["SimulatedVenue"]

Report: TypeAlias = Callable[[OrderEvent], None]

_IMMEDIATE = (TimeInForce.IOC, TimeInForce.FOK)
_LAST = TriggerType.LAST_PRICE


class SimulatedVenue:
    """One venue with all its instruments. Ids count up from 1 in the order of birth.

    Attributes:
        markets: by instrument id.
        expiries: a heap of (expire_ns, seq, order) of GTD orders; closed ones are skipped when they surface.
    """

    def __init__(
        self, settings: VenueSettings, portfolio: Portfolio, markets: dict[str, Market], report: Report
    ) -> None:
        self.settings = settings
        self.markets = markets
        self.expiries: list[tuple[int, int, Working]] = []
        self._portfolio = portfolio
        self._report = report
        self._waits_for_open = settings.bar_fill == "next_open"
        self._is_cash = settings.account == "cash"
        self._is_adaptive = settings.bar_path == "adaptive"
        self._orders_seen = 0
        self._trades_made = 0
        self._priority = 0
        self._reduce_only_count = 0
        self._now_ns = 0
        self._position_ids: dict[tuple[str, str], str] = {}

    # ------------------------------------------------------------------ commands

    def submit(self, order: Order, ts_ns: int) -> None:
        """An order arrives."""
        self._now_ns = ts_ns
        self._orders_seen += 1
        order.venue_order_id = f"V-{self.settings.name}-{self._orders_seen}"
        market = self.markets[order.instrument_id]
        book = market.stand_at_latest()
        code = self._refusal_on_arrival(order) if order.reduce_only or self._is_cash else None
        if code is not None:
            self._reject(order, code)
            return
        working = Working(order, self._next_priority())
        if order.type is OrderType.MARKET:
            if book.opposite(is_buy=order.is_buy).px is None:
                self._reject(order, "NO_MARKET")
            elif self._holds(market):
                self._accept(order)
                self._hold(market, working)
            else:
                self._execute_taker(market, working, order.price_raw)
        elif order.type is OrderType.LIMIT:
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
        loses_priority = (
            (command.price_raw is not None and command.price_raw != order.price_raw)
            or (command.trigger_raw is not None and command.trigger_raw != order.trigger_raw)
            or (command.quantity_raw is not None and command.quantity_raw > order.quantity_raw)
        )
        changed = (
            None if command.quantity_raw == order.quantity_raw else command.quantity_raw,
            None if command.price_raw == order.price_raw else command.price_raw,
            None if command.trigger_raw == order.trigger_raw else command.trigger_raw,
        )
        self._report(OrderUpdated(*self._head(order), *changed))
        if loses_priority:
            working.seq = self._next_priority()
        market.changed()
        if not working.pending:
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

    # ------------------------------------------------------------------ rows

    def apply(self, state: StreamState, row: Row) -> None:
        """One row of the market, in hand of the cursor: match the orders that are there."""
        self._now_ns = row.ts_ns
        market = self.markets[row.spec.instrument_id]
        if isinstance(row, Bar):
            if state is market.bars:
                self._walk_bar(market, state, row)
            return
        if isinstance(row, Trade):
            if state.matches:
                self._match_trade(market, state, row)
            return
        market.stand_at_latest()
        if state.matches:
            self._match_quote(market)

    def _match_quote(self, market: Market) -> None:
        """Resting limits that the book has come to, stops that it has hit."""
        bid, ask = market.book.bids.px, market.book.asks.px
        if bid is None or ask is None:
            return
        reached: list[tuple[int, Working]] = []
        for working in market.working.values():
            order = working.order
            if working.waits:
                if order.trigger_type is not _LAST and market.stop_is_hit(order, working.trigger):
                    reached.append((working.trigger, working))
            elif working.price >= ask if order.is_buy else working.price <= bid:
                reached.append((working.price, working))
        for working in market.in_priority(reached):
            self._execute_reached(market, working)

    def _execute_reached(self, market: Market, working: Working) -> None:
        """A stop triggers against the book; a resting limit fills at its own price."""
        order = working.order
        if order.client_order_id not in market.working:
            return  # an execution before it in this step has ended it
        if working.waits:
            self._trigger(market, working)
            return
        book = market.book
        best = book.opposite(is_buy=order.is_buy).px
        is_through = best is not None and (best < working.price if order.is_buy else best > working.price)
        leaves = order.leaves_raw
        quantity = leaves if is_through else min(leaves, book.available(is_buy=order.is_buy))
        if quantity > 0 and self._fill(market, working, quantity, working.price, LiquiditySide.MAKER):
            book.use(quantity, is_buy=order.is_buy)
        self._after_execution(market, working)

    def _match_trade(self, market: Market, state: StreamState, trade: Trade) -> None:
        """Resting limits that the trade proves, then, where trades are the market, the book, then stops."""
        is_source = market.quotes is None or market.quotes.cursor.index < 0
        px, left = trade.price_raw, trade.qty_raw
        reached = [(w.price, w) for w in market.working.values() if not w.waits and _is_reached(w, trade)]
        for working in market.in_priority(reached):
            order = working.order
            if order.client_order_id not in market.working:
                continue
            leaves = order.leaves_raw
            is_through = working.price > px if order.is_buy else working.price < px
            quantity = leaves if is_through else min(leaves, left)
            if quantity > 0 and self._fill(market, working, quantity, working.price, LiquiditySide.MAKER):
                left = max(left - quantity, 0)
            self._after_execution(market, working)
        if is_source:
            market.source = "trades"
            market.stands_at_row_in_hand(state.cursor.index)
            market.book.reset(px, left)
        else:
            market.stand_at_latest()
        hit: list[tuple[int, Working]] = []
        for working in market.working.values():
            looks_here = working.waits and (is_source or working.order.trigger_type is _LAST)
            if looks_here and market.stop_is_hit(working.order, working.trigger, trade_px=px):
                hit.append((working.trigger, working))
        for working in market.in_priority(hit):
            if working.order.client_order_id in market.working:
                self._trigger(market, working)

    # ------------------------------------------------------------------ bars

    def _walk_bar(self, market: Market, state: StreamState, bar: Bar) -> None:
        """The four steps of a bar: what is pending executes at the open, the rest along the path."""
        market.source = "bars"
        market.stands_at_row_in_hand(state.cursor.index)
        prices = bar_path(bar, adaptive=self._is_adaptive)
        sizes = bar_sizes(bar.volume_raw, market.instrument.step_raw)
        book, rows = market.book, market.rows
        for step in range(BAR_STEPS):
            if not market.working:
                break
            px, size = prices[step], sizes[step]
            book.reset(px, size)
            rows.step_px = px
            if step == 0:
                if market.pending:
                    self._execute_pending(market)
                if market.working:
                    self._gap(market)
            else:
                self._move(market, prices[step - 1], px, size)
        else:
            market.rows.step_px = None
            return
        market.rows.step_px = None
        market.forget_book()  # nobody is left to use what the steps before the close showed

    def _execute_pending(self, market: Market) -> None:
        """Orders that arrived between two bars execute at the open, in order of arrival, as takers."""
        pending, market.pending = market.pending, []
        for working in pending:
            working.pending = False
            if working.order.client_order_id not in market.working:
                continue
            if working.waits:
                self._trigger(market, working)
            else:
                self._execute_taker(market, working, working.order.price_raw)
        if market.working:
            market.changed()

    def _gap(self, market: Market) -> None:
        """The open against the last close: stops execute at the open, limits at their own price."""
        px = market.book.bids.px
        assert px is not None  # noqa: S101  # the step has just set it
        reached: list[tuple[int, Working]] = []
        for working in market.working.values():
            order = working.order
            if working.waits:
                if px >= working.trigger if order.is_buy else px <= working.trigger:
                    reached.append((working.trigger, working))
            elif working.price >= px if order.is_buy else working.price <= px:
                reached.append((working.price, working))
        for working in market.in_priority(reached):
            self._execute_reached(market, working)

    def _move(self, market: Market, start: int, end: int, size: int) -> None:
        """The path from one price to the next: stops execute at their trigger, limits at their price."""
        reached: list[tuple[int, Working]] = []
        for working in market.working.values():
            order = working.order
            if working.waits:
                if end >= working.trigger if order.is_buy else end <= working.trigger:
                    reached.append((working.trigger, working))
            elif working.price >= end if order.is_buy else working.price <= end:
                reached.append((working.price, working))
        used_at: dict[tuple[bool, int], int] = {}
        book = market.book
        for working in market.in_priority(reached):
            order = working.order
            if order.client_order_id not in market.working or not working.waits:
                self._execute_reached(market, working)
                continue
            # A stop meets a market at its trigger, within the stretch that the price really went.
            px = min(max(working.trigger, min(start, end)), max(start, end))
            there = L1Book(book.tick, consumes=book.consumes)
            there.reset(px, size)
            side = there.opposite(is_buy=order.is_buy)
            at_end = book.opposite(is_buy=order.is_buy)
            side.used = at_end.used if px == end else used_at.get((order.is_buy, px), 0)
            market.book = there
            self._trigger(market, working)
            market.book = book
            if px == end:
                at_end.used = side.used
            else:
                used_at[order.is_buy, px] = side.used

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

    def _holds(self, market: Market) -> bool:
        """Whether nothing executes until the next bar opens."""
        return self._waits_for_open and market.is_bars_only and market.rows.step_px is None

    def _hold(self, market: Market, working: Working) -> None:
        market.hold(working)
        self._wait(market, working)

    # ------------------------------------------------------------------ execution

    def _trigger(self, market: Market, working: Working) -> None:
        """A stop is hit: it executes as a market order, or becomes a limit that arrives now."""
        order = working.order
        working.waits = False
        if order.type is OrderType.STOP_MARKET:
            self._execute_taker(market, working, None)
            return
        self._report(OrderTriggered(*self._head(order)))
        if market.book.is_marketable(working.price, is_buy=order.is_buy):
            if order.post_only:
                self._drop(market, working)
                self._reject(order, "POST_ONLY_WOULD_TAKE")
                return
            self._execute_taker(market, working, working.price)
        else:
            self._rest(market, working)

    def _execute_taker(self, market: Market, working: Working, limit: int | None) -> None:
        """Take from the book what there is for this order; what is left ends or rests by its time in force."""
        order = working.order
        tif = order.time_in_force
        book = market.book
        is_buy = order.is_buy
        if tif is TimeInForce.FOK and not self._covers(book, order, limit):
            self._cancel(market, working, "FOK_UNFILLED")
            return
        best = book.opposite(is_buy=is_buy).px
        for quantity, px in book.offers(order.leaves_raw, limit, is_buy=is_buy, best_only=tif in _IMMEDIATE):
            if not self._fill(market, working, quantity, px, LiquiditySide.TAKER):
                break
            if px == best:
                book.use(quantity, is_buy=is_buy)
        if order.is_closed:
            self._after_execution(market, working)
        elif is_market_type(order) and tif not in _IMMEDIATE:
            self._cancel(market, working, "NO_LIQUIDITY")
        else:
            self._rest(market, working)

    @staticmethod
    def _covers(book: L1Book, order: Order, limit: int | None) -> bool:
        if limit is not None and not book.is_marketable(limit, is_buy=order.is_buy):
            return False
        return book.available(is_buy=order.is_buy) >= order.leaves_raw

    def _rest(self, market: Market, working: Working) -> None:
        """What is left of a limit waits as a maker, unless its time in force has ended here."""
        tif = working.order.time_in_force
        if tif is TimeInForce.FOK:
            self._cancel(market, working, "FOK_UNFILLED")
        elif tif is TimeInForce.IOC:
            self._cancel(market, working, "IOC_REST")
        else:
            self._wait(market, working)
            self._after_execution(market, working)

    def _wait(self, market: Market, working: Working) -> None:
        order = working.order
        if order.reduce_only and order.client_order_id not in market.working:
            self._reduce_only_count += 1
        is_new = order.client_order_id not in market.working
        if order.expire_ns is not None and order.time_in_force is TimeInForce.GTD and is_new:
            heappush(self.expiries, (order.expire_ns, working.seq, working))
        market.add(working)

    def _fill(self, market: Market, working: Working, qty_raw: int, px_raw: int, side: LiquiditySide) -> bool:
        """Report one fill; False, and the order is canceled, where a cash account cannot pay for it."""
        order = working.order
        instrument = market.instrument
        fee = self._portfolio.terms[instrument.id].fee(px_raw, qty_raw, is_taker=side is LiquiditySide.TAKER)
        if self._is_cash and not self._can_pay(market, order, qty_raw, px_raw, fee):
            self._cancel(market, working, "INSUFFICIENT_FUNDS")
            return False
        self._trades_made += 1
        unit = instrument.settlement
        key = (order.instrument_id, order.strategy_id)
        position_id = self._position_ids.get(key)
        if position_id is None:
            position_id = self._position_ids[key] = f"{order.instrument_id}-{order.strategy_id}"
        self._report(
            OrderFilled(
                self._now_ns,
                order.strategy_id,
                order.instrument_id,
                order.client_order_id,
                order.venue_order_id,
                f"T-{self.settings.name}-{self._trades_made}",
                position_id,
                order.side,
                qty_raw,
                instrument.size_precision,
                px_raw,
                instrument.price_precision,
                side,
                fee,
                unit.code,
                unit.precision,
            )
        )
        return True

    def _can_pay(self, market: Market, order: Order, qty_raw: int, px_raw: int, fee: int) -> bool:
        """A cash account never goes below zero: not in money, not in what it sells."""
        if self.settings.allow_borrowing:
            return True
        instrument = market.instrument
        account = self._portfolio.accounts[self.settings.name]
        worth = instrument.notional(px_raw=px_raw, qty_raw=qty_raw).raw
        cash = account.total_raw(instrument.quote.code)
        if order.is_buy:
            return cash >= worth + fee
        if instrument.kind is InstrumentKind.PAIR and instrument.base is not None:
            scale = instrument.base.precision - instrument.size_precision
            needed = qty_raw * 10**scale if scale >= 0 else -(-qty_raw // 10**-scale)
            return account.total_raw(instrument.base.code) >= needed and cash + worth >= fee
        position = self._portfolio.open.get((order.instrument_id, order.strategy_id))
        return position is not None and position.quantity_raw >= qty_raw and cash + worth >= fee

    # ------------------------------------------------------------------ endings

    def _after_execution(self, market: Market, working: Working) -> None:
        """A filled order leaves; reduce-only orders follow the position they are held against."""
        if working.order.is_closed:
            self._drop(market, working)
        if self._reduce_only_count:
            self._follow_position(market)

    def _follow_position(self, market: Market) -> None:
        for working in list(market.working.values()):
            order = working.order
            if not order.reduce_only:
                continue
            position = self._portfolio.open.get((order.instrument_id, order.strategy_id))
            held = 0 if position is None else position.quantity_raw
            if held == 0 or (held > 0) == order.is_buy:
                self._cancel(market, working, "REDUCE_ONLY_FLAT", follow=False)
            elif order.leaves_raw > abs(held):
                self._report(OrderUpdated(*self._head(order), order.filled_raw + abs(held), None, None))

    def _cancel(self, market: Market, working: Working, code: str, *, follow: bool = True) -> None:
        self._drop(market, working)
        self._report(OrderCanceled(*self._head(working.order), code))
        if follow and self._reduce_only_count:
            self._follow_position(market)

    def _drop(self, market: Market, working: Working) -> None:
        if market.working.get(working.order.client_order_id) is working:
            if working.order.reduce_only:
                self._reduce_only_count -= 1
            market.remove(working)

    def _accept(self, order: Order) -> None:
        self._report(OrderAccepted(*self._head(order), order.venue_order_id))

    def _reject(self, order: Order, code: str) -> None:
        self._report(OrderRejected(*self._head(order), code, f"rejected by {self.settings.name}: {code}"))

    def _head(self, order: Order) -> tuple[int, str, str, str]:
        return self._now_ns, order.strategy_id, order.instrument_id, order.client_order_id

    def _next_priority(self) -> int:
        self._priority += 1
        return self._priority


def _is_reached(working: Working, trade: Trade) -> bool:
    """Whether a trade proves that a resting limit would have been filled: by its aggressor, or by a worse price."""
    limit, px, aggressor = working.price, trade.price_raw, trade.aggressor
    if working.order.is_buy:
        return limit > px or (limit == px and aggressor in (AggressorSide.SELLER, AggressorSide.NONE))
    return limit < px or (limit == px and aggressor in (AggressorSide.BUYER, AggressorSide.NONE))
