"""How hosts are supervised, as settings: of a run file, or of `deploy`."""

from typing import Final

from pydantic import Field

from libra_ray.config import Settings
from libra_ray.runtime.supervision.specs import RestartStrategy

__all__ = ["GroupSettings", "SupervisionSettings"]

SECOND: Final = 1_000_000_000


class GroupSettings(Settings):
    """Hosts that belong together, named by the actors in them.

    Attributes:
        actors: ids of actors; each host that carries one of them is in the group.
        strategy: which of them start again when one of them ends.
    """

    actors: tuple[str, ...]
    strategy: RestartStrategy = RestartStrategy.ONE_FOR_ALL


class SupervisionSettings(Settings):
    """Each host has a supervisor of its own unless it is in a group; all these are under one root.

    A host or group that used up its restarts is given up, and trading halts; all others go on.

    Attributes:
        restarts_max, period_ns: so many restarts within so long, for each host or group.
        backoff_first_ns, backoff_longest_ns: the wait before a restart, doubled each time within the period.
        kernel: which parts of the kernel start again when one of them ends. With `one_for_one` each stands alone.
        groups: further groups by name.
    """

    restarts_max: int = Field(default=5, ge=0)
    period_ns: int = Field(default=60 * SECOND, gt=0)
    backoff_first_ns: int = Field(default=100_000_000, ge=0)
    backoff_longest_ns: int = Field(default=30 * SECOND, ge=0)
    kernel: RestartStrategy = RestartStrategy.ONE_FOR_ONE
    groups: dict[str, GroupSettings] = Field(default_factory=dict)
