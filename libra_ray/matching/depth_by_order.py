"""Rows of a book by order (L3): each adds, changes or removes one order; a level is the queue of its orders.

The orders are a second column of integers: a header, their records, and a hash of order id to record. The records of a
level form a ring in time priority, which its `QUEUE` enters at the first order.
"""

from typing import Final

from libra_ray.matching.depth import (
    ASKS,
    BIDS,
    CHANGED,
    PAGES,
    PAGES_USED,
    QUEUE,
    SIZE,
    TICK,
    USED,
    VERSION,
    Ints,
    best,
    clear,
    level,
    level_to_write,
    resize,
    use,
)
from libra_ray.matching.depth_by_price import ASK, BID, CLEAR, DELETE, LAST, note_top
from libra_ray.matching.forms import compiled
from libra_ray.matching.scan import Column

__all__ = [
    "ARRIVALS",
    "ROOM",
    "SIZE_MAX",
    "ahead_of",
    "apply_order",
    "apply_orders",
    "copy_orders",
    "has_room",
    "orders_header",
    "scout_orders",
    "use_orders",
]

# The header.
ROOM: Final = 0  # for orders: a power of two; the hash has twice as many slots
MADE: Final = 1  # records ever taken from the room
FREE: Final = 2  # the first record to be taken again
ARRIVALS: Final = 3  # orders queued so far
SIZE_MAX: Final = 4  # the largest size of a level
HEADER: Final = 8
# The record of an order.
ID: Final = 0
SIDE: Final = 1
TICKS: Final = 2
QTY: Final = 3
TAKEN: Final = 4
ARRIVAL: Final = 5
NEXT: Final = 6
BEFORE: Final = 7
RECORD: Final = 8


def orders_header(room: int, size_max: int) -> tuple[list[int], int]:
    """The header of no orders, with room for `room` (a power of two), and the length of the column."""
    orders = [0] * HEADER
    orders[ROOM], orders[SIZE_MAX] = room, size_max
    return orders, HEADER + room * RECORD + 2 * room


@compiled
def _home(orders: Ints, order_id: int) -> int:
    return ((((order_id ^ (order_id >> 30)) & 0x3FFFFFFF) * 0x61C88647) >> 12) & (2 * orders[ROOM] - 1)


@compiled
def _slot(orders: Ints, order_id: int) -> int:
    """Where the hash has, or would have, the record of that order."""
    start = HEADER + orders[ROOM] * RECORD
    mask = 2 * orders[ROOM] - 1
    slot = _home(orders, order_id)
    while orders[start + slot] != 0 and orders[orders[start + slot] + ID] != order_id:
        slot = (slot + 1) & mask
    return start + slot


@compiled
def _forget(orders: Ints, order: int) -> None:
    """Take an order out of the hash, closing the gap, and free its record."""
    start = HEADER + orders[ROOM] * RECORD
    mask = 2 * orders[ROOM] - 1
    hole = _slot(orders, orders[order + ID]) - start
    look = (hole + 1) & mask
    while orders[start + look] != 0:
        home = _home(orders, orders[orders[start + look] + ID])
        if ((look - home) & mask) >= ((look - hole) & mask):
            orders[start + hole] = orders[start + look]
            hole = look
        look = (look + 1) & mask
    orders[start + hole] = 0
    orders[order + SIDE] = 0
    orders[order + NEXT] = orders[FREE]
    orders[FREE] = order


@compiled
def _touch(book: Ints, at: int) -> None:
    book[VERSION] += 1
    book[at + CHANGED] = book[VERSION]


@compiled
def _queue(book: Ints, orders: Ints, order: int) -> None:
    """Put an order at the back of its level."""
    of, ticks = orders[order + SIDE], orders[order + TICKS]
    at = level_to_write(book, of, ticks)
    first = book[at + QUEUE]
    if first == 0:
        book[at + QUEUE] = order
        orders[order + NEXT] = orders[order + BEFORE] = order
    else:
        last = orders[first + BEFORE]
        orders[last + NEXT] = orders[first + BEFORE] = order
        orders[order + NEXT], orders[order + BEFORE] = first, last
    orders[order + TAKEN] = 0
    orders[order + ARRIVAL] = orders[ARRIVALS]
    orders[ARRIVALS] += 1
    _touch(book, at)
    resize(book, of, ticks, at, book[at + SIZE] + orders[order + QTY])


@compiled
def _leave(book: Ints, orders: Ints, order: int) -> None:
    """Take an order out of its level."""
    of, ticks = orders[order + SIDE], orders[order + TICKS]
    at = level(book, of, ticks)
    after, before = orders[order + NEXT], orders[order + BEFORE]
    if after == order:
        book[at + QUEUE] = 0
    else:
        orders[before + NEXT], orders[after + BEFORE] = after, before
        if book[at + QUEUE] == order:
            book[at + QUEUE] = after
    book[at + USED] -= orders[order + TAKEN]
    _touch(book, at)
    resize(book, of, ticks, at, book[at + SIZE] - orders[order + QTY])


@compiled
def _shrink(book: Ints, orders: Ints, order: int, qty: int) -> None:
    """Another row for an order that keeps its place: a smaller size is fresh, the same size is nothing new."""
    of, ticks = orders[order + SIDE], orders[order + TICKS]
    at = level(book, of, ticks)
    _touch(book, at)
    if qty < orders[order + QTY]:
        book[at + USED] -= orders[order + TAKEN]
        orders[order + TAKEN] = 0
        resize(book, of, ticks, at, book[at + SIZE] - orders[order + QTY] + qty)
        orders[order + QTY] = qty


@compiled
def _clear_side(book: Ints, orders: Ints, of: int) -> None:
    for order in range(HEADER, HEADER + orders[MADE] * RECORD, RECORD):
        if orders[order + SIDE] == of:
            _forget(orders, order)
    clear(book, of)


@compiled
def has_room(book: Ints, orders: Ints) -> bool:
    """Whether any row fits: a page on each side and an order."""
    pages = book[PAGES]
    free = orders[FREE] != 0 or orders[MADE] < orders[ROOM]
    return free and book[BIDS + PAGES_USED] < pages and book[ASKS + PAGES_USED] < pages


@compiled
def apply_order(book: Ints, orders: Ints, action: int, side: int, px: int, qty: int, order_id: int) -> bool:
    """Apply one row. False, and nothing done, where there is no room, no whole tick, or a level would be too large.

    Another price or a larger size loses the place in the queue, a smaller one keeps it. An unknown id that is to be
    changed is added, one that is to be deleted is ignored.
    """
    if action == CLEAR:
        if side != ASK:
            _clear_side(book, orders, BIDS)
        if side != BID:
            _clear_side(book, orders, ASKS)
        return True
    slot = _slot(orders, order_id)
    order = orders[slot]
    if action == DELETE or qty <= 0:
        if order != 0:
            _leave(book, orders, order)
            _forget(orders, order)
        return True
    of = BIDS if side == BID else ASKS
    ticks = px // book[TICK]
    if ticks * book[TICK] != px:
        return False
    if order != 0 and orders[order + SIDE] == of and orders[order + TICKS] == ticks and qty <= orders[order + QTY]:
        _shrink(book, orders, order, qty)
        return True
    if not has_room(book, orders):
        return False
    at = level(book, of, ticks)
    if at != 0 and book[at + SIZE] > orders[SIZE_MAX] - qty:
        return False
    if order != 0:
        _leave(book, orders, order)
    elif orders[FREE] != 0:
        order = orders[FREE]
        orders[FREE] = orders[order + NEXT]
    else:
        order = HEADER + orders[MADE] * RECORD
        orders[MADE] += 1
    orders[slot] = order
    orders[order + ID] = order_id
    orders[order + SIDE] = of
    orders[order + TICKS] = ticks
    orders[order + QTY] = qty
    _queue(book, orders, order)
    return True


@compiled
def apply_orders(
    book: Ints,
    orders: Ints,
    action: Column,
    side: Column,
    price: Column,
    qty: Column,
    order_id: Column,
    start: int,
    stop: int,
) -> tuple[int, int, int]:
    """Apply rows [start, stop): the first row not applied, and the positions of the best bid and ask."""
    row = start
    while row < stop and apply_order(book, orders, action[row], side[row], price[row], qty[row], order_id[row]):
        row += 1
    return row, best(book, BIDS), best(book, ASKS)


@compiled
def scout_orders(
    book: Ints,
    orders: Ints,
    action: Column,
    side: Column,
    price: Column,
    qty: Column,
    order_id: Column,
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
    """Apply rows [start, stop) and write the top of the book after each message, as `scout_levels` does."""
    row = start
    while row < stop and apply_order(book, orders, action[row], side[row], price[row], qty[row], order_id[row]):
        if flags[row] & LAST:
            note_top(book, top)
        at = row - shift
        bid[at], ask[at], bid_size[at], ask_size[at] = top[0], top[1], top[2], top[3]
        row += 1
    return row


@compiled
def use_orders(book: Ints, orders: Ints, at: int, qty: int) -> int:
    """Take from a level, its oldest orders first; what was there of `qty`."""
    took = use(book, at, qty)
    left = took
    order = book[at + QUEUE]
    while left > 0:
        part = min(left, orders[order + QTY] - orders[order + TAKEN])
        orders[order + TAKEN] += part
        left -= part
        order = orders[order + NEXT]
    return took


@compiled
def ahead_of(book: Ints, orders: Ints, at: int, arrivals_before: int) -> int:
    """The sizes displayed at a level of the orders that were queued before that count of arrivals."""
    total = 0
    first = book[at + QUEUE]
    order = first
    while order != 0 and orders[order + ARRIVAL] < arrivals_before:
        total += orders[order + QTY]
        order = orders[order + NEXT]
        if order == first:
            break
    return total


@compiled
def copy_orders(orders: Ints, new: Ints) -> None:
    """Fill no orders, with more room, with all orders of another column; their records keep their positions."""
    new[MADE], new[FREE], new[ARRIVALS] = orders[MADE], orders[FREE], orders[ARRIVALS]
    for i in range(HEADER, HEADER + orders[MADE] * RECORD):
        new[i] = orders[i]
    for order in range(HEADER, HEADER + orders[MADE] * RECORD, RECORD):
        if new[order + SIDE] != 0:
            new[_slot(new, new[order + ID])] = order
