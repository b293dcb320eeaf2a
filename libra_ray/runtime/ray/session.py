"""A session with Ray: one of our own on this machine, or a place in a cluster that is there already.

What a session started it ends, after success, an exception, Ctrl-C and SIGTERM alike; nothing else is touched.
"""

import atexit
import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import ray

from libra_ray.errors import ConfigError
from libra_ray.runtime.ray.autoscaling import CoreDemand, cores_max
from libra_ray.runtime.ray.cluster import ADDRESS_VARIABLE, join_cluster
from libra_ray.runtime.ray.environment import NODE_CHECKS, cluster_environment
from libra_ray.runtime.ray.local_ray import LocalRay
from libra_ray.runtime.ray.notices import notices_to_log
from libra_ray.runtime.ray.signals import deferred_signals, sigterm_exits
from libra_ray.runtime.ray.undertaker import Undertaker

__all__ = ["RaySession", "core_count"]


def core_count() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class RaySession:
    """Context manager. Inside, Ray is initialised; `workers` engine processes have a core each.

    It joins the Ray that this process is connected to (also inside a Ray task), else the cluster of `RAY_ADDRESS` (a
    Ray job has it), else it starts one on this machine, without a dashboard, with a token and a folder of its own.
    A handler of SIGTERM is set for the time of the session, in the main thread and where none was set. Should the
    process be killed, an undertaker ends and removes what it has left on this machine.

    Args:
        workers: the engine processes wanted; None for one per core.
        workers_max: more would have nothing to do.
        checks_nodes_often: a Ray that is started here gives up a lost node after 4.5 s, not after 66.

    Attributes:
        workers: as many as are used, known inside.
        version: Ray's version.
        is_local: whether the session started Ray itself.
        demand: what an autoscaler is asked for, in a cluster that may grow (`LIBRA_CORES_MAX`); else None.

    A cluster that may grow is asked for as many cores as workers are wanted; the first one is waited for.

    Raises `ConfigError` CONF002 for a cluster with fewer cores than `workers`, `ConnectionConfigError` CONN001 for a
    cluster that does not answer, CONN002 for one that refuses the token, CONN003 for one of another version.
    """

    def __init__(
        self, *, workers: int | None = None, workers_max: int | None = None, checks_nodes_often: bool = False
    ) -> None:
        if workers is not None and workers < 1:
            raise ConfigError("CONF002", "workers", f"{workers} is below 1", "Give at least 1.", str(workers))
        self.version = str(ray.__version__)
        self.is_local = False
        self.workers = 0
        self.demand: CoreDemand | None = None
        self._wanted, self._workers_max = workers, workers_max
        self._switches = NODE_CHECKS if checks_nodes_often else {}
        self._undertaker: Undertaker | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(sigterm_exits())
        try:
            with deferred_signals():
                self._enter()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()

    def describe(self) -> str:
        """One line for a person: `Ray 2.60.0, 2 workers on this machine`."""
        where = "on this machine" if self.is_local else "in the cluster"
        return f"Ray {self.version}, {self.workers} worker{'s'[: self.workers != 1]} {where}"

    def mind(self, folder: Path) -> None:
        """Have `folder` removed, and whoever has a file open in it killed, should this process be killed.

        Raises `RuntimeError` outside.
        """
        if self._undertaker is None:
            raise RuntimeError("a session minds folders inside its context only")
        self._undertaker.mind(folder)

    def forget(self, folder: Path) -> None:
        """The folder is gone."""
        if self._undertaker is not None:
            self._undertaker.forget(folder)

    def _enter(self) -> None:
        address = os.environ.get(ADDRESS_VARIABLE)
        # Ctrl-C in the few instructions before `__exit__` holds signals back would skip it.
        atexit.register(self._close)
        self._stack.callback(atexit.unregister, self._close)
        self._stack.enter_context(notices_to_log())
        self._undertaker = Undertaker()
        self._stack.callback(self._undertaker.close)
        if ray.is_initialized():
            self.workers = self._within_cluster()
        elif address and address != "local":
            self._stack.enter_context(cluster_environment())
            self._stack.callback(ray.shutdown)
            join_cluster(address)
            self.workers = self._within_cluster()
        else:
            self.workers = self._at_most(self._wanted or core_count())
            local = LocalRay(self.workers, self._undertaker, self._switches)
            local.start()
            self._stack.callback(local.stop)
            self.is_local = True

    def _within_cluster(self) -> int:
        """The workers wanted, at most one per core of the cluster."""
        resources: Mapping[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]  # Ray has no type
        cores = max(int(resources.get("CPU", 0)), cores_max() or 0)
        wanted = self._at_most(cores if self._wanted is None else self._wanted)
        if not 1 <= wanted <= cores:
            # An actor that waits for a core that will never be there waits without a word.
            what = f"{max(wanted, 1)} is above the {cores} cores of the cluster"
            raise ConfigError("CONF002", "workers", what, "Give fewer workers or add nodes.", str(wanted))
        if wanted > int(resources.get("CPU", 0)):
            self.demand = self._stack.enter_context(CoreDemand(cores))
            self.demand.wants(wanted)
            self.demand.wait_for_first_core()
        return wanted

    def _at_most(self, workers: int) -> int:
        return workers if self._workers_max is None else min(workers, self._workers_max)

    def _close(self) -> None:
        with deferred_signals():
            self._stack.close()
