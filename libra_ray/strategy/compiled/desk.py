"""What a compiled handler sends orders by: the same words over a strategy (interpreted) and over arrays (compiled)."""

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from libra_ray.model.enums import OrderSide
from libra_ray.model.identifiers import ClientOrderId
from libra_ray.model.numbers import Price, Quantity
from libra_ray.model.orders import Order

if TYPE_CHECKING:
    from libra_ray.strategy.compiled.strategy import CompiledStrategy

__all__ = [
    "CANCEL",
    "CANCEL_ALL",
    "CLOSE",
    "DESK_CALLS",
    "DESK_FLAGS",
    "LIMIT",
    "MARKET",
    "RAW_LIMIT",
    "STOP",
    "TARGET",
    "Desk",
    "DeskArrays",
    "new_arrays",
]

TARGET, MARKET, LIMIT, STOP, CANCEL, CANCEL_ALL, CLOSE = range(7)
"""Kinds of intents."""
HELD, STAGED, REFS = range(3)
"""Places in `DeskArrays.counts`: the net quantity, how many intents wait, how many references were given."""
KIND, SIDE, QTY, PX, REF, FLAGS = range(6)
"""Columns of `DeskArrays.intents`; SIDE is 1 or -1; FLAGS 1 says post-only of a limit, reduce-only of a stop."""
INTENTS_MAX: Final = 64
RAW_LIMIT: Final = 10**18
"""Raw numbers stay below it, as in every batch of standard precision."""
DESK_CALLS: Final = {
    "target": (("int",), "none"),
    "close": ((), "none"),
    "buy": (("int",), "int"),
    "sell": (("int",), "int"),
    "buy_limit": (("int", "int"), "int"),
    "sell_limit": (("int", "int"), "int"),
    "buy_stop": (("int", "int"), "int"),
    "sell_stop": (("int", "int"), "int"),
    "cancel": (("int",), "none"),
    "cancel_all": ((), "none"),
    "net_qty_raw": ((), "int"),
    "is_open": (("int",), "bool"),
    "leaves_raw": (("int",), "int"),
}
"""What can be asked of a desk: types of its arguments and of its answer."""
DESK_FLAGS: Final = {
    **dict.fromkeys(("buy_limit", "sell_limit"), "post_only"),
    **dict.fromkeys(("buy_stop", "sell_stop"), "reduce_only"),
}
"""What may be said by name, a bool."""


class DeskArrays(NamedTuple):
    """The desk of a compiled handler.

    Attributes:
        counts: net quantity held, intents that wait, references given so far.
        intents: one row each, in the order of their making; columns as named above.
        leaves: by reference, what is still to be filled of an order; 0 when it is closed.
    """

    counts: npt.NDArray[np.int64]
    intents: npt.NDArray[np.int64]
    leaves: npt.NDArray[np.int64]


def new_arrays() -> DeskArrays:
    """A desk without orders."""
    return DeskArrays(np.zeros(3, np.int64), np.zeros((INTENTS_MAX, 6), np.int64), np.zeros(1_024, np.int64))


class Desk:
    """The desk of one strategy and one instrument. Orders are known by references, which count from 0.

    Quantities and prices are raw integers at the instrument's decimals. What is sent leaves when the handler returns.
    A reference below 0 means no order, as a state has it before its first; one never given raises `IndexError`.
    """

    def __init__(self, strategy: "CompiledStrategy", instrument_id: str, size_precision: int | None = None) -> None:
        instrument = strategy.cache.instrument(instrument_id)
        self._strategy, self._instrument_id = strategy, instrument_id
        self._size_precision = instrument.size_precision if size_precision is None else size_precision
        self._price_precision = instrument.price_precision
        self._orders: list[Order] = []
        self._open: dict[int, Order] = {}  # by reference, those that were not closed when last looked at

    @property
    def size_precision(self) -> int:
        """Decimals of its quantities."""
        return self._size_precision

    def target(self, net_raw: int) -> None:
        """Bring the net position to `net_raw` by one market order; orders under way count as executed."""
        self._strategy.target_raw(self._instrument_id, net_raw, self._size_precision)

    def close(self) -> None:
        """Close the position, where there is one, by a reduce-only market order."""
        self._strategy.close_position(self._instrument_id)

    def buy(self, qty_raw: int) -> int:
        """A market order; its reference."""
        return self._send(OrderSide.BUY, qty_raw)

    def sell(self, qty_raw: int) -> int:
        """A market order; its reference."""
        return self._send(OrderSide.SELL, qty_raw)

    def buy_limit(self, qty_raw: int, px_raw: int, *, post_only: bool = False) -> int:
        """A limit order; its reference."""
        return self._send(OrderSide.BUY, qty_raw, price=self._price(px_raw), post_only=post_only)

    def sell_limit(self, qty_raw: int, px_raw: int, *, post_only: bool = False) -> int:
        """A limit order; its reference."""
        return self._send(OrderSide.SELL, qty_raw, price=self._price(px_raw), post_only=post_only)

    def buy_stop(self, qty_raw: int, trigger_raw: int, *, reduce_only: bool = False) -> int:
        """A stop-market order; its reference."""
        return self._send(OrderSide.BUY, qty_raw, trigger_price=self._price(trigger_raw), reduce_only=reduce_only)

    def sell_stop(self, qty_raw: int, trigger_raw: int, *, reduce_only: bool = False) -> int:
        """A stop-market order; its reference."""
        return self._send(OrderSide.SELL, qty_raw, trigger_price=self._price(trigger_raw), reduce_only=reduce_only)

    def cancel(self, ref: int) -> None:
        """Take an order off, where it still works."""
        if ref >= 0 and not self._orders[ref].is_closed:
            self._strategy.cancel_order(self._orders[ref])

    def cancel_all(self) -> None:
        """Take all orders of the strategy off, in order of acceptance."""
        self._strategy.cancel_all_orders(self._instrument_id)

    def net_qty_raw(self) -> int:
        """The signed quantity held."""
        return self._strategy.portfolio.net_qty_raw(self._instrument_id)

    def is_open(self, ref: int) -> bool:
        """Whether an order is on its way or works."""
        return ref >= 0 and not self._orders[ref].is_closed

    def leaves_raw(self, ref: int) -> int:
        """What is still to be filled of an order; 0 when it is closed."""
        return self._orders[ref].leaves_raw if self.is_open(ref) else 0

    def act(self, arrays: DeskArrays) -> None:
        """Send what a compiled handler has left in its arrays, in order."""
        counts = arrays.counts
        for kind, side, qty, px, ref, flags in arrays.intents[: counts[STAGED]].tolist():
            is_buy, flag = side > 0, flags != 0
            if kind == TARGET:
                self.target(qty)
            elif kind == MARKET:
                (self.buy if is_buy else self.sell)(qty)
            elif kind == LIMIT:
                (self.buy_limit if is_buy else self.sell_limit)(qty, px, post_only=flag)
            elif kind == STOP:
                (self.buy_stop if is_buy else self.sell_stop)(qty, px, reduce_only=flag)
            elif kind == CANCEL:
                self.cancel(ref)
            elif kind == CANCEL_ALL:
                self.cancel_all()
            else:
                self.close()
        counts[STAGED] = 0

    def stand(self, arrays: DeskArrays) -> DeskArrays:
        """Write how things stand into the arrays of a compiled handler; into larger ones where they are too small."""
        arrays.counts[HELD] = self.net_qty_raw()
        arrays.counts[REFS] = len(self._orders)
        if len(self._orders) + INTENTS_MAX > len(arrays.leaves):
            arrays = arrays._replace(leaves=np.concatenate([arrays.leaves, np.zeros_like(arrays.leaves)]))
        for ref, order in list(self._open.items()):
            arrays.leaves[ref] = self.leaves_raw(ref)
            if order.is_closed:
                del self._open[ref]
        return arrays

    def order_ids(self) -> list[str]:
        """The ids of the orders that references mean, by reference."""
        return [order.client_order_id for order in self._orders]

    def know(self, order_ids: list[str]) -> None:
        """Let references mean the orders of an earlier life. Raises `KeyError` for one that the cache does not have."""
        self._orders = [self._strategy.cache.orders[ClientOrderId(order_id)] for order_id in order_ids]
        self._open = dict(enumerate(self._orders))

    def _send(self, side: OrderSide, qty_raw: int, **terms: Any) -> int:  # noqa: ANN401
        quantity = Quantity.from_raw(qty_raw, self._size_precision)
        order = self._strategy.orders.order(self._instrument_id, side, quantity, **terms)
        ref = len(self._orders)
        self._orders.append(order)
        self._open[ref] = order
        self._strategy.submit_order(order)
        return ref

    def _price(self, raw: int) -> Price:
        return Price.from_raw(raw, self._price_precision)
