"""Orders at the venue: how they arrive, execute, wait and end, as `simulation.venue` and `simulation.executions` do."""

from libra_ray.matching.core.accounting import fill, put
from libra_ray.matching.core.addresses import leaves_of, order_row
from libra_ray.matching.core.book import available, opposite, use
from libra_ray.matching.core.forms import inner, once, small
from libra_ray.matching.core.layout import (
    ACCEPTANCE,
    ACCEPTED,
    ARRIVED,
    CANCELED,
    CANCELLATION,
    CODE,
    FILLED,
    FLAG,
    FLAT,
    IN_BAR,
    IS_PENDING,
    LIMIT,
    MARKET,
    NET,
    NO_POSITION,
    NOW,
    ONE,
    PENDING,
    POST_ONLY,
    PRIORITY,
    PX,
    QTY,
    REDUCERS,
    REF,
    REJECTED,
    REJECTION,
    SEQ,
    SIDE,
    STATUS,
    STOP,
    STOP_IN_MARKET,
    TS_ACCEPTED,
    TS_LAST,
    TYPE,
    UPDATE,
    VENUE_NO,
    WAITS,
    WHOLE,
    WORKING,
    WORKING_MAX,
    ZERO,
    Columns,
    Core,
)

__all__ = ["arrive", "cancel", "is_hit", "is_marketable", "is_working", "make", "run_reached", "take", "trigger"]


@small
def is_marketable(ledger: Core, order: int) -> bool:
    """Whether a limit order would trade now."""
    row = order_row(ledger, order)
    best = opposite(ledger, row[SIDE])
    trades: bool = row[PX] >= best if row[SIDE] > 0 else row[PX] <= best
    return trades


@small
def is_hit(ledger: Core, order: int) -> bool:
    """Whether the price that a stop looks at has reached its trigger."""
    return not is_marketable(ledger, order) or order_row(ledger, order)[PX] == opposite(
        ledger, order_row(ledger, order)[SIDE]
    )


@small
def is_working(ledger: Core, order: int) -> bool:
    """Whether it is at the venue and not closed."""
    for at in range(ledger.now[WORKING]):  # noqa: SIM110 - the core has no generators
        if ledger.working[at] == order:
            return True
    return False


@small
def _wait(ledger: Core, order: int) -> None:
    now = ledger.now
    if is_working(ledger, order):
        return
    if now[WORKING] == WORKING_MAX:
        raise RuntimeError("too many orders at work")
    if order_row(ledger, order)[TYPE] != LIMIT and order_row(ledger, order)[FLAG] != 0:
        now[REDUCERS] += 1
    ledger.working[now[WORKING]] = order
    now[WORKING] += 1


@small
def _without(orders: Columns, count: int, order: int) -> int:
    kept = 0
    for at in range(count):
        if orders[at] != order:
            orders[kept] = orders[at]
            kept += 1
    return kept


@small
def _drop(ledger: Core, order: int) -> None:
    now, row = ledger.now, order_row(ledger, order)
    kept = _without(ledger.working, now[WORKING], order)
    if kept < now[WORKING]:
        now[WORKING] = kept
        if row[TYPE] != LIMIT and row[FLAG] != 0:
            now[REDUCERS] -= 1
    if row[IS_PENDING] != 0:
        now[PENDING] = _without(ledger.pending, now[PENDING], order)
        row[IS_PENDING] = 0


@inner
def end(ledger: Core, order: int, kind: int, status: int, code: int) -> None:
    """An order is denied, rejected or canceled."""
    now, row = ledger.now, order_row(ledger, order)
    _drop(ledger, order)
    put(ledger, kind, order, code, ZERO, ZERO, ZERO, ZERO)
    row[STATUS], row[CODE], row[TS_LAST] = status, code, now[NOW]
    if row[REF] >= 0:
        leaves_of(ledger)[row[REF]] = 0


@inner
def cancel(ledger: Core, order: int, code: int) -> None:
    """It works no longer."""
    end(ledger, order, CANCELLATION, CANCELED, code)


@inner
def _shrink(ledger: Core, order: int, qty: int) -> None:
    row = order_row(ledger, order)
    put(ledger, UPDATE, order, qty, ZERO, ZERO, ZERO, ZERO)
    row[QTY], row[TS_LAST] = qty, ledger.now[NOW]
    if row[REF] >= 0:
        leaves_of(ledger)[row[REF]] = qty - row[FILLED]


@inner
def _after_execution(ledger: Core, order: int, filled: int) -> None:
    """An order that is whole works no longer; reduce-only orders follow the position."""
    now = ledger.now
    if order_row(ledger, order)[STATUS] == WHOLE:
        _drop(ledger, order)
    if filled == 0 or now[REDUCERS] == 0:
        return
    at = 0
    while at < now[WORKING]:
        other = ledger.working[at]
        row, net = order_row(ledger, other), now[NET]
        at += 1
        if row[TYPE] == LIMIT or row[FLAG] == 0:
            continue
        if net == 0 or (net > 0) == (row[SIDE] > 0):
            cancel(ledger, other, FLAT)
            at -= 1
        elif row[QTY] - row[FILLED] > abs(net):
            _shrink(ledger, other, row[FILLED] + abs(net))


@inner
def take(terms: Core, ledger: Core, order: int) -> None:
    """Take from the book: what is left at the best price, the rest one tick beyond, where a limit allows it."""
    row = order_row(ledger, order)
    side, leaves, is_limit = row[SIDE], row[QTY] - row[FILLED], row[TYPE] == LIMIT
    best, filled = opposite(ledger, side), 0
    if not is_limit or (row[PX] >= best if side > 0 else row[PX] <= best):
        there = min(available(ledger, side), leaves)
        if there > 0:
            fill(terms, ledger, order, there, best, ONE)
            use(ledger, side, best, there)
            filled = there
        beyond = best + side * terms.tick
        if filled < leaves and (not is_limit or (row[PX] >= beyond if side > 0 else row[PX] <= beyond)):
            fill(terms, ledger, order, leaves - filled, beyond, ONE)
            filled = leaves
    if filled < leaves:
        _wait(ledger, order)
    _after_execution(ledger, order, filled)


@inner
def make(terms: Core, ledger: Core, order: int) -> None:
    """A resting limit order that the other side has come to: whole where it went through, else what is shown there."""
    row = order_row(ledger, order)
    side, px = row[SIDE], row[PX]
    best, leaves = opposite(ledger, side), row[QTY] - row[FILLED]
    is_through = best < px if side > 0 else best > px
    there = available(ledger, side)
    qty = leaves if is_through else min(leaves, there)
    if qty <= 0:
        return
    fill(terms, ledger, order, qty, px, ZERO)
    if there > 0:
        use(ledger, side, best, min(qty, there))
    _after_execution(ledger, order, qty)


@inner
def trigger(terms: Core, ledger: Core, order: int) -> None:
    """A stop is hit: it executes as a market order."""
    order_row(ledger, order)[WAITS] = 0
    take(terms, ledger, order)


@inner
def run_reached(terms: Core, ledger: Core, count: int) -> None:
    """Execute `count` orders of the first scratch, reached in one step, in their priority."""
    entries = ledger.scratch[0]
    sort_entries(ledger, count)
    for at in range(count):
        order = entries[at, 3]
        if is_working(ledger, order):
            if order_row(ledger, order)[WAITS] != 0:
                trigger(terms, ledger, order)
            else:
                make(terms, ledger, order)


@inner
def enter(ledger: Core, count: int, order: int) -> int:
    """Put a reached order into the first scratch: those reached by a fall first, highest first, then by a rise."""
    row, entry = order_row(ledger, order), ledger.scratch[0, count]
    is_fall = (row[SIDE] > 0) != (row[WAITS] != 0)
    entry[0], entry[1], entry[2], entry[3] = 0 if is_fall else 1, -row[PX] if is_fall else row[PX], row[SEQ], order
    return count + 1


@once
def sort_entries(ledger: Core, count: int) -> None:
    """By their first three columns."""
    entries = ledger.scratch[0]
    for at in range(1, count):
        to = at
        while to > 0 and _is_before(entries, to, to - 1):
            for column in range(4):
                entries[to, column], entries[to - 1, column] = entries[to - 1, column], entries[to, column]
            to -= 1


@inner
def _is_before(entries: Columns, one: int, other: int) -> bool:
    for column in range(3):
        if entries[one, column] != entries[other, column]:
            first: bool = entries[one, column] < entries[other, column]
            return first
    return False


@small
def _accept(ledger: Core, order: int) -> None:
    now, row = ledger.now, order_row(ledger, order)
    now[PRIORITY] += 1
    row[SEQ], row[STATUS] = now[PRIORITY], ACCEPTED
    row[TS_ACCEPTED] = row[TS_LAST] = now[NOW]
    put(ledger, ACCEPTANCE, order, ZERO, ZERO, ZERO, ZERO, ZERO)


@small
def _hold(ledger: Core, order: int) -> None:
    now = ledger.now
    _wait(ledger, order)
    order_row(ledger, order)[IS_PENDING] = 1
    ledger.pending[now[PENDING]] = order
    now[PENDING] += 1


@inner
def arrive(terms: Core, ledger: Core, order: int) -> None:
    """An order arrives at the venue and acts."""
    now, row = ledger.now, order_row(ledger, order)
    now[ARRIVED] += 1
    row[VENUE_NO] = now[ARRIVED]
    holds = terms.next_open and now[IN_BAR] == 0
    kind = row[TYPE]
    if kind != LIMIT and row[FLAG] != 0:
        net = now[NET]
        if net == 0 or (net > 0) == (row[SIDE] > 0):
            end(ledger, order, REJECTION, REJECTED, NO_POSITION)
            return
        if row[QTY] - row[FILLED] > abs(net):
            _shrink(ledger, order, row[FILLED] + abs(net))
    if kind == MARKET:
        if holds:
            _accept(ledger, order)
            _hold(ledger, order)
        else:
            take(terms, ledger, order)
        return
    if kind == LIMIT:
        acts = is_marketable(ledger, order)
        if acts and row[FLAG] != 0:
            end(ledger, order, REJECTION, REJECTED, POST_ONLY)
            return
        _accept(ledger, order)
    else:
        acts = is_hit(ledger, order)
        if acts and terms.rejects_stops:
            end(ledger, order, REJECTION, REJECTED, STOP_IN_MARKET)
            return
        _accept(ledger, order)
        row[WAITS] = 1
    if not acts:
        _wait(ledger, order)
    elif holds:
        _hold(ledger, order)
    elif kind == STOP:
        _wait(ledger, order)
        trigger(terms, ledger, order)
    else:
        take(terms, ledger, order)
