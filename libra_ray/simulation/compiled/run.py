"""A run in the core: terms and arrays from a started kernel, the loop, a result; or nothing, and nothing happened."""

from math import gcd
from typing import Any, Final

import numpy as np

from libra_ray.clock import LiveClock
from libra_ray.data import Dataset, Stream
from libra_ray.kernel import TradingKernel, VenueSettings
from libra_ray.kernel.settings import RiskSettings, parse_rate
from libra_ray.matching.core.accounting import first_sample as sample
from libra_ray.matching.core.intents import cancel_all
from libra_ray.matching.core.layout import BALANCE, DAY_END, MARK_ASK, MARK_BID, TERMS, Core, Ledger, Terms, new_ledger
from libra_ray.matching.core.room import grown
from libra_ray.model.instruments import Instrument
from libra_ray.portfolio.notionals import unit_factor
from libra_ray.runtime import Actor
from libra_ray.simulation.backtest import build
from libra_ray.simulation.compiled.loop import loop_module
from libra_ray.simulation.compiled.result import CoreResult
from libra_ray.simulation.compiled.support import HOOKS, cancels_at_end, reason_not_core, reason_not_started, stream_of
from libra_ray.simulation.system import ActorEntry, System
from libra_ray.simulation.venue import SimulatedVenue
from libra_ray.strategy.compiled import CompiledStrategy
from libra_ray.strategy.compiled.desk import new_arrays
from libra_ray.strategy.compiled.generation import state_arrays
from libra_ray.strategy.compiled.rows import ROWS

__all__ = ["try_core"]

DAY_NS: Final = 86_400 * 10**9
NS_PER_SECOND: Final = 10**9
LARGEST: Final = 2**61
NEAR_BITS: Final = 20
RATE_MAX: Final = 1_000_000
ROOM_LEAST: Final = 65_536
ROOM_MOST: Final = 500_000
"""Places for events at first: what is not written to costs nothing, and later runs take arrays below 32 MiB again."""
STOPS: Final = (ArithmeticError, IndexError, OverflowError, RuntimeError)
"""What the compiled loop raises where the event engine must make the run."""


def try_core(system: System, data: Dataset, *, batch_rows: int) -> CoreResult | str:
    """Run a system in the core; the reason why that cannot be, in words, where it cannot: then nothing has happened.

    Raises what `build` and a kernel's start raise.
    """
    reason = reason_not_core(system, data)
    if reason is not None:
        return reason
    watch = LiveClock()
    kernel, _ = build(system, data, batch_rows=batch_rows, make=_make)
    began_ns = watch.now_ns()
    kernel.start()
    stream = stream_of(data)
    strategy = kernel.strategies[0]
    assert isinstance(strategy, CompiledStrategy)  # noqa: S101  # `reason_not_core` has seen to that
    reason = reason_not_started(kernel, strategy, stream)
    terms = _terms(kernel, system.venues[0], system.risk_settings, stream) if reason is None else None
    if terms is None:
        return reason or "an account, a rate or the instrument is beyond 64 bits, or must be watched"
    try:
        ledger = _run(kernel, strategy, stream, terms)
    except STOPS as error:
        return f"the core stopped: {error}"
    return CoreResult(system, data, kernel, (watch.now_ns() - began_ns) / NS_PER_SECOND, ledger=ledger)


def _make(entry: ActorEntry) -> Actor:
    actor = entry.make()
    assert isinstance(actor, CompiledStrategy)  # noqa: S101
    actor.runs_compiled = True
    return actor


def _run(kernel: TradingKernel, strategy: CompiledStrategy, stream: Stream, terms: Terms) -> Ledger:
    """All rows of the stream; what happened."""
    program, hook = strategy.program, HOOKS[stream.schema.name]
    assert program is not None  # noqa: S101  # `reason_not_started` has seen to that
    instrument, form = stream.instrument, ROWS[hook]
    module = loop_module(hook, program.handlers[hook])  # type: ignore[index]  # one of its hooks
    desk = new_arrays()
    room = min(max(stream.rows, ROOM_LEAST), ROOM_MOST)
    ledger = new_ledger(terms.rate_limit, desk.leaves, orders=room // 4, events=room, samples=room)
    made = np.array([tuple(terms)], TERMS)
    core = made[0]
    state, params = state_arrays(program.state), tuple(program.params)
    times = (stream.raw("ts_init_ns"), stream.raw("ts_event_ns"))
    columns = tuple(stream.raw(name) for name in form.columns)
    units = (10.0**instrument.price_precision, 10.0**instrument.size_precision)
    first_ns = int(stream.ts_ns[0])
    account = kernel.portfolio.accounts[instrument.venue]
    ledger.now[BALANCE] = account.total_raw(account.reporting.code)
    ledger.now[DAY_END] = -(-first_ns // DAY_NS) * DAY_NS
    sample(core, ledger.core, first_ns)
    at = 0
    while True:
        at = module.run(state, params, desk, times, columns, units, core, ledger.core, at)
        if at == stream.rows:
            break
        ledger = grown(ledger)
        desk = desk._replace(leaves=ledger.leaves)
    last_ns = int(stream.ts_ns[-1])
    _end(core, ledger, columns, hook, last_ns)
    if cancels_at_end(type(strategy)):
        cancel_all(ledger.core, last_ns)
    return ledger


def _end(terms: Core, ledger: Ledger, columns: tuple[Any, ...], hook: str, last_ns: int) -> None:
    """The samples at the end: of a day that ends with the last row, and of the run."""
    bid, ask = (columns[3], columns[3]) if hook == "on_bar" else (columns[0], columns[1])
    ledger.now[MARK_BID], ledger.now[MARK_ASK] = int(bid[-1]), int(ask[-1])
    if ledger.now[DAY_END] <= last_ns:
        sample(terms, ledger.core, int(ledger.now[DAY_END]))
    sample(terms, ledger.core, last_ns)


def _terms(kernel: TradingKernel, venue: VenueSettings, risk: RiskSettings, stream: Stream) -> Terms | None:
    """The constants of a run; None where one does not fit, or nobody can say when the account is near a call."""
    instrument = kernel.cache.instruments[stream.instrument.id]
    contract = kernel.portfolio.terms[instrument.id]
    client = kernel.clients[venue.name]
    assert isinstance(client, SimulatedVenue)  # noqa: S101  # a backtest has no others
    near = client.account_watch.worst_per_unit(contract)
    limit, interval_ns = parse_rate(risk.max_order_rate)
    margin_num, margin_den = _margin(kernel, instrument)
    fees = (*contract.maker_factor, *contract.taker_factor)
    numbers = (*contract.pnl_factor, *fees, margin_num, margin_den, limit)
    near_raw = LARGEST if near is None else (near >> NEAR_BITS) + 1  # it has 40 bits behind the point, and the core 20
    if near is None or limit > RATE_MAX or max(map(abs, (*numbers, near_raw))) > LARGEST:
        return None
    return Terms(
        *contract.pnl_factor,
        *fees,
        tick=instrument.tick_raw,
        step=instrument.step_raw,
        least=instrument.min_qty_raw or 0,
        most=LARGEST if instrument.max_qty_raw is None else instrument.max_qty_raw,
        px_least=instrument.min_price_raw or 0,
        px_most=LARGEST if instrument.max_price_raw is None else instrument.max_price_raw,
        margin_num=margin_num,
        margin_den=margin_den,
        rate_limit=limit,
        rate_ns=interval_ns,
        next_open=stream.schema.name == "bars" and venue.bar_fill == "next_open",
        adaptive=venue.bar_path == "adaptive",
        rejects_stops=venue.reject_stop_orders,
        near=near_raw,
    )


def _margin(kernel: TradingKernel, instrument: Instrument) -> tuple[int, int]:
    """Initial margin of a notional unit, as `Funds` has it; 0 where there is none."""
    rate, leverage = instrument.margin_init, kernel.funds[instrument.venue].leverage_of(instrument.id)
    num, den = unit_factor(instrument)
    num, den = num * rate.num * leverage.den, den * rate.den * leverage.num
    shared = gcd(num, den)
    return num // shared, den // shared
