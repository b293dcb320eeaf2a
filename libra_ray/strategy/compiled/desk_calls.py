"""The words of a desk over arrays: what calls of `orders` become in a compiled handler.

They are not cached on their own: numba would not see a change of the numbers that come from `desk`.
"""

from numba import njit

from libra_ray.strategy.compiled.desk import (
    CANCEL,
    CANCEL_ALL,
    CLOSE,
    INTENTS_MAX,
    LIMIT,
    MARKET,
    RAW_LIMIT,
    STOP,
    TARGET,
    DeskArrays,
)

__all__ = [
    "buy",
    "buy_limit",
    "buy_stop",
    "cancel",
    "cancel_all",
    "close",
    "is_open",
    "leaves_raw",
    "net_qty_raw",
    "sell",
    "sell_limit",
    "sell_stop",
    "target",
]


@njit()
def _stage(desk: DeskArrays, kind: int, side: int, qty: int, px: int, ref: int, flags: int) -> None:
    counts, intents = desk.counts, desk.intents
    at = counts[1]
    if at == INTENTS_MAX:
        raise OverflowError("more orders in one handler than a compiled one can send")
    if not (-RAW_LIMIT < qty < RAW_LIMIT and -RAW_LIMIT < px < RAW_LIMIT):
        raise OverflowError("a quantity or price of an order has more than 18 digits")
    intents[at, 0] = kind
    intents[at, 1] = side
    intents[at, 2] = qty
    intents[at, 3] = px
    intents[at, 4] = ref
    intents[at, 5] = flags
    counts[1] = at + 1


@njit()
def _open(desk: DeskArrays, kind: int, side: int, qty: int, px: int, flags: int) -> int:
    ref: int = desk.counts[2]
    _stage(desk, kind, side, qty, px, ref, flags)
    desk.counts[2] = ref + 1
    desk.leaves[ref] = qty
    return ref


@njit()
def target(desk: DeskArrays, net_raw: int) -> None:
    """`Desk.target`."""
    _stage(desk, TARGET, 0, net_raw, 0, 0, 0)


@njit()
def close(desk: DeskArrays) -> None:
    """`Desk.close`."""
    _stage(desk, CLOSE, 0, 0, 0, 0, 0)


@njit()
def buy(desk: DeskArrays, qty_raw: int) -> int:
    """`Desk.buy`."""
    return _open(desk, MARKET, 1, qty_raw, 0, 0)


@njit()
def sell(desk: DeskArrays, qty_raw: int) -> int:
    """`Desk.sell`."""
    return _open(desk, MARKET, -1, qty_raw, 0, 0)


@njit()
def buy_limit(desk: DeskArrays, qty_raw: int, px_raw: int, post_only: bool = False) -> int:  # noqa: FBT001, FBT002
    """`Desk.buy_limit`."""
    return _open(desk, LIMIT, 1, qty_raw, px_raw, int(post_only))


@njit()
def sell_limit(desk: DeskArrays, qty_raw: int, px_raw: int, post_only: bool = False) -> int:  # noqa: FBT001, FBT002
    """`Desk.sell_limit`."""
    return _open(desk, LIMIT, -1, qty_raw, px_raw, int(post_only))


@njit()
def buy_stop(desk: DeskArrays, qty_raw: int, trigger_raw: int, reduce_only: bool = False) -> int:  # noqa: FBT001, FBT002
    """`Desk.buy_stop`."""
    return _open(desk, STOP, 1, qty_raw, trigger_raw, int(reduce_only))


@njit()
def sell_stop(desk: DeskArrays, qty_raw: int, trigger_raw: int, reduce_only: bool = False) -> int:  # noqa: FBT001, FBT002
    """`Desk.sell_stop`."""
    return _open(desk, STOP, -1, qty_raw, trigger_raw, int(reduce_only))


@njit()
def cancel(desk: DeskArrays, ref: int) -> None:
    """`Desk.cancel`."""
    if ref < 0:
        return
    if ref >= desk.counts[2]:
        raise IndexError("a reference that was never given")
    _stage(desk, CANCEL, 0, 0, 0, ref, 0)


@njit()
def cancel_all(desk: DeskArrays) -> None:
    """`Desk.cancel_all`."""
    _stage(desk, CANCEL_ALL, 0, 0, 0, 0, 0)


@njit()
def net_qty_raw(desk: DeskArrays) -> int:
    """`Desk.net_qty_raw`."""
    held: int = desk.counts[0]
    return held


@njit()
def leaves_raw(desk: DeskArrays, ref: int) -> int:
    """`Desk.leaves_raw`."""
    if ref < 0:
        return 0
    if ref >= desk.counts[2]:
        raise IndexError("a reference that was never given")
    left: int = desk.leaves[ref]
    return left


@njit()
def is_open(desk: DeskArrays, ref: int) -> bool:
    """`Desk.is_open`."""
    open_: bool = leaves_raw(desk, ref) > 0
    return open_
