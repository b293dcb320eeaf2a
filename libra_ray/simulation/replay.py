"""The event loop of a backtest: rows, timers and commands in the one order that `matching` rules prescribe.

At one time: GTD expiries, rows in the order of the merged streams, bars of time that we make, commands and reports
that are due, closes of sessions, ends of contracts, timers. A row first meets the orders that wait at the venue, then
the actors by rank, then what they sent is settled; bars of ours that it closes come just before it to the actors.
Nothing is done for a row that it does not need: as long as no order can be touched and nothing is due, rows go straight
from the columns to the handlers.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

from libra_ray.data.aggregation import BarDelivery, BarMaker
from libra_ray.data.merge import Run, merged_runs
from libra_ray.kernel import TradingKernel
from libra_ray.messages.schemas import Bar, Row
from libra_ray.runtime import Actor
from libra_ray.runtime.faults import RAISED
from libra_ray.runtime.views import Handler
from libra_ray.simulation.agenda import Agenda
from libra_ray.simulation.book_view import OrderBook
from libra_ray.simulation.latency import DueCommands
from libra_ray.simulation.market import Market
from libra_ray.simulation.stream_state import StreamState
from libra_ray.simulation.venue import SimulatedVenue
from libra_ray.strategy.compiled.bridge import RowScanner

__all__ = ["Replay"]

DAY_NS: Final = 86_400 * 10**9


class Replay:
    """Runs one kernel over merged streams."""

    def __init__(
        self,
        kernel: TradingKernel,
        states: list[StreamState],
        markets: Mapping[str, Market],
        venues: Mapping[str, SimulatedVenue],
        reports: DueCommands | None = None,
        bars: BarDelivery | None = None,
    ) -> None:
        self._kernel = kernel
        self._host = kernel.host
        self._clock = kernel.clock
        self._table = kernel.bus.table
        self._states = states
        self._markets = markets
        self._venues = venues
        self._venue_list = tuple(venues.values())
        self._bars = bars or BarDelivery(BarMaker((), {}, ()), kernel.host, kernel.cache.rows.cursor_of_built)
        self._books: dict[str, OrderBook] = {}
        self._watches_equity = kernel.risk.watches_equity
        self._agenda = Agenda(kernel.host, self._venue_list, reports or DueCommands(), self._bars, self._end_day)
        self._limit_ns = 0
        self.merged: Callable[[], Iterable[Run]] = lambda: merged_runs([state.ts for state in states])

    def run(self) -> None:
        """Replay all rows. Faults are the host's; what a kernel part or the library raises passes through."""
        if not self._states:
            return
        first_ns = min(int(state.ts[0]) for state in self._states if state.rows)
        self._clock.ts_ns = first_ns
        self._agenda.day_end_ns = (first_ns // DAY_NS + (first_ns % DAY_NS > 0)) * DAY_NS
        for name, simulated in self._venues.items():
            self._kernel.sample_equity(name, first_ns)
            simulated.begin(first_ns)
        self._host.settle()  # what on_start sent, before row 0
        for run in self.merged():
            self._replay_rows(self._states[run.stream], run.start, run.stop)
            if self._kernel.halted_by is not None:
                return
        last_ns = self._clock.ts_ns
        self._settle_until(last_ns, inclusive=True)
        self._clock.ts_ns = last_ns
        for venue in self._venues:
            self._kernel.sample_equity(venue, last_ns)

    # ------------------------------------------------------------------ step by step

    def replay_row(self, state: StreamState, index: int, row: Row) -> None:
        """One row of a market that comes row by row, and all that is due before it."""
        self._replay_row(state, index, row)

    def settle_until(self, ts_ns: int) -> None:
        """Everything due up to and including `ts_ns` in order of time, each settled at its own time."""
        self._settle_until(ts_ns, inclusive=True)

    @property
    def next_due_ns(self) -> int:
        """When something is due next besides rows."""
        return self._agenda.first()[0]

    # ------------------------------------------------------------------ rows

    def _replay_rows(self, state: StreamState, start: int, stop: int) -> None:
        """Rows [start, stop) of one stream: free stretches fast, rows that need more one by one."""
        if state.is_book:
            self._replay_book(state, start, stop)
            return
        rows = state.views
        at = start
        while at < stop:
            free = self._free_until(state, at, stop)
            if free > at and state.topic in self._bars.sources:
                at = self._deliver_feeding(state, rows, at, free)
            elif free > at:
                at = self._deliver_free(state, rows, at, free)
            else:
                self._replay_row(state, at, next(rows))
                at += 1
            if self._kernel.halted_by is not None:
                return

    def _free_until(self, state: StreamState, at: int, stop: int) -> int:
        """The first row from `at` on before which something is due, or which an order needs the venue for."""
        market = self._markets[state.instrument_id] if state.matches else None
        if self._watches_equity or (market is not None and (market.pending or state.is_booking)):
            return at
        free = state.first_at(self._agenda.quiet_until_ns(), at, stop)
        if market is None or not market.needs_rows():
            return free
        reach = market.reach
        return at if reach.every_row else state.next_touch(reach, at, free)

    def _deliver_free(self, state: StreamState, rows: Iterator[Row], start: int, stop: int) -> int:
        """Give rows [start, stop) to the handlers; ends early, after a row whose handlers sent something.

        Returns the index of the next row.
        """
        host, clock, cursor = self._host, self._clock, state.cursor
        staged = host.staged
        handlers = self._handlers_of(state)
        stretch = islice(rows, stop - start)
        if len(handlers) == 1:
            actor, handler = handlers[0]
            if isinstance(handler, RowScanner) and actor is not None:
                at = self._scan_free(state, rows, start, stop, actor, handler)
                if at > start:
                    return at
            clock.follow(cursor)
            try:
                for cursor.row in stretch:
                    handler(cursor.row)
                    if staged:
                        break
            except RAISED as error:
                self._stand_at_row_of(state)
                host.on_handler_error(actor, error, 0, handler)
            else:
                self._stand_at_row_of(state)
                if not staged:
                    return stop
            host.settle()  # commits first
            return cursor.index + 1
        if not handlers:
            latest = deque(stretch, maxlen=1)[0]
            cursor.row, clock.ts_ns, cursor.index = latest, latest.ts_ns, stop - 1
            return stop
        for at, row in enumerate(stretch, start):
            cursor.row = row
            clock.ts_ns = row.ts_ns
            is_settled = True
            for actor, handler in handlers:
                try:
                    handler(row)
                    if staged:
                        is_settled = False
                        host.commit()
                except RAISED as error:
                    is_settled = False
                    host.on_handler_error(actor, error, 0, handler)
            if not is_settled:
                cursor.index = at
                host.settle()
                return at + 1
        cursor.index = stop - 1
        return stop

    def _scan_free(
        self, state: StreamState, rows: Iterator[Row], start: int, stop: int, actor: Actor, scanner: RowScanner
    ) -> int:
        """`_deliver_free` to a compiled handler; `start` where its rows are to be delivered one by one."""
        cursor = state.cursor
        times, columns = state.arrays(scanner.form.columns)
        at = scanner.scan(times, columns, start, stop)
        if at == start:
            return start
        row = deque(islice(rows, at - start), maxlen=1)[0]
        cursor.row, self._clock.ts_ns, cursor.index = row, row.ts_ns, at - 1
        self._act(actor, scanner)
        return at

    def _deliver_feeding(self, state: StreamState, rows: Iterator[Row], start: int, stop: int) -> int:
        """`_deliver_free` for rows that bars are made of; ends early, too, after a row that closes or begins one."""
        host, clock, cursor, maker = self._host, self._clock, state.cursor, self._bars.maker
        staged, close_ns = host.staged, maker.next_close_ns
        handlers = self._handlers_of(state)
        for at, row in enumerate(islice(rows, stop - start), start):
            clock.ts_ns = row.ts_ns
            bars = maker.before_row(state.topic, row)
            if bars:
                cursor.index = at
                self._deliver_bars(state, row, bars)
                cursor.row = row
                self._deliver(state, row)
                return at + 1
            cursor.row = row
            is_settled = maker.next_close_ns == close_ns
            for actor, handler in handlers:
                try:
                    handler(row)
                    if staged:
                        is_settled = False
                        host.commit()
                except RAISED as error:
                    is_settled = False
                    host.on_handler_error(actor, error, 0, handler)
            if not is_settled:
                cursor.index = at
                host.settle()
                return at + 1
        cursor.index = stop - 1
        return stop

    def _deliver_bars(self, state: StreamState, row: Row, bars: Iterable[Bar]) -> None:
        """Deliver the bars that a row closes, at the prices of that row, which is in hand."""
        state.cursor.hand = row
        if self._watches_equity:
            self._kernel.watch_equity(row.ts_ns)
        self._bars.deliver(bars)
        state.cursor.hand = None

    def _stand_at_row_of(self, state: StreamState) -> None:
        """The clock followed the cursor through a free stretch; now both stand at the row that ended it."""
        cursor = state.cursor
        cursor.index = state.next_row() - 1
        row = cursor.row
        self._clock.stand_at(self._clock.ts_ns if row is None else row.ts_ns)

    def _handlers_of(self, state: StreamState) -> tuple[tuple[Actor | None, Handler], ...]:
        """Who is called for rows of a stream, resolved anew when the host says that it may have changed."""
        version = self._host.activity + self._table.version  # `host.version`, without its calls
        if state.handlers_version != version:
            state.handlers_version = version
            state.handlers = self._host.row_handlers(state.topic)
        return state.handlers

    def _replay_row(self, state: StreamState, index: int, row: Row) -> None:
        """One row in full: what is due before it, the venue, the actors, and what they sent."""
        ts_ns = row.ts_ns
        if self._agenda.quiet_until_ns() <= ts_ns:
            self._settle_before(ts_ns)
        cursor = state.cursor
        self._clock.ts_ns = ts_ns
        cursor.index = index
        if state.is_book:
            state.fill_book(index, index + 1)
            if not state.is_message_end(index):
                cursor.row = row
                return
        if state.matches:
            cursor.hand = row
            self._venues[state.venue].apply(state, row)
        if state.topic in self._bars.sources:
            bars = self._bars.maker.before_row(state.topic, row)
            if bars:
                self._deliver_bars(state, row, bars)
        cursor.row, cursor.hand = row, None
        if self._watches_equity:
            self._kernel.watch_equity(ts_ns)
        if state.is_book:
            self._deliver(state, self._book_at(state, row))
        else:
            self._deliver(state, row)

    def _deliver(self, state: StreamState, message: Row | OrderBook) -> None:
        """Give a row, or the book that its message has changed, to the actors; settle what they send."""
        host = self._host
        staged = host.staged
        for actor, handler in self._handlers_of(state):
            if actor is None:
                handler(message)
            elif actor.is_active:
                try:
                    handler(message)
                    if staged:
                        host.commit()
                except RAISED as error:
                    host.on_handler_error(actor, error, 0, handler)
        if host.queue:
            host.settle()

    def _pass_book(self, state: StreamState, start: int, stop: int) -> int:
        """Rows [start, stop) at once, as far as nobody looks or a compiled handler has nothing to send.

        Returns the index of the next row; `start` where its message is to be delivered alone.
        """
        handlers = self._handlers_of(state)
        if not handlers:
            self._stand_in_book(state, start, stop)
            return stop
        actor, handler = handlers[0]
        if len(handlers) > 1 or actor is None or state.tops is None or not isinstance(handler, RowScanner):
            return start
        end = state.tops.scan(handler, start, stop)
        if end > start:
            self._stand_in_book(state, start, end)
            self._act(actor, handler)
        return end

    def _stand_in_book(self, state: StreamState, start: int, end: int) -> None:
        """Apply rows [start, end) to the book; the last one is the row in hand."""
        state.fill_book(start, end)
        row, cursor = state.row_at(end - 1), state.cursor
        cursor.row, cursor.index, self._clock.ts_ns = row, end - 1, row.ts_ns

    def _act(self, actor: Actor, scanner: RowScanner) -> None:
        """Send what a compiled handler has left."""
        try:
            scanner.act()
        except RAISED as error:
            self._host.on_handler_error(actor, error)
        self._host.settle()

    def _book_at(self, state: StreamState, row: Row) -> OrderBook:
        view = self._books.get(state.instrument_id)
        if view is None:
            assert state.book is not None  # noqa: S101  # made for each stream of a book
            view = self._books[state.instrument_id] = OrderBook(state.book, state.spec)
        view.ts_ns, view.ts_event_ns = row.ts_ns, row.ts_event_ns
        return view

    def _replay_book(self, state: StreamState, start: int, stop: int) -> None:
        """Rows [start, stop) of a stream of book changes, message by message; many at once where nobody looks."""
        at = start
        while at < stop:
            free = self._free_until(state, at, stop)
            cursor = state.cursor
            if free > at:
                passed = self._pass_book(state, at, free)
                if passed > at:
                    at = passed
                    continue
            end = state.message_end(at, stop)
            if free < end and self._agenda.quiet_until_ns() <= int(state.ts[at]):
                self._settle_before(int(state.ts[at]))
            state.fill_book(at, end)
            row = state.row_at(end - 1)
            self._clock.ts_ns, cursor.index = row.ts_ns, end - 1
            is_whole = state.is_message_end(end - 1)
            if free < end and state.matches and is_whole:
                cursor.hand = row
                self._venues[state.venue].apply(state, row)
            cursor.row, cursor.hand = row, None
            if is_whole:
                if self._watches_equity:
                    self._kernel.watch_equity(row.ts_ns)
                if self._handlers_of(state):
                    self._deliver(state, self._book_at(state, row))
            at = end
            if self._kernel.halted_by is not None:
                return

    # ------------------------------------------------------------------ time

    def _settle_before(self, ts_ns: int) -> None:
        """What is due before a row of that time, and the orders that expire before it is matched."""
        self._settle_until(ts_ns, inclusive=False)
        if self._agenda.next_expiry_ns() <= ts_ns:
            self._expire_before_row(ts_ns)

    def _expire_before_row(self, ts_ns: int) -> None:
        """GTD orders whose time has come end before a row of that time is matched."""
        for venue in self._venue_list:
            due_ns = venue.next_expiry_ns
            if due_ns is not None and due_ns <= ts_ns:
                self._clock.ts_ns = due_ns
                venue.expire(ts_ns)
                self._host.settle()

    def _settle_until(self, ts_ns: int, *, inclusive: bool) -> None:
        """Everything due before `ts_ns` (and at it, where inclusive) in order of time, each settled at its own time."""
        host, clock = self._host, self._clock
        self._limit_ns = limit_ns = ts_ns if inclusive else ts_ns - 1
        while True:
            due_ns, run = self._agenda.first()
            if max(due_ns, clock.ts_ns) > limit_ns:
                return  # what was due in the past is due now, and so comes after the rows of this time
            clock.ts_ns = max(clock.ts_ns, due_ns)
            run(due_ns)
            host.settle()

    def _end_day(self, day_end_ns: int) -> None:
        """Sample equity at the end of a UTC day; days without rows, such as weekends of shares, have no sample."""
        for venue in self._venues:
            self._kernel.sample_equity(venue, day_end_ns)
        next_row_day_end_ns = -(-(self._limit_ns + 1) // DAY_NS) * DAY_NS
        self._agenda.day_end_ns = max(day_end_ns + DAY_NS, next_row_day_end_ns)
