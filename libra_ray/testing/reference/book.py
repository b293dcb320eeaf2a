"""What the venue shows: levels by price, and how much of each is used up (matching 2, 3 "Liquidity is used once")."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, Protocol

__all__ = ["Book", "Level", "LevelBook", "OrderBook", "PriceLevel", "TopBook", "is_better"]

ZERO: Final = Decimal(0)


def is_better(side: str, price: Decimal, other: Decimal) -> bool:
    """Whether `price` stands before `other` on a side of the book: the higher bid, the lower ask."""
    return price > other if side == "BID" else price < other


class Level(Protocol):
    """One price of one side."""

    price: Decimal

    @property
    def displayed(self) -> Decimal:
        """What is shown."""
        ...

    @property
    def unused(self) -> Decimal:
        """What is shown and was not taken."""
        ...

    def take(self, qty: Decimal) -> None:
        """Use `qty` of it up."""
        ...


class Book(Protocol):
    """Both sides of one instrument."""

    def levels(self, side: str) -> Iterator[Level]:
        """The levels of a side, best first."""
        ...

    def best(self, side: str) -> Level | None:
        """The best level of a side."""
        ...

    def displayed_at(self, side: str, price: Decimal) -> Decimal:
        """The size shown at a price; 0 when the level is not displayed."""
        ...


class PriceLevel:
    """A price with one size."""

    def __init__(self, price: Decimal, displayed: Decimal) -> None:
        self.price, self.displayed, self.used = price, displayed, ZERO

    @property
    def unused(self) -> Decimal:
        """Displayed less used."""
        return self.displayed - self.used

    def take(self, qty: Decimal) -> None:
        """Use `qty` of it up."""
        self.used += qty


class TopBook:
    """L1: the best level of each side, and the levels that stand behind it as far as they were seen."""

    def __init__(self) -> None:
        self.top: dict[str, PriceLevel] = {}
        self.behind: dict[str, list[PriceLevel]] = {"BID": [], "ASK": []}
        self.step_size = ZERO
        self.step_levels: dict[tuple[str, Decimal], PriceLevel] = {}

    def levels(self, side: str) -> Iterator[Level]:
        if side in self.top:
            yield self.top[side]

    def best(self, side: str) -> Level | None:
        return self.top.get(side)

    def displayed_at(self, side: str, price: Decimal) -> Decimal:
        top = self.top.get(side)
        return top.displayed if top is not None and top.price == price else ZERO

    def quote(self, side: str, price: Decimal, size: Decimal) -> None:
        """Matching 3, "L1 quotes"."""
        old = self.top.get(side)
        if old is not None and old.price == price:
            if old.displayed != size:  # the same price, another size: used = 0
                self.top[side] = PriceLevel(price, size)
            return  # the same price and size: used stays
        if old is not None and is_better(side, price, old.price):
            self.behind[side].append(old)  # the old level stands behind
        self.behind[side] = [level for level in self.behind[side] if not is_better(side, level.price, price)]
        again = next((level for level in self.behind[side] if level.price == price), None)
        if again is not None:
            self.behind[side].remove(again)
        self.top[side] = again if again is not None and again.displayed == size else PriceLevel(price, size)

    def set_price(self, price: Decimal, size: Decimal) -> None:
        """A bar step or a trade as the source: bid = ask = price, used = 0, all forgotten."""
        self.step_size, self.step_levels = size, {}
        self.move_price(price)
        self.behind = {"BID": [], "ASK": []}

    def move_price(self, price: Decimal) -> None:
        """Inside a bar step: the step's size stands at each price that it passes (matching 4, a trigger between)."""
        for side in ("BID", "ASK"):
            self.top[side] = self.step_levels.setdefault((side, price), PriceLevel(price, self.step_size))


class LevelBook:
    """L2: a size for each price."""

    def __init__(self) -> None:
        self.sides: dict[str, dict[Decimal, PriceLevel]] = {"BID": {}, "ASK": {}}

    def levels(self, side: str) -> Iterator[Level]:
        prices = sorted(self.sides[side], reverse=side == "BID")
        return iter([self.sides[side][price] for price in prices])

    def best(self, side: str) -> Level | None:
        prices = self.sides[side]
        return prices[max(prices) if side == "BID" else min(prices)] if prices else None

    def displayed_at(self, side: str, price: Decimal) -> Decimal:
        level = self.sides[side].get(price)
        return ZERO if level is None else level.displayed

    def delta(self, action: str, side: str, price: Decimal, size: Decimal) -> None:
        """A change of size, or a level that comes again after its deletion, is fresh; the same size again is not."""
        levels = self.sides[side]
        if action == "CLEAR":
            levels.clear()
        elif action == "DELETE" or size == 0:
            levels.pop(price, None)
        elif price not in levels or levels[price].displayed != size:
            levels[price] = PriceLevel(price, size)


class BookOrder:
    """An order of somebody else."""

    def __init__(self, order_id: str, price: Decimal, size: Decimal) -> None:
        self.order_id, self.price, self.size, self.used = order_id, price, size, ZERO


class QueueLevel:
    """L3: the orders of one price, in time priority."""

    def __init__(self, price: Decimal, orders: list[BookOrder]) -> None:
        self.price, self.orders = price, orders

    @property
    def displayed(self) -> Decimal:
        """The sum over its orders."""
        return sum((order.size for order in self.orders), ZERO)

    @property
    def unused(self) -> Decimal:
        """The sum over its orders."""
        return sum((order.size - order.used for order in self.orders), ZERO)

    def take(self, qty: Decimal) -> None:
        """In time priority."""
        for order in self.orders:
            part = min(qty, order.size - order.used)
            order.used += part
            qty -= part


class OrderBook:
    """L3: orders by id, each with its own size and use."""

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, BookOrder]] = {"BID": {}, "ASK": {}}

    def levels(self, side: str) -> Iterator[Level]:
        by_price: dict[Decimal, list[BookOrder]] = {}
        for order in self.orders[side].values():
            by_price.setdefault(order.price, []).append(order)
        return iter([QueueLevel(price, by_price[price]) for price in sorted(by_price, reverse=side == "BID")])

    def best(self, side: str) -> Level | None:
        return next(self.levels(side), None)

    def displayed_at(self, side: str, price: Decimal) -> Decimal:
        return sum((order.size for order in self.orders[side].values() if order.price == price), ZERO)

    def orders_at(self, side: str, price: Decimal) -> dict[str, Decimal]:
        """The remaining size of each order at a price, in time priority."""
        return {order.order_id: order.size for order in self.orders[side].values() if order.price == price}

    def delta(self, action: str, side: str, price: Decimal, size: Decimal, order_id: str) -> None:
        """A change of size makes an order fresh; a larger size or another price puts it at the end of its queue."""
        orders = self.orders[side]
        if action == "CLEAR":
            orders.clear()
            return
        if action == "DELETE" or size == 0:
            orders.pop(order_id, None)
            return
        old = orders.get(order_id)
        if old is not None and (old.price, old.size) == (price, size):
            return
        if old is not None and (old.price != price or size > old.size):
            del orders[order_id]
        if order_id in orders:
            orders[order_id].size, orders[order_id].used = size, ZERO
        else:
            orders[order_id] = BookOrder(order_id, price, size)
