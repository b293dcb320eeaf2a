"""A book with depth: how much is displayed at each price, how much of it is used up, and where the next level is.

One column of integers holds both sides. Prices live on pages of `PAGE` neighbouring ticks; a hash finds the page, so
a book costs memory for the prices that it has seen and not for those between. A level is addressed by its *position*
in the column (0: none), which stays valid until the column is exchanged for a larger one.

The functions run compiled over int64 arrays, and interpreted over lists of Python integers of any size.
Layout: header, the header of each side, each side's hash of (page number, page position), each side's pages. A page
is its number, its count of levels shown, and its levels.
"""

# ruff: noqa: FBT001 - compiled functions have no keyword-only arguments

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from libra_ray.matching.forms import compiled, inlined, interpreted

__all__ = [
    "ASKS",
    "BIDS",
    "QUEUE",
    "SIZE",
    "USED",
    "Ints",
    "available_at",
    "best",
    "clear",
    "column",
    "copy_levels",
    "header",
    "is_full",
    "keep_only",
    "level",
    "level_to_write",
    "next_level",
    "pages_of_next",
    "price_at",
    "price_in_ticks",
    "resize",
    "sum_within",
    "use",
    "version",
    "walk",
]

Ints: TypeAlias = "npt.NDArray[np.int64] | list[int]"

# The header.
TICK: Final = 0
SLOTS: Final = 1  # of each hash: a power of two, at least twice the pages
PAGES: Final = 2  # that there is room for on each side
VERSION: Final = 3  # counts changes, so that each has a number of its own
# The header of a side, from BIDS or ASKS on.
BIDS: Final = 8
ASKS: Final = 16
BEST: Final = 0  # position of the best level
BEST_TICKS: Final = 1
LIVE: Final = 2  # levels shown
PAGES_USED: Final = 3
FLOOR: Final = 4  # the version of a price without a page
HASH: Final = 5  # where the hash begins
POOL: Final = 6  # where the pages begin
SIGN: Final = 7  # +1: a higher price is better
HEADER: Final = 24
# A page.
NUMBER: Final = 0
SHOWN: Final = 1
PAGE_HEAD: Final = 4
PAGE_BITS: Final = 4
PAGE: Final = 1 << PAGE_BITS
# A level.
SIZE: Final = 0
USED: Final = 1
CHANGED: Final = 2
QUEUE: Final = 3  # of a book by order: the first order
LEVEL: Final = 4
PAGE_INTS: Final = PAGE_HEAD + PAGE * LEVEL

HOPS_MAX: Final = 64
"""How many pages outward are tried one by one before all pages are looked at."""


def header(tick: int, pages: int) -> tuple[list[int], int]:
    """The header of an empty book with room for `pages` pages a side (a power of two), and the length of its column."""
    slots = 2 * pages
    book = [0] * HEADER
    book[TICK], book[SLOTS], book[PAGES] = tick, slots, pages
    at = HEADER
    for side in (BIDS, ASKS):
        book[side + HASH], at = at, at + 2 * slots
    for side in (BIDS, ASKS):
        book[side + POOL], at = at, at + pages * PAGE_INTS
    book[BIDS + SIGN], book[ASKS + SIGN] = 1, -1
    return book, at


@inlined
def _pair(book: Ints, side: int, number: int) -> int:
    """Where the hash has, or would have, the page of that number."""
    start = book[side + HASH]
    mask = book[SLOTS] - 1
    slot = (((number & 0x3FFFFFFF) * 0x61C88647) >> 12) & mask
    while book[start + 2 * slot + 1] != 0 and book[start + 2 * slot] != number:
        slot = (slot + 1) & mask
    return start + 2 * slot


@inlined
def price_in_ticks(book: Ints, px: int) -> int:
    """The number of ticks of a price; only multiples of the tick are prices."""
    return px // book[TICK]


@inlined
def level(book: Ints, side: int, ticks: int) -> int:
    """The position of a level, also of one that is no longer shown; 0 where the price was never seen."""
    page = book[_pair(book, side, ticks >> PAGE_BITS) + 1]
    if page == 0:
        return 0
    return page + PAGE_HEAD + (ticks & (PAGE - 1)) * LEVEL


@inlined
def level_to_write(book: Ints, side: int, ticks: int) -> int:
    """The position of a level, made where there is none. There must be room for a page."""
    number = ticks >> PAGE_BITS
    pair = _pair(book, side, number)
    page = book[pair + 1]
    if page == 0:
        page = book[side + POOL] + book[side + PAGES_USED] * PAGE_INTS
        book[side + PAGES_USED] += 1
        book[pair] = number
        book[pair + 1] = page
        book[page + NUMBER] = number
        floor = book[side + FLOOR]
        for at in range(page + PAGE_HEAD, page + PAGE_INTS, LEVEL):
            book[at + CHANGED] = floor
    return page + PAGE_HEAD + (ticks & (PAGE - 1)) * LEVEL


@inlined
def _page_of(book: Ints, side: int, at: int) -> int:
    pool = book[side + POOL]
    return at - (at - pool) % PAGE_INTS


@inlined
def _ticks_at(book: Ints, side: int, at: int) -> int:
    page = _page_of(book, side, at)
    return book[page + NUMBER] * PAGE + (at - page - PAGE_HEAD) // LEVEL


@inlined
def price_at(book: Ints, side: int, at: int) -> int:
    """The price of the level at a position."""
    return _ticks_at(book, side, at) * book[TICK]


@inlined
def best(book: Ints, side: int) -> int:
    """The position of the best level shown, 0 when the side is empty."""
    return book[side + BEST]


@compiled
def version(book: Ints, side: int, px: int) -> int:
    """A number that every delta at that price changes."""
    at = level(book, side, price_in_ticks(book, px))
    return book[at + CHANGED] if at != 0 else book[side + FLOOR]


@compiled
def _first_shown(book: Ints, page: int, first: int, step: int) -> int:
    """The first level shown on a page from place `first` on; 0 where there is none."""
    place = first
    while 0 <= place < PAGE:
        at = page + PAGE_HEAD + place * LEVEL
        if book[at + SIZE] > 0:
            return at
        place += step
    return 0


@compiled
def next_level(book: Ints, side: int, at: int) -> int:
    """The position of the next level shown, outward from a position; 0 behind the last one."""
    step = -book[side + SIGN]
    page = _page_of(book, side, at)
    found = _first_shown(book, page, (at - page - PAGE_HEAD) // LEVEL + step, step)
    if found != 0:
        return found
    number = book[page + NUMBER]
    first = 0 if step > 0 else PAGE - 1
    used = book[side + PAGES_USED]
    for hop in range(1, min(used, HOPS_MAX) + 1):
        near = book[_pair(book, side, number + hop * step) + 1]
        if near != 0 and book[near + SHOWN] > 0:
            return _first_shown(book, near, first, step)
    nearest = 0
    pool = book[side + POOL]
    for other in range(pool, pool + used * PAGE_INTS, PAGE_INTS):
        is_behind = book[other + SHOWN] > 0 and (book[other + NUMBER] - number) * step > 0
        if is_behind and (nearest == 0 or (book[nearest + NUMBER] - book[other + NUMBER]) * step > 0):
            nearest = other
    return _first_shown(book, nearest, first, step) if nearest != 0 else 0


@inlined
def resize(book: Ints, side: int, ticks: int, at: int, size: int) -> None:
    """Show another size at a level; 0 takes it away. What was used of it is for the caller to say."""
    before = book[at + SIZE]
    book[at + SIZE] = size
    if before == 0 and size > 0:
        book[_page_of(book, side, at) + SHOWN] += 1
        book[side + LIVE] += 1
        if book[side + BEST] == 0 or (ticks - book[side + BEST_TICKS]) * book[side + SIGN] > 0:
            book[side + BEST] = at
            book[side + BEST_TICKS] = ticks
    elif before > 0 and size == 0:
        book[_page_of(book, side, at) + SHOWN] -= 1
        book[side + LIVE] -= 1
        if book[side + BEST] == at:
            behind = next_level(book, side, at) if book[side + LIVE] > 0 else 0
            book[side + BEST] = behind
            if behind != 0:
                book[side + BEST_TICKS] = _ticks_at(book, side, behind)


@compiled
def clear(book: Ints, side: int) -> None:
    """Take away all levels of a side, and the memory of what was used of them."""
    start = book[side + HASH]
    for at in range(start, start + 2 * book[SLOTS]):
        book[at] = 0
    pool = book[side + POOL]
    for at in range(pool, pool + book[side + PAGES_USED] * PAGE_INTS):
        book[at] = 0
    book[side + PAGES_USED] = 0
    book[side + LIVE] = 0
    book[side + BEST] = 0
    book[VERSION] += 1
    book[side + FLOOR] = book[VERSION]


@compiled
def keep_only(book: Ints, side: int, since: int) -> None:
    """Take away the levels that did not change after version `since`: those that a snapshot does not show."""
    book[VERSION] += 1
    book[side + BEST] = 0
    pool = book[side + POOL]
    for page in range(pool, pool + book[side + PAGES_USED] * PAGE_INTS, PAGE_INTS):
        for place in range(PAGE):
            at = page + PAGE_HEAD + place * LEVEL
            if book[at + SIZE] > 0 and book[at + CHANGED] <= since:
                book[at + SIZE] = 0
                book[at + USED] = 0
                book[at + CHANGED] = book[VERSION]
                book[page + SHOWN] -= 1
                book[side + LIVE] -= 1
            elif book[at + SIZE] > 0:
                ticks = book[page + NUMBER] * PAGE + place
                if book[side + BEST] == 0 or (ticks - book[side + BEST_TICKS]) * book[side + SIGN] > 0:
                    book[side + BEST] = at
                    book[side + BEST_TICKS] = ticks


@compiled
def _count_shown(book: Ints, side: int) -> int:
    count = 0
    pool = book[side + POOL]
    for page in range(pool, pool + book[side + PAGES_USED] * PAGE_INTS, PAGE_INTS):
        if book[page + SHOWN] > 0:
            count += 1
    return count


def is_full(book: Ints) -> bool:
    """Whether a row might find no room for its page."""
    return bool(max(book[BIDS + PAGES_USED], book[ASKS + PAGES_USED]) >= book[PAGES])


def pages_of_next(book: Ints) -> int:
    """How many pages a side the column has that a full one is copied to; pages without a level are left behind."""
    count = interpreted(_count_shown) if isinstance(book, list) else _count_shown
    fill = max(int(count(book, side)) for side in (BIDS, ASKS))
    pages = int(book[PAGES])
    return pages if 2 * fill <= pages else 2 * pages


def column(head: list[int], length: int, *, wide: bool = False) -> Ints:
    """A column that begins with a header; zeros follow."""
    if wide:
        return head + [0] * (length - len(head))
    ints = np.zeros(length, np.int64)
    ints[: len(head)] = head
    return ints


@compiled
def copy_levels(book: Ints, new: Ints) -> None:
    """Fill an empty book with all pages of another one that show a level; the others are forgotten."""
    new[VERSION] = book[VERSION] + 1
    for side in (BIDS, ASKS):
        new[side + FLOOR] = new[VERSION]
        pool = book[side + POOL]
        for page in range(pool, pool + book[side + PAGES_USED] * PAGE_INTS, PAGE_INTS):
            if book[page + SHOWN] > 0:
                start = level_to_write(new, side, book[page + NUMBER] * PAGE) - PAGE_HEAD
                for i in range(PAGE_INTS):
                    new[start + i] = book[page + i]
        new[side + LIVE] = book[side + LIVE]
        if book[side + BEST] != 0:
            new[side + BEST_TICKS] = book[side + BEST_TICKS]
            new[side + BEST] = level(new, side, book[side + BEST_TICKS])


@inlined
def available_at(book: Ints, at: int, consumes: bool) -> int:
    """What an order may still take of a level."""
    return book[at + SIZE] - book[at + USED] if consumes else book[at + SIZE]


@compiled
def use(book: Ints, at: int, qty: int) -> int:
    """Note that an order took `qty` of a level, or as much of it as is there, which is given back."""
    took = min(qty, book[at + SIZE] - book[at + USED])
    book[at + USED] += took
    return took


@compiled
def sum_within(book: Ints, side: int, limited: bool, limit: int, enough: int, consumes: bool) -> int:
    """What is available at or better than `limit`, up to the level with which it reaches `enough`."""
    total = 0
    at = best(book, side)
    while at != 0 and total < enough:
        if limited and (price_at(book, side, at) - limit) * book[side + SIGN] < 0:
            break
        total += available_at(book, at, consumes)
        at = next_level(book, side, at)
    return total


@compiled
def walk(
    book: Ints,
    side: int,
    leaves: int,
    limited: bool,
    limit: int,
    best_only: bool,
    consumes: bool,
    out: Ints,
) -> int:
    """Write (quantity, price) of each level that a taker of `leaves` gets, best first; the count of integers written.

    -1 when `out` is too short. Nothing is used.
    """
    count = 0
    left = leaves
    at = best(book, side)
    while at != 0 and left > 0:
        px = price_at(book, side, at)
        if limited and (px - limit) * book[side + SIGN] < 0:
            break
        there = available_at(book, at, consumes)
        if there > 0:
            if count + 2 > len(out):
                return -1
            took = min(there, left)
            out[count] = took
            out[count + 1] = px
            count += 2
            left -= took
        if best_only:
            break
        at = next_level(book, side, at)
    return count
