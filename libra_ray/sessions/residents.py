"""Who must live somewhere when the parts of a system live apart: values that build their actor where they come to."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from libra_ray.hosts.context import MadeActor
from libra_ray.kernel.apart.host_view import VIEW, HostView, view_of
from libra_ray.kernel.apart.parts import KERNEL_KINDS, add_kernel_part
from libra_ray.kernel.apart.plan import KernelPlan, client_id
from libra_ray.kernel.apart.user_actors import add_user_actor
from libra_ray.model.instruments import Instrument
from libra_ray.runtime import Actor, ActorConfig, Kind, actor_of
from libra_ray.runtime.supervision import StartStage
from libra_ray.strategy import ExecAlgorithm, Strategy, StrategyConfig

if TYPE_CHECKING:
    from libra_ray.hosts.actor_host import ActorHost
    from libra_ray.hosts.context import Resident
    from libra_ray.simulation.system import ActorEntry, System

__all__ = ["KernelResident", "Placeable", "UserResident", "VenueResident", "placeable", "residents"]


class Placeable(NamedTuple):
    """Somebody to be placed: the actor's id, what it is, and the value that builds it in whichever host it comes to."""

    actor_id: str
    kind: Kind
    resident: "Resident"

    @property
    def stage(self) -> StartStage:
        """When it starts."""
        return StartStage.CLIENT if isinstance(self.resident, VenueResident) else StartStage[self.kind.name]

    @property
    def fault_policy(self) -> str:
        """What becomes of a strategy's orders when it is gone for good: keep, cancel or flatten; else empty."""
        config = self.resident.config if isinstance(self.resident, UserResident) else None
        return config.fault_policy if isinstance(config, StrategyConfig) else ""


@dataclass(frozen=True, slots=True)
class KernelResident:
    """A part of the kernel: `Cache`, `Portfolio`, `RiskEngine`, `ExecEngine`, `OrderEmulator` or `DataEngine`."""

    actor_id: str
    plan: KernelPlan

    def make(self, host: "ActorHost") -> Actor:
        """Build, add and wire it."""
        actor = add_kernel_part(host, self.plan, self.actor_id)
        _keep_books(host, self.plan)
        return actor


@dataclass(frozen=True, slots=True)
class VenueResident:
    """The client of a venue; until there are real ones, a venue of its own that is simulated on live rows."""

    actor_id: str
    venue: str
    plan: KernelPlan

    def make(self, host: "ActorHost") -> Actor:
        """Build, add and wire it. What it needs is large, so only its own host loads that."""
        made: Actor = import_module("libra_ray.sessions.paper_venue").add_paper_venue(host, self.plan, self.venue)
        return made


@dataclass(frozen=True, slots=True)
class UserResident:
    """A strategy, an execution algorithm or another actor of the user."""

    actor_id: str
    actor_class: type[Actor]
    config: ActorConfig
    plan: KernelPlan

    def make(self, host: "ActorHost") -> Actor:
        """Build, add and wire it. Actors that are added to this host later are wired in the same way."""
        view = view_of(host, self.plan, self.actor_id)
        host.adopt = lambda actor, _kind: add_user_actor(host, view, actor)
        actor = actor_of(self.actor_class, self.config.model_copy(update={"actor_id": self.actor_id}))
        add_user_actor(host, view, actor)
        _keep_books(host, self.plan)
        return actor


class _LateBooks:
    """Keeps books from the first change of one on: most hosts see none, and do not load what that needs."""

    def __init__(self, view: HostView, plan: KernelPlan) -> None:
        self._view, self._plan = view, plan
        self._keeper: Any = None

    def views(self, batch: object) -> Iterable[object]:
        """The book after each message of a batch."""
        if self._keeper is None:
            home = import_module("libra_ray.sessions.book_keeper")
            self._keeper = home.BookKeeper(self._view.cache, {venue.name: venue for venue in self._plan.venues})
        views: Iterable[object] = self._keeper.views(batch)
        return views


def _keep_books(host: "ActorHost", plan: KernelPlan) -> None:
    """Let `on_book` of actors in this host be given books."""
    view = host.keepers.get(VIEW)
    makers = host.market_views.makers
    if isinstance(view, HostView) and "book_deltas" not in makers:
        makers["book_deltas"] = makers["book_snapshots"] = _LateBooks(view, plan).views


def placeable(system: "System", entry: "ActorEntry", *, instruments: Iterable[Instrument] = ()) -> Placeable:
    """An actor of a user in `system`: wired to the kernel where there is one, which is where there are venues."""
    kind = _kind_of(entry.cls)
    if system.venues:
        return Placeable(
            entry.actor_id, kind, UserResident(entry.actor_id, entry.cls, entry.config, _plan(system, instruments))
        )
    settings = {name: value for name, value in entry.config if name != "actor_id"}
    return Placeable(entry.actor_id, kind, MadeActor(entry.cls, entry.actor_id, settings, kind))


def residents(system: "System", *, instruments: Iterable[Instrument] = ()) -> tuple[Placeable, ...]:
    """All actors of `system`, in the order in which they are to be started; stopped in reverse.

    Cache, Portfolio, RiskEngine, ExecEngine, OrderEmulator, algorithms, DataEngine, venue clients (`{venue}-client`),
    user actors, strategies; of a system without venues those of the user alone. `instruments`: those that come with
    the data, beside the system's own. Any number of them may share a host. Each resident is a value that pickles.
    """
    given = tuple(instruments)
    users: dict[Kind, list[Placeable]] = {Kind.ALGORITHM: [], Kind.ACTOR: [], Kind.STRATEGY: []}
    for entry in system.actors:
        made = placeable(system, entry, instruments=given)
        users[made.kind].append(made)
    if not system.venues:
        return (*users[Kind.ALGORITHM], *users[Kind.ACTOR], *users[Kind.STRATEGY])
    plan = _plan(system, given)
    kernel = [Placeable(name, kind, KernelResident(name, plan)) for name, kind in KERNEL_KINDS.items()]
    clients = [
        Placeable(client_id(venue.name), Kind.EXECUTION, VenueResident(client_id(venue.name), venue.name, plan))
        for venue in plan.venues
    ]
    *first, data = kernel
    return (*first, *users[Kind.ALGORITHM], data, *clients, *users[Kind.ACTOR], *users[Kind.STRATEGY])


def _plan(system: "System", instruments: Iterable[Instrument]) -> KernelPlan:
    given = {made.id: made for made in (*instruments, *system.instruments.values())}
    return KernelPlan(system.venues, tuple(given.values()), system.risk_settings, system.seed, system.bars)


def _kind_of(cls: type[Actor]) -> Kind:
    if issubclass(cls, ExecAlgorithm):
        return Kind.ALGORITHM
    return Kind.STRATEGY if issubclass(cls, Strategy) else Kind.ACTOR
