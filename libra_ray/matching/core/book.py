"""The best prices and what has been used of the sizes there, as `matching.l1_book` has them."""

from libra_ray.matching.core.forms import inner, small
from libra_ray.matching.core.layout import (
    ASK,
    ASK_BEHIND,
    ASK_SIZE,
    ASK_USED,
    BEHIND_MAX,
    BID,
    BID_BEHIND,
    BID_SIZE,
    BID_USED,
    HAS_BOOK,
    MARK_ASK,
    MARK_BID,
    NOBODY,
    ONE,
    ZERO,
    Core,
)

__all__ = ["available", "opposite", "reset", "show", "use"]


@small
def reset(ledger: Core, px: int, size: int) -> None:
    """A step of a bar or a trade: both sides stand at `px`."""
    now = ledger.now
    now[BID], now[ASK], now[BID_SIZE], now[ASK_SIZE], now[BID_USED], now[ASK_USED] = px, px, size, size, 0, 0
    now[BID_BEHIND], now[ASK_BEHIND], now[HAS_BOOK] = 0, 0, 1
    now[MARK_BID], now[MARK_ASK] = px, px


@small
def opposite(ledger: Core, side: int) -> int:
    """The best price that an order of that side trades against."""
    best: int = ledger.now[ASK] if side > 0 else ledger.now[BID]
    return best


@small
def available(ledger: Core, side: int) -> int:
    """What is left at that price."""
    now = ledger.now
    left: int = now[ASK_SIZE] - now[ASK_USED] if side > 0 else now[BID_SIZE] - now[BID_USED]
    return left


@small
def use(ledger: Core, side: int, px: int, qty: int) -> None:
    """An order took `qty` at `px`; nothing is displayed beyond the best price."""
    now = ledger.now
    if side > 0:
        if px == now[ASK]:
            now[ASK_USED] = min(now[ASK_USED] + qty, now[ASK_SIZE])
    elif px == now[BID]:
        now[BID_USED] = min(now[BID_USED] + qty, now[BID_SIZE])


@inner
def _show(ledger: Core, side: int, sign: int, px: int, size: int) -> None:
    """The market shows another best price or size of one side; `side` 0 is the bids."""
    now, levels = ledger.now, ledger.behind[side]
    at_px, at_size, at_used, at_count = (
        (BID, BID_SIZE, BID_USED, BID_BEHIND) if side == 0 else (ASK, ASK_SIZE, ASK_USED, ASK_BEHIND)
    )
    old = now[at_px]
    if px == old:
        if size != now[at_size]:
            now[at_size], now[at_used] = size, 0
        return
    count = now[at_count]
    if now[at_used] == 0 and count == 0:
        now[at_px], now[at_size] = px, size
        return
    if (px - old) * sign > 0 and now[at_used] > 0:
        if count == BEHIND_MAX:
            raise RuntimeError("too many levels behind the best price")
        levels[count, 0], levels[count, 1], levels[count, 2] = old, now[at_size], now[at_used]
        count += 1
    used, kept = 0, 0
    for at in range(count):
        level_px, level_size, level_used = levels[at, 0], levels[at, 1], levels[at, 2]
        if level_px == px:
            used = level_used if level_size == size else 0
        elif (px - level_px) * sign > 0:
            levels[kept, 0], levels[kept, 1], levels[kept, 2] = level_px, level_size, level_used
            kept += 1
    now[at_count] = kept
    now[at_px], now[at_size], now[at_used] = px, size, used


@inner
def show(ledger: Core, bid: int, ask: int, bid_size: int, ask_size: int) -> None:
    """A quote."""
    now = ledger.now
    if now[HAS_BOOK] == 0:
        now[BID], now[ASK], now[BID_SIZE], now[ASK_SIZE], now[HAS_BOOK] = bid, ask, bid_size, ask_size, 1
    else:
        _show(ledger, ZERO, ONE, bid, bid_size)
        _show(ledger, ONE, NOBODY, ask, ask_size)
    now[MARK_BID], now[MARK_ASK] = bid, ask
