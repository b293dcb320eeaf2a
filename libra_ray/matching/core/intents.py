"""What a handler has left on its desk: orders are made first, all of them, then each command is carried out."""

from libra_ray.matching.core.accounting import put
from libra_ray.matching.core.addresses import order_row, refs_of
from libra_ray.matching.core.forms import entry, once, outer, small
from libra_ray.matching.core.layout import (
    CANCEL_REFUSED,
    CLOSED_BEFORE,
    CODE,
    FILLED,
    FLAG,
    INITIALIZED,
    MARKET,
    NET,
    NO_CODE,
    NOBODY,
    NOW,
    ONE,
    ORDERS,
    PX,
    QTY,
    QTY_MADE,
    REF,
    REF_ROOM,
    SEQ,
    SIDE,
    STATUS,
    TS_LAST,
    TS_MADE,
    TYPE,
    WORKING,
    ZERO,
    Columns,
    Core,
)
from libra_ray.matching.core.orders import cancel, is_working
from libra_ray.matching.core.risk import submit

__all__ = ["cancel_all", "settle"]

_TARGET, _MARKET, _LIMIT, _STOP, _CANCEL, _CANCEL_ALL, _CLOSE = range(7)
_SUBMIT = 0
"""Kinds of intents as a desk numbers them, and what becomes of one that makes an order."""


@small
def _made(ledger: Core, kind: int, side: int, qty: int, px: int, flag: int, ref: int) -> int:
    now = ledger.now
    order: int = now[ORDERS]
    now[ORDERS] = order + 1
    row = order_row(ledger, order)
    row[:] = 0
    row[TYPE], row[SIDE], row[QTY], row[QTY_MADE], row[PX], row[FLAG], row[REF] = kind, side, qty, qty, px, flag, ref
    row[TS_MADE] = row[TS_LAST] = now[NOW]
    row[STATUS], row[CODE] = INITIALIZED, NO_CODE
    return order


@once
def _under_way(ledger: Core, first: int) -> int:
    """Signed leaves of market orders at the venue, and of those from `first` on that are not sent yet."""
    signed, now = 0, ledger.now
    for at in range(now[WORKING]):
        row = order_row(ledger, ledger.working[at])
        if row[TYPE] == MARKET:
            signed += row[SIDE] * (row[QTY] - row[FILLED])
    for order in range(first, now[ORDERS]):
        if order_row(ledger, order)[TYPE] == MARKET:
            signed += order_row(ledger, order)[SIDE] * order_row(ledger, order)[QTY]
    return signed


@once
def _make_orders(ledger: Core, intents: Columns, count: int) -> int:
    """Make the orders and list the commands in the second scratch; how many."""
    now, commands, listed = ledger.now, ledger.scratch[1], 0
    first = now[ORDERS]
    for at in range(count):
        kind, side, qty, px, ref, flag = intents[at]
        command, order = _SUBMIT, NOBODY
        if kind == _TARGET:
            missing = qty - now[NET] - _under_way(ledger, first)
            if missing == 0:
                continue
            order = _made(ledger, MARKET, 1 if missing > 0 else -1, abs(missing), ZERO, ZERO, NOBODY)
        elif kind == _CLOSE:
            net = now[NET]
            if net == 0:
                continue
            order = _made(ledger, MARKET, -1 if net > 0 else 1, abs(net), ZERO, ONE, NOBODY)
        elif kind == _CANCEL:
            if ref < 0 or ref >= now[REF_ROOM]:
                raise IndexError("a reference that no order has")
            order = refs_of(ledger)[ref]
            command = _CANCEL
            if order_row(ledger, order)[STATUS] != INITIALIZED and not is_working(ledger, order):
                continue
        elif kind == _CANCEL_ALL:
            command = _CANCEL_ALL
        else:
            order = _made(ledger, kind - _MARKET, side, qty, px, flag, ref)
            refs_of(ledger)[ref] = order
        commands[listed, 0], commands[listed, 1] = command, order
        listed += 1
    return listed


@once
def _cancel_all(ledger: Core) -> None:
    """In order of acceptance."""
    while ledger.now[WORKING] > 0:
        first = ledger.working[0]
        for at in range(1, ledger.now[WORKING]):
            if order_row(ledger, ledger.working[at])[SEQ] < order_row(ledger, first)[SEQ]:
                first = ledger.working[at]
        cancel(ledger, first, NO_CODE)


@entry
def settle(terms: Core, ledger: Core, intents: Columns, count: int) -> None:
    """Carry out what a handler wants."""
    listed = _make_orders(ledger, intents, count)
    commands = ledger.scratch[1]
    for at in range(listed):
        command, order = commands[at, 0], commands[at, 1]
        if command == _SUBMIT:
            submit(terms, ledger, order)
        elif command == _CANCEL_ALL:
            _cancel_all(ledger)
        elif is_working(ledger, order):
            cancel(ledger, order, NO_CODE)
        else:
            put(ledger, CANCEL_REFUSED, order, CLOSED_BEFORE, ZERO, ZERO, ZERO, ZERO)
            order_row(ledger, order)[TS_LAST] = ledger.now[NOW]


@outer
def cancel_all(ledger: Core, ts: int) -> None:
    """Cancel everything at the end, in order of acceptance."""
    ledger.now[NOW] = ts
    _cancel_all(ledger)
