"""The market as it reaches one host: what nobody is given is read when somebody looks."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

import libra_ray as lr
from libra_ray.bus import Bus
from libra_ray.clock import VirtualClock
from libra_ray.kernel.apart.row_view import RowView
from libra_ray.messages.schemas import QUOTES, RowSpec
from libra_ray.portfolio.market_rows import MarketRows
from libra_ray.runtime.topics import quotes_topic

ACME = lr.equity("ACME.SIM", quote="USD")
TOPIC = quotes_topic(ACME.id)


def quotes(*bids: int) -> pa.Table:
    count = len(bids)
    values = {"bid_px": list(bids), "ask_px": [bid + 1 for bid in bids], "bid_qty": [1] * count, "ask_qty": [1] * count}
    times = {name: list(range(count)) for name in ("ts_init_ns", "ts_event_ns")}
    return QUOTES.table(ACME, {**times, **values})


class Reading:
    """Gives batches, and counts how often it is asked."""

    def __init__(self) -> None:
        self.count = 0

    def of(self, batch: object) -> Callable[[], object]:
        def read() -> object:
            self.count += 1
            return batch

        return read


@pytest.fixture
def rows() -> MarketRows:
    return MarketRows()


@pytest.fixture
def door(rows: MarketRows) -> Any:  # noqa: ANN401 - a handler with more to it
    bus = Bus(VirtualClock(0))
    RowView(SimpleNamespace(bus=bus), SimpleNamespace(rows=rows), ())  # type: ignore[arg-type]
    (handler,) = bus.receivers(TOPIC)
    return handler


def test_the_first_row_cannot_wait_and_the_others_do_until_somebody_looks(rows: MarketRows, door: Any) -> None:  # noqa: ANN401
    reading = Reading()
    assert not door.put_off(TOPIC, reading.of(quotes(5))), "where its rows go is not known yet"
    door(next(iter(QUOTES.rows(RowSpec.of(ACME), quotes(5)))))
    for bid in (6, 7, 8):
        assert door.put_off(TOPIC, reading.of(quotes(bid - 1, bid)))

    assert reading.count == 0
    assert [rows.of(ACME.id).bid_ask() for _ in range(2)] == [(8, 9)] * 2
    assert reading.count == 1


def test_what_does_not_decode_leaves_the_row_before_it(rows: MarketRows, door: Any) -> None:  # noqa: ANN401
    door(next(iter(QUOTES.rows(RowSpec.of(ACME), quotes(5)))))
    assert door.put_off(TOPIC, Reading().of(None))

    assert rows.of(ACME.id).bid_ask() == (5, 6)
