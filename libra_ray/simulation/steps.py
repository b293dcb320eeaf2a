"""What a row of the market does at the simulated venue: a quote, trade or message of the book is one step.

Waiting orders that a step reaches execute in price-time priority, resting limits as makers at their own price,
triggered ones as takers against the book. Then triggers that trail follow.
"""

from bisect import insort

from libra_ray.matching import L1Book
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
                if market.is_hit(working, trigger):
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
        if is_source:
            market.source = "trades"
            market.stands_at(state, state.cursor.index)
            market.l1.reset(px, trade.qty_raw)
        else:
            market.stand_at_latest()
        if market.auction:
            self._open_auction(market, trade.ts_ns, is_bar=False, px=px)
        self._match_resting(market, _Print(trade, market.l1 if is_source else None))
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

    def _match_resting(self, market: Market, trade: "_Print") -> None:
        """Share a trade among resting limits, in priority."""
        reached = [(w.price, w) for w in market.working.values() if w.rests and trade.reaches(w)]
        entries = market.in_priority(reached) if reached else []
        at = 0
        while at < len(entries):
            working = entries[at][3]
            at += 1
            if working.order.client_order_id not in market.working:
                continue
            quantity = self._share(working, trade)
            if quantity > 0 and self._make(working, quantity, trade.take):
                insort(entries, market.entry(working.price, working), lo=at)

    def _share(self, working: Working, trade: "_Print") -> int:
        """How much of a trade an order gets: through its price all that it wants, at it what the queue leaves."""
        leaves = working.order.leaves_raw
        if trade.is_through(working):
            return leaves
        mine = self.places.on_trade(working, trade.left) if self.places.is_on else trade.left
        quantity = min(leaves, mine)
        if working.slice_raw is not None:
            quantity = min(quantity, working.slice_raw)
        return quantity if quantity > 0 and self._happens(self._fill_chance, self._prob_fill, working) else 0

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


class _Print:
    """A trade that resting limits share.

    Attributes:
        left: what nobody has got of its size.
    """

    __slots__ = ("_aggressor", "_book", "_px", "left")

    def __init__(self, trade: Trade, book: L1Book | None) -> None:
        self._px, self.left, self._aggressor = trade.price_raw, trade.qty_raw, trade.aggressor
        self._book = book  # the one that the trade makes: it shows what is left

    def is_through(self, working: Working) -> bool:
        """Whether its price is worse than the order's."""
        return working.price > self._px if working.order.is_buy else working.price < self._px

    def reaches(self, working: Working) -> bool:
        """Whether it proves that a resting limit would have been filled: by its aggressor, or by a worse price."""
        by = AggressorSide.SELLER if working.order.is_buy else AggressorSide.BUYER
        return self.is_through(working) or (working.price == self._px and self._aggressor in (by, AggressorSide.NONE))

    def take(self, _working: Working, quantity: int) -> None:
        """An order has got so much of it."""
        taken = min(quantity, self.left)
        self.left -= taken
        if self._book is not None:
            self._book.shrink(taken)
