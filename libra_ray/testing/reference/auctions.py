"""Opening and closing auctions (matching 9)."""

from collections.abc import Callable
from decimal import Decimal

from libra_ray.testing.reference.market import Market
from libra_ray.testing.reference.orders import Order, Place
from libra_ray.testing.reference.state import State
from libra_ray.testing.reference.venue import Venue

__all__ = ["Auctions"]


class Auctions:
    """Orders with AT_THE_OPEN and AT_THE_CLOSE."""

    def __init__(self, state: State, venue: Venue) -> None:
        self.state, self.venue = state, venue

    def open(self, market: Market, price: Decimal | None) -> None:
        """At the first row of a session, before all else; `price` None: the bid or ask of the book."""
        session = self.venue.sessions.of_row(self.state.now, is_bar=market.is_inside_bar)
        if session is None or market.session_seen == session:
            return
        market.session_seen = session
        self._execute(self._waiting("AT_THE_OPEN", market), lambda order: price or market.opposite(order.side))

    def close(self, ts: int) -> None:
        """At the close of a session, after all rows of that ts, at the last ask or bid (trades and bars set both)."""
        waiting = [order for order in self._waiting("AT_THE_CLOSE", None) if order.closes_at == ts]
        self._execute(waiting, lambda order: self.state.market(order).opposite(order.side))

    def _waiting(self, tif: str, market: Market | None) -> list[Order]:
        orders = self.state.working(market.instrument if market is not None else None)
        return [order for order in orders if order.place is Place.AUCTION and order.tif == tif]

    def _execute(self, orders: list[Order], price_of: Callable[[Order], Decimal | None]) -> None:
        """Full quantity at one price, TAKER, nothing is used of displayed size; a limit worse than it is canceled."""
        for order in orders:
            price = price_of(order)
            if order.is_closed or order.place is not Place.AUCTION:
                continue
            if price is None:
                self.venue.end(order, "CANCELED", "AUCTION_UNFILLED")
                continue
            is_worse = order.price is not None and (order.price < price if order.side == "BUY" else order.price > price)
            if order.is_limit and is_worse:
                self.venue.end(order, "CANCELED", "AUCTION_UNFILLED")
            elif self.venue.execution.fills.make(order, order.leaves, price, "TAKER"):
                self.venue.links.executed(order, order.filled)
            else:
                self.venue.end(order, "CANCELED", "INSUFFICIENT_FUNDS")
