"""The market as it stands: the current row of each stream, and the prices that follow from it.

A replay moves cursors; nothing is copied or computed per row. While a venue works on a row that the actors have not
seen yet, that row is *in hand*, and prices are those of the row in hand.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from libra_ray.messages.schemas import Bar, MarkPrice, Quote, Row, Trade
from libra_ray.model.identifiers import period_ns

__all__ = ["Cursor", "InstrumentRows", "MarketRows"]

R = TypeVar("R", bound=Row)


class Cursor(Generic[R]):
    """Where a replay stands in one stream.

    Attributes:
        row: the last row given to the actors; None before the first.
        hand: the row the venue works on before the actors see it; None otherwise.
        index: position of the latest of the two in its stream; meaningful whenever a venue or an actor's command runs.
    """

    __slots__ = ("hand", "index", "row")

    def __init__(self) -> None:
        self.row: R | None = None
        self.hand: R | None = None
        self.index = -1


class Top(Protocol):
    """A book with depth, as far as prices follow from it."""

    @property
    def bid(self) -> int | None:
        """The best bid, raw."""
        ...

    @property
    def ask(self) -> int | None:
        """The best ask, raw."""
        ...


class InstrumentRows:
    """The cursors of one instrument, and best prices by the rule of the simulated venue's book.

    Bid and ask come from the book with depth where the venue has one, else from quotes; without any quote so far,
    trades and bars set both to their price.
    """

    __slots__ = ("bars", "book", "built", "marks", "quotes", "step_px", "trades")

    def __init__(self) -> None:
        self.book: Top | None = None
        self.quotes: Cursor[Quote] | None = None
        self.trades: Cursor[Trade] | None = None
        self.bars: dict[str, Cursor[Bar]] = {}
        self.built: dict[str, Cursor[Bar]] = {}  # made by us of other rows: they make no price
        self.marks: Cursor[MarkPrice] | None = None
        self.step_px: int | None = None  # the price inside a bar, while the venue walks its path

    def bid_ask(self) -> tuple[int, int] | None:
        """Best bid and ask, raw; None before there is a price, or while a book has an empty side."""
        book = self.book
        if book is not None:
            bid, ask = book.bid, book.ask
            return None if bid is None or ask is None else (bid, ask)
        cursor = self.quotes
        if cursor is not None:
            quote = cursor.hand or cursor.row
            if quote is not None:
                return quote.bid_px_raw, quote.ask_px_raw
        last = self.last()
        return None if last is None else (last, last)

    def last(self) -> int | None:
        """The last traded price: of trades, else the close of the shortest bars; None before there is one."""
        if self.step_px is not None:
            return self.step_px
        cursor = self.trades
        if cursor is not None:
            trade = cursor.hand or cursor.row
            if trade is not None:
                return trade.price_raw
        for bars in self.bars.values():
            bar = bars.hand or bars.row
            if bar is not None:
                return bar.close_raw
        return None

    def mark_twice(self) -> int | None:
        """Twice the mark price, so that a mid stays an integer: last mark row, else mid, else last."""
        cursor = self.marks
        if cursor is not None:
            mark = cursor.hand or cursor.row
            if mark is not None:
                return 2 * mark.price_raw
        top = self.bid_ask()
        if top is not None:
            return top[0] + top[1]
        last = self.last()
        return None if last is None else 2 * last

    def opposite_px(self, *, is_buy: bool) -> int | None:
        """The best price that an order of that direction trades against; None where there is none."""
        book = self.book
        if book is not None:
            return book.ask if is_buy else book.bid
        top = self.bid_ask()
        return None if top is None else top[1 if is_buy else 0]

    def exit_px(self, quantity_raw: int) -> int | None:
        """What a position of that sign is valued at: the mark row, else bid for a long, ask for a short, else last."""
        marks = self.marks
        if marks is not None:
            mark = marks.hand or marks.row
            if mark is not None:
                return mark.price_raw
        if self.quotes is None and self.book is None:
            return self.last()
        px = self.opposite_px(is_buy=quantity_raw < 0)
        return self.last() if px is None else px

    def cursor_of_bars(self, period: str) -> Cursor[Bar]:
        """The cursor of that bar type, made at first sight; the shortest period stays first."""
        if period not in self.bars:
            self.bars[period] = Cursor[Bar]()
            self.bars = dict(sorted(self.bars.items(), key=lambda item: period_ns(item[0])))
        return self.bars[period]


class MarketRows:
    """The rows of all instruments; `of` gives those of one, made empty at first sight."""

    def __init__(self) -> None:
        self.by_instrument: defaultdict[str, InstrumentRows] = defaultdict(InstrumentRows)
        self.of: Callable[[str], InstrumentRows] = self.by_instrument.__getitem__

    def cursor_of_built(self, instrument_id: str, name: str) -> Cursor[Bar]:
        """The cursor of bars that the data engine makes, by their name, made at first sight."""
        return self.of(instrument_id).built.setdefault(name, Cursor[Bar]())
