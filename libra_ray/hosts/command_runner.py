"""Carries out commands in a host of actors, one at a time; a step may have to wait until others know the table."""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from libra_ray.bus.wire.letter import Letter, Resumed
from libra_ray.clock import Clock
from libra_ray.errors import LibraError
from libra_ray.hosts.actor_host import ActorHost, Saved
from libra_ray.hosts.commands import (
    AddActor,
    Answer,
    AskStatus,
    DisposeActor,
    FaultActor,
    HostCommand,
    RemoveActor,
    ResetActor,
    RestartActor,
    ResumeActor,
    SaveActor,
    StartActors,
    StopActors,
)
from libra_ray.hosts.context import ImportedActor, Resident
from libra_ray.hosts.table_sync import TableSync
from libra_ray.runtime.lifecycle import NEXT, State, Trigger
from libra_ray.runtime.rank import Kind

__all__ = ["CommandRunner", "Steps"]

Steps: TypeAlias = Generator[None, None, Answer]
"""Yields while it has to wait; is asked again whenever something may have changed."""

TABLE_PATIENCE_NS: Final = 5_000_000_000


class CommandRunner:
    """What each command does. What the actor's code raises is its fault and said in the answer; nothing is raised.

    Attributes:
        residents: whom this host carries, by actor id.
        saved: what `on_save` gave last, by actor id.
        has_started: actors of this life were started.
        wants_save: what a next life would begin with is of the life before this one: save soon.
    """

    def __init__(
        self,
        host: ActorHost,
        sync: TableSync,
        clock: Clock,
        resumed: Resumed | None,
        status: Callable[[], object],
    ) -> None:
        self.residents: dict[str, Resident] = {}
        self.saved: Saved = {}
        self.has_started = self.wants_save = False
        self._host, self._sync, self._clock, self._status = host, sync, clock, status
        self._missed: Sequence[Letter] = ()
        if resumed is not None:
            self._missed = resumed.letters
            if resumed.snapshot is not None:
                self.saved = msgspec.msgpack.decode(resumed.snapshot, type=Saved)
        self._does: Mapping[type[HostCommand], Callable[[Any], Steps]] = {
            StartActors: self._start,
            StopActors: self._stop,
            ResumeActor: self._resume,
            ResetActor: self._reset,
            DisposeActor: self._dispose,
            FaultActor: self._fault,
            AddActor: self._add,
            RemoveActor: self._remove,
            RestartActor: self._restart,
            SaveActor: self._save,
            AskStatus: self._ask_status,
        }

    def make_residents(self, residents: Sequence[Resident]) -> None:
        """Build everybody who lives here. What that raises passes through: the program is wrong."""
        for resident in residents:
            self._make(resident)

    def run(self, command: HostCommand) -> Steps:
        """The steps of a command, and its answer."""
        does = self._does.get(type(command))
        if does is None:
            return Answer(is_ok=False, text=f"a host of actors does not know {type(command).__name__}")
        try:
            return (yield from does(command))
        except (LibraError, LookupError) as error:
            return Answer(is_ok=False, text=str(error.args[0] if isinstance(error, LookupError) else error))

    # --- lifecycle ----------------------------------------------------------------------------------------------

    def _start(self, command: StartActors) -> Steps:
        host = self._host
        actor_ids = self._known(command.actor_ids)
        faults = len(host.faults)
        until_ns = self._clock.now_ns() + TABLE_PATIENCE_NS
        while not self._sync.has_table:
            if self._clock.now_ns() > until_ns:
                return Answer(is_ok=False, text="the bus host does not answer; nothing was started")
            yield
        saved: Mapping[str, Mapping[str, bytes]] = self.saved
        missed = self._missed
        if command.saved is not None:
            saved, missed = command.saved, ()
        self._missed = ()
        self.has_started = self.wants_save = True
        starting = host.start_together(actor_ids, saved, [(letter.frame, letter.body) for letter in missed])
        while self._sync.must_wait():
            yield
        for actor_id in starting:
            if host.actor(actor_id).state is State.STARTING:
                host.complete_start(actor_id)
        return (yield from self._settled(faults))

    def _stop(self, command: StopActors) -> Steps:
        faults = len(self._host.faults)
        self._host.stop_all(self._known(command.actor_ids))
        return (yield from self._settled(faults))

    def _resume(self, command: ResumeActor) -> Steps:
        faults = len(self._host.faults)
        self._host.resume(command.actor_id)
        return (yield from self._settled(faults))

    def _reset(self, command: ResetActor) -> Steps:
        faults = len(self._host.faults)
        self._host.reset(command.actor_id)
        return (yield from self._settled(faults))

    def _dispose(self, command: DisposeActor) -> Steps:
        faults = len(self._host.faults)
        self._host.dispose(command.actor_id)
        return (yield from self._settled(faults))

    def _fault(self, command: FaultActor) -> Steps:
        self._host.fault(command.actor_id, LibraError(command.reason))
        return (yield from self._settled(len(self._host.faults)))

    # --- who is here --------------------------------------------------------------------------------------------

    def _add(self, command: AddActor) -> Steps:
        resident = ImportedActor(command.path, command.actor_id, command.settings, Kind(command.kind))
        refused = self._refused(resident, command.path)
        return refused or (yield from self._settled(len(self._host.faults)))

    def _remove(self, command: RemoveActor) -> Steps:
        faults = len(self._host.faults)
        self._take_out(command.actor_id)
        self.residents.pop(command.actor_id, None)
        self.saved.pop(command.actor_id, None)
        return (yield from self._settled(faults))

    def _restart(self, command: RestartActor) -> Steps:
        actor_id = command.actor_id
        resident = self.residents.get(actor_id)
        if resident is None:
            self._host.actor(actor_id)
            return Answer(is_ok=False, text=f"{actor_id} was not made here as a resident; it cannot be made again")
        if actor_id in self._host.actors:
            self._take_out(actor_id)
        refused = self._refused(resident, actor_id)
        if refused is not None:
            return refused
        state = self.saved.get(actor_id)
        return (yield from self._start(StartActors((actor_id,), None if state is None else {actor_id: state})))

    def _take_out(self, actor_id: str) -> None:
        host = self._host
        actor = host.actor(actor_id)
        if (actor.state, Trigger.STOP) in NEXT:
            host.stop_all([actor_id])
        if actor.state is not State.DISPOSED:
            host.dispose(actor_id)
        host.settle()
        host.remove(actor_id)

    def _refused(self, resident: Resident, name: str) -> Answer | None:
        """Make a resident. Where its code raises the host is as before, and the answer tells; else None."""
        actors, actor_id = self._host.actors, resident.actor_id
        before = actors.get(actor_id)
        try:
            self._make(resident)
        except Exception as error:  # noqa: BLE001 - code of an actor's author; whoever gave the command is told
            if actors.get(actor_id) is not before:
                self._take_out(actor_id)
            text = str(error) if isinstance(error, LibraError) else f"{name}: {type(error).__name__}: {error}"
            return Answer(is_ok=False, text="; ".join(line.strip() for line in text.splitlines()))
        return None

    def _make(self, resident: Resident) -> None:
        actor = resident.make(self._host)
        self.residents[actor.actor_id] = resident

    # --- questions ----------------------------------------------------------------------------------------------

    def _save(self, command: SaveActor) -> Steps:
        yield from ()
        state = self._host.save(command.actor_id)
        if state is None:
            return Answer(is_ok=False, text=self._host.faults[-1].reason)
        self.saved[command.actor_id] = dict(state)
        return Answer(is_ok=True, value=dict(state))

    def _ask_status(self, _command: AskStatus) -> Steps:
        yield from ()
        return Answer(is_ok=True, value=self._status())

    # --- inside -------------------------------------------------------------------------------------------------

    def _known(self, actor_ids: Sequence[str]) -> Sequence[str]:
        for actor_id in actor_ids:
            self._host.actor(actor_id)
        return actor_ids or list(self._host.actors)

    def _settled(self, faults_before: int) -> Steps:
        """Settle, with waits for the table between; the answer tells the faults met since."""
        host, sync = self._host, self._sync
        while True:
            host.settle_some(sync.must_wait)
            sync.announce()
            if not sync.must_wait():
                if not host.queue:
                    break
                continue
            yield
        faults = host.faults[faults_before:]
        return Answer(
            is_ok=not faults, text="; ".join(f"{each.actor_id} {each.hook}: {each.reason}" for each in faults)
        )
