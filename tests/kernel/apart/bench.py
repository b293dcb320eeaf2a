"""A system apart that a test drives by hand: rows one by one, and what a strategy sends."""

from collections.abc import Callable
from typing import Any, TypeVar

import libra_ray as lr
from libra_ray.data import Dataset, Stream
from libra_ray.messages.events import AnyEvent
from libra_ray.messages.schemas import QUOTES, RowSpec
from libra_ray.model.instruments import Instrument
from tests.kernel.apart.carrier import ApartSystem

E = TypeVar("E", bound=AnyEvent)
R = TypeVar("R")
ACME = lr.equity("ACME.SIM", quote="USD")
START_NS = 10**18


class Hand(lr.Strategy):
    """Sends what the test sends, and notes what it hears."""

    def on_start(self) -> None:
        self.heard: list[AnyEvent] = []
        self.subscribe_quotes("ACME.SIM")

    def on_quote(self, quote: lr.Quote) -> None:
        pass

    def on_order_event(self, event: lr.OrderEvent) -> None:
        self.heard.append(event)


class Bench(ApartSystem):
    """`Hand` on a host of its own, beside whoever else is added."""

    def __init__(
        self,
        *actors: lr.Actor,
        hand: type[Hand] = Hand,
        instruments: tuple[Instrument, ...] = (ACME,),
        seed: int = 0,
        placement: dict[str, str] | None = None,
        risk: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
        **venue: Any,  # noqa: ANN401 - see VenueSettings
    ) -> None:
        system = lr.System("bench").risk(**(risk or {}))
        system.add_venue("SIM", **{"balances": ["100_000 USD"], **venue})
        for actor in actors:
            system.add(actor)
        system.add(hand(**(settings or {})), "Hand")
        columns = {"ts_init_ns": [START_NS], "bid_px": [1_000], "ask_px": [1_002], "bid_qty": [500], "ask_qty": [500]}
        streams = [Stream(QUOTES, made, "", QUOTES.table(made, columns)) for made in instruments]
        super().__init__(system, Dataset(streams), seed=seed, placement=placement)
        self.start()

    @property
    def hand(self) -> Hand:
        """The strategy in the test's hand."""
        hand = self.actors["Hand"]
        assert isinstance(hand, Hand)
        return hand

    @property
    def held_raw(self) -> int:
        """What the strategy holds of ACME, as it sees it."""
        position = self.hand.portfolio.position("ACME.SIM")
        return 0 if position is None else position.quantity_raw

    def quote(self, bid: int = 1_000, ask: int = 1_002, size: int = 500) -> None:
        """A quote of ACME a second later, in cents."""
        at_ns = self.network.clock.ts_ns + 10**9
        row = lr.Quote(RowSpec.of(ACME), at_ns, at_ns, bid, ask, size, size)
        self.run([(self.data.streams[0], row)])

    def do(self, call: Callable[[Hand], R], *, drain: bool = True) -> R:
        """What a handler of the strategy would do."""
        given: list[R] = []
        self.host_of["Hand"].run(self.hand, lambda: given.append(call(self.hand)))
        self.host_of["Hand"].settle()
        if drain:
            self.network.drain()
        return given[0]

    def fail(self, actor_id: str) -> None:
        """A handler of that actor raises."""
        self.host_of[actor_id].run(self.actors[actor_id], _raise)
        self.network.drain()

    def events(self, kind: type[E]) -> list[E]:
        """Events of one kind on record."""
        return [event for event in self.record.events if isinstance(event, kind)]

    def state(self, order_id: str) -> tuple[str, str]:
        """How an order stands with the execution engine, and in the strategy's own cache."""
        mine = self.hand.cache.order(order_id)
        return str(self.desk.books.cache.orders[order_id].status), "" if mine is None else str(mine.status)


def _raise() -> None:
    raise RuntimeError("planted")
