"""Fan-out inside one host: one feed, one bus, three subscribers.

         +--> counter 1
feed --> bus --> counter 2   An item is a row delivered: three for each row published.
         +--> counter 3

It tells the price of routing, not of reading. The floor is the same calls without a bus, in the same run.
Single messages show the cost of a message; a batch is one message, whatever its rows.
"""

import sys
from typing import Final

from benchmarks._inputs import quote_batches, walk_instrument
from benchmarks._routes import ROUTES, TOPIC, RowCounter
from benchmarks.harness import Bench, main
from libra_ray.messages.schemas import QUOTES, RowSpec

SUBSCRIBERS: Final = 3


def bus_one_to_three(bench: Bench) -> None:
    """Deliver single quotes, then batches of them, to three counters, with and without the bus."""
    singles = bench.size("single_messages", smoke=500, full=1_000_000)
    batches = bench.size("batches", smoke=4, full=20_000)
    rows_each = bench.size("rows_per_batch", smoke=2, full=1_000)
    (table,) = quote_batches(count=1, rows_each=singles, seed=bench.seed)
    quotes = list(QUOTES.rows(RowSpec.of(walk_instrument()), table))
    feed = quote_batches(count=batches, rows_each=rows_each, seed=bench.seed)
    bench.budget("bus", items_per_s_min=2.5e6)
    bench.budget("bus_batches", items_per_s_min=1e8)

    for _ in bench.runs():
        for name, route_type in bench.turns(ROUTES):
            route, counters = route_type(), [RowCounter() for _ in range(SUBSCRIBERS)]
            for counter in counters:
                route.subscribe(TOPIC, counter.on_quote)
            with bench.timed(name, items=singles * SUBSCRIBERS):
                for quote in quotes:
                    route.publish(TOPIC, quote)
            # A route that skipped a subscriber would be fast and wrong.
            bench.check(actual=[counter.rows for counter in counters], expected=[singles] * SUBSCRIBERS)
            bench.check(actual=all(counter.last is quotes[-1] for counter in counters), expected=True)

        for name, route_type in bench.turns(ROUTES):
            route, counters = route_type(), [RowCounter() for _ in range(SUBSCRIBERS)]
            for counter in counters:
                route.subscribe(TOPIC, counter.on_quotes)
            with bench.timed(f"{name}_batches", items=batches * rows_each * SUBSCRIBERS, floor="floor_batches"):
                for batch in feed:
                    route.publish(TOPIC, batch)
            bench.check(actual=[counter.rows for counter in counters], expected=[batches * rows_each] * SUBSCRIBERS)
            bench.check(actual=all(counter.last is feed[-1] for counter in counters), expected=True)


if __name__ == "__main__":
    sys.exit(main(bus_one_to_three))
