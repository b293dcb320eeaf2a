"""The table of all hosts is right in the end, whatever is lost on the way."""

import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq

from libra_ray.bus import DeadReason
from libra_ray.bus.wire.bundles import bundled
from libra_ray.bus.wire.frames import VERSION, Frame, Kind, pack
from libra_ray.clock import LiveClock
from libra_ray.hosts.context import BUS
from libra_ray.runtime import Lane
from tests.contract.actors import Listener, Sender
from tests.contract.worlds import MS, WiredWorld

NAMES = {"a": "host-a", "b": "host-b", "c": "host-c"}


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="lr-"))
    yield made
    shutil.rmtree(made)


class LoseKinds:
    """Loses two of three frames of these kinds."""

    def __init__(self, *kinds: Kind) -> None:
        self.kinds, self.seen = kinds, 0

    def outgoing(self, frame: Frame, _peer_id: str) -> tuple[int, ...]:
        if frame.kind not in self.kinds:
            return (0,)
        self.seen += 1
        return () if self.seen % 3 else (0,)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Kind.SUBSCRIBE, Kind.TABLE])
def test_what_is_lost_of_the_table_is_said_again(folder: Path, kind: Kind) -> None:
    faults = {name: LoseKinds(kind) for name in (BUS, *NAMES.values())}
    world = WiredWorld(folder, NAMES, faults)
    listener = Listener("l", "events.order.*")
    world.add("b", listener)
    world.bus("a", lambda bus: bus.publish("events.order.S", 1))
    world.close()
    assert listener.heard == [1]


@pytest.mark.slow
def test_a_host_that_hangs_holds_up_a_subscription_for_a_second_at_most(folder: Path) -> None:
    world = WiredWorld(folder, NAMES)
    over = threading.Event()
    world.hosts["c"].post(lambda _host: over.wait(10))
    world.pass_for(20 * MS)
    sender = Sender()

    def job(host: Any) -> None:  # noqa: ANN401 - the host
        host.start_all([host.add(sender)])
        sender.subscribe("events.x")
        host.commit()

    clock = LiveClock()
    start_ns = clock.now_ns()
    world.do("a", job)
    world.wait(lambda: not world.hosts["a"].carrier.is_waiting)
    waited_ns = clock.now_ns() - start_ns
    over.set()
    world.settle()
    world.close()
    assert 900 * MS < waited_ns < 1_600 * MS
    assert world.hosts["a"].carrier.unsettled == 1


def test_noise_on_a_socket_is_counted_and_published(folder: Path) -> None:
    world = WiredWorld(folder, NAMES)
    grave = Listener("grave", "dead_letters")
    world.add("b", grave)
    header, body = pack(Frame(VERSION, Kind.SEND, "host-b", 1, Lane.ORDERS, "x", 1, 1, "value"), b"\x01")
    other_version = b"\x9b" + bytes([VERSION + 1]) + bytes(header)[2:]
    with zmq.Context() as context, context.socket(zmq.PUSH) as socket:
        socket.connect(world.hosts["a"].port.address)
        for parts in ((b"noise", b"body"), (other_version, body), (header, bytes(2 << 20))):
            socket.send(bundled([parts]))
        socket.send(b"noise")
        world.wait(lambda: len(grave.heard) == 4)
        socket.close(linger=0)
    world.bus("a", lambda bus: bus.publish("events.x", 1))
    world.close()
    reasons = [letter.reason for letter in grave.heard]
    assert reasons == [DeadReason.BAD_FRAME, DeadReason.BAD_VERSION, DeadReason.TOO_LONG, DeadReason.BAD_FRAME]


def test_what_an_older_life_sends_is_a_dead_letter(folder: Path) -> None:
    world = WiredWorld(folder, NAMES)
    grave = Listener("grave", "dead_letters")
    world.add("b", grave)
    frame = Frame(VERSION, Kind.SUBSCRIBE, "host-b", 0, Lane.CONTROL, "data.x", 0, 1, "")
    with zmq.Context() as context, context.socket(zmq.PUSH) as socket:
        socket.connect(world.hosts["a"].port.address)
        socket.send(bundled([pack(frame)]))
        world.wait(lambda: bool(grave.heard))
        socket.close(linger=0)
    world.close()
    assert [(letter.reason, letter.destination) for letter in grave.heard] == [(DeadReason.STALE_EPOCH, "data.x")]
