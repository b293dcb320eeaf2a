"""Routes of the bus benchmarks: the bus, the same calls without one, and a subscriber that counts."""

from collections.abc import Callable
from typing import Any, Final

import pyarrow as pa

from libra_ray.bus import Bus
from libra_ray.messages.schemas import Quote

__all__ = ["ROUTES", "TOPIC", "PlainCalls", "RowCounter"]

TOPIC: Final = "data.quotes.SIM.WALK"


class PlainCalls:
    """What a bus must at least do: call each subscriber, in order, whatever the topic."""

    def __init__(self) -> None:
        self._handlers: list[Callable[[Any], None]] = []

    def subscribe(self, _topic: str, handler: Callable[[Any], None]) -> None:
        """Call `handler` from now on."""
        self._handlers.append(handler)

    def publish(self, _topic: str, message: object) -> None:
        """Call all handlers."""
        for handler in self._handlers:
            handler(message)


class RowCounter:
    """A subscriber that counts rows and keeps the last message, to tell what has reached it."""

    def __init__(self) -> None:
        self.rows = 0
        self.last: object = None

    def on_quote(self, quote: Quote) -> None:
        """Count one."""
        self.rows += 1
        self.last = quote

    def on_quotes(self, quotes: pa.Table) -> None:
        """Count a batch."""
        self.rows += quotes.num_rows
        self.last = quotes


ROUTES: Final[dict[str, type[PlainCalls] | type[Bus]]] = {"floor": PlainCalls, "bus": Bus}
