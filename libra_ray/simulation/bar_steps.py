"""A bar at the simulated venue: four steps along its path. What is pending executes at the open, the rest later."""

from abc import abstractmethod
from heapq import heappop

from libra_ray.matching import L1Book
from libra_ray.messages.events import OrderExpired
from libra_ray.messages.schemas import Bar, FundingRate
from libra_ray.simulation.account_watch import AccountWatch
from libra_ray.simulation.executions import Executions
from libra_ray.simulation.market import BAR_STEPS, Market, bar_path, bar_sizes
from libra_ray.simulation.stream_state import StreamState
from libra_ray.simulation.working import Working

__all__ = ["BarSteps"]


class BarSteps(Executions):
    """Walks bars."""

    __slots__ = ()

    account_watch: AccountWatch

    @abstractmethod
    def _pay_funding(self, market: Market, row: FundingRate) -> None:
        """Book a funding payment."""

    @abstractmethod
    def _execute_auction(self, working: Working, px: int | None) -> None:
        """Execute an order of an auction at its price."""

    def _walk_bar(self, market: Market, state: StreamState, bar: Bar) -> None:
        market.source = "bars"
        market.stands_at(state, state.cursor.index)
        quarter, close_size = bar_sizes(bar.volume_raw, market.instrument.step_raw)
        watches = self.account_watch.is_on
        if market.working or watches:
            market.show_step(bar.open_raw, quarter)
            if market.working:
                self._open_bar(market, bar)
                watches = self.account_watch.is_on
            if watches:
                self.account_watch.check(self._now_ns)
        if market.working or watches:
            prices = bar_path(bar, adaptive=self._is_adaptive)
            for step in range(1, BAR_STEPS):
                size = close_size if step == BAR_STEPS - 1 else quarter
                market.show_step(prices[step], size)
                if market.working:
                    self._move(market, prices[step - 1], prices[step], size)
                if self.account_watch.is_on:
                    self.account_watch.check(self._now_ns)
        else:
            market.forget_book()  # nobody is left to use what the steps before the close showed
        market.rows.step_px = None

    def _open_bar(self, market: Market, bar: Bar) -> None:
        """The first step. Who is reached is settled before pending orders execute: their rest waits a step."""
        if market.auction:
            self._open_auction(market, bar.ts_ns, is_bar=True, px=bar.open_raw)
        reached = self._gap(market) if len(market.working) > len(market.pending) else []
        if market.pending:
            self._execute_pending(market)
        if reached:
            self._run(market, market.in_priority(reached), self._execute_reached)
        if market.working:
            self._move_trailing(market)

    def _execute_pending(self, market: Market) -> None:
        """Orders that arrived between two bars execute at the open, in order of arrival, as takers."""
        pending, market.pending = market.pending, []
        for working in pending:
            working.pending = False
        for working in pending:
            if working.order.client_order_id in market.working:
                self._trigger(working) if working.waits else self._execute_taker(working)
        if market.working:
            market.changed()

    def _gap(self, market: Market) -> list[tuple[int, Working]]:
        """Whom the open reaches, against the last close: triggers execute at the open, limits at their own price."""
        reached: list[tuple[int, Working]] = []
        for working in market.working.values():
            if not working.pending and self._meets(market, working):
                px = working.trigger if working.waits else working.price
                reached.append((px or 0, working))
        return reached

    @staticmethod
    def _meets(market: Market, working: Working) -> bool:
        """Whether an order is reached in a bar's step."""
        if working.waits:
            return market.is_hit(working, working.trigger)
        return market.is_marketable(working.price, is_buy=working.order.is_buy)

    def _move(self, market: Market, start: int, end: int, size: int) -> None:
        """The path from one price to the next: triggers execute at their price, limits at theirs."""
        reached = [
            ((working.trigger if working.waits else working.price) or 0, working)
            for working in market.working.values()
            if not working.pending and self._meets(market, working)
        ]
        if not reached:
            self._move_trailing(market)
            return
        used_at: dict[int, tuple[int, int]] = {}  # by price: of what the step shows there, on either side
        book = market.l1

        def act(working: Working) -> bool:
            if not working.waits:
                return self._execute_reached(working)
            # A trigger meets a market at its price, within the stretch that the price really went.
            px = end
            if not market.looks_at_mark(working.order):
                px = min(max(working.trigger or 0, min(start, end)), max(start, end))
            there = L1Book(book.tick, consumes=book.consumes)
            there.reset(px, size)
            used = (book.bids.used, book.asks.used) if px == end else used_at.get(px, (0, 0))
            there.bids.used, there.asks.used = used
            market.book = there
            self._trigger(working)
            market.book = book
            used_at[px] = there.bids.used, there.asks.used
            if px == end:
                book.bids.used, book.asks.used = used_at[px]
            return False

        self._run(market, market.in_priority(reached), act)
        self._move_trailing(market)

    # ------------------------------------------------------------------ waiting and ending

    def _hold(self, working: Working) -> None:
        """An order waits for the next open."""
        working.pending = True
        working.market.pending.append(working)
        self._wait(working)

    def _open_auction(self, market: Market, ts_ns: int, *, is_bar: bool, px: int | None = None) -> None:
        """The first row of a session: orders for its open execute before all else."""
        if not market.auction:
            return
        due = [entry for entry in market.auction if ts_ns > entry[0] or (ts_ns == entry[0] and not is_bar)]
        market.auction = [entry for entry in market.auction if entry not in due]
        for _, working in due:
            if working.order.client_order_id in market.working:
                price = px if px is not None else market.book.opposite_px(is_buy=working.order.is_buy)
                self._execute_auction(working, price)

    def _due_endings(self, heap: list[tuple[int, int, Working]], ts_ns: int) -> list[Working]:
        """Orders whose time has come, that still work, in order of acceptance."""
        due = []
        while heap and heap[0][0] <= ts_ns:
            working = heappop(heap)[2]
            if not working.order.is_closed:
                due.append(working)
        return due

    def _expire(self, working: Working) -> None:
        self._drop(working)
        self._report(OrderExpired(*self._head(working.order)))
        self._after_end(working)
