"""What is due in a replay besides rows: in order of time, and at one time in the order of its phases."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from libra_ray.data.aggregation import BarDelivery
from libra_ray.runtime import NEVER_NS, LocalHost
from libra_ray.simulation.latency import DueCommands
from libra_ray.simulation.venue import SimulatedVenue

__all__ = ["Agenda"]


class _Source(NamedTuple):
    """When the next thing of one kind is due, and how it is done."""

    due_ns: Callable[[], int]
    run: Callable[[int], object]


class Agenda:
    """At one time expiries of orders come first, then, after the rows of that time, the others in a fixed order.

    Bars of time, commands and reports that are due, closes of sessions, ends of contracts, roll-over, timers, and the
    sample of equity that ends a day.

    Attributes:
        day_end_ns: when the running UTC day ends.
    """

    def __init__(
        self,
        host: LocalHost,
        venues: Sequence[SimulatedVenue],
        reports: DueCommands,
        bars: BarDelivery,
        end_day: Callable[[int], object],
    ) -> None:
        self._timers = host.timers
        self._venues = tuple(venues)
        self._timed = tuple(venue for venue in venues if venue.is_timed)
        self._reports, self._maker = reports, bars.maker
        self.day_end_ns = 0
        clock = host.clock
        self._sources = (
            _Source(self.next_expiry_ns, self._expire),
            _Source(lambda: self._maker.next_close_ns, bars.close_due),
            *(_Source(partial(_command_ns, venue), partial(_run_command, venue)) for venue in self._timed),
            _Source(lambda: reports.next_ns, lambda _due_ns: reports.run_next()),
            *(_Source(partial(_close_ns, venue), venue.close_auctions) for venue in self._venues),
            *(_Source(partial(_contract_end_ns, venue), venue.expire_contracts) for venue in self._timed),
            *(_Source(partial(_rollover_ns, venue), venue.roll_over) for venue in self._timed),
            # A timer of the past is due now, in its turn.
            _Source(lambda: max(host.timers.next_ns, clock.now_ns()), lambda _due_ns: host.fire_next()),
            _Source(lambda: self.day_end_ns, end_day),
        )

    def quiet_until_ns(self) -> int:
        """Rows before this time need nothing from here: nothing is due before them, and no order expires at theirs."""
        # Comparisons, not min(): that costs five times as much, and every stretch of rows asks.
        due_ns = self._timers.next_ns
        if self.day_end_ns < due_ns:  # noqa: PLR1730 - as said
            due_ns = self.day_end_ns
        if self._maker.next_close_ns < due_ns:  # noqa: PLR1730 - as said
            due_ns = self._maker.next_close_ns
        if self._timed:
            for venue in self._timed:
                due_ns = min(due_ns, venue.due.next_ns, venue.next_contract_end_ns, venue.next_rollover_ns)
            due_ns = min(due_ns, self._reports.next_ns)
        expiry_ns = NEVER_NS
        for venue in self._venues:
            if venue.has_endings:
                due_ns = min(due_ns, _close_ns(venue))
                expiry_ns = min(expiry_ns, venue.next_expiry_ns or NEVER_NS)
        return due_ns + 1 if due_ns < expiry_ns else expiry_ns

    def first(self) -> tuple[int, Callable[[int], object]]:
        """When the first thing is due, and how it is done: a call with that time."""
        first_ns, run = NEVER_NS, self._sources[-1].run
        for source in self._sources:
            due_ns = source.due_ns()
            if due_ns < first_ns:
                first_ns, run = due_ns, source.run
        return first_ns, run

    def next_expiry_ns(self) -> int:
        """When the next order expires: before a row of that time."""
        due_ns = NEVER_NS
        for venue in self._venues:
            if venue.has_endings:
                due_ns = min(due_ns, venue.next_expiry_ns or NEVER_NS)
        return due_ns

    def _expire(self, ts_ns: int) -> None:
        for venue in self._venues:
            venue.expire(ts_ns)


def _command_ns(venue: SimulatedVenue) -> int:
    return venue.due.next_ns


def _run_command(venue: SimulatedVenue, _due_ns: int) -> None:
    venue.due.run_next()


def _close_ns(venue: SimulatedVenue) -> int:
    return venue.next_close_ns or NEVER_NS


def _contract_end_ns(venue: SimulatedVenue) -> int:
    return venue.next_contract_end_ns


def _rollover_ns(venue: SimulatedVenue) -> int:
    return venue.next_rollover_ns
