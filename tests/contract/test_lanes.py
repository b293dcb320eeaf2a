"""Lanes between hosts: an inbox hands out the oldest message of the highest lane. `spec/bus.md`, Lanes and queues."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from libra_ray.hosts.actor_host import LinkHeld
from libra_ray.hosts.lanes import assign_lane, lane_of
from libra_ray.messages.commands import CancelAllOrders, SetTradingState
from libra_ray.messages.events import OrderAccepted, TradingStateChanged
from libra_ray.model.enums import TradingState
from libra_ray.runtime import Lane, LocalHost, Signal
from tests.contract.worlds import MS, WiredWorld

STATE = TradingStateChanged(1, TradingState.ACTIVE, TradingState.HALTED, "test")
ORDER = OrderAccepted(1, "S", "EURUSD.SIM", "O-1", "V-1")
SIGNAL = Signal("x", 1, 1, "s")


@pytest.fixture
def world(sockets: Path) -> Iterator[WiredWorld]:
    made = WiredWorld(sockets, {"a": "host-a", "b": "host-b", "c": "host-c"})
    yield made
    made.close()


def hold(world: WiredWorld, where: str) -> threading.Event:
    """Keep a host busy until the event is set."""
    begun, over = threading.Event(), threading.Event()

    def job(_host: LocalHost) -> None:
        begun.set()
        over.wait(20)

    world.hosts[where].post(job)
    assert begun.wait(10)
    return over


@pytest.mark.parametrize("message", [SIGNAL, ORDER, STATE, "text"])
def test_a_type_has_one_lane(message: object) -> None:
    expected = {SIGNAL: Lane.SIGNALS, ORDER: Lane.ORDERS, STATE: Lane.RISK, "text": Lane.SIGNALS}
    assert lane_of(message) is expected[message]


def test_commands_go_with_orders_but_for_the_trading_state() -> None:
    assert lane_of(CancelAllOrders(1, "S", None)) is Lane.ORDERS
    assert lane_of(SetTradingState(1, "S", TradingState.HALTED, "")) is Lane.RISK


def test_a_type_of_the_user_may_be_given_a_lane_of_messages() -> None:
    class Alarm(msgspec.Struct, frozen=True):
        text: str

    class Siren(Alarm, frozen=True):
        pass

    assert lane_of(Siren("x")) is Lane.SIGNALS
    assign_lane(Alarm, Lane.RISK)
    assert lane_of(Siren("x")) is Lane.RISK
    with pytest.raises(ValueError, match="cannot travel in lane CONTROL"):
        assign_lane(Alarm, Lane.CONTROL)


def test_the_highest_lane_first_and_within_a_lane_in_order(world: WiredWorld) -> None:
    heard: list[Any] = []
    world.bus(
        "b", lambda bus: [bus.subscribe(pattern, heard.append) for pattern in ("events.*", "signals.*", "data.*")]
    )
    over = hold(world, "b")

    def send(host: LocalHost) -> None:
        for number in range(3):
            for topic, message in (
                ("data.custom.x", f"data {number}"),
                ("signals.x", f"signal {number}"),
                ("events.order.S", msgspec.structs.replace(ORDER, ts_ns=number)),
                ("events.risk", msgspec.structs.replace(STATE, ts_ns=number)),
            ):
                host.bus.publish(topic, message)

    world.do("a", send)
    world.wait(lambda: not world.bus_host.port.waiting and not world.hosts["a"].port.unconfirmed())
    world.pass_for(20 * MS)
    over.set()
    world.settle()
    lanes = [lane_of(message) if not isinstance(message, str) else message.split()[0] for message in heard]
    assert lanes == [Lane.RISK] * 3 + [Lane.ORDERS] * 3 + ["signal"] * 3 + ["data"] * 3
    assert [message.ts_ns for message in heard[:6]] == [0, 1, 2, 0, 1, 2]


@pytest.mark.slow
def test_more_than_the_window_is_held_and_nothing_is_lost(world: WiredWorld) -> None:
    got: list[Any] = []
    seen: list[Any] = []
    world.bus("b", lambda bus: bus.register("B.execute", got.append))
    world.bus("c", lambda bus: bus.subscribe("events.system.host-a", seen.append))
    over = hold(world, "b")

    def send(host: LocalHost) -> None:
        for number in range(70_000):
            host.bus.send("B.execute", msgspec.structs.replace(ORDER, ts_ns=number))

    world.do("a", send)
    world.wait(lambda: bool(seen))
    over.set()
    world.settle()
    assert [message.ts_ns for message in got] == list(range(70_000))
    assert [(type(each), each.peer_id) for each in seen] == [(LinkHeld, "host-b")]
    assert seen[0].held_ns >= 1_000 * MS
