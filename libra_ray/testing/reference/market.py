"""One instrument's market: book, last and mark price, and what they say to orders (orders 2, matching 2)."""

from decimal import Decimal
from typing import Final

from libra_ray.testing.reference.book import Book, Level, LevelBook, OrderBook, TopBook
from libra_ray.testing.reference.document import Instrument, Options
from libra_ray.testing.reference.orders import OPPOSITE, Order

__all__ = ["Market"]

HALF: Final = Decimal("0.5")


class Market:
    """One instrument.

    Attributes:
        is_quoted: a quote was seen, so trades and bars no longer set bid and ask.
        bars_execute: bars are the only source (matching 4: where there is another too, bars do not execute).
        is_inside_bar: one of the four steps of a bar is being made.
        step_no: counts matching steps; an order that enters in one takes part from the next on.
    """

    def __init__(self, instrument: Instrument, options: Options, *, has_other: bool, has_trades: bool) -> None:
        self.instrument, self.options = instrument, options
        self.book: Book
        self.top = TopBook()
        self.levels = LevelBook()
        self.by_order = OrderBook()
        if options.book == "L1":
            self.book = self.top
        else:
            self.book = self.levels if options.book == "L2" else self.by_order
        self.is_quoted = False
        self.bars_execute = options.bar_execution and options.book == "L1" and not has_other
        self.has_trades = has_trades
        self.last: Decimal | None = None
        self.mark_row: Decimal | None = None
        self.is_inside_bar = False
        self.step_no = 0
        self.session_seen: int | None = None
        self.is_expired = False

    # ---------------------------------------------------------------------- prices

    def level(self, side: str) -> Level | None:
        """The best level of a side of the book."""
        return self.book.best(side)

    def best(self, side: str) -> Decimal | None:
        """The best price of a side of the book."""
        level = self.book.best(side)
        return None if level is None else level.price

    def opposite(self, order_side: str) -> Decimal | None:
        """Orders 2: ask for BUY, bid for SELL."""
        return self.best(OPPOSITE[order_side])

    @property
    def mid(self) -> Decimal | None:
        """(bid + ask) / 2."""
        bid, ask = self.best("BID"), self.best("ASK")
        return None if bid is None or ask is None else (bid + ask) * HALF

    @property
    def mid_or_last(self) -> Decimal | None:
        """The mid, else the last price."""
        return self.mid if self.mid is not None else self.last

    @property
    def mark(self) -> Decimal | None:
        """Matching 2: the last mark row, else the mid, else the last price."""
        return self.mark_row if self.mark_row is not None else self.mid_or_last

    def opposite_or_last(self, order_side: str) -> Decimal | None:
        """The opposite best, else the last price."""
        price = self.opposite(order_side)
        return self.last if price is None else price

    def source(self, order: Order) -> Decimal | None:
        """Orders 2: the price that an order's trigger is held against."""
        kind = order.trigger_type
        if kind == "LAST_PRICE":
            return self.last
        if kind == "MID_POINT":
            return self.mid
        if kind == "MARK_PRICE":
            return self.mark
        return self.opposite(order.side)

    # ---------------------------------------------------------------------- tests (orders 2)

    def is_hit(self, order: Order, trigger: Decimal | None = None) -> bool:
        """The stop or touch test, with the order's trigger or another."""
        trigger, source = order.trigger if trigger is None else trigger, self.source(order)
        if trigger is None or source is None:
            return False
        return source <= trigger if order.falls else source >= trigger

    def is_marketable(self, order: Order, price: Decimal | None = None, at: Decimal | None = None) -> bool:
        """BUY limit >= ask, SELL limit <= bid; `at` stands for the opposite best inside a bar."""
        price, opposite = order.price if price is None else price, self.opposite(order.side) if at is None else at
        if price is None or opposite is None:
            return False
        return price >= opposite if order.side == "BUY" else price <= opposite

    @property
    def waits_for_open(self) -> bool:
        """Matching 4, next_open: between two bars nothing executes."""
        return self.bars_execute and self.options.bar_fill == "next_open" and not self.is_inside_bar

    # ---------------------------------------------------------------------- what an order can take

    def available(self, level: Level, taken: Decimal) -> Decimal:
        """Displayed - used, or, with liquidity_consumption off, displayed - what this order took in this step."""
        return level.unused if self.options.liquidity_consumption else level.displayed - taken
