"""Synthetic data, beside the random numbers that it is made of.

seed --> Philox bits --> numbers --> columns on the grid   An item is a row.

The floor of `quotes` and `heston` draws for each row the eight raw numbers that a Heston quote takes. `order_flow`
makes a whole market: events that excite each other, a book of single orders, its deltas, quotes and trades; its floor
draws four raw numbers an event. The answers are digests, equal on every machine.
"""

import sys
from collections.abc import Callable
from typing import Final

import numpy as np

import libra_ray as lr
from benchmarks.harness import Bench, main
from libra_ray.data import Dataset

DIGESTS: Final = {
    (1_000, "quotes"): "12d14341748d514f9d63dfc642320d2f",
    (10_000_000, "quotes"): "74fa677f289b98a67a29925165910c2e",
    (1_000, "heston"): "bcc17eb2e5b14e33727923834e8daeac",
    (10_000_000, "heston"): "b95268c883916a708f5909c2cd7deb80",
    (1_000, "order_flow"): "194da829f8a23f83d2971f1546adbd8a",
    (1_000_000, "order_flow"): "4a43497dde400fdacdad1fc4d54a76b7",
}


def synthetic_data(bench: Bench) -> None:
    """Ten million quotes of two processes, and a million events of an order flow."""
    quotes = bench.size("quotes", smoke=1_000, full=10_000_000)
    events = bench.size("events", smoke=1_000, full=1_000_000)
    instrument = lr.pair("BTCUSDT.SIM", base="BTC", quote="USDT", tick="0.1", step="0.001")
    routes: dict[str, tuple[int, Callable[[], Dataset]]] = {
        "quotes": (quotes, lambda: lr.synth("quotes", instrument, rows=quotes, price="50000")),
        "heston": (quotes, lambda: lr.synth("quotes", instrument, rows=quotes, price="50000", process=lr.Heston())),
        "order_flow": (events, lambda: lr.synth_order_flow(instrument, events=events, price="50000")),
    }
    for _ in bench.runs():
        for floor, items, numbers in (("floor", quotes, 8), ("floor_events", events, 4)):
            bits = np.random.Philox(key=np.array([bench.seed, 0], np.uint64))
            with bench.timed(floor, items=items, floor=floor):
                drawn = [len(bits.random_raw(items)) for _ in range(numbers)]
            bench.check(actual=drawn, expected=[items] * numbers)
        for name, (items, make) in bench.turns(routes):
            with bench.timed(name, items=items, floor="floor_events" if name == "order_flow" else "floor"):
                made = make()
            bench.check(actual=made.digest, expected=DIGESTS[items, name])


if __name__ == "__main__":
    sys.exit(main(synthetic_data))
