"""A projection that saw nothing but the published events stands where the kernel stands, field by field."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from libra_ray.execution import RunRecord
from libra_ray.kernel import TradingKernel
from libra_ray.kernel.apart.plan import KernelPlan
from libra_ray.kernel.apart.projection import Projection
from libra_ray.kernel.apart.state import StatePage, state_pages
from libra_ray.kernel.settings import RiskSettings
from libra_ray.messages.codec import decode, encode
from libra_ray.messages.events import AnyEvent
from libra_ray.model.orders import Order
from libra_ray.model.positions import Position
from libra_ray.portfolio import Cache, Portfolio
from libra_ray.testing.random_flow import KINDS, random_scenario
from libra_ray.testing.scenario_reading import read_form
from libra_ray.testing.scenario_run import ScenarioParts

TOPICS = ("events.order.*", "events.position.*", "events.account.*")
FIRST = 1_000
# What no event carries: how a strategy labels an order, what it tells an algorithm, and that an algorithm keeps it.
CASES = sorted((Path(__file__).parents[2] / "scenarios" / "cases").glob("*.json"))
UNTOLD = {"tags", "exec_algorithm_params"}


class Follower:
    """A projection beside a kernel, fed through the codec with what the kernel's bus publishes."""

    def __init__(self, kernel: TradingKernel) -> None:
        self.kernel = kernel
        books = kernel.books
        self.plan = KernelPlan(tuple(books.venues.values()), tuple(books.cache.instruments.values()), RiskSettings())
        self.projection = self.new_projection()
        self.events: list[AnyEvent] = []
        for topic in TOPICS:
            kernel.bus.subscribe(topic, self.hear, FIRST)

    def new_projection(self) -> Projection:
        """One that stands at the beginning. Rates are looked up where a fill is folded: the rows are the run's own."""
        projection = Projection(self.plan)
        projection.is_synced = True
        projection.cache.rows.by_instrument = self.kernel.cache.rows.by_instrument
        return projection

    def hear(self, event: AnyEvent) -> None:
        self.events.append(event)
        told = decode(*encode(event))
        assert isinstance(told, type(event))
        self.projection.apply(told)


def differences(cache: Cache, portfolio: Portfolio, mine: Projection, record: RunRecord) -> Iterator[str]:
    """`what: the kernel's, the projection's` of everything that is not equal."""
    theirs = {order.client_order_id: order for order in record.orders}
    yield from _unlike("orders", sorted(theirs), sorted(name for name in mine.cache.orders if name in theirs))
    for order_id, order in theirs.items():
        yield from _order_differences(order, mine.cache.orders[order_id])
    yield from _unlike("working", list(cache.working), list(mine.cache.working))
    yield from _unlike("new", list(cache.new), list(mine.cache.new))
    yield from _unlike("net", _nonzero(portfolio.net), _nonzero(mine.portfolio.net))
    yield from _unlike("open", list(portfolio.open), list(mine.portfolio.open))
    yield from _unlike(
        "closed", [p.position_id for p in portfolio.closed], [p.position_id for p in mine.portfolio.closed]
    )
    for ours, their in zip(
        [*mine.portfolio.closed, *mine.portfolio.open.values()],
        [*portfolio.closed, *portfolio.open.values()],
        strict=True,
    ):
        yield from _unlike(their.position_id, _position(their), _position(ours))
    for venue, account in portfolio.accounts.items():
        yield from _unlike(venue, account.totals, mine.portfolio.accounts[venue].totals)
    yield from _unlike("unconverted", portfolio.unconverted, mine.portfolio.unconverted)


def _order_differences(theirs: Order, ours: Order) -> Iterator[str]:
    untold = set(UNTOLD)
    if theirs.client_order_id in (theirs.exec_spawn_id, ours.exec_spawn_id):
        untold.add("exec_spawn_id")
    if not ours.venue_order_id:
        untold.add("venue_order_id")  # refused by the venue, or held there: no event has named it
    if theirs.is_closed:
        untold.add("ts_last_ns")  # whether the venue or we ourselves refused to change what has ended
    for name in Order.__struct_fields__:
        if name not in untold:
            yield from _unlike(f"{theirs.client_order_id}.{name}", getattr(theirs, name), getattr(ours, name))


def _position(position: Position) -> dict[str, Any]:
    return {name: getattr(position, name) for name in Position.__struct_fields__ if name != "terms"}


def _nonzero(net: dict[str, int]) -> dict[str, int]:
    return {name: raw for name, raw in net.items() if raw}


def _unlike(what: str, theirs: object, ours: object) -> Iterator[str]:
    if theirs != ours:
        yield f"{what}: {theirs}, {ours}"


def follow(document: dict[str, Any]) -> Follower:
    """Run a scenario with a projection beside the kernel."""
    parts = ScenarioParts(read_form(document, place=""))
    kernel, replay = parts.build()
    follower = Follower(kernel)
    kernel.add(parts.strategy())
    kernel.start()
    replay.run()
    return follower


def _unequal(follower: Follower) -> list[str]:
    kernel = follower.kernel
    return list(differences(kernel.cache, kernel.portfolio, follower.projection, kernel.record))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_after_random_flow(kind: str, seed: int) -> None:
    follower = follow(random_scenario(seed * len(KINDS) + KINDS.index(kind), kind=kind, orders=60))

    assert len(follower.events) > 20
    assert _unequal(follower) == []


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_after_a_scenario(case: Path) -> None:
    assert _unequal(follow(json.loads(case.read_text()))) == []


@pytest.mark.parametrize("kind", KINDS)
def test_events_that_come_again_change_nothing(kind: str) -> None:
    follower = follow(random_scenario(KINDS.index(kind), kind=kind, orders=60))
    half = len(follower.events) // 2

    for event in follower.events[half:]:
        follower.projection.apply(event)

    # When it changed last may be said anew, and what a change that is over had changed.
    told = [line for line in _unequal(follower) if ".ts_last_ns: " not in line and ".before_pending: " not in line]
    assert told == []


def test_an_event_that_comes_twice_changes_nothing() -> None:
    follower = follow(random_scenario(2, kind="quotes", orders=60))
    again = follower.new_projection()

    for event in follower.events:
        again.apply(event)
        again.apply(event)
    follower.projection = again

    assert _unequal(follower) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_projection_that_comes_late_begins_with_the_state(kind: str) -> None:
    follower = follow(random_scenario(10 + KINDS.index(kind), kind=kind, orders=60))
    late = Projection(follower.plan)

    for event in follower.events:
        late.apply(event)
    assert not late.cache.orders

    for page in state_pages(follower.projection.books, acceptances=7, ts_ns=1):
        received = decode(*encode(page))
        assert isinstance(received, StatePage)
        late.take_page(received)
    untold, follower.projection = follower.projection, late

    assert late.is_synced
    assert _unequal(follower) == []
    assert [order.tags for order in late.cache.orders.values()] == [o.tags for o in untold.cache.orders.values()]
