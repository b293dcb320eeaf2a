"""The wire alone, without hosts and actors: a port's round trip, and how much a relay stores and forwards.

pinger <--- ipc ---> echo            floor: plain ZeroMQ, 2 parts of 60 and 200 bytes
pinger <--- port ---> port: echo     port: numbered, confirmed, written to a journal at both ends before it leaves
source ---> relay ---> sink          relay: an item is a message, stored at each of the three, none lost, in order

A round trip's time is the median; `*_p99` is the 99th percentile. The path counts there and back.
"""

import multiprocessing
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import zmq

from benchmarks._hosts import percentile
from benchmarks.harness import Bench, main
from libra_ray.bus.wire.frames import Kind, Part
from libra_ray.bus.wire.port import Letter, Port
from libra_ray.clock import LiveClock
from libra_ray.runtime.inbox import Lane

HEADER: Final = b"h" * 60
BODY: Final = b"x" * 200
WARM: Final = 100
ONE_HOP_SECONDS_MAX: Final = 150e-6
RELAYED_PER_SECOND_MIN: Final = 25_000
UNDER_WAY: Final = 2_000
BURST: Final = 16
POLL_NS: Final = 100_000_000
DONE: Final = b"done"


def wire_one_hop(bench: Bench) -> None:
    """Go there and back by both ways, then through a relay."""
    trips = bench.size("round_trips", smoke=50, full=4_000)
    messages = bench.size("messages", smoke=320, full=40_000)
    bench.needs_cores(2)
    bench.budget("port", seconds_max=ONE_HOP_SECONDS_MAX)
    bench.budget("relay", items_per_s_min=RELAYED_PER_SECOND_MIN)
    for _ in bench.runs(warm_up=False):
        for name, way in bench.turns({"floor": _by_zmq, "port": _by_port}):
            seconds = way(trips)
            bench.check(actual=len(seconds), expected=trips)
            bench.record(name, seconds=percentile(seconds, 50), items=1)
            bench.record(f"{name}_p99", seconds=percentile(seconds, 99), items=1, floor="floor_p99")
        seconds_relayed, count = _relayed(messages)
        bench.check(actual=count, expected=messages)
        bench.record("relay", seconds=seconds_relayed, items=messages, floor="")


@contextmanager
def _peers(*mains: Callable[[Path], None]) -> Iterator[Path]:
    """A folder, and processes that work in it until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="libra-b-", dir="/tmp"))  # the path of a socket must be short
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=main_function, args=(folder,), daemon=True) for main_function in mains]
    for process in processes:
        process.start()
    try:
        yield folder
    finally:
        for process in processes:
            process.kill()
            process.join()
        shutil.rmtree(folder, ignore_errors=True)


def _by_zmq(trips: int) -> list[float]:
    clock, seconds = LiveClock(), []
    with _peers(_zmq_echo) as folder, zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.connect(f"ipc://{folder}/echo")
        for _ in range(trips + WARM):
            started_ns = clock.now_ns()
            socket.send_multipart([HEADER, BODY])
            socket.recv_multipart()
            seconds.append((clock.now_ns() - started_ns) / 1e9)
    return seconds[WARM:]


def _zmq_echo(folder: Path) -> None:
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.bind(f"ipc://{folder}/echo")
        while True:
            socket.send_multipart(socket.recv_multipart())


def _port(folder: Path, name: str, *peers: str) -> Port:
    port = Port(name, 1, f"ipc://{folder}/{name}", LiveClock(), journal=folder / f"{name}.journal")
    for peer in peers:
        port.connect(peer, f"ipc://{folder}/{peer}", 1)
    return port


def _send(port: Port, peer: str, body: Part) -> None:
    port.post(peer, Kind.SEND, Lane.ORDERS, "ExecEngine.execute", "SubmitOrder", body, origin="S-1")


def _serve(port: Port, handle: Callable[[Letter], None]) -> None:
    """Turn after turn, as a host does."""
    while True:
        port.poll(POLL_NS)
        while (letter := port.take()) is not None:
            handle(letter)
            port.done(letter, keep=False)


def _echo(folder: Path) -> None:
    port = _port(folder, "echo", "pinger")
    _serve(port, lambda letter: _send(port, "pinger", letter.body))


def _answer(port: Port) -> bytes:
    """Wait for the next letter."""
    while (letter := port.take()) is None:
        port.poll(POLL_NS)
    port.done(letter, keep=False)
    return bytes(letter.body)


def _by_port(trips: int) -> list[float]:
    clock, seconds = LiveClock(), []
    with _peers(_echo) as folder:
        port = _port(folder, "pinger", "echo")
        try:
            for _ in range(trips + WARM):
                started_ns = clock.now_ns()
                _send(port, "echo", BODY)
                _answer(port)
                seconds.append((clock.now_ns() - started_ns) / 1e9)
        finally:
            port.close(0)
    return seconds[WARM:]


def _relay(folder: Path) -> None:
    port = _port(folder, "relay", "source", "sink")
    _serve(port, lambda letter: _send(port, "sink", letter.body))


def _sink(folder: Path) -> None:
    """Counts what comes in order, and says how much when the source asks."""
    port = _port(folder, "sink", "relay", "source")
    count = last = 0

    def handle(letter: Letter) -> None:
        nonlocal count, last
        if letter.body == DONE:
            _send(port, "source", b"%d" % count)
        elif letter.frame.seq == last + 1:
            count += 1
        last = letter.frame.seq

    _serve(port, handle)


def _relayed(messages: int) -> tuple[float, int]:
    """Seconds from the first message to the word that all are there, and how many there are."""
    clock = LiveClock()
    with _peers(_relay, _sink) as folder:
        port = _port(folder, "source", "relay", "sink")
        try:
            _send(port, "relay", DONE)
            _answer(port)  # all three are up
            started_ns = clock.now_ns()
            for _ in range(messages // BURST):
                port.begin()
                for _ in range(BURST):
                    _send(port, "relay", BODY)
                port.commit()
                while port.unconfirmed() > UNDER_WAY:
                    port.poll(POLL_NS)
            _send(port, "relay", DONE)
            count = int(_answer(port))
            return (clock.now_ns() - started_ns) / 1e9, count
        finally:
            port.close(0)


if __name__ == "__main__":
    sys.exit(main(wire_one_hop))
