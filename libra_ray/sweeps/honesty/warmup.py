"""How much history does a strategy need? Runs over one period with more and more history before it.

Averages remember what they have seen, and some remember for ever: a run that begins late then trades otherwise than
one that began early. The longest history is the reference; freqtrade's `recursive-analysis` compares indicators so.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from libra_ray.analysis import statistics_from_arrays
from libra_ray.analysis.stretch import stretch
from libra_ray.clock import LiveClock
from libra_ray.data import Dataset, time_text
from libra_ray.errors import ConfigError
from libra_ray.messages.events import OrderInitialized
from libra_ray.simulation.figures import run_arrays
from libra_ray.simulation.system import System
from libra_ray.sweeps.honesty.indicator_values import indicator_values
from libra_ray.sweeps.honesty.watched_run import watched_run
from libra_ray.sweeps.workforce import workers_worth, workforce

__all__ = ["HISTORIES", "WarmupCheck", "WarmupRow", "check_warmup"]

Sent: TypeAlias = tuple[object, ...]
HISTORIES: Final = (0, 25, 50, 100, 200, 400, 800, 1_600, 3_200)
"""Rows of history that are tried where none are named, beside all there are."""
FIGURES: Final = ("total_return", "sharpe_ratio", "max_drawdown", "trades", "win_rate", "profit_factor")
INDICATORS_MAX: Final = 200
SAME: Final = 1e-9
NANOSECONDS: Final = 10**9


@dataclass(frozen=True, slots=True)
class WarmupRow:
    """A run with one length of history, beside the one with the longest.

    Attributes:
        history_rows: rows before the period, of all streams together.
        orders: sent in the period.
        differing: orders that only one of the two sent, added up.
        differs_ns: the time of the first of them; None where there is none.
        figures: of the period alone.
        indicators: value when the period begins, by `EmaCross-1.fast`; None where there is none yet.
        moved: how far each is from its value with the longest history, as a fraction of that; None where either is
            missing.
        error: of a run that failed; it has nothing else.
    """

    history_rows: int
    orders: int = 0
    differing: int = 0
    differs_ns: int | None = None
    figures: Mapping[str, float | int | str | None] | None = None
    indicators: Mapping[str, float | None] | None = None
    moved: Mapping[str, float | None] | None = None
    error: str = ""

    @property
    def is_same(self) -> bool:
        """Whether it sent the same orders as the run with the longest history."""
        return not self.error and not self.differing


@dataclass(frozen=True, slots=True)
class WarmupCheck:
    """What a check found.

    Attributes:
        start_ns: where the period that is compared begins; it ends with the data.
        rows: by history, the longest last: that is the reference.
        engine: what made the runs.
    """

    start_ns: int
    rows: tuple[WarmupRow, ...]
    engine: str

    @property
    def needed_rows(self) -> int | None:
        """The shortest history from which on all send the same orders; None when only the longest does."""
        needed = None
        for row in reversed(self.rows[:-1]):
            if not row.is_same:
                break
            needed = row.history_rows
        return needed

    @property
    def is_settled(self) -> bool:
        """Whether more history changed nothing in the end. Where it did, there may be no history that is enough."""
        return self.needed_rows is not None


def check_warmup(
    system: System,
    *,
    data: Dataset,
    start_ns: int | None = None,
    histories: Sequence[int] | None = None,
    workers: int | None = None,
) -> WarmupCheck:
    """Run over the data from `start_ns` on, with different numbers of rows before it.

    Args:
        system: what is checked.
        data: the period, and all history before it.
        start_ns: the first time of the period; None for the middle row.
        histories: rows of history to try; None for 0, 25, 50 and so on, doubling, up to all there are. All there are is
            tried in any case.
        workers: processes, 0 for this one; None for one per core, where starting them pays.

    Orders are compared by what was sent and when; ids, which count on from the history, are not. Raises `ConfigError`
    CONF002 where there is no history, or a number of rows is not between 0 and all, and the fault of the run with the
    longest history where it had one.
    """
    times = np.sort(np.concatenate([stream.ts_ns for stream in data.streams]))
    begins_ns = int(times[times.size // 2]) if start_ns is None else start_ns
    available = int(np.searchsorted(times, begins_ns, side="left"))
    if not 0 < available < times.size:
        what = f"there is no row {'before' if not available else 'from'} {time_text(begins_ns)}"
        raise ConfigError("CONF002", "start", what, "Give a time inside the data.", time_text(begins_ns))
    wanted = [rows for rows in HISTORIES if rows < available] if histories is None else list(histories)
    for rows in wanted:
        if not 0 <= rows <= available:
            what = f"{rows:,} is not between 0 and the {available:,} rows before {time_text(begins_ns)}"
            raise ConfigError("CONF002", "history", what, "Give fewer rows or a later start.", str(rows))
    starts_ns = [int(times[available - rows]) for rows in sorted({*wanted, available} - {available})]
    job = HistoryJob(system, begins_ns)
    watch = LiveClock()
    began_ns = watch.now_ns()
    reference = job.work(data)(int(times[0]))
    if reference.fault is not None:
        raise reference.fault
    worth = workers_worth(workers, seconds=(watch.now_ns() - began_ns) / NANOSECONDS * len(starts_ns))
    with workforce(data, workers=worth, items_max=max(len(starts_ns), 1)) as force:
        seen = [*force.values(job, starts_ns), reference]
        engine = force.engine
    counts = [available - int(np.searchsorted(times, start, side="left")) for start in (*starts_ns, int(times[0]))]
    compared = [_compared(rows, each, reference) for rows, each in zip(counts, seen, strict=True)]
    return WarmupCheck(begins_ns, tuple(compared), engine)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one run did in the period."""

    sent: tuple[Sent, ...] = ()
    figures: Mapping[str, float | int | str | None] | None = None
    indicators: Mapping[str, float | None] | None = None
    fault: Exception | None = None


@dataclass(frozen=True)
class HistoryJob:
    """Runs from a time on, looked at from `begins_ns` on."""

    system: System
    begins_ns: int

    def work(self, data: Dataset) -> Callable[[int], Seen]:
        """The run from a time on."""

        def run(start_ns: int) -> Seen:
            values: Mapping[str, float | None] = {}
            if start_ns < self.begins_ns:
                history = data.between(start_ns, self.begins_ns)
                values = watched_run(self.system, history, look=indicator_values).state
            made = watched_run(self.system, data.between(start_ns, None))
            if made.faults:
                return Seen(fault=made.faults[0].to_error())
            arrays = stretch(run_arrays(made.kernel.record, made.kernel.portfolio), self.begins_ns)
            figures = statistics_from_arrays(arrays)
            sent = tuple(_sent(event) for event in made.events if type(event) is OrderInitialized)
            inside = tuple(order for order in sent if int(str(order[0])) >= self.begins_ns)
            return Seen(inside, {name: figures[name] for name in FIGURES}, values)

        return run


def _sent(event: OrderInitialized) -> Sent:
    """All of an order but its id, and what else counts on from the history."""
    terms = (event.type, event.quantity_raw, event.price_raw, event.trigger_raw, event.time_in_force, event.expire_ns)
    flags = (event.post_only, event.reduce_only, event.quote_quantity)
    return (event.ts_ns, event.strategy_id, event.instrument_id, event.side, *terms, *flags)


def _compared(history_rows: int, seen: Seen, reference: Seen) -> WarmupRow:
    if seen.fault is not None:
        return WarmupRow(history_rows, error=str(seen.fault))
    only_one = _differing(seen.sent, reference.sent)
    mine, theirs = seen.indicators or {}, reference.indicators or {}
    names = sorted({*mine, *theirs})[:INDICATORS_MAX]
    return WarmupRow(
        history_rows,
        orders=len(seen.sent),
        differing=len(only_one),
        differs_ns=min((int(str(order[0])) for order in only_one), default=None),
        figures=seen.figures,
        indicators={name: mine.get(name) for name in names},
        moved={name: _moved(mine.get(name), theirs.get(name)) for name in names},
    )


def _differing(mine: Sequence[Sent], theirs: Sequence[Sent]) -> list[Sent]:
    """Orders that are in one of the two only, counted as often as they are."""
    counts: dict[Sent, int] = {}
    for order in mine:
        counts[order] = counts.get(order, 0) + 1
    for order in theirs:
        counts[order] = counts.get(order, 0) - 1
    return [order for order, count in counts.items() for _ in range(abs(count))]


def _moved(value: float | None, reference: float | None) -> float | None:
    if value is None or reference is None:
        return None
    if math.isclose(value, reference, rel_tol=SAME, abs_tol=SAME * SAME):
        return 0.0
    return (value - reference) / abs(reference) if reference else math.copysign(math.inf, value)
