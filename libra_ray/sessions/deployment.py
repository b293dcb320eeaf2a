"""A deployment: a system on hosts of its own, from its start to its end."""

import atexit
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar

from libra_ray.bus.wire.letter import Faults
from libra_ray.clock import LiveClock
from libra_ray.config import build_settings
from libra_ray.errors import LibraError
from libra_ray.hosts.commands import AddActor, Answer
from libra_ray.hosts.context import imported_class
from libra_ray.hosts.metrics import serving_metrics
from libra_ray.hosts.metrics_settings import MetricsSettings
from libra_ray.hosts.placement import FUSED, ISOLATED, MAIN, PlacementLike, check_host
from libra_ray.hosts.status import TreeStatus, write_status
from libra_ray.runtime import Actor, Signal, SignalValue, check_actor_id, check_handler, config_class_of
from libra_ray.runtime.private_folders import PrivateFolder
from libra_ray.runtime.ray import RaySession, own_node
from libra_ray.runtime.ray.nodes import NodeFolders, living_nodes
from libra_ray.runtime.ray.signals import deferred_signals
from libra_ray.runtime.supervision import Restart, SupervisionTree
from libra_ray.runtime.topics import signal_topic
from libra_ray.sessions.host_main import run_deployed_host
from libra_ray.sessions.launcher import Launcher
from libra_ray.sessions.procedures import Steps
from libra_ray.sessions.programs import Programs
from libra_ray.sessions.residents import placeable, residents
from libra_ray.sessions.sites import ClusterSites, OwnSites, Sites
from libra_ray.sessions.specs import ActorSpec, actor_spec, host_specs
from libra_ray.sessions.status_view import tree_status
from libra_ray.sessions.supervision_settings import (
    DEFAULT_RESTART,
    SupervisionSettings,
    checked_restarts,
    supervision_tree,
)
from libra_ray.sessions.supervisor import Orders, SupervisorCarrier
from libra_ray.sessions.supervisor_thread import SupervisorThread
from libra_ray.simulation.system import ActorEntry, System, check_actor, check_system

__all__ = ["Deployment", "deploy"]

T = TypeVar("T")

SECOND: Final = 1_000_000_000
START_SECONDS: Final = 90.0
STOP_SECONDS: Final = 15.0
GRACE_SECONDS: Final = 2.0


def deploy(
    system: System,
    *,
    placement: PlacementLike = ISOLATED,
    restart: Restart | str | Mapping[str, Restart | str] = "transient",
    supervision: SupervisionSettings | Mapping[str, Any] | None = None,
    metrics: MetricsSettings | Mapping[str, Any] | None = None,
    is_journaled: bool = True,
    cpus_per_host: float = 0.0,
    nodes: Literal["own", "all"] = "own",
    faults: Faults | None = None,
    start_seconds_max: float = START_SECONDS,
) -> "Deployment":
    """Start `system` on hosts of its own and return when all its actors have been started.

        with lr.deploy(system, placement="isolated") as deployment:
            deployment.wait_for(lambda tree: tree.actor("S-1")[1].state == "RUNNING")

    Args:
        system: stays as it is. Classes of its actors are found where this process finds them.
        placement: `isolated` (each actor in a host of its own), `fused` (all in one), or a host by actor id.
        restart: for all, or by actor id; who is not named is `transient`. What brings an actor back: `permanent` the
            end of its host and a fault of its own; `transient` the end of its host; `temporary` nothing.
        supervision: how often, how soon and together with whom hosts are started again.
        metrics: the port on which Prometheus finds the figures of all hosts, as in `MetricsSettings`; by default none.
        is_journaled: hosts keep a journal, so that a restarted one goes on where it was killed.
        cpus_per_host: the share of cores that Ray counts for each host.
        nodes: `own` keeps all hosts on the node of this process; `all` deals them out over the cluster, with encrypted
            links. A host that moves to another node has lost its journal.
        faults: what goes wrong with what hosts send, by order of a test: a `libra_ray.testing.FaultPlan`.
        start_seconds_max: how long the start may take.

    Raises `ConfigError` before anything starts: CONF002, CONF007, CONF010 for settings that cannot be; what building an
    actor raised; `ConnectionConfigError` for a Ray that cannot be used. Nothing is left then.
    """
    made = Deployment(
        system,
        placement=placement,
        restart=restart,
        supervision=supervision,
        metrics=metrics,
        is_journaled=is_journaled,
        cpus_per_host=cpus_per_host,
        nodes=nodes,
        faults=faults,
    )
    made.start(start_seconds_max)
    return made


class Deployment:
    """See `deploy`. Context manager: inside it runs, at the end it is stopped. Any thread may call its methods.

    Attributes:
        name: the system's.
        metrics_url: where its metrics are served; None while they are not.
    """

    def __init__(
        self,
        system: System,
        *,
        placement: PlacementLike = ISOLATED,
        restart: Restart | str | Mapping[str, Restart | str] = "transient",
        supervision: SupervisionSettings | Mapping[str, Any] | None = None,
        metrics: MetricsSettings | Mapping[str, Any] | None = None,
        is_journaled: bool = True,
        cpus_per_host: float = 0.0,
        nodes: Literal["own", "all"] = "own",
        faults: Faults | None = None,
    ) -> None:
        """Checks everything and starts nothing."""
        check_system(system, "deploy")
        self.name = system.name
        placeables = residents(system)
        actor_ids = [each.actor_id for each in placeables]
        restarts = checked_restarts(restart, actor_ids)
        self._system = system
        self._actors = [actor_spec(each, restarts[each.actor_id]) for each in placeables]
        self._hosts = host_specs(self._actors, placement)
        if not isinstance(supervision, SupervisionSettings):
            supervision = build_settings(SupervisionSettings, dict(supervision or {}), place="supervision")
        self._settings = supervision
        if not isinstance(metrics, MetricsSettings):
            metrics = build_settings(MetricsSettings, dict(metrics or {}), place="metrics")
        self._metrics = metrics
        self._tree = SupervisionTree(
            supervision_tree(
                supervision,
                {host.host_id: host.restart for host in self._hosts},
                {host.host_id: host.stage for host in self._hosts},
                {actor.actor_id: host.host_id for host in self._hosts for actor in host.actors},
            )
        )
        self._placement = placement if isinstance(placement, str) else "map"
        self._seed, self._is_journaled, self._cpus = system.seed, is_journaled, cpus_per_host
        self._nodes, self._faults = nodes, faults
        self._clock = LiveClock()
        self._stack = ExitStack()
        self._folder: PrivateFolder | None = None
        self._thread: SupervisorThread | None = None
        self._news = threading.Condition()
        self._status: TreeStatus | None = None
        self._written_ns = 0
        self._is_over = False
        self.metrics_url: str | None = None

    # --- life ---------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        if self._thread is None:
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, seconds_max: float = START_SECONDS) -> None:
        """Start everything; see `deploy`. Whatever it raises, nothing is left. A deployment starts once."""
        if self._thread is not None or self._is_over:
            raise LibraError(f"deployment {self.name} was started before")
        try:
            thread = self._open()
            timeout_ns = int(seconds_max * SECOND)
            thread.ask(lambda carrier: carrier.start_all(timeout_ns), seconds_max + GRACE_SECONDS)
        except BaseException:
            self._close()
            raise

    def stop(self, seconds_max: float = STOP_SECONDS) -> list[str]:
        """Stop all actors and then all hosts in reverse order; what has not ended in time is killed.

        Returns everything that went wrong with that, one line each. A second call does nothing.
        """
        failures: list[str] = []
        try:
            if self._thread is not None and self._thread.is_alive and not self._is_over:
                deadline_ns = self._clock.now_ns() + int(seconds_max * SECOND)
                failures = self._thread.ask(
                    lambda carrier: carrier.operations.stop_all(deadline_ns), seconds_max + GRACE_SECONDS
                )
        except LibraError as error:
            failures = [str(error)]
        finally:
            self._close()
        return failures

    # --- what it looks like -------------------------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        """The private folder with sockets, journals and `status.json`. Raises `LibraError` while it does not run."""
        if self._folder is None:
            raise LibraError(f"deployment {self.name} does not run")
        return self._folder.path

    @property
    def failures(self) -> tuple[str, ...]:
        """What has gone wrong so far, one line each, the last thousand: deaths, kills, faults, halts."""
        return () if self._thread is None else tuple(self._thread.carrier.keeper.failures)

    def tree(self) -> TreeStatus:
        """All hosts with their actors, as of the last change or second.

        Raises `LibraError` when it does not run or its supervisor has failed.
        """
        with self._news:
            if self._thread is not None:
                self._thread.check()
            if self._status is None:
                raise LibraError(f"deployment {self.name} does not run")
            return self._status

    def wait_for(self, condition: Callable[[TreeStatus], bool], seconds_max: float = 10.0) -> TreeStatus:
        """Wait until the tree is so, and return it. Raises `TimeoutError` with what does not run otherwise."""
        deadline_ns = self._clock.now_ns() + int(seconds_max * SECOND)
        while True:
            with self._news:
                tree = self.tree()
                if condition(tree):
                    return tree
                left_ns = deadline_ns - self._clock.now_ns()
                if left_ns <= 0:
                    states = ", ".join(f"{host.host_id} epoch {host.epoch} {host.state}" for host in tree.hosts)
                    raise TimeoutError(f"deployment {self.name} did not come to that in {seconds_max:g} s: {states}")
                self._news.wait(min(left_ns / SECOND, 1.0))

    # --- actors at run time -------------------------------------------------------------------------------------

    def add_actor(
        self,
        actor: Actor,
        actor_id: str | None = None,
        *,
        host: str | None = None,
        restart: Restart | str = "transient",
    ) -> str:
        """Add an actor to what runs, in a new host or in one that is there; it is not started. Returns its id.

        Raises `ConfigError`: CONF004 for what is no actor, CONF007 for an id that is taken, CONF010 for what cannot be
        a host; `LibraError` when it cannot be added.
        """
        check_actor(actor, "Deployment.add_actor")
        if host is not None:
            check_host(host, "Deployment.add_actor")
        if actor_id is not None:
            check_actor_id(actor_id, "Deployment.add_actor")
        name = actor_id or actor.config.actor_id or self._new_id(type(actor).__name__)
        spec = self._spec(ActorEntry(name, type(actor), actor.config), checked_restarts(restart, [name])[name])
        self._do(lambda carrier: carrier.operations.add_actor(spec, host))
        return name

    def start_actor(self, actor_id: str) -> None:
        """Start an actor that was added, was stopped or has faulted. Raises `LibraError` when it does not run then."""
        self._do(lambda carrier: carrier.operations.start_actor(actor_id))

    def stop_actor(self, actor_id: str) -> None:
        """Stop an actor; it stays stopped until it is started. Raises `LibraError` when that failed."""
        self._do(lambda carrier: carrier.operations.stop_actor(actor_id))

    def remove_actor(self, actor_id: str) -> None:
        """Stop and forget an actor; a host ends with its last one. Raises `LibraError` when that failed."""
        self._do(lambda carrier: carrier.operations.remove_actor(actor_id))

    def halt(self, reason: str) -> None:
        """Let nothing through any more that opens a position."""
        self._do(lambda carrier: carrier.halted_by_hand(reason))

    # --- messages of the driver ---------------------------------------------------------------------------------

    def request(self, endpoint: str, message: object, *, seconds_max: float = 5.0) -> Any:  # noqa: ANN401 - the receiver decides
        """Ask an endpoint of any actor and return its reply.

        Raises `NoReceiverError` when nobody has the endpoint, `LibraError` when no reply comes in time.
        """
        timeout_ns = int(seconds_max * SECOND)
        return self._ask(lambda carrier: carrier.request(endpoint, message, timeout_ns), seconds_max + GRACE_SECONDS)

    def publish(self, topic: str, message: object) -> None:
        """To all actors that subscribed to `topic`."""
        self._ask(lambda carrier: carrier.publish(topic, message))

    def publish_signal(self, name: str, value: SignalValue) -> None:
        """A signal to all actors that subscribed to it."""
        self.publish(signal_topic(name), Signal(name, value, self._clock.now_ns(), self.name))

    def subscribe(self, pattern: str, callback: Callable[[Any], object]) -> None:
        """Have what is published on matching topics given to `callback`, in the supervisor's thread: be quick there."""
        check_handler(callback, f"subscription to {pattern}")
        self._ask(lambda carrier: carrier.subscribe(pattern, callback))

    # --- inside -------------------------------------------------------------------------------------------------

    def _open(self) -> SupervisorThread:
        """The metrics' port, a Ray, a folder and the supervisor's thread."""
        self.metrics_url = self._stack.enter_context(serving_metrics(self._metrics, lambda: self._status))
        session = self._stack.enter_context(RaySession(checks_nodes_often=True))
        # After the session's own: what is registered last is called first, and a stop needs Ray.
        atexit.register(self.stop)
        self._stack.callback(atexit.unregister, self.stop)
        with deferred_signals():
            self._folder = folder = PrivateFolder.for_sockets()
            self._stack.callback(session.forget, folder.path)
            self._stack.callback(folder.remove)
            session.mind(folder.path)
            run_id = f"{self.name}-{folder.path.name.rpartition('-')[2]}"
            launcher = Launcher(run_id, run_deployed_host, cpus=self._cpus)
            self._stack.callback(launcher.kill_all)
        sites = self._sites(folder.path)
        programs = Programs(sites, seed=self._seed, is_journaled=self._is_journaled, faults=self._faults)
        orders = Orders(
            hosts=self._hosts,
            tree=self._tree,
            settings=self._settings,
            launcher=launcher,
            make_program=programs.for_host,
            make_host=lambda actor_id: MAIN if self._placement == FUSED else actor_id,
            describe=self._described,
            public_key=sites.public_key,
            on_status=self._show,
        )
        self._thread = SupervisorThread(self.name, programs.for_supervisor(), self._clock, orders, self._announce)
        self._stack.callback(self._thread.end)
        self._thread.start()
        return self._thread

    def _sites(self, folder: Path) -> Sites:
        if self._nodes == "own":
            return OwnSites(folder, own_node() if len(living_nodes()) > 1 else None)
        folders = NodeFolders(folder)
        self._stack.callback(folders.close)
        for node in living_nodes():
            folders.on(node)
        return ClusterSites(folders, [host.host_id for host in self._hosts], self._clock)

    def _close(self) -> None:
        with deferred_signals():
            self._is_over = True
            self._stack.close()
            self._status = self.metrics_url = None
            self._announce()

    def _ask(self, procedure: Callable[[SupervisorCarrier], Steps[T]], seconds_max: float = GRACE_SECONDS) -> T:
        if self._thread is None or self._is_over:
            raise LibraError(f"deployment {self.name} does not run")
        return self._thread.ask(procedure, seconds_max)

    def _do(self, procedure: Callable[[SupervisorCarrier], Steps[Answer]]) -> None:
        answer = self._ask(procedure, START_SECONDS)
        if not answer.is_ok:
            raise LibraError(answer.text)

    def _described(self, command: AddActor) -> ActorSpec:
        """An actor that another one wants added."""
        found = imported_class(command.path)
        config = build_settings(config_class_of(found), command.settings, place=command.actor_id)
        return self._spec(ActorEntry(command.actor_id, found, config), DEFAULT_RESTART)

    def _spec(self, entry: ActorEntry, restart: Restart) -> ActorSpec:
        return actor_spec(placeable(self._system, entry), restart)

    def _new_id(self, class_name: str) -> str:
        taken = {actor.actor_id for host in self.tree().hosts for actor in host.actors}
        number = 1
        while f"{class_name}-{number}" in taken:
            number += 1
        return f"{class_name}-{number}"

    def _show(self, carrier: SupervisorCarrier) -> None:
        """Keep, announce and write the status as it is now. Runs in the supervisor's thread."""
        now_ns = self._clock.now_ns()
        session = self.folder.name
        state = "HALTED" if carrier.halted else "RUNNING"
        tree = TreeStatus(
            self.name, session, now_ns, self._placement, tree_status(carrier), state, carrier.halted, os.getpid()
        )
        with self._news:
            self._status = tree
        self._announce()
        if now_ns >= self._written_ns + SECOND:
            self._written_ns = now_ns
            write_status(self.folder, tree)

    def _announce(self) -> None:
        with self._news:
            self._news.notify_all()
