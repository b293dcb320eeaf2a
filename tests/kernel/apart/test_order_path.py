"""Orders on their way between hosts: what is checked where, what overtakes what, and what comes twice."""

import pytest

import libra_ray as lr
from libra_actors.algorithms import Twap
from libra_ray.kernel.apart.links import Endpoint
from libra_ray.messages.commands import SubmitOrder
from libra_ray.messages.events import OrderCancelRejected, OrderSubmitted
from tests.kernel.apart.bench import Bench, Hand

SEEDS = range(5)


def test_a_denial_is_heard_by_the_strategy_and_nothing_reaches_the_venue() -> None:
    bench = Bench()
    bench.quote()

    order = bench.do(lambda hand: hand.buy("ACME.SIM", "0.5"))

    assert bench.state(order.client_order_id) == ("DENIED", "DENIED")
    assert [type(event).__name__ for event in bench.hand.heard] == ["OrderInitialized", "OrderDenied"]
    assert order.code == "QUANTITY_OFF_STEP"


def test_what_was_let_pass_is_not_spent_twice() -> None:
    bench = Bench(account="cash", balances=["1_000 USD"])
    bench.quote()

    def twice(hand: Hand) -> tuple[lr.Order, lr.Order]:
        return hand.buy("ACME.SIM", 80, price="10.00"), hand.buy("ACME.SIM", 80, price="10.00")

    first, second = bench.do(twice)

    assert (str(first.status), str(second.status), second.code) == ("ACCEPTED", "DENIED", "INSUFFICIENT_BALANCE")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cancel_of_an_order_that_is_on_its_way_is_no_stranger(seed: int) -> None:
    bench = Bench(seed=seed)
    bench.quote()

    def send_and_cancel(hand: Hand) -> lr.Order:
        order = hand.buy("ACME.SIM", 10, price="9.00")
        hand.cancel_order(order)
        return order

    order = bench.do(send_and_cancel)

    assert bench.state(order.client_order_id) == ("CANCELED", "CANCELED")
    assert bench.events(OrderCancelRejected) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_cancel_all_finds_what_is_on_its_way(seed: int) -> None:
    bench = Bench(Twap(), seed=seed)
    bench.quote()
    resting = bench.do(lambda hand: hand.buy("ACME.SIM", 10, price="9.00"))

    def send_and_cancel(hand: Hand) -> list[lr.Order]:
        orders = [
            hand.buy("ACME.SIM", 10, price="8.00"),
            hand.sell("ACME.SIM", 10, trigger_price="9.50", emulation_trigger="BID_ASK"),
        ]
        hand.cancel_all_orders()
        return orders

    orders = bench.do(send_and_cancel)

    assert [bench.state(order.client_order_id) for order in (resting, *orders)] == [("CANCELED", "CANCELED")] * 3


@pytest.mark.parametrize("seed", SEEDS)
def test_an_order_changed_back_before_it_was_changed(seed: int) -> None:
    bench = Bench(seed=seed)
    bench.quote()
    order = bench.do(lambda hand: hand.buy("ACME.SIM", 10, price="9.00"))

    def there_and_back(hand: Hand) -> None:
        hand.modify_order(order, price="9.10")
        hand.modify_order(order, price="9.00")

    bench.do(there_and_back)

    assert (str(order.price), str(order.status)) == ("9.00", "ACCEPTED")
    assert str(bench.desk.books.cache.orders[order.client_order_id].price) == "9.00"


def test_a_fill_in_parts() -> None:
    bench = Bench()
    bench.quote(size=30)

    order = bench.do(lambda hand: hand.buy("ACME.SIM", 50, price="10.02"))

    assert (str(order.filled_qty), str(order.status)) == ("30", "PARTIALLY_FILLED")
    bench.quote(size=10)
    bench.quote(size=40)
    assert (str(order.filled_qty), str(order.status)) == ("50", "FILLED")
    assert bench.held_raw == 50


@pytest.mark.parametrize("endpoint", ["RiskEngine.execute", "ExecEngine.execute", "SIM.execute"])
def test_an_order_that_comes_again_is_ignored(endpoint: str) -> None:
    bench = Bench()
    bench.quote()
    order = bench.do(lambda hand: hand.buy("ACME.SIM", 10, price="9.00"))
    again = lr.Order(
        order.client_order_id, "Hand", "ACME.SIM", order.side, order.type, 10, 0, 900, None, 2, order.ts_init_ns
    )

    bench.host_of["Hand"].bus.send(endpoint, SubmitOrder(order.ts_init_ns, "Hand", again))
    bench.network.drain()

    assert sum(isinstance(event, OrderSubmitted) for event in bench.hand.heard) == 1
    assert list(bench.desk.books.cache.working) == [order.client_order_id]
    owner = bench.network.hosts[str(bench.network.owner(endpoint))].bus.table.receiver(endpoint)
    assert isinstance(owner, Endpoint)
    assert owner.handler.__self__.resent == 1  # type: ignore[attr-defined]  # a method of the desk


@pytest.mark.parametrize("seed", SEEDS)
def test_a_trailing_stop_in_the_emulator_is_released_and_filled(seed: int) -> None:
    bench = Bench(seed=seed)
    bench.quote()
    bench.do(lambda hand: hand.buy("ACME.SIM", 10))

    order = bench.do(
        lambda hand: hand.sell(
            "ACME.SIM", 10, type="TRAILING_STOP_MARKET", trailing_offset="0.10", emulation_trigger="BID_ASK"
        )
    )
    for bid in (1_010, 1_020, 1_015, 1_009):
        bench.quote(bid, bid + 2)

    assert bench.state(order.client_order_id) == ("FILLED", "FILLED")
    assert str(order.avg_px) == "10.09"
    assert bench.hand.portfolio.is_flat("ACME.SIM")


@pytest.mark.parametrize("seed", SEEDS)
def test_children_of_a_twap(seed: int) -> None:
    bench = Bench(Twap(), seed=seed)
    bench.quote()

    order = bench.do(
        lambda hand: hand.buy(
            "ACME.SIM", 30, exec_algorithm_id="TWAP", exec_algorithm_params={"horizon_secs": 3, "interval_secs": 1}
        )
    )
    for _ in range(4):
        bench.quote()

    children = [name for name in bench.desk.books.cache.orders if "-E" in name]
    assert len(children) == 2
    assert {bench.state(name) for name in (*children, order.client_order_id)} == {("FILLED", "FILLED")}
    assert bench.held_raw == 30


@pytest.mark.parametrize("seed", SEEDS)
def test_a_canceled_primary_takes_its_children_along(seed: int) -> None:
    bench = Bench(Twap(), seed=seed)
    bench.quote()
    order = bench.do(
        lambda hand: hand.buy(
            "ACME.SIM", 30, exec_algorithm_id="TWAP", exec_algorithm_params={"horizon_secs": 3, "interval_secs": 1}
        )
    )
    bench.quote()

    bench.do(lambda hand: hand.cancel_order(order))
    for _ in range(3):
        bench.quote()

    assert bench.state(order.client_order_id) == ("CANCELED", "CANCELED")
    filled = bench.held_raw
    assert filled + order.quantity_raw == 30
