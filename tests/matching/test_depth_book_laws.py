"""The books with depth against dictionaries and lists, compiled and interpreted."""

# ruff: noqa: FBT001 - parameters of tests

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.matching.depth_book import DepthBook, ScoutBook
from tests.matching.books import (
    ADD,
    ASK,
    BID,
    CLEAR,
    DELETE,
    TICK,
    UPDATE,
    Row,
    by_order,
    by_price,
    columns,
    feed,
    shown,
)

FAR = [0, 1, 7, 15, 16, 17, 300, 5_000, 90_000, 10**9]
PRICES = st.one_of(st.integers(-20, 60), st.sampled_from(FAR)).map(lambda ticks: ticks * TICK)
ACTIONS = st.sampled_from([ADD, UPDATE, UPDATE, UPDATE, DELETE, CLEAR])
ROWS = st.lists(
    st.tuples(ACTIONS, st.sampled_from([BID, ASK]), PRICES, st.integers(0, 3), st.integers(1, 9)),
    min_size=1,
    max_size=80,
)
CUTS = st.lists(st.integers(1, 15), min_size=1, max_size=20)


class Naive:
    """Both sides by price: size and used part."""

    def __init__(self) -> None:
        self.sides: dict[int, dict[int, list[int]]] = {BID: {}, ASK: {}}

    def row(self, action: int, side: int, px: int, qty: int, order_id: int) -> None:  # noqa: ARG002
        levels = self.sides[side]
        if action == CLEAR:
            levels.clear()
        elif action == DELETE or qty == 0:
            levels.pop(px, None)
        elif px not in levels or levels[px][0] != qty:
            levels[px] = [qty, 0]

    def levels(self, side: int) -> list[tuple[int, int]]:
        return sorted(((px, size) for px, (size, _) in self.sides[side].items()), reverse=side == BID)

    def used(self, side: int, px: int) -> int:
        return self.sides[side].get(px, [0, 0])[1]

    def use(self, side: int, px: int, qty: int) -> None:
        level = self.sides[side].get(px)
        if level:
            level[1] += min(qty, level[0] - level[1])


class NaiveOrders(Naive):
    """Each side a list of orders in time priority: id, price, size, used part, arrival."""

    def __init__(self) -> None:
        self.queues: dict[int, list[list[int]]] = {BID: [], ASK: []}
        self.arrivals = 0

    def row(self, action: int, side: int, px: int, qty: int, order_id: int) -> None:
        if action == CLEAR:
            self.queues[side].clear()
            return
        of, order = next(
            ((of, order) for of, queue in self.queues.items() for order in queue if order[0] == order_id), (side, None)
        )
        if action == DELETE or qty == 0:
            if order:
                self.queues[of].remove(order)
        elif order and of == side and order[1] == px and qty <= order[2]:
            order[2:4] = [qty, order[3] if qty == order[2] else 0]
        else:
            if order:
                self.queues[of].remove(order)
            self.queues[side].append([order_id, px, qty, 0, self.arrivals])
            self.arrivals += 1

    def levels(self, side: int) -> list[tuple[int, int]]:
        sizes: dict[int, int] = {}
        for _, px, qty, _, _ in self.queues[side]:
            sizes[px] = sizes.get(px, 0) + qty
        return sorted(sizes.items(), reverse=side == BID)

    def used(self, side: int, px: int) -> int:
        return sum(order[3] for order in self.queues[side] if order[1] == px)

    def use(self, side: int, px: int, qty: int) -> None:
        for order in self.queues[side]:
            if order[1] == px:
                took = min(qty, order[2] - order[3])
                order[3] += took
                qty -= took

    def ahead_of(self, side: int, px: int, before: int) -> int:
        return sum(order[2] for order in self.queues[side] if order[1] == px and order[4] < before)


def same(book: DepthBook, naive: Naive) -> None:
    """Levels, what is used of each, and the answers made of them."""
    bids, asks = naive.levels(BID), naive.levels(ASK)
    assert shown(book) == (bids, asks)
    assert (book.bid, book.ask) == (bids[0][0] if bids else None, asks[0][0] if asks else None)
    for side, levels in ((BID, bids), (ASK, asks)):
        is_buy = side == ASK
        left = [(px, size - naive.used(side, px)) for px, size in levels]
        assert [book.used(px, is_bid=not is_buy) for px, _ in levels] == [naive.used(side, px) for px, _ in levels]
        assert book.available(is_buy=is_buy) == (left[0][1] if left else 0)
        limit = levels[len(levels) // 2][0] if levels else 0
        within = [(px, qty) for px, qty in left if (px <= limit if is_buy else px >= limit)]
        assert book.available_within(limit, is_buy=is_buy) == sum(qty for _, qty in within)
        assert book.offers(10**6, limit, is_buy=is_buy, best_only=False) == [(qty, px) for px, qty in within if qty]


def play(book: DepthBook, naive: Naive, rows: list[Row], cuts: list[int], data: st.DataObject) -> None:
    """Messages of several rows, taken from now and then."""
    start, turn = 0, 0
    table = columns(rows)
    while start < len(rows):
        stop = min(start + cuts[turn % len(cuts)], len(rows))
        book.apply(*table, start, stop)
        for row in rows[start:stop]:
            naive.row(*row)
        same(book, naive)
        for side in (BID, ASK):
            levels = naive.levels(side)
            uses: bool = data.draw(st.booleans())
            if levels and uses:
                px, qty = levels[data.draw(st.integers(0, len(levels) - 1))][0], data.draw(st.integers(1, 4))
                book.use(px, qty, is_buy=side == ASK)
                naive.use(side, px, qty)
        same(book, naive)
        start, turn = stop, turn + 1


@pytest.mark.parametrize("wide", [False, True])
@given(rows=ROWS, cuts=CUTS, data=st.data())
def test_a_book_by_price_is_a_dictionary_of_levels(
    wide: bool,
    rows: list[Row],
    cuts: list[int],
    data: st.DataObject,
) -> None:
    play(by_price(wide=wide, tick=TICK), Naive(), rows, cuts, data)


@pytest.mark.parametrize("wide", [False, True])
@given(rows=ROWS, cuts=CUTS, data=st.data())
def test_a_book_by_order_is_a_list_of_orders(
    wide: bool,
    rows: list[Row],
    cuts: list[int],
    data: st.DataObject,
) -> None:
    book, naive = by_order(wide=wide, tick=TICK), NaiveOrders()

    play(book, naive, rows, cuts, data)

    assert book.arrivals == naive.arrivals
    for side in (BID, ASK):
        for px, _ in naive.levels(side):
            before = data.draw(st.integers(0, naive.arrivals))
            assert book.ahead_of(px, before, is_bid=side == BID) == naive.ahead_of(side, px, before)


@given(ROWS, ROWS)
def test_a_snapshot_is_a_dictionary_exchanged(first: list[Row], second: list[Row]) -> None:
    book, naive = by_price(tick=TICK), Naive()
    feed(book, *first)
    for row in first:
        naive.row(*row)
    _, side, px, qty, _ = columns(second)

    book.replace(side, px, qty, 0, len(second))

    fresh = {(row[1], row[2]): row[3] for row in second}
    expected = [
        sorted(((p, q) for (s, p), q in fresh.items() if s == of and q), reverse=of == BID) for of in (BID, ASK)
    ]
    assert list(shown(book)) == expected


@pytest.mark.parametrize("by_order", [False, True])
@pytest.mark.parametrize("wide", [False, True])
@given(rows=ROWS, cuts=CUTS, ends=st.lists(st.booleans(), min_size=80, max_size=80))
def test_a_scout_tells_the_top_after_each_message(
    by_order: bool,
    wide: bool,
    rows: list[Row],
    cuts: list[int],
    ends: list[bool],
) -> None:
    scout = ScoutBook(TICK, by_order=by_order, wide=wide)
    naive = NaiveOrders() if by_order else Naive()
    none = scout.none_px
    top, expected = (-none, none, 0, 0), []
    for row, is_last in zip(rows, ends, strict=False):
        naive.row(*row)
        if is_last:
            bid, ask = (naive.levels(BID) or [(-none, 0)])[0], (naive.levels(ASK) or [(none, 0)])[0]
            top = (bid[0], ask[0], bid[1], ask[1])
        expected.append(top)
    table, flags = columns(rows), np.array(ends[: len(rows)], np.int64)

    found: list[tuple[int, ...]] = []
    start = turn = 0
    while start < len(rows):
        stop = min(start + cuts[turn % len(cuts)], len(rows))
        found += zip(*map(list, scout.bbo_columns(*table, flags, start, stop)), strict=True)
        start, turn = stop, turn + 1

    assert [tuple(map(int, row)) for row in found] == expected


def spread(n: int) -> Row:
    """Rows over 4,001 ticks, each order id now here and now there."""
    return ADD, BID if n % 2 else ASK, (n * 7_919) % 4_001 * TICK, 1 + n % 5, n % 1_700


def climbing(n: int) -> Row:
    """Rows of a price that climbs for ever, each level gone 50 rows later."""
    level = n // 2 if n % 2 else n // 2 - 50
    return (ADD if n % 2 else DELETE), BID, level * 100 * TICK, 1 + n % 5, level


@pytest.mark.parametrize("makes_orders", [False, True])
@pytest.mark.parametrize("row_of", [spread, climbing])
def test_a_book_grows_with_what_it_shows_and_not_with_what_it_has_seen(
    row_of: Callable[[int], Row],
    makes_orders: bool,
) -> None:
    book = by_order(tick=TICK) if makes_orders else by_price(tick=TICK)
    naive = NaiveOrders() if makes_orders else Naive()
    rows = [row_of(n) for n in range(4_000)]

    feed(book, *rows)
    for row in rows:
        naive.row(*row)

    assert shown(book, 5_000) == (naive.levels(BID), naive.levels(ASK))
    assert book.pages_max <= (128 if row_of is climbing else 512)
