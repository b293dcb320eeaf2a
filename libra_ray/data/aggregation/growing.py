"""A bar in the making, and how rows of each type add to it."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from libra_ray.messages.schemas import Bar, Quote, RowSpec, Trade
from libra_ray.model.rules.fixed_point import div_half_even

__all__ = ["Growing", "Piece", "Reader", "reader_of"]

Piece: TypeAlias = tuple[int, int, int, int, int]
"""What a row adds, raw: open, high, low, close (of a tick four times its price) and quantity."""
Reader: TypeAlias = Callable[[Any], Piece]


class Growing:
    """The open bar of one builder.

    Attributes:
        volume_raw: what it has collected so far.
        is_empty: no row since the last bar; prices are then those of that bar.
    """

    __slots__ = ("close_raw", "high_raw", "is_empty", "low_raw", "open_raw", "spec", "volume_raw")

    def __init__(self, spec: RowSpec) -> None:
        self.spec = spec
        self.open_raw = self.high_raw = self.low_raw = self.close_raw = 0
        self.volume_raw = 0
        self.is_empty = True

    def add(self, piece: Piece) -> None:
        """Take a row's prices and quantity in."""
        open_raw, high_raw, low_raw, self.close_raw, qty_raw = piece
        if self.is_empty:
            self.open_raw, self.high_raw, self.low_raw = open_raw, high_raw, low_raw
            self.is_empty = False
        else:
            if high_raw > self.high_raw:  # noqa: PLR1730 - a third of the time of max(), once a row
                self.high_raw = high_raw
            if low_raw < self.low_raw:  # noqa: PLR1730 - as above
                self.low_raw = low_raw
        self.volume_raw += qty_raw

    def take(self, ts_ns: int, ts_event_ns: int) -> Bar:
        """The bar as it is, and begin the next. An empty one stands at the last close with volume 0."""
        if self.is_empty:
            self.open_raw = self.high_raw = self.low_raw = self.close_raw
        prices = (self.open_raw, self.high_raw, self.low_raw, self.close_raw)
        bar = Bar(self.spec, ts_ns, ts_event_ns, *prices, self.volume_raw)
        self.drop()
        return bar

    def drop(self) -> None:
        """Begin the next bar without giving this one."""
        self.volume_raw = 0
        self.is_empty = True


def _of_bid(quote: Quote) -> Piece:
    price = quote.bid_px_raw
    return price, price, price, price, quote.bid_qty_raw


def _of_ask(quote: Quote) -> Piece:
    price = quote.ask_px_raw
    return price, price, price, price, quote.ask_qty_raw


def _of_mid(quote: Quote) -> Piece:
    price = div_half_even(quote.bid_px_raw + quote.ask_px_raw, 2)
    return price, price, price, price, (quote.bid_qty_raw + quote.ask_qty_raw) // 2


def _of_trade(trade: Trade) -> Piece:
    price = trade.price_raw
    return price, price, price, price, trade.qty_raw


def _of_bar(bar: Bar) -> Piece:
    return bar.open_raw, bar.high_raw, bar.low_raw, bar.close_raw, bar.volume_raw


_READERS: Final[dict[str, Reader]] = {"BID": _of_bid, "ASK": _of_ask, "MID": _of_mid, "LAST": _of_trade}


def reader_of(source: str) -> Reader:
    """How rows of a price source are read; of any other name, which is that of smaller bars."""
    return _READERS.get(source, _of_bar)
