"""A market made of single orders, in compiled code: what comes in, what the book and the tape show of it.

Orders lie in columns by their number, chained at their price in order of arrival. A side never becomes empty: what
would empty it, or fill it without end, is turned into its opposite.
"""

from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

from libra_ray.data.arrow_arrays import Int64s

Rows: TypeAlias = npt.NDArray[np.int64]

__all__ = ["CANCEL", "LEVELS", "LIMIT", "MARKET", "Flow", "play"]

LIMIT, MARKET, CANCEL = 0, 1, 2
"""What an event does; its type is twice this, plus 1 for the ask side (a market order: for the seller)."""
LEVELS: Final = 8_192
"""Prices of the book, centred on the first; orders stay within."""
FIRST_LEVELS: Final = 10
FIRST_SIZE: Final = 10
SIDE_MIN: Final = 8
SIDE_MAX: Final = 40
ADD, UPDATE, DELETE = 1, 2, 3
PRICE, SIZE, PLACE, AFTER, BEFORE = range(5)
HEAD, TAIL, TOTAL = range(3)
DELTA_COLUMNS: Final = 7
TRADE_COLUMNS: Final = 4
QUOTE_COLUMNS: Final = 5
DELTAS_PER_EVENT: Final = 3


class Flow(NamedTuple):
    """What a played flow shows, as rows of integers; prices in ticks from the lowest level, sizes in steps.

    Attributes:
        by_order: event, action, side (1 bid, 2 ask), price, size, order, flags.
        by_price: the same with the level's new total as the size and 0 as the order.
        trades: event, price, size, aggressor (1 buyer, 2 seller); one row per resting order.
        quotes: event, bid, ask, bid size, ask size; one row per event after which one of them is another.
    """

    by_order: Rows
    by_price: Rows
    trades: Rows
    quotes: Rows


def play(types: Int64s, distances: Int64s, sizes: Int64s, picks: Int64s) -> Flow:
    """Play events one after the other on a book of `FIRST_LEVELS` levels a side; event -1 is that book.

    Args:
        types: what each event does, and on which side.
        distances: of limit orders, in ticks behind the best price that does not cross.
        sizes: of orders, in steps, from 1.
        picks: any numbers from 0 on; they choose which order is canceled.

    O(events + orders filled), about 150 ns an event.
    """
    capacity = DELTAS_PER_EVENT * len(types) + 4 * FIRST_LEVELS
    while True:
        by_order = np.empty((capacity, DELTA_COLUMNS), np.int64)
        by_price = np.empty((capacity, DELTA_COLUMNS), np.int64)
        trades = np.empty((capacity, TRADE_COLUMNS), np.int64)
        quotes = np.empty((len(types) + 2, QUOTE_COLUMNS), np.int64)
        counts = _play(types, distances, sizes, picks, by_order, by_price, trades, quotes)
        if counts[0] >= 0:
            kept = [rows[:count] for rows, count in zip((by_order, by_price, trades, quotes), counts, strict=True)]
            return Flow(*kept)
        capacity *= 2


@njit(cache=True)
def _play(  # type: ignore[no-untyped-def]  # noqa: ANN202
    types: Int64s,
    distances: Int64s,
    sizes: Int64s,
    picks: Int64s,
    by_order: Rows,
    by_price: Rows,
    trades: Rows,
    quotes: Rows,
):
    """How many rows were written to each; -1 first where there was no room for more."""
    orders = np.zeros((len(types) + 2 * FIRST_LEVELS + 1, 5), np.int64)
    levels = np.zeros((LEVELS, 3), np.int64)
    living = np.zeros((2, SIDE_MAX + 1), np.int64)
    alive = np.zeros(2, np.int64)
    best = np.array([LEVELS // 2 - 1, LEVELS // 2])
    book = (orders, levels, living, alive, best)
    born, row, level_row, trade_row, quote_row = 0, 0, 0, 0, 0
    for depth in range(FIRST_LEVELS):
        for side in range(2):
            born += 1
            at, size = best[side] + (2 * side - 1) * depth, FIRST_SIZE * (depth + 1)
            _put(book, born, side, at, size)
            by_order[row] = (-1, ADD, side + 1, at, size, born, 0)
            by_price[row] = (-1, ADD, side + 1, at, size, 0, 0)
            row += 1
    level_row = row
    by_order[row - 1, 6] = by_price[row - 1, 6] = 1
    quote_row = _show(book, -1, quotes, quote_row)

    for event in range(len(types)):
        if row + SIDE_MAX >= len(by_order):
            return -1, 0, 0, 0
        what, side = types[event] // 2, types[event] % 2
        if what == MARKET:
            side = 1 - side  # a buyer takes what lies on the ask side
            left = sizes[event]
            while left > 0 and alive[side] > SIDE_MIN:
                at = best[side]
                order = levels[at, HEAD]
                part = min(left, orders[order, SIZE])
                left -= part
                trades[trade_row] = (event, at, part, 2 - side)
                trade_row += 1
                rest = orders[order, SIZE] - part
                orders[order, SIZE] = rest
                levels[at, TOTAL] -= part
                by_order[row] = (event, UPDATE if rest else DELETE, side + 1, at, rest, order, 0)
                row += 1
                if rest == 0:
                    _take_away(book, order, side)
                total = levels[at, TOTAL]
                if total == 0 or left == 0 or alive[side] <= SIDE_MIN:
                    by_price[level_row] = (event, UPDATE if total else DELETE, side + 1, at, total, 0, 0)
                    level_row += 1
        elif (what == LIMIT and alive[side] < SIDE_MAX) or alive[side] <= SIDE_MIN:
            born += 1
            at = best[1 - side] + (2 * side - 1) * (1 + distances[event])
            at = min(max(at, 0), LEVELS - 1)
            action = UPDATE if levels[at, TOTAL] else ADD
            _put(book, born, side, at, sizes[event])
            by_order[row] = (event, ADD, side + 1, at, sizes[event], born, 0)
            by_price[level_row] = (event, action, side + 1, at, levels[at, TOTAL], 0, 0)
            row, level_row = row + 1, level_row + 1
        else:
            order = living[side, picks[event] % alive[side]]
            at = orders[order, PRICE]
            levels[at, TOTAL] -= orders[order, SIZE]
            _take_away(book, order, side)
            total = levels[at, TOTAL]
            by_order[row] = (event, DELETE, side + 1, at, 0, order, 0)
            by_price[level_row] = (event, UPDATE if total else DELETE, side + 1, at, total, 0, 0)
            row, level_row = row + 1, level_row + 1
        if by_order[row - 1, 0] == event:
            by_order[row - 1, 6] = by_price[level_row - 1, 6] = 1
            quote_row = _show(book, event, quotes, quote_row)
    return row, level_row, trade_row, quote_row


@njit(cache=True)
def _put(book, order: int, side: int, at: int, size: int) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Put an order at the end of the queue at its price."""
    orders, levels, living, alive, best = book
    last = levels[at, TAIL]
    orders[order] = (at, size, alive[side], 0, last)
    if last:
        orders[last, AFTER] = order
    else:
        levels[at, HEAD] = order
    levels[at, TAIL] = order
    levels[at, TOTAL] += size
    living[side, alive[side]] = order
    alive[side] += 1
    best[side] = max(best[side], at) if side == 0 else min(best[side], at)


@njit(cache=True)
def _take_away(book, order: int, side: int) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Take an order out of its queue, wherever it stands, when the level's total no longer holds it."""
    orders, levels, living, alive, best = book
    at, before, after = orders[order, PRICE], orders[order, BEFORE], orders[order, AFTER]
    if before:
        orders[before, AFTER] = after
    else:
        levels[at, HEAD] = after
    if after:
        orders[after, BEFORE] = before
    else:
        levels[at, TAIL] = before
    alive[side] -= 1
    moved = living[side, alive[side]]
    living[side, orders[order, PLACE]] = moved
    orders[moved, PLACE] = orders[order, PLACE]
    while levels[best[side], TOTAL] == 0:
        best[side] += 2 * side - 1


@njit(cache=True)
def _show(book, event: int, quotes: Rows, row: int) -> int:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Write the best prices and sizes where one of them is another than in the row before; the next free row."""
    _, levels, _, _, best = book
    bid, ask = best[0], best[1]
    quotes[row] = (event, bid, ask, levels[bid, TOTAL], levels[ask, TOTAL])
    if row:
        last = quotes[row - 1]
        if last[1] == bid and last[2] == ask and last[3] == quotes[row, 3] and last[4] == quotes[row, 4]:
            return row
    return row + 1
