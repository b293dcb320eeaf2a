"""The checks of the risk engine that can fail within the core's bounds, in their order."""

from libra_ray.matching.core.accounting import equity, put
from libra_ray.matching.core.addresses import order_row, passes_of
from libra_ray.matching.core.book import opposite
from libra_ray.matching.core.forms import once, small
from libra_ray.matching.core.layout import (
    BY_FUNDS,
    BY_PRICE,
    BY_QUANTITY,
    BY_RATE,
    DENIAL,
    DENIED,
    FILLED,
    FLAG,
    LIMIT,
    MADE,
    MARK_ASK,
    MARK_BID,
    MARKET,
    NET,
    NO_CODE,
    NOW,
    PASSED,
    PX,
    QTY,
    SIDE,
    STATUS,
    SUBMITTED,
    TS_LAST,
    TYPE,
    WORKING,
    ZERO,
    Core,
)
from libra_ray.matching.core.orders import arrive, end
from libra_ray.matching.core.rules import notional_linear, worst_notional
from libra_ray.matching.core.wide import add, mul_div_half_even

__all__ = ["submit"]


@small
def _counted(ledger: Core, order: int) -> int:
    """What an order may add to the exposure, signed, in notional units; nothing where it only reduces."""
    row = order_row(ledger, order)
    if row[TYPE] != LIMIT and row[FLAG] != 0:
        return ZERO
    px = opposite(ledger, row[SIDE]) if row[TYPE] == MARKET else row[PX]
    units: int = row[SIDE] * notional_linear(add(px, px), row[QTY] - row[FILLED])
    return units


@once
def _lacks_funds(terms: Core, ledger: Core, order: int) -> bool:
    """Whether margin grows, and beyond equity."""
    now, row = ledger.now, order_row(ledger, order)
    if terms.margin_num == 0 or (row[TYPE] != LIMIT and row[FLAG] != 0):
        return False
    net = now[NET]
    held = notional_linear(add(now[MARK_BID], now[MARK_ASK]), abs(net))
    if net < 0:
        held = -held
    buys, sells = ZERO, ZERO
    for at in range(now[WORKING]):
        units = _counted(ledger, ledger.working[at])
        if units > 0:
            buys = add(buys, units)
        else:
            sells = add(sells, -units)
    before = worst_notional(held, buys, sells)
    units = _counted(ledger, order)
    if units > 0:
        buys = add(buys, units)
    else:
        sells = add(sells, -units)
    after = worst_notional(held, buys, sells)
    if after <= before:
        return False
    locked = mul_div_half_even(before, terms.margin_num, terms.margin_den)
    needed = mul_div_half_even(after, terms.margin_num, terms.margin_den)
    return needed > locked and needed > equity(terms, ledger)


@once
def _refusal(terms: Core, ledger: Core, order: int) -> int:
    now, row = ledger.now, order_row(ledger, order)
    px, qty = row[PX], row[QTY]
    if row[TYPE] != MARKET and (px <= 0 or px % terms.tick != 0 or px < terms.px_least or px > terms.px_most):
        return BY_PRICE
    if qty <= 0 or qty % terms.step != 0 or qty < terms.least or qty > terms.most:
        return BY_QUANTITY
    if _lacks_funds(terms, ledger, order):
        return BY_FUNDS
    passed, limit = now[PASSED], terms.rate_limit
    if limit > 0 and passed >= limit and passes_of(ledger)[passed % limit] > now[NOW] - terms.rate_ns:
        return BY_RATE
    return NO_CODE


@once
def submit(terms: Core, ledger: Core, order: int) -> None:
    """An order is taken up, checked, and goes to the venue or is denied."""
    now, row = ledger.now, order_row(ledger, order)
    put(ledger, MADE, order, ZERO, ZERO, ZERO, ZERO, ZERO)
    code = _refusal(terms, ledger, order)
    if code != NO_CODE:
        end(ledger, order, DENIAL, DENIED, code)
        return
    if terms.rate_limit > 0:
        passes_of(ledger)[now[PASSED] % terms.rate_limit] = now[NOW]
        now[PASSED] += 1
    row[STATUS], row[TS_LAST] = SUBMITTED, now[NOW]
    arrive(terms, ledger, order)
