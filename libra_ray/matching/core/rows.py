"""What a row of the market does: a bar's four steps, or a quote, as `simulation.bar_steps` and `steps` do."""

from libra_ray.matching.bar_sizes import bar_sizes
from libra_ray.matching.core.addresses import order_row
from libra_ray.matching.core.book import reset, show
from libra_ray.matching.core.forms import entry, inner, once
from libra_ray.matching.core.layout import (
    ASK,
    ASK_SIZE,
    ASK_USED,
    BID,
    BID_SIZE,
    BID_USED,
    BOOK_ROW,
    IN_BAR,
    IS_PENDING,
    MARK_ASK,
    MARK_BID,
    NOW,
    PENDING,
    PX,
    SIDE,
    WAITS,
    WORKING,
    ZERO,
    Core,
)
from libra_ray.matching.core.orders import (
    enter,
    is_hit,
    is_marketable,
    is_working,
    make,
    run_reached,
    sort_entries,
    take,
    trigger,
)

__all__ = ["on_quote", "stand_at_close", "walk_bar"]

_sizes = inner(bar_sizes)


@once
def _is_touched(ledger: Core, low: int, high: int) -> bool:
    """Whether a bar comes to an order."""
    if ledger.now[PENDING] > 0:
        return True
    for at in range(ledger.now[WORKING]):
        row = order_row(ledger, ledger.working[at])
        falls = (row[SIDE] > 0) != (row[WAITS] != 0)
        if low <= row[PX] if falls else high >= row[PX]:
            return True
    return False


@inner
def _reached(ledger: Core) -> int:
    count = ZERO
    for at in range(ledger.now[WORKING]):
        order = ledger.working[at]
        row = order_row(ledger, order)
        if row[IS_PENDING] == 0 and (is_hit(ledger, order) if row[WAITS] != 0 else is_marketable(ledger, order)):
            count = enter(ledger, count, order)
    return count


@once
def _execute_pending(terms: Core, ledger: Core) -> None:
    """Orders that arrived between two bars execute at the open, in order of arrival."""
    now = ledger.now
    count, due = now[PENDING], ledger.scratch[2]
    for at in range(count):
        due[at, 0] = ledger.pending[at]
        order_row(ledger, due[at, 0])[IS_PENDING] = 0
    now[PENDING] = 0
    for at in range(count):
        order = due[at, 0]
        if is_working(ledger, order):
            if order_row(ledger, order)[WAITS] != 0:
                trigger(terms, ledger, order)
            else:
                take(terms, ledger, order)


@once
def _open(terms: Core, ledger: Core) -> None:
    """The first step: who is reached is settled before pending orders execute, whose rest waits a step."""
    now = ledger.now
    count = _reached(ledger) if now[WORKING] > now[PENDING] else ZERO
    if now[PENDING] > 0:
        _execute_pending(terms, ledger)
    run_reached(terms, ledger, count)


@once
def _trigger_at(terms: Core, ledger: Core, order: int, px: int, end: int, size: int, known: int) -> int:
    """A trigger meets a market at its price, with what is left of the step's size there. Levels known from then on."""
    now, levels = ledger.now, ledger.scratch[1]
    bid_used, ask_used, at = now[BID_USED], now[ASK_USED], known
    if px != end:
        now[BID_USED], now[ASK_USED] = 0, 0
        for level in range(known):
            if levels[level, 0] == px:
                at, now[BID_USED], now[ASK_USED] = level, levels[level, 1], levels[level, 2]
    now[BID] = now[ASK] = px
    now[BID_SIZE] = now[ASK_SIZE] = size
    trigger(terms, ledger, order)
    now[BID] = now[ASK] = end
    if px == end:
        return known
    levels[at, 0], levels[at, 1], levels[at, 2] = px, now[BID_USED], now[ASK_USED]
    now[BID_USED], now[ASK_USED] = bid_used, ask_used
    return max(known, at + 1)


@inner
def _move(terms: Core, ledger: Core, start: int, end: int, size: int) -> None:
    """The path from one price to the next: triggers execute at their price, limits at theirs."""
    count = _reached(ledger)
    if count == 0:
        return
    sort_entries(ledger, count)
    entries, known = ledger.scratch[0], ZERO
    for at in range(count):
        order = entries[at, 3]
        if not is_working(ledger, order):
            continue
        if order_row(ledger, order)[WAITS] != 0:
            px = min(max(order_row(ledger, order)[PX], min(start, end)), max(start, end))
            known = _trigger_at(terms, ledger, order, px, end, size, known)
        else:
            make(terms, ledger, order)


@entry
def walk_bar(
    terms: Core, ledger: Core, index: int, ts: int, open_: int, high: int, low: int, close: int, volume: int
) -> None:
    """A bar, where orders are at work."""
    now = ledger.now
    if not _is_touched(ledger, low, high):
        return
    now[NOW], now[IN_BAR] = ts, 1
    quarter, close_size = _sizes(volume, terms.step)
    reset(ledger, open_, quarter)
    _open(terms, ledger)
    if now[WORKING] > 0:
        is_low_first = terms.adaptive and abs(high - open_) >= abs(low - open_)
        first, second = (low, high) if is_low_first else (high, low)
        reset(ledger, first, quarter)
        _move(terms, ledger, open_, first, quarter)
        reset(ledger, second, quarter)
        if now[WORKING] > 0:
            _move(terms, ledger, first, second, quarter)
        reset(ledger, close, close_size)
        if now[WORKING] > 0:
            _move(terms, ledger, second, close, close_size)
        now[BOOK_ROW] = index
    now[IN_BAR] = 0


@entry
def stand_at_close(terms: Core, ledger: Core, index: int, ts: int, close: int, volume: int) -> None:
    """What orders meet that arrive after a bar: its close, less what its own last step has used."""
    now = ledger.now
    now[NOW] = ts
    if now[BOOK_ROW] != index:
        reset(ledger, close, _sizes(volume, terms.step)[1])
        now[BOOK_ROW] = index
    now[MARK_BID], now[MARK_ASK] = close, close


@entry
def on_quote(terms: Core, ledger: Core, ts: int, bid: int, ask: int, bid_size: int, ask_size: int) -> None:
    """A quote: resting limits that it has come to, triggers that it has hit."""
    now = ledger.now
    now[NOW] = ts
    show(ledger, bid, ask, bid_size, ask_size)
    if now[WORKING] > 0:
        run_reached(terms, ledger, _reached(ledger))
