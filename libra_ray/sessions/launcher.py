"""Host processes of one deployment: started, killed, and seen to end."""

from contextlib import suppress
from dataclasses import dataclass

from libra_ray.errors import LibraError
from libra_ray.hosts.context import HostProgram
from libra_ray.runtime.ray import EndKind, HostMain, HostProcess, ProcessInfo, ended_hosts

__all__ = ["Departure", "Launcher"]


@dataclass(frozen=True, slots=True)
class Departure:
    """A life of a host is over. `error` is None where it ended in good order; `is_raised`: its program raised that."""

    host_id: str
    epoch: int
    error: Exception | None
    is_raised: bool = False

    @property
    def reason(self) -> str:
        """Why, in one line; empty after a good end."""
        if self.error is None:
            return ""
        return str(self.error) if isinstance(self.error, LibraError) else f"{type(self.error).__name__}: {self.error}"


@dataclass(slots=True)
class _Life:
    host_id: str
    epoch: int
    process: HostProcess


class Launcher:
    """Belongs to the supervisor's thread.

    Args:
        run_id: what all names of processes begin with.
        main: what a process runs with its program.
        cpus: the share of cores that Ray counts for each host.
    """

    def __init__(self, run_id: str, main: HostMain, *, cpus: float) -> None:
        self._run_id, self._main, self._cpus = run_id, main, cpus
        self._lives: list[_Life] = []
        self._failed: list[Departure] = []

    def failed(self, host_id: str, epoch: int, error: Exception) -> None:
        """That life could not even be begun: a departure."""
        self._failed.append(Departure(host_id, epoch, error, is_raised=True))

    def launch(self, program: HostProgram) -> None:
        """Begin to start a process. What goes wrong with that is a departure."""
        host_id, epoch = program.host_id, program.epoch
        try:
            name = f"{self._run_id}/{host_id}-{epoch}"
            process = HostProcess(name, self._main, program, cpus=self._cpus, node_id=program.node or None)
        except Exception as error:  # noqa: BLE001  # a program that does not pickle, or Ray itself: the start has failed
            self.failed(host_id, epoch, error)
        else:
            self._lives.append(_Life(host_id, epoch, process))

    def kill(self, host_id: str, epoch: int) -> None:
        """End it now; `ended` will tell."""
        for life in self._lives:
            if (life.host_id, life.epoch) == (host_id, epoch):
                life.process.kill()

    def ask_to_stop(self, host_id: str, epoch: int) -> None:
        """Ask through Ray, for a host that no command reaches."""
        for life in self._lives:
            if (life.host_id, life.epoch) == (host_id, epoch):
                life.process.ask_to_stop()

    def ended(self) -> list[Departure]:
        """Who has ended since the last call. Does not wait."""
        departures, self._failed = self._failed, []
        if self._lives:
            for end in ended_hosts([life.process for life in self._lives], seconds_max=0):
                life = next(life for life in self._lives if life.process is end.process)
                self._lives.remove(life)
                life.process.kill()  # its name is free only when Ray has ended the actor too
                error = None if end.kind is EndKind.RETURNED else end.error
                departures.append(Departure(life.host_id, life.epoch, error, end.kind is EndKind.RAISED))
        return departures

    def info(self, host_id: str, epoch: int) -> ProcessInfo | None:
        """Where it runs, once that is known."""
        for life in self._lives:
            if (life.host_id, life.epoch) == (host_id, epoch):
                return life.process.info_if_known
        return None

    def kill_all(self) -> None:
        """End whatever still runs."""
        for life in self._lives:
            with suppress(LibraError):
                life.process.kill()
        self._lives.clear()
