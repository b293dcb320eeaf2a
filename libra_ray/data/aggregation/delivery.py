"""The bars of a run on their way to the actors: each is delivered and settled like a row that matches nothing."""

from collections.abc import Callable, Iterable
from typing import Protocol

from libra_ray.data.aggregation.maker import BarMaker
from libra_ray.messages.schemas import Bar
from libra_ray.runtime import Actor, LocalHost
from libra_ray.runtime.views import Handler

__all__ = ["BarCursor", "BarDelivery"]


class BarCursor(Protocol):
    """Where the cache keeps the last bar of one name, and its place counted from 0."""

    row: Bar | None
    index: int


class _Outlet:
    """One name's bars: its cursor, and who is called, resolved anew when that may have changed."""

    def __init__(self, topic: str, cursor: BarCursor) -> None:
        self.topic = topic
        self.cursor = cursor
        self.handlers: tuple[tuple[Actor | None, Handler], ...] = ()
        self.handlers_version = -1


class BarDelivery:
    """Gives the bars of a maker to whoever subscribed, by rank, one bar after the other.

    Args: cursor_of(instrument id, bar name), called once per name.

    Attributes:
        maker: is told of the rows of `sources` by whoever drives both, who then delivers what they closed.
        sources: topics whose rows bars are made of.
    """

    def __init__(self, maker: BarMaker, host: LocalHost, cursor_of: Callable[[str, str], BarCursor]) -> None:
        self.maker = maker
        self.sources = maker.sources
        self._host = host
        self._outlets: dict[tuple[str, str], _Outlet] = {}
        for spec in maker.specs:
            cursor = cursor_of(spec.instrument_id, spec.name)
            self._outlets[spec.instrument_id, spec.name] = _Outlet(spec.topic, cursor)

    def counts(self) -> dict[str, int]:
        """How many bars there have been, by topic."""
        return {outlet.topic: outlet.cursor.index + 1 for outlet in self._outlets.values()}

    def deliver(self, bars: Iterable[Bar]) -> None:
        """Give bars that the maker has made to the actors, in order. The clock stands at their time."""
        for bar in bars:
            self._deliver(bar)

    def close_due(self, ts_ns: int) -> None:
        """Make and deliver the bars of the windows that end up to `ts_ns`, where the clock stands."""
        self.deliver(self.maker.close_due(ts_ns))

    def _deliver(self, bar: Bar) -> None:
        host, outlet = self._host, self._outlets[bar.spec.instrument_id, bar.spec.period]
        outlet.cursor.row = bar
        outlet.cursor.index += 1
        version = host.version
        if outlet.handlers_version != version:
            outlet.handlers_version = version
            outlet.handlers = host.row_handlers(outlet.topic)
        for actor, handler in outlet.handlers:
            if actor is None:
                handler(bar)
            elif actor.is_active:
                host.run(actor, handler, bar)
        host.settle()
