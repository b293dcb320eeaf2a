"""Bars that the data engine builds from ticks (matching 13)."""

from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from libra_ray.testing.reference.document import Instrument
from libra_ray.testing.reference.exact import SECOND_NS, ceil_to, floor_to, half_even, text, ts_text

__all__ = ["BarBuilder"]

ZERO: Final = Decimal(0)
PERIODS: Final = {"SECOND": SECOND_NS, "MINUTE": 60 * SECOND_NS}


class BarBuilder:
    """One bar type."""

    def __init__(self, form: dict[str, Any], instrument: Instrument) -> None:
        self.name, self.instrument = form["name"], instrument
        self.aggregation, self.source = form["aggregation"], form["source"]
        self.step = Decimal(form["step"])
        self.period = int(PERIODS.get(self.aggregation, 0) * self.step)
        self.next_end: int | None = None
        self.prices: list[Decimal] = []
        self.volume = ZERO
        self.value = ZERO
        self.ticks = 0
        self.last_close: Decimal | None = None

    @property
    def is_timed(self) -> bool:
        """Whether a timer closes its bars."""
        return self.period > 0

    # ---------------------------------------------------------------------- ticks

    def on_row(self, row: list[Any], ts: int) -> list[list[Any]]:
        """A row of its instrument; the bars that it closes."""
        tick = self._tick(row)
        if tick is None:
            return []
        price, size = tick
        if self.is_timed:
            if self.next_end is None:
                self.next_end = -(-ts // self.period) * self.period  # windows (a, b]: a tick at b is in
            self._add(price, size)
            return []
        if self.aggregation == "TICK":
            self._add(price, size)
            return [self._close(ts)] if self.ticks == self.step else []
        return self._split(price, size, ts)

    def _tick(self, row: list[Any]) -> tuple[Decimal, Decimal] | None:
        """Price and size of the source in a row."""
        if self.source == "LAST":
            return (Decimal(row[3]), Decimal(row[4])) if row[0] == "trade" else None
        if row[0] != "quote":
            return None
        bid, ask, bid_size, ask_size = (Decimal(value) for value in row[3:7])
        if self.source == "BID":
            return bid, bid_size
        if self.source == "ASK":
            return ask, ask_size
        mid = half_even(Fraction(bid + ask) / 2, self.instrument.price_decimals)
        return mid, floor_to(Fraction(bid_size + ask_size) / 2, self.instrument.step)

    def _split(self, price: Decimal, size: Decimal, ts: int) -> list[list[Any]]:
        """VOLUME and VALUE: a tick that overshoots is split, as often as needed."""
        closed: list[list[Any]] = []
        while True:
            needed = self.step - self.volume
            if self.aggregation == "VALUE":
                needed = ceil_to(Fraction(self.step - self.value) / Fraction(price), self.instrument.step)
            if size < needed:
                if size > 0:
                    self._add(price, size)
                return closed
            self._add(price, needed)
            closed.append(self._close(ts))
            size -= needed

    def _add(self, price: Decimal, size: Decimal) -> None:
        self.prices.append(price)
        self.volume += size
        self.value += price * size
        self.ticks += 1

    # ---------------------------------------------------------------------- bars

    def on_time(self, ts: int) -> list[list[Any]]:
        """The window that ends at `ts`, empty or not."""
        if self.next_end != ts:
            return []
        self.next_end += self.period
        return [self._close(ts)]

    def _close(self, ts: int) -> list[Any]:
        prices = self.prices or ([] if self.last_close is None else [self.last_close])
        self.last_close = prices[-1]
        numbers = [prices[0], max(prices), min(prices), prices[-1], self.volume]
        self.prices, self.volume, self.value, self.ticks = [], ZERO, ZERO, 0
        return ["bar", self.name, ts_text(ts), *(text(number) for number in numbers)]
