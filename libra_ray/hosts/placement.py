"""Placement: which actors share a host. Configuration, not code: the same system, placed one way or another."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, Literal, TypeAlias

import msgspec
from pydantic import Field

from libra_ray.config import Settings
from libra_ray.errors import ConfigError, did_you_mean, quoted

__all__ = [
    "FUSED",
    "ISOLATED",
    "MAIN",
    "OTHERS",
    "HostPlan",
    "PlacementLike",
    "PlacementSettings",
    "check_host",
    "host_of",
    "placement_of",
    "plan",
]

PlacementLike: TypeAlias = str | Mapping[str, str]
"""`fused`, `isolated`, or a host by actor id; `@other` instead of a host is the host of another actor.

`*` stands for all actors that a mapping does not name: a host, or `isolated` for one each.
"""

FUSED: Final = "fused"
ISOLATED: Final = "isolated"
MAIN: Final = "main"
"""The host of all actors that a mapping does not name, where it has no `*`."""
OTHERS: Final = "*"
RESERVED: Final = ("bus", "supervisor", "observer")
NAME_CHARS_MAX: Final = 56
"""A host's name is part of the path of its socket, which has 107 bytes."""
_NAME: Final = re.compile(rf"[A-Za-z0-9_.-]{{1,{NAME_CHARS_MAX}}}", re.ASCII)
_WITH: Final = "@"

PlaceOf: TypeAlias = Callable[..., str]
"""The place of a key, as errors name it."""


class HostPlan(msgspec.Struct, frozen=True):
    """One host and the actors it carries, in the order in which they were given."""

    host_id: str
    actor_ids: tuple[str, ...]


class PlacementSettings(Settings):
    """`[placement]` of a run file. Without it a backtest is fused and a deployment isolated.

    Attributes:
        mode: `fused` or `isolated`. Where actors are named below it is for all others: in `main` together, which is
            also so without it, or one host for each.
        hosts: the actors of a host, by its name: `orders = ["RiskEngine", "ExecEngine"]`.
        actors: the host of an actor, by its id, or `@other` for the host of another.
    """

    mode: Literal["fused", "isolated"] | None = None
    hosts: dict[str, list[str]] = Field(default_factory=dict)
    actors: dict[str, str] = Field(default_factory=dict)


def plan(actors: Mapping[str, object], placement: PlacementLike) -> tuple[HostPlan, ...]:
    """The hosts for `actors` (ids in order of start), in the order of their first actor.

    `fused` is one host for all, `isolated` one for each, named after its actor. A mapping names hosts; whom it does not
    name lives in `main`, or where its `*` says. Raises `ConfigError`: CONF002 for another word, CONF010 for an actor
    that there is not, a name that no host can have, and actors that are placed with each other in a circle.
    """
    by_host: dict[str, list[str]] = {}
    for actor_id, host_id in _hosts_of(actors, placement).items():
        by_host.setdefault(host_id, []).append(actor_id)
    return tuple(HostPlan(host_id, tuple(actor_ids)) for host_id, actor_ids in by_host.items())


def host_of(hosts: Sequence[HostPlan], actor_id: str) -> str:
    """The host that carries an actor. Raises `KeyError` where none does."""
    for host in hosts:
        if actor_id in host.actor_ids:
            return host.host_id
    raise KeyError(actor_id)


def placement_of(
    settings: PlacementSettings, known: Collection[str], place: PlaceOf = lambda *keys: ".".join(("placement", *keys))
) -> PlacementLike | None:
    """What `settings` say, as `plan` takes it; None where they say nothing.

    `known` are the actors there may be, and `place` gives the place of a key for errors. Raises `ConfigError` CONF010
    for what `plan` would refuse and for an actor that is placed twice.
    """
    if not settings.hosts and not settings.actors:
        return settings.mode
    entries = [(place("hosts", host), actor_id, host) for host, ids in settings.hosts.items() for actor_id in ids]
    entries += [(place("actors", actor_id), actor_id, target) for actor_id, target in settings.actors.items()]
    for host_id in settings.hosts:
        check_host(host_id, place("hosts", host_id))
    mapping: dict[str, str] = {}
    places: dict[str, str] = {}
    for where, actor_id, target in entries:
        _check_actor(actor_id, known, where)
        if actor_id in mapping:
            what = f"actor {quoted(actor_id)} is placed 2 times, in {quoted(mapping[actor_id])} too"
            raise ConfigError("CONF010", where, what, "Name it once.", actor_id)
        mapping[actor_id], places[actor_id] = target, where
    _check_targets(mapping, known, places.__getitem__)
    return mapping if settings.mode != ISOLATED else {**mapping, OTHERS: ISOLATED}


def _hosts_of(actors: Mapping[str, object], placement: PlacementLike) -> dict[str, str]:
    if not isinstance(placement, Mapping):
        if placement == FUSED:
            return dict.fromkeys(actors, MAIN)
        if placement == ISOLATED:
            return {actor_id: _own_host(actor_id) for actor_id in actors}
        fix = 'Write "fused", "isolated", or name a host for each actor.'
        raise ConfigError("CONF002", "placement", f"{quoted(placement)} is no placement", fix, str(placement))
    named = {actor_id: target for actor_id, target in placement.items() if actor_id != OTHERS}
    for actor_id in named:
        _check_actor(actor_id, actors, _key(actor_id))
    _check_targets(named, actors, _key)
    others = placement.get(OTHERS, MAIN)
    if others != ISOLATED:
        check_host(others, _key(OTHERS))
    return {actor_id: _resolved(actor_id, named, others) for actor_id in actors}


def _own_host(actor_id: str) -> str:
    """The host of an actor that lives alone."""
    if actor_id in RESERVED:
        what = f"{quoted(actor_id)} is the name of a host of ours"
        raise ConfigError("CONF010", "placement", what, "Give the actor or its host another.", actor_id)
    check_host(actor_id, "placement")
    return actor_id


def _key(actor_id: str) -> str:
    return f"placement.{actor_id}"


def _check_actor(actor_id: str, known: Collection[str], place: str) -> None:
    if actor_id not in known:
        hint = did_you_mean(actor_id, list(known))
        raise ConfigError("CONF010", place, f"no actor {quoted(actor_id)}", hint, actor_id)


def check_host(host_id: object, place: str) -> None:
    """Raises `ConfigError` CONF010 for what cannot name a host."""
    if not isinstance(host_id, str) or _NAME.fullmatch(host_id) is None or host_id in RESERVED:
        what = f"{quoted(host_id)} cannot name a host"
        fix = f"Use 1 to {NAME_CHARS_MAX} letters, digits and '_.-', and none of {', '.join(RESERVED)}."
        raise ConfigError("CONF010", place, what, fix, str(host_id))


def _check_targets(named: Mapping[str, str], known: Collection[str], place: Callable[[str], str]) -> None:
    """Every target is a host or an actor there is, and none leads back to itself."""
    for actor_id, target in named.items():
        other = _followed(target)
        if other is None:
            check_host(target, place(actor_id))
        else:
            _check_actor(other, known, place(actor_id))
    for actor_id in named:
        passed = [actor_id]
        while (following := _followed(named.get(passed[-1], MAIN))) is not None:
            if following in passed:
                circle = " -> ".join((*passed[passed.index(following) :], following))
                what = f"actors are placed with each other in a circle: {circle}"
                raise ConfigError("CONF010", place(following), what, "Name a host for one of them.", named[passed[-1]])
            passed.append(following)


def _followed(target: object) -> str | None:
    """The actor whose host is meant; None for a host."""
    return target.removeprefix(_WITH) if isinstance(target, str) and target.startswith(_WITH) else None


def _resolved(actor_id: str, named: Mapping[str, str], others: str) -> str:
    """The host of an actor, through all `@other` on the way, of which none leads back."""
    target = named.get(actor_id)
    while target is not None and (following := _followed(target)) is not None:
        actor_id, target = following, named.get(following)
    if target is not None:
        return target
    return _own_host(actor_id) if others == ISOLATED else others
