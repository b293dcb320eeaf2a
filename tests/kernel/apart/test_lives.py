"""Hosts that are killed and live again: what they knew is known, and no order is lost, doubled or given an old id."""

from collections.abc import Mapping
from typing import Any

import pytest

import libra_ray as lr
from libra_actors.algorithms import Twap
from libra_ray.kernel.apart.host_view import view_of
from libra_ray.kernel.apart.user_actors import add_user_actor
from libra_ray.messages.events import OrderSubmitted
from tests.kernel.apart.bench import Bench, Hand
from tests.kernel.apart.test_projection import differences

SEEDS = range(6)


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


@pytest.mark.parametrize("seed", SEEDS)
def test_a_strategy_goes_on(seed: int) -> None:
    bench = Bench(hand=Remembering, seed=seed)
    bench.quote(size=30)
    bench.do(lambda hand: hand.buy("ACME.SIM", 10))
    bench.network.save("Hand")
    resting = bench.do(lambda hand: hand.buy("ACME.SIM", 50, price="9.00"))
    heard = bench.hand.count

    bench.network.kill("Hand")
    bench.quote(899, 900, size=20)
    bench.revive("Hand", early=seed)
    new = bench.do(lambda hand: hand.buy("ACME.SIM", 10, price="8.00"))

    assert bench.faults() == []
    assert bench.hand.held_at_start == 10
    assert bench.hand.count > heard
    assert bench.hand.cache.order(resting.client_order_id).filled_raw == 20
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
    bench.hand = next(place.resident for place in bench.places if place.actor_id == "Hand").make(host)
    host.start("Hand")
    order = bench.do(lambda hand: hand.buy("ACME.SIM", 10, price="9.00"))

    assert (order.client_order_id, str(order.status)) == ("Hand-2", "ACCEPTED")
    assert len([event for event in bench.hand.heard if isinstance(event, OrderSubmitted)]) == 1
