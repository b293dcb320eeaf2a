"""Placement: which actors share a host. Configuration, not code: the same system, placed one way or another."""

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec

from libra_ray.errors import ConfigError, did_you_mean, quoted

__all__ = ["FUSED", "ISOLATED", "MAIN", "HostPlan", "PlacementLike", "host_of", "plan"]

PlacementLike: TypeAlias = str | Mapping[str, str]
"""`fused`, `isolated`, or a host by actor id; `@other` instead of a host is the host of another actor."""

FUSED: Final = "fused"
ISOLATED: Final = "isolated"
MAIN: Final = "main"
"""The host of all actors that a mapping does not name."""
RESERVED: Final = ("bus", "supervisor", "observer")
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_WITH: Final = "@"


class HostPlan(msgspec.Struct, frozen=True):
    """One host and the actors it carries, in the order in which they were given."""

    host_id: str
    actor_ids: tuple[str, ...]


def plan(actors: Mapping[str, object], placement: PlacementLike) -> tuple[HostPlan, ...]:
    """The hosts for `actors` (ids in order of start), in the order of their first actor.

    `fused` is one host for all, `isolated` one for each, named after its actor. A mapping names hosts; whom it does not
    name lives in `main`. Raises `ConfigError`: CONF002 for another word, CONF010 for an actor that there is not, a
    name that no host can have, and actors that are placed with each other in a circle.
    """
    by_host: dict[str, list[str]] = {}
    for actor_id, host_id in _hosts_of(actors, placement).items():
        by_host.setdefault(host_id, []).append(actor_id)
    return tuple(HostPlan(host_id, tuple(actor_ids)) for host_id, actor_ids in by_host.items())


def host_of(hosts: tuple[HostPlan, ...], actor_id: str) -> str:
    """The host that carries an actor. Raises `KeyError` where none does."""
    for host in hosts:
        if actor_id in host.actor_ids:
            return host.host_id
    raise KeyError(actor_id)


def _hosts_of(actors: Mapping[str, object], placement: PlacementLike) -> dict[str, str]:
    if isinstance(placement, str):
        if placement == FUSED:
            return dict.fromkeys(actors, MAIN)
        if placement == ISOLATED:
            return {actor_id: actor_id for actor_id in actors}
        fix = 'Write "fused", "isolated", or name a host for each actor.'
        raise ConfigError("CONF002", "placement", f"{quoted(placement)} is no placement", fix, placement)
    for actor_id, target in placement.items():
        _check(actor_id, target, actors)
    return {actor_id: _resolved(actor_id, placement) for actor_id in actors}


def _check(actor_id: str, target: str, actors: Mapping[str, object]) -> None:
    named = [actor_id, target.removeprefix(_WITH)] if target.startswith(_WITH) else [actor_id]
    for name in named:
        if name not in actors:
            what = f"no actor {quoted(name)}"
            raise ConfigError("CONF010", f"placement.{actor_id}", what, did_you_mean(name, list(actors)), name)
    if not target.startswith(_WITH) and (_NAME.fullmatch(target) is None or target in RESERVED):
        what = f"{quoted(target)} cannot name a host"
        fix = f"Use 1 to 64 letters, digits and '_.-', and none of {', '.join(RESERVED)}."
        raise ConfigError("CONF010", f"placement.{actor_id}", what, fix, target)


def _resolved(actor_id: str, placement: Mapping[str, str]) -> str:
    """The host of an actor, through all `@other` on the way."""
    passed = [actor_id]
    while True:
        target = placement.get(passed[-1], MAIN)
        if not target.startswith(_WITH):
            return target
        following = target.removeprefix(_WITH)
        if following in passed:
            circle = " -> ".join((*passed[passed.index(following) :], following))
            what = f"actors are placed with each other in a circle: {circle}"
            raise ConfigError("CONF010", f"placement.{following}", what, "Name a host for one of them.", target)
        passed.append(following)
