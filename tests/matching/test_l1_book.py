"""The book against a naive memory of every level, and the look-ahead against a plain loop."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.matching import NEVER_FALL, NEVER_RISE, L1Book, next_quote_touch, next_touch

ROWS = st.lists(
    st.tuples(st.integers(95, 99), st.integers(100, 104), st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=40
)


class NaiveAsks:
    """Remembers each level by price until the best has moved past it."""

    def __init__(self) -> None:
        self.levels: dict[int, tuple[int, int]] = {}
        self.best = 0

    def show(self, px: int, size: int) -> None:
        self.levels = {level: held for level, held in self.levels.items() if level >= px}
        known = self.levels.get(px)
        if known is None or known[0] != size:
            self.levels[px] = (size, 0)
        self.best = px

    def use(self, quantity: int) -> None:
        size, used = self.levels[self.best]
        self.levels[self.best] = (size, used + quantity)

    @property
    def available(self) -> int:
        size, used = self.levels[self.best]
        return size - used


@given(ROWS, st.data())
def test_used_size_is_remembered_as_long_as_the_level_stands(
    rows: list[tuple[int, int, int, int]], data: st.DataObject
) -> None:
    book, naive = L1Book(1, consumes=True), NaiveAsks()
    for bid, ask, bid_size, ask_size in rows:
        book.show(bid, ask, bid_size, ask_size)
        naive.show(ask, ask_size)
        assert book.available(is_buy=True) == naive.available
        if naive.available and data.draw(st.booleans()):
            quantity = data.draw(st.integers(1, naive.available))
            book.use(ask, quantity, is_buy=True)
            naive.use(quantity)


@given(ROWS, st.integers(0, 39), st.booleans())
def test_catching_up_is_the_same_as_row_by_row(rows: list[tuple[int, int, int, int]], at: int, takes: bool) -> None:  # noqa: FBT001
    start = min(at, len(rows) - 1)
    slow, fast = L1Book(1, consumes=True), L1Book(1, consumes=True)
    for book in (slow, fast):
        book.show(*rows[start])
        if takes:
            book.use(rows[start][1], 1, is_buy=True)
    bid, ask, bid_size, ask_size = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    for row in rows[start + 1 :]:
        slow.show(*row)
    if start + 1 < len(rows):
        fast.replay(bid, ask, bid_size, ask_size, start + 1, len(rows))

    for one, other in ((slow.asks, fast.asks), (slow.bids, fast.bids)):
        assert (one.px, one.size, one.used) == (other.px, other.size, other.used)


def test_a_taker_gets_what_is_shown_and_the_rest_one_tick_beyond() -> None:
    book = L1Book(5, consumes=True)
    book.show(995, 1_000, 40, 30)

    assert book.offers(50, None, is_buy=True, best_only=False) == [(30, 1_000), (20, 1_005)]
    assert book.offers(50, 1_000, is_buy=True, best_only=False) == [(30, 1_000)]
    assert book.offers(50, None, is_buy=False, best_only=True) == [(40, 995)]
    assert book.offers(50, 999, is_buy=True, best_only=False) == []


PRICES = st.lists(st.integers(0, 20), min_size=1, max_size=50)


@given(PRICES, st.integers(-1, 21), st.integers(-1, 21), st.booleans())
def test_the_look_ahead_finds_the_first_row(px: list[int], fall: int, rise: int, compiled: bool) -> None:  # noqa: FBT001
    column = np.array(px, np.int64) if compiled else px
    expected = next((i for i, value in enumerate(px) if value <= fall or value >= rise), len(px))

    assert next_touch(column, column, 0, len(px), fall, rise) == expected
    none = (NEVER_FALL, NEVER_RISE)
    assert next_quote_touch(column, column, 0, len(px), (fall, rise), none) == expected
    assert next_quote_touch(column, column, 0, len(px), none, none) == len(px)
