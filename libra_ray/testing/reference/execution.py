"""What one order gets when it executes as a taker (orders 2 and 3, matching 3 and 5)."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from libra_ray.testing.reference.account import Account
from libra_ray.testing.reference.book import Level
from libra_ray.testing.reference.fills import Fills
from libra_ray.testing.reference.market import Market
from libra_ray.testing.reference.orders import OPPOSITE, Order, sign
from libra_ray.testing.reference.state import State

__all__ = ["Execution", "happens"]

ZERO: Final = Decimal(0)


def happens(probability: Decimal) -> bool:
    """Chance 0 or 1. What lies between is drawn by the library's own generator, which this reference does not have."""
    if probability not in (0, 1):
        raise ValueError(f"probability {probability}: the reference knows 0 and 1 only")
    return probability == 1


@dataclass
class Offer:
    """A price that a taker may take, with its size; `size` None is "whatever the size"."""

    price: Decimal
    size: Decimal | None
    level: Level | None


class Execution:
    """Taker executions. What follows from them (links, reduce-only) is `contingencies`."""

    def __init__(self, state: State, account: Account) -> None:
        self.state, self.fills = state, Fills(state, account)

    # ---------------------------------------------------------------------- what can be taken

    def _offers(self, order: Order, market: Market, *, best_only: bool) -> Iterator[Offer]:
        levels = list(market.book.levels(OPPOSITE[order.side]))
        if market.options.book != "L1":  # level by level, best first
            for level in levels[: 1 if order.type == "MARKET_TO_LIMIT" else None]:
                yield Offer(level.price, market.available(level, ZERO), level)
            return
        for best in levels:
            slips = happens(market.options.prob_slippage)
            if not slips:
                yield Offer(best.price, market.available(best, ZERO), best)
            if not best_only:  # L1 knows no depth: what is left fills one tick beyond, whatever the size
                yield Offer(best.price + sign(order.side) * order.instrument.tick, None, None)

    def _is_within_limit(self, order: Order, price: Decimal) -> bool:
        if not order.is_limit or order.price is None:
            return True
        return price <= order.price if order.side == "BUY" else price >= order.price

    def _is_within_protection(self, order: Order, market: Market, price: Decimal, best: Decimal) -> bool:
        """MARKET types take no price further than n ticks from the opposite best."""
        n = market.options.price_protection
        if n == 0 or not order.works_as_market:
            return True
        return abs(price - best) <= n * order.instrument.tick

    # ---------------------------------------------------------------------- taking

    def take(self, order: Order) -> Decimal:
        """Everything that `order` gets now. Ends it where its rules say so; the quantity that it got.

        The order is neither accepted nor rested here. MARKET and MARKET_TO_LIMIT without an opposite price: REJECTED.
        """
        market = self.state.market(order)
        best = market.opposite(order.side)
        if best is None:
            if order.is_limit:
                return self._end_of_limit(order)
            self.state.emit(order, "REJECTED", code="NO_MARKET")
            return ZERO
        best_only = order.tif in ("IOC", "FOK") or order.type == "MARKET_TO_LIMIT"
        offers, is_protected = [], False
        for offer in self._offers(order, market, best_only=best_only):
            if not self._is_within_limit(order, offer.price):
                break
            if not self._is_within_protection(order, market, offer.price, best):
                is_protected = is_protected or offer.size is None or offer.size > 0
                continue
            offers.append(offer)
        if order.tif == "FOK" and sum((offer.size or ZERO for offer in offers), ZERO) < order.leaves:
            self.state.emit(order, "CANCELED", code="FOK_UNFILLED")
            return ZERO
        if order.type == "MARKET_TO_LIMIT" and order.tif != "IOC":
            within = sum((offer.size or ZERO for offer in offers), ZERO)
            if within < order.leaves:  # a rest becomes a LIMIT at that level's price: UPDATED first
                self.state.update(order, price=best)
        got = self._fill(order, offers)
        if not order.is_closed and order.leaves > 0:
            self._end_of_rest(order, is_protected=is_protected)
        return got

    def _fill(self, order: Order, offers: list[Offer]) -> Decimal:
        """One fill event per price; the level is used up by what was taken of it."""
        got = ZERO
        for offer in offers:
            qty = order.leaves if offer.size is None else min(order.leaves, offer.size)
            if qty <= 0:
                continue
            if not self.fills.make(order, qty, offer.price, "TAKER"):
                self.state.emit(order, "CANCELED", code="INSUFFICIENT_FUNDS")
                return got
            if offer.level is not None:
                offer.level.take(qty)
            got += qty
        return got

    def _end_of_limit(self, order: Order) -> Decimal:
        """A limit order that meets no price at all."""
        if order.tif == "FOK":
            self.state.emit(order, "CANCELED", code="FOK_UNFILLED")
        elif order.tif == "IOC":
            self.state.emit(order, "CANCELED", code="IOC_REST")
        return ZERO

    def _end_of_rest(self, order: Order, *, is_protected: bool) -> None:
        if order.tif == "IOC":
            self.state.emit(order, "CANCELED", code="IOC_REST")
        elif order.works_as_market:
            code = "PRICE_PROTECTION" if is_protected else "NO_LIQUIDITY"
            self.state.emit(order, "CANCELED", code=code)
