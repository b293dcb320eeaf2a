"""One instrument at the simulated venue: its book, the orders that work on it, what a step of the market reaches."""

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

from libra_ray.matching import DepthBook, L1Book
from libra_ray.matching.bar_sizes import BAR_STEPS, bar_sizes
from libra_ray.messages.schemas import Bar, Quote, Row, Trade
from libra_ray.model.enums import TriggerType
from libra_ray.model.instruments import Instrument
from libra_ray.model.orders import Order
from libra_ray.portfolio import InstrumentRows
from libra_ray.simulation.reach import Reach
from libra_ray.simulation.stream_state import StreamState
from libra_ray.simulation.working import Working

__all__ = ["BAR_STEPS", "Entry", "Market", "bar_path", "bar_sizes"]

_BETWEEN: Final = (TriggerType.MID_POINT, TriggerType.MARK_PRICE)
_ELSEWHERE: Final = (TriggerType.LAST_PRICE, TriggerType.MARK_PRICE)
_SIZES: Final = ("bid_qty", "ask_qty")

Entry: TypeAlias = tuple[int, int, int, Working]
"""(0 reached by a fall or 1 by a rise, price as a key that sorts the nearest first, time priority, order)."""


class Market:
    """Book and orders of one instrument.

    Attributes:
        depth: the book by price or by order, None at an L1 venue; `book` is this one or the L1 book.
        source: what makes an L1 book: quotes as soon as there is one, before that trades or bars.
        working: orders that rest, wait for a trigger or are pending, by client order id, in order of acceptance.
        is_bars_only: bars make the market, so that orders between two bars wait for the next open.
        is_alive: the contract has not expired.
        has_queue, has_sessions: resting orders have places in a queue; the venue keeps a calendar.
        auction: orders that wait for the first row of a session, and since when that may come.
        guards: (fall, rise): prices at which the account must be looked at; None where no price matters.
        every_row: the account must be looked at after each row.
    """

    def __init__(
        self, instrument: Instrument, rows: InstrumentRows, *, consumes: bool, kind: Literal["L1", "L2", "L3"] = "L1"
    ) -> None:
        self.instrument = instrument
        self.rows = rows
        self.depth: DepthBook | None = None
        self.book: L1Book | DepthBook = L1Book(instrument.tick_raw, consumes=consumes)
        if kind != "L1":
            wide = instrument.is_high_precision
            self.book = self.depth = DepthBook(instrument.tick_raw, by_order=kind == "L3", consumes=consumes, wide=wide)
            rows.book = self.depth
        self.consumes = consumes
        self.working: dict[str, Working] = {}
        self.pending: list[Working] = []
        self.auction: list[tuple[int, Working]] = []
        self.has_queue = False
        self.has_sessions = False
        self.is_bars_only = False
        self.is_alive = True
        self.guards: tuple[int, int] | None = None
        self.every_row = False
        self._reach: Reach | None = None
        self.streams: list[StreamState] = []
        self.quotes: StreamState | None = None
        self.trades: StreamState | None = None
        self.bars: StreamState | None = None
        self.source: Literal["none", "quotes", "trades", "bars"] = "none"
        self._book_state: StreamState | None = None
        self._book_index = -1

    # ------------------------------------------------------------------ the book

    @property
    def l1(self) -> L1Book:
        """The book of an L1 venue."""
        assert isinstance(self.book, L1Book)  # noqa: S101  # asked only where `depth` is None
        return self.book

    def stand_at_latest(self) -> L1Book | DepthBook:
        """The book as of the latest row. Rows that nobody acted on are caught up with here, not one by one."""
        if self.depth is not None:
            return self.depth
        quotes = self.quotes
        if quotes is not None and quotes.cursor.index >= 0:
            index = quotes.cursor.index
            if self.source != "quotes":
                self.source, self._book_index = "quotes", index
                self.book = L1Book(self.instrument.tick_raw, consumes=self.consumes)
                self._show_quote(quotes)
            elif index > self._book_index:
                if self.l1.is_fresh or index == self._book_index + 1:
                    self._show_quote(quotes)
                else:
                    prices, sizes = (quotes.column("bid_px"), quotes.column("ask_px")), _SIZES
                    bid_qty, ask_qty = (quotes.column(name) for name in sizes)
                    self.l1.replay(*prices, bid_qty, ask_qty, self._book_index + 1, index + 1)
                self._book_index = index
            return self.book
        state = self._latest_without_quotes()
        if state is not None and (state is not self._book_state or state.cursor.index > self._book_index):
            self.stands_at(state, state.cursor.index)
            row = state.cursor.hand or state.cursor.row
            if isinstance(row, Trade):
                self.source = "trades"
                self.l1.reset(row.price_raw, row.qty_raw)
            elif isinstance(row, Bar):
                self.source = "bars"
                self.l1.reset(row.close_raw, bar_sizes(row.volume_raw, self.instrument.step_raw)[-1])
        return self.book

    def _latest_without_quotes(self) -> StreamState | None:
        """Trades and bars both set the price before there is a quote: the later row of the two holds."""
        trades, bars = self.trades, self.bars
        if bars is None or trades is None:
            return trades or bars
        row, bar = (state.cursor.hand or state.cursor.row for state in (trades, bars))
        if row is None or bar is None:
            return bars if row is None else trades
        return bars if bar.ts_ns > row.ts_ns else trades

    def _show_quote(self, quotes: StreamState) -> None:
        row = quotes.cursor.hand or quotes.cursor.row
        assert isinstance(row, Quote)  # noqa: S101  # the cursor of quotes holds quotes
        self.l1.show(row.bid_px_raw, row.ask_px_raw, row.bid_qty_raw, row.ask_qty_raw)

    def show_step(self, px: int, size: int) -> None:
        """A bar's step: both sides of the book show `size` at `px`, and that is the last price."""
        book = self.book
        assert isinstance(book, L1Book)  # noqa: S101  # bars execute nothing where there is depth
        book.reset(px, size)
        self.rows.step_px = px

    def stands_at(self, state: StreamState, index: int) -> None:
        """A bar's steps or a trade have set the book themselves."""
        self._book_state, self._book_index = state, index

    def forget_book(self) -> None:
        """The book is made again from the latest row when somebody asks for it."""
        self._book_index = -1

    # ------------------------------------------------------------------ orders

    def add(self, working: Working) -> None:
        """An order begins to work, or works on in another way."""
        self.working[working.order.client_order_id] = working
        if not working.pending:
            self.changed()

    def release(self, working: Working) -> None:
        """An order waits for the next open no longer."""
        self.pending = [other for other in self.pending if other is not working]
        working.pending = False
        self.changed()

    def remove(self, working: Working) -> bool:
        """An order works no longer; whether it did. Nothing needs to be looked at again: others' horizon stays true."""
        order_id = working.order.client_order_id
        if self.working.get(order_id) is not working:
            return False
        del self.working[order_id]
        self._reach = None
        if working.pending:
            self.release(working)
        if self.auction:
            self._leave_auction(working)
        return True

    def _leave_auction(self, working: Working) -> None:
        self.auction = [entry for entry in self.auction if entry[1] is not working]

    def changed(self) -> None:
        """Orders are new or other than before: look ahead anew."""
        self._reach = None
        for stream in self.streams:
            stream.forget_horizon()

    def needs_rows(self) -> bool:
        """Whether the venue must see the rows that `reach` finds, or all of them."""
        return bool(self.working) or self.guards is not None or self.every_row

    @property
    def reach(self) -> Reach:
        """The nearest prices at which orders are reached."""
        if self._reach is None:
            self._reach = self._reach_now()
        return self._reach

    def _reach_now(self) -> Reach:
        reach = Reach()
        reach.every_row = self.every_row
        if self.guards is not None:
            reach.guard(*self.guards)
        is_queued = self.has_queue
        for working in self.working.values():
            order = working.order
            if working.pending:
                continue
            if working.is_trailing and working.waits:
                reach.every_row = True
            elif working.waits:
                reach.every_row |= order.trigger_type in _ELSEWHERE and self._is_moved_elsewhere
                self._reach_trigger(reach, working)
            elif order.is_buy:
                reach.ask_fall = max(reach.ask_fall, working.price)
                reach.every_row |= is_queued
            else:
                reach.bid_rise = min(reach.bid_rise, working.price)
                reach.every_row |= is_queued
        if self.auction:
            reach.every_row = True
        return reach

    @property
    def _is_moved_elsewhere(self) -> bool:
        """Whether rows that match nothing move the last price or the mark: what they hit acts on the next that does.

        Rows between two sessions, bars beside quotes or trades, trades that are not to execute.
        """
        others = (self.trades, self.bars)
        return self.has_sessions or any(stream is not None and not stream.matches for stream in others)

    @staticmethod
    def _reach_trigger(reach: Reach, working: Working) -> None:
        """Where a trigger may be hit. A mid is covered by the outer of bid and ask, whichever that is."""
        order, trigger = working.order, working.trigger
        assert trigger is not None  # noqa: S101  # only a trailing stop may have none
        either = order.trigger_type in _BETWEEN
        if order.is_buy is not working.is_touch:
            reach.rises_to(trigger, ask=order.is_buy or either, bid=not order.is_buy or either)
        else:
            reach.falls_to(trigger, ask=order.is_buy or either, bid=not order.is_buy or either)

    # ------------------------------------------------------------------ what a step reaches

    def source_twice(self, order: Order, *, last_px: int | None = None) -> int | None:
        """Twice the price that an order's trigger is held against, so that a mid stays an integer; None where none is.

        `last_px`: the trade row in hand.
        """
        kind = order.trigger_type
        if kind is TriggerType.LAST_PRICE:
            px = last_px if last_px is not None else self.rows.last()
            return None if px is None else 2 * px
        if kind is TriggerType.MARK_PRICE:
            return self.rows.mark_twice()
        bid, ask = self.book.bid, self.book.ask
        if kind is TriggerType.MID_POINT:
            return None if bid is None or ask is None else bid + ask
        px = ask if order.is_buy else bid
        return None if px is None else 2 * px

    def is_hit(self, working: Working, trigger: int | None, *, last_px: int | None = None) -> bool:
        """Whether the price that a stop or touched order looks at has reached its trigger."""
        if trigger is None:
            return False
        twice = self.source_twice(working.order, last_px=last_px)
        if twice is None:
            return False
        if working.order.is_buy is not working.is_touch:
            return twice >= 2 * trigger
        return twice <= 2 * trigger

    def is_marketable(self, px: int, *, is_buy: bool) -> bool:
        """Whether a limit at `px` would trade now. False before there is a price."""
        best = self.book.opposite_px(is_buy=is_buy)
        return best is not None and (px >= best if is_buy else px <= best)

    def looks_at_mark(self, order: Order) -> bool:
        """Whether the order's trigger is held against mark rows, so that no other row can hit it."""
        marks = self.rows.marks
        return order.trigger_type is TriggerType.MARK_PRICE and marks is not None and marks.index >= 0

    @staticmethod
    def entry(px: int, working: Working) -> Entry:
        """A reached order's place in a step.

        First those reached by a fall (buy limits, touched buys, sell stops), highest first, then those reached by a
        rise, lowest first; ties by time priority.
        """
        is_stop = working.waits and not working.is_touch
        if working.order.is_buy is not is_stop:
            return 0, -px, working.seq, working
        return 1, px, working.seq, working

    def in_priority(self, reached: Iterable[tuple[int, Working]]) -> list[Entry]:
        """Reached orders in the order of execution, from (price or trigger, order) pairs."""
        return sorted(self.entry(px, working) for px, working in reached)

    def price_range(self) -> tuple[int, int] | None:
        """The lowest and highest price of all rows that make a price; None where rows are still to come."""
        ranges = [stream.price_range() for stream in self.streams]
        known = [each for each in ranges if each is not None]
        if not known or len(known) < len(ranges) or self.depth is not None:
            return None
        return min(low for low, _ in known), max(high for _, high in known)

    def last_row_ns(self) -> int | None:
        """The time of the latest row that matches orders; None before the first."""
        rows: list[Row | None] = [s.cursor.hand or s.cursor.row for s in self.streams if s.matches]
        return max((row.ts_ns for row in rows if row is not None), default=None)


def bar_path(bar: Bar, *, adaptive: bool) -> tuple[int, int, int, int]:
    """Open, high, low, close; adaptive visits the low first unless the high is nearer to the open."""
    if adaptive and abs(bar.high_raw - bar.open_raw) >= abs(bar.low_raw - bar.open_raw):
        return bar.open_raw, bar.low_raw, bar.high_raw, bar.close_raw
    return bar.open_raw, bar.high_raw, bar.low_raw, bar.close_raw
