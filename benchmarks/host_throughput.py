"""How much crosses hosts: routed messages through the bus, and rows of market data to four subscribers.

flood --> bus --> sink             An item is a message: stored, routed, delivered, none lost, in order.
                  +--> counter 1
feed --segment--> |--> counter 2   An item is a row delivered: batches lie in shared memory, announced by descriptors.
                  |--> counter 3
                  +--> counter 4

Each route is timed from the first message to the last one's arrival.
"""

import sys
from time import perf_counter
from typing import Any, Final

import numpy as np
import pyarrow as pa

from benchmarks._hosts import Measuring, MeasuringConfig, hosts, report_of
from benchmarks.harness import Bench, main
from libra_ray.runtime import FullPolicy

BODY: Final = "x" * 200
SUBSCRIBERS: Final = 4
TOPIC: Final = "data.custom.rows"
BURST: Final = 256
GAP_NS: Final = 200_000
BATCHES_AT_ONCE: Final = 32


class FloodConfig(MeasuringConfig):
    """`batches` of `rows`, for the feed."""

    batches: int = 0
    rows: int = 0


class Flood(Measuring):
    """Publishes as fast as the sink confirms: at most so many are under way."""

    KNOWN_HOOKS = frozenset({"on_heard"})

    def prepare(self) -> None:
        self.sent = self.heard = 0
        self.subscribe("events.heard", self.on_heard)

    def begin(self) -> None:
        self.started = perf_counter()
        self.on_heard(0)

    def on_heard(self, heard: int) -> None:
        """The sink has so many."""
        self.heard = heard
        while self.sent < min(self.config.count, heard + 8 * BURST):
            self.sent += 1
            self.publish("events.flood", (self.sent, BODY))
        if heard == self.config.count:
            self.tell({"started": self.started})


class Sink(Measuring):
    """Counts, and says how far it is."""

    KNOWN_HOOKS = frozenset({"on_flood"})

    def prepare(self) -> None:
        self.heard, self.is_right = 0, True
        self.subscribe("events.flood", self.on_flood)

    def begin(self) -> None:
        """It only listens."""

    def on_flood(self, message: tuple[int, str]) -> None:
        """One more."""
        self.heard += 1
        self.is_right &= message[0] == self.heard
        if self.heard % BURST == 0 or self.heard == self.config.count:
            self.publish("events.heard", self.heard)
        if self.heard == self.config.count:
            self.tell({"ended": perf_counter(), "heard": self.heard, "is_right": self.is_right})


class Feed(Measuring):
    """Publishes batches; the credit of the subscribers holds it back."""

    config: FloodConfig

    def prepare(self) -> None:
        values = np.arange(self.config.rows, dtype=np.int64)
        columns = {name: values + place for place, name in enumerate(("ts", "bid", "ask", "bid_qty", "ask_qty"))}
        self.batch = pa.RecordBatch.from_pydict({name: pa.array(column) for name, column in columns.items()})
        self.sent = 0
        market: Any = self._host.bus  # a host's bus reaches others, and knows how far they are
        self.way = market.market.outbound
        self.way.policies[TOPIC] = FullPolicy.BLOCK

    def begin(self) -> None:
        self.started = perf_counter()
        self.clock.set_timer("burst", interval_ns=GAP_NS, callback=lambda _timer: self.burst())

    def burst(self) -> None:
        """Some more."""
        for _ in range(min(BATCHES_AT_ONCE, self.config.batches - self.sent)):
            if self.way.is_full(TOPIC):
                break
            self.sent += 1
            self.publish(TOPIC, self.batch)
        if self.sent == self.config.batches:
            self.clock.cancel_timer("burst")
            self.tell({"started": self.started})


class Counter(Measuring):
    """Counts rows, and looks at the last value of each batch."""

    config: FloodConfig

    def prepare(self) -> None:
        self.rows, self.is_right = 0, True
        self.subscribe(TOPIC)

    def begin(self) -> None:
        """It only listens."""

    def on_data(self, data: Any) -> None:  # noqa: ANN401 - a batch
        self.rows += data.num_rows
        self.is_right &= data.column(4)[data.num_rows - 1].as_py() == data.num_rows + 3
        if self.rows == self.config.batches * self.config.rows:
            self.tell({"ended": perf_counter(), "rows": self.rows, "is_right": self.is_right})


def host_throughput(bench: Bench) -> None:
    """Flood the bus, then feed four subscribers."""
    count = bench.size("messages", smoke=500, full=50_000)
    batches = bench.size("batches", smoke=20, full=5_000)
    rows = bench.size("rows_per_batch", smoke=100, full=8_192)
    bench.needs_cores(2)
    bench.budget("routed", items_per_s_min=25e3)
    bench.budget("rows", items_per_s_min=1e8)
    for _ in bench.runs(warm_up=False):
        with hosts(
            {"a": [(Flood, {"report": "sent", "count": count})], "b": [(Sink, {"report": "heard", "count": count})]}
        ) as folder:
            heard = report_of(folder, "heard")
            started = report_of(folder, "sent")["started"]
        bench.check(actual=(heard["heard"], heard["is_right"]), expected=(count, True))
        bench.record("routed", seconds=heard["ended"] - started, items=count)
        size = {"batches": batches, "rows": rows}
        counters = {f"c{n}": [(Counter, {"report": f"rows{n}", **size})] for n in range(SUBSCRIBERS)}
        with hosts({"feed": [(Feed, {"report": "sent", **size})], **counters}) as folder:
            ends = [report_of(folder, f"rows{n}") for n in range(SUBSCRIBERS)]
            started = report_of(folder, "sent")["started"]
        bench.check(
            actual=[(end["rows"], end["is_right"]) for end in ends], expected=[(batches * rows, True)] * SUBSCRIBERS
        )
        bench.record("rows", seconds=max(end["ended"] for end in ends) - started, items=batches * rows * SUBSCRIBERS)


if __name__ == "__main__":
    sys.exit(main(host_throughput))
