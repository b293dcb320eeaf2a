"""What fails apart: a strategy is treated by its policy, the kernel halts trading, an algorithm ends its work."""

from typing import Any

import pytest

import libra_ray as lr
from libra_ray.model.enums import TradingState
from tests.kernel.apart.bench import Bench, Hand


class Stubborn(lr.ExecAlgorithm):
    """Cuts one resting child, and raises at the next quote."""

    def on_start(self) -> None:
        self.subscribe_quotes("ACME.SIM")
        self.armed = False

    def on_order(self, primary: lr.Order) -> None:
        self.submit_child(self.spawn_limit(primary, 10, "9.00"))
        self.armed = True

    def on_quote(self, quote: lr.Quote) -> None:
        del quote
        if self.armed:
            raise RuntimeError("planted")


@pytest.mark.parametrize(
    ("policy", "resting", "held"), [("keep", "ACCEPTED", 10), ("cancel", "CANCELED", 10), ("flatten", "CANCELED", 0)]
)
@pytest.mark.parametrize("seed", range(3))
def test_a_strategy_that_raises(policy: str, resting: str, held: int, seed: int) -> None:
    bench = Bench(seed=seed, settings={"fault_policy": policy})
    bench.quote()
    bench.do(lambda hand: hand.buy("ACME.SIM", 10))
    order = bench.do(lambda hand: hand.sell("ACME.SIM", 10, price="20.00"))

    bench.fail("Hand")

    assert [fault.actor_id for fault in bench.host_of["Hand"].faults] == ["Hand"]
    assert bench.state(order.client_order_id)[0] == resting
    assert bench.desk.books.portfolio.net_raw("ACME.SIM") == held


@pytest.mark.parametrize("seed", range(8))
def test_what_a_failed_strategy_had_under_way_does_not_work_on(seed: int) -> None:
    bench = Bench(seed=seed)
    bench.quote()

    bench.do(lambda hand: hand.sell("ACME.SIM", 10, price="20.00"), drain=False)
    bench.network.clock.ts_ns += 1
    bench.fail("Hand")

    assert [str(order.status) for order in bench.desk.books.cache.orders.values()] == ["CANCELED"]
    assert not bench.desk.books.cache.working


class LastWords(Hand):
    """Wants to trade on when it has failed."""

    def on_fault(self, error: Exception) -> None:
        del error
        (resting,) = self.cache.orders_open()
        self.buy("ACME.SIM", 1)
        self.submit_order_list(self.orders.bracket("ACME.SIM", "BUY", 4, stop_loss="5.00", take_profit="25.00"))
        self.modify_order(resting, price="21.00")


@pytest.mark.parametrize("seed", range(3))
def test_what_on_fault_sends_reaches_no_venue(seed: int) -> None:
    bench = Bench(seed=seed, hand=LastWords, settings={"fault_policy": "keep"})
    bench.quote()
    resting = bench.do(lambda hand: hand.sell("ACME.SIM", 10, price="20.00"))

    bench.fail("Hand")

    assert bench.state(resting.client_order_id) == ("ACCEPTED", "ACCEPTED")
    denied = [bench.state(f"Hand-{number}") for number in range(2, 6)]
    assert denied == [("DENIED", "DENIED")] * 4
    assert {order.code for order in bench.desk.books.cache.orders.values()} == {"", "TRADING_HALTED"}
    (rejected,) = bench.events(lr.OrderModifyRejected)
    assert (rejected.client_order_id, rejected.code) == (resting.client_order_id, "TRADING_HALTED")


@pytest.mark.parametrize("part", ["ExecEngine", "OrderEmulator", "RiskEngine", "Portfolio", "SIM-client"])
def test_a_part_of_the_kernel_that_raises_halts_trading(part: str) -> None:
    bench = Bench()
    bench.quote()
    resting = bench.do(lambda hand: hand.buy("ACME.SIM", 10, price="9.00"))
    told: list[Any] = []
    bench.host_of["Hand"].bus.subscribe("events.risk", told.append)

    bench.fail(part)
    denied = bench.do(lambda hand: hand.buy("ACME.SIM", 10))
    bench.do(lambda hand: hand.cancel_order(resting))

    assert [event.to_state for event in told] == [TradingState.HALTED]
    assert "planted" in told[0].reason
    assert denied.code == "TRADING_HALTED"
    assert str(resting.status) == "CANCELED"


def test_an_algorithm_that_raises_ends_what_it_works() -> None:
    bench = Bench(Stubborn())
    bench.quote()
    order = bench.do(lambda hand: hand.buy("ACME.SIM", 30, exec_algorithm_id="Stubborn-1"))
    assert bench.state(f"{order.client_order_id}-E1") == ("ACCEPTED", "ACCEPTED")

    bench.quote()
    late = bench.do(lambda hand: hand.buy("ACME.SIM", 30, exec_algorithm_id="Stubborn-1"))

    assert bench.state(f"{order.client_order_id}-E1") == ("CANCELED", "CANCELED")
    assert (bench.state(order.client_order_id), order.code) == (("CANCELED", "CANCELED"), "ALGORITHM_FAULTED")
    assert late.code == "UNSUPPORTED_ORDER_TYPE"


@pytest.mark.parametrize("part", ["ExecEngine", "RiskEngine", "SIM-client"])
def test_a_part_of_the_kernel_is_not_made_anew_in_a_host_that_runs(part: str) -> None:
    bench = Bench()
    resident = next(place.resident for place in bench.places if place.actor_id == part)

    with pytest.raises(lr.ConfigError) as raised:
        resident.make(bench.host_of[part])

    what = f"CONF010 '{part}' is a part of the kernel and cannot be made anew in a host that runs. Restart its host."
    assert str(raised.value) == what
