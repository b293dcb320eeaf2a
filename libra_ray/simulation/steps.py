"""What a row of the market does at the simulated venue: a quote, trade or message of the book is one step.

Waiting orders that a step reaches execute in price-time priority, resting limits as makers at their own price,
triggered ones as takers against the book. Then triggers that trail follow.
"""

from bisect import insort

from libra_ray.messages.schemas import Bar, BookDelta, BookSnapshotRow, FundingRate, MarkPrice, Row, Trade
from libra_ray.model.enums import AggressorSide, LiquiditySide, OrderType, TriggerType
from libra_ray.simulation.bar_steps import BarSteps
from libra_ray.simulation.market import Market
from libra_ray.simulation.stream_state import StreamState
from libra_ray.simulation.working import Working

__all__ = ["Steps"]

_LAST = TriggerType.LAST_PRICE
_MARK = TriggerType.MARK_PRICE


class Steps(BarSteps):
    """Applies rows to the markets of one venue."""

    __slots__ = ()

    def apply(self, state: StreamState, row: Row) -> None:
        """One row of the market, in hand of the cursor: match the orders that are there."""
        self._now_ns = row.ts_ns
        market = self.markets[row.spec.instrument_id]
        is_open = not self._has_calendar or self.sessions.takes_row(row.ts_ns, is_bar=isinstance(row, Bar))
        if isinstance(row, Bar):
            if state is market.bars and state.matches and is_open:
                self._walk_bar(market, state, row)
            return
        if isinstance(row, Trade):
            if state.matches and is_open:
                self._match_trade(market, state, row)
        elif isinstance(row, MarkPrice):
            if is_open:
                self._match_mark(market)
        elif isinstance(row, FundingRate):
            self._pay_funding(market, row)
        else:
            self._match_book(market, row, is_open=is_open)
        if self.account_watch.is_on:
            self.account_watch.check(self._now_ns)

    def _match_book(self, market: Market, row: Row, *, is_open: bool) -> None:
        """A quote, or the last row of a message of the book."""
        market.stand_at_latest()
        if market.depth is not None and not isinstance(row, BookDelta | BookSnapshotRow):
            return  # quotes do not move a book with depth
        if self.places.is_on:
            self.places.on_row(market)
        if is_open and market.working:
            self._open_auction(market, row.ts_ns, is_bar=False)
            self._match_quote(market)

    def _match_quote(self, market: Market) -> None:
        """Resting limits that the book has come to, triggers that it has hit."""
        reached: list[tuple[int, Working]] = []
        has_trailing = False
        for working in market.working.values():
            order = working.order
            if working.pending:
                continue
            if working.waits:
                has_trailing |= working.is_trailing
                trigger = working.trigger
                if order.trigger_type is not _LAST and market.is_hit(working, trigger):
                    reached.append((trigger or 0, working))
            elif market.is_marketable(working.price, is_buy=order.is_buy):
                reached.append((working.price, working))
        if reached:
            self._run(market, market.in_priority(reached), self._execute_reached)
        if has_trailing:
            self._move_trailing(market)

    # ------------------------------------------------------------------ trades

    def _match_trade(self, market: Market, state: StreamState, trade: Trade) -> None:
        """Resting limits that the trade proves, then, where trades are the market, the book, then triggers."""
        is_source = market.depth is None and (market.quotes is None or market.quotes.cursor.index < 0)
        px = trade.price_raw
        if not is_source:
            market.stand_at_latest()
        if market.auction:
            self._open_auction(market, trade.ts_ns, is_bar=False, px=px)
        left = self._match_resting(market, trade)
        if is_source:
            market.source = "trades"
            market.stands_at(state, state.cursor.index)
            market.l1.reset(px, left)
        hit: list[tuple[int, Working]] = []
        has_trailing = False
        for working in market.working.values():
            looks_here = working.waits and (is_source or working.order.trigger_type is _LAST)
            if looks_here:
                has_trailing |= working.is_trailing
                if market.is_hit(working, working.trigger, last_px=px):
                    hit.append((working.trigger or 0, working))
        for *_, working in market.in_priority(hit):
            if working.order.client_order_id in market.working:
                self._trigger(working)
        if has_trailing:
            self._move_after_trade(market, px, is_source=is_source)

    def _match_resting(self, market: Market, trade: Trade) -> int:
        """Share a trade among resting limits, in priority; what is left of its size."""
        px, left = trade.price_raw, trade.qty_raw
        reached = [(w.price, w) for w in market.working.values() if w.rests and _is_reached(w, trade)]
        entries = market.in_priority(reached) if reached else []
        at = 0
        while at < len(entries):
            working = entries[at][3]
            at += 1
            order = working.order
            if order.client_order_id not in market.working:
                continue
            leaves = order.leaves_raw
            is_through = working.price > px if order.is_buy else working.price < px
            if is_through:
                self._make(working, leaves, uses=False)
                left = max(left - leaves, 0)
                continue
            mine = self.places.on_trade(working, left) if self.places.is_on else left
            quantity = min(leaves, mine)
            if working.slice_raw is not None:
                quantity = min(quantity, working.slice_raw)
            if quantity <= 0 or not self._happens(self._fill_chance, self._prob_fill, working):
                continue
            left -= quantity
            if self._make(working, quantity, uses=False):
                insort(entries, market.entry(working.price, working), lo=at)
        return left

    def _move_after_trade(self, market: Market, px: int, *, is_source: bool) -> None:
        for working in list(market.working.values()):
            is_trailing = working.is_trailing and working.waits
            if is_trailing and (is_source or working.order.trigger_type is _LAST):
                self._follow_market(working, last_px=px)

    # ------------------------------------------------------------------ marks and auctions

    def _match_mark(self, market: Market) -> None:
        """Stops that look at the mark price, against the book as it stands; between two bars they wait for the open."""
        market.stand_at_latest()
        mine = [w for w in market.working.values() if w.waits and not w.pending and w.order.trigger_type is _MARK]
        hit = [(working.trigger or 0, working) for working in mine if market.is_hit(working, working.trigger)]
        for *_, working in market.in_priority(hit):
            if working.order.client_order_id not in market.working:
                continue
            if self._holds(market):
                self._hold(working)
            else:
                self._trigger(working)
        for working in mine:
            if working.is_trailing and working.waits and working.order.client_order_id in market.working:
                self._follow_market(working)

    def close_auctions(self, ts_ns: int) -> None:
        """The close of a session: orders for it execute at the last price, whole, then DAY orders expire."""
        self._now_ns = ts_ns
        for working in self._due_endings(self.closings, ts_ns):
            market = working.market
            market.stand_at_latest()
            self._execute_auction(working, market.book.opposite_px(is_buy=working.order.is_buy))
        for working in self._due_endings(self.day_ends, ts_ns):
            self._expire(working)

    def _execute_auction(self, working: Working, px: int | None) -> None:
        """The whole quantity at one price, as a taker; nothing is used of displayed size."""
        order = working.order
        limit = order.price_raw if order.type is OrderType.LIMIT else None
        is_worse = limit is not None and px is not None and (limit < px if order.is_buy else limit > px)
        if px is None or is_worse:
            self._cancel(working, "AUCTION_UNFILLED")
            return
        leaves = order.leaves_raw
        if self._fill(working, leaves, px, LiquiditySide.TAKER):
            self._after_execution(working, leaves)


def _is_reached(working: Working, trade: Trade) -> bool:
    """Whether a trade proves that a resting limit would have been filled: by its aggressor, or by a worse price."""
    limit, px, aggressor = working.price, trade.price_raw, trade.aggressor
    if working.order.is_buy:
        return limit > px or (limit == px and aggressor in (AggressorSide.SELLER, AggressorSide.NONE))
    return limit < px or (limit == px and aggressor in (AggressorSide.BUYER, AggressorSide.NONE))
