"""What a row of the market does at the simulated venue: a quote or trade is one step, a bar four.

Waiting orders that a step reaches execute in price-time priority, resting limits as makers at their own price,
triggered ones as takers against the book.
"""

from libra_ray.matching import L1Book
from libra_ray.messages.schemas import Bar, MarkPrice, Row, Trade
from libra_ray.model.enums import (
    AggressorSide,
    LiquiditySide,
    TimeInForce,
    TriggerType,
)
from libra_ray.simulation.executions import Executions
from libra_ray.simulation.market import BAR_STEPS, Market, Working, bar_path, bar_sizes, is_market_type
from libra_ray.simulation.stream_state import StreamState

__all__ = ["Steps"]

_IMMEDIATE = (TimeInForce.IOC, TimeInForce.FOK)
_LAST = TriggerType.LAST_PRICE
_MARK = TriggerType.MARK_PRICE


class Steps(Executions):
    """Applies rows to the markets of one venue."""

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
        if isinstance(row, MarkPrice):
            self._match_mark(market)
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

    def _match_mark(self, market: Market) -> None:
        """Stops that look at the mark price, against the book as it stands; between two bars they wait for the open."""
        market.stand_at_latest()
        hit = [
            (working.trigger, working)
            for working in market.working.values()
            if working.waits and not working.pending and working.order.trigger_type is _MARK
            if market.stop_is_hit(working.order, working.trigger)
        ]
        for working in market.in_priority(hit):
            if working.order.client_order_id not in market.working:
                continue
            if self._holds(market):
                self._hold(market, working)
            else:
                self._trigger(market, working)

    # ------------------------------------------------------------------ bars

    def _walk_bar(self, market: Market, state: StreamState, bar: Bar) -> None:
        """The four steps of a bar: what is pending executes at the open, the rest along the path."""
        market.source = "bars"
        market.stands_at_row_in_hand(state.cursor.index)
        quarter, close_size = bar_sizes(bar.volume_raw, market.instrument.step_raw)
        self._open_bar(market, bar.open_raw, quarter)
        if market.working:
            prices = bar_path(bar, adaptive=self._is_adaptive)
            for step in range(1, BAR_STEPS):
                size = close_size if step == BAR_STEPS - 1 else quarter
                market.book.reset(prices[step], size)
                market.rows.step_px = prices[step]
                self._move(market, prices[step - 1], prices[step], size)
        else:
            market.forget_book()  # nobody is left to use what the steps before the close showed
        market.rows.step_px = None

    def _open_bar(self, market: Market, px: int, size: int) -> None:
        """The first step. Who is reached is settled before pending orders execute: their rest waits a step."""
        if not market.working:
            return
        market.book.reset(px, size)
        market.rows.step_px = px
        reached = self._gap(market) if len(market.working) > len(market.pending) else []
        if market.pending:
            self._execute_pending(market)
        for working in market.in_priority(reached) if reached else ():
            self._execute_reached(market, working)

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
                order = working.order
                self._execute_taker(market, working, None if is_market_type(order) else order.price_raw)
        if market.working:
            market.changed()

    def _gap(self, market: Market) -> list[tuple[int, Working]]:
        """Whom the open reaches, against the last close: stops execute at the open, limits at their own price."""
        px = market.book.bids.px
        assert px is not None  # noqa: S101  # the step has just set it
        reached: list[tuple[int, Working]] = []
        for working in market.working.values():
            order = working.order
            if working.pending:
                continue
            if working.waits:
                is_hit = px >= working.trigger if order.is_buy else px <= working.trigger
                if is_hit and not market.looks_at_mark(order):
                    reached.append((working.trigger, working))
            elif working.price >= px if order.is_buy else working.price <= px:
                reached.append((working.price, working))
        return reached

    def _move(self, market: Market, start: int, end: int, size: int) -> None:
        """The path from one price to the next: stops execute at their trigger, limits at their price."""
        reached: list[tuple[int, Working]] = []
        for working in market.working.values():
            order = working.order
            if working.waits:
                is_hit = end >= working.trigger if order.is_buy else end <= working.trigger
                if is_hit and not market.looks_at_mark(order):
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


def _is_reached(working: Working, trade: Trade) -> bool:
    """Whether a trade proves that a resting limit would have been filled: by its aggressor, or by a worse price."""
    limit, px, aggressor = working.price, trade.price_raw, trade.aggressor
    if working.order.is_buy:
        return limit > px or (limit == px and aggressor in (AggressorSide.SELLER, AggressorSide.NONE))
    return limit < px or (limit == px and aggressor in (AggressorSide.BUYER, AggressorSide.NONE))
