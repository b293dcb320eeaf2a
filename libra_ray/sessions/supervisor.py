"""The supervisor: a host of its own in a thread of the driver. It carries no strategy, only the controller."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

from libra_ray.bus import NoReceiver, TimedOut
from libra_ray.bus.wire.frames import Kind
from libra_ray.bus.wire.port import Letter, Port
from libra_ray.clock import Clock
from libra_ray.errors import ConfigError, LibraError, NoReceiverError
from libra_ray.hosts.actor_carrier import ActorCarrier
from libra_ray.hosts.actor_host import LinkHeld
from libra_ray.hosts.commands import AddActor, Answer, RemoveActor, StartActors, StopActors
from libra_ray.hosts.context import BUS, HostProgram
from libra_ray.kernel.apart.execution_desk import EXECUTION
from libra_ray.kernel.apart.letters import FaultPolicy
from libra_ray.messages.codec import DecodeError, decode
from libra_ray.messages.commands import SetTradingState
from libra_ray.model.enums import TradingState
from libra_ray.runtime import State
from libra_ray.runtime.supervision import Phase, Restart, StartStage, SupervisionTree
from libra_ray.sessions.commander import Commander
from libra_ray.sessions.controller import CONTROLLER, Controller, ControllerResident, News
from libra_ray.sessions.fault_restarts import FaultRestarts
from libra_ray.sessions.keeper import HostKeeper
from libra_ray.sessions.launcher import Launcher
from libra_ray.sessions.operations import Operations
from libra_ray.sessions.procedures import Steps
from libra_ray.sessions.specs import ActorSpec, HostSpec
from libra_ray.sessions.supervision_settings import SupervisionSettings

__all__ = ["Orders", "SupervisorCarrier"]

T = TypeVar("T")

SECOND: Final = 1_000_000_000
POLL_NS: Final = 25_000_000
"""How often the ends of processes are looked for: half of it is what a death waits to be seen."""
STATUS_NS: Final = 1_000_000_000
RISK_ENDPOINT: Final = "RiskEngine.execute"
EXECUTION_ENDPOINT: Final = f"{EXECUTION}.execute"


@dataclass(frozen=True, slots=True)
class Orders:
    """What a supervisor is given beside its program.

    Attributes:
        hosts: whom it starts, the bus host first.
        make_program: what the next life of a host is given.
        make_host: the host of an actor that is added later.
        describe: what an actor that somebody wants added is, and how it is made. Raises `ConfigError`.
        public_key: what peers know a host by, where links are encrypted.
        on_status: called with each new status of the tree, at least once a second.
    """

    hosts: tuple[HostSpec, ...]
    tree: SupervisionTree
    settings: SupervisionSettings
    launcher: Launcher
    make_program: Callable[[HostSpec, int], HostProgram]
    make_host: Callable[[str], str]
    describe: Callable[[AddActor], ActorSpec]
    public_key: Callable[[str], bytes | None]
    on_status: Callable[["SupervisorCarrier"], None]


class SupervisorCarrier(ActorCarrier):
    """All in one thread, but for `call`.

    Attributes:
        keeper: the hosts. operations: what can be done with them.
        halted: why trading was halted; empty while it was not.
    """

    def __init__(self, program: HostProgram, port: Port, clock: Clock, orders: Orders) -> None:
        self.halted = ""
        self._asked: SimpleQueue[tuple[Callable[[], Steps[Any]], Future[Any]]] = SimpleQueue()
        self._acts: deque[Callable[[], object]] = deque()
        self._orders = orders
        self._shown = -1
        self._shown_ns = 0
        controller = ControllerResident(self.on_command, self.on_news)
        super().__init__(replace(program, residents=(controller,)), port, clock, orders.public_key(program.host_id))
        self.commander = Commander(port, clock)
        self.keeper = HostKeeper(
            orders.hosts,
            orders.tree,
            orders.launcher,
            self.commander,
            clock,
            make_program=orders.make_program,
            connect=self._sync.move_peer,
            public_key=orders.public_key,
            on_halt=self.halt,
            on_lost=self._apply_policy,
            settings=orders.settings,
        )
        self.operations = Operations(self.keeper, clock, make_host=orders.make_host)
        self.fault_restarts = FaultRestarts(orders.settings, clock, restart=self._restart_actor, on_halt=self.halt)

    # --- from other threads -------------------------------------------------------------------------------------

    def call(self, procedure: Callable[[], Steps[T]]) -> "Future[T]":
        """Have a procedure done in the supervisor's thread. May be called from any."""
        future: Future[T] = Future()
        self._asked.put((procedure, future))
        return future

    # --- what comes in ------------------------------------------------------------------------------------------

    def receive(self, letter: Letter) -> None:
        frame = letter.frame
        if frame.kind == Kind.HEARTBEAT:
            self.keeper.on_heartbeat(letter.peer, frame.epoch, self._status_in(letter))
            self._port.done(letter)
        elif frame.kind == Kind.ANSWER:
            self.commander.receive(letter)
            self._port.done(letter)
        else:
            super().receive(letter)

    def on_time(self, now_ns: int) -> int:
        due_ns = super().on_time(now_ns)
        while True:
            try:
                procedure, future = self._asked.get_nowait()
            except Empty:
                break
            self.keeper.procedures.start(_begun(procedure), future)
        self.keeper.on_time()
        self.fault_restarts.on_time()
        while self._acts and not self.is_waiting:
            self.act(self._acts.popleft())
        if self.keeper.changes != self._shown or now_ns >= self._shown_ns + STATUS_NS:
            self._shown, self._shown_ns = self.keeper.changes, now_ns
            self._orders.on_status(self)
        return min(due_ns, now_ns + POLL_NS)

    # --- the controller -----------------------------------------------------------------------------------------

    def start_all(self, timeout_ns: int) -> Steps[None]:
        """The bus host, then the controller, then all others with their actors in start order.

        Raises what building an actor raised, or `LibraError` with what else kept a host from starting.
        """
        keeper, deadline_ns = self.keeper, self._clock.now_ns() + timeout_ns
        yield from keeper.begin((BUS,), timeout_ns)
        yield from self.start_controller()
        others = [host_id for host_id in keeper.hosts if host_id != BUS]
        yield from keeper.begin(others, deadline_ns - self._clock.now_ns())
        down = [host_id for host_id in keeper.hosts if keeper.tree.view(host_id).phase is not Phase.ACTIVE]
        if down:
            raise keeper.hosts[down[0]].error or LibraError("; ".join(keeper.failures) or f"{down[0]} did not start")
        for record in keeper.hosts.values():
            for spec in record.spec.actors:
                if spec.stage <= StartStage.CLIENT and spec.actor_id in keeper.unstarted:
                    raise LibraError(f"a part of the kernel did not start: {keeper.unstarted[spec.actor_id]}")

    def start_controller(self) -> Steps[None]:
        """Once the bus host runs: be in the table, take commands, hear of states."""
        yield from self._until_closed()
        self._begin(None, self._runner.run(StartActors()))
        yield from self._until_closed()

    def on_command(self, command: object, answer: Callable[[Answer], None]) -> None:
        """A command came from an actor."""
        if isinstance(command, SetTradingState):
            self._send(RISK_ENDPOINT, command)
            answer(Answer(is_ok=True))
            return
        steps = self._steps_of(command)
        if steps is None:
            answer(Answer(is_ok=False, text=f"{type(command).__name__} is no command for a deployment"))
            return
        future = self.keeper.procedures.start(steps)
        future.add_done_callback(lambda done: self._acts.append(lambda: answer(_answer_of(done))))

    def on_news(self, event: News) -> None:
        """An actor's lifecycle has moved, or a host is too slow for its orders: then trading halts."""
        if isinstance(event, LinkHeld):
            self.halt(f"host {event.peer_id} is slow: orders of {event.host_id} wait {event.held_ns / SECOND:.1f} s")
            return
        spec = self.operations.hear(event)
        if spec is None:
            return
        self.keeper.touch()
        if event.to_state == State.FAULTED:
            self.keeper.note(f"{event.actor_id} faulted: {event.reason}")
            if spec.restart is Restart.PERMANENT:
                self.fault_restarts.faulted(event.actor_id, event.reason)

    def halt(self, reason: str) -> None:
        """Nothing that opens a position is let through any more, as far as there is a risk engine."""
        self.halted = self.halted or reason
        self.keeper.note(f"trading is halted: {reason}")
        self._send(RISK_ENDPOINT, SetTradingState(self._clock.now_ns(), CONTROLLER, TradingState.HALTED, reason))

    def _apply_policy(self, actor: ActorSpec) -> None:
        """A process has died with an actor that will not come back: cancel what a strategy left, or close it too."""
        if actor.fault_policy not in ("", "keep"):
            self.keeper.note(f"{actor.actor_id} is gone for good: its policy is {actor.fault_policy}")
            self._send(EXECUTION_ENDPOINT, FaultPolicy(self._clock.now_ns(), actor.actor_id, actor.fault_policy))

    def halted_by_hand(self, reason: str) -> Steps[Answer]:
        """`halt`, asked for from another thread."""
        self.halt(reason)
        yield from ()
        return Answer(is_ok=True)

    # --- the driver's own messages ------------------------------------------------------------------------------

    def request(self, endpoint: str, message: object, timeout_ns: int) -> Steps[Any]:
        """Ask an endpoint and return its reply. Raises `LibraError` when nobody has it or no reply comes in time."""
        replies: list[Any] = []
        controller = self._controller()
        yield from self._done_as_turn(
            lambda: controller.request(endpoint, message, timeout_ns, lambda _, reply: replies.append(reply))
        )
        while not replies:
            yield
        if isinstance(replies[0], NoReceiver):
            raise NoReceiverError(endpoint)
        if isinstance(replies[0], TimedOut):
            raise LibraError(f"{endpoint} did not reply within {timeout_ns / SECOND:g} s")
        return replies[0]

    def publish(self, topic: str, message: object) -> Steps[None]:
        """Publish, as the controller."""
        yield from self._done_as_turn(lambda: self._controller().publish(topic, message))

    def subscribe(self, pattern: str, callback: Callable[[Any], object]) -> Steps[None]:
        """Have what comes on matching topics given to `callback`, in the supervisor's thread."""

        def failed(error: Exception) -> None:
            self.keeper.note(f"what the driver does with {pattern} raised {error!r}")

        yield from self._done_as_turn(lambda: self._controller().listen(pattern, callback, failed))

    # --- inside -------------------------------------------------------------------------------------------------

    def _controller(self) -> Controller:
        controller = self.host.actor(CONTROLLER)
        if not isinstance(controller, Controller):
            raise LibraError("the supervisor's own actor is another")
        return controller

    def _done_as_turn(self, call: Callable[[], object]) -> Steps[None]:
        """Do something in a turn of its own, and wait for the end of that turn."""
        done: Future[None] = Future()

        def act() -> None:
            try:
                call()
            except Exception as error:  # noqa: BLE001  # raised below, where it was asked for
                done.set_exception(error)
            else:
                done.set_result(None)

        self._acts.append(act)
        while not done.done() or self.is_waiting:
            yield
        done.result()

    def _until_closed(self) -> Steps[None]:
        while self.is_waiting:
            yield

    def _send(self, endpoint: str, message: object) -> None:
        """As an act of the controller, where somebody receives it."""
        if self.bus.has_endpoint(endpoint):
            self._acts.append(lambda: self.bus.send(endpoint, message))

    def _restart_actor(self, actor_id: str) -> None:
        self.keeper.procedures.start(self.operations.restart_actor(actor_id))

    def _steps_of(self, command: object) -> Steps[Answer] | None:
        operations = self.operations
        match command:
            case AddActor():
                return self._added(command)
            case StartActors(actor_ids):
                return _each(operations.start_actor, actor_ids)
            case StopActors(actor_ids):
                return _each(operations.stop_actor, actor_ids)
            case RemoveActor(actor_id):
                return operations.remove_actor(actor_id)
            case _:
                return None

    def _added(self, command: AddActor) -> Steps[Answer]:
        try:
            spec = self._orders.describe(command)
        except ConfigError as error:
            return Answer(is_ok=False, text=error.message)
        return (yield from self.operations.add_actor(spec))

    def _status_in(self, letter: Letter) -> object:
        if not letter.frame.type:
            return None
        try:
            return decode(letter.frame.type, letter.body)
        except DecodeError:
            return None  # a host that lives and speaks badly; its heartbeat counts


def _begun(procedure: Callable[[], Steps[T]]) -> Steps[T]:
    """So that what a procedure raises before its first step is its result too."""
    return (yield from procedure())


def _each(operation: Callable[[str], Steps[Answer]], actor_ids: tuple[str, ...]) -> Steps[Answer]:
    texts = []
    for actor_id in actor_ids:
        answer = yield from operation(actor_id)
        texts += [] if answer.is_ok else [answer.text]
    return Answer(is_ok=not texts, text="; ".join(texts))


def _answer_of(done: "Future[Answer]") -> Answer:
    error = done.exception()
    if error is None:
        return done.result()
    return Answer(is_ok=False, text=str(error) if isinstance(error, LibraError) else repr(error))
