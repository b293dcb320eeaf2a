"""A venue over arrays: book deltas and trades in, the fills of our orders out, no Python object in between.

Resting limits fill as MAKER, at their own price: by what the book shows at or beyond them, and by trades, those at
their price after the queue. Arriving limits take level by level up to their price; the rest waits. A command is
executed exactly at its due time, after all rows up to it. The rules are those of the event engine's venue for an L2
book; orders are plain limits, good till canceled.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from libra_ray.matching.depth import (
    ASKS,
    BEST_TICKS,
    BIDS,
    CHANGED,
    SIGN,
    SIZE,
    TICK,
    Ints,
    available_at,
    best,
    level_to_write,
    next_level,
    price_at,
    sum_within,
    use,
)
from libra_ray.matching.forms import compiled, inlined
from libra_ray.matching.order_table import (
    AHEAD,
    AT,
    CANCEL,
    COMMANDS_MAX,
    CUM,
    DUE,
    ID,
    KIND,
    LEAVES,
    ORDER,
    ORDERS_MAX,
    PX,
    QTY,
    SEEN,
    SHOWN,
    SIDE,
    TRADED,
    drop_filled,
    drop_first,
    find,
    next_in_line,
    put_command,
)
from libra_ray.matching.queue import after_fall_prob_64, after_size_64, after_trade_64
from libra_ray.model.rules.fixed_point import div_half_even

__all__ = [
    "Column",
    "RowStream",
    "execute",
    "find_levels_again",
    "match_book",
    "note_fill",
    "on_message",
    "on_trade",
    "product",
    "requeue",
    "send",
    "take_within",
    "tidy",
    "total",
]

TRADE: Final = 0
"""The action of a trade's row among the actions of `BOOK_DELTAS`; its side is the aggressor's, 1 buyer, 2 seller."""
BUYER: Final = 1
SELLER: Final = 2
NEVER: Final = 2**62

# What happened so far.
ROW: Final = 0  # the next row
OPEN: Final = 1  # orders
COMMANDS: Final = 2  # on their way
NEXT_DUE: Final = 3
FILLS: Final = 4
POSITION: Final = 5
CASH: Final = 6  # -(price x quantity) of all fills, at the sum of both scales
FEES: Final = 7
ORDERS: Final = 8  # inserted so far, which gives the last id
UNKNOWN: Final = 9  # cancels that came too late
HIGHEST_BUY: Final = 10
LOWEST_SELL: Final = 11
STATE: Final = 12

# The rules of the venue.
QUEUE: Final = 0
QUEUE_NONE: Final = 0
QUEUE_FIFO: Final = 1
QUEUE_PROB: Final = 2
POWER: Final = 1
STEP: Final = 2
CONSUMES: Final = 3
MAKER_NUM: Final = 4  # of the fee rates, which share
TAKER_NUM: Final = 5
FEE_DEN: Final = 6
INSERT_NS: Final = 7
CANCEL_NS: Final = 8
RULES: Final = 9

# A fill.
FILL_TS: Final = 0
FILL_ID: Final = 1
FILL_SIDE: Final = 2
FILL_PX: Final = 3
FILL_QTY: Final = 4
FILL_MAKER: Final = 5
FILL_FEE: Final = 6
FILL: Final = 7

INT64_MAX: Final = 2**63 - 1
div_half_even_64 = compiled(div_half_even)


Column = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RowStream:
    """Rows of one instrument in the order of replay: book deltas, and trades with the action `TRADE`.

    Times never decrease; `flags` ends a message of the book with `LAST`. A trade's side is its aggressor's.
    """

    ts_ns: Column
    action: Column
    side: Column
    price: Column
    qty: Column
    flags: Column

    def __len__(self) -> int:
        return len(self.ts_ns)

    @property
    def columns(self) -> tuple[Column, Column, Column, Column, Column, Column]:
        """All of them, in the order of the compiled loop."""
        return self.ts_ns, self.action, self.side, self.price, self.qty, self.flags

    def head(self, rows: int) -> "RowStream":
        """The first rows, without a copy."""
        return RowStream(*(column[:rows] for column in self.columns))


@inlined
def product(a: int, b: int) -> int:
    """Multiply. Raises `OverflowError` where the product has no 63 bits, instead of giving another number."""
    if a != 0 and abs(b) > INT64_MAX // abs(a):
        raise OverflowError("a product is larger than 64 bits")
    return a * b


@inlined
def total(a: int, b: int) -> int:
    """Add. Raises `OverflowError` where the sum has no 63 bits."""
    if (b > 0 and a > INT64_MAX - b) or (b < 0 and a < -INT64_MAX - b):
        raise OverflowError("a sum is larger than 64 bits")
    return a + b


@compiled
def note_fill(
    state: Ints, rules: Ints, fills: Ints, ts_ns: int, order: Ints, at: int, px: int, qty: int, is_maker: int
) -> None:
    """Write a fill of the order at `at`, and book it."""
    side = order[at + SIDE]
    value = product(px, qty)
    rate = rules[MAKER_NUM] if is_maker else rules[TAKER_NUM]
    fee = div_half_even_64(product(value, rate), rules[FEE_DEN])
    to = state[FILLS] * FILL
    fills[to + FILL_TS], fills[to + FILL_ID], fills[to + FILL_SIDE] = ts_ns, order[at + ID], side
    fills[to + FILL_PX], fills[to + FILL_QTY], fills[to + FILL_MAKER], fills[to + FILL_FEE] = px, qty, is_maker, fee
    state[FILLS] += 1
    state[POSITION] = total(state[POSITION], side * qty)
    state[CASH] = total(state[CASH], -side * value)
    state[FEES] = total(state[FEES], fee)
    order[at + LEAVES] -= qty
    order[at + CUM] += qty


@compiled
def tidy(state: Ints, orders: Ints) -> None:
    """Drop the orders that are done, and find again the prices that the market must reach to touch one."""
    state[OPEN] = drop_filled(orders, state[OPEN])
    state[HIGHEST_BUY], state[LOWEST_SELL] = -NEVER, NEVER
    for at in range(0, state[OPEN] * ORDER, ORDER):
        if orders[at + SIDE] > 0:
            state[HIGHEST_BUY] = max(state[HIGHEST_BUY], orders[at + PX])
        else:
            state[LOWEST_SELL] = min(state[LOWEST_SELL], orders[at + PX])


@compiled
def take_within(book: Ints, side: int, limit: int, qty: int) -> None:
    """Use `qty` of the levels of a side, best first, up to a limit that holds as much."""
    at, left = best(book, side), qty
    while at != 0 and left > 0 and (price_at(book, side, at) - limit) * book[side + SIGN] >= 0:
        left -= use(book, at, left)
        at = next_level(book, side, at)


@compiled
def match_book(book: Ints, orders: Ints, state: Ints, rules: Ints, fills: Ints, ts_ns: int, side: int) -> None:
    """Fill the resting orders of a side that the opposite side touches or crosses; whatever stood ahead is gone."""
    opposite = ASKS if side > 0 else BIDS
    consumes = rules[CONSUMES] != 0
    at = next_in_line(orders, state[OPEN], side, -1)
    while at >= 0:
        px, leaves = orders[at + PX], orders[at + LEAVES]
        top = best(book, opposite)
        if top == 0 or (px - price_at(book, opposite, top)) * side < 0:
            break
        orders[at + AHEAD] = 0
        qty = min(sum_within(book, opposite, True, px, leaves, consumes), leaves)  # noqa: FBT003
        if qty > 0:
            if consumes:
                take_within(book, opposite, px, qty)
            note_fill(state, rules, fills, ts_ns, orders, at, px, qty, 1)
        at = next_in_line(orders, state[OPEN], side, at)


@compiled
def requeue(book: Ints, orders: Ints, state: Ints, rules: Ints) -> None:
    """Hear what the book shows now at the prices of our orders."""
    is_prob = rules[QUEUE] == QUEUE_PROB
    for at in range(0, state[OPEN] * ORDER, ORDER):
        level = orders[at + AT]
        if book[level + CHANGED] == orders[at + SEEN]:
            continue
        ahead, size = orders[at + AHEAD], book[level + SIZE]
        if is_prob:
            ahead = after_fall_prob_64(ahead, orders[at + SHOWN], size, orders[at + TRADED], rules[POWER], rules[STEP])
        else:
            ahead = after_size_64(ahead, size)
        orders[at + AHEAD], orders[at + SHOWN] = ahead, size
        orders[at + SEEN], orders[at + TRADED] = book[level + CHANGED], 0


@compiled
def on_message(book: Ints, orders: Ints, state: Ints, rules: Ints, fills: Ints, ts_ns: int) -> None:
    """The book has changed: match, then look at the queues."""
    before = state[FILLS]
    for side in (1, -1):
        opposite = ASKS if side > 0 else BIDS
        ours = state[HIGHEST_BUY] if side > 0 else state[LOWEST_SELL]
        if best(book, opposite) != 0 and (ours - book[opposite + BEST_TICKS] * book[TICK]) * side >= 0:
            match_book(book, orders, state, rules, fills, ts_ns, side)
    if state[FILLS] != before:
        tidy(state, orders)
    if rules[QUEUE] != QUEUE_NONE:
        requeue(book, orders, state, rules)


@compiled
def on_trade(
    orders: Ints, state: Ints, rules: Ints, fills: Ints, ts_ns: int, aggressor: int, px: int, volume: int
) -> None:
    """A trade: limits better than its price fill whole, those at its price share its volume after their queues."""
    before, left = state[FILLS], volume
    for side in (1, -1):
        reaches = aggressor != (BUYER if side > 0 else SELLER)
        at = next_in_line(orders, state[OPEN], side, -1)
        while at >= 0 and (orders[at + PX] - px) * side >= 0:
            if orders[at + PX] != px:
                note_fill(state, rules, fills, ts_ns, orders, at, orders[at + PX], orders[at + LEAVES], 1)
            elif reaches:
                mine, ahead = after_trade_64(orders[at + AHEAD], left)
                qty = min(mine, orders[at + LEAVES])
                orders[at + AHEAD] = ahead
                orders[at + TRADED] += volume
                left -= qty
                if qty > 0:
                    note_fill(state, rules, fills, ts_ns, orders, at, px, qty, 1)
            at = next_in_line(orders, state[OPEN], side, at)
    if state[FILLS] != before:
        tidy(state, orders)


@compiled
def send(
    state: Ints, rules: Ints, commands: Ints, now_ns: int, kind: int, order_id: int, side: int, px: int, qty: int
) -> None:
    """Give birth to a command, due after its latency."""
    if state[COMMANDS] == COMMANDS_MAX:
        raise OverflowError("too many commands on their way")
    delay_ns = rules[CANCEL_NS] if kind == CANCEL else rules[INSERT_NS]
    put_command(commands, state[COMMANDS], now_ns + delay_ns, kind, order_id, side, px, qty)
    state[COMMANDS] += 1
    state[NEXT_DUE] = commands[DUE]


@compiled
def execute(book: Ints, orders: Ints, commands: Ints, state: Ints, rules: Ints, fills: Ints) -> None:
    """Execute the command that is due, with the book as it stands."""
    if commands[KIND] == CANCEL:
        at = find(orders, state[OPEN], commands[ID])
        if at < 0:
            state[UNKNOWN] += 1
        else:
            orders[at + LEAVES] = 0
            tidy(state, orders)
    else:
        _insert(book, orders, commands, state, rules, fills)
    drop_first(commands, state[COMMANDS])
    state[COMMANDS] -= 1
    state[NEXT_DUE] = commands[DUE] if state[COMMANDS] > 0 else NEVER


@compiled
def _insert(book: Ints, orders: Ints, commands: Ints, state: Ints, rules: Ints, fills: Ints) -> None:
    """A limit arrives: it takes what its price allows, a fill a level, and the rest waits behind what is displayed."""
    if state[OPEN] == ORDERS_MAX:
        raise OverflowError("too many open orders")
    new, side, px, consumes = state[OPEN] * ORDER, commands[SIDE], commands[PX], rules[CONSUMES] != 0
    orders[new + ID], orders[new + SIDE], orders[new + PX] = commands[ID], side, px
    orders[new + LEAVES], orders[new + CUM] = commands[QTY], 0
    opposite, own = (ASKS, BIDS) if side > 0 else (BIDS, ASKS)
    at = best(book, opposite)
    while at != 0 and orders[new + LEAVES] > 0 and (px - price_at(book, opposite, at)) * side >= 0:
        qty = min(available_at(book, at, consumes), orders[new + LEAVES])
        if qty > 0:
            if consumes:
                use(book, at, qty)
            note_fill(state, rules, fills, commands[DUE], orders, new, price_at(book, opposite, at), qty, 0)
        at = next_level(book, opposite, at)
    level = level_to_write(book, own, px // book[TICK])
    orders[new + AT], orders[new + SEEN], orders[new + SHOWN] = level, book[level + CHANGED], book[level + SIZE]
    orders[new + AHEAD] = book[level + SIZE] if rules[QUEUE] != QUEUE_NONE else 0
    orders[new + TRADED] = 0
    state[OPEN] += 1
    tidy(state, orders)


@compiled
def find_levels_again(book: Ints, orders: Ints, state: Ints) -> None:
    """Every open order's level has another place after the book was exchanged for one with more room."""
    for at in range(0, state[OPEN] * ORDER, ORDER):
        own = BIDS if orders[at + SIDE] > 0 else ASKS
        orders[at + AT] = level_to_write(book, own, orders[at + PX] // book[TICK])
