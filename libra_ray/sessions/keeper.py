"""The keeper of hosts: what the supervision tree decides, done with processes, heartbeats and commands."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from libra_ray.clock import Clock
from libra_ray.errors import LibraError
from libra_ray.hosts.commands import Answer, ForgetPeer, HostCommand, MovePeer, PeerDied, StartActors, StopHost
from libra_ray.hosts.context import BUS, HostProgram, PeerAddress
from libra_ray.runtime.ray import ProcessInfo
from libra_ray.runtime.supervision import (
    Action,
    Activate,
    Activated,
    Added,
    Begin,
    Ended,
    Escalate,
    Event,
    Halt,
    Health,
    HeartbeatMonitor,
    Hung,
    Kill,
    Launch,
    Launched,
    Phase,
    Removed,
    Restart,
    Stop,
    SupervisionTree,
    Tick,
)
from libra_ray.sessions.commander import Commander
from libra_ray.sessions.launcher import Departure, Launcher
from libra_ray.sessions.procedures import Procedures, Steps
from libra_ray.sessions.specs import ActorSpec, HostSpec, start_runs
from libra_ray.sessions.supervision_settings import ROOT, SupervisionSettings, group_of, host_supervisor

__all__ = ["HostKeeper", "HostRecord"]

SECOND: Final = 1_000_000_000
LAUNCH_NS_MAX: Final = 60 * SECOND
START_ACTORS_NS_MAX: Final = 30 * SECOND
STOP_HOST_NS: Final = 5 * SECOND
FAILURES_MAX: Final = 1_000
NOWHERE: Final = "tcp://127.0.0.1:9"
"""An address at which nobody listens: the port that throws away what comes."""


@dataclass(slots=True)
class HostRecord:
    """What is known of one host.

    Attributes:
        epoch: its present life; 0 before the first.
        address: where that life is bound.
        is_launched: a heartbeat of that life has come.
        status: the last `HostStatus` of that life.
        idle: ids of actors that are not to be started with the host.
        error: what ended its last life.
    """

    spec: HostSpec
    epoch: int = 0
    address: str = ""
    is_launched: bool = False
    status: Any = None
    heard_ns: int = 0
    info: ProcessInfo | None = None
    idle: set[str] = field(default_factory=set)
    error: Exception | None = None


class HostKeeper:
    """Belongs to the supervisor's thread.

    Attributes:
        hosts: records by host id, the bus host first, then in start order.
        failures: what actors and hosts failed at, one line each, the last thousand.
        unstarted: actors whose start failed, and why.
        broken: what the program of a host raised in its first life: it will raise it again.
    """

    def __init__(
        self,
        hosts: Iterable[HostSpec],
        tree: SupervisionTree,
        launcher: Launcher,
        commander: Commander,
        clock: Clock,
        *,
        make_program: Callable[[HostSpec, int], HostProgram],
        connect: Callable[[PeerAddress], None],
        public_key: Callable[[str], bytes | None],
        on_halt: Callable[[str], None],
        on_lost: Callable[[ActorSpec], None],
        settings: SupervisionSettings,
    ) -> None:
        self.hosts = {spec.host_id: HostRecord(spec) for spec in hosts}
        self.failures: deque[str] = deque(maxlen=FAILURES_MAX)
        self.unstarted: dict[str, str] = {}
        self.broken: Exception | None = None
        self.procedures = Procedures()
        self.tree = tree
        self._monitor = HeartbeatMonitor()
        self._launcher, self._commander, self._clock = launcher, commander, clock
        self._make_program, self._connect = make_program, connect
        self._on_halt, self._on_lost = on_halt, on_lost
        self._settings, self._public_key = settings, public_key
        self._changes = 0

    @property
    def changes(self) -> int:
        """Grows when something that a status shows has changed."""
        return self._changes

    def touch(self) -> None:
        """Something that a status shows has changed elsewhere."""
        self._changes += 1

    def note(self, text: str) -> None:
        """Remember what went wrong."""
        self._changes += 1
        self.failures.append(text)

    def tell(self, event: Event) -> None:
        """Give the tree an event and do what follows."""
        self._changes += 1
        for action in self.tree.handle(event, self._clock.now_ns()):
            self._do(action)

    def add_host(self, spec: HostSpec) -> HostRecord:
        """Know one host more, with a supervisor of its own. It is not started."""
        self.tell(Added(ROOT, host_supervisor(self._settings, spec.host_id, spec.restart)))
        record = self.hosts[spec.host_id] = HostRecord(spec)
        return record

    def introduce(self, host_id: str) -> Steps[None]:
        """Tell all hosts the key of one that will be there soon: who comes with a key unknown is sent away for good."""
        key = self._public_key(host_id)
        if key is None:
            return
        self._connect(PeerAddress(host_id, NOWHERE, 0, key))
        for other in list(self.hosts):
            yield from self.ask(other, MovePeer(host_id, NOWHERE, 0, key), SECOND)

    def remove_host(self, host_id: str) -> None:
        """Forget a host that does not run, here and in all others. One of a group stays in the group, idle."""
        with suppress(LookupError):
            self.tell(Removed(group_of(host_id)))
        del self.hosts[host_id]
        for other in self.hosts:
            self.tell_host(other, ForgetPeer(host_id))

    def begin(self, host_ids: Sequence[str], timeout_ns: int) -> Steps[None]:
        """Start these hosts and their actors; ends when each runs or has failed for good, or time is up.

        Raises what the program of a host raised in its first life.
        """
        self.tell(Begin(tuple(host_ids)))
        deadline_ns = self._clock.now_ns() + timeout_ns
        resting = {Phase.ACTIVE, Phase.GIVEN_UP, Phase.ENDED, Phase.IDLE}
        while any(self.tree.view(host_id).phase not in resting for host_id in host_ids):
            if self._clock.now_ns() >= deadline_ns:
                slow = [host_id for host_id in host_ids if self.tree.view(host_id).phase not in resting]
                self.note(f"not started within {timeout_ns / SECOND:g} s: {', '.join(slow)}")
                return
            if self.broken is not None:
                raise self.broken
            yield

    def ask(self, host_id: str, command: HostCommand, timeout_ns: int) -> Steps[Answer]:
        """Give the present life of a host a command."""
        record = self.hosts[host_id]
        if not record.is_launched:
            return Answer(is_ok=False, text=f"host {host_id} does not run")
        return (yield from self._commander.ask(host_id, record.epoch, command, timeout_ns))

    def tell_host(self, host_id: str, command: HostCommand) -> None:
        """Give the present life of a host, if it has one, a command whose answer nobody waits for."""
        record = self.hosts[host_id]
        if record.is_launched:
            self._commander.tell(host_id, record.epoch, command)

    # --- what comes in ------------------------------------------------------------------------------------------

    def on_heartbeat(self, host_id: str, epoch: int, status: object) -> None:
        """A host lives. Its first heartbeat says that it is launched."""
        record = self.hosts.get(host_id)
        if record is None or record.epoch != epoch:
            return
        now_ns = self._clock.now_ns()
        if self._monitor.beat(host_id, epoch, now_ns) is not None:
            self._changes += 1
        record.heard_ns = now_ns
        if status is not None:
            record.status = status
            self._changes += 1
        if not record.is_launched and self.tree.view(host_id).phase is Phase.LAUNCHING:
            record.is_launched = True
            record.info = self._launcher.info(host_id, epoch)
            if host_id == BUS and epoch > 1:
                self._move_bus(record)
            self.tell(Launched(host_id, epoch))

    def on_time(self) -> None:
        """See who has ended or fallen silent, and go on with what is under way."""
        for departure in self._launcher.ended():
            self._on_departure(departure)
        now_ns = self._clock.now_ns()
        for change in self._monitor.check(now_ns):
            self._changes += 1
            if change.health is Health.DEAD:
                self.tell(Hung(change.host_id, change.epoch, "no heartbeat for 3 s"))
        due_ns = self.tree.next_due_ns()
        if due_ns is not None and due_ns <= now_ns:
            self.tell(Tick())
        self.procedures.step()

    def health(self, host_id: str) -> Health | None:
        """What its heartbeats say; None while it does not run."""
        return self._monitor.health(host_id)

    def silence_ns(self, host_id: str) -> int:
        """For how long no heartbeat came."""
        return self._monitor.silence_ns(host_id, self._clock.now_ns())

    # --- actions ------------------------------------------------------------------------------------------------

    def _do(self, action: Action) -> None:
        match action:
            case Launch(host_id, epoch):
                self._launch(self.hosts[host_id], epoch)
            case Activate(host_ids):
                self.procedures.start(self._activate(host_ids))
            case Kill(host_id, epoch, reason):
                self.note(f"{host_id} epoch {epoch} was killed: {reason}")
                self._is_over(host_id, epoch, reason)
                self._launcher.kill(host_id, epoch)
            case Stop(host_id, epoch):
                self._commander.tell(host_id, epoch, StopHost(STOP_HOST_NS))
            case Escalate():
                pass
            case Halt(_, reason):
                self._on_halt(reason)

    def _launch(self, record: HostRecord, epoch: int) -> None:
        host_id = record.spec.host_id
        try:
            program = self._make_program(record.spec, epoch)
        except LibraError as error:  # no node takes it
            record.epoch, record.is_launched = epoch, False
            self._launcher.failed(host_id, epoch, error)
            return
        record.epoch, record.address, record.is_launched = epoch, program.address, False
        record.status = record.info = record.error = None
        self._monitor.watch(host_id, epoch, self._clock.now_ns(), start_ns_max=LAUNCH_NS_MAX)
        if not program.address.endswith("*"):  # else it is known when the bus host tells of it
            self._connect(PeerAddress(host_id, program.address, epoch, self._public_key(host_id)))
        self._launcher.launch(program)

    def _activate(self, host_ids: Sequence[str]) -> Steps[None]:
        """Start the actors of these hosts in start order, going on past failures."""
        records = [self.hosts[host_id] for host_id in host_ids]
        epochs = {record.spec.host_id: record.epoch for record in records}
        for host_id, actors in start_runs(record.spec for record in records):
            record = self.hosts[host_id]
            actor_ids = tuple(actor.actor_id for actor in actors if _is_wanted(record, actor))
            if actor_ids and record.epoch == epochs[host_id]:
                answer = yield from self.ask(host_id, StartActors(actor_ids), START_ACTORS_NS_MAX)
                if not answer.is_ok:
                    self._note_start(actor_ids, answer.text)
        for host_id, epoch in epochs.items():
            self.tell(Activated(host_id, epoch))

    def _note_start(self, actor_ids: Sequence[str], text: str) -> None:
        """A start failed: the text has `{actor_id} {hook}: {reason}` for each fault, or speaks of the whole."""
        self.note(f"start of {', '.join(actor_ids)}: {text}")
        named = [actor_id for actor_id in actor_ids if any(f.startswith(f"{actor_id} ") for f in text.split("; "))]
        for actor_id in named or actor_ids:
            self.unstarted[actor_id] = text

    def _on_departure(self, departure: Departure) -> None:
        host_id, epoch = departure.host_id, departure.epoch
        record = self.hosts.get(host_id)
        if record is None or record.epoch != epoch:
            return
        if departure.error is not None:
            record.error = departure.error
            if departure.is_raised and epoch == 1:
                self.broken = departure.error
            self.note(f"{host_id} epoch {epoch} ended: {departure.reason}")
        self._is_over(host_id, epoch, departure.reason)
        self.tell(Ended(host_id, epoch, is_bad=departure.error is not None, reason=departure.reason))
        if departure.error is not None:
            comes_back = self.tree.view(host_id).phase not in {Phase.ENDED, Phase.GIVEN_UP}
            for actor in record.spec.actors:
                if not comes_back or actor.restart is Restart.TEMPORARY:
                    self._on_lost(actor)

    def _is_over(self, host_id: str, epoch: int, reason: str) -> None:
        """Nobody waits for that life any more: neither here nor in the table of the bus host."""
        self._monitor.forget(host_id)
        self.hosts[host_id].is_launched = False
        self._commander.lost(host_id, epoch, reason)
        if host_id != BUS:
            self.tell_host(BUS, PeerDied(host_id, epoch))

    def _move_bus(self, bus: HostRecord) -> None:
        """Tell all hosts where the bus host lives now."""
        move = MovePeer(BUS, bus.address, bus.epoch, self._public_key(BUS))
        for host_id, record in self.hosts.items():
            if host_id != BUS and record.is_launched:
                self._commander.tell(host_id, record.epoch, move)


def _is_wanted(record: HostRecord, actor: ActorSpec) -> bool:
    """Whether it starts with its host: not when it was stopped, nor in a later life when it is temporary."""
    return actor.actor_id not in record.idle and (record.epoch == 1 or actor.restart is not Restart.TEMPORARY)
