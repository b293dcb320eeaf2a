"""Fills become positions, bookings and samples of equity, as `portfolio` folds them."""

from libra_ray.matching.core.addresses import event_row, leaves_of, order_row, sample_row
from libra_ray.matching.core.forms import entry, inner, once, outer, small
from libra_ray.matching.core.layout import (
    BALANCE,
    BOOKED,
    CHANGED,
    CLOSED,
    DAY_END,
    EVENTS,
    FEE,
    FILL,
    FILLED,
    LAST_PX,
    LAST_QTY,
    MARK_ASK,
    MARK_BID,
    NET,
    NOBODY,
    NOW,
    OPEN_VALUE,
    OPENED,
    PARTIAL,
    PNL,
    QTY,
    REALIZED,
    REF,
    SAMPLES,
    SIDE,
    STATUS,
    TRADES,
    TS_LAST,
    VALUE,
    WHOLE,
    ZERO,
    Core,
)
from libra_ray.matching.core.rules import fee_linear, pnl_linear, released
from libra_ray.matching.core.wide import add, mul, mul_div_ceil, mul_div_half_even, sub

__all__ = ["end_days", "equity", "fill", "put", "sample"]

DAY_NS = 86_400 * 10**9
NEAR_UNIT = 2**20


@small
def put(ledger: Core, kind: int, order: int, a: int, b: int, c: int, d: int, e: int) -> None:
    """Record an event of now."""
    now = ledger.now
    row = event_row(ledger, now[EVENTS])
    now[EVENTS] += 1
    row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7] = kind, now[NOW], order, a, b, c, d, e


@small
def equity(terms: Core, ledger: Core) -> int:
    """Balance plus open profit at what the position could be closed at."""
    now = ledger.now
    net: int = now[NET]
    balance: int = now[BALANCE]
    if net == 0:
        return balance
    px = now[MARK_BID] if net > 0 else now[MARK_ASK]
    sign = 1 if net > 0 else -1
    return add(balance, pnl_linear(sign, mul(px, abs(net)), now[OPEN_VALUE], terms.pnl_num, terms.pnl_den))


@small
def sample(terms: Core, ledger: Core, ts: int) -> int:
    """Note balance and equity; returns the equity."""
    now = ledger.now
    worth, row = equity(terms, ledger), sample_row(ledger, now[SAMPLES])
    row[0], row[1], row[2] = ts, now[BALANCE], worth
    now[SAMPLES] += 1
    return worth


@entry
def end_days(terms: Core, ledger: Core, ts: int, last_bid: int, last_ask: int) -> None:
    """Sample equity at the end of the day, before a row of a later time; days without rows have no sample."""
    now = ledger.now
    now[MARK_BID], now[MARK_ASK] = last_bid, last_ask
    sample(terms, ledger, now[DAY_END])
    now[DAY_END] = max(now[DAY_END] + DAY_NS, -(-ts // DAY_NS) * DAY_NS)


@small
def _book(ledger: Core, kind: int, amount: int) -> None:
    now = ledger.now
    now[BALANCE] = add(now[BALANCE], amount)
    put(ledger, BOOKED, NOBODY, kind, amount, now[BALANCE], ZERO, ZERO)


@small
def _open(ledger: Core, order: int, signed: int, px: int, fee: int) -> None:
    now = ledger.now
    now[NET], now[OPEN_VALUE], now[REALIZED] = signed, mul(px, abs(signed)), -fee
    put(ledger, OPENED, order, signed, now[OPEN_VALUE], ZERO, now[REALIZED], ZERO)


@small
def _reduce(terms: Core, ledger: Core, qty: int, px: int, fee: int) -> int:
    now = ledger.now
    net = now[NET]
    sign = 1 if net > 0 else -1
    freed = released(now[OPEN_VALUE], qty, abs(net))
    pnl: int = pnl_linear(sign, mul(px, qty), freed, terms.pnl_num, terms.pnl_den)
    now[OPEN_VALUE] -= freed
    now[NET] = net - sign * qty
    now[REALIZED] = add(now[REALIZED], sub(pnl, fee))
    return pnl


@once
def _on_position(terms: Core, ledger: Core, order: int, signed: int, px: int, fee: int) -> int:
    """Returns the profit. A fill beyond the position is two legs: one closes it, the rest opens another."""
    now = ledger.now
    net, qty = now[NET], abs(signed)
    if net == 0:
        _open(ledger, order, signed, px, fee)
        return 0
    if (net > 0) == (signed > 0):
        now[NET] = add(net, signed)
        now[OPEN_VALUE] = add(now[OPEN_VALUE], mul(px, qty))
        now[REALIZED] = sub(now[REALIZED], fee)
        put(ledger, CHANGED, order, now[NET], now[OPEN_VALUE], ZERO, now[REALIZED], ZERO)
        return 0
    size = abs(net)
    if qty < size:
        pnl = _reduce(terms, ledger, qty, px, fee)
        put(ledger, CHANGED, order, now[NET], now[OPEN_VALUE], pnl, now[REALIZED], ZERO)
        return pnl
    share = fee if qty == size else mul_div_half_even(fee, size, qty)
    pnl = _reduce(terms, ledger, size, px, share)
    put(ledger, CLOSED, order, ZERO, now[OPEN_VALUE], pnl, now[REALIZED], ZERO)
    if qty > size:
        _open(ledger, order, net + signed, px, fee - share)
    return pnl


@inner
def fill(terms: Core, ledger: Core, order: int, qty: int, px: int, is_taker: int) -> None:
    """One fill: the order, its position, what is booked, and a sample of equity.

    Raises `OverflowError` where 64 bits are too few, `RuntimeError` where the account could be called or liquidated.
    """
    now, row = ledger.now, order_row(ledger, order)
    if is_taker != 0:
        fee = fee_linear(px, qty, terms.taker_num, terms.taker_den)
    else:
        fee = fee_linear(px, qty, terms.maker_num, terms.maker_den)
    now[TRADES] += 1
    put(ledger, FILL, order, qty, px, is_taker, fee, now[TRADES])
    row[FILLED] += qty
    row[VALUE] = add(row[VALUE], mul(qty, px))
    row[STATUS] = WHOLE if row[FILLED] == row[QTY] else PARTIAL
    row[LAST_QTY], row[LAST_PX], row[TS_LAST] = qty, px, now[NOW]
    pnl = _on_position(terms, ledger, order, row[SIDE] * qty, px, fee)
    if pnl != 0:
        _book(ledger, PNL, pnl)
    if fee != 0:
        _book(ledger, FEE, -fee)
    if row[REF] >= 0:
        leaves_of(ledger)[row[REF]] = row[QTY] - row[FILLED]
    worth = sample(terms, ledger, now[NOW])
    if now[NET] != 0 and worth <= mul_div_ceil(abs(now[NET]), terms.near, NEAR_UNIT):
        raise RuntimeError("the account must be watched")


@outer
def first_sample(terms: Core, ledger: Core, ts: int) -> int:
    """`sample`, for those who are not compiled."""
    return sample(terms, ledger, ts)
