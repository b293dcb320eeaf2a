"""No frame ends a host: what is none for it is a dead letter, counted, with a reason."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libra_ray.bus import DeadReason
from libra_ray.bus.wire.descriptors import Descriptor, Descriptors, Release
from libra_ray.bus.wire.frames import VERSION, Frame, Kind
from libra_ray.bus.wire.port import Letter
from libra_ray.clock import VirtualClock
from libra_ray.hosts.actor_carrier import ActorCarrier
from libra_ray.hosts.bus_host import BusHost
from libra_ray.hosts.commands import Answer, HostCommand, StartActors
from libra_ray.hosts.context import BUS, SUPERVISOR, HostProgram
from libra_ray.hosts.host_table import Announcement, HostEntry, TableSeen, TableSettled, TableState
from libra_ray.messages.codec import decode, encode
from libra_ray.runtime import Actor, ActorConfig, Lane
from libra_ray.runtime.private_folders import memory_twin


class DeafPort:
    """In the place of a port: sends nothing and remembers what it should have sent."""

    resumed = on_dead = None
    address = "ipc://here"
    replay_bytes = waiting = 0

    def __init__(self) -> None:
        self.posted: list[tuple[Any, ...]] = []

    def post(self, *frame: Any, **_more: Any) -> bool:  # noqa: ANN401 - as the port's
        self.posted.append(frame)
        return True

    def post_unreliable(self, *frame: Any, **_more: Any) -> bool:  # noqa: ANN401 - as the port's
        self.posted.append(frame)
        return True

    def connect(self, *_peer: Any) -> None:  # noqa: ANN401 - as the port's
        pass

    def forget(self, peer_id: str) -> None:
        pass

    def begin(self) -> None:
        pass

    def commit(self) -> None:
        pass

    def done(self, letter: Letter, *, keep: bool = True) -> None:
        pass

    def slow_peers(self) -> tuple[str, ...]:
        return ()


NOWHERE = Path("/nowhere")


@pytest.fixture(scope="module", autouse=True)
def nothing_left_in_shared_memory() -> Iterator[None]:
    """Hosts make their folder in shared memory, and whose session it is of removes it: here nobody."""
    yield
    shutil.rmtree(memory_twin(NOWHERE), ignore_errors=True)


class Taker(Actor):
    """Takes whatever comes."""

    def on_start(self) -> None:
        self.bus.register("Taker.execute", lambda _message: None)
        for pattern in ("*", "data.*"):
            self.subscribe(pattern, handler=lambda _message: None)


class StartedCarrier(ActorCarrier):
    """As after a first StartActors."""

    def begin(self) -> None:
        """Take all lanes, and wait for nobody."""
        self._runner.has_started = True
        self._sync.must_wait()


def hosts() -> Iterator[tuple[Any, DeafPort]]:
    """A host of actors and a bus host, each knowing a host `other`, and their ports."""
    entry = HostEntry("other", 1, "ipc://other", None, 1, ("*",), ("Other.execute",))
    own = HostEntry("h", 1, "ipc://h", None, 1, (), ())
    port: Any = DeafPort()
    clock = VirtualClock(1)
    carrier = StartedCarrier(HostProgram("h", 1, NOWHERE, ""), port, clock)
    carrier.host.start_all([carrier.host.add(Taker(ActorConfig(actor_id="Taker")))])
    carrier.receive(letter(Kind.TABLE, *encode(TableState((1, 1), (entry, own))), source=BUS))
    carrier.begin()
    clock.ts_ns += 2_000_000_000
    carrier.begin()
    yield carrier, port
    port = DeafPort()
    bus_host = BusHost(HostProgram(BUS, 1, NOWHERE, ""), port, VirtualClock(1))
    bus_host.table.announce(entry)
    yield bus_host, port


def letter(kind: int, type_name: str = "", body: bytes = b"", *, source: str = "other", **more: Any) -> Letter:  # noqa: ANN401
    fields = {"lane": Lane.CONTROL, "destination": "Taker.execute", "seq": 1, "ts_ns": 1, **more}
    return Letter(Frame(VERSION, kind, source, 1, type=type_name, **fields), body, source, b"")


MESSAGES = [
    1,
    "text",
    b"\x00",
    None,
    StartActors(("Nobody",)),
    HostCommand(),
    TableState((9, 9), (HostEntry("third", 1, "ipc://third", None, 1, (), ()),)),
    TableSeen((5, 5)),
    TableSettled((7, 7)),
    Announcement(HostEntry("other", 2, "nowhere", None, 2, ("a b",), ())),
    Announcement(HostEntry("other", 2, "ipc://x", None, 2, (), ("a b",))),
    Announcement(HostEntry("third", 1, "ipc://x", None, 1, (), ())),
    Descriptors(()),
    Descriptors((Descriptor("../../etc/passwd", 1, 0, 10, 1, 0), Descriptor("libra-other-1-1.seg", 1, 0, 10, 1, 0))),
    Release("libra-h-1-1.seg", 1, 1, is_kept=False),
]

bodies = st.one_of(
    st.sampled_from([encode(message) for message in MESSAGES]),
    st.tuples(
        st.sampled_from(["value", "OrderFilled", "no.module:Class", "", "Descriptors", "Release"]),
        st.binary(max_size=40),
    ),
)


@settings(max_examples=300)
@given(
    kind=st.sampled_from([*Kind, 99]),
    body=bodies,
    destination=st.sampled_from(["Taker.execute", "Nobody", "data.x", "events.x", "", "1", "a b"]),
    source=st.sampled_from(["other", BUS, SUPERVISOR, "stranger"]),
    lane=st.sampled_from([Lane.CONTROL, Lane.ORDERS, Lane.MARKET_DATA]),
    numbers=st.tuples(st.integers(0, 2**63 - 1), st.integers(-(2**63), 2**63 - 1)),
)
def test_no_frame_ends_a_host(
    kind: int, body: tuple[str, bytes], destination: str, source: str, lane: Lane, numbers: tuple[int, int]
) -> None:
    seq, extra = numbers
    for host, _ in hosts():
        host.receive(letter(kind, *body, source=source, destination=destination, lane=lane, seq=seq, extra=extra))
        host.resume()
        host.on_time(2)
        assert host.ends_by_ns is None


@pytest.mark.parametrize(
    ("sent", "reason", "destination"),
    [
        (letter(Kind.SEND, *encode(1), destination="Nobody"), DeadReason.NO_RECEIVER, "Nobody"),
        (letter(Kind.SEND, "OrderFilled", b"\x01"), DeadReason.UNDECODABLE, "Taker.execute"),
        (letter(Kind.SEND, "some.module:Class", b"\x90"), DeadReason.UNDECODABLE, "Taker.execute"),
        (letter(Kind.BATCH, "arrow.batch", b"\x01", destination="data.x", extra=1), DeadReason.UNDECODABLE, "data.x"),
        (letter(Kind.BATCH, "Descriptors", b"\x01", destination="data.x", extra=1), DeadReason.UNDECODABLE, "data.x"),
        (letter(Kind.WELCOME), DeadReason.BAD_FRAME, "Taker.execute"),
        (letter(Kind.TABLE, *encode(TableState((9, 9), ()))), DeadReason.BAD_FRAME, "other"),
        (letter(Kind.TABLE, "TableState", b"", source=BUS), DeadReason.UNDECODABLE, BUS),
        (letter(Kind.REPLY, *encode(1), extra=5), DeadReason.UNKNOWN_REQUEST, "reply:5"),
    ],
)
def test_what_is_none_for_a_host_of_actors_is_a_dead_letter(sent: Letter, reason: DeadReason, destination: str) -> None:
    (carrier, _), _ = hosts()
    carrier.receive(sent)
    (dead,) = carrier.bus.dead_letters
    assert (dead.reason, dead.destination) == (reason, destination)
    assert carrier.bus.dead_counts[reason] == 1


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (letter(Kind.PUBLISH, *encode(1), destination="a b"), DeadReason.BAD_FRAME),
        (letter(Kind.SEND, *encode(1)), DeadReason.NO_RECEIVER),
        (letter(Kind.SUBSCRIBE, "Announcement", b"\x01"), DeadReason.UNDECODABLE),
        (letter(Kind.SUBSCRIBE, *encode(MESSAGES[9])), DeadReason.BAD_FRAME),
        (letter(Kind.SUBSCRIBE, *encode(MESSAGES[11])), DeadReason.BAD_FRAME),
    ],
)
def test_what_is_none_for_the_bus_host_is_counted_and_told_to_who_listens(sent: Letter, reason: DeadReason) -> None:
    _, (bus_host, port) = hosts()
    bus_host.receive(sent)
    assert bus_host.dead_counts == {reason: 1}
    told = [frame for frame in port.posted if frame[3] == "dead_letters"]
    assert [(frame[0], frame[1]) for frame in told] == [("other", Kind.PUBLISH)]


def test_only_the_supervisor_gives_commands() -> None:
    for host, port in hosts():
        host.receive(letter(Kind.COMMAND, *encode(HostCommand()), destination="1"))
        host.resume()
        (answer,) = [frame for frame in port.posted if frame[1] == Kind.ANSWER]
        assert decode(answer[4], answer[5]) == Answer(
            is_ok=False, text="other is not the supervisor and gives no commands"
        )
