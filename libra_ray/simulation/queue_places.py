"""Places in the queue at a price: how much of the displayed size must trade before one of our orders does."""

from typing import Literal

from libra_ray.matching.queue import after_fall_prob, after_size
from libra_ray.simulation.market import Market
from libra_ray.simulation.working import Working

__all__ = ["QueuePlaces"]


class QueuePlaces:
    """The queue model of a venue: `none` puts our order first, `fifo` last, `prob` lets cancels come from both sides.

    A book by order (L3) with `fifo` is exact: what is ahead are the book's own orders that came before.
    """

    def __init__(self, model: Literal["none", "fifo", "prob"], power: int) -> None:
        self.is_on = model != "none"
        self._is_fifo = model == "fifo"
        self._power = power

    def join(self, working: Working) -> None:
        """A resting order takes its place at the back."""
        market, px = working.market, working.price
        is_bid = working.order.is_buy
        working.traded = 0
        if self._counts_orders(market):
            assert market.depth is not None  # noqa: S101  # a book by order has depth
            working.arrivals = market.depth.arrivals
            working.version = market.depth.version(px, is_bid=is_bid)
        else:
            working.ahead = working.shown = market.book.displayed(px, is_bid=is_bid)

    def ahead_of(self, working: Working) -> int:
        """What is before the order now."""
        market: Market = working.market
        if not self._counts_orders(market):
            return working.ahead
        depth, px, is_bid = market.depth, working.price, working.order.is_buy
        assert depth is not None  # noqa: S101
        if depth.version(px, is_bid=is_bid) != working.version:
            working.version, working.traded = depth.version(px, is_bid=is_bid), 0
        return max(depth.ahead_of(px, working.arrivals, is_bid=is_bid) - working.traded, 0)

    def on_trade(self, working: Working, volume: int) -> int:
        """A trade of `volume` at the order's price; how much of it can be ours."""
        ahead = self.ahead_of(working)
        working.traded += volume
        working.ahead = max(ahead - volume, 0)
        return max(volume - ahead, 0)

    def on_row(self, market: Market) -> None:
        """A row has shown sizes: nobody has more ahead than is there."""
        if self._counts_orders(market):
            return
        for working in market.working.values():
            if working.rests:
                shown = self._shown(market, working)
                if shown is not None:
                    self._show(market, working, shown)

    def _show(self, market: Market, working: Working, shown: int) -> None:
        if self._is_fifo:
            working.ahead = after_size(working.ahead, shown)
        else:
            step = market.instrument.step_raw
            working.ahead = after_fall_prob(working.ahead, working.shown, shown, working.traded, self._power, step)
        working.shown, working.traded = shown, 0

    @staticmethod
    def _shown(market: Market, working: Working) -> int | None:
        """The size displayed at the order's price; None where an L1 book shows a better one and so says nothing."""
        px, is_bid = working.price, working.order.is_buy
        if market.depth is None:
            best = market.book.bid if is_bid else market.book.ask
            if best is None or (best > px if is_bid else best < px):
                return None
        return market.book.displayed(px, is_bid=is_bid)

    def _counts_orders(self, market: Market) -> bool:
        return self._is_fifo and market.depth is not None and market.depth.by_order
