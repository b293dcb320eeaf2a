"""What the core can run, said before a run: the first reason why it cannot, in words."""

import ast
import inspect
from collections.abc import Iterator
from textwrap import dedent
from typing import Final

from libra_ray.data import Dataset, Stream
from libra_ray.kernel import MakerTaker, RiskSettings, TradingKernel, VenueSettings
from libra_ray.kernel.settings import LatencySettings
from libra_ray.messages.schemas import BARS, QUOTES
from libra_ray.model.enums import TradingState
from libra_ray.model.instruments import Instrument
from libra_ray.runtime import Actor
from libra_ray.runtime.timers import NEVER_NS
from libra_ray.simulation.system import System
from libra_ray.strategy.compiled import CompiledStrategy
from libra_ray.strategy.compiled.bridge import RowScanner

__all__ = ["HOOKS", "cancels_at_end", "reason_not_core", "reason_not_started", "stream_of"]

HOOKS: Final = {BARS.name: "on_bar", QUOTES.name: "on_quote"}
"""The hook that is given the rows of a schema."""
_OWN_HOOKS: Final = frozenset({"on_start", "on_save", "on_load"})
_VENUE: Final = {
    "account": "margin",
    "oms": "netting",
    "book": "L1",
    "liquidity_consumption": True,
    "price_protection": 0,
    "queue": "none",
    "fill_model": "default",
    "sessions": "24h",
    "bar_execution": True,
    "rollover": {},
    "latency": LatencySettings(),
}
"""Settings of a venue that the core knows one value of."""
_LIMITS: Final = ("max_notional_per_order", "max_position", "max_open_orders", "price_collar_bps")
_LOSSES: Final = ("max_daily_loss", "max_drawdown")


def reason_not_core(system: System, data: Dataset) -> str | None:
    """Why a system cannot run in the core over that data; None where it can, as far as its settings tell."""
    return next(_reasons(system, data), None)


def cancels_at_end(cls: type[Actor]) -> bool:
    """Whether all that its `on_stop` does is to cancel the orders of the strategy."""
    if cls.on_stop is CompiledStrategy.on_stop:
        return False
    (function,) = ast.parse(dedent(inspect.getsource(cls.on_stop))).body
    assert isinstance(function, ast.FunctionDef)  # noqa: S101  # the source of a method
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return len(body) == 1 and ast.unparse(body[0]).startswith("self.cancel_all_orders(")


def stream_of(data: Dataset) -> Stream:
    """The one stream with rows."""
    return next(stream for stream in data.streams if stream.rows)


def _reasons(system: System, data: Dataset) -> Iterator[str]:
    if len(system.actors) != 1 or not issubclass(system.actors[0].cls, CompiledStrategy):
        yield "the system is not one compiled strategy"
        return
    cls = system.actors[0].cls
    for hook in sorted(cls.KNOWN_HOOKS - _OWN_HOOKS):
        if hook == "on_stop" and cancels_at_end(cls):
            continue
        if getattr(cls, hook, None) is not getattr(CompiledStrategy, hook, None):
            yield f"the strategy has {hook} of its own"
    streams = [stream for stream in data.streams if stream.rows]
    if len(streams) != 1 or streams[0].schema.name not in HOOKS:
        yield "the data are not one stream of bars or quotes"
        return
    if system.bars:
        yield "bars are made of other rows"
    instrument = system.instruments.get(streams[0].instrument.id, streams[0].instrument)
    venue = next((venue for venue in system.venues if venue.name == instrument.venue), None)
    if len(system.venues) != 1 or venue is None:
        yield "there is not one venue"
        return
    yield from _reasons_of_venue(venue, instrument)
    yield from _reasons_of_instrument(instrument)
    yield from _reasons_of_limits(system.risk_settings)


def _reasons_of_venue(venue: VenueSettings, instrument: Instrument) -> Iterator[str]:
    for name, value in _VENUE.items():
        if getattr(venue, name) != value:
            yield f"the venue's {name} is {getattr(venue, name)!r}"
    if float(venue.prob_fill_on_limit) != 1.0 or float(venue.prob_slippage) != 0.0:
        yield "the venue leaves fills to chance"
    code = instrument.quote.code
    if len(venue.balances) != 1 or venue.deposits()[0].currency.code != code or venue.base_currency not in (None, code):
        yield "the account is not in the instrument's quote currency alone"
    if venue.fees is not None and not (isinstance(venue.fees, MakerTaker) and venue.fees.currency in (None, "quote")):
        yield "fees are not rates in quote currency"


def _reasons_of_instrument(instrument: Instrument) -> Iterator[str]:
    if instrument.is_high_precision:
        yield "the instrument has more than 9 decimals"
    if instrument.inverse or instrument.settlement.code != instrument.quote.code:
        yield "the instrument does not settle in its quote currency"
    if instrument.negative_prices:
        yield "prices may be negative"
    if instrument.activation_ns is not None or instrument.expiration_ns is not None:
        yield "the instrument begins or ends"
    if instrument.min_notional_raw is not None or instrument.max_notional_raw is not None:
        yield "the instrument has bounds of notional"


def _reasons_of_limits(risk: RiskSettings) -> Iterator[str]:
    is_plain = not (risk.accounts or risk.strategies or risk.max_exposure) and risk.stp == "none"
    is_plain &= all(getattr(risk, name) is None for name in (*_LIMITS, *_LOSSES))
    if not is_plain or risk.trading_state is not TradingState.ACTIVE:
        yield "the risk engine has limits besides rates"


def reason_not_started(kernel: TradingKernel, strategy: CompiledStrategy, stream: Stream) -> str | None:
    """Why a system that has started cannot run in the core: what its `on_start` did."""
    host, program, hook = kernel.host, strategy.program, HOOKS[stream.schema.name]
    if host.faults or host.queue or host.staged or host.timers.next_ns < NEVER_NS:
        return "the strategy has sent something, set a timer or failed in on_start"
    handlers = host.row_handlers(stream.topic)
    if program is None or len(handlers) != 1 or not isinstance(handlers[0][1], RowScanner):
        return "its rows do not go to a compiled handler alone"
    if hook not in program.handlers:
        return f"it has no {hook}"
    if program.instrument_id != stream.instrument.id:
        return "it trades another instrument than its rows are of"
    if strategy.desk.size_precision != kernel.cache.instruments[program.instrument_id].size_precision:
        return "its quantities have other decimals than the instrument"
    return None
