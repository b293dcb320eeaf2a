"""Bars that we make, in a run: when they come, what they may move, and who may ask for them."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import libra_ray as lr
from libra_ray.data import Dataset, Stream
from libra_ray.data.aggregation import BarMaker, BarSpec
from libra_ray.errors import ConfigError
from libra_ray.kernel import TradingKernel
from libra_ray.messages.queries import AskStreams, StreamsAnswer
from libra_ray.messages.schemas import BARS, QUOTES, TRADES, Bar, Quote, Row, Schema
from libra_ray.runtime import Timer
from libra_ray.simulation.backtest import build
from libra_ray.simulation.run_hash import run_hash
from tests.data.aggregation_rows import ACME, SECOND_NS, bar, quote, trade
from tests.data.aggregation_rows import QUOTES as QUOTE_TOPIC
from tests.data.aggregation_rows import TRADES as TRADE_TOPIC

S = SECOND_NS
Seen = tuple[str, int] | tuple[str, int, int]


class Watcher(lr.Strategy):
    """Notes rows, bars of ours and timers in the order in which they come, and acts on bars or rows by functions."""

    topics: Sequence[str] = ()  # where rows come from that are noted; `run` gives those of the data
    names: Sequence[str] = ()
    alerts_ns: Sequence[int] = ()
    acts: Callable[["Watcher", Bar], object] | None = None
    acts_on_row: Callable[["Watcher", Row], object] | None = None

    def on_start(self) -> None:
        self.seen: list[Seen] = []
        self.fills: list[tuple[int, int]] = []
        for topic in self.topics:
            self.subscribe(topic, self._row)
        for name in self.names:
            self.subscribe_bars(ACME.id, name)
        for place, ts_ns in enumerate(self.alerts_ns):
            self.clock.set_alert(f"alert-{place}", at_ns=ts_ns)

    def _row(self, row: Row) -> None:
        self.seen.append((type(row).__name__, row.ts_ns))
        if isinstance(row, Quote):
            assert self.cache.rows.of(ACME.id).bid_ask() == (row.bid_px_raw, row.ask_px_raw)
        if self.acts_on_row is not None:
            self.acts_on_row(self, row)

    def on_bar(self, made: Bar) -> None:
        assert self.cache.bar(ACME.id, made.period) is made
        assert self.clock.now_ns() == made.ts_ns
        self.seen.append((made.period, made.ts_ns, made.close_raw))
        if self.acts is not None:
            self.acts(self, made)

    def on_timer(self, timer: Timer) -> None:
        self.seen.append(("timer", timer.due_ns))

    def on_order_filled(self, event: lr.OrderFilled) -> None:
        self.fills.append((event.ts_ns, event.last_px_raw))


def stream(schema: Schema, rows: Sequence[Row], period: str = "") -> Stream:
    names = [field.raw_name for field in schema.fields[2:]]
    columns = {name: [getattr(row, raw) for row in rows] for name, raw in zip(schema.names[2:], names, strict=True)}
    times = {"ts_init_ns": [row.ts_ns for row in rows], "ts_event_ns": [row.ts_event_ns for row in rows]}
    return Stream(schema, ACME, period, schema.table(ACME, times | columns, period=period))


def run(
    watcher: Watcher,
    *streams: Stream,
    bars: Sequence[str | BarSpec] = (),
    batch_rows: int = 8_192,
    **venue: Any,  # noqa: ANN401 - see VenueSettings
) -> TradingKernel:
    system = lr.System("bars").add_venue("SIM", account="margin", balances=["1_000_000 USD"], **venue)
    watcher.topics = watcher.topics or [one.topic for one in streams]
    watcher.names = [system.add_bars(spec) for spec in bars]
    kernel, replay = build(system, Dataset(streams), batch_rows=batch_rows)
    kernel.add(watcher)
    kernel.start()
    replay.run()
    assert kernel.host.faults == []
    return kernel


def test_a_bar_of_time_comes_after_all_rows_of_its_time_and_before_timers() -> None:
    watcher = Watcher()
    watcher.alerts_ns = (2 * S, 3 * S, 4 * S)
    trades = stream(TRADES, [trade(1 * S, 10), trade(2 * S, 11), trade(5 * S, 12)])
    quotes = stream(QUOTES, [quote(2 * S, 10, 12), quote(2 * S, 11, 12)])

    run(watcher, trades, quotes, bars=["ACME.SIM-2s-LAST"])

    assert watcher.seen == [
        ("Trade", 1 * S),
        ("Trade", 2 * S),
        ("Quote", 2 * S),
        ("Quote", 2 * S),
        ("2s-LAST", 2 * S, 11),
        ("timer", 2 * S),
        ("timer", 3 * S),
        ("2s-LAST", 4 * S, 11),
        ("timer", 4 * S),
        ("Trade", 5 * S),
    ]


def test_a_bar_of_time_comes_after_expiries_and_before_commands_of_its_time() -> None:
    watcher = Watcher()
    seen: list[list[str]] = []

    def act_on_row(self: Watcher, row: Row) -> None:
        if row.ts_ns == 0:
            self.buy(ACME.id, 1, price="0.50", expire_ns=2 * S)
        elif row.ts_ns == S:
            self.buy(ACME.id, 1)

    watcher.acts_on_row = act_on_row
    watcher.acts = lambda self, _bar: seen.append([str(order.status) for order in self.cache.orders.values()])
    quotes = stream(QUOTES, [quote(0, 98, 99), quote(1 * S, 98, 99), quote(3 * S, 98, 99)])

    run(watcher, quotes, bars=["ACME.SIM-2s-BID"], latency={"base": "1"})

    assert seen == [["SUBMITTED"], ["EXPIRED", "SUBMITTED"]]
    assert watcher.fills == [(2 * S, 99)]


def test_a_timer_that_was_due_before_the_data_still_comes_after_the_bar() -> None:
    watcher = Watcher()
    watcher.alerts_ns = (1 * S,)

    run(watcher, stream(TRADES, [trade(2 * S, 10)]), bars=["ACME.SIM-2s-LAST"])

    assert watcher.seen == [("Trade", 2 * S), ("2s-LAST", 2 * S, 10), ("timer", 1 * S)]


def test_a_bar_that_a_row_closes_comes_just_before_it() -> None:
    watcher = Watcher()

    run(watcher, stream(TRADES, [trade(1, 10, 4), trade(2, 11, 17)]), bars=["ACME.SIM-10-VOLUME-LAST"])

    assert watcher.seen == [("Trade", 1), ("10-VOLUME-LAST", 2, 11), ("10-VOLUME-LAST", 2, 11), ("Trade", 2)]


def test_an_order_at_a_bar_meets_the_row_that_closed_it_and_not_the_one_before() -> None:
    """Whoever sees the bar has seen the price: to be filled at the one before would be to trade in the past."""
    watcher = Watcher()
    watcher.acts = lambda self, _bar: self.buy(ACME.id, 1)

    run(watcher, stream(TRADES, [trade(1, 1_000, 5), trade(2, 1_100, 5)]), bars=["ACME.SIM-2-TICK-LAST"])

    assert watcher.fills == [(2, 1_100)]


def test_an_order_at_a_bar_of_time_is_filled_at_the_end_of_its_window() -> None:
    watcher = Watcher()
    watcher.acts = lambda self, _bar: self.buy(ACME.id, 1)

    run(watcher, stream(QUOTES, [quote(1, 99, 101), quote(3 * S, 80, 81)]), bars=["ACME.SIM-2s-BID"])

    assert watcher.fills == [(2 * S, 101)]


def test_an_order_that_rests_since_a_bar_is_reached_by_a_later_row() -> None:
    """Rows that bars are made of are looked ahead in, too, once there is something to be reached."""
    watcher = Watcher()
    watcher.acts = lambda self, made: self.buy(ACME.id, 1, price="0.90") if made.ts_ns == 2 else None
    rows = [quote(ts, 100 - ts, 101 - ts, 9, 9) for ts in range(1, 21)]

    run(watcher, stream(QUOTES, rows), bars=["ACME.SIM-2-TICK-BID", "ACME.SIM-1s-BID"])

    assert watcher.fills == [(11, 90)]


def test_an_order_at_a_row_that_bars_are_made_of_is_reached_by_a_later_one() -> None:
    watcher = Watcher()
    watcher.acts_on_row = lambda self, row: self.buy(ACME.id, 1, price="0.90") if row.ts_ns == 2 else None
    rows = [quote(ts, 100 - ts, 101 - ts, 9, 9) for ts in range(1, 21)]

    run(watcher, stream(QUOTES, rows), bars=["ACME.SIM-1s-BID"])

    assert watcher.fills == [(11, 90)]


def test_a_bar_is_settled_before_the_next_one_comes() -> None:
    watcher = Watcher()
    fills: list[int] = []

    def act(self: Watcher, _bar: Bar) -> None:
        fills.append(len(self.fills))
        self.buy(ACME.id, 1)

    watcher.acts = act

    run(watcher, stream(TRADES, [trade(1, 1_000, 3)]), bars=["ACME.SIM-1-VOLUME-LAST"])

    assert fills == [0, 1, 2]


def test_the_data_engine_counts_what_it_made() -> None:
    watcher = Watcher()
    answers: list[StreamsAnswer] = []
    watcher.acts = lambda self, _bar: self.request(
        "DataEngine.request", AskStreams(), S, lambda _number, answer: answers.append(answer)
    )

    run(watcher, stream(TRADES, [trade(1, 10), trade(2, 11)]), bars=["ACME.SIM-1-TICK-LAST"])

    assert [answer.delivered for answer in answers] == [
        {TRADE_TOPIC: 1, "data.bars.ACME.SIM-1-TICK-LAST": 1},
        {TRADE_TOPIC: 2, "data.bars.ACME.SIM-1-TICK-LAST": 2},
    ]


def test_bars_of_ours_execute_nothing_and_make_no_price() -> None:
    """A minute of the data executes at its own open; the tick bars of the bids stand below, and nobody trades there."""
    watcher = Watcher()
    prices: list[int | None] = []

    def act(self: Watcher, _bar: Bar) -> None:
        prices.append(self.cache.rows.of(ACME.id).last())
        if len(prices) == 1:
            self.buy(ACME.id, 1, price="10.50")

    watcher.acts = act
    minutes = [bar(60 * S, 1_100, 1_100, 1_100, 1_100, 9), bar(120 * S, 1_040, 1_070, 1_030, 1_060, 9)]

    run(watcher, stream(BARS, minutes, "1m"), bars=["ACME.SIM-1-TICK-1m", "ACME.SIM-2m-1m"])

    assert prices == [1_100, 1_060, 1_060]
    assert watcher.fills == [(120 * S, 1_050)]


def test_a_run_refuses_bars_that_nobody_makes_and_names_those_that_are() -> None:
    watcher = Watcher()
    watcher.topics = ("data.bars.ACME.SIM-5s-LAST",)

    with pytest.raises(ConfigError) as caught:
        run(watcher, stream(TRADES, [trade(1, 10)]), bars=["ACME.SIM-2s-LAST"])

    assert caught.value.message == (
        "CONF008 Watcher-1 subscribed to 'data.bars.ACME.SIM-5s-LAST', which the data does not have. "
        "It has data.trades.SIM.ACME, data.bars.ACME.SIM-2s-LAST."
    )


def test_a_system_takes_each_bar_once_and_tells_of_them() -> None:
    system = lr.System("bars")
    assert system.add_bars("ACME.SIM-2s-LAST") == "2s-LAST"

    with pytest.raises(ConfigError, match=r"CONF007 bars 'ACME\.SIM-2s-LAST' are given 2 times"):
        system.add_bars(BarSpec("ACME.SIM", "SECOND", 2, "LAST"))
    assert [spec["name"] for spec in system.described()["bars"]] == ["2s-LAST"]
    assert "bars" not in lr.System("bars").described()


ticks = st.lists(
    st.tuples(st.booleans(), st.integers(0, 12), st.integers(90, 110), st.integers(1, 9), st.integers(0, 2)),
    min_size=1,
    max_size=30,
)


@settings(max_examples=60)
@given(ticks=ticks, batch_rows=st.integers(1, 40), alerts=st.lists(st.integers(0, 12), max_size=3))
def test_a_run_delivers_what_the_maker_makes_whatever_the_batches(
    ticks: list[tuple[bool, int, int, int, int]], batch_rows: int, alerts: list[int]
) -> None:
    """Orders at each bar, so that the look-ahead and the handlers change under way; equal hashes, equal rows."""
    bars = [
        *("ACME.SIM-2s-LAST", "ACME.SIM-3s-BID", "ACME.SIM-6s-2s-LAST", "ACME.SIM-3-TICK-MID"),
        *("ACME.SIM-7-VOLUME-LAST", "ACME.SIM-2-TICK-2s-LAST"),
    ]
    trades = [trade(ts * S, px, qty, side) for is_trade, ts, px, qty, side in ticks if is_trade]
    quotes = [quote(ts * S, px, px + 1, qty, qty) for is_trade, ts, px, qty, _ in ticks if not is_trade]
    rows: dict[str, list[Row]] = {TRADE_TOPIC: sorted(trades, key=_ts), QUOTE_TOPIC: sorted(quotes, key=_ts)}
    streams = [stream(schema, rows[topic]) for schema, topic in ((TRADES, TRADE_TOPIC), (QUOTES, QUOTE_TOPIC))]
    streams = [one for one in streams if one.rows]
    bars = [text for text in bars if (trades if text.endswith("LAST") else quotes)]

    hashes: set[str] = set()
    for size in (batch_rows, 8_192):
        watcher = Watcher()
        watcher.alerts_ns = [ts * S for ts in alerts]
        watcher.acts = _trade
        kernel = run(watcher, *streams, bars=bars, batch_rows=size)
        assert [entry for entry in watcher.seen if entry[0] != "timer"] == _expected(bars, rows)
        hashes.add(run_hash(kernel.record, kernel.portfolio))
    assert len(hashes) == 1


def _ts(row: Row) -> int:
    return row.ts_ns


def _trade(watcher: Watcher, made: Bar) -> None:
    """Something of each kind, by the volume of the bar."""
    match made.volume_raw % 4:
        case 0:
            watcher.buy(ACME.id, 1)
        case 1:
            watcher.sell(ACME.id, 1, price=lr.Price(made.close_raw + 1, 2))
        case 2:
            watcher.clock.set_alert(f"{made.period}-{made.ts_ns}", at_ns=made.ts_ns + S // 2)
        case _:
            watcher.cancel_all_orders(ACME.id)


def _expected(bars: Sequence[str], rows: dict[str, list[Row]]) -> list[Seen]:
    """The maker alone, driven row by row."""
    topics = [topic for topic in rows if rows[topic]]
    maker = BarMaker([BarSpec.parse(text) for text in bars], {ACME.id: ACME}, topics)
    merged = sorted(((topic, row) for topic in topics for row in rows[topic]), key=lambda entry: entry[1].ts_ns)
    seen: list[Seen] = []

    def note(some: list[Bar]) -> None:
        seen.extend((made.period, made.ts_ns, made.close_raw) for made in some)

    for topic, row in merged:
        note(maker.close_due(row.ts_ns - 1))
        note(maker.before_row(topic, row))
        seen.append((type(row).__name__, row.ts_ns))
    note(maker.close_due(merged[-1][1].ts_ns))
    return seen
