"""Where the actors of a run file live and how they are minded, checked against the actors there are."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from libra_ray.config import ConfigSource, first_of
from libra_ray.errors import ConfigError, UserError, did_you_mean, quoted
from libra_ray.hosts.placement import FUSED, ISOLATED, PlacementLike, placement_of, plan
from libra_ray.kernel.apart.parts import KERNEL_KINDS
from libra_ray.kernel.apart.plan import client_id
from libra_ray.simulation.run_settings import RunConfig
from libra_ray.simulation.system import System

__all__ = ["check_supervision", "checked_placement", "deployment_of", "placement_in_lockstep"]

WORDS: Final = (FUSED, ISOLATED, None)


def checked_placement(config: RunConfig, source: ConfigSource, system: System) -> PlacementLike | None:
    """What `[placement]` says, as `plan` takes it; None where it says nothing. Raises `ConfigError` CONF010."""
    known = _known(system)
    placement = placement_of(config.placement, known, lambda *keys: source.place("placement", *keys))
    if placement is not None:
        with source.located("placement"):
            plan(dict.fromkeys(known), placement)
    return placement


def check_supervision(config: RunConfig, source: ConfigSource, system: System) -> None:
    """Raise `ConfigError` CONF010 where `[supervision]` names an actor that there is not."""
    named = [
        (source.place("supervision", "groups", name, "actors"), actor_id)
        for name, group in config.supervision.groups.items()
        for actor_id in group.actors
    ]
    named += [(source.place("supervision", "restarts", each), each) for each in config.supervision.restarts]
    known = _known(system)
    errors: list[UserError] = [
        ConfigError("CONF010", place, f"no actor {quoted(actor_id)}", did_you_mean(actor_id, list(known)), actor_id)
        for place, actor_id in named
        if actor_id not in known
    ]
    if errors:
        raise first_of(errors)


def placement_in_lockstep(placement: PlacementLike | None, system: System) -> PlacementLike | None:
    """The same for a run in lockstep, in which every host has the venues itself: their clients live nowhere."""
    if placement in WORDS:
        return placement
    hosts = plan(dict.fromkeys(_known(system)), placement or ISOLATED)
    clients = _clients(system)
    return {actor_id: host.host_id for host in hosts for actor_id in host.actor_ids if actor_id not in clients}


def deployment_of(config: RunConfig, placement: PlacementLike | None, system: System) -> Mapping[str, Any]:
    """The arguments of `deploy` that a run file gives."""
    settings = config.supervision
    restart = {**dict.fromkeys((entry.actor_id for entry in system.actors), settings.restart), **settings.restarts}
    return {
        "placement": ISOLATED if placement is None else placement,
        "restart": restart,
        "supervision": settings,
        "metrics": config.metrics,
    }


def _known(system: System) -> Collection[str]:
    """The ids of all actors there may be, in the order of their start."""
    return (*KERNEL_KINDS, *_clients(system), *(entry.actor_id for entry in system.actors))


def _clients(system: System) -> Collection[str]:
    return tuple(client_id(venue.name) for venue in system.venues)
