"""The books with depth against dictionaries, compiled and interpreted."""

# ruff: noqa: FBT001 - parameters of tests

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.matching.depth_book import NONE_PX, DepthBook, ScoutBook

ADD, UPDATE, DELETE, CLEAR = 1, 2, 3, 4
BID, ASK = 1, 2
TICK = 5
L2_OF_THE_SCENARIOS = [(BID, 10_000, 5), (ASK, 10_100, 10), (ASK, 10_200, 20), (ASK, 10_300, 30)]

Row = tuple[int, int, int, int, int]  # action, side, price, quantity, order id
Column = npt.NDArray[np.int64]
Columns = tuple[Column, Column, Column, Column, Column]


def columns(rows: list[Row]) -> Columns:
    """Rows as the columns of a batch."""
    action, side, px, qty, order_id = np.array(rows, np.int64).reshape(-1, 5).T.copy()
    return action, side, px, qty, order_id


def by_price(*, consumes: bool = True, wide: bool = False, tick: int = 1) -> DepthBook:
    return DepthBook(tick, by_order=False, consumes=consumes, wide=wide)


def by_order(*, consumes: bool = True, wide: bool = False, tick: int = 1) -> DepthBook:
    return DepthBook(tick, by_order=True, consumes=consumes, wide=wide)


def feed(book: DepthBook | ScoutBook, *rows: Row) -> None:
    """Apply rows as one message."""
    book.apply(*columns(list(rows)), 0, len(rows))


def shown(book: DepthBook, count: int = 1_000) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    return book.levels(is_bid=True, count=count), book.levels(is_bid=False, count=count)


# --- examples ---


@pytest.fixture(params=["compiled", "wide"])
def book(request: pytest.FixtureRequest) -> DepthBook:
    """The book of the L2 scenarios: 5 at 100.00; 10, 20 and 30 at 101.00 to 103.00."""
    book = by_price(wide=request.param == "wide", tick=TICK)
    feed(book, *((ADD, side, px, qty, 0) for side, px, qty in L2_OF_THE_SCENARIOS))
    return book


def test_an_empty_book_has_no_prices() -> None:
    book = by_price()

    assert (book.bid, book.ask, book.available(is_buy=True), book.available_within(None, is_buy=True)) == (
        None,
        None,
        0,
        0,
    )
    assert book.offers(5, None, is_buy=True, best_only=False) == []
    assert shown(book) == ([], [])


def test_the_best_prices_and_the_levels_behind(book: DepthBook) -> None:
    assert (book.bid, book.ask, book.opposite_px(is_buy=True), book.opposite_px(is_buy=False)) == (
        10_000, 10_100, 10_100, 10_000,
    )  # fmt: skip
    assert shown(book) == ([(10_000, 5)], [(10_100, 10), (10_200, 20), (10_300, 30)])
    assert (book.displayed(10_200, is_bid=False), book.displayed(10_200, is_bid=True)) == (20, 0)
    assert book.displayed(10_201, is_bid=False) == 0


def test_a_taker_walks_the_levels_up_to_its_limit(book: DepthBook) -> None:
    assert book.offers(20, 10_200, is_buy=True, best_only=False) == [(10, 10_100), (10, 10_200)]
    assert book.offers(90, None, is_buy=True, best_only=False) == [(10, 10_100), (20, 10_200), (30, 10_300)]
    assert book.offers(90, None, is_buy=True, best_only=True) == [(10, 10_100)]
    assert book.offers(90, 10_099, is_buy=True, best_only=False) == []
    assert book.offers(3, 10_000, is_buy=False, best_only=False) == [(3, 10_000)]


def test_a_used_level_is_skipped_and_ends_an_order_that_takes_only_the_best(book: DepthBook) -> None:
    book.use(10_100, 12, is_buy=True)

    assert (book.used(10_100, is_bid=False), book.available(is_buy=True), book.ask) == (10, 0, 10_100)
    assert book.available_within(10_200, is_buy=True) == 20
    assert book.offers(25, None, is_buy=True, best_only=False) == [(20, 10_200), (5, 10_300)]
    assert book.offers(25, None, is_buy=True, best_only=True) == []


@pytest.mark.parametrize(
    ("rows", "left"),
    [
        ([(UPDATE, ASK, 10_100, 10, 0)], 2),  # nothing new
        ([(UPDATE, ASK, 10_100, 11, 0)], 11),
        ([(UPDATE, ASK, 10_100, 11, 0), (UPDATE, ASK, 10_100, 10, 0)], 10),
        ([(DELETE, ASK, 10_100, 0, 0), (ADD, ASK, 10_100, 10, 0)], 10),
        ([(UPDATE, ASK, 10_100, 0, 0), (ADD, ASK, 10_100, 10, 0)], 10),
        ([(CLEAR, ASK, 0, 0, 0), (ADD, ASK, 10_100, 10, 0)], 10),
        ([(CLEAR, BID, 0, 0, 0)], 2),
        ([(ADD, ASK, 10_095, 1, 0), (DELETE, ASK, 10_095, 1, 0)], 2),  # it stood behind a better one
    ],
)
def test_what_was_used_stays_used_until_the_level_is_shown_anew(book: DepthBook, rows: list[Row], left: int) -> None:
    book.use(10_100, 8, is_buy=True)

    feed(book, *rows)

    assert book.available(is_buy=True) == left


@pytest.mark.parametrize(("side", "bids", "asks"), [(BID, 0, 3), (ASK, 1, 0), (0, 0, 0)])
def test_a_clear_empties_its_side_or_both(book: DepthBook, side: int, bids: int, asks: int) -> None:
    feed(book, (CLEAR, side, 0, 0, 0))

    assert tuple(map(len, shown(book))) == (bids, asks)
    assert (book.bid is None, book.ask is None) == (bids == 0, asks == 0)


def test_a_snapshot_takes_away_what_it_does_not_show_and_keeps_what_was_used_of_the_rest(book: DepthBook) -> None:
    book.use(10_100, 8, is_buy=True)
    book.use(10_200, 8, is_buy=True)
    side, px, qty = (np.array(values, np.int64) for values in ((ASK, ASK, BID), (10_200, 10_100, 9_900), (21, 10, 4)))

    book.replace(side, px, qty, 0, 3)

    assert shown(book) == ([(9_900, 4)], [(10_100, 10), (10_200, 21)])
    assert (book.used(10_100, is_bid=False), book.used(10_200, is_bid=False), book.bid) == (8, 0, 9_900)


def test_with_consumption_off_every_order_sees_all_that_is_displayed() -> None:
    book = by_price(consumes=False)
    feed(book, (ADD, ASK, 100, 7, 0))

    book.use(100, 7, is_buy=True)

    assert (book.available(is_buy=True), book.available_within(None, is_buy=True), book.used(100, is_bid=False)) == (
        7,
        7,
        0,
    )
    assert book.offers(9, None, is_buy=True, best_only=False) == [(7, 100)]


def test_a_price_off_the_grid_is_refused(book: DepthBook) -> None:
    with pytest.raises(ValueError, match="the price 10001 is no multiple of the tick 5"):
        feed(book, (ADD, BID, 10_001, 1, 0))


def test_each_delta_at_a_price_changes_its_version_and_no_other(book: DepthBook) -> None:
    first, other = book.version(10_100, is_bid=False), book.version(10_200, is_bid=False)

    feed(book, (UPDATE, ASK, 10_100, 10, 0))

    assert book.version(10_100, is_bid=False) != first
    assert book.version(10_200, is_bid=False) == other


def test_levels_of_a_thousand_million_ticks_distance_need_no_ladder() -> None:
    book = by_price()
    far = [(ADD, BID, 10**17 - n * 10**14, n + 1, 0) for n in range(200)]

    feed(book, *far, (DELETE, BID, 10**17, 0, 0))

    assert book.levels(is_bid=True, count=2) == [(10**17 - 10**14, 2), (10**17 - 2 * 10**14, 3)]
    assert len(book.levels(is_bid=True, count=1_000)) == 199


def test_prices_of_eighteen_decimals_are_exact() -> None:
    book = by_price(wide=True)
    px, qty = 123_456_789 * 10**18 + 1, 10**30 + 1

    feed_wide(book, [(ADD, ASK, px, qty, 0), (ADD, ASK, px + 1, qty, 0)])

    assert (book.ask, book.available_within(None, is_buy=True)) == (px, 2 * qty)
    assert book.offers(qty + 2, None, is_buy=True, best_only=False) == [(qty, px), (2, px + 1)]


def feed_wide(book: DepthBook, rows: list[Row]) -> None:
    action, side, px, qty, order_id = (list(column) for column in zip(*rows, strict=True))
    book.apply(np.array(action), np.array(side), px, qty, np.array(order_id), 0, len(rows))


@pytest.fixture(params=["compiled", "wide"])
def orders(request: pytest.FixtureRequest) -> DepthBook:
    """Orders 1 (5) and 2 (7) at the bid of 10.00, order 3 (4) at 10.05, order 4 (9) behind it."""
    book = by_order(wide=request.param == "wide")
    feed(book, (ADD, BID, 1_000, 5, 1), (ADD, BID, 1_000, 7, 2), (ADD, ASK, 1_005, 4, 3), (ADD, ASK, 1_006, 9, 4))
    return book


def test_orders_add_up_to_levels(orders: DepthBook) -> None:
    assert shown(orders) == ([(1_000, 12)], [(1_005, 4), (1_006, 9)])
    assert orders.offers(9, None, is_buy=True, best_only=False) == [(4, 1_005), (5, 1_006)]


def test_those_ahead_are_the_orders_queued_before(orders: DepthBook) -> None:
    before = orders.arrivals
    feed(orders, (ADD, BID, 1_000, 50, 5))
    assert (before, orders.ahead_of(1_000, before, is_bid=True)) == (4, 12)

    feed(orders, (DELETE, BID, 1_000, 0, 1))

    assert orders.ahead_of(1_000, before, is_bid=True) == 7
    assert orders.ahead_of(1_001, before, is_bid=True) == 0


@pytest.mark.parametrize(
    ("row", "ahead", "total"),
    [
        ((UPDATE, BID, 1_000, 3, 1), 10, 10),  # smaller: keeps its place
        ((UPDATE, BID, 1_000, 5, 1), 12, 12),  # the same: nothing new
        ((UPDATE, BID, 1_000, 6, 1), 7, 13),  # larger: to the back
        ((ADD, BID, 1_000, 6, 1), 7, 13),  # an add of a known order is an update
        ((UPDATE, BID, 999, 5, 1), 7, 7),  # another price
        ((UPDATE, BID, 1_000, 8, 77), 12, 20),  # an unknown order is added
        ((DELETE, BID, 1_000, 8, 77), 12, 12),  # an unknown order is not there
        ((UPDATE, BID, 1_000, 0, 2), 5, 5),
    ],
)
def test_an_update_keeps_or_loses_the_place_in_the_queue(orders: DepthBook, row: Row, ahead: int, total: int) -> None:
    before = orders.arrivals

    feed(orders, row)

    assert orders.ahead_of(1_000, before, is_bid=True) == ahead
    assert orders.displayed(1_000, is_bid=True) == total


def test_the_oldest_orders_of_a_level_are_used_first(orders: DepthBook) -> None:
    orders.use(1_000, 6, is_buy=False)
    assert (orders.used(1_000, is_bid=True), orders.available(is_buy=False)) == (6, 6)

    feed(orders, (UPDATE, BID, 1_000, 4, 1))  # order 1 was used up and is fresh now; 1 of order 2 stays used

    assert (orders.used(1_000, is_bid=True), orders.available(is_buy=False)) == (1, 10)


def test_a_move_changes_the_versions_of_both_prices(orders: DepthBook) -> None:
    left, entered = orders.version(1_000, is_bid=True), orders.version(998, is_bid=True)

    feed(orders, (UPDATE, BID, 998, 5, 1))

    assert orders.version(1_000, is_bid=True) != left
    assert orders.version(998, is_bid=True) != entered


def test_a_book_by_order_takes_no_snapshot(orders: DepthBook) -> None:
    with pytest.raises(TypeError, match="takes no snapshots"):
        orders.replace(*columns([])[:3], 0, 0)


def test_sizes_past_sixty_two_bits_are_an_error_and_no_other_number() -> None:
    book = by_order()
    feed(book, (ADD, BID, 1, 2**61, 1), (ADD, BID, 1, 2**61 - 1, 2))

    with pytest.raises(OverflowError):
        feed(book, (ADD, BID, 1, 2, 3))


# --- laws ---

FAR = [0, 1, 7, 15, 16, 17, 300, 5_000, 90_000, 10**9]
PRICES = st.one_of(st.integers(-20, 60), st.sampled_from(FAR)).map(lambda ticks: ticks * TICK)
ACTIONS = st.sampled_from([ADD, UPDATE, UPDATE, UPDATE, DELETE, CLEAR])
ROWS = st.lists(
    st.tuples(ACTIONS, st.sampled_from([BID, ASK]), PRICES, st.integers(0, 3), st.integers(1, 9)),
    min_size=1,
    max_size=80,
)
CUTS = st.lists(st.integers(1, 15), min_size=1, max_size=20)
SELDOM = st.integers(0, 11)


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


def test_an_empty_side_is_written_as_no_price() -> None:
    scout = ScoutBook(1, by_order=False, wide=False)

    bid, ask, bid_size, ask_size = scout.bbo_columns(*columns([(ADD, BID, 9, 2, 0)]), np.array([1]), 0, 1)

    assert (bid[0], ask[0], bid_size[0], ask_size[0]) == (9, NONE_PX, 2, 0)
