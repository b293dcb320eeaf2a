"""What a host measures of itself."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from libra_ray.bus import Bus, DeadReason
from libra_ray.bus.wire.frames import Kind
from libra_ray.bus.wire.port import Port
from libra_ray.clock import LiveClock, VirtualClock
from libra_ray.hosts.meter import Meter, actor_statuses
from libra_ray.hosts.status import ActorStatus, LaneStatus
from libra_ray.messages.codec import decode, encode
from libra_ray.runtime import Actor, LocalHost
from libra_ray.runtime.inbox import Lane

MS = 1_000_000
SECOND = 1_000 * MS
SIZE = 16 << 20


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[tuple[Port, Port]]:
    """Two hosts that know each other."""
    clock = LiveClock()
    one, two = (Port(name, 1, f"ipc://{tmp_path}/{name}-1", clock) for name in ("one", "two"))
    one.connect("two", two.address, 1)
    two.connect("one", one.address, 1)
    yield one, two
    one.close(0)
    two.close(0)


def until_there(ports: tuple[Port, Port], depth: int) -> None:
    for _ in range(1_000):
        for port in ports:
            port.poll(MS)
        if ports[1].lanes.count(Lane.ORDERS).depth == depth:
            return
    pytest.fail("nothing came")


def test_lanes_lag_and_rate_are_those_of_the_port(ports: tuple[Port, Port]) -> None:
    one, two = ports
    now_ns = LiveClock().now_ns()
    clock = VirtualClock(now_ns)
    meter = Meter(two, clock)
    for _ in range(3):
        one.post("two", Kind.SEND, Lane.ORDERS, "there", "int", b"\x01", ts_ns=now_ns - 5 * MS)
    until_there(ports, 3)

    before = meter.status(dead_letters={})
    letter = two.take()
    assert letter is not None
    two.done(letter)
    clock.advance_to(now_ns + SECOND)
    after = meter.status(dead_letters={DeadReason.STALE_EPOCH: 2, DeadReason.NO_RECEIVER: 0}, drops=4)

    assert before.lanes["ORDERS"] == LaneStatus(depth=3, high_water=3, received=3, oldest_age_ns=5 * MS)
    assert (before.lag_ns, before.messages, before.messages_per_second) == (5 * MS, 0, 0.0)
    assert set(before.lanes) == {lane.name for lane in Lane}
    assert (after.lanes["ORDERS"].depth, after.messages, after.messages_per_second) == (2, 1, 1.0)
    assert (after.host_id, after.epoch, after.pid, after.ts_ns) == ("two", 1, os.getpid(), now_ns + SECOND)
    assert (after.drops, after.dead_letters) == (4, {"STALE_EPOCH": 2})
    assert after.cpu_seconds > 0
    assert decode(*encode(after)) == after


def test_a_letter_without_a_time_or_from_a_clock_ahead_has_no_age(ports: tuple[Port, Port]) -> None:
    one, two = ports
    now_ns = LiveClock().now_ns()
    one.post("two", Kind.SEND, Lane.RISK, "there", "int", b"\x01", ts_ns=now_ns + SECOND)
    one.post("two", Kind.SEND, Lane.ORDERS, "there", "int", b"\x01")
    until_there(ports, 1)

    assert two.lanes.count(Lane.RISK).depth == 1
    assert Meter(two, VirtualClock(now_ns)).status(dead_letters={}).lag_ns == 0


def test_a_rate_is_not_taken_over_a_moment(ports: tuple[Port, Port]) -> None:
    one, two = ports
    clock = VirtualClock(1_000)
    meter = Meter(two, clock)
    one.post("two", Kind.SEND, Lane.ORDERS, "there", "int", b"\x01")
    until_there(ports, 1)
    two.take()
    clock.advance_to(1_000 + SECOND)
    rate = meter.status(dead_letters={}).messages_per_second
    clock.advance_to(1_000 + SECOND + MS)

    assert (rate, meter.status(dead_letters={}).messages_per_second) == (1.0, 1.0)


class Calm(Actor):
    """Does nothing."""


class Raising(Actor):
    """Cannot start."""

    def on_start(self) -> None:
        raise ValueError("no feed")


def test_actors_are_told_with_their_state_and_what_went_wrong() -> None:
    clock = VirtualClock(1_000)
    host = LocalHost(clock, Bus(clock))
    host.add(Calm())
    host.add(Raising())
    host.start_all(["Calm-1", "Raising-1"])

    assert actor_statuses(host) == (
        ActorStatus("Calm-1", "ACTOR", "RUNNING"),
        ActorStatus("Raising-1", "ACTOR", "FAULTED", faults=1, reason="ValueError: no feed"),
    )


MEMORY = """
import mmap, sys
from libra_ray.hosts.meter import private_bytes

size = int(sys.argv[2])
before = private_bytes()
with open(sys.argv[1], "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
    assert mapped.find(b"x") == -1
    by_mapping = private_bytes() - before
held = bytearray(b"x") * size
print(by_mapping, private_bytes() - before, len(held))
"""


@pytest.mark.slow
def test_private_memory_grows_with_what_is_written_and_not_with_what_is_mapped(tmp_path: Path) -> None:
    """In a process of its own: one that has run for long takes memory that it has held before."""
    (tmp_path / "file").write_bytes(bytes(SIZE))

    command = [sys.executable, "-c", MEMORY, str(tmp_path / "file"), str(SIZE)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout

    by_mapping, by_writing, held = map(int, said.split())
    assert (abs(by_mapping) < SIZE // 4, by_writing > SIZE // 2, held) == (True, True, SIZE)
