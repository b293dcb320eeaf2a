"""Watches: the market data of one instrument, as far as held orders look at it."""

from collections.abc import Callable

from libra_ray.execution.emulated_triggers import Held, Prices, is_activated, is_hit, moved, source_px
from libra_ray.messages.rows import Row
from libra_ray.model.orders import TRAILING_TYPES
from libra_ray.runtime import NEVER_NS

__all__ = ["Watch", "data_patterns"]


def data_patterns(instrument_id: str) -> tuple[str, str]:
    """What carries prices of an instrument, whatever the run has: quotes, trades and books; bars of any period.

    Patterns, not topics, so that a subscription to data that the run does not have is no mistake.
    """
    symbol, _, venue = instrument_id.rpartition(".")
    return f"data.*.{venue}.{symbol}", f"data.bars.{instrument_id}-*"


class Watch:
    """Looks at each row for the orders held on one instrument, and says when one of them has something to do."""

    def __init__(self, instrument_id: str, prices: Prices, call: Callable[["Watch"], None]) -> None:
        self.instrument_id = instrument_id
        self.prices = prices
        self.held: dict[str, Held] = {}
        self._call = call
        self._expires_ns = NEVER_NS

    def add(self, held: Held) -> None:
        """One more order looks at this instrument."""
        self.held[held.order.client_order_id] = held
        self._note_expiry()

    def remove(self, held: Held) -> None:
        """It does so no longer."""
        self.held.pop(held.order.client_order_id, None)
        self._note_expiry()

    def on_row(self, row: Row) -> None:
        """A row was delivered: the prices stand at it."""
        if row.ts_ns >= self._expires_ns or any(map(self._acts, self.held.values())):
            self._call(self)

    def _acts(self, held: Held) -> bool:
        px = source_px(held.order, self.prices)
        if px is None:
            return False
        if is_hit(held, px):
            return True
        if held.order.type not in TRAILING_TYPES:
            return False
        return moved(held, px) is not None if held.is_following else is_activated(held, px)

    def _note_expiry(self) -> None:
        self._expires_ns = min((held.expires_ns for held in self.held.values()), default=NEVER_NS)
