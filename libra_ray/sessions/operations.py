"""What can be done to a running deployment: start and stop all, add, start, stop and remove actors."""

from collections.abc import Callable
from typing import Final

from libra_ray.clock import Clock
from libra_ray.errors import ConfigError, did_you_mean, quoted
from libra_ray.hosts.commands import (
    AddActor,
    Answer,
    HostCommand,
    RemoveActor,
    RestartActor,
    ResumeActor,
    StartActors,
    StopActors,
    StopHost,
)
from libra_ray.hosts.context import ImportedActor, MadeActor
from libra_ray.messages.events import ComponentStateChanged
from libra_ray.runtime import Kind, State
from libra_ray.runtime.supervision import Finish, Phase, StopAsked
from libra_ray.sessions.keeper import HostKeeper, HostRecord
from libra_ray.sessions.procedures import Steps
from libra_ray.sessions.residents import UserResident
from libra_ray.sessions.specs import ActorSpec, HostSpec, start_runs

__all__ = ["Operations"]

SECOND: Final = 1_000_000_000
COMMAND_NS_MAX: Final = 10 * SECOND
LEAST_NS: Final = 200_000_000


class Operations:
    """Procedures over the keeper's hosts. They raise `LibraError` where what is asked for cannot be done.

    Attributes:
        heard: the last change of each actor's state in the present life of its host, as the bus told.
    """

    def __init__(self, keeper: HostKeeper, clock: Clock, *, make_host: Callable[[str], str]) -> None:
        self.heard: dict[str, ComponentStateChanged] = {}
        self._keeper, self._clock, self._make_host = keeper, clock, make_host

    def hear(self, event: ComponentStateChanged) -> ActorSpec | None:
        """An actor's state has changed; returns whose, None for a stranger or a former life."""
        for record in self._keeper.hosts.values():
            for spec in record.spec.actors:
                if spec.actor_id == event.actor_id and record.epoch == event.epoch:
                    self.heard[event.actor_id] = event
                    return spec
        return None

    # --- all ----------------------------------------------------------------------------------------------------

    def stop_all(self, deadline_ns: int) -> Steps[list[str]]:
        """Stop all actors and then all hosts, in reverse order, going on past failures; returns the failures.

        Each step may take its share of the time that is left until `deadline_ns`.
        """
        keeper = self._keeper
        keeper.tell(Finish())
        failures: list[str] = []
        runs = list(start_runs(record.spec for record in keeper.hosts.values()))[::-1]
        hosts = [host_id for host_id in keeper.hosts if keeper.hosts[host_id].is_launched][::-1]
        steps = len(runs) + len(hosts)
        for host_id, actors in runs:
            if keeper.hosts[host_id].is_launched:
                command = StopActors(tuple(actor.actor_id for actor in actors))
                answer = yield from keeper.ask(host_id, command, self._share_ns(deadline_ns, steps))
                failures += self._failure(host_id, answer)
            steps -= 1
        for host_id in hosts:
            share_ns = self._share_ns(deadline_ns, steps)
            answer = yield from keeper.ask(host_id, StopHost(share_ns), share_ns)
            failures += self._failure(host_id, answer)
            yield from self._wait_for_rest(host_id, self._share_ns(deadline_ns, steps))
            steps -= 1
        return failures

    # --- one actor ----------------------------------------------------------------------------------------------

    def start_actor(self, actor_id: str) -> Steps[Answer]:
        """Start an actor that was added or stopped; make it anew when it has faulted; its host too if that is down."""
        record = self._record_of(actor_id)
        host_id = record.spec.host_id
        record.idle.discard(actor_id)
        if not record.is_launched:
            yield from self._keeper.begin((host_id,), COMMAND_NS_MAX)
            return Answer(is_ok=record.is_launched, text="" if record.is_launched else f"host {host_id} did not start")
        command: HostCommand
        match self._state(record, actor_id):
            case State.RUNNING | State.DEGRADED:
                return Answer(is_ok=True)
            case State.STOPPED:
                command = ResumeActor(actor_id)
            case State.FAULTED | State.DISPOSED:
                command = RestartActor(actor_id)
            case _:
                command = StartActors((actor_id,))
        return (yield from self._keeper.ask(host_id, command, COMMAND_NS_MAX))

    def stop_actor(self, actor_id: str) -> Steps[Answer]:
        """Stop an actor; it stays stopped when its host is started again."""
        record = self._record_of(actor_id)
        record.idle.add(actor_id)
        return (yield from self._keeper.ask(record.spec.host_id, StopActors((actor_id,)), COMMAND_NS_MAX))

    def restart_actor(self, actor_id: str) -> Steps[Answer]:
        """A new instance in its place, with the state last saved."""
        host_id = self._record_of(actor_id).spec.host_id
        return (yield from self._keeper.ask(host_id, RestartActor(actor_id), COMMAND_NS_MAX))

    def add_actor(self, actor: ActorSpec, host_id: str | None = None) -> Steps[Answer]:
        """Add an actor, in the host of that id or in one of its own; it is not started.

        Raises `ConfigError` CONF007 for an id that is taken.
        """
        keeper = self._keeper
        taken = {spec.actor_id for record in keeper.hosts.values() for spec in record.spec.actors}
        if actor.actor_id in taken:
            what = f"actor id {quoted(actor.actor_id)} is given 2 times"
            raise ConfigError("CONF007", None, what, "Give each actor an id of its own.", actor.actor_id)
        home = host_id or self._make_host(actor.actor_id)
        record = keeper.hosts.get(home)
        if record is None:
            yield from keeper.introduce(home)
            record = keeper.add_host(HostSpec(home, (actor,)))
            record.idle.add(actor.actor_id)
            yield from keeper.begin((home,), COMMAND_NS_MAX)
            return Answer(is_ok=record.is_launched, text="" if record.is_launched else f"host {home} did not start")
        answer = yield from keeper.ask(home, _add_command(actor), COMMAND_NS_MAX)
        if answer.is_ok:
            record.spec = HostSpec(home, (*record.spec.actors, actor))
            record.idle.add(actor.actor_id)
        return answer

    def remove_actor(self, actor_id: str) -> Steps[Answer]:
        """Stop, dispose of and forget an actor; its host ends with the last one."""
        keeper, record = self._keeper, self._record_of(actor_id)
        host_id = record.spec.host_id
        answer = Answer(is_ok=True)
        if record.is_launched:
            answer = yield from keeper.ask(host_id, RemoveActor(actor_id), COMMAND_NS_MAX)
        record.spec = HostSpec(host_id, tuple(spec for spec in record.spec.actors if spec.actor_id != actor_id))
        record.idle.discard(actor_id)
        self.heard.pop(actor_id, None)
        if not record.spec.actors:
            keeper.tell(StopAsked(host_id))
            yield from self._wait_for_rest(host_id, COMMAND_NS_MAX)
            keeper.remove_host(host_id)
        return answer

    # --- inside -------------------------------------------------------------------------------------------------

    def _record_of(self, actor_id: str) -> HostRecord:
        """The host of an actor. Raises `ConfigError` CONF010 when there is no such actor."""
        homes = {spec.actor_id: record for record in self._keeper.hosts.values() for spec in record.spec.actors}
        if actor_id not in homes:
            hint = did_you_mean(actor_id, list(homes))
            raise ConfigError("CONF010", None, f"no actor {quoted(actor_id)}", hint, actor_id)
        return homes[actor_id]

    def _state(self, record: HostRecord, actor_id: str) -> State:
        event = self.heard.get(actor_id)
        return State(event.to_state) if event is not None and event.epoch == record.epoch else State.READY

    def _share_ns(self, deadline_ns: int, steps: int) -> int:
        return max(LEAST_NS, (deadline_ns - self._clock.now_ns()) // max(steps, 1))

    def _failure(self, host_id: str, answer: Answer) -> list[str]:
        return [] if answer.is_ok else [f"{host_id}: {answer.text}"]

    def _wait_for_rest(self, host_id: str, timeout_ns: int) -> Steps[None]:
        """Wait until the process of a host has ended."""
        until_ns = self._clock.now_ns() + timeout_ns
        at_rest = {Phase.IDLE, Phase.ENDED, Phase.GIVEN_UP}
        while self._keeper.tree.view(host_id).phase not in at_rest and self._clock.now_ns() < until_ns:
            yield


def _add_command(actor: ActorSpec) -> AddActor:
    """What has a host that runs take the actor in: it must be able to import the class."""
    match actor.resident:
        case MadeActor(actor_class, actor_id, settings, kind):
            path = f"{actor_class.__module__}:{actor_class.__qualname__}"
        case ImportedActor(path, actor_id, settings, kind):
            pass
        case UserResident(actor_id, actor_class, config, _):
            path, kind = f"{actor_class.__module__}:{actor_class.__qualname__}", Kind[actor.stage.name]
            settings = {name: value for name, value in config if name != "actor_id"}
        case _:
            fix = "Give it a host of its own."
            what = f"{quoted(actor.actor_id)} cannot be added to a host that runs"
            raise ConfigError("CONF010", None, what, fix, actor.actor_id)
    return AddActor(path, actor_id, dict(settings), int(kind))
