"""A supervisor small enough for tests: starts hosts as processes, tells them what to do, kills them.

It is a host itself, in the test's own thread, so that it can send, publish and ask like anybody.
"""

import multiprocessing
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Self

from libra_ray.bus.wire.frames import Kind
from libra_ray.bus.wire.port import Letter, Port
from libra_ray.clock import LiveClock
from libra_ray.hosts.actor_carrier import ActorCarrier
from libra_ray.hosts.commands import Answer, HostCommand, MovePeer, PeerDied, StartActors, answer_in, post_command
from libra_ray.hosts.context import BUS, SUPERVISOR, HostProgram, MadeActor, PeerAddress, Resident
from libra_ray.hosts.loop import run_host
from libra_ray.hosts.status import HostStatus
from libra_ray.messages.codec import decode
from libra_ray.runtime import Actor

MS: Final = 1_000_000
SECOND: Final = 1_000 * MS

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["libra_ray.hosts.loop", "tests.hosts.residents"])


class DirectorCarrier(ActorCarrier):
    """Hears heartbeats and answers."""

    def __init__(self, program: HostProgram, port: Port, clock: LiveClock) -> None:
        self.beats: list[tuple[str, int, int]] = []
        self.statuses: dict[str, HostStatus] = {}
        self.answers: dict[int, Answer] = {}
        super().__init__(program, port, clock)
        self._runner.has_started = True

    def receive(self, letter: Letter) -> None:
        frame = letter.frame
        if frame.kind == Kind.HEARTBEAT:
            self.beats.append((letter.peer, frame.epoch, self._clock.now_ns()))
            if frame.type:
                status = decode(frame.type, letter.body)
                assert isinstance(status, HostStatus)
                self.statuses[letter.peer] = status
            self._port.done(letter)
        elif frame.kind == Kind.ANSWER:
            number, answer = answer_in(letter)
            self.answers[number] = answer
            self._port.done(letter, keep=False)
        else:
            super().receive(letter)


class Director:
    """Use it as a context: at its end no process, socket or file is left."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lr-"))
        self.clock = LiveClock()
        self.processes: dict[str, Any] = {}
        self.epochs: dict[str, int] = {}
        self._numbers = 0
        self._me = PeerAddress(SUPERVISOR, f"ipc://{self.folder}/{SUPERVISOR}-1")
        self._bus = PeerAddress(BUS, f"ipc://{self.folder}/{BUS}-1")
        program = HostProgram(SUPERVISOR, 1, self.folder, self._me.address, bus=self._bus, is_journaled=False)
        self.port = Port(SUPERVISOR, 1, self._me.address, self.clock)
        self.carrier = DirectorCarrier(program, self.port, self.clock)
        self.start_bus()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.kill()
            process.join(5)
        self.carrier.close()
        self.port.close(0)
        shutil.rmtree(self.folder)
        memory = Path("/dev/shm") / self.folder.name  # noqa: S108 - where segments are
        if memory.exists():
            shutil.rmtree(memory)

    # --- hosts ------------------------------------------------------------------------------------------------------

    def start_bus(self) -> None:
        """Start the bus host, in its next life when it lived before, and tell all where it is."""
        epoch = self._next(BUS)
        self._bus = PeerAddress(BUS, f"ipc://{self.folder}/{BUS}-{epoch}", epoch)
        self._launch(
            HostProgram(BUS, epoch, self.folder, self._bus.address, supervisor=self._me, ends_with_parent=True)
        )
        self.carrier._sync.move_peer(self._bus)  # noqa: SLF001 - as a supervisor does
        for host_id in self.processes:
            if host_id != BUS:
                self.tell(host_id, MovePeer(BUS, self._bus.address, epoch))

    def start(self, host_id: str, *residents: Resident | type[Actor], begin: bool = True, **more: Any) -> Answer:  # noqa: ANN401
        """Start a host, in its next life when it lived before, and its actors. Classes are named after themselves."""
        epoch = self._next(host_id)
        made = tuple(MadeActor(each, each.__name__) if isinstance(each, type) else each for each in residents)
        program = self.program(host_id, made, epoch, **more)
        self._launch(program)
        self.carrier._sync.move_peer(PeerAddress(host_id, program.address, epoch))  # noqa: SLF001 - as a supervisor does
        return self.ask(host_id, StartActors()) if begin else Answer(is_ok=True)

    def program(self, host_id: str, residents: tuple[Resident, ...], epoch: int, **more: Any) -> HostProgram:  # noqa: ANN401
        """What a host is given."""
        address = f"ipc://{self.folder}/{host_id}-{epoch}"
        return HostProgram(
            host_id, epoch, self.folder, address,
            supervisor=self._me, bus=self._bus, seed=7, residents=residents, ends_with_parent=True, **more,
        )  # fmt: skip

    def kill(self, host_id: str) -> None:
        """SIGKILL, and tell the bus host."""
        process = self.processes[host_id]
        os.kill(process.pid, signal.SIGKILL)
        process.join(5)
        if host_id != BUS:
            self.tell(BUS, PeerDied(host_id, self.epochs[host_id]))

    def _next(self, host_id: str) -> int:
        self.epochs[host_id] = self.epochs.get(host_id, 0) + 1
        return self.epochs[host_id]

    def _launch(self, program: HostProgram) -> None:
        process = _processes.Process(target=run_host, args=(program,))
        process.start()
        self.processes[program.host_id] = process

    # --- commands and messages --------------------------------------------------------------------------------------

    def tell(self, host_id: str, command: HostCommand, epoch: int | None = None) -> int:
        """Send a command; returns its number."""
        self._numbers += 1
        to = self.epochs[host_id] if epoch is None else epoch
        post_command(self.port, host_id, to, self._numbers, command, self.clock.now_ns())
        return self._numbers

    def ask(self, host_id: str, command: HostCommand, epoch: int | None = None) -> Answer:
        """Send a command and wait for its answer."""
        number = self.tell(host_id, command, epoch)
        self.until(lambda: number in self.carrier.answers)
        return self.carrier.answers.pop(number)

    def send(self, endpoint: str, *messages: object) -> None:
        """Send messages to an endpoint that is known by now or soon."""
        self.until(lambda: self.carrier.bus.has_endpoint(endpoint))
        self.carrier.act(lambda: [self.carrier.bus.send(endpoint, message) for message in messages])

    def publish(self, topic: str, *messages: object) -> None:
        """Publish messages."""

        def publish_all() -> None:
            for message in messages:
                self.carrier.bus.publish(topic, message)

        self.carrier.act(publish_all)

    def query(self, endpoint: str, body: object = None) -> Any:  # noqa: ANN401 - the receiver decides
        """Ask an endpoint and wait for the end."""
        ends: list[Any] = []
        bus = self.carrier.bus
        self.until(lambda: bus.has_endpoint(endpoint))
        self.carrier.act(
            lambda: bus.request(endpoint, body, timeout_ns=10 * SECOND, on_reply=lambda _id, end: ends.append(end))
        )
        self.until(lambda: bool(ends))
        return ends[0]

    # --- time -------------------------------------------------------------------------------------------------------

    def until(self, condition: Callable[[], bool], seconds: float = 10.0) -> None:
        """Run until `condition()` holds."""
        deadline_ns = self.clock.now_ns() + int(seconds * SECOND)
        while not condition():
            assert self.clock.now_ns() < deadline_ns, "what was waited for did not happen"
            self.run(2 * MS)

    def run(self, duration_ns: int) -> None:
        """Run for a while."""
        carrier, port, clock = self.carrier, self.port, self.clock
        until_ns = clock.now_ns() + duration_ns
        while True:
            carrier.resume()
            while (letter := port.take(unreliable_only=True) if carrier.is_waiting else port.take()) is not None:
                carrier.receive(letter)
            carrier.resume()
            carrier.on_time(clock.now_ns())
            left_ns = until_ns - clock.now_ns()
            if left_ns <= 0:
                return
            port.poll(min(left_ns, 5 * MS))

    def states(self, host_id: str) -> Mapping[str, str]:
        """The state of each actor of a host, as it says."""
        from libra_ray.hosts.commands import AskStatus

        status = self.ask(host_id, AskStatus()).value
        assert isinstance(status, HostStatus)
        return {actor.actor_id: actor.state for actor in status.actors}
