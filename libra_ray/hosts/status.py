"""What a deployment says of itself: hosts, their actors, lanes and counters, as values that travel and are kept.

The supervisor writes the whole tree to `status.json` in its session's folder once a second; whoever wants to look
reads it there, and asks nobody.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from libra_ray.errors import LibraError

__all__ = [
    "STATUS_NAME",
    "ActorStatus",
    "HostStatus",
    "LaneStatus",
    "TreeStatus",
    "read_status",
    "write_status",
]

STATUS_NAME: Final = "status.json"


class LaneStatus(msgspec.Struct, frozen=True):
    """One lane of a host's inbox: what came, what was handed out, what waits, and what was lost."""

    depth: int = 0
    high_water: int = 0
    sent: int = 0
    received: int = 0
    dropped: int = 0
    dead: int = 0
    oldest_age_ns: int = 0


class ActorStatus(msgspec.Struct, frozen=True):
    """One actor: `kind` as in its rank, `state` of its lifecycle, how often it faulted in this life of its host."""

    actor_id: str
    kind: str
    state: str
    faults: int = 0
    discarded: int = 0
    reason: str = ""


class HostStatus(msgspec.Struct, frozen=True):
    """One host process.

    Attributes:
        state: STARTING, UP, SUSPECT (silent for a second), DOWN, STOPPED.
        messages_per_second: reliable and market-data messages handed to actors, over the last second.
        lag_ns: how long the oldest message of the inbox has waited.
        drops: market data that subscribers here did not get, because they were slow.
        dead_letters: by reason.
        restarts: how often the process was started again; the epoch counts all starts of the host.
        cpu_seconds: of the process; `private_bytes`: memory that it shares with nobody.
    """

    host_id: str
    epoch: int
    pid: int = 0
    node: str = ""
    state: str = "UP"
    actors: tuple[ActorStatus, ...] = ()
    lanes: Mapping[str, LaneStatus] = {}
    messages_per_second: float = 0.0
    messages: int = 0
    lag_ns: int = 0
    drops: int = 0
    dead_letters: Mapping[str, int] = {}
    restarts: int = 0
    cpu_seconds: float = 0.0
    private_bytes: int = 0
    ts_ns: int = 0
    reason: str = ""


class TreeStatus(msgspec.Struct, frozen=True):
    """A whole deployment: `halted_by` says why trading is halted, and is empty while it is not."""

    name: str
    session: str
    ts_ns: int
    placement: str
    hosts: tuple[HostStatus, ...] = ()
    state: str = "RUNNING"
    halted_by: str = ""
    pid: int = 0

    def host(self, host_id: str) -> HostStatus:
        """The status of a host. Raises `KeyError` where there is none of that id."""
        for host in self.hosts:
            if host.host_id == host_id:
                return host
        raise KeyError(host_id)

    def actor(self, actor_id: str) -> tuple[HostStatus, ActorStatus]:
        """An actor and the host that carries it. Raises `KeyError` where there is none of that id."""
        for host in self.hosts:
            for actor in host.actors:
                if actor.actor_id == actor_id:
                    return host, actor
        raise KeyError(actor_id)


def write_status(folder: Path, tree: TreeStatus) -> None:
    """Put the tree into the folder: whoever reads meanwhile sees the old one or the new one, whole."""
    draft = folder / f"{STATUS_NAME}.draft"
    draft.write_bytes(msgspec.json.encode(tree))
    draft.replace(folder / STATUS_NAME)


def read_status(folder: Path) -> TreeStatus | None:
    """The tree in a folder; None where none was written yet. Raises `LibraError` for a file that is none."""
    try:
        return msgspec.json.decode((folder / STATUS_NAME).read_bytes(), type=TreeStatus)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise LibraError(f"{folder / STATUS_NAME} is no status: {error}") from error
