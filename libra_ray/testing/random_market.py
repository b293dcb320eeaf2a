"""Random market data: prices in ticks that hover around one level."""

from decimal import Decimal
from typing import Any, Final

from libra_ray.testing.random_draw import Draw

__all__ = ["market_rows"]

LEVEL_TICKS: Final = 400
RANGE_TICKS: Final = 12
DEPTH_TICKS: Final = 6
Row = list[Any]


def _text(value: Decimal) -> str:
    return f"{value:f}"


class _Path:
    """A walk of the middle price, pulled back to its level, with the clock of the rows."""

    def __init__(self, draw: Draw, instrument: dict[str, Any]) -> None:
        self.draw, self.instrument = draw, instrument
        self.tick, self.step = Decimal(instrument["tick"]), Decimal(instrument["step"])
        self.middle = LEVEL_TICKS
        self.quarters = 4
        self.time = "1"

    def move(self) -> None:
        """One to four quarters of a second on, or none; a few ticks up or down."""
        self.quarters += self.draw.pick([0, 1, 1, 2, 4, 4])
        self.time = _text(Decimal(self.quarters) / 4)
        step = self.draw.integer(-3, 3)
        if abs(self.middle + step - LEVEL_TICKS) > RANGE_TICKS:
            step = -step
        self.middle += step

    def price(self, ticks: int) -> str:
        return _text(self.tick * ticks)

    def size(self, most: int = 20) -> str:
        return _text(self.step * self.draw.integer(1, most))


def market_rows(
    draw: Draw, kind: str, count: int, instruments: list[dict[str, Any]], leave_out: frozenset[str]
) -> tuple[list[Row], list[int]]:
    """`count` rows, and the middle price in ticks at each of them."""
    path = _Path(draw, instruments[0])
    rows: list[Row] = []
    middles: list[int] = []
    book = _RandomBook(path, is_by_order=kind == "l3")
    quote: Row = []
    has_marks = draw.chance(0.15) and "mark" not in leave_out
    has_funding = instruments[0]["kind"] == "perpetual" and draw.chance(0.3)
    if len(instruments) > 1:
        rows.append(["quote", path.time, "EURUSD.SIM", "1.1000", "1.1002", "1000", "1000"])
        middles.append(path.middle)
    while len(rows) < count:
        path.move()
        if has_marks and draw.chance(0.1):
            rows.append(["mark", path.time, None, path.price(path.middle + draw.integer(-3, 3))])
        elif has_funding and draw.chance(0.05):
            rows.append(["funding", path.time, None, draw.pick(["0.01", "-0.02"])])
        elif len(instruments) > 1 and draw.chance(0.1):
            bid = Decimal("1.1000") + Decimal(draw.integer(-50, 50)) / 10_000
            rows.append(["quote", path.time, "EURUSD.SIM", _text(bid), _text(bid + Decimal("0.0002")), "1000", "1000"])
        elif kind in ("l2", "l3"):
            rows.append(_trade(path, book.best()) if draw.chance(0.25) and book.is_full else book.delta())
        elif kind == "bars":
            rows.append(_bar(path))
        elif kind == "trades_only" or (kind == "trades" and quote and draw.chance(0.5)):
            rows.append(_trade(path, None))
        else:
            quote = _quote(path, quote)
            rows.append(quote)
        middles.append(path.middle)
    return rows, middles


def _quote(path: _Path, last: Row) -> Row:
    """A new quote; now and then the last one again, or with other sizes, or with one side as it was."""
    draw = path.draw
    if last and draw.chance(0.15):
        return ["quote", path.time, *last[2:]]
    bid = path.middle - draw.integer(0, 1)
    ask = bid + draw.integer(1, 3)
    sizes = [path.size(), path.size()]
    if last and draw.chance(0.15):
        return ["quote", path.time, None, *last[3:5], *sizes]
    if last and draw.chance(0.15):
        kept = Decimal(last[3])
        if kept < path.tick * ask:
            return ["quote", path.time, None, last[3], path.price(ask), last[5], sizes[1]]
    return ["quote", path.time, None, path.price(bid), path.price(ask), *sizes]


def _trade(path: _Path, around: int | None) -> Row:
    draw = path.draw
    middle = path.middle if around is None else around
    price = path.price(middle + draw.integer(-2, 2))
    return ["trade", path.time, None, price, path.size(15), draw.pick(["BUYER", "SELLER", "SELLER", "BUYER", "NONE"])]


def _bar(path: _Path) -> Row:
    draw = path.draw
    opened, closed = path.middle + draw.integer(-2, 2), path.middle + draw.integer(-3, 3)
    high = max(opened, closed) + draw.integer(0, 3)
    low = min(opened, closed) - draw.integer(0, 3)
    path.middle = min(max(closed, LEVEL_TICKS - RANGE_TICKS), LEVEL_TICKS + RANGE_TICKS)
    prices = [path.price(ticks) for ticks in (opened, high, low, closed)]
    return ["bar", path.time, None, *prices, path.size(120)]


class _RandomBook:
    """A book near the middle whose sides never cross; each delta is one change."""

    def __init__(self, path: _Path, *, is_by_order: bool) -> None:
        self.path, self.is_by_order = path, is_by_order
        self.levels: dict[str, dict[int, Decimal]] = {"BID": {}, "ASK": {}}
        self.orders: dict[str, tuple[str, int, Decimal]] = {}
        self.count = 0

    @property
    def is_full(self) -> bool:
        """Whether both sides show something."""
        prices = self._prices()
        return bool(prices["BID"]) and bool(prices["ASK"])

    def _prices(self) -> dict[str, list[int]]:
        if not self.is_by_order:
            return {side: list(levels) for side, levels in self.levels.items()}
        found: dict[str, list[int]] = {"BID": [], "ASK": []}
        for side, ticks, _ in self.orders.values():
            found[side].append(ticks)
        return found

    def best(self) -> int:
        """Between the sides."""
        prices = self._prices()
        return (max(prices["BID"]) + min(prices["ASK"])) // 2

    def _free_price(self, side: str) -> int:
        """A price on that side that does not cross the other."""
        draw, other = self.path.draw, self._prices()["ASK" if side == "BID" else "BID"]
        middle = self.path.middle
        if side == "BID":
            ticks = middle - draw.integer(0, DEPTH_TICKS)
            return min([ticks, *(price - 1 for price in other)])
        ticks = middle + draw.integer(1, DEPTH_TICKS)
        return max([ticks, *(price + 1 for price in other)])

    def delta(self) -> Row:
        """One change. The side that lies in the way of the middle loses its best first."""
        return self._order_delta() if self.is_by_order else self._level_delta()

    def _in_the_way(self) -> tuple[str, int] | None:
        prices, middle = self._prices(), self.path.middle
        if prices["BID"] and max(prices["BID"]) > middle:
            return "BID", max(prices["BID"])
        if prices["ASK"] and min(prices["ASK"]) <= middle:
            return "ASK", min(prices["ASK"])
        return None

    def _row(self, action: str, side: str, ticks: int, size: Decimal, order_id: str = "") -> Row:
        return ["delta", self.path.time, None, action, side, self.path.price(ticks), _text(size), order_id]

    def _level_delta(self) -> Row:
        draw = self.path.draw
        stale = self._in_the_way()
        if stale is not None and draw.chance(0.6):
            del self.levels[stale[0]][stale[1]]
            return self._row("DELETE", *stale, Decimal(0))
        side = draw.pick(["BID", "ASK"])
        levels, size = self.levels[side], Decimal(self.path.size())
        if levels and draw.chance(0.35):
            ticks = draw.pick(sorted(levels))
            if draw.chance(0.2):
                del levels[ticks]
                return self._row("DELETE", side, ticks, Decimal(0))
            if draw.chance(0.2):
                size = levels[ticks]
            levels[ticks] = size
            return self._row("UPDATE", side, ticks, size)
        ticks = self._free_price(side)
        levels[ticks] = size
        return self._row("ADD", side, ticks, size)

    def _order_delta(self) -> Row:
        draw = self.path.draw
        stale = self._in_the_way()
        if stale is not None and draw.chance(0.7):
            name = next(key for key, value in self.orders.items() if value[:2] == stale)
            del self.orders[name]
            return self._row("DELETE", *stale, Decimal(0), name)
        if self.orders and draw.chance(0.35):
            name = draw.pick(list(self.orders))
            side, ticks, size = self.orders[name]
            if draw.chance(0.3):
                del self.orders[name]
                return self._row("DELETE", side, ticks, Decimal(0), name)
            smaller = max(self.path.step, size - self.path.step * draw.integer(0, 4))
            self.orders[name] = (side, ticks, smaller)
            return self._row("UPDATE", side, ticks, smaller, name)
        side = draw.pick(["BID", "ASK"])
        ticks, size = self._free_price(side), Decimal(self.path.size(8))
        self.count += 1
        self.orders[str(self.count)] = (side, ticks, size)
        return self._row("ADD", side, ticks, size, str(self.count))
