"""The compiled venue against the rules written out with dictionaries and lists, and its edges by example."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.matching.queue import after_fall_prob
from libra_ray.matching.quoting import Quoting, QuotingResult, replay_quoting
from libra_ray.matching.replay import TRADE, RowStream

ADD, DELETE, CLEAR = 1, 3, 4
BID, ASK, NOBODY = 1, 2, 0
BUYER, SELLER = 1, 2
LAST = 1

Row = tuple[int, int, int, int, int, int]  # ts, action, side, price, quantity, flags
Fill = tuple[int, int, int, int, int, int, int]  # ts, order, side, price, quantity, maker, fee
Queue = Literal["none", "fifo", "prob"]

BASE = Quoting(
    tick=1,
    quantity=10,
    half_spread_ticks=1,
    position_max=100,
    interval_ns=100,
    insert_ns=1,
    cancel_ns=1,
    maker_num=1,
    taker_num=3,
    fee_den=100,
)


def stream(rows: list[Row]) -> RowStream:
    return RowStream(*np.array(rows, np.int64).reshape(-1, 6).T.copy())


def fills_of(result: QuotingResult) -> list[Fill]:
    columns = (result.ts_ns, result.order_id, result.side, result.px, result.qty, result.is_maker, result.fee)
    return [tuple(map(int, row)) for row in zip(*columns, strict=True)]  # type: ignore[misc]


def shown(ts: int, *levels: tuple[int, int, int]) -> list[Row]:
    """One message of (side, price, size) levels."""
    rows = [(ts, ADD, side, px, qty, 0) for side, px, qty in levels]
    return [*rows[:-1], (*rows[-1][:5], LAST)]


def traded(ts: int, px: int, qty: int, aggressor: int) -> Row:
    return ts, TRADE, aggressor, px, qty, LAST


# --- examples: the quotes of BASE at 99 and 101 around 100 go out at 100 and arrive at 101 ---

AROUND_100 = shown(0, (BID, 99, 50), (BID, 98, 5), (ASK, 101, 40), (ASK, 102, 7))
END = traded(10_000, 100, 1, NOBODY)


def run(*rows: Row, **changes: object) -> list[Fill]:
    quoting = replace(BASE, interval_ns=10**6, **changes)  # type: ignore[arg-type]
    first = (-(10**6) + 100, TRADE, NOBODY, 100, 1, LAST)  # so that the only timer is at 100
    return fills_of(replay_quoting(stream([first, *rows, END]), quoting))


def test_an_order_arrives_after_its_latency_and_not_before() -> None:
    assert run(*AROUND_100, traded(101, 98, 1, SELLER)) == []
    assert run(*AROUND_100, traded(102, 98, 1, SELLER)) == [(102, 1, 1, 99, 10, 1, 10)]
    assert run(*AROUND_100, traded(102, 98, 1, SELLER), insert_ns=2) == []


def test_a_trade_through_fills_all_whoever_was_the_aggressor_and_one_at_the_price_its_volume() -> None:
    assert run(*AROUND_100, traded(200, 102, 1, SELLER)) == [(200, 2, -1, 101, 10, 1, 10)]
    assert run(*AROUND_100, traded(200, 99, 4, SELLER)) == [(200, 1, 1, 99, 4, 1, 4)]
    assert run(*AROUND_100, traded(200, 99, 4, BUYER)) == []
    assert run(*AROUND_100, traded(200, 99, 4, NOBODY)) == [(200, 1, 1, 99, 4, 1, 4)]


def test_with_a_queue_those_ahead_come_first() -> None:
    prints = traded(200, 99, 48, SELLER), traded(300, 99, 5, SELLER), traded(400, 99, 2, SELLER)

    assert run(*AROUND_100, *prints, queue="fifo") == [(300, 1, 1, 99, 3, 1, 3), (400, 1, 1, 99, 2, 1, 2)]


def test_a_smaller_display_shortens_the_queue() -> None:
    rows = [*AROUND_100, *shown(150, (BID, 99, 3)), traded(200, 99, 5, SELLER)]

    assert run(*rows, queue="fifo") == [(200, 1, 1, 99, 2, 1, 2)]


def test_a_book_that_crosses_fills_what_it_shows_and_no_more() -> None:
    crossed = shown(200, (BID, 99, 0), (BID, 98, 0), (ASK, 99, 4), (ASK, 97, 3))

    assert run(*AROUND_100, *crossed, queue="fifo") == [(200, 1, 1, 99, 7, 1, 7)]


def test_what_was_used_is_not_there_twice_but_by_option() -> None:
    crossed, again = shown(200, (BID, 99, 0), (BID, 98, 0), (ASK, 99, 4)), shown(300, (BID, 90, 1))

    assert run(*AROUND_100, *crossed, *again) == [(200, 1, 1, 99, 4, 1, 4)]
    assert run(*AROUND_100, *crossed, *again, consumes=False) == [(200, 1, 1, 99, 4, 1, 4), (300, 1, 1, 99, 4, 1, 4)]


def test_an_arriving_order_takes_level_by_level_as_taker_and_the_rest_waits() -> None:
    moved = shown(101, (ASK, 101, 0), (ASK, 102, 0), (BID, 99, 0), (ASK, 98, 3), (ASK, 99, 2), (BID, 98, 0))

    fills = run(*AROUND_100, *moved, traded(300, 99, 9, SELLER))

    assert fills == [(101, 1, 1, 98, 3, 0, 9), (101, 1, 1, 99, 2, 0, 6), (300, 1, 1, 99, 5, 1, 5)]


def test_a_position_at_its_maximum_stops_the_side_that_would_add_to_it() -> None:
    rows = [traded(ts + 50, 90, 1, SELLER) for ts in range(100, 1_000, 100)]

    result = replay_quoting(stream([*AROUND_100, *rows, END]), replace(BASE, position_max=30))

    assert (result.position, sorted(set(result.side.tolist())), len(result.ts_ns)) == (30, [1], 3)


def test_a_price_that_is_no_whole_tick_and_times_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="the price 99 is no multiple of the tick 5"):
        replay_quoting(stream(AROUND_100), replace(BASE, tick=5))
    with pytest.raises(ValueError, match="not in order of time"):
        replay_quoting(stream([END, *AROUND_100]), BASE)
    with pytest.raises(ValueError, match="interval_ns=0 must be at least 1"):
        replace(BASE, interval_ns=0)
    with pytest.raises(ValueError, match="queue_power=9 must be at most 8"):
        replace(BASE, queue_power=9)
    with pytest.raises(ValueError, match="interval_ns=100 is too short for a latency of 4000"):
        replace(BASE, cancel_ns=4_000)


def test_money_past_64_bits_is_an_error() -> None:
    huge = shown(0, (BID, 10**17, 10**17), (ASK, 10**17 + 2, 10**17))

    with pytest.raises(OverflowError):
        replay_quoting(
            stream([*huge, traded(500, 10**16, 1, SELLER), END]), replace(BASE, quantity=10**4, position_max=10**5)
        )


def test_no_rows_give_no_fills() -> None:
    result = replay_quoting(stream([]), BASE)

    assert (len(result.ts_ns), result.position, result.bid, result.ask) == (0, 0, None, None)


# --- the law ---


@dataclass
class Order:
    """One of ours at the naive venue."""

    id: int
    side: int
    px: int
    leaves: int
    ahead: int = 0
    shown: int = 0
    seen: int = -1
    traded: int = 0


@dataclass
class NaiveVenue:
    """The rules of the specification over dictionaries, and the market maker."""

    quoting: Quoting
    levels: dict[int, dict[int, list[int]]] = field(default_factory=lambda: {BID: {}, ASK: {}})  # price: size, used
    changes: dict[tuple[int, int], int] = field(default_factory=dict)
    open: list[Order] = field(default_factory=list)
    commands: list[tuple[int, int, str, Order]] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    mine: list[Order] = field(default_factory=list)
    position: int = 0
    cash: int = 0
    births: int = 0
    sent: int = 0
    late: int = 0

    def prices(self, side: int) -> list[int]:
        return sorted(self.levels[side], reverse=side == BID)

    def run(self, rows: list[Row]) -> None:
        timer, end = rows[0][0] + self.quoting.interval_ns, rows[-1][0]
        at = 0
        while True:
            due = min((command[:2] for command in self.commands), default=(10**18, 0))
            until = min(due[0], timer)
            if at < len(rows) and rows[at][0] <= until:
                self.row(*rows[at])
                at += 1
            elif until > end:
                return
            elif due[0] <= timer:
                command = min(self.commands, key=lambda command: command[:2])
                self.commands.remove(command)
                self.execute(due[0], command[2], command[3])
            else:
                self.quote(timer)
                timer += self.quoting.interval_ns

    def row(self, ts: int, action: int, side: int, px: int, qty: int, flags: int) -> None:
        if action == TRADE:
            self.on_trade(ts, side, px, qty)
            return
        levels = self.levels[side]
        if action == CLEAR:
            for level in levels:
                self.changes[side, level] = self.changes.get((side, level), 0) + 1
            levels.clear()
        else:
            self.changes[side, px] = self.changes.get((side, px), 0) + 1
            size = 0 if action == DELETE else qty
            if size == 0:
                levels.pop(px, None)
            elif px not in levels or levels[px][0] != size:
                levels[px] = [size, 0]
        if flags & LAST:
            self.on_message(ts)

    def in_line(self, side: int) -> Iterator[Order]:
        yield from sorted((order for order in self.open if order.side == side), key=lambda order: -order.px * side)

    def fill(self, ts: int, order: Order, px: int, qty: int, *, maker: bool) -> None:
        num = self.quoting.maker_num if maker else self.quoting.taker_num
        fee = round(px * qty * num / self.quoting.fee_den)
        self.fills.append((ts, order.id, order.side, px, qty, int(maker), fee))
        order.leaves -= qty
        self.position += order.side * qty
        self.cash -= order.side * px * qty

    def take(self, order: Order, most: int) -> Iterator[tuple[int, int]]:
        """(price, quantity) from the opposite levels that the order may trade with."""
        levels = self.levels[ASK if order.side > 0 else BID]
        for px in self.prices(ASK if order.side > 0 else BID):
            if (order.px - px) * order.side < 0 or most == 0:
                return
            size, used = levels[px]
            qty = min(size - used if self.quoting.consumes else size, most)
            if qty:
                levels[px][1] += qty if self.quoting.consumes else 0
                most -= qty
                yield px, qty

    def on_message(self, ts: int) -> None:
        for side in (1, -1):
            for order in self.in_line(side):
                prices = self.prices(ASK if side > 0 else BID)
                if prices and (order.px - prices[0]) * side >= 0:
                    order.ahead = 0
                    qty = sum(part for _, part in self.take(order, order.leaves))
                    if qty:
                        self.fill(ts, order, order.px, qty, maker=True)
        self.open = [order for order in self.open if order.leaves]
        if self.quoting.queue == "none":
            return
        for order in self.open:
            side = BID if order.side > 0 else ASK
            version = self.changes.get((side, order.px), 0)
            if version == order.seen:
                continue
            size = self.levels[side].get(order.px, [0])[0]
            if self.quoting.queue == "fifo":
                order.ahead = min(order.ahead, size)
            else:
                power, step = self.quoting.queue_power, self.quoting.size_step
                order.ahead = after_fall_prob(order.ahead, order.shown, size, order.traded, power, step)
            order.shown, order.seen, order.traded = size, version, 0

    def on_trade(self, ts: int, aggressor: int, px: int, volume: int) -> None:
        left = volume
        for side, friend in ((1, BUYER), (-1, SELLER)):
            for order in self.in_line(side):
                if (order.px - px) * side > 0:
                    self.fill(ts, order, order.px, order.leaves, maker=True)
                elif order.px == px and aggressor != friend:
                    qty = min(max(left - order.ahead, 0), order.leaves)
                    order.ahead = max(order.ahead - left, 0)
                    order.traded += volume
                    left -= qty
                    if qty:
                        self.fill(ts, order, px, qty, maker=True)
        self.open = [order for order in self.open if order.leaves]

    def execute(self, now: int, kind: str, order: Order) -> None:
        if kind == "cancel":
            self.late += order not in self.open
            self.open = [other for other in self.open if other is not order]
            return
        for px, qty in self.take(order, order.leaves):
            self.fill(now, order, px, qty, maker=False)
        if order.leaves:
            side = BID if order.side > 0 else ASK
            order.shown = self.levels[side].get(order.px, [0])[0]
            order.ahead = order.shown if self.quoting.queue != "none" else 0
            order.seen = self.changes.get((side, order.px), 0)
            self.open.append(order)

    def send(self, due: int, kind: str, order: Order) -> None:
        self.births += 1
        self.commands.append((due, self.births, kind, order))

    def quote(self, now: int) -> None:
        on_the_way = [order for _, _, kind, order in self.commands if kind == "insert"]
        for order in [order for order in self.mine if order in self.open]:
            self.send(now + self.quoting.cancel_ns, "cancel", order)
        self.mine = [order for order in self.mine if order in on_the_way]
        bids, asks = self.prices(BID), self.prices(ASK)
        if not bids or not asks:
            return
        middle, half = bids[0] + asks[0], self.quoting.half_spread_ticks
        for side, px in ((1, middle // 2 - half), (-1, -(-middle // 2) + half)):
            is_free = all(order.side != side for order in self.mine)
            if is_free and side * self.position + self.quoting.quantity <= self.quoting.position_max:
                self.sent += 1
                self.mine.append(Order(self.sent, side, px, self.quoting.quantity))
                self.send(now + self.quoting.insert_ns, "insert", self.mine[-1])


DELTAS = st.tuples(
    st.integers(0, 40),
    st.sampled_from([ADD, ADD, ADD, ADD, DELETE, CLEAR]),
    st.sampled_from([BID, ASK]),
    st.integers(94, 106),
    st.integers(0, 12),
    st.integers(0, 1),
)
TRADES = st.tuples(
    st.integers(0, 40),
    st.just(TRADE),
    st.sampled_from([NOBODY, BUYER, SELLER]),
    st.integers(95, 105),
    st.integers(1, 12),
    st.just(LAST),
)
ROWS = st.lists(st.one_of(DELTAS, DELTAS, TRADES), min_size=1, max_size=120)
QUOTINGS = st.builds(
    Quoting,
    tick=st.just(1),
    quantity=st.integers(1, 15),
    half_spread_ticks=st.integers(0, 3),
    position_max=st.integers(0, 60),
    interval_ns=st.integers(1, 60),
    insert_ns=st.integers(0, 30),
    cancel_ns=st.integers(0, 30),
    queue=st.sampled_from(["none", "fifo", "prob"]),
    queue_power=st.integers(1, 8),
    size_step=st.sampled_from([1, 2]),
    consumes=st.booleans(),
    maker_num=st.integers(-3, 3),
    taker_num=st.integers(0, 9),
    fee_den=st.sampled_from([1, 10, 1_000]),
)


@given(ROWS, QUOTINGS)
def test_the_compiled_venue_does_what_the_rules_say(rows: list[Row], quoting: Quoting) -> None:
    times = np.cumsum([row[0] for row in rows]).tolist()
    start = [(0, ADD, BID, 99, 5, 0), (0, ADD, ASK, 101, 5, LAST)]
    timed: list[Row] = [*start, *((ts, *row[1:]) for ts, row in zip(times, rows, strict=True))]
    naive = NaiveVenue(quoting)

    naive.run(timed)
    result = replay_quoting(stream(timed), quoting)

    assert fills_of(result) == naive.fills
    assert (result.position, result.cash, result.orders, result.late_cancels) == (
        naive.position,
        naive.cash,
        naive.sent,
        naive.late,
    )
    assert (result.bid, result.ask) == tuple(next(iter(naive.prices(side)), None) for side in (BID, ASK))
    assert result.fees == sum(fill[-1] for fill in naive.fills)


@pytest.mark.slow
def test_a_replay_that_needs_more_room_gives_the_same() -> None:
    chance = np.random.default_rng(7)
    rows: list[Row] = [(0, ADD, BID, 10_000, 5, 0), (0, ADD, ASK, 10_002, 5, LAST)]
    for n in range(6_000):
        side = int(chance.integers(1, 3))
        px = 10_001 + (int(chance.integers(1, 9_000)) ** 2 // 9_000) * (1 if side == ASK else -1)
        if n % 7 == 0:
            rows.append((n * 20, TRADE, side, 10_001 + int(chance.integers(-3, 4)), int(chance.integers(1, 20)), LAST))
        else:
            rows.append((n * 20, ADD, side, px, int(chance.integers(0, 9)), n % 2))
    quoting = replace(BASE, queue="prob", position_max=10_000)
    naive = NaiveVenue(quoting)

    naive.run(rows)
    result = replay_quoting(stream(rows), quoting)

    assert fills_of(result) == naive.fills
    assert len(naive.fills) > 100
