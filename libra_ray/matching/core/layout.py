"""What the core works on: constants of a run, one row of integers per order and event, and the numbers that change."""

from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["RECORD", "TERMS", "Columns", "Core", "Ledger", "Terms", "new_ledger", "placed"]

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
    REDUCERS, BOOK_ROW, IN_BAR, HAS_BOOK, EVENT_ROOM, SAMPLE_ROOM, ORDER_ROOM, REF_ROOM,
) = _constants(33)  # fmt: skip
NUMBERS: Final = 33

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
SAMPLE_COLUMNS: Final = 3
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
        near: an account whose equity is not above |position| x this / 2^20 could be liquidated, or called for margin.
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
    near: int


Core: TypeAlias = Any
"""A `Ledger` as compiled functions have it: its record, whose fields are those of `RECORD`."""
RECORD: Final = np.dtype(
    [
        ("now", np.int64, (NUMBERS,)),
        ("working", np.int64, (WORKING_MAX,)),
        ("pending", np.int64, (WORKING_MAX,)),
        ("behind", np.int64, (2, BEHIND_MAX, 3)),
        ("scratch", np.int64, (3, WORKING_MAX, 4)),
        *((f"{name}_at", np.int64) for name in ("orders", "events", "samples", "refs", "leaves", "passed")),
    ]
)
"""Numbers by the places above; orders at the venue in the order in which they began to work, and those for the next
open; levels behind the best price of each side: (price, size, used); rows for whoever needs some; addresses of the
arrays that grow.
"""
TERMS: Final = np.dtype(
    [(name, np.bool_ if kind is bool else np.int64) for name, kind in Terms.__annotations__.items()]
)
"""`Terms` as compiled functions have them."""


class Ledger(NamedTuple):
    """All that changes.

    Attributes:
        record: what compiled functions are given, an array of one `RECORD`.
        orders, events, samples: one row each; samples of equity are (time, balance, equity).
        refs: by reference of a desk, the order; `leaves`: what is left of it.
        passed: when the last orders passed the risk checks, as a ring.
    """

    record: npt.NDArray[np.void]
    orders: Columns
    events: Columns
    samples: Columns
    refs: Columns
    leaves: Columns
    passed: Columns

    @property
    def now(self) -> Columns:
        """The numbers that change, by the places above."""
        now: Columns = self.record["now"][0]
        return now

    @property
    def core(self) -> Core:
        """The record itself."""
        return self.record[0]


def new_ledger(rate_limit: int, leaves: Columns, *, orders: int, events: int, samples: int) -> Ledger:
    """Nothing has happened; room for so many orders, events and samples of equity."""
    return placed(
        Ledger(
            np.zeros(1, RECORD),
            np.empty((orders, ORDER_COLUMNS), np.int64),
            np.empty((events, EVENT_COLUMNS), np.int64),
            np.empty((samples, SAMPLE_COLUMNS), np.int64),
            np.zeros(len(leaves), np.int64),
            leaves,
            np.zeros(max(rate_limit, 1), np.int64),
        )
    )


def placed(ledger: Ledger) -> Ledger:
    """The same, its record told where the arrays are and how much they hold."""
    for name in ("orders", "events", "samples", "refs", "leaves", "passed"):
        ledger.record[f"{name}_at"] = getattr(ledger, name).ctypes.data
    rooms = ((EVENT_ROOM, ledger.events), (SAMPLE_ROOM, ledger.samples), (ORDER_ROOM, ledger.orders))
    for place, array in (*rooms, (REF_ROOM, ledger.leaves)):
        ledger.now[place] = len(array)
    return ledger
