"""One instrument at the simulated venue: its book, the orders that work on it, what a step of the market reaches."""

from collections.abc import Iterable
from typing import Final, Literal

from libra_ray.matching import L1Book
from libra_ray.messages.schemas import Bar, Quote, Trade
from libra_ray.model.enums import OrderType, TriggerType
from libra_ray.model.instruments import Instrument
from libra_ray.model.orders import TRIGGER_TYPES, Order
from libra_ray.portfolio import InstrumentRows
from libra_ray.simulation.stream_state import Reach, StreamState

__all__ = ["Market", "Working"]

BAR_STEPS: Final = 4
_BETWEEN: Final = (TriggerType.MID_POINT, TriggerType.MARK_PRICE)
_SIZES: Final = ("bid_qty", "ask_qty")


class Working:
    """An order at the venue.

    Attributes:
        seq: time priority; a new one is given where priority is lost.
        waits: a stop that has not been hit.
        pending: a bar venue's order that executes at the next open.
    """

    __slots__ = ("order", "pending", "seq", "waits")

    def __init__(self, order: Order, seq: int) -> None:
        self.order = order
        self.seq = seq
        self.waits = order.type in TRIGGER_TYPES
        self.pending = False

    @property
    def price(self) -> int:
        """The limit, raw; asked only of orders that have one."""
        px = self.order.price_raw
        assert px is not None  # noqa: S101  # limit types without a price are denied
        return px

    @property
    def trigger(self) -> int:
        """The trigger, raw; asked only of stops."""
        px = self.order.trigger_raw
        assert px is not None  # noqa: S101  # stops without a trigger are denied
        return px


class Market:
    """Book and orders of one instrument.

    Attributes:
        source: what makes the book: quotes as soon as there is one, before that trades or bars.
        working: orders that rest, wait for a trigger or are pending, by client order id, in order of acceptance.
    """

    def __init__(self, instrument: Instrument, rows: InstrumentRows, *, consumes: bool) -> None:
        self.instrument = instrument
        self.rows = rows
        self.book = L1Book(instrument.tick_raw, consumes=consumes)
        self.working: dict[str, Working] = {}
        self.pending: list[Working] = []
        self._reach: Reach | None = None
        self.streams: list[StreamState] = []
        self.quotes: StreamState | None = None
        self.trades: StreamState | None = None
        self.bars: StreamState | None = None
        self.source: Literal["none", "quotes", "trades", "bars"] = "none"
        self._book_index = -1

    # ------------------------------------------------------------------ the book

    @property
    def is_bars_only(self) -> bool:
        """Whether bars make the market, so that orders between two bars wait for the next open."""
        return self.bars is not None and self.quotes is None and self.trades is None

    def stand_at_latest(self) -> L1Book:
        """The book as of the latest row. Rows that nobody acted on are caught up with here, not one by one."""
        quotes = self.quotes
        if quotes is not None and quotes.cursor.index >= 0:
            index = quotes.cursor.index
            if self.source != "quotes":
                self.source, self._book_index = "quotes", index
                self.book = L1Book(self.instrument.tick_raw, consumes=self.book.consumes)
                self._show_quote(quotes)
            elif index > self._book_index:
                if self.book.is_fresh or index == self._book_index + 1:
                    self._show_quote(quotes)
                else:
                    prices, sizes = (quotes.column("bid_px"), quotes.column("ask_px")), _SIZES
                    bid_qty, ask_qty = (quotes.column(name) for name in sizes)
                    self.book.replay(*prices, bid_qty, ask_qty, self._book_index + 1, index + 1)
                self._book_index = index
            return self.book
        state = self.trades or self.bars
        if state is not None and state.cursor.index > self._book_index:
            self._book_index = state.cursor.index
            row = state.cursor.hand or state.cursor.row
            if isinstance(row, Trade):
                self.source = "trades"
                self.book.reset(row.price_raw, row.qty_raw)
            elif isinstance(row, Bar):
                self.source = "bars"
                self.book.reset(row.close_raw, bar_sizes(row.volume_raw, self.instrument.step_raw)[-1])
        return self.book

    def _show_quote(self, quotes: StreamState) -> None:
        row = quotes.cursor.hand or quotes.cursor.row
        assert isinstance(row, Quote)  # noqa: S101  # the cursor of quotes holds quotes
        self.book.show(row.bid_px_raw, row.ask_px_raw, row.bid_qty_raw, row.ask_qty_raw)

    def stands_at_row_in_hand(self, index: int) -> None:
        """A bar's steps or a trade have set the book themselves."""
        self._book_index = index

    def forget_book(self) -> None:
        """The book is made again from the latest row when somebody asks for it."""
        self._book_index = -1

    # ------------------------------------------------------------------ orders

    def add(self, working: Working) -> None:
        """An order begins to work, or works on in another way."""
        self.working[working.order.client_order_id] = working
        if not working.pending:
            self.changed()

    def hold(self, working: Working) -> None:
        """An order waits for the next open."""
        working.pending = True
        self.pending.append(working)

    def remove(self, working: Working) -> None:
        """An order works no longer. Nothing needs to be looked at again: the horizon of the others stays true."""
        self.working.pop(working.order.client_order_id, None)
        self._reach = None
        if working.pending:
            self.pending.remove(working)
            working.pending = False

    def changed(self) -> None:
        """Orders are new or other than before: look ahead anew."""
        self._reach = None
        for stream in self.streams:
            stream.forget_horizon()

    @property
    def reach(self) -> Reach:
        """The nearest prices at which orders are reached."""
        if self._reach is None:
            self._reach = self._reach_now()
        return self._reach

    def _reach_now(self) -> Reach:
        reach = Reach()
        for working in self.working.values():
            order = working.order
            if working.pending:
                continue
            if working.waits:
                self._reach_stop(reach, order, working.trigger)
            elif order.is_buy:
                reach.ask_fall = max(reach.ask_fall, working.price)
            else:
                reach.bid_rise = min(reach.bid_rise, working.price)
        return reach

    @staticmethod
    def _reach_stop(reach: Reach, order: Order, trigger: int) -> None:
        """Where a stop may be hit. A mid is covered by the outer of bid and ask, whichever that is."""
        either = order.trigger_type in _BETWEEN
        if order.is_buy:
            reach.ask_rise = min(reach.ask_rise, trigger)
            if either:
                reach.bid_rise = min(reach.bid_rise, trigger)
        else:
            reach.bid_fall = max(reach.bid_fall, trigger)
            if either:
                reach.ask_fall = max(reach.ask_fall, trigger)

    # ------------------------------------------------------------------ what a step reaches

    def stop_is_hit(self, order: Order, trigger: int, *, trade_px: int | None = None) -> bool:
        """Whether the price that a stop looks at has reached its trigger. `trade_px`: the trade row in hand."""
        source = order.trigger_type
        if source is TriggerType.LAST_PRICE:
            px = trade_px if trade_px is not None else self.rows.last()
            return px is not None and (px >= trigger if order.is_buy else px <= trigger)
        if source is TriggerType.MARK_PRICE:
            twice = self.rows.mark_twice()
            return twice is not None and (twice >= 2 * trigger if order.is_buy else twice <= 2 * trigger)
        bid, ask = self.book.bids.px, self.book.asks.px
        if bid is None or ask is None:
            return False
        if source is TriggerType.MID_POINT:
            return bid + ask >= 2 * trigger if order.is_buy else bid + ask <= 2 * trigger
        return ask >= trigger if order.is_buy else bid <= trigger

    def looks_at_mark(self, order: Order) -> bool:
        """Whether the order's trigger is held against mark rows, so that no other row can hit it."""
        marks = self.rows.marks
        return order.trigger_type is TriggerType.MARK_PRICE and marks is not None and marks.index >= 0

    def in_priority(self, reached: Iterable[tuple[int, Working]]) -> list[Working]:
        """Reached orders in the order of execution, from (price or trigger, order) pairs.

        First those reached by a fall (buy limits, sell stops), highest first, then those reached by a rise, lowest
        first; ties by time priority.
        """
        falls: list[tuple[int, int, Working]] = []
        rises: list[tuple[int, int, Working]] = []
        for px, working in reached:
            if working.order.is_buy is not working.waits:
                falls.append((-px, working.seq, working))
            else:
                rises.append((px, working.seq, working))
        falls.sort(key=_price_then_time)
        rises.sort(key=_price_then_time)
        return [entry[2] for entry in (*falls, *rises)]


def _price_then_time(entry: tuple[int, int, Working]) -> tuple[int, int]:
    return entry[0], entry[1]


def bar_sizes(volume_raw: int, step_raw: int) -> tuple[int, int]:
    """How much a bar's first three steps show each, and its close.

    A quarter of the volume, down to the size step, at least one; the close gets the rest, at least one.
    """
    quarter = volume_raw // BAR_STEPS // step_raw * step_raw or step_raw
    return quarter, max(volume_raw - 3 * quarter, step_raw)


def bar_path(bar: Bar, *, adaptive: bool) -> tuple[int, int, int, int]:
    """Open, high, low, close; adaptive visits the low first unless the high is nearer to the open."""
    if adaptive and abs(bar.high_raw - bar.open_raw) >= abs(bar.low_raw - bar.open_raw):
        return bar.open_raw, bar.low_raw, bar.high_raw, bar.close_raw
    return bar.open_raw, bar.high_raw, bar.low_raw, bar.close_raw


def is_market_type(order: Order) -> bool:
    """Whether it executes at any price, once it executes."""
    return order.type is OrderType.MARKET or order.type is OrderType.STOP_MARKET
