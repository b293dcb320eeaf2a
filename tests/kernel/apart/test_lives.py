"""Hosts that are killed and live again: what they knew is known, and no order is lost, doubled or given an old id."""

from collections.abc import Mapping
from typing import Any

import pytest

import libra_ray as lr
from libra_actors.algorithms import Twap
from libra_ray.kernel.apart.host_view import view_of
from libra_ray.kernel.apart.user_actors import add_user_actor
from libra_ray.messages.events import OrderSubmitted
from libra_ray.sessions.paper_venue import PaperVenue
from libra_ray.testing.random_draw import Draw
from tests.kernel.apart.bench import Bench, Hand
from tests.kernel.apart.test_projection import differences

SEEDS = range(6)
VICTIMS = ("Hand", "TWAP", "OrderEmulator", "SIM-client", "RiskEngine", "ExecEngine", "Portfolio")
UNTOLD_BY_RESTART = (".ts_last_ns: ", ".before_pending: ")


class Remembering(Hand):
    """Keeps a count over its lives, and what it saw of itself when it started."""

    def on_start(self) -> None:
        super().on_start()
        self.count = 0
        self.orders_at_start = sorted(self.cache.orders)
        position = self.portfolio.position("ACME.SIM")
        self.held_at_start = 0 if position is None else position.quantity_raw

    def on_order_event(self, event: lr.OrderEvent) -> None:
        super().on_order_event(event)
        self.count += 1

    def on_save(self) -> Mapping[str, bytes]:
        return {"count": str(self.count).encode()}

    def on_load(self, state: Mapping[str, bytes]) -> None:
        self.count = int(state["count"])


def _unequal(bench: Bench, name: str) -> list[str]:
    books = bench.desk.books
    lines = differences(books.cache, books.portfolio, bench.views[name].projection, bench.record)
    return [line for line in lines if ".tags" not in line]


def _remembering(bench: Bench) -> Remembering:
    assert isinstance(bench.hand, Remembering)
    return bench.hand


@pytest.mark.parametrize("seed", SEEDS)
def test_a_strategy_goes_on(seed: int) -> None:
    bench = Bench(hand=Remembering, seed=seed)
    bench.quote(size=30)
    bench.do(lambda hand: hand.buy("ACME.SIM", 10))
    bench.network.save("Hand")
    resting = bench.do(lambda hand: hand.buy("ACME.SIM", 50, price="9.00"))
    heard = _remembering(bench).count

    bench.network.kill("Hand")
    bench.quote(899, 900, size=20)
    bench.revive("Hand", early=seed)
    new = bench.do(lambda hand: hand.buy("ACME.SIM", 10, price="8.00"))

    assert bench.faults() == []
    assert _remembering(bench).held_at_start == 10
    assert _remembering(bench).count > heard
    assert bench.hand.cache.orders[resting.client_order_id].filled_raw == 20
    assert bench.held_raw == 30
    assert (new.client_order_id, bench.state(new.client_order_id)[0]) == ("Hand-R2-1", "ACCEPTED")
    assert _unequal(bench, "Hand") == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_strategy_without_a_saved_state_is_told_how_it_stands(seed: int) -> None:
    bench = Bench(seed=seed)
    bench.quote()
    bench.do(lambda hand: hand.buy("ACME.SIM", 10))
    bench.do(lambda hand: hand.buy("ACME.SIM", 50, price="9.00"))
    bench.network.journals["Hand"].clear()

    bench.network.kill("Hand")
    bench.revive("Hand")

    assert bench.held_raw == 10
    assert [order.client_order_id for order in bench.hand.cache.orders_open()] == ["Hand-2"]
    assert _unequal(bench, "Hand") == []


def test_a_strategy_that_comes_late_is_told_how_the_others_stand() -> None:
    bench = Bench()
    bench.quote()
    bench.do(lambda hand: hand.buy("ACME.SIM", 10))

    host = bench.network.add_host("Late")
    late = Hand(actor_id="Late")
    add_user_actor(host, view_of(host, bench.plan, "Late"), late)
    bench.network.drain()

    assert str(late.cache.order("Hand-1").status) == "FILLED"  # type: ignore[union-attr]
    assert _unequal(bench, "Late") == []


@pytest.mark.parametrize("name", ["Cache", "Portfolio", "RiskEngine", "ExecEngine", "OrderEmulator", "SIM-client"])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("is_saved", [True, False], ids=["saved", "from the first letter"])
def test_a_part_of_the_kernel_goes_on(name: str, seed: int, *, is_saved: bool) -> None:
    bench = Bench(seed=seed)
    bench.quote()
    bench.do(lambda hand: hand.buy("ACME.SIM", 10))
    held = bench.do(lambda hand: hand.sell("ACME.SIM", 10, trigger_price="9.50", emulation_trigger="BID_ASK"))
    if is_saved:
        bench.network.save(name)
    resting = bench.do(lambda hand: hand.buy("ACME.SIM", 5, price="9.40"))
    later = bench.do(lambda hand: hand.sell("ACME.SIM", 3, trigger_price="9.45", emulation_trigger="BID_ASK"))

    bench.network.kill(name)
    under_way = bench.do(lambda hand: hand.buy("ACME.SIM", 5, price="9.30"))
    bench.revive(name, early=seed)
    bench.quote(944, 946)
    bench.do(lambda hand: hand.cancel_all_orders())

    assert bench.faults() == []
    expected = "CANCELED"
    assert {bench.state(order.client_order_id) for order in (resting, under_way)} == {(expected, expected)}
    assert {bench.state(order.client_order_id) for order in (held, later)} == {("FILLED", "FILLED")}
    assert bench.desk.books.portfolio.net_raw("ACME.SIM") == -3
    submitted = [event.client_order_id for event in bench.hand.heard if isinstance(event, OrderSubmitted)]
    assert len(submitted) == len(set(submitted)) == 5
    for host in ("Hand", "RiskEngine", "Cache"):
        assert [line for line in _unequal(bench, host) if "ts_last" not in line] == []


@pytest.mark.parametrize("seed", SEEDS)
def test_an_algorithm_ends_what_it_had_begun(seed: int) -> None:
    bench = Bench(Twap(), seed=seed)
    bench.quote()
    params = {"horizon_secs": 3, "interval_secs": 1}
    order = bench.do(lambda hand: hand.buy("ACME.SIM", 30, exec_algorithm_id="TWAP", exec_algorithm_params=params))
    assert bench.held_raw == 10

    bench.network.kill("TWAP")
    bench.revive("TWAP", early=seed)
    again = bench.do(lambda hand: hand.buy("ACME.SIM", 30, exec_algorithm_id="TWAP", exec_algorithm_params=params))
    for _ in range(4):
        bench.quote()

    assert bench.faults() == []
    assert (bench.state(order.client_order_id), order.code) == (("CANCELED", "CANCELED"), "ALGORITHM_FAULTED")
    assert bench.state(again.client_order_id) == ("FILLED", "FILLED")
    assert bench.held_raw == 40


def test_a_strategy_made_anew_in_the_same_host_counts_on() -> None:
    bench = Bench()
    bench.quote()
    bench.do(lambda hand: hand.buy("ACME.SIM", 10))
    host: Any = bench.host_of["Hand"]

    host.stop("Hand")
    host.dispose("Hand")
    host.remove("Hand")
    bench.actors["Hand"] = next(place.resident for place in bench.places if place.actor_id == "Hand").make(host)
    host.start("Hand")
    order = bench.do(lambda hand: hand.buy("ACME.SIM", 10, price="9.00"))

    assert (order.client_order_id, str(order.status)) == ("Hand-2", "ACCEPTED")
    assert len([event for event in bench.hand.heard if isinstance(event, OrderSubmitted)]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_kills_at_any_moment(seed: int) -> None:
    """Whoever is killed whenever: the venue, the engine and every view of it agree at the end."""
    draw = Draw(seed)
    bench = Bench(Twap(), seed=seed, account=draw.pick(["cash", "margin"]))
    bench.quote()
    sent: dict[str, None] = {}
    px = 1_000
    for _ in range(20):
        victim = draw.pick(VICTIMS)
        bench.network.save(draw.pick(VICTIMS))
        _act(bench, draw, px, sent)
        bench.network.drain(draw.integer(0, 25))
        bench.network.kill(victim)
        if victim != "Hand":
            _act(bench, draw, px, sent)
        if draw.chance(0.3):
            bench.quote(px, px + 2, draw.integer(5, 60))
        bench.network.drain(draw.integer(0, 40))
        bench.revive(victim, early=draw.integer(0, 10))
        px += draw.integer(-6, 6)
        bench.quote(px, px + 2, draw.integer(5, 60))

    books = bench.desk.books
    assert bench.faults() == []
    assert [name for name in sent if name not in books.cache.orders] == []
    for name in bench.views:
        told = [line for line in _unequal(bench, name) if not any(part in line for part in UNTOLD_BY_RESTART)]
        assert (name, told) == (name, [])
    venue = bench.actors["SIM-client"]
    assert isinstance(venue, PaperVenue)
    assert sorted(venue.books.cache.working) == sorted(books.cache.working)
    assert venue.books.portfolio.net_raw("ACME.SIM") == books.portfolio.net_raw("ACME.SIM")
    assert venue.books.portfolio.accounts["SIM"].totals == books.portfolio.accounts["SIM"].totals


def _act(bench: Bench, draw: Draw, px: int, sent: dict[str, None]) -> None:
    """The strategy sends something; nothing of it is carried yet."""
    cents = f"{(px + draw.integer(-10, 10)) / 100:.2f}"

    def send(hand: Hand) -> lr.Order | None:
        mine = [order for order in hand.cache.orders.values() if not order.is_closed and order.price is not None]
        match draw.integer(0, 7):
            case 0 | 1:
                return hand.buy("ACME.SIM", draw.integer(1, 20))
            case 2:
                return hand.buy("ACME.SIM", draw.integer(1, 20), price=cents)
            case 3:
                return hand.sell("ACME.SIM", draw.integer(1, 20), price=cents)
            case 4:
                return hand.sell("ACME.SIM", draw.integer(1, 9), trigger_price=cents, emulation_trigger="BID_ASK")
            case 5:
                terms = {"horizon_secs": 3, "interval_secs": 1}
                return hand.buy("ACME.SIM", 9, exec_algorithm_id="TWAP", exec_algorithm_params=terms)
            case 6 if mine:
                hand.modify_order(draw.pick(mine), price=cents)
            case 7 if mine:
                hand.cancel_order(draw.pick(mine))
            case _:
                pass
        return None

    order = bench.do(send, drain=False)
    if order is not None:
        sent[order.client_order_id] = None
