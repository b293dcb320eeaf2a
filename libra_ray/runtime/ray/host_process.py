"""A host process: a Ray actor that runs one program until it ends, and whose end is seen in some ten milliseconds.

Ray starts and kills it and does nothing else. Its restarts and retries are off: they hide a death for more than a
second. The process dies with the driver, and `kill` runs no hook in it: nothing that protects money may depend on one.
"""

import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Any, Final, TypeAlias

import cloudpickle
import msgspec
import ray
from ray.exceptions import GetTimeoutError, RayActorError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from libra_ray.errors import ConnectionConfigError, LibraError
from libra_ray.runtime.ray.processes import kill, own_start_ticks
from libra_ray.runtime.ray.sharing import own_node
from libra_ray.runtime.ray.worker import Packed, packed_error, unpacked_error, unpacked_value

__all__ = ["EndKind", "HostEnd", "HostMain", "HostProcess", "ProcessInfo", "ended_hosts"]

HostMain: TypeAlias = Callable[[Any, threading.Event], object]
"""What a host process runs: `main(argument, stopping)`. `stopping` is set by `HostProcess.ask_to_stop`."""

START_SECONDS_MAX: Final = 30.0
PING_SECONDS_MAX: Final = 1.0


class EndKind(StrEnum):
    """How a host process ended."""

    RETURNED = "RETURNED"
    RAISED = "RAISED"
    DIED = "DIED"


class ProcessInfo(msgspec.Struct, frozen=True):
    """Where a host process runs; `start_ticks` tells it from a later process of its number."""

    pid: int
    node_id: str
    node_address: str
    start_ticks: int = 0


class HostEnd(msgspec.Struct, frozen=True):
    """The end of a host process: what its program returned, or the error that it raised or that Ray tells of."""

    process: "HostProcess"
    kind: EndKind
    value: Any = None
    error: Exception | None = None


class HostProcess:
    """A process that begins to start when this is made. `kill` it in a `finally`: dropped handles may live on.

    Args:
        name: unique among the living host processes of this driver, `{run}/{host}` for example.
        main: called once in the new process as `main(argument, stopping)`. It and `argument` travel by cloudpickle;
            modules are found where this process finds them.
        cpus: the share of cores that Ray counts for it. 0 lets any number of hosts share a node.
        node_id: the node it must run on; None leaves it to Ray.
    """

    def __init__(
        self, name: str, main: HostMain, argument: object = None, *, cpus: float = 0.0, node_id: str | None = None
    ) -> None:
        self.name = name
        self._info: ProcessInfo | None = None
        program = cloudpickle.dumps((main, argument))
        options: dict[str, Any] = {"name": name, "num_cpus": cpus, "max_restarts": 0, "max_task_retries": 0}
        if node_id is not None:
            options["scheduling_strategy"] = NodeAffinitySchedulingStrategy(node_id, soft=False)
        declared: Any = ray.remote  # Ray's types do not know of groups
        self._actor: Any = declared(concurrency_groups={"control": 1})(HostShell).options(**options).remote()
        self._reference: Any = self._actor.run.remote(program, sys.path)
        self._info_reference: Any = self._actor.info.remote()

    def __repr__(self) -> str:
        return f"HostProcess({self.name!r})"

    def info(self, seconds_max: float = START_SECONDS_MAX) -> ProcessInfo:
        """Where it runs; waits for its start. It then runs its program, or did.

        Raises `ConnectionConfigError` CONN005 when it has not started by then, `LibraError` when it died before.
        """
        if self._info is None:
            try:
                self._info = ray.get(self._info_reference, timeout=seconds_max)
            except GetTimeoutError as error:
                what = f"host {self.name} did not start within {seconds_max:g} s"
                fix = "Free memory or cores of the cluster, or place fewer hosts."
                raise ConnectionConfigError("CONN005", "placement", what, fix, self.name) from error
            except RayError as error:
                raise LibraError(f"host {self.name} died as it started: {_first_line(error)}") from error
        return self._info

    @property
    def info_if_known(self) -> ProcessInfo | None:
        """Where it runs; None while it starts or when it died before it could say. Does not wait."""
        if self._info is None:
            ready, _ = ray.wait([self._info_reference], timeout=0)
            if ready:
                with suppress(RayError):
                    self._info = ray.get(ready[0])
        return self._info

    def is_answering(self, seconds_max: float = PING_SECONDS_MAX) -> bool:
        """Whether the process answers a call. A program that hangs does not keep it from that; a stop does."""
        try:
            return bool(ray.get(self._actor.ping.remote(), timeout=seconds_max))
        except RayError:
            return False

    def ask_to_stop(self) -> None:
        """Set `stopping` in the process; its program decides what that means. Does not wait."""
        with suppress(RayError):  # dead already
            self._actor.stop.remote()

    def kill(self) -> None:
        """SIGKILL, now. May be called twice, after its end, and after the end of Ray, which ends all hosts."""
        if not ray.is_initialized():  # a call would start another Ray
            return
        has_ended = self._has_ended
        with suppress(RayError):  # dead, or its node is
            ray.kill(self._actor)
        # Ray asks the process to end itself. One that is stopped does not hear that, and holds its files for seconds.
        info = self.info_if_known
        if info is not None and info.node_id == own_node() and not has_ended:
            kill(info.pid, info.start_ticks)

    @property
    def _has_ended(self) -> bool:
        return bool(ray.wait([self._reference], timeout=0)[0])

    def _end(self) -> HostEnd:
        try:
            packed: Packed = ray.get(self._reference)
        except RayActorError as error:
            return HostEnd(self, EndKind.DIED, error=LibraError(f"host {self.name} died: {_first_line(error)}"))
        except RayError as error:
            return HostEnd(self, EndKind.DIED, error=LibraError(f"Ray failed under {self.name}: {_first_line(error)}"))
        if packed.is_error:
            return HostEnd(self, EndKind.RAISED, error=unpacked_error(packed))
        return HostEnd(self, EndKind.RETURNED, value=unpacked_value(packed))


def ended_hosts(processes: Iterable[HostProcess], *, seconds_max: float) -> list[HostEnd]:
    """Wait until one of these has ended, at most so long, and return all that have; none when none did.

    A host that has ended is returned by each call that asks for it.
    """
    by_reference: Mapping[Any, HostProcess] = {process._reference: process for process in processes}  # noqa: SLF001
    if not by_reference:
        raise ValueError("nothing to wait for")
    references = list(by_reference)
    ready, _ = ray.wait(references, num_returns=1, timeout=seconds_max)
    if ready:  # others may have ended at the same time
        ready, _ = ray.wait(references, num_returns=len(references), timeout=0)
    return [by_reference[reference]._end() for reference in ready]  # noqa: SLF001


class HostShell:
    """What runs in the process. `run` has a thread of its own; the control methods have another."""

    def __init__(self) -> None:
        self._stopping = threading.Event()

    def run(self, program: bytes, search_path: Sequence[str]) -> Packed:
        """Load the program and run it to its end. It never raises what the program raised."""
        sys.path.extend(entry for entry in search_path if entry not in sys.path)
        try:
            main, argument = pickle.loads(program)  # noqa: S301  # our own driver made it
            return Packed(is_error=False, data=cloudpickle.dumps(main(argument, self._stopping)))
        except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever it is, the driver hears of it
            return packed_error(error)

    @ray.method(concurrency_group="control")
    def info(self) -> ProcessInfo:
        """Where this is."""
        context = ray.get_runtime_context()
        address = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]  # Ray has no type
        return ProcessInfo(os.getpid(), str(context.get_node_id()), str(address), own_start_ticks())

    @ray.method(concurrency_group="control")
    def ping(self) -> bool:
        """True."""
        return True

    @ray.method(concurrency_group="control")
    def stop(self) -> None:
        """Tell the program to stop."""
        self._stopping.set()


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
