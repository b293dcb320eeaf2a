"""The best bid and ask, and how much of the size shown there has been used up.

What an order takes is not there for any other order, nor for the same order again, until the market shows it anew:

- the same price and size as before: what was used stays used;
- the same price with another size: fresh;
- another price: the old level is remembered as standing behind a better one; it is forgotten once the price has moved
  past it, and keeps its used part if it becomes the best again with the size it had.
"""

from collections.abc import Sequence
from typing import TypeAlias

from libra_ray.matching.scan import Column

__all__ = ["L1Book", "L1Side", "Ladder"]

Ladder: TypeAlias = Sequence[tuple[int, int | None]]
"""(ticks beyond the best price, size there or None for all the rest): liquidity that L1 does not show."""


class L1Side:
    """One side. `sign` is +1 for bids (higher is better) and -1 for asks."""

    __slots__ = ("behind", "px", "sign", "size", "used")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.px: int | None = None
        self.size = 0
        self.used = 0
        self.behind: list[tuple[int, int, int]] = []  # (px, size, used) of levels behind the best, used > 0

    @property
    def is_fresh(self) -> bool:
        """Whether nothing is used and nothing remembered, so that the next row can simply replace what is here."""
        return self.used == 0 and not self.behind

    def show(self, px: int, size: int) -> None:
        """The market shows this best price and size."""
        if px == self.px:
            if size != self.size:
                self.size, self.used = size, 0
            return
        if self.is_fresh or self.px is None:
            self.px, self.size = px, size
            return
        sign = self.sign
        if (px - self.px) * sign > 0 and self.used:
            self.behind.append((self.px, self.size, self.used))
        used = 0
        kept: list[tuple[int, int, int]] = []
        for level in self.behind:
            if level[0] == px:
                used = level[2] if level[1] == size else 0
            elif (px - level[0]) * sign > 0:
                kept.append(level)
        self.behind = kept
        self.px, self.size, self.used = px, size, used


class L1Book:
    """Both sides. `consumes` False gives every order the whole displayed size in every step."""

    __slots__ = ("asks", "bids", "consumes", "tick")

    def __init__(self, tick: int, *, consumes: bool) -> None:
        self.bids = L1Side(1)
        self.asks = L1Side(-1)
        self.tick = tick
        self.consumes = consumes

    @property
    def is_fresh(self) -> bool:
        """Whether rows may be skipped without losing what was used."""
        return self.bids.is_fresh and self.asks.is_fresh

    def show(self, bid: int, ask: int, bid_size: int, ask_size: int) -> None:
        """A quote."""
        self.bids.show(bid, bid_size)
        self.asks.show(ask, ask_size)

    def replay(
        self,
        bid: Column,
        ask: Column,
        bid_size: Column,
        ask_size: Column,
        start: int,
        stop: int,
    ) -> None:
        """Quotes that nobody acted on, rows [start, stop): only the last counts once nothing is used any more."""
        for i in range(start, stop - 1):
            if self.is_fresh:
                break
            self.show(int(bid[i]), int(ask[i]), int(bid_size[i]), int(ask_size[i]))
        last = stop - 1
        self.show(int(bid[last]), int(ask[last]), int(bid_size[last]), int(ask_size[last]))

    def reset(self, px: int, size: int) -> None:
        """A bar step or a trade: both sides stand at `px`."""
        bids, asks = self.bids, self.asks
        bids.px = asks.px = px
        bids.size = asks.size = size
        bids.used = asks.used = 0
        if bids.behind or asks.behind:
            bids.behind.clear()
            asks.behind.clear()

    def shrink(self, qty: int) -> None:
        """A resting order got `qty` of the trade that made the book: neither side shows it any longer."""
        self.bids.size -= qty
        self.asks.size -= qty

    @property
    def bid(self) -> int | None:
        """The best bid, None before there is one."""
        return self.bids.px

    @property
    def ask(self) -> int | None:
        """The best ask, None before there is one."""
        return self.asks.px

    def opposite_px(self, *, is_buy: bool) -> int | None:
        """The best price that an order of that direction trades against."""
        return self.asks.px if is_buy else self.bids.px

    def available(self, *, is_buy: bool) -> int:
        """Displayed size that is still there for an order of that direction."""
        side = self.asks if is_buy else self.bids
        return side.size - side.used if self.consumes else side.size

    def displayed(self, px: int, *, is_bid: bool) -> int:
        """The size shown at a price; L1 knows the best one only."""
        side = self.bids if is_bid else self.asks
        return side.size if side.px == px else 0

    def use(self, px: int, qty: int, *, is_buy: bool) -> None:
        """Note that an order took `qty` at `px`, or as much as is displayed there: nothing beyond the best price."""
        side = self.asks if is_buy else self.bids
        if self.consumes and px == side.px:
            used = side.used + qty
            side.used = used if used < side.size else side.size  # noqa: FURB136 - a fifth of the time of min()

    def offers(
        self, leaves: int, limit: int | None, *, is_buy: bool, best_only: bool, ladder: Ladder = ((1, None),)
    ) -> list[tuple[int, int]]:
        """What a taker is given: (quantity, price) of each fill. Nothing is used until `use` says so.

        The available size at the best price first; then, L1 knowing no depth, the rest by `ladder`: (ticks beyond the
        best, size or None without limit), by default all of it one tick beyond, where the limit allows that price.
        `best_only` (IOC, FOK, market-to-limit) stops at the best level.
        """
        side = self.asks if is_buy else self.bids
        best = side.px
        if best is None or (limit is not None and (best > limit if is_buy else best < limit)):
            return []
        there = side.size - side.used if self.consumes else side.size
        if there >= leaves:
            return [(leaves, best)]
        fills = [(there, best)] if there > 0 else []
        if not best_only:
            fills += self.beyond(leaves - max(there, 0), limit, is_buy=is_buy, ladder=ladder)
        return fills

    def beyond(
        self, leaves: int, limit: int | None, *, is_buy: bool, ladder: Ladder = ((1, None),)
    ) -> list[tuple[int, int]]:
        """What a taker is given beyond the best price, by `ladder`."""
        best = (self.asks if is_buy else self.bids).px
        fills: list[tuple[int, int]] = []
        if best is None:
            return fills
        for ticks, size in ladder:
            px = best + ticks * self.tick if is_buy else best - ticks * self.tick
            if leaves <= 0 or (limit is not None and (px > limit if is_buy else px < limit)):
                break
            taken = leaves if size is None else min(leaves, size)
            fills.append((taken, px))
            leaves -= taken
        return fills
