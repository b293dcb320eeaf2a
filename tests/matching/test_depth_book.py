"""The books with depth by example, compiled and interpreted."""

import numpy as np
import pytest

from libra_ray.matching.depth_book import NONE_PX, DepthBook, ScoutBook
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

L2_OF_THE_SCENARIOS = [(BID, 10_000, 5), (ASK, 10_100, 10), (ASK, 10_200, 20), (ASK, 10_300, 30)]


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


def test_an_empty_side_is_written_as_no_price() -> None:
    scout = ScoutBook(1, by_order=False, wide=False)

    bid, ask, bid_size, ask_size = scout.bbo_columns(*columns([(ADD, BID, 9, 2, 0)]), np.array([1]), 0, 1)

    assert (bid[0], ask[0], bid_size[0], ask_size[0]) == (9, NONE_PX, 2, 0)
