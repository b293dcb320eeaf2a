"""How a deployment is supervised: settings in, supervision tree out."""

from collections.abc import Mapping, Sequence
from typing import Final

from libra_ray.errors import ConfigError, did_you_mean, quoted
from libra_ray.hosts.context import BUS
from libra_ray.runtime.supervision import Backoff, Child, Node, Restart, RestartStrategy, StartStage, Supervisor
from libra_ray.runtime.supervision.settings import GroupSettings, SupervisionSettings

__all__ = [
    "DEFAULT_RESTART",
    "ROOT",
    "GroupSettings",
    "SupervisionSettings",
    "checked_restarts",
    "group_of",
    "host_supervisor",
    "supervision_tree",
]

ROOT: Final = "(root)"
"""The id of the root of every tree."""
KERNEL_GROUP: Final = "(kernel)"
DEFAULT_RESTART: Final = Restart.TRANSIENT


def checked_restarts(
    restart: Restart | str | Mapping[str, Restart | str], actor_ids: Sequence[str]
) -> Mapping[str, Restart]:
    """The restart type of each actor: one for all, or by id with `DEFAULT_RESTART` for who is not named.

    Raises `ConfigError`: CONF002 for what is no restart type, CONF010 for an actor that is not there.
    """
    if isinstance(restart, str):
        return dict.fromkeys(actor_ids, _restart_type("restart", restart))
    for actor_id in restart:
        _check_known(f"restart.{actor_id}", actor_id, actor_ids)
    named = {actor_id: _restart_type(f"restart.{actor_id}", value) for actor_id, value in restart.items()}
    return {actor_id: named.get(actor_id, DEFAULT_RESTART) for actor_id in actor_ids}


def supervision_tree(
    settings: SupervisionSettings,
    hosts: Mapping[str, Restart],
    stages: Mapping[str, StartStage],
    homes: Mapping[str, str],
) -> Supervisor:
    """The tree over `hosts` (restart types by id, in start order; the bus among them).

    `stages` are those of the hosts, `homes` the host of each actor. Raises `ConfigError` CONF010 for a group with an
    unknown actor or with a host of another group, CONF007 for a group named like a host.
    """
    member_of: dict[str, str] = {}
    strategies: dict[str, RestartStrategy] = {}
    if settings.kernel is not RestartStrategy.ONE_FOR_ONE:
        strategies[KERNEL_GROUP] = settings.kernel
        member_of = {host_id: KERNEL_GROUP for host_id in hosts if host_id != BUS and stages[host_id].is_kernel}
    for name, group in settings.groups.items():
        strategies[name] = group.strategy
        place = f"supervision.groups.{name}"
        for actor_id in group.actors:
            _check_known(place, actor_id, list(homes))
            other = member_of.setdefault(homes[actor_id], name)
            if other != name:
                what = f"host {quoted(homes[actor_id])} of {quoted(actor_id)} is in group {quoted(other)} already"
                raise ConfigError("CONF010", place, what, "Name it in one group.", actor_id)
    nodes: dict[str, list[Node]] = {}
    for host_id, restart in hosts.items():
        nodes.setdefault(member_of.get(host_id, group_of(host_id)), []).append(Child(host_id, restart))
    groups = tuple(_supervisor(settings, name, tuple(members), strategies.get(name)) for name, members in nodes.items())
    return Supervisor(ROOT, groups, restarts_max=0, period_ns=settings.period_ns)


def host_supervisor(settings: SupervisionSettings, host_id: str, restart: Restart) -> Supervisor:
    """The supervisor of a host that is in no group."""
    return _supervisor(settings, group_of(host_id), (Child(host_id, restart),), None)


def group_of(host_id: str) -> str:
    """The id of the supervisor of a host that is in no group."""
    return f"({host_id})"


def _supervisor(
    settings: SupervisionSettings, name: str, members: tuple[Node, ...], strategy: RestartStrategy | None
) -> Supervisor:
    backoff = Backoff(settings.backoff_first_ns, longest_ns=settings.backoff_longest_ns)
    strategy = strategy or RestartStrategy.ONE_FOR_ONE
    return Supervisor(name, members, strategy, settings.restarts_max, settings.period_ns, backoff)


def _restart_type(place: str, value: str) -> Restart:
    try:
        return Restart(value)
    except ValueError:
        known = ", ".join(Restart)
        raise ConfigError(
            "CONF002", place, f"{quoted(value)} is no restart type", f"Known are {known}.", value
        ) from None


def _check_known(place: str, actor_id: str, known: Sequence[str]) -> None:
    if actor_id not in known:
        hint = did_you_mean(actor_id, list(known))
        raise ConfigError("CONF010", place, f"no actor {quoted(actor_id)}", hint, actor_id)
