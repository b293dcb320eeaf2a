"""The event loop (matching 1): everything that happens has a ts, and at one ts there are six numbers."""

from decimal import Decimal
from heapq import heappop
from typing import Any

from libra_ray.testing.reference.account import Account
from libra_ray.testing.reference.algorithms import Algorithms
from libra_ray.testing.reference.auctions import Auctions
from libra_ray.testing.reference.bar_builder import BarBuilder
from libra_ray.testing.reference.breaches import Breaches
from libra_ray.testing.reference.clock import Clock
from libra_ray.testing.reference.emulator import Emulator
from libra_ray.testing.reference.exact import ts_ns
from libra_ray.testing.reference.kernel import Kernel
from libra_ray.testing.reference.matching import Matching, Trade
from libra_ray.testing.reference.orders import Order, Place
from libra_ray.testing.reference.script import Script
from libra_ray.testing.reference.settlement import Settlement
from libra_ray.testing.reference.state import Report, State
from libra_ray.testing.reference.venue import Venue

__all__ = ["Loop"]

NEVER = 2**63


class Loop:
    """One run of a document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.state = state = State(document)
        self.account = Account(state, document["venue"]["balances"])
        self.venue = Venue(state, self.account)
        self.clock = Clock()
        self.kernel = Kernel(state, self.venue, self.clock)
        self.settlement = Settlement(state, self.account, self.venue)
        self.breaches = Breaches(state, self.account, list(document["venue"]["balances"]))
        self.matching = Matching(state, self.venue, Auctions(state, self.venue), self.settlement.check_liquidation)
        self.emulator = Emulator(state, self.kernel, self.venue.sessions)
        self.algorithms = Algorithms(state, self.kernel, self.clock)
        self.script = Script(state, self.kernel, self.clock, document["actions"])
        self.builders = [BarBuilder(form, state.instruments[form["instrument"]]) for form in document.get("bars", [])]
        self.builders.sort(key=lambda builder: (builder.instrument.rank, builder.name))
        self.rows: list[list[Any]] = document["data"]
        self.row_ts = [ts_ns(row[1]) for row in self.rows]
        self.next_row = 0
        self._connect()

    def _connect(self) -> None:
        self.venue.to_emulator = self.emulator.arrive
        self.kernel.to_emulator = self.emulator.arrive
        self.kernel.to_algorithm = self.algorithms.arrive
        self.kernel.cancel_local = self._cancel_local
        self.kernel.after_command = self._after_command
        self.kernel.rearm = self.breaches.rearm
        for instrument in self.state.instruments.values():
            self.state.wake_at(instrument.expiration)

    def _cancel_local(self, order: Order) -> None:
        if order.label in self.algorithms.works:
            self.algorithms.cancel(order)
        else:
            self.emulator.cancel(order)

    def _after_command(self) -> None:
        """Matching 10 and orders 15: after each command executed."""
        self.settlement.check_liquidation()
        self.breaches.check()

    # ---------------------------------------------------------------------- all of time

    def run(self) -> None:
        """From `on_start` to the last row and everything due at its ts."""
        end = self.row_ts[-1]
        self.state.now = self.row_ts[0]
        self.breaches.begin_day(self.state.now)
        self.script.on_start()  # settled at the ts of row 0 and before row 0
        self.settle()
        ts = self._next_ts()
        while ts <= end:
            self.breaches.begin_day(ts)
            self.state.now = ts
            self._step(ts)
            ts = self._next_ts()

    def _next_ts(self) -> int:
        rows = self.row_ts[self.next_row] if self.next_row < len(self.rows) else NEVER
        wakes = self.state.wakes[0] if self.state.wakes else NEVER
        due = self.kernel.due[0][0] if self.kernel.due else NEVER
        reports = self.state.delayed[0][0] if self.state.delayed else NEVER
        timers = self.clock.next_ts()
        bars = min((b.next_end for b in self.builders if b.is_timed and b.next_end is not None), default=NEVER)
        return max(min(rows, wakes, due, reports, NEVER if timers is None else timers, bars), self.state.now)

    def _step(self, ts: int) -> None:
        self._expire_orders(ts)  # 1
        while self.next_row < len(self.rows) and self.row_ts[self.next_row] == ts:  # 2
            self._row(self.next_row)
            self.next_row += 1
        for builder in self.builders:  # 2b
            for bar in builder.on_time(ts):
                self.state.timeline.append(bar)
                self.settle()
        self._arrivals(ts)  # 3
        self._close_session(ts)  # 4
        self._expire_contracts(ts)  # 5
        while self.clock.fire_next(ts):  # 6
            self.settle()
            self._arrivals(ts)
        while self.state.wakes and self.state.wakes[0] <= ts:
            heappop(self.state.wakes)

    # ---------------------------------------------------------------------- the numbers

    def _expire_orders(self, ts: int) -> None:
        """1: GTD expiries with expire_time = ts, by acceptance; what is in flight is judged on arrival."""
        due = [
            order
            for order in self.state.live.values()
            if order.tif == "GTD" and order.expire == ts and order.place is not Place.IN_FLIGHT
        ]
        self._expire(due)

    def _expire(self, orders: list[Order]) -> None:
        for order in sorted(orders, key=lambda order: order.accepted_seq or NEVER):
            if not order.is_closed:
                self.venue.end(order, "EXPIRED")
        if orders:
            self.settle()

    def _row(self, index: int) -> None:
        """2: one data row, a to e."""
        row = self.rows[index]
        instrument = self.state.instruments[row[2] or self.script.default]
        self._match(row)  # a and b
        self.breaches.check()
        self.deliver()  # c
        closed = [bar for b in self.builders if b.instrument is instrument for bar in b.on_row(row, self.state.now)]
        self.state.timeline.extend(closed)  # d: a bar that a row closes is delivered just before that row
        self.emulator.on_row(instrument)
        if row[0] in ("trade", "bar"):
            self.algorithms.on_volume(instrument.id, row[0], Decimal(row[4] if row[0] == "trade" else row[7]))
        self.script.on_row(index)
        self.settle()  # e

    def _match(self, row: list[Any]) -> None:
        kind, instrument_id = row[0], row[2] or self.script.default
        market = self.state.markets[instrument_id]
        if kind == "delta":
            action, side, price, size, order_id = row[3:]
            self.matching.delta(market, action, side, Decimal(price), Decimal(size), order_id)
            return
        numbers = [Decimal(value) for value in row[3:] if value not in ("BUYER", "SELLER", "NONE")]
        if kind == "quote":
            self.matching.quote(market, (numbers[0], numbers[1]), (numbers[2], numbers[3]))
        elif kind == "trade":
            self.matching.trade(market, Trade(numbers[0], numbers[1], row[5]))
        elif kind == "bar":
            self.matching.bar(market, (numbers[0], numbers[1], numbers[2], numbers[3]), numbers[4])
        elif kind == "mark":
            self.matching.mark(market, numbers[0])
        else:
            self.settlement.fund(market.instrument, numbers[0])

    def _arrivals(self, ts: int) -> None:
        """3: commands that are due, and reports, by (due ts, seq)."""
        while True:
            due = self.kernel.due[0][:2] if self.kernel.due else (NEVER, 0)
            report = self.state.delayed[0][:2] if self.state.delayed else (NEVER, 0)
            if min(due, report)[0] > ts:
                return
            if due < report:
                heappop(self.kernel.due)[2]()
            else:
                self.state.reports.append(heappop(self.state.delayed)[2])
            self.settle()

    def _close_session(self, ts: int) -> None:
        """4: the closing auction, then DAY expiries by acceptance."""
        closing = [order for order in self.state.live.values() if order.closes_at == ts]
        if not closing:
            return
        self.matching.auctions.close(ts)
        self.settlement.check_liquidation()
        self._expire([order for order in closing if order.tif == "DAY" and not order.is_closed])
        self.settle()

    def _expire_contracts(self, ts: int) -> None:
        """5."""
        for instrument in self.state.instruments.values():
            if instrument.expiration == ts:
                self.settlement.expire(instrument)
                self.state.seen_positions = self.state.positions.quantities()
                self.settle()

    # ---------------------------------------------------------------------- delivery

    def deliver(self) -> None:
        """Events go to the actors in the order they were made: algorithms, then the strategy."""
        while self.state.reports:
            self._tell(self.state.reports.popleft())

    def _tell(self, report: Report) -> None:
        order = report.order
        order.seen_status, order.seen = report.status, report.values
        if report.positions is not None:
            self.state.seen_positions = report.positions
            opened = self.state.positions.ids_by_order.get(order.label)
            if opened is not None:
                self.state.seen_position_ids[order.label] = opened
        if order.is_closed or report.event == "CANCEL_REJECTED":
            order.cancel_sent = False
        self.algorithms.on_event(order, report.event)
        self.script.on_event(order, report.event)

    def settle(self) -> None:
        """1e: commands in the order they were made; the events of each are delivered at once; until none is left."""
        self.deliver()
        while self.kernel.queue:
            self.kernel.queue.popleft()()
            self.deliver()
