"""Does anything look ahead? Runs over shortened data must do what the whole run did until there.

A strategy is called row by row and cannot see later rows; but it may load data by itself, be given signals that were
computed over all of it, or keep something from another run. Cut off behind a decision, whatever knew the future knows
it no longer, and decides otherwise.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from libra_ray.clock import LiveClock
from libra_ray.data import Dataset, time_text
from libra_ray.data.horizon import horizon
from libra_ray.errors import ConfigError
from libra_ray.messages.events import AnyEvent
from libra_ray.model.orders import Order
from libra_ray.runtime import Fault
from libra_ray.simulation.system import System
from libra_ray.sweeps.honesty.opened_files import opened_files
from libra_ray.sweeps.honesty.watched_run import event_line, watched_run
from libra_ray.sweeps.workforce import workers_worth, workforce

__all__ = ["CUTS", "LookaheadCheck", "LookaheadFinding", "MakeSystem", "check_lookahead"]

MakeSystem: TypeAlias = Callable[[Dataset], System]
CUTS: Final = 20
ORDER_SHARE: Final = 0.7
"""Of the cuts, those that are made right behind an order; the others lie evenly, for orders that were held back."""
MARK_BYTES: Final = 8
NANOSECONDS: Final = 10**9
_ENCODER: Final = msgspec.msgpack.Encoder()


@dataclass(frozen=True, slots=True)
class LookaheadFinding:
    """One cut behind which an earlier decision was another.

    Attributes:
        cut_ns: the last time whose rows the shortened run has.
        ts_ns: when the first thing that differs happened.
        actor_id: whose it is; empty for what belongs to no actor.
        whole: what happened then with all data; None where nothing did.
        shortened: what happened instead without what comes after `cut_ns`; None for nothing.
    """

    cut_ns: int
    ts_ns: int
    actor_id: str
    whole: str | None
    shortened: str | None

    def sentence(self) -> str:
        """For a person."""
        whole, shortened = self.whole or "nothing happened", self.shortened or "nothing happened"
        return f"with all data: {whole}; without what comes after {time_text(self.cut_ns)}: {shortened}"


@dataclass(frozen=True, slots=True)
class LookaheadCheck:
    """What a check found.

    Attributes:
        findings: one per cut that changed something, by the time of the cut.
        cuts_ns: the times behind which data was cut off.
        orders: of the whole run.
        files: what strategies opened by themselves, which no cut can shorten.
        engine: what made the runs.
    """

    findings: tuple[LookaheadFinding, ...]
    cuts_ns: tuple[int, ...]
    orders: int
    files: tuple[str, ...]
    engine: str

    @property
    def is_clean(self) -> bool:
        """Whether every shortened run did what the whole one did."""
        return not self.findings


def check_lookahead(
    system: System | MakeSystem, *, data: Dataset, cuts: int = CUTS, workers: int | None = None
) -> LookaheadCheck:
    """Run over all of `data`, then over `cuts` beginnings of it, and compare everything that happened.

    Args:
        system: what is checked; or a function that makes it from data, for signals that are computed beforehand: it is
            called with the shortened data then.
        data: all of it.
        cuts: how many shortened runs; seven of ten end right behind an order of the whole run.
        workers: processes, 0 for this one; None for one per core, where starting them pays.

    While a shortened run is made, every stream that is loaded in its process ends at the cut too. Raises `ConfigError`
    CONF002 for a number of cuts below 1, the fault of the whole run where it had one, `DataError` DATA008 without rows.
    """
    if cuts < 1:
        raise ConfigError("CONF002", "cuts", f"{cuts} is below 1", "Give at least 1.", str(cuts))
    make: MakeSystem = (lambda _: system) if isinstance(system, System) else system
    watch = LiveClock()
    began_ns = watch.now_ns()
    with opened_files() as files:
        whole = watched_run(make(data), data)
    seconds = (watch.now_ns() - began_ns) / NANOSECONDS
    if whole.faults:
        raise whole.faults[0].to_error()
    orders = whole.kernel.record.orders
    at_ns = _cut_times(data, orders, cuts)
    job = CutJob(make, np.array([event.ts_ns for event in whole.events], np.int64), _marks(whole.events))
    worth = workers_worth(workers, seconds=seconds * len(at_ns))
    with workforce(data, workers=worth, items_max=len(at_ns)) as force:
        differences = force.values(job, at_ns)
        engine = force.engine
    findings = [
        _finding(cut_ns, difference, whole.events)
        for cut_ns, difference in zip(at_ns, differences, strict=True)
        if difference is not None
    ]
    return LookaheadCheck(tuple(findings), tuple(at_ns), len(orders), tuple(files), engine)


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a shortened run leaves the whole one: `index` of the event, and what came instead, where something did."""

    index: int
    ts_ns: int
    actor_id: str
    line: str | None


@dataclass(frozen=True)
class CutJob:
    """Runs over data that ends with a time, against times and marks of all events of the whole run."""

    make: MakeSystem
    ts_ns: npt.NDArray[np.int64]
    marks: list[bytes]

    def work(self, data: Dataset) -> Callable[[int], Difference | None]:
        """The run that ends with the rows of a time."""

        def run(cut_ns: int) -> Difference | None:
            known = data.between(None, cut_ns + 1)
            with horizon(cut_ns + 1):
                made = watched_run(self.make(known), known)
            until = np.flatnonzero(self.ts_ns <= made.last_ns).tolist()
            return _first_difference([(at, self.marks[at]) for at in until], made.events, made.faults, made.last_ns)

        return run


def _first_difference(
    whole: Sequence[tuple[int, bytes]], events: Sequence[AnyEvent], faults: Sequence[Fault], last_ns: int
) -> Difference | None:
    """The first event that is not the whole run's, or is missing; a fault comes first where it is not later."""
    differing = next(
        (at for at, (mine, (_, mark)) in enumerate(zip(_marks(events), whole, strict=False)) if mine != mark), None
    )
    if differing is None and len(events) != len(whole):
        differing = min(len(events), len(whole))
    if faults and (differing is None or differing >= len(events) or faults[0].ts_ns <= events[differing].ts_ns):
        fault = faults[0]
        index = whole[differing][0] if differing is not None and differing < len(whole) else -1
        return Difference(index, fault.ts_ns, fault.actor_id, str(fault.to_error()))
    if differing is None:
        return None
    index = whole[differing][0] if differing < len(whole) else -1
    if differing < len(events):
        event = events[differing]
        return Difference(index, event.ts_ns, str(getattr(event, "strategy_id", "")), event_line(event))
    return Difference(index, last_ns, "", None)


def _finding(cut_ns: int, difference: Difference, events: Sequence[AnyEvent]) -> LookaheadFinding:
    """With what the whole run did at the same place, where that lies before the cut."""
    whole = events[difference.index] if difference.index >= 0 else None
    if whole is None:
        return LookaheadFinding(cut_ns, difference.ts_ns, difference.actor_id, None, difference.line)
    ts_ns = whole.ts_ns if difference.line is None else min(whole.ts_ns, difference.ts_ns)
    actor_id = difference.actor_id or str(getattr(whole, "strategy_id", ""))
    return LookaheadFinding(cut_ns, ts_ns, actor_id, event_line(whole), difference.line)


def _marks(events: Iterable[AnyEvent]) -> list[bytes]:
    """Eight bytes that stand for each event with all its fields."""
    return [blake2b(_encoded(event), digest_size=MARK_BYTES).digest() for event in events]


def _encoded(event: AnyEvent) -> bytes:
    try:
        return _ENCODER.encode(event)
    except OverflowError:  # integers of an instrument of high precision
        return repr(event).encode()


def _cut_times(data: Dataset, orders: Iterable[Order], cuts: int) -> list[int]:
    """Times of rows to end with, rising: right at orders, then evenly over all rows.

    Of each strategy buys and sells take turns: a signal that lacks its future may happen to say the same again, but
    hardly for both.
    """
    times = np.unique(np.concatenate([stream.ts_ns for stream in data.streams]))[:-1]  # the last cuts nothing off
    if not times.size:
        return []
    kinds: dict[tuple[str, str], list[int]] = {}
    for order in orders:
        if order.ts_init_ns < data.end_ns:
            kinds.setdefault((order.strategy_id, order.side), []).append(order.ts_init_ns)
    wanted = round(cuts * ORDER_SHARE)
    chosen: set[int] = set()
    for place, key in enumerate(sorted(kinds)):
        share = (wanted - len(chosen)) // (len(kinds) - place)
        chosen |= set(_spread(np.unique(np.array(kinds[key], np.int64)), share))
    for count in range(min(cuts - len(chosen), times.size), times.size + 1):
        evenly = chosen | set(_spread(times, count))
        if len(evenly) >= min(cuts, times.size):
            chosen = evenly
            break
    return sorted(chosen)[:cuts]


def _spread(times: npt.NDArray[np.int64], count: int) -> list[int]:
    """`count` of the times, or all, from the first to the last."""
    if count >= times.size:
        return [int(ts_ns) for ts_ns in times]
    if count <= 1:
        return [int(times[times.size // 2])] * count
    return [int(times[place * (times.size - 1) // (count - 1)]) for place in range(count)]
