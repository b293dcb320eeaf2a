"""What a supervisor is told: whom it minds, in which order, and what it does when one of them ends."""

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from libra_ray.errors import ConfigError, quoted

__all__ = ["Backoff", "Child", "Node", "Restart", "RestartStrategy", "Supervisor"]

MS: Final = 1_000_000
SECOND: Final = 1_000_000_000


class Restart(StrEnum):
    """Whether a child that has ended by itself is started again.

    PERMANENT: always. TRANSIENT: when it ended badly (it died, hung or raised). TEMPORARY: never.
    """

    PERMANENT = "permanent"
    TRANSIENT = "transient"
    TEMPORARY = "temporary"


class RestartStrategy(StrEnum):
    """Who is started again together with a child that ended: nobody, those after it in the order, or all."""

    ONE_FOR_ONE = "one_for_one"
    REST_FOR_ONE = "rest_for_one"
    ONE_FOR_ALL = "one_for_all"


class Backoff(msgspec.Struct, frozen=True):
    """How long a restart waits: `first_ns`, and `factor` times longer each time, at most `longest_ns`."""

    first_ns: int = 100 * MS
    factor: int = 2
    longest_ns: int = 30 * SECOND

    def delay_ns(self, restarts: int) -> int:
        """The delay before restart number `restarts`, counted from 1 inside the supervisor's period."""
        # 64 steps are beyond any longest delay; without the bound a long story makes a huge integer.
        growth: int = self.factor ** min(restarts - 1, 64)
        return min(self.first_ns * growth, self.longest_ns)


class Child(msgspec.Struct, frozen=True):
    """Something that is started, ends, and may be started again: a host."""

    node_id: str
    restart: Restart = Restart.PERMANENT


class Supervisor(msgspec.Struct, frozen=True):
    """Minds `nodes`, which start in this order.

    More than `restarts_max` restarts within `period_ns` and it fails: all below it are ended, and its parent treats
    that as the bad end of one of its own nodes. A root that fails halts.
    """

    node_id: str
    nodes: "tuple[Node, ...]" = ()
    strategy: RestartStrategy = RestartStrategy.ONE_FOR_ONE
    restarts_max: int = 5
    period_ns: int = 60 * SECOND
    backoff: Backoff = Backoff()

    def children(self) -> Iterator[Child]:
        """All children below it, in start order."""
        for node in self.nodes:
            if isinstance(node, Supervisor):
                yield from node.children()
            else:
                yield node

    def check(self) -> None:
        """Raise `ConfigError`: CONF007 for an id that is there twice, CONF002 for a number out of range."""
        nodes = list(_walk(self))
        counts = Counter(node.node_id for node in nodes)
        for node_id, count in counts.items():
            if count > 1:
                fix = "Give each its own."
                what = f"id {quoted(node_id)} is given {count} times"
                raise ConfigError("CONF007", "supervision", what, fix, node_id)
        for node in nodes:
            if isinstance(node, Supervisor) and (node.restarts_max < 0 or node.period_ns < 1):
                what = f"{node.restarts_max} restarts in {node.period_ns} ns are no intensity"
                fix = "Give 0 or more restarts in a period above 0."
                raise ConfigError("CONF002", f"supervision.{node.node_id}", what, fix, str(node.restarts_max))


Node: TypeAlias = Child | Supervisor


def _walk(node: Node) -> Iterator[Node]:
    """It and all below it."""
    yield node
    if isinstance(node, Supervisor):
        for each in node.nodes:
            yield from _walk(each)
