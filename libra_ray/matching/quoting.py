"""A market maker that runs inside the compiled venue: a bid and an ask around the middle, exchanged at each interval.

It cancels what is left of its two orders, then quotes anew: `half_spread_ticks` from the middle of the best prices,
rounded outward, on each side where the position may still grow. Its figures are a column of integers.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from libra_ray.matching import depth
from libra_ray.matching.depth import ASKS, BEST_TICKS, BIDS, LIVE, PAGES, PAGES_USED, TICK, Ints, best
from libra_ray.matching.depth_by_price import LAST, apply_level
from libra_ray.matching.forms import compiled
from libra_ray.matching.order_table import (
    CANCEL,
    COMMAND,
    COMMANDS_MAX,
    ID,
    INSERT,
    ORDER,
    ORDERS_MAX,
    find,
)
from libra_ray.matching.replay import (
    CASH,
    COMMANDS,
    FEES,
    FILL,
    FILLS,
    NEVER,
    NEXT_DUE,
    OPEN,
    ORDERS,
    POSITION,
    ROW,
    RULES,
    STATE,
    TRADE,
    UNKNOWN,
    execute,
    find_levels_again,
    on_message,
    on_trade,
    send,
)

__all__ = ["Quoting", "QuotingResult", "RowStream", "replay_quoting"]

Column = npt.NDArray[np.int64]

NEXT_TIMER: Final = 0
INTERVAL_NS: Final = 1
HALF_SPREAD: Final = 2
QUANTITY: Final = 3
POSITION_MAX: Final = 4
BID_ID: Final = 5
ASK_ID: Final = 6
MAKER: Final = 7

DONE: Final = 0
NEEDS_PAGES: Final = 1
NEEDS_FILLS: Final = 2

QUEUES: Final = {"none": 0, "fifo": 1, "prob": 2}


@dataclass(frozen=True)
class RowStream:
    """Rows of one instrument in the order of replay: book deltas, and trades with the action `TRADE`.

    Each column is int64; times never decrease; `flags` ends a message of the book with `LAST`. A trade's side is its
    aggressor's.
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


@dataclass(frozen=True)
class Quoting:
    """What is quoted, and where: prices and sizes are raw integers, fee rates are `num / fee_den` of price x quantity."""

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
        if self.queue_power > POWER_MAX:
            raise ValueError(f"queue_power={self.queue_power} must be at most {POWER_MAX}")


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
def _is_alive(orders: Ints, commands: Ints, state: Ints, order_id: int) -> bool:
    """Whether an order is open, or on its way."""
    if find(orders, state[OPEN], order_id) >= 0:
        return True
    for at in range(0, state[COMMANDS] * COMMAND, COMMAND):
        if commands[at + ID] == order_id and commands[at + KIND] == INSERT:
            return True
    return False


@compiled
def quote(book: Ints, orders: Ints, commands: Ints, state: Ints, rules: Ints, maker: Ints) -> None:
    """Cancel both orders and send new ones. Nothing is quoted while a side of the book is empty."""
    now_ns = maker[NEXT_TIMER]
    for which in (BID_ID, ASK_ID):
        if maker[which] != 0 and _is_alive(orders, commands, state, maker[which]):
            send(state, rules, commands, now_ns, CANCEL, maker[which], 0, 0, 0)
        maker[which] = 0
    if best(book, BIDS) == 0 or best(book, ASKS) == 0:
        return
    twice_middle, tick = book[BIDS + BEST_TICKS] + book[ASKS + BEST_TICKS], book[TICK]
    quantity = maker[QUANTITY]
    for side, which in ((1, BID_ID), (-1, ASK_ID)):
        if side * state[POSITION] + quantity <= maker[POSITION_MAX]:
            ticks = side * ((side * twice_middle) // 2 - maker[HALF_SPREAD])
            state[ORDERS] += 1
            maker[which] = state[ORDERS]
            send(state, rules, commands, now_ns, INSERT, state[ORDERS], side, ticks * tick, quantity)


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
        fills_safe = len(fills) // FILL - ORDERS_MAX
        until_ns = min(state[NEXT_DUE], maker[NEXT_TIMER])
        row = state[ROW]
        while row < rows and ts_ns[row] <= until_ns and state[FILLS] <= fills_safe:
            if action[row] == TRADE:
                if state[OPEN] > 0:
                    on_trade(orders, state, rules, fills, ts_ns[row], side[row], price[row], qty[row])
            elif not apply_level(book, action[row], side[row], price[row], qty[row]):
                state[ROW] = row
                return NEEDS_PAGES
            elif flags[row] & LAST and state[OPEN] > 0:
                on_message(book, orders, state, rules, fills, ts_ns[row])
            row += 1
        state[ROW] = row
        if state[FILLS] + book[BIDS + LIVE] + book[ASKS + LIVE] > fills_safe:
            return NEEDS_FILLS
        if book[BIDS + PAGES_USED] >= book[PAGES] or book[ASKS + PAGES_USED] >= book[PAGES]:
            return NEEDS_PAGES
        if until_ns > end_ns:
            return DONE
        if state[NEXT_DUE] <= maker[NEXT_TIMER]:
            execute(book, orders, commands, state, rules, fills)
        else:
            quote(book, orders, commands, state, rules, maker)
            maker[NEXT_TIMER] += maker[INTERVAL_NS]


def replay_quoting(rows: RowStream, quoting: Quoting) -> QuotingResult:
    """Run the market maker over all rows, in order; the first timer is one interval after the first row.

    Raises `ValueError` for times that decrease or a price that is no whole tick, `OverflowError` where money does not
    fit 64 bits.
    """
    ts_ns = rows.ts_ns
    if len(ts_ns) and (np.diff(ts_ns) < 0).any():
        raise ValueError("the rows are not in order of time")
    rules = np.array([
        QUEUES[quoting.queue], quoting.queue_power, quoting.size_step, quoting.consumes,
        quoting.maker_num, quoting.taker_num, quoting.fee_den, quoting.insert_ns, quoting.cancel_ns,
    ], np.int64)
    maker = np.zeros(MAKER, np.int64)
    maker[NEXT_TIMER] = ts_ns[0] + quoting.interval_ns if len(ts_ns) else NEVER
    maker[INTERVAL_NS], maker[HALF_SPREAD] = quoting.interval_ns, quoting.half_spread_ticks
    maker[QUANTITY], maker[POSITION_MAX] = quoting.quantity, quoting.position_max
    state = np.zeros(STATE, np.int64)
    state[NEXT_DUE], state[HIGHEST_BUY], state[LOWEST_SELL] = NEVER, -NEVER, NEVER
    orders, commands = np.zeros(ORDERS_MAX * ORDER, np.int64), np.zeros(COMMANDS_MAX * COMMAND, np.int64)
    book, fills = empty_book(quoting.tick, FIRST_PAGES), np.zeros(FIRST_FILLS * FILL, np.int64)
    while True:
        status = run(*rows.columns, book, orders, commands, fills, state, rules, maker)
        if status == DONE:
            break
        if status == NEEDS_FILLS:
            fills = np.concatenate([fills, np.zeros_like(fills)])
        else:
            book = roomier_book(book, int(price[state[ROW]]) if ... )
            find_levels_again(book, orders, state)
