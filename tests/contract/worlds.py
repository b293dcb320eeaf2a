"""Where the contract is checked: all actors in one host on virtual time, or each in a host of its own on the wire.

A test names hosts `a`, `b` and `c` and runs jobs in them. In the fused world they are one and the same. In the others
each is a thread with a real port, and beside them runs a real bus host.
"""

import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from libra_ray.bus import Bus
from libra_ray.bus.wire.keys import Keys
from libra_ray.bus.wire.port import Faults, Port
from libra_ray.clock import LiveClock, VirtualClock
from libra_ray.hosts.actor_carrier import ActorCarrier
from libra_ray.hosts.bus_host import BusHost
from libra_ray.hosts.context import BUS, HostProgram, PeerAddress
from libra_ray.hosts.loop import HostLoop
from libra_ray.hosts.remote_bus import RemoteBus
from libra_ray.runtime import Actor, Kind, LocalHost

T = TypeVar("T")
MS = 1_000_000
QUIET_SECONDS_MAX = 10.0


class World(ABC):
    """Hosts `a`, `b`, `c` with a bus between them."""

    @abstractmethod
    def do(self, where: str, job: Callable[[LocalHost], T]) -> T:
        """Run `job` in a host, as if a handler did it, and settle that host."""

    @abstractmethod
    def settle(self) -> None:
        """Wait until nothing is on its way."""

    @abstractmethod
    def pass_time(self, duration_ns: int) -> None:
        """Let so much time pass."""

    def add(self, where: str, *actors: Actor) -> None:
        """Take actors into a host and start them."""

        def job(host: LocalHost) -> None:
            host.start_all([host.add(actor, Kind.ACTOR) for actor in actors])

        self.do(where, job)
        self.settle()

    def bus(self, where: str, job: Callable[[Bus], T]) -> T:
        """Run `job` on the bus of a host, then wait until nothing is on its way."""

        def on_host(host: LocalHost) -> T:
            assert isinstance(host.bus, Bus)
            return job(host.bus)

        result = self.do(where, on_host)
        self.settle()
        return result

    @abstractmethod
    def close(self) -> None:
        """End it."""


class FusedWorld(World):
    """One host, virtual time."""

    def __init__(self) -> None:
        clock = VirtualClock(1_000)
        self.host = LocalHost(clock, Bus(clock), seed=7)

    def do(self, where: str, job: Callable[[LocalHost], T]) -> T:
        assert where in "abc"
        result = job(self.host)
        self.host.settle()
        return result

    def settle(self) -> None:
        self.host.settle()

    def pass_time(self, duration_ns: int) -> None:
        self.host.advance_to(self.host.clock.now_ns() + duration_ns)

    def close(self) -> None:
        """There is nothing to end."""


class DrivenCarrier(ActorCarrier):
    """A host of actors that also runs jobs of the test, each as a turn of its own, and ends soon when it is told to."""

    is_over = False

    def __init__(self, program: HostProgram, port: Port, clock: LiveClock, keys: Keys | None = None) -> None:
        super().__init__(program, port, clock, None if keys is None else keys.public)
        self._runner.has_started = True  # actors are started by jobs
        self.jobs: queue.SimpleQueue[tuple[Callable[[LocalHost], Any], Future[Any]]] = queue.SimpleQueue()

    def on_time(self, now_ns: int) -> int:
        if self.is_over:
            self.ask_to_stop(0)
        while not self.is_waiting and self.ends_by_ns is None and not self.jobs.empty():
            job, future = self.jobs.get()
            self._port.begin()
            self._is_open = True
            try:
                result = job(self.host)
            except BaseException as error:  # noqa: BLE001 - it is the test's
                future.set_exception(error)
            else:
                future.set_result(result)
            self.resume()
        return min(super().on_time(now_ns), now_ns + MS)

    def is_quiet(self) -> bool:
        """Nothing waits here, and what left reliably has arrived."""
        port = self._port
        return not (self.is_waiting or port.waiting or port.unconfirmed() or self.host.queue or not self.jobs.empty())


class DrivenBus(BusHost):
    """A bus host that ends soon when it is told to."""

    is_over = False

    def on_time(self, now_ns: int) -> int:
        if self.is_over and self.ends_by_ns is None:
            self.ask_to_stop(0)
        return min(super().on_time(now_ns), now_ns + 10 * MS)


class ThreadHost:
    """A host in a thread of this process."""

    def __init__(self, program: HostProgram, faults: Faults | None = None, keys: Keys | None = None) -> None:
        self.program = program
        self._faults, self._keys = faults, keys
        self.carrier: Any = None
        self.port: Any = None
        self.error: BaseException | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name=program.host_id, daemon=True)
        self._thread.start()
        self._ready.wait(10)

    def _run(self) -> None:
        program, clock = self.program, LiveClock()
        journal = program.folder / f"{program.host_id}.journal" if program.is_journaled else None
        port = Port(
            program.host_id, program.epoch, program.address, clock,
            journal=journal, faults=self._faults, keys=self._keys,
        )  # fmt: skip
        try:
            carrier = (
                DrivenBus(program, port, clock)
                if program.bus is None
                else DrivenCarrier(program, port, clock, self._keys)
            )
            self.carrier, self.port = carrier, port
            self._ready.set()
            HostLoop(program, port, clock, carrier, None).run()
        except BaseException as error:  # noqa: BLE001 - shown by `close`
            self.error = error
        finally:
            self._ready.set()
            port.close(0)

    def do(self, job: Callable[[LocalHost], T]) -> T:
        """Run a job in its thread."""
        return self.post(job).result(QUIET_SECONDS_MAX)

    def post(self, job: Callable[[LocalHost], T]) -> "Future[T]":
        """Have a job run there; does not wait."""
        future: Future[T] = Future()
        self.carrier.jobs.put((job, future))
        return future

    def tell_to_end(self) -> None:
        """Begin to end."""
        if self.carrier is not None:
            self.carrier.is_over = True

    def close(self) -> None:
        """End it; raises what it raised."""
        self.tell_to_end()
        self._thread.join(10)
        if self.error is not None:
            raise self.error


class WiredWorld(World):
    """A bus host and hosts of actors, on sockets in `folder`, or on tcp with `keys`. `names` maps a, b, c to hosts."""

    def __init__(
        self,
        folder: Path,
        names: dict[str, str],
        faults: Mapping[str, Faults] | None = None,
        *,
        keys: Mapping[str, Keys] | None = None,
        nodes: Mapping[str, str] | None = None,
    ) -> None:
        self.folder, self._is_faulty = folder, bool(faults)
        faults, keys, nodes = faults or {}, keys or {}, nodes or {}

        def start(name: str, bus: PeerAddress | None) -> ThreadHost:
            address = "tcp://127.0.0.1:*" if keys else f"ipc://{folder}/{name}-1"
            program = HostProgram(name, 1, folder, address, bus=bus, seed=7, node=nodes.get(name, ""))
            return ThreadHost(program, faults.get(name), keys.get(name))

        self.bus_host = start(BUS, None)
        bus = PeerAddress(BUS, self.bus_host.port.address, 1, keys[BUS].public if keys else None)
        made = {name: start(name, bus) for name in dict.fromkeys(names.values())}
        self.hosts = {where: made[name] for where, name in names.items()}
        self.made = list(made.values())
        self.wait(lambda: all(self._knows_all(host) for host in self.made))

    def do(self, where: str, job: Callable[[LocalHost], T]) -> T:
        return self.hosts[where].do(job)

    def settle(self) -> None:
        self.wait(self._is_quiet)

    def pass_time(self, duration_ns: int) -> None:
        self.pass_for(duration_ns)
        self.settle()

    def pass_for(self, duration_ns: int) -> None:
        """Let so much time pass, whatever is on its way then."""
        time.sleep(duration_ns / 1e9)  # noqa: TID251 - what is waited for is the wall clock of the hosts

    def close(self) -> None:
        for host in (*self.made, self.bus_host):
            host.tell_to_end()
        for host in (*self.made, self.bus_host):
            host.close()

    def _knows_all(self, host: ThreadHost) -> bool:
        def job(local: LocalHost) -> bool:
            assert isinstance(local.bus, RemoteBus)
            return len(local.bus.copy.hosts) == len(self.made)

        return host.do(job)

    def _is_quiet(self) -> bool:
        """Nothing is on its way, and nothing is after each host ended the turn that it was in and had one more."""
        if not self._seems_quiet():
            return False
        for host in self.made:
            host.do(lambda _: None)
        return self._seems_quiet()

    def _seems_quiet(self) -> bool:
        """Nothing is on its way, as far as can be seen from here while the hosts run."""
        return (
            not self.bus_host.port.unconfirmed()
            and all(host.carrier.is_quiet() for host in self.made)
            and self._know_the_table()
            and (self._is_faulty or self._has_all_data())
        )

    def _know_the_table(self) -> bool:
        """All hosts have the same table, and it has all that they receive."""
        versions = {host.carrier.bus.copy.version for host in self.made}
        return len(versions) == 1 and all(host.carrier.is_told for host in self.made)

    def _has_all_data(self) -> bool:
        """Each batch that was published was consumed wherever it was to go."""
        carriers = {host.program.host_id: host.carrier.bus.market for host in self.made}
        return all(
            carriers[reader].inbound.positions().get(publisher, 0) == position
            for publisher, market in carriers.items()
            for reader, position in market.outbound.positions().items()
        )

    @staticmethod
    def wait(condition: Callable[[], bool]) -> None:
        """Wait until `condition()` holds."""
        for _ in range(int(QUIET_SECONDS_MAX / 0.002)):
            if condition():
                return
            time.sleep(0.002)  # noqa: TID251 - other threads need it
        raise AssertionError("the hosts did not come to rest")
