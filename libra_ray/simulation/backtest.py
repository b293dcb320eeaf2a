"""One backtest: a system and a dataset in, a result out. No Ray, no files, no wall clock."""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Literal, TypeAlias

from libra_ray.clock import LiveClock
from libra_ray.data import Dataset, Stream
from libra_ray.data.aggregation import BarDelivery, BarMaker
from libra_ray.errors import ConfigError, DataError, quoted
from libra_ray.kernel import KernelParts, TradingKernel, VenueSettings
from libra_ray.matching import DepthBook
from libra_ray.messages.events import AnyEvent
from libra_ray.messages.schemas import (
    BARS,
    BOOK_DELTAS,
    FUNDING_RATES,
    MARK_PRICES,
    QUOTES,
    TRADES,
)
from libra_ray.model.identifiers import instrument_venue, period_ns
from libra_ray.portfolio import Cache, Cursor
from libra_ray.runtime import Actor
from libra_ray.simulation.book_scout import BookScout
from libra_ray.simulation.book_tops import BookTops
from libra_ray.simulation.latency import DueCommands
from libra_ray.simulation.market import Market
from libra_ray.simulation.replay import Replay
from libra_ray.simulation.reports import EngineLinks
from libra_ray.simulation.result import BacktestResult
from libra_ray.simulation.stream_state import StreamState
from libra_ray.simulation.system import ActorEntry, System, check_system
from libra_ray.simulation.venue import SimulatedVenue
from libra_ray.strategy.compiled import CompiledStrategy

__all__ = ["Engine", "attach", "backtest", "build", "cursor_of", "delayed_reports", "make_venue", "run_cell"]

BATCH_ROWS = 8_192
COLLECT_EVERY = 200_000
NS_PER_SECOND = 10**9
Engine: TypeAlias = Literal["event", "compiled", "auto", "lockstep"]
ENGINES: Final = ("event", "compiled", "auto")


def backtest(
    system: System,
    *,
    data: Dataset,
    batch_rows: int = BATCH_ROWS,
    engine: Engine = "event",
    placement: str | Mapping[str, str] | None = None,
) -> BacktestResult:
    """Run `system` over `data` and return what came of it.

    Args:
        system: stays as it is.
        data: what it runs over.
        batch_rows: rows at a time; changes speed and memory, never the result.
        engine: `event` runs handlers as Python. `compiled` runs those of compiled strategies as machine code, `auto`
            does so where there are any; all give the same result. `lockstep` runs actors apart, each host in a Ray
            actor, and gives the same `run_hash`: the proof that they do apart what they do together.
        placement: which actors share a host, for `lockstep`: `isolated` (the default), `fused`, or `{actor_id: host}`.

    The result is a function of code, configuration, data and seed. A strategy that raises is a fault of the result, not
    an exception. Raises `ConfigError` for a system that does not fit the data or its placement, `DataError` DATA008 for
    data without rows.
    """
    check_system(system, "backtest")
    if not isinstance(data, Dataset):
        raise _no_dataset(data)
    if engine == "lockstep":
        return _in_lockstep(system, data, batch_rows, "isolated" if placement is None else placement)
    if engine not in ENGINES or placement not in (None, "fused"):
        what = f"engine {quoted(engine)} with placement {quoted(placement)}"
        raise ConfigError("CONF002", "engine", what, 'Give engine="event" alone, or engine="lockstep".', str(engine))
    has_compiled = any(issubclass(entry.cls, CompiledStrategy) for entry in system.actors)
    if engine == "compiled" and not has_compiled:
        fix = 'Give engine="event", or write the strategy as a CompiledStrategy.'
        raise ConfigError("CONF002", "engine", "no strategy of the system has compiled handlers", fix, engine)
    if engine == "event" or not has_compiled:
        kernel, replay = build(system, data, batch_rows=batch_rows)
        return BacktestResult(system, data, kernel, run_cell(kernel, replay))
    from libra_ray.simulation.compiled import try_core  # compiles what it is made of

    made = try_core(system, data, batch_rows=batch_rows)
    if not isinstance(made, str):
        return made
    kernel, replay = build(system, data, batch_rows=batch_rows, make=_make_compiled)
    result = BacktestResult(system, data, kernel, run_cell(kernel, replay))
    result.engine, result.why_not_core = "compiled bridge", made
    return result


def _no_dataset(given: object) -> ConfigError:
    fix = (
        'Import files with "libra data import" and give lr.catalog("data").bars("EURUSD.SIM", "1h"), or lr.sample(...).'
    )
    return ConfigError("CONF002", "data", f"{quoted(given)} is not a dataset", fix, str(given))


def _make_compiled(entry: ActorEntry) -> Actor:
    """An actor; a compiled strategy with its compiled handlers."""
    actor = entry.make()
    if isinstance(actor, CompiledStrategy):
        actor.runs_compiled = True
    return actor


def _in_lockstep(system: System, data: Dataset, batch_rows: int, placement: str | Mapping[str, str]) -> BacktestResult:
    """Everything is checked before a process starts; Ray is loaded here and not before."""
    kernel, _ = build(system, data, batch_rows=batch_rows)
    kinds = {actor_id: actor.rank.kind for actor_id, actor in kernel.host.actors.items()}
    from libra_ray.hosts.placement import plan
    from libra_ray.simulation.lockstep.start import lockstep

    hosts = {each.host_id: each.actor_ids for each in plan(kinds, placement)}
    part, reports = lockstep(system, data, hosts, batch_rows=batch_rows)
    return BacktestResult(system, data, part.kernel, part.seconds, lockstep=reports)


def run_cell(kernel: TradingKernel, replay: Replay) -> float:
    """Start the kernel, replay all rows, stop it, dispose of its actors; returns the seconds that took."""
    watch = LiveClock()
    began_ns = watch.now_ns()
    with calm_collector():
        kernel.start()
        replay.run()
        kernel.stop()
        kernel.dispose()
    return (watch.now_ns() - began_ns) / NS_PER_SECOND


@contextmanager
def calm_collector() -> Iterator[None]:
    """Look for garbage cycles seldom: a run keeps what it makes, and its own objects form no cycles.

    At the interpreter's own pace a tenth of a run with many orders went into searching objects that all live on. For
    the same reason what is there at the end counts as old at once: it is looked through when everything is.
    """
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], COLLECT_EVERY), *before[1:])
    try:
        yield
    finally:
        if not gc.get_freeze_count():  # what somebody froze is not ours to thaw
            gc.freeze()
            gc.unfreeze()
        gc.set_threshold(*before)


def build(
    system: System,
    data: Dataset,
    *,
    batch_rows: int = BATCH_ROWS,
    make: Callable[[ActorEntry], Actor] = ActorEntry.make,
) -> tuple[TradingKernel, Replay]:
    """The kernel with all actors added, as `make` makes them, and the loop that will run it; nothing is started."""
    if not any(stream.rows for stream in data.streams):
        raise DataError("DATA008", None, "0 data rows", "Check the file or the date range.")
    if batch_rows < 1:
        raise ConfigError("CONF002", "batch_rows", f"{batch_rows} is not positive", "Give at least 1.", str(batch_rows))
    given = (*data.instruments.values(), *system.instruments.values())
    instruments = {made.id: made for made in given}
    venues: dict[str, SimulatedVenue] = {}
    markets: dict[str, Market] = {}

    def make_client(settings: VenueSettings, parts: KernelParts) -> SimulatedVenue:
        venues[settings.name] = make_venue(settings, parts, markets, system.seed)
        return venues[settings.name]

    kernel = TradingKernel(
        venues=system.venues,
        instruments=instruments.values(),
        risk=system.risk_settings,
        make_client=make_client,
        seed=system.seed,
        start_ns=data.start_ns,
    )
    reports = delayed_reports(kernel, venues)
    states = _states(data, kernel.cache, markets, venues, batch_rows)
    maker = BarMaker(system.bars, kernel.cache.instruments, [state.topic for state in states])
    bars = BarDelivery(maker, kernel.host, kernel.cache.rows.cursor_of_built)
    topics = (*(state.topic for state in states), *bars.counts())
    kernel.data.wire(topics, lambda: {state.topic: state.cursor.index + 1 for state in states} | bars.counts())
    for entry in system.actors:
        kernel.add(make(entry))
    return kernel, Replay(kernel, states, markets, venues, reports, bars)


def make_venue(settings: VenueSettings, parts: KernelParts, markets: dict[str, Market], seed: int) -> SimulatedVenue:
    """The simulated venue of some settings, its markets noted in `markets`."""
    mine: dict[str, Market] = {
        made.id: Market(made, parts.cache.rows.of(made.id), consumes=settings.liquidity_consumption, kind=settings.book)
        for made in parts.cache.instruments.values()
        if made.venue == settings.name
    }
    markets.update(mine)
    engine = parts.execution
    venue = SimulatedVenue(
        settings,
        parts.portfolio,
        parts.funds[settings.name],
        mine,
        EngineLinks(engine.process, engine.accept, engine.fill, engine.book, engine.adopt, engine.announce),
        seed=seed,
    )
    if settings.account == "margin":
        parts.watch(settings.name, venue.account_watch.on_equity)
    return venue


def delayed_reports(kernel: TradingKernel, venues: Mapping[str, SimulatedVenue]) -> DueCommands:
    """The queue of what venues report with a delay; what happened is published as much later as its report takes."""
    reports = DueCommands()
    delays = {name: venue.report_ns for name, venue in venues.items() if venue.report_ns}

    def publish(topic: str, event: AnyEvent) -> None:
        delay_ns = delays.get(instrument_venue(event.instrument_id), 0)  # type: ignore[union-attr]  # reports name one
        if delay_ns:
            reports.put(event.ts_ns + delay_ns, lambda _due_ns: kernel.bus.publish(topic, event))
        else:
            kernel.bus.publish(topic, event)

    if delays:
        kernel.execution.delay_reports(publish)
    return reports


def _states(
    data: Dataset, cache: Cache, markets: dict[str, Market], venues: dict[str, SimulatedVenue], batch_rows: int
) -> list[StreamState]:
    """One state per stream with rows, in the order of the dataset, each known to the market it makes."""
    states = []
    for stream in data.streams:
        if stream.rows == 0:
            continue
        state = StreamState(stream, cursor_of(stream, cache), batch_rows=batch_rows)
        states.append(state)
        attach(state, markets[stream.instrument.id], venues[stream.instrument.venue].settings)
    for state in states:
        market, settings = markets[state.instrument_id], venues[state.venue].settings
        if market.depth is not None and not any(other.is_book for other in market.streams):
            what = (
                f"venue {settings.name} has book = {quoted(settings.book)}, and {state.instrument_id} has no book data"
            )
            raise ConfigError("CONF008", None, what, 'Add book deltas or snapshots, or set book = "L1".', settings.book)
    return states


def cursor_of(stream: Stream, cache: Cache) -> Cursor[Any]:
    """A new cursor for a stream, known to the market's rows."""
    rows = cache.rows.of(stream.instrument.id)
    if stream.schema is BARS:
        return rows.cursor_of_bars(stream.period)
    cursor: Cursor[Any] = Cursor()
    name = {QUOTES: "quotes", TRADES: "trades", MARK_PRICES: "marks"}.get(stream.schema)
    if name is not None:
        setattr(rows, name, cursor)
    return cursor


def attach(state: StreamState, market: Market, settings: VenueSettings) -> None:
    """Make a stream known to the market whose instrument it shows, and choose anew which streams execute orders."""
    market.streams.append(state)
    if state.schema is QUOTES:
        market.quotes = state
    elif state.schema is TRADES:
        market.trades = state
    elif state.schema is MARK_PRICES:
        state.matches = True  # stops may look at the mark
    elif state.schema is FUNDING_RATES:
        state.matches = True
    elif state.is_book:
        _attach_book(state, market, settings)
    elif state.schema is BARS and (market.bars is None or _is_shorter(state, market.bars)):
        if market.bars is not None:
            market.bars.matches = False
        market.bars = state
    _choose_matching(market, settings)


def _attach_book(state: StreamState, market: Market, settings: VenueSettings) -> None:
    """A stream of book changes fills the market's book; at a venue without depth, one that is only looked at."""
    instrument = market.instrument
    wide = instrument.is_high_precision
    by_order = settings.book == "L3"
    state.matches = market.depth is not None
    state.book = market.depth
    if state.book is None:
        state.book = DepthBook(instrument.tick_raw, by_order=False, consumes=False, wide=wide)
        by_order = False
    elif state.schema is BOOK_DELTAS and state.is_complete and not any(s.is_book for s in market.streams[:-1]):
        state.scout = BookScout(instrument.tick_raw, by_order=by_order, wide=wide)
    if state.schema is BOOK_DELTAS and state.is_complete and not wide:
        state.tops = BookTops(state, by_order=by_order, tick=instrument.tick_raw)


def _is_shorter(one: StreamState, other: StreamState) -> bool:
    return period_ns(one.stream.period) < period_ns(other.stream.period)


def _choose_matching(market: Market, settings: VenueSettings) -> None:
    """Which streams execute orders: the book, quotes and trades; bars only where there is none of them."""
    has_depth = market.depth is not None
    if market.quotes is not None:
        market.quotes.matches = not has_depth
    if market.trades is not None:
        market.trades.matches = settings.trade_execution
    if market.bars is not None:
        is_alone = market.quotes is None and market.trades is None and not has_depth
        market.bars.matches = market.is_bars_only = is_alone and settings.bar_execution
    if has_depth and sum(stream.is_book for stream in market.streams) > 1:
        for stream in market.streams:
            stream.scout = stream.tops = None
