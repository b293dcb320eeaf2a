"""A strategy that raises is stopped by its policy; the others and the kernel go on, and nothing it staged is sent."""

import sys
from typing import ClassVar, Literal

import pytest

import libra_ray as lr
from libra_ray.data import Dataset, Stream
from libra_ray.messages.schemas import QUOTES
from libra_ray.simulation.backtest import build

SHARE = lr.equity("ACME.SIM", quote="USD")


class Faulty(lr.Strategy):
    """Buys 10 and rests a sell on the first quote; raises on the second, with an order staged."""

    seen = 0

    def on_start(self) -> None:
        self.subscribe_quotes("ACME.SIM")

    def on_quote(self, quote: lr.Quote) -> None:
        del quote
        self.seen += 1
        if self.seen == 1:
            self.buy("ACME.SIM", 10)
            self.sell("ACME.SIM", 10, price="20.00")
        else:
            self.buy("ACME.SIM", 5)
            raise RuntimeError("planted")


class Steady(lr.Strategy):
    """Buys one share on every quote."""

    stopped: ClassVar[list[str]] = []

    def on_start(self) -> None:
        self.subscribe_quotes("ACME.SIM")

    def on_quote(self, quote: lr.Quote) -> None:
        del quote
        self.buy("ACME.SIM", 1)


def _quotes(rows: int) -> Dataset:
    columns = {
        "ts_init_ns": [10**18 + row * 10**9 for row in range(rows)],
        "bid_px": [1_000] * rows,
        "ask_px": [1_002] * rows,
        "bid_qty": [500 + row for row in range(rows)],
        "ask_qty": [500 + row for row in range(rows)],
    }
    return Dataset([Stream(QUOTES, SHARE, "", QUOTES.table(SHARE, columns))])


def _run(policy: Literal["keep", "cancel", "flatten"]) -> lr.BacktestResult:
    system = lr.System("faults").add_venue("SIM", balances=["100_000 USD"])
    system.add(Faulty(fault_policy=policy))
    system.add(Steady())
    return lr.backtest(system, data=_quotes(4))


@pytest.mark.parametrize(
    ("policy", "resting", "held"), [("keep", "ACCEPTED", 10), ("cancel", "CANCELED", 10), ("flatten", "CANCELED", 0)]
)
def test_the_policy_decides_about_orders_and_positions(
    policy: Literal["keep", "cancel", "flatten"], resting: str, held: int
) -> None:
    result = _run(policy)

    (fault,) = result.faults
    assert (fault.actor_id, fault.hook, str(fault.error)) == ("Faulty-1", "on_quote", "planted")
    orders = {row["client_order_id"]: row for row in result.orders.to_pylist()}
    assert orders["Faulty-1-2"]["status"] == resting
    mine = [row for row in result.positions.to_pylist() if row["strategy_id"] == "Faulty-1"]
    assert sum(int(row["quantity"]) for row in mine) == held


def test_what_was_staged_is_not_sent_and_the_other_strategy_goes_on() -> None:
    result = _run("cancel")

    by_strategy = [row["strategy_id"] for row in result.orders.to_pylist()]
    assert by_strategy.count("Faulty-1") == 2
    assert by_strategy.count("Steady-1") == 4
    assert result.counts["denied"] == 0


class Talkative(Faulty):
    """Wants to trade on when it has failed."""

    def on_quote(self, quote: lr.Quote) -> None:
        del quote
        self.seen += 1
        if self.seen == 1:
            self.resting = self.sell("ACME.SIM", 10, price="20.00")
            self.other = self.sell("ACME.SIM", 10, price="21.00")
        else:
            raise RuntimeError("planted")

    def on_fault(self, error: Exception) -> None:
        self.buy("ACME.SIM", 1)
        self.modify_order(self.other, price="22.00")
        self.buy("ACME.SIM", 2, price="30.00", emulation_trigger="LAST_PRICE")
        self.buy("ACME.SIM", 3, exec_algorithm_id="Slicer-1")
        self.submit_order_list(self.orders.bracket("ACME.SIM", "BUY", 4, stop_loss="5.00", take_profit="25.00"))
        self.cancel_order(self.resting)
        self.publish("words", str(error))


class Slicer(lr.ExecAlgorithm):
    """Sends what it is given."""

    def on_order(self, primary: lr.Order) -> None:
        self.submit_primary(primary)


def test_what_on_fault_sends_reaches_no_venue_but_for_cancels() -> None:
    heard: list[object] = []

    class Listener(lr.Actor):
        def on_start(self) -> None:
            self.subscribe("words", heard.append)

    system = lr.System("words").add_venue("SIM", balances=["100_000 USD"])
    system.add(Talkative(fault_policy="keep"))
    system.add(Slicer())
    listener = Listener()
    kernel, replay = build(system, _quotes(4))
    kernel.add(listener)
    kernel.start()
    replay.run()

    orders = [(order.client_order_id, str(order.status), order.code) for order in kernel.record.orders]
    denied = [(f"Talkative-1-{number}", "DENIED", "TRADING_HALTED") for number in range(3, 9)]
    assert orders == [("Talkative-1-1", "CANCELED", ""), ("Talkative-1-2", "ACCEPTED", ""), *denied]
    assert kernel.record.orders[2].message == "ORD010 Talkative-1 has failed: nothing but cancels leaves its on_fault."
    rejected = [event for event in kernel.record.events if isinstance(event, lr.OrderModifyRejected)]
    assert [(event.client_order_id, event.code) for event in rejected] == [("Talkative-1-2", "TRADING_HALTED")]
    assert (heard, len(kernel.host.faults), kernel.cache.new) == (["planted"], 1, {})


def test_a_strategy_that_exits_has_failed_and_the_run_goes_on() -> None:
    class Quitter(lr.Strategy):
        def on_start(self) -> None:
            self.subscribe_quotes("ACME.SIM")

        def on_quote(self, quote: lr.Quote) -> None:
            del quote
            sys.exit(0)

    system = lr.System("exits").add_venue("SIM", balances=["100_000 USD"])
    system.add(Quitter())
    system.add(Steady())

    result = lr.backtest(system, data=_quotes(4))

    assert [(fault.actor_id, fault.hook, fault.reason) for fault in result.faults] == [
        ("Quitter-1", "on_quote", "SystemExit: 0")
    ]
    assert result.counts["orders"] == 4


def test_the_kernel_starts_in_order_of_dependency_and_stops_in_reverse() -> None:
    system = lr.System("order").add_venue("SIM", balances=["1_000 USD"])
    system.add(Steady())
    kernel, _ = build(system, _quotes(1))
    seen: list[tuple[str, str]] = []
    kernel.bus.subscribe("events.system.*", lambda event: seen.append((event.actor_id, event.to_state)))

    kernel.start()
    kernel.stop()

    running = [actor_id for actor_id, state in seen if state == "RUNNING"]
    stopped = [actor_id for actor_id, state in seen if state == "STOPPED"]
    kernel_parts = ["Cache", "Portfolio", "RiskEngine", "ExecEngine", "OrderEmulator", "DataEngine"]
    assert running == [*kernel_parts, "Steady-1"]
    assert stopped == running[::-1]


class Closing(Faulty):
    """Has something to close."""

    closed: ClassVar[list[str]] = []

    def on_stop(self) -> None:
        self.closed.append(f"{self.actor_id} stop")

    def on_dispose(self) -> None:
        self.closed.append(f"{self.actor_id} dispose")
        if self.actor_id == "Closing-2":
            raise OSError("no such file")


class Unhurt(Closing):
    """Goes on to the end."""

    def on_quote(self, quote: lr.Quote) -> None:
        pass


def test_a_run_ends_with_the_disposal_of_its_actors_also_of_those_that_failed() -> None:
    system = lr.System("end").add_venue("SIM", balances=["100_000 USD"])
    for actor in (Closing(), Closing(), Unhurt()):
        system.add(actor)
    Closing.closed.clear()

    result = lr.backtest(system, data=_quotes(4))

    assert Closing.closed == ["Unhurt-1 stop", "Unhurt-1 dispose", "Closing-2 dispose", "Closing-1 dispose"]
    assert [(fault.actor_id, fault.hook) for fault in result.faults] == [
        ("Closing-1", "on_quote"),
        ("Closing-2", "on_quote"),
        ("Closing-2", "on_dispose"),
    ]


def test_a_subscription_to_data_that_is_not_there_is_refused() -> None:
    class Elsewhere(lr.Strategy):
        def on_start(self) -> None:
            self.subscribe_bars("ACME.SIM", "1h")

    system = lr.System("missing").add_venue("SIM", balances=["1_000 USD"])
    system.add(Elsewhere())

    with pytest.raises(lr.ConfigError, match=r"CONF008 .*'data.bars.ACME.SIM-1h', which the data does not have"):
        lr.backtest(system, data=_quotes(1))
