"""What a run holds: time, markets, orders, positions, and the record of what happened."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from heapq import heappush
from typing import Any

from libra_ray.testing.reference.document import CURRENCIES, Instrument, Limits, Options, instruments_of
from libra_ray.testing.reference.exact import text, ts_text
from libra_ray.testing.reference.market import Market
from libra_ray.testing.reference.orders import Order
from libra_ray.testing.reference.positions import Positions

__all__ = ["Report", "State"]


@dataclass(frozen=True)
class Report:
    """An event on its way to the actors, with what it says about the order."""

    order: Order
    event: str
    status: str
    values: tuple[Decimal, Decimal | None, Decimal | None]
    positions: dict[str, Decimal] | None


class State:
    """One run. Every part reads it; each changes its own."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.now = 0
        self.options = Options.read(document["venue"])
        self.limits = Limits.read(document.get("risk", {}))
        self.currencies: dict[str, int] = {**CURRENCIES, **document.get("currencies", {})}
        self.instruments = instruments_of(document)
        self.markets = {key: self._market(instrument, document) for key, instrument in self.instruments.items()}
        self.positions = Positions(is_hedging=self.options.is_hedging)
        self.orders: dict[str, Order] = {}
        self.live: dict[str, Order] = {}
        self.seen_positions: dict[str, Decimal] = {}
        self.seen_position_ids: dict[str, str] = {}
        self.trading_state = self.limits.trading_state
        self.events: list[list[Any]] = []
        self.bookings: list[list[str]] = []
        self.timeline: list[list[Any]] = []
        self.reports: deque[Report] = deque()
        self.delayed: list[tuple[int, int, Report]] = []
        self.wakes: list[int] = []
        self._seq: int = 0

    def _market(self, instrument: Instrument, document: dict[str, Any]) -> Market:
        first = next(iter(self.instruments))
        kinds = {row[0] for row in document["data"] if (row[2] or first) == instrument.id}
        other = bool(kinds & {"quote", "trade", "delta"})
        return Market(instrument, self.options, has_other=other, has_trades="trade" in kinds)

    # ---------------------------------------------------------------------- small questions

    def next_seq(self) -> int:
        """One counter orders everything that is born."""
        self._seq += 1
        return self._seq

    def wake_at(self, ts: int | None) -> None:
        """Something may have to be done at `ts`, also when there is no row."""
        if ts is not None:
            heappush(self.wakes, ts)

    def market(self, order: Order) -> Market:
        """The market of an order's instrument."""
        return self.markets[order.instrument.id]

    def decimals(self, code: str) -> int:
        """The precision of a currency."""
        return self.currencies[code]

    def working(self, instrument: Instrument | None = None) -> list[Order]:
        """Orders that the venue works on, in order of acceptance."""
        found = [order for order in self.live.values() if order.is_accepted]
        if instrument is not None:
            found = [order for order in found if order.instrument is instrument]
        return sorted(found, key=lambda order: order.accepted_seq)

    def open_orders(self, instrument: Instrument) -> Iterator[Order]:
        """Orders 13: open ones and those in flight, without unreleased OTO children."""
        return (order for order in self.live.values() if order.instrument is instrument and order.counts_as_open)

    # ---------------------------------------------------------------------- the record

    def emit(
        self, order: Order, event: str, fields: dict[str, str] | None = None, *, code: str = "", is_local: bool = False
    ) -> None:
        """An order event is born: recorded in this order, and on its way to the actors.

        A local event was made by us and needs no report; the venue's reach the actors after the report latency.
        """
        if not (is_local and event == "MODIFY_REJECTED"):  # nothing was sent, so nothing that is under way ends
            order.apply(event)
        if order.is_closed and self.live.get(order.label) is order:
            del self.live[order.label]
        written = dict(fields or {})
        if code:
            written["code"] = code
        self.events.append([ts_text(self.now), order.label, event, written])
        positions = self.positions.quantities() if event == "FILLED" else None
        report = Report(order, event, order.status, (order.qty, order.price, order.trigger), positions)
        delay = 0 if is_local else self.options.latency.report
        if delay == 0:
            self.reports.append(report)
        else:
            heappush(self.delayed, (self.now + delay, self.next_seq(), report))

    def update(self, order: Order, **changed: Decimal) -> None:
        """UPDATED with the fields that changed: qty, price, trigger."""
        changed = {name: value for name, value in changed.items() if value != getattr(order, name)}
        for name, value in changed.items():
            setattr(order, name, value)
        order.slice_left = min(order.slice_left, order.leaves)
        names = ("qty", "price", "trigger")
        written: dict[str, str] = {name: text(changed[name]) for name in names if name in changed}
        self.emit(order, "UPDATED", written, is_local=not order.reached_venue)
