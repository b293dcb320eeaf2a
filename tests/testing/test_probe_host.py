"""Probes among live hosts: what is said in one host is heard in the other, over the real bus."""

import pickle
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import libra_ray as lr
from libra_ray.bus import Bus, NoReceiver, Request, TimedOut
from libra_ray.clock import VirtualClock
from libra_ray.errors import ConfigError, EndpointTakenError, LibraError, NoReceiverError
from libra_ray.hosts.context import BUS, HostProgram, PeerAddress
from libra_ray.hosts.loop import run_host
from libra_ray.messages.schemas import QUOTES, Quote
from libra_ray.runtime import Actor, LocalHost, Signal, Timer
from libra_ray.testing import (
    Delay,
    Drop,
    Duplicate,
    FaultPlan,
    Probe,
    ProbeHost,
    Recorder,
    Reorder,
    Replayer,
    assert_same_traffic,
    read_traffic,
)

pytestmark = pytest.mark.slow

SECOND = 10**9
MS = 10**6
QUOTES_BATCH = QUOTES.table(
    lr.pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step="1000"),
    {
        "ts_init_ns": [1, 2],
        "bid_px": [110_000, 120_000],
        "ask_px": [110_001, 120_001],
        "bid_qty": [1, 1],
        "ask_qty": [1, 1],
    },
)
BAD_WAY = FaultPlan(3, Drop(0.05), Duplicate(0.1), Delay(0.1, most_ns=3 * MS), Reorder(0.05))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for sockets."""
    made = Path(tempfile.mkdtemp(prefix="lr-"))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def bus(folder: Path) -> Iterator[PeerAddress]:
    """A bus host in a thread."""
    yield from bus_host(folder)


def bus_host(folder: Path, faults: FaultPlan | None = None) -> Iterator[PeerAddress]:
    address = f"ipc://{folder}/bus-1"
    stopping = threading.Event()
    program = HostProgram(BUS, 1, folder, address, is_journaled=False, faults=faults)
    thread = threading.Thread(target=run_host, args=(program, stopping))
    thread.start()
    yield PeerAddress(BUS, address)
    stopping.set()
    thread.join()


@pytest.fixture
def bad_bus(folder: Path) -> Iterator[PeerAddress]:
    """A bus host that loses, doubles and delays."""
    yield from bus_host(folder, FaultPlan(BAD_WAY.seed, *BAD_WAY.rules))


@pytest.fixture
def near(bus: PeerAddress, folder: Path) -> Iterator[ProbeHost]:
    with ProbeHost(bus, folder, host_id="near") as host:
        yield host


@pytest.fixture
def far(bus: PeerAddress, folder: Path) -> Iterator[ProbeHost]:
    with ProbeHost(bus, folder, host_id="far") as host:
        yield host


def test_topics_cross_in_order(near: ProbeHost, far: ProbeHost) -> None:
    hears, says = Probe(near, "signals.*"), Probe(far)
    for value in range(20):
        says.publish("signals.x", Signal("x", value, 0, says.actor_id))
    assert [hears.expect(Signal).value for _ in range(20)] == list(range(20))
    hears.expect_none()
    hears.unsubscribe("signals.*")
    says.publish("signals.x", Signal("x", 99, 0, says.actor_id))
    hears.expect_none()


def test_market_data_crosses(near: ProbeHost, far: ProbeHost) -> None:
    hears, says = Probe(near, "data.custom.*"), Probe(far)
    batch = pa.record_batch({"a": list(range(1_000))})
    says.publish("data.custom.rows", batch)
    assert hears.expect(pa.RecordBatch) == batch


def test_endpoints_and_requests_cross(near: ProbeHost, far: ProbeHost) -> None:
    model, asker = Probe(near), Probe(far)
    model.register("Model.query", answer=lambda body: body * 2)
    assert asker.ask("Model.query", 21) == 42
    assert model.expect(Request, source=asker.actor_id).body == 21
    assert isinstance(asker.ask("Nobody.query", 1), NoReceiver)
    model.register("Model.execute")
    asker.command("Model.execute", "do")
    model.expect("do")
    assert isinstance(asker.ask("Model.execute", 1, timeout_ns=50 * MS), TimedOut)
    with pytest.raises(NoReceiverError):
        asker.command("Nobody.execute", 1)
    with pytest.raises(EndpointTakenError):
        asker.register("Model.execute")


def test_a_disappointment_waits_as_long_as_it_says(near: ProbeHost) -> None:
    probe = Probe(near, "signals.*")
    before_ns = near.now_ns()
    with pytest.raises(AssertionError, match=r"expected Signal within 0.05 s; nothing came"):
        probe.expect(Signal, within_ns=50 * MS)
    assert 50 * MS <= near.now_ns() - before_ns < 2 * SECOND


def test_who_leaves_is_not_waited_for(bus: PeerAddress, folder: Path, near: ProbeHost) -> None:
    stays = Probe(near)
    with ProbeHost(bus, folder, host_id="guest") as guest:
        Probe(guest, "signals.*").register("Guest.execute")
        stays.command("Guest.execute", 1)
    before_ns = near.now_ns()
    stays.subscribe("signals.*")
    assert near.now_ns() - before_ns < SECOND // 2
    with pytest.raises(NoReceiverError):
        stays.command("Guest.execute", 1)
    with pytest.raises(LibraError, match="host guest has left"):
        guest.do(lambda _host: None)


def test_several_probes_share_a_host_and_go_again(near: ProbeHost) -> None:
    with Probe(near, "a") as one, Probe(near, "b", name="two") as two:
        assert (one.actor_id, two.actor_id) == ("near-Probe-1", "two")
        one.publish("b", 1)
        two.expect(1)
        one.expect_none()
    assert near.do(lambda host: list(host.actors)) == []


def test_what_an_actor_raises_fails_the_end(bus: PeerAddress, folder: Path) -> None:
    host = ProbeHost(bus, folder)
    probe = Probe(host)
    probe.register("A.query", answer=lambda body: body["missing"])
    with pytest.raises(AssertionError, match="KeyError"):
        probe.ask("A.query", {}, timeout_ns=10 * MS) and probe.expect("nothing", within_ns=0)
    with pytest.raises(LibraError, match="Probe-1"):
        host.close()


def test_an_address_that_cannot_be_is_refused(bus: PeerAddress, folder: Path) -> None:
    with pytest.raises(ConfigError, match="CONF010"):
        ProbeHost(bus, folder / "absent")


def test_a_bad_way_loses_and_doubles_nothing(bad_bus: PeerAddress, folder: Path) -> None:
    plan = pickle.loads(pickle.dumps(BAD_WAY))  # noqa: S301 - our own bytes
    with (
        ProbeHost(bad_bus, folder, host_id="near", faults=BAD_WAY) as near,
        ProbeHost(bad_bus, folder, host_id="far", faults=plan) as far,
    ):
        hears, says = Probe(near, "signals.*"), Probe(far)
        hears.register("Near.execute")
        for value in range(100):
            says.publish("signals.x", Signal("x", value, 0, says.actor_id))
            says.command("Near.execute", value)
        got = hears.receive(200, within_ns=20 * SECOND)
        hears.expect_none()
    assert [each.value for each in got if isinstance(each, Signal)] == list(range(100))
    assert [each for each in got if isinstance(each, int)] == list(range(100))
    assert min(plan.counts[name] for name in ("Drop", "Duplicate", "Delay", "Reorder")) > 0


class Adder(Actor):
    """Publishes the sum of what it has heard."""

    def on_start(self) -> None:
        self.total = 0
        self.subscribe_signal("x")
        self.subscribe("data.quotes.*")

    def on_signal(self, signal: Signal) -> None:
        self.total += int(signal.value)
        self.publish_signal("total", self.total)
        self.clock.set_alert(f"half {self.total}", at_ns=self.clock.now_ns() + MS)

    def on_quote(self, quote: Quote) -> None:
        self.publish_signal("total", str(quote.bid_px))

    def on_timer(self, timer: Timer) -> None:
        self.publish("events.half", timer.name)


def test_what_a_live_host_did_is_recorded_and_replays_fused(near: ProbeHost, far: ProbeHost, tmp_path: Path) -> None:
    recorder = near.do(lambda host: Recorder(tmp_path / "live", host))
    near.do(lambda host: host.start(host.add(Adder(actor_id="Adder"))))
    says, hears = Probe(far), Probe(far, "signals.total", "events.half")
    for value in range(5):
        says.publish("signals.x", Signal("x", value, 0, says.actor_id))
    says.publish("data.quotes.SIM.EURUSD", QUOTES_BATCH)
    totals = [each.value for each in hears.receive(12) if isinstance(each, Signal)]
    near.do(lambda _host: recorder.close())

    fused = LocalHost(clock := VirtualClock(), Bus(clock))
    with Recorder(tmp_path / "fused", fused):
        fused.start(fused.add(Adder(actor_id="Adder")))
        replayed = Replayer(tmp_path / "live").into(fused)
    assert (replayed.given, replayed.fired) == (6, 5)
    assert_same_traffic(tmp_path / "live", tmp_path / "fused")
    made = [each.message for each in read_traffic(tmp_path / "fused") if each.destination == "signals.total"]
    assert [each.value for each in made if isinstance(each, Signal)] == totals
    assert totals == [0, 1, 3, 6, 10, "1.10000", "1.20000"]
