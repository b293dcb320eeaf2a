"""Recorders: what crosses a host, a bus or a port is in the file, with its source and order."""

import shutil
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest

import libra_ray as lr
from libra_ray.bus import Bus
from libra_ray.bus.wire.frames import Kind
from libra_ray.bus.wire.port import Port
from libra_ray.clock import LiveClock, VirtualClock
from libra_ray.messages.codec import encode
from libra_ray.messages.events import OrderFilled
from libra_ray.runtime import Actor, Lane, Signal
from libra_ray.testing import Cell, Recorder, assert_same_traffic, read_traffic
from tests.testing.sessions import SECOND, Feed, new_host, run_session


def test_what_crosses_is_recorded_with_its_source_and_order(tmp_path: Path) -> None:
    run_session(tmp_path / "t")
    found = [(each.source, each.kind, each.destination) for each in read_traffic(tmp_path / "t") if each.ts_ns]
    assert found[:8] == [
        ("Feed-1", "TIMER", "tick"),
        ("Feed-1", "PUBLISH", "signals.tick"),
        ("Trader-1", "REQUEST", "Feed.query"),
        ("Feed-1", "REPLY", "reply:1"),
        ("Trader-1", "TIMER", "tell 1"),
        ("Trader-1", "SEND", "Log.write"),
        ("Trader-1", "PUBLISH", "events.told"),
        ("Feed-1", "TIMER", "tick"),
    ]
    assert ("test", "PUBLISH", "signals.tick") in found
    assert ("test", "REQUEST", "Trader.query") in found
    assert ("Trader-1", "DEADLINE", "") in found
    by_source: dict[str, list[int]] = {}
    for each in read_traffic(tmp_path / "t"):
        by_source.setdefault(each.source, []).append(each.seq)
    assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in by_source.values())
    states = [each for each in read_traffic(tmp_path / "t") if each.destination == "events.system.Trader-1"]
    assert {each.source for each in states} == {"Trader-1"}


def test_a_bus_alone_is_recorded_with_what_messages_say_of_their_source(tmp_path: Path) -> None:
    bus = Bus(VirtualClock(5))
    bus.register("A.do", lambda _message: None)
    with Recorder(tmp_path / "t", bus) as recorder:
        bus.publish("signals.x", Signal("x", 1, 5, "S"))
        bus.send("A.do", {"a": (1, 2)})
        bus.send("B.do", "lost")
        bus.link("A.do")("by link")
        bus.publish("data.custom.rows", pa.record_batch({"a": [1, 2]}))
        assert recorder.written == 5
    bus.publish("signals.x", 2)
    found = list(read_traffic(tmp_path / "t"))
    assert [(each.source, each.kind, each.destination) for each in found] == [
        ("S", "PUBLISH", "signals.x"),
        ("", "SEND", "A.do"),
        ("", "PUBLISH", "dead_letters"),
        ("", "SEND", "A.do"),
        ("", "PUBLISH", "data.custom.rows"),
    ]
    assert [each.lane for each in found] == [*[Lane.SIGNALS] * 4, Lane.MARKET_DATA]
    assert found[1].message == {"a": (1, 2)}
    assert found[4].message == pa.record_batch({"a": [1, 2]})
    assert {each.ts_ns for each in found} == {5}


def test_a_large_batch_is_no_less_a_record(tmp_path: Path) -> None:
    bus, batch = Bus(), pa.record_batch({"a": list(range(300_000))})
    with Recorder(tmp_path / "t", bus):
        bus.publish("data.custom.rows", batch)
    assert next(read_traffic(tmp_path / "t")).message == batch


def test_one_recorder_at_a_time_and_no_trace_after_it(tmp_path: Path) -> None:
    host = new_host(Feed())
    before = dict(vars(host)), dict(vars(host.bus))
    with Recorder(tmp_path / "t", host):
        with pytest.raises(ValueError, match="recorded already"):
            Recorder(tmp_path / "u", host)
        with pytest.raises(ValueError, match="recorded already"):
            Recorder(tmp_path / "u", host.bus)  # type: ignore[arg-type]
    assert (dict(vars(host)), dict(vars(host.bus))) == before


def test_the_order_path_of_a_cell_is_recorded(tmp_path: Path) -> None:
    class Buyer(lr.Strategy):
        def on_start(self) -> None:
            self.subscribe_quotes("ACME.SIM")

        def on_quote(self, _quote: lr.Quote) -> None:
            if self.portfolio.is_flat("ACME.SIM"):
                self.buy("ACME.SIM", 1)

        def on_order_filled(self, _event: OrderFilled) -> None:
            self.publish_signal("bought", 1)

    cell = Cell(lr.equity("ACME.SIM", quote="USD"))
    with Recorder(tmp_path / "t", cell.kernel.host):
        cell.add(Buyer())
        cell.quote("ACME.SIM", "9.98", "10.02")
    found = [(each.source, each.kind, each.destination, each.type) for each in read_traffic(tmp_path / "t")]
    assert ("Buyer-1", "SEND", "RiskEngine.execute", "SubmitOrder") in found
    assert ("PUBLISH", "events.order.Buyer-1", "OrderFilled") in [each[1:] for each in found]
    assert found[-1] == ("Buyer-1", "PUBLISH", "signals.bought", "Signal")


@pytest.mark.slow
def test_frames_of_a_port_are_recorded_both_ways() -> None:
    folder = Path(tempfile.mkdtemp(prefix="lr-"))
    clock = LiveClock()
    ends = [Port(name, 1, f"ipc://{folder}/{name}-1", clock) for name in ("one", "other")]
    one, other = ends
    try:
        one.connect("other", other.address, 1)
        other.connect("one", one.address, 1)
        with Recorder(folder / "one", one, clock=clock), Recorder(folder / "other", other):
            one.post("other", Kind.SEND, Lane.ORDERS, "A.do", *encode("do"), origin="Strategy")
            asked = (2 * SECOND).to_bytes(8, "big") + encode("how")[1]
            one.post("other", Kind.REQUEST, Lane.SIGNALS, "A.query", "value", asked, ts_ns=SECOND, extra=77)
            one.post_unreliable("other", Kind.HEARTBEAT, "", "", b"")
            for _ in range(1_000):
                for end in ends:
                    end.poll(1_000_000)
                    while (letter := end.take()) is not None:
                        end.done(letter)
                if not one.unconfirmed():
                    break
        sent, came = (list(read_traffic(folder / end)) for end in ("one", "other"))
    finally:
        for end in ends:
            end.close(0)
        shutil.rmtree(folder)
    assert [(each.kind, each.source, each.seq, each.message) for each in sent] == [
        ("SEND", "Strategy", 1, "do"),
        ("REQUEST", "", 1, "how"),
        ("HEARTBEAT", "", 0, None),
    ]
    assert {(each.host, each.epoch, each.peer) for each in [*sent, *came]} == {("one", 1, "other")}
    assert (sent[1].timeout_ns, sent[1].extra) == (SECOND, 77)
    assert_same_traffic(sent, came, by_source=True)


def test_what_the_receiver_of_a_link_publishes_past_its_outbox_is_its_own(tmp_path: Path) -> None:
    class Engine(Actor):
        """Publishes at once, as parts of a kernel do."""

        def take(self, order: str) -> None:
            self._host.bus.publish("events.taken", order)

    class Sender(Actor):
        def on_start(self) -> None:
            self.bus.command("Engine.execute", "order")

    host = new_host(engine := Engine(), Sender())
    host.bus.register("Engine.execute", engine.take)
    with Recorder(tmp_path / "t", host):
        host.start_all(list(host.actors))
        host.settle()
    found = [(each.source, each.destination) for each in read_traffic(tmp_path / "t")][-2:]
    assert found == [("Sender-1", "Engine.execute"), ("Engine-1", "events.taken")]
