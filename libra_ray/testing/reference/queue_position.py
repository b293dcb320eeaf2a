"""Where our resting orders stand in the queue at their price (matching 7)."""

from decimal import Decimal
from fractions import Fraction
from typing import Final

from libra_ray.testing.reference.book import is_better
from libra_ray.testing.reference.exact import ceil_to
from libra_ray.testing.reference.market import Market
from libra_ray.testing.reference.orders import OPPOSITE, OWN, Order

__all__ = ["after_trade", "join", "saw_delta", "saw_quote"]

ZERO: Final = Decimal(0)


def _is_exact(market: Market) -> bool:
    """L3 with fifo follows the orders of the book one by one."""
    return market.options.book == "L3" and market.options.queue == "fifo"


def join(order: Order, market: Market) -> None:
    """Ahead = displayed size on our side at our price when accepted or re-queued; 0 when it is not displayed."""
    order.ahead, order.shown, order.traded, order.before = ZERO, ZERO, ZERO, {}
    if market.options.queue == "none" or order.price is None:
        return
    side = OWN[order.side]
    order.shown = order.ahead = market.book.displayed_at(side, order.price)
    if _is_exact(market):
        order.before = market.by_order.orders_at(side, order.price)


def _gone(order: Order) -> None:
    order.ahead, order.before = ZERO, {}


def _is_touched_from_the_other_side(order: Order, market: Market) -> bool:
    return market.is_marketable(order)


def _saw_size(order: Order, market: Market, size: Decimal) -> None:
    """A row shows `size` on our side at our price."""
    if market.options.queue == "prob":
        _saw_size_prob(order, market, size)
    order.ahead = min(order.ahead, size)
    order.shown, order.traded = size, ZERO


def _saw_size_prob(order: Order, market: Market, size: Decimal) -> None:
    """Prob: what trades do not explain of a fall was partly ahead of us, partly behind. Over whole size steps."""
    step = market.instrument.step
    fall = max(ZERO, order.shown - size - order.traded)
    if fall == 0:
        return
    n = market.options.queue_power
    ahead = Fraction(order.ahead) / Fraction(step)
    back = max(Fraction(0), Fraction(order.shown) / Fraction(step) - ahead)
    c = Fraction(fall) / Fraction(step)
    weight = back**n + ahead**n
    k = Fraction(1) if weight == 0 else back**n / weight
    left = ahead - (1 - k) * c + min(back - k * c, Fraction(0))
    order.ahead = min(ceil_to(max(left, Fraction(0)), Decimal(1)) * step, size)


def saw_quote(order: Order, market: Market) -> None:
    """L1: our side's best is worse than our price: nobody is ahead; better: unchanged; the same: its size."""
    if market.options.queue == "none" or order.price is None:
        return
    side = OWN[order.side]
    best = market.level(side)
    if best is None or is_better(side, order.price, best.price):
        order.ahead, order.shown, order.traded = ZERO, ZERO, ZERO
    elif best.price == order.price:
        _saw_size(order, market, best.displayed)
    else:
        order.shown, order.traded = ZERO, ZERO  # not displayed
    if _is_touched_from_the_other_side(order, market):
        _gone(order)


def saw_delta(order: Order, market: Market, row_side: str, row_price: Decimal | None) -> None:
    """L2 and L3: a delta at our price on our side, or one that touches us from the other side.

    `row_price` is None when the side was cleared.
    """
    if market.options.queue == "none" or order.price is None:
        return
    side = OWN[order.side]
    if row_side == side and _is_exact(market):
        _saw_orders(order, market, side, row_price)
    elif row_side == side and row_price in (None, order.price):
        _saw_size(order, market, market.book.displayed_at(side, order.price))
    if row_side == OPPOSITE[order.side] and _is_touched_from_the_other_side(order, market):
        _gone(order)


def _saw_orders(order: Order, market: Market, side: str, row_price: Decimal | None) -> None:
    """L3: deletions and reductions count as they are; a trade's volume counts until the next delta at that price."""
    if order.price is None:
        return
    now = market.by_order.orders_at(side, order.price)
    order.before = {key: min(size, now[key]) for key, size in order.before.items() if key in now}
    if row_price in (None, order.price):
        order.traded = ZERO
    order.ahead = max(ZERO, sum(order.before.values(), ZERO) - order.traded)


def after_trade(order: Order, market: Market, size: Decimal, left: Decimal) -> Decimal:
    """A trade of `size`, `left` of it by our orders before this one: what of it can be ours."""
    ours = max(ZERO, left - order.ahead)
    order.ahead = max(order.ahead - left, ZERO)
    order.traded += left if _is_exact(market) else size
    return ours
