"""A backtest over Ray actors: one process per host, and this one, which has no actor, sees all and keeps the record."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Final, NamedTuple

from libra_ray.data import Dataset
from libra_ray.errors import LibraError
from libra_ray.runtime.private_folders import PrivateFolder
from libra_ray.runtime.ray import HostEnd, HostProcess, RaySession, SharedFolder, ended_hosts, own_node
from libra_ray.simulation.lockstep.calls import LockstepBroken
from libra_ray.simulation.lockstep.exchange import HostReport
from libra_ray.simulation.lockstep.mail import PortMail
from libra_ray.simulation.lockstep.part import Part, take_part
from libra_ray.simulation.system import System

__all__ = ["lockstep"]

OBSERVER: Final = "observer"
LAST_SECONDS_MAX: Final = 60.0


class _Job(NamedTuple):
    """What the process of one host is given."""

    system: System
    data_folder: str
    host_id: str
    hosts: tuple[str, ...]
    mine: frozenset[str]
    socket_folder: str
    batch_rows: int


def lockstep(
    system: System, data: Dataset, hosts: Mapping[str, Sequence[str]], *, batch_rows: int
) -> tuple[Part, dict[str, HostReport]]:
    """Run `system` over `data` with the actors of each host in a Ray actor; the observer's part and every report.

    `hosts`: actor ids by host. Each host replays the market itself from one mapped copy of the data; what crosses are
    the turns of actors that did something, and promises. Raises what the run raises, and `LibraError` when a host dies
    or comes to another run hash than the others.
    """
    names = (OBSERVER, *hosts)
    with ExitStack() as stack:
        stack.enter_context(RaySession(workers=1))
        shared = stack.enter_context(SharedFolder(data.write))
        sockets = PrivateFolder.for_sockets()
        stack.callback(sockets.remove)
        processes: dict[str, HostProcess] = {}
        stack.callback(_kill_all, processes)
        for host_id, actor_ids in hosts.items():
            mine = frozenset(actor_ids)
            job = _Job(system, str(shared.path), host_id, names, mine, str(sockets.path), batch_rows)
            processes[host_id] = HostProcess(f"{sockets.path.name}/{host_id}", _run_host, job, node_id=own_node())
        watch = _Watch(processes)
        mail = stack.enter_context(PortMail(OBSERVER, names, sockets.path, watch.look))
        try:
            part = take_part(system, data, frozenset(), mail, batch_rows=batch_rows)
        except LockstepBroken as broken:
            raise LibraError(f"lockstep broke: {broken}") from broken
        return part, _agreeing(part, watch.reports())


def _run_host(job: _Job, stopping: Event) -> HostReport:
    """The whole life of a host's process."""

    def look() -> None:
        if stopping.is_set():
            raise LockstepBroken("stopped")

    data = Dataset.open(job.data_folder)
    try:
        with PortMail(job.host_id, job.hosts, Path(job.socket_folder), look) as mail:
            part = take_part(job.system, data, job.mine, mail, batch_rows=job.batch_rows)
    except LockstepBroken as broken:
        raise LibraError(f"lockstep broke on {job.host_id}: {broken}") from broken
    return HostReport(part.run_hash, part.figures, part.seconds)


def _kill_all(processes: Mapping[str, HostProcess]) -> None:
    for process in processes.values():
        process.kill()


class _Watch:
    """The processes of a run, and what they have said so far."""

    def __init__(self, processes: Mapping[str, HostProcess]) -> None:
        self._left = dict(processes)
        self._reports: dict[str, HostReport] = {}

    def look(self, seconds_max: float = 0.0) -> None:
        """Take note of hosts that have ended. Raises the error of one that failed."""
        names = {process: host_id for host_id, process in self._left.items()}
        for end in ended_hosts(names, seconds_max=seconds_max) if names else ():
            self._reports[names[end.process]] = _report(end)
            del self._left[names[end.process]]

    def reports(self) -> dict[str, HostReport]:
        """Wait for all. Raises `LibraError` when nothing comes for a minute."""
        while self._left:
            before = len(self._left)
            self.look(LAST_SECONDS_MAX)
            if len(self._left) == before:
                raise LibraError(f"{', '.join(self._left)} did not end {LAST_SECONDS_MAX:g} s after the observer")
        return self._reports


def _report(end: HostEnd) -> HostReport:
    if end.error is not None:
        raise end.error
    report: HostReport = end.value
    return report


def _agreeing(part: Part, reports: dict[str, HostReport]) -> dict[str, HostReport]:
    """The reports, if all hosts have come to the observer's run hash."""
    differing = [host_id for host_id, report in reports.items() if report.run_hash != part.run_hash]
    if differing:
        what = f"{', '.join(differing)} came to another run hash than {part.run_hash}"
        raise LibraError(f"lockstep broke: {what}; an actor or the kernel is not deterministic")
    return reports
