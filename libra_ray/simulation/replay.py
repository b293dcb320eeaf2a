"""The event loop of a backtest: rows, timers and commands in the one order that `matching` rules prescribe.

At one time: GTD expiries, then rows in the order of the merged streams, then timers. A row first meets the orders that
wait at the venue, then the actors by rank, then what they sent is settled. Nothing is done for a row that it does not
need: as long as no order can be touched and nothing is due, rows go straight from the columns to the handlers.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from libra_ray.data.merge import Run, merged_runs
from libra_ray.kernel import TradingKernel
from libra_ray.messages.schemas import Row
from libra_ray.portfolio import Cursor
from libra_ray.runtime import NEVER_NS, Actor
from libra_ray.runtime.views import Handler
from libra_ray.simulation.market import Market
from libra_ray.simulation.stream_state import StreamState
from libra_ray.simulation.venue import SimulatedVenue

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
    ) -> None:
        self._kernel = kernel
        self._host = kernel.host
        self._clock = kernel.clock
        self._table = kernel.bus.table
        self._states = states
        self._markets = markets
        self._venues = venues
        self._venue_list = tuple(venues.values())
        self._day_end_ns = 0
        self.merged: Callable[[], Iterable[Run]] = lambda: merged_runs([state.ts for state in states])

    def run(self) -> None:
        """Replay all rows. Faults are the host's; what a kernel part or the library raises passes through."""
        if not self._states:
            return
        first_ns = min(int(state.ts[0]) for state in self._states if state.rows)
        self._clock.ts_ns = first_ns
        self._day_end_ns = (first_ns // DAY_NS + (first_ns % DAY_NS > 0)) * DAY_NS
        for venue in self._venues:
            self._kernel.sample_equity(venue, first_ns)
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

    # ------------------------------------------------------------------ rows

    def _replay_rows(self, state: StreamState, start: int, stop: int) -> None:
        """Rows [start, stop) of one stream: free stretches fast, rows that need more one by one."""
        rows = state.views
        at = start
        while at < stop:
            free = self._free_until(state, at, stop)
            if free > at:
                at = self._deliver_free(state, rows, at, free)
            else:
                self._replay_row(state, at, next(rows))
                at += 1
            if self._kernel.halted_by is not None:
                return

    def _free_until(self, state: StreamState, at: int, stop: int) -> int:
        """The first row from `at` on before which something is due, or which an order needs the venue for."""
        market = self._markets[state.instrument_id] if state.matches else None
        if market is not None and market.pending:
            return at
        free = state.first_at(min(self._host.timers.next_ns, self._day_end_ns) + 1, at, stop)
        for venue in self._venue_list:
            if venue.expiries:
                due_ns = venue.next_expiry_ns
                if due_ns is not None:
                    free = min(free, state.first_at(due_ns, at, stop))
        if market is not None and market.working:
            free = min(free, state.next_touch(market.reach, at, free))
        return free

    def _deliver_free(self, state: StreamState, rows: Iterator[Row], start: int, stop: int) -> int:
        """Give rows [start, stop) to the handlers; ends early, after a row whose handlers sent something.

        Returns the index of the next row.
        """
        host, clock, cursor = self._host, self._clock, state.cursor
        staged = host.staged
        handlers = self._handlers_of(state)
        stretch = islice(rows, stop - start)
        actor = None
        at = start
        if len(handlers) == 1:
            actor, handler = handlers[0]
            clock.follow(cursor)
            try:
                for at, cursor.row in enumerate(stretch, start):  # noqa: B007 - the index is wanted after the loop too
                    handler(cursor.row)
                    if staged:
                        host.commit()
                        break
                else:
                    cursor.index = stop - 1
                    self._stand_at_row_of(cursor)
                    return stop
            except Exception as error:  # noqa: BLE001 - whatever a handler raises faults its actor
                cursor.index = at
                self._stand_at_row_of(cursor)
                host.on_handler_error(actor, error)
            cursor.index = at
            self._stand_at_row_of(cursor)
            host.settle()
            return at + 1
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
                except Exception as error:  # noqa: BLE001
                    is_settled = False
                    host.on_handler_error(actor, error)
            if not is_settled:
                cursor.index = at
                host.settle()
                return at + 1
        cursor.index = stop - 1
        return stop

    def _stand_at_row_of(self, cursor: Cursor[Any]) -> None:
        """The clock followed the cursor through a free stretch; now it stands at the row that ended it."""
        row = cursor.row
        self._clock.stand_at(self._clock.ts_ns if row is None else row.ts_ns)

    def _expire_before_row(self, ts_ns: int) -> None:
        """GTD orders whose time has come end before a row of that time is matched."""
        for venue in self._venue_list:
            due_ns = venue.next_expiry_ns
            if due_ns is not None and due_ns <= ts_ns:
                self._clock.ts_ns = due_ns
                venue.expire(ts_ns)
                self._host.settle()

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
        has_expiries = False
        for venue in self._venue_list:
            if venue.expiries:
                has_expiries = True
        if has_expiries or self._host.timers.next_ns < ts_ns or self._day_end_ns < ts_ns:
            self._settle_until(ts_ns, inclusive=False)
        if has_expiries:
            self._expire_before_row(ts_ns)
        clock, cursor, host = self._clock, state.cursor, self._host
        clock.ts_ns = ts_ns
        cursor.index = index
        if state.matches:
            cursor.hand = row
            self._venues[state.venue].apply(state, row)
        cursor.row, cursor.hand = row, None
        for actor, handler in self._handlers_of(state):
            if actor is None:
                handler(row)
            elif actor.is_active:
                host.run(actor, handler, row)
        if host.queue:
            host.settle()

    # ------------------------------------------------------------------ time

    def _settle_until(self, ts_ns: int, *, inclusive: bool) -> None:
        """Everything due before `ts_ns` (and at it, where inclusive) in order of time, each settled at its own time.

        At one time: expiries, then timers, then the sample of equity that ends a day.
        """
        host, clock = self._host, self._clock
        limit_ns = ts_ns if inclusive else ts_ns - 1
        while True:
            expiry_ns = NEVER_NS
            for venue in self._venue_list:
                if venue.expiries:
                    expiry_ns = min(expiry_ns, venue.next_expiry_ns or NEVER_NS)
            due_ns = min(host.timers.next_ns, expiry_ns, self._day_end_ns)
            if max(due_ns, clock.ts_ns) > limit_ns:
                return  # what was due in the past is due now, and so comes after the rows of this time
            clock.ts_ns = max(clock.ts_ns, due_ns)
            if expiry_ns == due_ns:
                for venue in self._venue_list:
                    venue.expire(due_ns)
            elif host.timers.next_ns <= due_ns:
                host.fire_next()
            else:
                self._end_day(limit_ns)
            host.settle()

    def _end_day(self, limit_ns: int) -> None:
        """Sample equity at the end of a UTC day; days without rows, such as weekends of shares, have no sample."""
        for venue in self._venues:
            self._kernel.sample_equity(venue, self._day_end_ns)
        next_row_day_end_ns = -(-(limit_ns + 1) // DAY_NS) * DAY_NS
        self._day_end_ns = max(self._day_end_ns + DAY_NS, next_row_day_end_ns)
