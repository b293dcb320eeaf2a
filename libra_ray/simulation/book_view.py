"""The book as a handler sees it: best prices and levels as they stand at the message in hand."""

from libra_ray.matching import DepthBook
from libra_ray.messages.schemas import RowSpec
from libra_ray.model.identifiers import InstrumentId
from libra_ray.model.numbers import Price, Quantity

__all__ = ["OrderBook"]


class OrderBook:
    """Read-only, and alive: it always shows the present state. Keep numbers of it, not the object.

    Attributes:
        ts_ns, ts_event_ns: the times of the message that was applied last.
    """

    __slots__ = ("_book", "_spec", "ts_event_ns", "ts_ns")

    def __init__(self, book: DepthBook, spec: RowSpec) -> None:
        self._book, self._spec = book, spec
        self.ts_ns = self.ts_event_ns = 0

    @property
    def instrument_id(self) -> InstrumentId:
        """Whose book this is."""
        return self._spec.instrument_id

    @property
    def bid_px_raw(self) -> int | None:
        """Best bid, raw; None where that side is empty."""
        return self._book.bid

    @property
    def ask_px_raw(self) -> int | None:
        """Best ask, raw; None where that side is empty."""
        return self._book.ask

    @property
    def is_two_sided(self) -> bool:
        """Whether there is a bid and an ask."""
        return self._book.bid is not None and self._book.ask is not None

    @property
    def bid_qty_raw(self) -> int:
        """The size shown at the best bid, raw; 0 where that side is empty."""
        px = self._book.bid
        return 0 if px is None else self._book.displayed(px, is_bid=True)

    @property
    def ask_qty_raw(self) -> int:
        """The size shown at the best ask, raw; 0 where that side is empty."""
        px = self._book.ask
        return 0 if px is None else self._book.displayed(px, is_bid=False)

    @property
    def bid_px_f(self) -> float | None:
        """Best bid as a float; None where that side is empty."""
        px = self._book.bid
        return None if px is None else px / 10.0**self._spec.price_precision

    @property
    def ask_px_f(self) -> float | None:
        """Best ask as a float; None where that side is empty."""
        px = self._book.ask
        return None if px is None else px / 10.0**self._spec.price_precision

    @property
    def bid_px(self) -> Price | None:
        """Best bid."""
        px = self._book.bid
        return None if px is None else Price(px, self._spec.price_precision)

    @property
    def ask_px(self) -> Price | None:
        """Best ask."""
        px = self._book.ask
        return None if px is None else Price(px, self._spec.price_precision)

    def bids(self, count: int) -> list[tuple[Price, Quantity]]:
        """(price, size) of the best `count` bids, best first."""
        return self._levels(count, is_bid=True)

    def asks(self, count: int) -> list[tuple[Price, Quantity]]:
        """(price, size) of the best `count` asks, best first."""
        return self._levels(count, is_bid=False)

    def size_at(self, px_raw: int, *, is_bid: bool) -> Quantity:
        """What is shown at a price."""
        return Quantity(self._book.displayed(px_raw, is_bid=is_bid), self._spec.size_precision)

    def _levels(self, count: int, *, is_bid: bool) -> list[tuple[Price, Quantity]]:
        spec = self._spec
        return [
            (Price(px, spec.price_precision), Quantity(size, spec.size_precision))
            for px, size in self._book.levels(is_bid=is_bid, count=count)
        ]
