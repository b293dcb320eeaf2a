"""One matching step after another: what a row does to the orders that wait (matching 2 to 5, 8, 9)."""

from collections.abc import Callable
from decimal import Decimal
from heapq import heapify, heappop, heappush
from typing import Final

from libra_ray.testing.reference.auctions import Auctions
from libra_ray.testing.reference.book import PriceLevel
from libra_ray.testing.reference.exact import floor_to
from libra_ray.testing.reference.execution import happens
from libra_ray.testing.reference.market import Market
from libra_ray.testing.reference.orders import OPPOSITE, Order, Place
from libra_ray.testing.reference.queue_position import after_trade, join, saw_delta, saw_quote
from libra_ray.testing.reference.state import State
from libra_ray.testing.reference.trailing import moved_trigger
from libra_ray.testing.reference.venue import Venue

__all__ = ["Matching"]

ZERO: Final = Decimal(0)
Key = tuple[int, Decimal, int]


class Trade:
    """A trade row, and what is left of its size."""

    def __init__(self, price: Decimal, size: Decimal, aggressor: str) -> None:
        self.price, self.size, self.left, self.aggressor = price, size, size, aggressor
        self.levels: list[PriceLevel] = []

    def take(self, qty: Decimal) -> None:
        """A resting order took it; where the trade made the book, it is not there any more."""
        self.left -= qty
        for level in self.levels:
            level.displayed -= qty

    def is_through(self, order: Order) -> bool:
        """A limit better than the price, whatever the aggressor."""
        if order.price is None:
            return False
        return order.price > self.price if order.side == "BUY" else order.price < self.price

    def reaches(self, order: Order) -> bool:
        """Through, or touched by the aggressor of the other side (or by none)."""
        by = "SELLER" if order.side == "BUY" else "BUYER"
        return self.is_through(order) or (order.price == self.price and self.aggressor in (by, "NONE"))


class Matching:
    """Applies rows to markets and matches."""

    def __init__(self, state: State, venue: Venue, auctions: Auctions, after_step: Callable[[], None]) -> None:
        self.state, self.venue, self.auctions, self.after_step = state, venue, auctions, after_step

    # ---------------------------------------------------------------------- rows

    def quote(self, market: Market, prices: tuple[Decimal, Decimal], sizes: tuple[Decimal, Decimal]) -> None:
        """Quotes move an L1 book only."""
        if market.options.book != "L1":
            return
        market.is_quoted = True
        market.top.quote("BID", prices[0], sizes[0])
        market.top.quote("ASK", prices[1], sizes[1])
        for order in self._resting(market):
            saw_quote(order, market)
        self._match_book(market)

    def delta(self, market: Market, action: str, side: str, price: Decimal, size: Decimal, order_id: str) -> None:
        """One change of an L2 or L3 book."""
        old = market.by_order.orders[side].get(order_id)
        prices: list[Decimal | None] = [None] if action == "CLEAR" else [price]
        if market.options.book == "L3":
            market.by_order.delta(action, side, price, size, order_id)
            if old is not None and old.price != price:
                prices.append(old.price)
        elif market.options.book == "L2":
            market.levels.delta(action, side, price, size)
        else:
            return
        for order in self._resting(market):
            for each in prices:
                saw_delta(order, market, side, each)
        self._match_book(market)

    def trade(self, market: Market, trade: Trade) -> None:
        """Resting limits by the print; then stops, against the book after the row."""
        market.last = trade.price
        if not market.options.trade_execution:
            return
        is_source = market.options.book == "L1" and not market.is_quoted
        if is_source:  # bid = ask = price, with its size, less what resting orders take of it
            market.top.set_price(trade.price, trade.size)
            trade.levels = list(market.top.top.values())
        if self._is_inside(market, is_bar=False):
            market.step_no += 1
            self.auctions.open(market, trade.price)
            self._work(self._limit_keys(market, trade.reaches), self._by_trade(trade))
            sources = None if is_source else ("LAST_PRICE",)
            self._match_triggers(market, sources)
            self.after_step()

    def mark(self, market: Market, price: Decimal) -> None:
        """A mark row reaches triggers on the mark price only."""
        market.mark_row = price
        if self._is_inside(market, is_bar=False):
            market.step_no += 1
            self._match_triggers(market, ("MARK_PRICE",))
        self.after_step()

    def bar(self, market: Market, prices: tuple[Decimal, Decimal, Decimal, Decimal], volume: Decimal) -> None:
        """Matching 4: open, high, low, close, or the low first."""
        opened, high, low, close = prices
        if not market.bars_execute:
            market.last = close
            return
        low_first = market.options.bar_path == "adaptive" and not abs(high - opened) < abs(low - opened)
        path = [opened, low, high, close] if low_first else [opened, high, low, close]
        step = market.instrument.step
        quarter = max(floor_to(volume / 4, step), step)
        sizes = [quarter] * 3 + [max(volume - 3 * quarter, step)]
        is_inside = self._is_inside(market, is_bar=True)
        before = market.last
        for number, (price, size) in enumerate(zip(path, sizes, strict=True)):
            market.top.set_price(price, size)
            market.last = price
            if not is_inside:
                continue
            market.step_no += 1
            market.is_inside_bar = True
            start = price if number == 0 or before is None else before
            if number == 0:
                self.auctions.open(market, price)
                self._execute_pending(market)
            self._match_bar_step(market, start)
            self.after_step()
            market.is_inside_bar = False
            before = price

    def _is_inside(self, market: Market, *, is_bar: bool) -> bool:
        """Outside sessions rows move the book but nothing is matched."""
        session = self.venue.sessions.of_row(self.state.now, is_bar=is_bar)
        return session is not None and not market.is_expired

    # ---------------------------------------------------------------------- who is reached

    def _resting(self, market: Market) -> list[Order]:
        return [order for order in self.state.working(market.instrument) if order.place is Place.RESTING]

    def _limit_keys(self, market: Market, reaches: Callable[[Order], bool]) -> list[tuple[Key, Order]]:
        """Matching 3: BUY limits, highest first, then SELL limits, lowest first; ties by acceptance."""
        return [
            (self._limit_key(order, order.price), order)
            for order in self._resting(market)
            if order.price is not None and order.entered_step < market.step_no and reaches(order)
        ]

    def _limit_key(self, order: Order, price: Decimal) -> Key:
        return (0, -price, order.priority) if order.side == "BUY" else (1, price, order.priority)

    def _trigger_keys(self, market: Market, sources: tuple[str, ...] | None) -> list[tuple[Key, Order]]:
        """Touched BUYs and SELL stops by a fall, highest first; touched SELLs and BUY stops by a rise, lowest first."""
        found: list[tuple[Key, Order]] = []
        for order in self._waiting(market, sources):
            if order.is_active and order.trigger is not None and market.is_hit(order):
                key = (0, -order.trigger, order.priority) if order.falls else (1, order.trigger, order.priority)
                found.append((key, order))
        return found

    def _waiting(self, market: Market, sources: tuple[str, ...] | None) -> list[Order]:
        return [
            order
            for order in self.state.working(market.instrument)
            if order.place is Place.WAITING
            and order.entered_step < market.step_no
            and (sources is None or order.trigger_type in sources)
        ]

    # ---------------------------------------------------------------------- steps

    def _match_book(self, market: Market) -> None:
        """A step of quotes or of a book."""
        if self._is_inside(market, is_bar=False):
            market.step_no += 1
            self.auctions.open(market, None)
            trailing = self._trailing(market, None)
            keys = self._limit_keys(market, market.is_marketable) + self._trigger_keys(market, None)
            self._work(keys, self._by_book)
            self._move_triggers(market, trailing)
        self.after_step()

    def _match_triggers(self, market: Market, sources: tuple[str, ...] | None) -> None:
        trailing = self._trailing(market, sources)
        self._work(self._trigger_keys(market, sources), self._by_book)
        self._move_triggers(market, trailing)

    def _match_bar_step(self, market: Market, start: Decimal) -> None:
        """From `start` to the step's price: a trigger between them executes at the trigger price."""
        end = market.last

        def by_bar(order: Order) -> bool:
            if order.place is Place.RESTING:
                return self._fill_resting(order)
            at = order.trigger
            follows = order.trigger_type != "MARK_PRICE" or market.mark_row is None
            if at is not None and end is not None and follows and start != end:
                at = min(max(at, min(start, end)), max(start, end))
            else:
                at = None  # the open, or a source that the bar does not move: the step's price
            self.venue.fire(order, at)
            return False

        trailing = self._trailing(market, None)
        keys = self._limit_keys(market, market.is_marketable) + self._trigger_keys(market, None)
        self._work(keys, by_bar)
        self._move_triggers(market, trailing)

    def _execute_pending(self, market: Market) -> None:
        """next_open: before anything else, in order of arrival, as TAKER against the open."""
        pending = [order for order in self.state.working(market.instrument) if order.place is Place.PENDING]
        for order in sorted(pending, key=lambda order: order.pending_seq):
            if order.place is not Place.PENDING or order.is_closed:
                continue
            if order.waits_for_trigger and not order.is_triggered:
                self.venue.fire(order)
            else:
                self.venue.execute(order)

    def _work(self, keys: list[tuple[Key, Order]], act: Callable[[Order], bool]) -> None:
        """Take the reached orders in order. An iceberg with a new slice goes to the back at its price and on."""
        by_priority = {order.priority: order for _, order in keys}
        heap = [key for key, _ in keys]
        heapify(heap)
        while heap:
            order = by_priority[heappop(heap)[2]]
            if order.is_closed or order.place not in (Place.RESTING, Place.WAITING):
                continue
            if act(order) and order.price is not None:
                order.priority = self.state.next_seq()
                order.new_slice()
                join(order, self.state.market(order))
                by_priority[order.priority] = order
                heappush(heap, self._limit_key(order, order.price))

    def _by_book(self, order: Order) -> bool:
        if order.place is Place.RESTING:
            return self._fill_resting(order)
        self.venue.fire(order)
        return False

    def _by_trade(self, trade: Trade) -> Callable[[Order], bool]:
        return lambda order: self._fill_by_trade(order, trade)

    # ---------------------------------------------------------------------- resting limit orders

    def _fill_resting(self, order: Order) -> bool:
        """Always at their own price, MAKER. True: a slice is done and the next one goes to the back of the queue."""
        market = self.state.market(order)
        levels = [
            level
            for level in market.book.levels(OPPOSITE[order.side])
            if market.is_marketable(order, order.price, at=level.price)
        ]
        if not levels:
            return False
        if order.step_of_taken != market.step_no:
            order.step_of_taken, order.taken = market.step_no, ZERO
        sizes = [max(ZERO, market.available(level, order.taken)) for level in levels]
        is_through = levels[0].price != order.price
        if is_through:
            # L1: the whole leaves; L2 and L3: what is available at or beyond the limit, no more.
            qty = order.leaves if market.options.book == "L1" else min(order.leaves, sum(sizes, ZERO))
        elif happens(market.options.prob_fill_on_limit):
            qty = min(order.shown_leaves(), sizes[0])
        else:
            qty = ZERO
        if qty <= 0:
            return False
        if not self._fill_maker(order, qty):
            return False
        left = qty
        for level, size in zip(levels, sizes, strict=True):
            part = min(left, size)
            level.take(part)
            left -= part
        order.taken += qty
        return self._after_maker(order, qty)

    def _fill_by_trade(self, order: Order, trade: Trade) -> bool:
        """Through: the whole leaves. Touch: what the queue leaves of the trade."""
        market = self.state.market(order)
        if trade.is_through(order):
            return self._fill_of_trade(order, trade, order.leaves)
        if not happens(market.options.prob_fill_on_limit):
            return False
        ours = after_trade(order, market, trade.size, trade.left)
        qty = min(order.shown_leaves(), ours)
        if qty <= 0:
            return False
        return self._fill_of_trade(order, trade, qty)

    def _fill_of_trade(self, order: Order, trade: Trade, qty: Decimal) -> bool:
        if not self._fill_maker(order, qty):
            return False
        trade.take(min(qty, trade.left))
        return self._after_maker(order, qty)

    def _fill_maker(self, order: Order, qty: Decimal) -> bool:
        """At its own price. False: a CASH account cannot pay it, so it is not made and uses nothing."""
        if order.price is None:
            return False
        if self.venue.execution.fills.make(order, qty, order.price, "MAKER"):
            return True
        self.venue.end(order, "CANCELED", "INSUFFICIENT_FUNDS")
        return False

    def _after_maker(self, order: Order, qty: Decimal) -> bool:
        """What follows from a fill. True: a slice is done and the next one goes to the back of the queue."""
        self.venue.links.executed(order, qty)
        return order.display is not None and order.slice_left == 0 and not order.is_closed

    # ---------------------------------------------------------------------- trailing stops (orders 6)

    def _trailing(self, market: Market, sources: tuple[str, ...] | None) -> list[Order]:
        """Those that wait when the step begins, in order of acceptance."""
        return [order for order in self._waiting(market, sources) if order.is_trailing]

    def _move_triggers(self, market: Market, trailing: list[Order]) -> None:
        """After all tests: activation, the first trigger, moves."""
        for order in trailing:
            source = market.source(order)
            if order.is_closed or order.place is not Place.WAITING or source is None:
                continue
            if not order.is_active or order.trigger is None:
                self.venue.start_trailing(order)
                continue
            moved = moved_trigger(order, source)
            if moved:
                self.state.update(order, **moved)
