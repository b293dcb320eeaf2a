"""Who lives where: the hosts of a deployment and the actors in them, as values."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from libra_ray.errors import ConfigError, quoted
from libra_ray.hosts.context import BUS, SUPERVISOR, Resident
from libra_ray.hosts.placement import PlacementLike, plan
from libra_ray.runtime.supervision import Restart, StartStage, in_start_order
from libra_ray.sessions.residents import Placeable

__all__ = ["ActorSpec", "HostSpec", "actor_spec", "bus_spec", "host_specs", "start_runs"]

STRENGTH = (Restart.TEMPORARY, Restart.TRANSIENT, Restart.PERMANENT)


@dataclass(frozen=True, slots=True)
class ActorSpec:
    """One actor: when it starts, how it is made, and whether it comes back.

    `fault_policy`: what becomes of the orders of a strategy that does not; empty for actors that have none.
    """

    actor_id: str
    stage: StartStage
    resident: Resident
    restart: Restart
    fault_policy: str = ""


@dataclass(frozen=True, slots=True)
class HostSpec:
    """One process with its actors, in start order. The bus host has none."""

    host_id: str
    actors: tuple[ActorSpec, ...]

    @property
    def stage(self) -> StartStage:
        """When its first actor starts."""
        return min((actor.stage for actor in self.actors), default=StartStage.BUS)

    @property
    def restart(self) -> Restart:
        """As strong as the strongest of its actors needs; the bus host always comes back."""
        return max((actor.restart for actor in self.actors), key=STRENGTH.index, default=Restart.PERMANENT)


def bus_spec() -> HostSpec:
    """The bus host."""
    return HostSpec(BUS, ())


def actor_spec(placeable: Placeable, restart: Restart) -> ActorSpec:
    """Somebody to be placed, and whether he comes back."""
    return ActorSpec(placeable.actor_id, placeable.stage, placeable.resident, restart, placeable.fault_policy)


def host_specs(actors: Sequence[ActorSpec], placement: PlacementLike) -> tuple[HostSpec, ...]:
    """The bus host, then the hosts of `placement`, in start order. Raises `ConfigError` CONF002, CONF007 or CONF010."""
    by_id: dict[str, ActorSpec] = {}
    for actor in in_start_order(actors, lambda actor: actor.stage):
        if actor.actor_id in by_id:
            what = f"actor id {quoted(actor.actor_id)} is given 2 times"
            raise ConfigError("CONF007", None, what, "Give each actor an id of its own.", actor.actor_id)
        by_id[actor.actor_id] = actor
    hosts = [HostSpec(each.host_id, tuple(by_id[name] for name in each.actor_ids)) for each in plan(by_id, placement)]
    for host in hosts:
        if host.host_id in {BUS, SUPERVISOR}:
            what = f"{quoted(host.host_id)} is the name of a host of ours"
            raise ConfigError("CONF010", "placement", what, "Give the actor or its host another.", host.host_id)
    return (bus_spec(), *hosts)


def start_runs(hosts: Iterable[HostSpec]) -> Iterator[tuple[str, tuple[ActorSpec, ...]]]:
    """All actors of these hosts in start order, as runs that live on one host: what one command can start."""
    pairs = [(host.host_id, actor) for host in hosts for actor in host.actors]
    ordered = in_start_order(pairs, lambda pair: pair[1].stage)
    for host_id, run in groupby(ordered, key=lambda pair: pair[0]):
        yield host_id, tuple(actor for _, actor in run)
