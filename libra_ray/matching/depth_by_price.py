"""Rows of a book by price (L2): each says the new total of a level."""

from typing import Final

from libra_ray.matching.depth import (
    ASKS,
    BEST_TICKS,
    BIDS,
    CHANGED,
    PAGES,
    PAGES_USED,
    SIZE,
    TICK,
    USED,
    VERSION,
    Ints,
    best,
    clear,
    keep_only,
    level,
    level_to_write,
    resize,
)
from libra_ray.matching.forms import compiled, inlined
from libra_ray.matching.scan import Column

__all__ = ["BID", "CLEAR", "DELETE", "LAST", "apply_level", "apply_levels", "replace_levels", "scout_levels"]

# The codes of `BOOK_DELTAS`.
BID: Final = 1
ASK: Final = 2
DELETE: Final = 3
CLEAR: Final = 4
LAST: Final = 1


@inlined
def apply_level(book: Ints, action: int, side: int, px: int, qty: int) -> bool:
    """Apply one row. False, and nothing done, where there is no room for a page or the price is no whole tick.

    A level that changes its size, or comes again, is fresh; one that repeats its size keeps what was used of it.
    """
    if action == CLEAR:
        if side != ASK:
            clear(book, BIDS)
        if side != BID:
            clear(book, ASKS)
        return True
    of = BIDS if side == BID else ASKS
    ticks = px // book[TICK]
    if book[of + PAGES_USED] >= book[PAGES] or ticks * book[TICK] != px:
        return False
    size = 0 if action == DELETE else max(qty, 0)
    at = level_to_write(book, of, ticks) if size > 0 else level(book, of, ticks)
    if at != 0:
        book[VERSION] += 1
        book[at + CHANGED] = book[VERSION]
        if book[at + SIZE] != size:
            book[at + USED] = 0
            resize(book, of, ticks, at, size)
    return True


@compiled
def apply_levels(
    book: Ints, action: Column, side: Column, price: Column, qty: Column, start: int, stop: int
) -> tuple[int, int, int]:
    """Apply rows [start, stop): the first row not applied, and the positions of the best bid and ask."""
    row = start
    while row < stop and apply_level(book, action[row], side[row], price[row], qty[row]):
        row += 1
    return row, best(book, BIDS), best(book, ASKS)


@compiled
def replace_levels(
    book: Ints, side: Column, price: Column, qty: Column, start: int, stop: int, since: int
) -> tuple[int, int, int]:
    """Apply rows [start, stop) of a snapshot that began at version `since`; the last one ends it."""
    row = start
    while row < stop and apply_level(book, 0, side[row], price[row], qty[row]):
        row += 1
    if row == stop:
        keep_only(book, BIDS, since)
        keep_only(book, ASKS, since)
    return row, best(book, BIDS), best(book, ASKS)


@compiled
def note_top(book: Ints, top: Ints) -> None:
    """Write the best prices and their sizes to `top`, where there are any: else it keeps the prices of `top[4:]`."""
    bid, ask = best(book, BIDS), best(book, ASKS)
    top[0] = book[BIDS + BEST_TICKS] * book[TICK] if bid != 0 else -top[4]
    top[1] = book[ASKS + BEST_TICKS] * book[TICK] if ask != 0 else top[4]
    top[2] = book[bid + SIZE] if bid != 0 else 0
    top[3] = book[ask + SIZE] if ask != 0 else 0


@compiled
def scout_levels(
    book: Ints,
    action: Column,
    side: Column,
    price: Column,
    qty: Column,
    flags: Column,
    start: int,
    stop: int,
    top: Ints,
    bid: Ints,
    ask: Ints,
    bid_size: Ints,
    ask_size: Ints,
    shift: int,
) -> int:
    """Apply rows [start, stop) and write the top of the book after each message to its last row, minus `shift`.

    Rows inside a message repeat the values before. `top` holds them between calls. Gives the first row not applied.
    """
    row = start
    while row < stop and apply_level(book, action[row], side[row], price[row], qty[row]):
        if flags[row] & LAST:
            note_top(book, top)
        at = row - shift
        bid[at], ask[at], bid_size[at], ask_size[at] = top[0], top[1], top[2], top[3]
        row += 1
    return row
