"""A market maker that runs inside the compiled venue: a bid and an ask around the middle, exchanged at each interval.

It cancels what is left of its two orders, then quotes anew: `half_spread_ticks` from the middle of the best prices,
rounded outward, on each side where the position may still grow. Its figures are a column of integers.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from libra_ray.matching import depth
from libra_ray.matching.depth import ASKS, BEST_TICKS, BIDS, LIVE, PAGES, PAGES_USED, TICK, Ints, best
from libra_ray.matching.depth_by_price import LAST, apply_level
from libra_ray.matching.forms import compiled
from libra_ray.matching.order_table import CANCEL, COMMAND, COMMANDS_MAX, ID, INSERT, KIND, ORDER, ORDERS_MAX, find
from libra_ray.matching.replay import (
    CANCEL_NS,
    CASH,
    COMMANDS,
    CONSUMES,
    FEE_DEN,
    FEES,
    FILL,
    FILLS,
    HIGHEST_BUY,
    INSERT_NS,
    LOWEST_SELL,
    MAKER_NUM,
    NEVER,
    NEXT_DUE,
    OPEN,
    ORDERS,
    POSITION,
    POWER,
    QUEUE,
    QUEUE_FIFO,
    QUEUE_NONE,
    QUEUE_PROB,
    ROW,
    RULES,
    STATE,
    STEP,
    TAKER_NUM,
    TRADE,
    UNKNOWN,
    Column,
    RowStream,
    execute,
    find_levels_again,
    on_message,
    on_trade,
    send,
)

__all__ = ["Quoting", "QuotingResult", "replay_quoting"]

NEXT_TIMER: Final = 0
INTERVAL_NS: Final = 1
HALF_SPREAD: Final = 2
QUANTITY: Final = 3
POSITION_MAX: Final = 4
BID_ID: Final = 5
ASK_ID: Final = 6
MAKER: Final = 7

# What ended a stretch of rows.
PASSED: Final = 0
SHOWN: Final = 1
TRADED: Final = 2
REFUSED: Final = 3
# What ended a run.
DONE: Final = 0
NEEDS_PAGES: Final = 1
NEEDS_FILLS: Final = 2

QUEUES: Final = {"none": QUEUE_NONE, "fifo": QUEUE_FIFO, "prob": QUEUE_PROB}
POWER_MAX: Final = 8
FIRST_PAGES: Final = 256
FIRST_FILLS: Final = 16_384


@dataclass(frozen=True)
class Quoting:
    """What is quoted, and the venue it is quoted at. Fee rates are `num / fee_den` of raw price x raw quantity."""

    tick: int
    quantity: int
    half_spread_ticks: int
    position_max: int
    interval_ns: int = 100_000_000
    insert_ns: int = 1_000_000
    cancel_ns: int = 1_000_000
    queue: Literal["none", "fifo", "prob"] = "none"
    queue_power: int = 3
    size_step: int = 1
    consumes: bool = True
    maker_num: int = 0
    taker_num: int = 0
    fee_den: int = 1

    def __post_init__(self) -> None:
        at_least = {"tick": 1, "quantity": 1, "half_spread_ticks": 0, "interval_ns": 1, "insert_ns": 0, "cancel_ns": 0}
        for name, least in (at_least | {"queue_power": 1, "size_step": 1, "fee_den": 1}).items():
            if getattr(self, name) < least:
                raise ValueError(f"{name}={getattr(self, name)} must be at least {least}")
        slowest_ns = max(self.insert_ns, self.cancel_ns)
        if 2 * (slowest_ns // self.interval_ns + 2) > ORDERS_MAX:
            raise ValueError(f"interval_ns={self.interval_ns} is too short for a latency of {slowest_ns}")
        if self.queue_power > POWER_MAX:
            raise ValueError(f"queue_power={self.queue_power} must be at most {POWER_MAX}")

    def rules(self) -> Ints:
        """The venue's column."""
        column = np.zeros(RULES, np.int64)
        column[QUEUE], column[POWER], column[STEP] = QUEUES[self.queue], self.queue_power, self.size_step
        column[MAKER_NUM], column[TAKER_NUM], column[FEE_DEN] = self.maker_num, self.taker_num, self.fee_den
        column[INSERT_NS], column[CANCEL_NS], column[CONSUMES] = self.insert_ns, self.cancel_ns, self.consumes
        return column

    def figures(self) -> Ints:
        """The market maker's column."""
        column = np.zeros(MAKER, np.int64)
        column[INTERVAL_NS], column[HALF_SPREAD] = self.interval_ns, self.half_spread_ticks
        column[QUANTITY], column[POSITION_MAX] = self.quantity, self.position_max
        return column


@dataclass(frozen=True)
class QuotingResult:
    """The fills, one array a column, and what they add up to.

    `cash` is -(price x quantity) summed, at the sum of both scales, as are `fees` before they are deducted.
    """

    ts_ns: Column
    order_id: Column
    side: Column
    px: Column
    qty: Column
    is_maker: Column
    fee: Column
    position: int
    cash: int
    fees: int
    orders: int
    late_cancels: int
    bid: int | None
    ask: int | None


@compiled
def _is_on_its_way(commands: Ints, state: Ints, order_id: int) -> bool:
    for at in range(0, state[COMMANDS] * COMMAND, COMMAND):
        if commands[at + ID] == order_id and commands[at + KIND] == INSERT:
            return True
    return False


@compiled
def quote(book: Ints, orders: Ints, commands: Ints, state: Ints, rules: Ints, maker: Ints) -> None:
    """Cancel both orders and send new ones. Nothing is quoted while a side of the book is empty.

    An order that has not arrived yet stays as it is: a cancel could overtake it.
    """
    now_ns = maker[NEXT_TIMER]
    for which in (BID_ID, ASK_ID):
        if find(orders, state[OPEN], maker[which]) >= 0:
            send(state, rules, commands, now_ns, CANCEL, maker[which], 0, 0, 0)
            maker[which] = 0
        elif not _is_on_its_way(commands, state, maker[which]):
            maker[which] = 0
    if best(book, BIDS) == 0 or best(book, ASKS) == 0:
        return
    twice_middle, tick = book[BIDS + BEST_TICKS] + book[ASKS + BEST_TICKS], book[TICK]
    quantity = maker[QUANTITY]
    for side, which in ((1, BID_ID), (-1, ASK_ID)):
        if maker[which] == 0 and side * state[POSITION] + quantity <= maker[POSITION_MAX]:
            ticks = side * ((side * twice_middle) // 2 - maker[HALF_SPREAD])
            state[ORDERS] += 1
            maker[which] = state[ORDERS]
            send(state, rules, commands, now_ns, INSERT, state[ORDERS], side, ticks * tick, quantity)


@compiled
def read_rows(
    ts_ns: Column,
    action: Column,
    side: Column,
    price: Column,
    qty: Column,
    flags: Column,
    book: Ints,
    row: int,
    until_ns: int,
    highest_buy: int,
    lowest_sell: int,
) -> tuple[int, int]:
    """Apply rows up to a time, or until one concerns our orders: (the next row, what ended it).

    A message of the book concerns them when there is one (`highest_buy` or `lowest_sell` is a price), a trade when it
    reaches one. A loop of its own, since a larger one leaves the compiler too few registers.
    """
    rows, is_open = len(ts_ns), highest_buy > -NEVER or lowest_sell < NEVER
    while row < rows and ts_ns[row] <= until_ns:
        if action[row] == TRADE:
            row += 1
            if price[row - 1] <= highest_buy or price[row - 1] >= lowest_sell:
                return row, TRADED
        elif apply_level(book, action[row], side[row], price[row], qty[row]):
            row += 1
            if is_open and flags[row - 1] & LAST:
                return row, SHOWN
        else:
            return row, REFUSED
    return row, PASSED


@compiled
def run(
    ts_ns: Column,
    action: Column,
    side: Column,
    price: Column,
    qty: Column,
    flags: Column,
    book: Ints,
    orders: Ints,
    commands: Ints,
    fills: Ints,
    state: Ints,
    rules: Ints,
    maker: Ints,
) -> int:
    """Go on from where `state` stands. At one time: rows, then commands that are due, then the timer.

    Gives DONE, or what the caller must provide more room for before it calls again.
    """
    rows = len(ts_ns)
    end_ns = ts_ns[rows - 1] if rows > 0 else -NEVER
    while True:
        if (state[FILLS] + book[BIDS + LIVE] + book[ASKS + LIVE] + ORDERS_MAX) * FILL > len(fills):
            return NEEDS_FILLS
        if book[BIDS + PAGES_USED] >= book[PAGES] or book[ASKS + PAGES_USED] >= book[PAGES]:
            return NEEDS_PAGES
        until_ns = min(state[NEXT_DUE], maker[NEXT_TIMER])
        row, what = read_rows(
            ts_ns, action, side, price, qty, flags, book, state[ROW], until_ns, state[HIGHEST_BUY], state[LOWEST_SELL]
        )
        state[ROW] = row
        if what == REFUSED:
            return NEEDS_PAGES
        if what == SHOWN:
            on_message(book, orders, state, rules, fills, ts_ns[row - 1])
        elif what == TRADED:
            on_trade(orders, state, rules, fills, ts_ns[row - 1], side[row - 1], price[row - 1], qty[row - 1])
        elif until_ns > end_ns:
            return DONE
        elif state[NEXT_DUE] <= maker[NEXT_TIMER]:
            execute(book, orders, commands, state, rules, fills)
        else:
            quote(book, orders, commands, state, rules, maker)
            maker[NEXT_TIMER] += maker[INTERVAL_NS]


def replay_quoting(rows: RowStream, quoting: Quoting) -> QuotingResult:
    """Run the market maker over all rows, in order; the first timer is one interval after the first row.

    Raises `ValueError` for times that decrease or a price that is no whole tick, `OverflowError` where money does not
    fit 64 bits.
    """
    if (np.diff(rows.ts_ns) < 0).any():
        raise ValueError("the rows are not in order of time")
    rules, maker = quoting.rules(), quoting.figures()
    maker[NEXT_TIMER] = rows.ts_ns[0] + quoting.interval_ns if len(rows) else NEVER
    state = np.zeros(STATE, np.int64)
    state[NEXT_DUE], state[HIGHEST_BUY], state[LOWEST_SELL] = NEVER, -NEVER, NEVER
    orders, commands = np.zeros(ORDERS_MAX * ORDER, np.int64), np.zeros(COMMANDS_MAX * COMMAND, np.int64)
    book = depth.column(*depth.header(quoting.tick, FIRST_PAGES))
    fills = np.zeros(FIRST_FILLS * FILL, np.int64)
    while True:
        status = run(*rows.columns, book, orders, commands, fills, state, rules, maker)
        if status == DONE:
            return _result(fills, state, book)
        if status == NEEDS_FILLS:
            fills = np.concatenate([fills, np.zeros_like(fills)])
        elif depth.is_full(book):
            larger = depth.column(*depth.header(quoting.tick, depth.pages_of_next(book)))
            depth.copy_levels(book, larger)
            book = larger
            find_levels_again(book, orders, state)
        else:
            raise ValueError(f"the price {rows.price[state[ROW]]} is no multiple of the tick {quoting.tick}")


def _result(fills: Ints, state: Ints, book: Ints) -> QuotingResult:
    table = np.asarray(fills)[: state[FILLS] * FILL].reshape(-1, FILL).T.copy()
    tops = [int(book[side + BEST_TICKS] * book[TICK]) if best(book, side) else None for side in (BIDS, ASKS)]
    totals = (int(state[field]) for field in (POSITION, CASH, FEES, ORDERS, UNKNOWN))
    return QuotingResult(*table, *totals, *tops)
