"""The book with depth that a venue works with: L2 by price or L3 by order, and a scout that runs ahead of it.

What an order takes is not there for any other order, nor for the same order again, until a row changes it. Standard
precision runs compiled over int64 arrays; `wide` runs the same texts over Python's own integers.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import numpy as np

from libra_ray.matching import depth, depth_by_order, depth_by_price
from libra_ray.matching.depth import ASKS, BEST_TICKS, BIDS, PAGES, SIZE, USED, VERSION, Ints
from libra_ray.matching.depth_by_order import ARRIVALS, ROOM
from libra_ray.matching.forms import interpreted
from libra_ray.matching.scan import Column

__all__ = ["NONE_PX", "NONE_PX_WIDE", "DepthBook", "ScoutBook"]

NONE_PX: Final = 2**62
"""What a scout writes as the ask of an empty side, and its negative as the bid; no price is as large."""
NONE_PX_WIDE: Final = 2**127
"""The same in high precision, where |raw| stays below 10^38."""
FIRST_PAGES: Final = 32
FIRST_ORDERS: Final = 256
FIRST_OFFERS: Final = 32

F = TypeVar("F", bound=Callable[..., Any])


class _Depth:
    """The columns of a book and the rows that fill them, with more room as it is needed."""

    def __init__(self, tick: int, *, by_order: bool, wide: bool) -> None:
        if tick < 1:
            raise ValueError(tick)
        self.tick = tick
        self.by_order = by_order
        self.wide = wide
        self.none_px = NONE_PX_WIDE if wide else NONE_PX
        self._book = self._column(*depth.header(tick, FIRST_PAGES))
        self._orders = self._column(*depth_by_order.orders_header(FIRST_ORDERS if by_order else 1, self.none_px))
        self._apply_levels = self._form(depth_by_price.apply_levels)
        self._apply_orders = self._form(depth_by_order.apply_orders)
        self._replace = self._form(depth_by_price.replace_levels)

    @property
    def pages_max(self) -> int:
        """How many pages of prices a side has room for: what the book costs in memory."""
        return int(self._book[PAGES])

    def apply(
        self, action: Column, side: Column, price: Column, qty: Column, order_id: Column, start: int, stop: int
    ) -> None:
        """Apply the deltas of rows [start, stop). Raises `ValueError` at a price that is no multiple of the tick."""
        if self.wide:
            action, side, price, qty, order_id = _ints(start, stop, action, side, price, qty, order_id)
            start, stop = 0, stop - start
        row = start
        while True:
            if self.by_order:
                row, bid_at, ask_at = self._apply_orders(
                    self._book, self._orders, action, side, price, qty, order_id, row, stop
                )
            else:
                row, bid_at, ask_at = self._apply_levels(self._book, action, side, price, qty, row, stop)
            if row == stop:
                break
            self._make_room(int(price[row]))
        self._note(bid_at, ask_at)

    def replace(self, side: Column, price: Column, qty: Column, start: int, stop: int) -> None:
        """Apply the snapshot in rows [start, stop): what it does not show is gone, what it repeats keeps its used part.

        Raises `TypeError` for a book by order, which a snapshot by price cannot fill.
        """
        if self.by_order:
            raise TypeError("a book by order takes no snapshots")
        if self.wide:
            side, price, qty = _ints(start, stop, side, price, qty)
            start, stop = 0, stop - start
        since = int(self._book[VERSION])
        row = start
        while True:
            row, bid_at, ask_at = self._replace(self._book, side, price, qty, row, stop, since)
            if row == stop:
                break
            self._make_room(int(price[row]))
        self._note(bid_at, ask_at)

    def _note(self, bid_at: int, ask_at: int) -> None:
        """Hear where the best levels are now; 0 where there is none."""

    def _make_room(self, px: int) -> None:
        """Exchange what is full for more room. Raises where the row at `px` was refused for another reason."""
        book, orders = self._book, self._orders
        if px % self.tick:
            raise ValueError(f"the price {px} is no multiple of the tick {self.tick}")
        if depth.is_full(book):
            self._book = self._column(*depth.header(self.tick, depth.pages_of_next(book)))
            self._form(depth.copy_levels)(book, self._book)
        elif self.by_order and not self._form(depth_by_order.has_room)(book, orders):
            self._orders = self._column(*depth_by_order.orders_header(2 * int(orders[ROOM]), self.none_px))
            self._form(depth_by_order.copy_orders)(orders, self._orders)
        else:
            raise OverflowError(f"the sizes at {px} add up to more than {self.none_px}")

    def _column(self, head: list[int], length: int) -> Ints:
        return depth.column(head, length, wide=self.wide)

    def _form(self, function: F) -> F:
        """The function as this book runs it."""
        return interpreted(function) if self.wide else function


class DepthBook(_Depth):
    """Both sides. `bid` and `ask` are the best prices. `consumes` False gives every order the whole displayed size.

    Sums of sizes end at 2^62 in standard precision, which is more than any order.
    """

    def __init__(self, tick: int, *, by_order: bool, consumes: bool, wide: bool) -> None:
        super().__init__(tick, by_order=by_order, wide=wide)
        self.consumes = consumes
        self.bid: int | None = None
        self.ask: int | None = None
        self._bid_at = self._ask_at = 0
        self._offers = self._column([], 2 * FIRST_OFFERS)
        self._level = self._form(depth.level)
        self._walk = self._form(depth.walk)
        self._sum_within = self._form(depth.sum_within)

    @property
    def arrivals(self) -> int:
        """How many orders of the book were put at the back of a queue so far."""
        return int(self._orders[ARRIVALS])

    def opposite_px(self, *, is_buy: bool) -> int | None:
        """The best price that an order of that direction trades against."""
        return self.ask if is_buy else self.bid

    def available(self, *, is_buy: bool) -> int:
        """What an order of that direction may take at the opposite best; 0 when empty or used up."""
        at = self._ask_at if is_buy else self._bid_at
        return self._available(at) if at else 0

    def available_within(self, limit: int | None, *, is_buy: bool) -> int:
        """What an order of that direction may take at `limit` and better."""
        side = ASKS if is_buy else BIDS
        return int(self._sum_within(self._book, side, limit is not None, limit or 0, self.none_px, self.consumes))

    def offers(self, leaves: int, limit: int | None, *, is_buy: bool, best_only: bool) -> list[tuple[int, int]]:
        """What a taker is given: (quantity, price) level by level. Nothing is used until `use` says so.

        `best_only` stops at the best level displayed, also where that is used up.
        """
        side, limited = ASKS if is_buy else BIDS, limit is not None
        while True:
            out = self._offers
            count = self._walk(self._book, side, leaves, limited, limit or 0, best_only, self.consumes, out)
            if count >= 0:
                break
            self._offers = self._column([], 2 * len(out))
        return [(int(out[i]), int(out[i + 1])) for i in range(0, count, 2)]

    def use(self, px: int, qty: int, *, is_buy: bool) -> None:
        """Note that an order took `qty` at `px`, or as much of it as is there, the oldest orders of a level first."""
        side = ASKS if is_buy else BIDS
        at = self._at(side, px) if self.consumes else 0
        if not at:
            return
        if self.by_order:
            self._form(depth_by_order.use_orders)(self._book, self._orders, at, qty)
        else:
            self._book[at + USED] += min(qty, self._available(at))

    def displayed(self, px: int, *, is_bid: bool) -> int:
        """The size shown at a price."""
        at = self._at(BIDS if is_bid else ASKS, px)
        return int(self._book[at + SIZE]) if at else 0

    def used(self, px: int, *, is_bid: bool) -> int:
        """How much of the size shown at a price is used up."""
        at = self._at(BIDS if is_bid else ASKS, px)
        return int(self._book[at + USED]) if at else 0

    def levels(self, *, is_bid: bool, count: int) -> list[tuple[int, int]]:
        """(price, displayed size) of the first `count` levels, best first."""
        side, found = BIDS if is_bid else ASKS, list[tuple[int, int]]()
        next_level, price_at = self._form(depth.next_level), self._form(depth.price_at)
        at = self._bid_at if is_bid else self._ask_at
        while at and len(found) < count:
            found.append((int(price_at(self._book, side, at)), int(self._book[at + SIZE])))
            at = next_level(self._book, side, at)
        return found

    def version(self, px: int, *, is_bid: bool) -> int:
        """A number that every delta at that price changes."""
        return int(self._form(depth.version)(self._book, BIDS if is_bid else ASKS, px))

    def ahead_of(self, px: int, arrivals_before: int, *, is_bid: bool) -> int:
        """The sizes displayed at `px` of the book's orders that were queued before `arrivals` had that value."""
        at = self._at(BIDS if is_bid else ASKS, px)
        if not at:
            return 0
        return int(self._form(depth_by_order.ahead_of)(self._book, self._orders, at, arrivals_before))

    def _note(self, bid_at: int, ask_at: int) -> None:
        self._bid_at, self._ask_at = bid_at, ask_at
        self.bid = int(self._book[BIDS + BEST_TICKS]) * self.tick if bid_at else None
        self.ask = int(self._book[ASKS + BEST_TICKS]) * self.tick if ask_at else None

    def _at(self, side: int, px: int) -> int:
        """The position of a level; 0 for a price never seen."""
        ticks, off_grid = divmod(px, self.tick)
        return 0 if off_grid else self._level(self._book, side, ticks)

    def _available(self, at: int) -> int:
        size = int(self._book[at + SIZE])
        return size - int(self._book[at + USED]) if self.consumes else size


class ScoutBook(_Depth):
    """A book that runs ahead of the venue's to tell where the best prices will be. Nobody trades against it."""

    def __init__(self, tick: int, *, by_order: bool, wide: bool) -> None:
        super().__init__(tick, by_order=by_order, wide=wide)
        self._top = self._column([-self.none_px, self.none_px, 0, 0, self.none_px], 5)

    def bbo_columns(
        self,
        action: Column,
        side: Column,
        price: Column,
        qty: Column,
        order_id: Column,
        flags: Column,
        start: int,
        stop: int,
    ) -> tuple[Ints, Ints, Ints, Ints]:
        """Apply rows [start, stop): best bid, best ask and their sizes after each, for the rows of [start, stop).

        A message counts at its last row (`flags`); the rows before it repeat the values before. An empty side is
        `-none_px` as a bid, `none_px` as an ask, with size 0. One pass, O(rows).
        """
        bid, ask, bid_size, ask_size = (self._column([], stop - start) for _ in range(4))
        out = (self._top, bid, ask, bid_size, ask_size)
        shift = start
        if self.wide:
            action, side, price, qty, order_id, flags = _ints(start, stop, action, side, price, qty, order_id, flags)
            start, stop, shift = 0, stop - start, 0
        levels, orders = self._form(depth_by_price.scout_levels), self._form(depth_by_order.scout_orders)
        row = start
        while True:
            if self.by_order:
                rows = (action, side, price, qty, order_id, flags, row, stop)
                row = int(orders(self._book, self._orders, *rows, *out, shift))
            else:
                row = int(levels(self._book, action, side, price, qty, flags, row, stop, *out, shift))
            if row == stop:
                return bid, ask, bid_size, ask_size
            self._make_room(int(price[row]))

    def _note(self, bid_at: int, ask_at: int) -> None:  # noqa: ARG002 - the top has sizes too
        """What came without flags was whole messages."""
        self._form(depth_by_price.note_top)(self._book, self._top)


def _ints(start: int, stop: int, *columns: Column) -> list[list[int]]:
    """Rows [start, stop) of each column as Python integers."""
    parts = (column[start:stop] for column in columns)
    return [part.tolist() if isinstance(part, np.ndarray) else list(part) for part in parts]
