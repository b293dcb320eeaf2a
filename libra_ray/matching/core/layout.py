"""What the core works on: constants of a run, one row of integers per order and event, and the numbers that change."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Columns", "Ledger", "Terms", "new_ledger"]

Columns = npt.NDArray[np.int64]


def _constants(count: int) -> tuple[int, ...]:
    """Integers that numba takes for numbers among others: of Python's own it would compile a form for each value."""
    return tuple(np.arange(count, dtype=np.int64))


ZERO, ONE = _constants(2)
NOBODY: Final = ZERO - ONE
"""In place of an order, or of a reference."""

# Places in `Ledger.now`.
(
    NOW, ORDERS, WORKING, PENDING, EVENTS, SAMPLES, ARRIVED, TRADES, PRIORITY, PASSED, NET, OPEN_VALUE, REALIZED,
    BALANCE, BID, ASK, BID_SIZE, ASK_SIZE, BID_USED, ASK_USED, BID_BEHIND, ASK_BEHIND, MARK_BID, MARK_ASK, DAY_END,
    REDUCERS, BOOK_ROW, IN_BAR, COMMANDS, HAS_BOOK,
) = _constants(30)  # fmt: skip
NUMBERS: Final = 30

# Columns of `Ledger.orders`.
(
    SIDE, TYPE, QTY, QTY_MADE, PX, FLAG, STATUS, FILLED, VALUE, TS_MADE, TS_LAST, TS_ACCEPTED, SEQ, VENUE_NO, CODE,
    REF, IS_PENDING, WAITS, LAST_QTY, LAST_PX,
) = _constants(20)  # fmt: skip
ORDER_COLUMNS: Final = 20

# Types and states of orders; a type is also the intent that makes it.
MARKET, LIMIT, STOP = _constants(3)
INITIALIZED, DENIED, SUBMITTED, ACCEPTED, PARTIAL, REJECTED, CANCELED, WHOLE = _constants(8)

# Columns of `Ledger.events`, and kinds of events.
KIND, TS, ORDER, A, B, C, D, E = _constants(8)
EVENT_COLUMNS: Final = 8
(
    MADE, DENIAL, ACCEPTANCE, REJECTION, CANCELLATION, FILL, UPDATE, CANCEL_REFUSED, OPENED, CHANGED, CLOSED, BOOKED,
) = _constants(12)  # fmt: skip
PNL, FEE = _constants(2)

# Why an order was refused or ended.
(
    NO_CODE, BY_PRICE, BY_QUANTITY, BY_FUNDS, BY_RATE, POST_ONLY, STOP_IN_MARKET, NO_POSITION, FLAT, CLOSED_BEFORE,
) = _constants(10)  # fmt: skip

WORKING_MAX: Final = 512
BEHIND_MAX: Final = 64
EVENTS_PER_ORDER: Final = 40
"""More events than one order can cause within a row."""


class Terms(NamedTuple):
    """Constants of a run.

    Attributes:
        pnl_num, pnl_den, maker_num, maker_den, taker_num, taker_den: as in `ContractTerms`.
        tick, step, least, most, px_least, px_most: the grid and bounds of prices and quantities.
        margin_num, margin_den: initial margin of a notional unit; 0 / 1 for none.
        rate_limit, rate_ns: at most so many orders in so long.
        next_open, adaptive, rejects_stops: as the venue is set.
        near: an account whose equity is below |position| x this could be liquidated, or called for margin.
    """

    pnl_num: int
    pnl_den: int
    maker_num: int
    maker_den: int
    taker_num: int
    taker_den: int
    tick: int
    step: int
    least: int
    most: int
    px_least: int
    px_most: int
    margin_num: int
    margin_den: int
    rate_limit: int
    rate_ns: int
    next_open: bool
    adaptive: bool
    rejects_stops: bool
    near: float


class Ledger(NamedTuple):
    """All that changes.

    Attributes:
        now: single numbers, by the places above.
        orders, events, samples: one row each; samples of equity are (time, balance, equity).
        working: orders at the venue, in the order in which they began to work; `pending`: those for the next open.
        passed: when the last orders passed the risk checks, as a ring.
        refs: by reference of a desk, the order.
        behind: levels behind the best price of each side: (price, size, used).
        scratch: rows for whoever needs some: sorted entries, levels of a step, commands.
        leaves, held: the arrays of the desk: what is left by reference; the net quantity first.
    """

    now: Columns
    orders: Columns
    events: Columns
    samples: Columns
    working: Columns
    pending: Columns
    passed: Columns
    refs: Columns
    behind: Columns
    scratch: Columns
    leaves: Columns
    held: Columns


def new_ledger(rate_limit: int, leaves: Columns, held: Columns, *, orders: int, events: int, samples: int) -> Ledger:
    """Nothing has happened; room for so many orders, events and samples of equity."""
    return Ledger(
        np.zeros(NUMBERS, np.int64),
        np.empty((orders, ORDER_COLUMNS), np.int64),
        np.empty((events, EVENT_COLUMNS), np.int64),
        np.empty((samples, 3), np.int64),
        np.zeros(WORKING_MAX, np.int64),
        np.zeros(WORKING_MAX, np.int64),
        np.zeros(max(rate_limit, 1), np.int64),
        np.zeros(len(leaves), np.int64),
        np.zeros((2, BEHIND_MAX, 3), np.int64),
        np.zeros((3, WORKING_MAX, 4), np.int64),
        leaves,
        held,
    )
