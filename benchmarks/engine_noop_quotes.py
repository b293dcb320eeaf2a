"""The event engine with a strategy that does nothing: what delivery alone costs.

quotes --> engine --> on_quote: pass   An item is a quote delivered.

The floor builds the same row objects of the same batches in a bare loop and calls the same handler; both include the
building. The floor with rows built before is information: no engine that hands out objects can reach it.
"""

import sys
from collections.abc import Callable
from typing import Any, Final

import libra_ray as lr
from benchmarks._inputs import INSTRUMENT_ID, batches_of, quote_dataset, walk_instrument
from benchmarks.harness import Bench, main
from libra_ray.messages.schemas import QUOTES, RowSpec

BALANCE: Final = "1_000_000 USD"


class Idle(lr.Strategy):
    """Hears every quote and does nothing."""

    def on_start(self) -> None:
        self.subscribe_quotes(INSTRUMENT_ID)

    def on_quote(self, quote: lr.Quote) -> None:
        pass


class Counting(Idle):
    """Hears every quote and keeps its bid, to tell that all of them come, each once and in order."""

    heard: Final[list[int]] = []

    def on_quote(self, quote: lr.Quote) -> None:
        self.heard.append(quote.bid_px_raw)


def engine_noop_quotes(bench: Bench) -> None:
    """Replay quotes to a handler that does nothing, in the engine and in a bare loop."""
    count = bench.size("quotes", smoke=2_000, full=1_000_000)
    data = quote_dataset(count, seed=bench.seed)
    (stream,) = data
    batches = batches_of(data)
    spec = RowSpec.of(walk_instrument())
    rows = [row for batch in batches for row in QUOTES.rows(spec, batch)]
    handler: Callable[[Any], None] = Idle().on_quote
    bench.budget("engine", at_most=2.0)

    Counting.heard.clear()
    lr.backtest(_system(Counting()), data=data)
    bench.check(actual=Counting.heard, expected=list(stream.raw("bid_px")))

    for _ in bench.runs():
        with bench.timed("floor", items=count):
            for batch in batches:
                for row in QUOTES.rows(spec, batch):
                    handler(row)
        with bench.timed("floor_prebuilt", items=count):
            for row in rows:
                handler(row)
        system = _system(Idle())
        with bench.timed("engine", items=count):
            result = lr.backtest(system, data=data)
        bench.check(actual=result.fills.num_rows, expected=0)


def _system(strategy: lr.Strategy) -> lr.System:
    system = lr.System("noop", seed=7)
    system.add_venue("SIM", account="margin", balances=[BALANCE])
    system.add(strategy)
    return system


if __name__ == "__main__":
    sys.exit(main(engine_noop_quotes))
