"""A host of the test itself: a thread of this process, on the real bus, on which probes stand among live hosts."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from libra_ray.bus.wire.frames import Kind
from libra_ray.bus.wire.keys import Keys
from libra_ray.bus.wire.port import Faults, Letter, Port
from libra_ray.clock import Clock, LiveClock
from libra_ray.errors import LibraError
from libra_ray.hosts.actor_carrier import ActorCarrier
from libra_ray.hosts.commands import PeerDied, post_command
from libra_ray.hosts.context import HostProgram, PeerAddress
from libra_ray.hosts.loop import HostLoop
from libra_ray.runtime import LocalHost, State
from libra_ray.testing.grounds import LiveGround

__all__ = ["ProbeHost"]

T = TypeVar("T")

LOOK_NS: Final = 2_000_000
"""How soon a host looks for what the test wants of it."""
ANSWER_SECONDS_MAX: Final = 10.0
LEAVE_SECONDS_MAX: Final = 2.0


class _ProbeCarrier(ActorCarrier):
    """A host of actors that also does what the test's threads ask, each as a turn of its own."""

    def __init__(self, program: HostProgram, port: Port, clock: Clock, server_key: bytes | None) -> None:
        super().__init__(program, port, clock, server_key)
        self._asked: SimpleQueue[tuple[Callable[[LocalHost], Any], Future[Any]]] = SimpleQueue()
        self._ending: tuple[Future[Any], Any] | None = None
        self.has_left = threading.Event()

    def ask(self, call: Callable[[LocalHost], T]) -> "Future[T]":
        """Have `call(host)` done in the host's thread; done when all hosts know what it subscribed to."""
        future: Future[T] = Future()
        self._asked.put((call, future))
        return future

    def leave(self, number: int) -> None:
        """Tell the bus host that nobody needs to wait for this host any more; `has_left` when it knows."""
        bus = self._program.bus
        if bus is not None:
            died = PeerDied(self._program.host_id, self._program.epoch)
            post_command(self._port, bus.host_id, bus.epoch, number, died, self._clock.now_ns())

    def receive(self, letter: Letter) -> None:
        if letter.frame.kind == Kind.ANSWER:
            self.has_left.set()
            self._port.done(letter)
        else:
            super().receive(letter)

    def on_time(self, now_ns: int) -> int:
        due_ns = super().on_time(now_ns)
        while not self.is_waiting and self.ends_by_ns is None:
            if self._ending is not None:
                future, result = self._ending
                self._ending = None
                future.set_result(result)
            try:
                call, future = self._asked.get_nowait()
            except Empty:
                break
            self._do(call, future)
        return min(due_ns, now_ns + LOOK_NS)

    def _do(self, call: Callable[[LocalHost], T], future: "Future[T]") -> None:
        self._port.begin()
        self._is_open = True
        start = len(self.host.staged)
        try:
            self._ending = (future, call(self.host))
        except BaseException as error:  # noqa: BLE001 - raised in the thread that asked
            self.host.rollback(start)
            future.set_exception(error)
        self.resume()


class ProbeHost(LiveGround):
    """Joins the hosts around a bus host from within the test's process.

        with ProbeHost(bus=PeerAddress("bus", address), folder=folder) as here:
            probe = Probe(here, "signals.*")
            probe.expect(Signal, value=3, within_ns=SECOND_NS)

    Several probes may stand on it. It sends no heartbeats and keeps no journal. What its actors raise fails `close`.
    """

    def __init__(
        self,
        bus: PeerAddress,
        folder: Path,
        *,
        host_id: str = "probes",
        epoch: int = 1,
        keys: Keys | None = None,
        address: str = "",
        faults: Faults | None = None,
    ) -> None:
        """Bind `ipc://{folder}/{host_id}-{epoch}`, or `address`, and join. Returns when the bus host knows this host.

        `folder` is private and its path short enough for a socket; `faults`, a `FaultPlan`, says what goes wrong with
        what this host sends. Raises `ConfigError` CONF010 where it cannot bind, `LibraError` when no bus host answers.
        """
        super().__init__(f"{host_id}-")
        address = address or f"ipc://{folder}/{host_id}-{epoch}"
        self._program = HostProgram(
            host_id, epoch, folder, address, bus=bus, is_journaled=False, starts_itself=True, faults=faults
        )
        self._keys = keys
        self._begun: Future[_ProbeCarrier] = Future()
        self._crash: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"libra-ray-{host_id}", daemon=True)
        self._thread.start()
        self._carrier = self._begun.result(ANSWER_SECONDS_MAX)
        self.do(lambda _host: None)

    def do(self, call: Callable[[LocalHost], T]) -> T:
        """Call `call(host)` in the host's thread, as a turn. Returns when all hosts know what it subscribed to."""
        self._check()
        if not self._thread.is_alive():
            raise LibraError(f"host {self._program.host_id} has left")
        try:
            return self._carrier.ask(call).result(ANSWER_SECONDS_MAX)
        except TimeoutError:
            self._check()
            raise LibraError(f"host {self._program.host_id} did not do it in {ANSWER_SECONDS_MAX:g} s") from None

    def faults(self) -> list[str]:
        """What its actors have raised, a line each."""
        return [f"{fault.actor_id} {fault.hook}: {fault.reason}" for fault in list(self._carrier.host.faults)]

    def close(self) -> None:
        """Leave: its actors are disposed of, the bus host is told, the thread ends. Twice is fine.

        Raises `LibraError` when one of its actors has raised, or what the thread itself did.
        """
        if self._thread.is_alive():
            self.do(_dispose_all)
            self.do(lambda _host: self._carrier.leave(1))
            self._carrier.has_left.wait(LEAVE_SECONDS_MAX)
            self._carrier.ends_by_ns = 0
            self._thread.join()
        self._check()
        if self.faults():
            raise LibraError(f"host {self._program.host_id}: {'; '.join(self.faults())}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self) -> None:
        """Raises `LibraError` when the host's thread has failed."""
        if self._crash is not None:
            raise LibraError(f"host {self._program.host_id} failed: {self._crash!r}") from self._crash

    def _run(self) -> None:
        program, clock = self._program, LiveClock()
        try:
            port = Port(program.host_id, program.epoch, program.address, clock, keys=self._keys, faults=program.faults)
            try:
                carrier = _ProbeCarrier(program, port, clock, None if self._keys is None else self._keys.public)
                self._begun.set_result(carrier)
                HostLoop(program, port, clock, carrier, None).run()
            finally:
                port.close(0)
        except BaseException as error:  # noqa: BLE001 - raised in every thread that asks
            self._crash = error
            if not self._begun.done():
                self._begun.set_exception(error)


def _dispose_all(host: LocalHost) -> None:
    for actor_id, actor in list(host.actors.items()):
        if actor.is_active:
            host.stop(actor_id)
        if actor.state is not State.DISPOSED:
            host.dispose(actor_id)
