"""A backtest looked at before its end: what happened until the last row, without what stopping added."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from libra_ray.data import Dataset, time_text
from libra_ray.kernel import TradingKernel
from libra_ray.messages.events import AnyEvent, OrderEvent, OrderFilled, OrderInitialized
from libra_ray.model.numbers import decimal_text
from libra_ray.runtime import Fault
from libra_ray.simulation.backtest import build
from libra_ray.simulation.system import System

__all__ = ["WatchedRun", "event_line", "watched_run"]


@dataclass(frozen=True)
class WatchedRun:
    """A run until its last row, and the stopped kernel.

    Attributes:
        events: in order of birth.
        faults: what actors raised.
        last_ns: the time of the last row.
        state: what `look` saw of the kernel after it.
    """

    events: list[AnyEvent]
    faults: tuple[Fault, ...]
    last_ns: int
    kernel: TradingKernel
    state: Mapping[str, Any]


def watched_run(
    system: System, data: Dataset, *, look: Callable[[TradingKernel], Mapping[str, Any]] | None = None
) -> WatchedRun:
    """Run `system` over `data`. What actors do as they stop is in the kernel's record, and not in the events here."""
    kernel, replay = build(system, data)
    kernel.start()
    replay.run()
    events = list(kernel.record.events)
    faults = tuple(kernel.host.faults)
    state = look(kernel) if look is not None else {}
    kernel.stop()
    kernel.dispose()
    return WatchedRun(events, faults, data.end_ns, kernel, state)


def event_line(event: AnyEvent) -> str:
    """An event for a person: `2024-01-02T03:00:00Z EmaCross-1 OrderInitialized BUY 1000 EURUSD.SIM MARKET`."""
    words = [time_text(event.ts_ns), getattr(event, "strategy_id", ""), type(event).__name__]
    if isinstance(event, OrderInitialized):
        price = "" if event.price_raw is None else f"at {decimal_text(event.price_raw, event.price_precision)}"
        quantity = decimal_text(event.quantity_raw, event.size_precision)
        words += [event.side, quantity, event.instrument_id, event.type, price]
    elif isinstance(event, OrderFilled):
        quantity = decimal_text(event.last_qty_raw, event.size_precision)
        price = decimal_text(event.last_px_raw, event.price_precision)
        words += [event.side, quantity, event.instrument_id, "at", price]
    elif isinstance(event, OrderEvent):
        words += [event.instrument_id, event.client_order_id]
    else:
        words += [str(getattr(event, "instrument_id", ""))]
    return " ".join(word for word in words if word)
