"""What a deployment says of itself: hosts, their actors, lanes and counters, as values that travel and are kept.

The supervisor writes the whole tree to `status.json` in its session's folder once a second; whoever wants to look
reads it there, and asks nobody.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from libra_ray.errors import DataError
from libra_ray.runtime.private_folders import live_folders

__all__ = [
    "STATUS_NAME",
    "ActorStatus",
    "HostStatus",
    "LaneStatus",
    "TreeStatus",
    "live_sessions",
    "read_status",
    "write_status",
]

STATUS_NAME: Final = "status.json"


class LaneStatus(msgspec.Struct, frozen=True):
    """One lane of a host: what it sent and took in, what waits in its inbox, and what was lost.

    Attributes:
        depth, high_water: messages that wait, and that waited at most.
        sent, received: to other hosts and from them, each once.
        dropped: market data and notices that found no room.
        dead: what was refused, such as frames of a former life.
        oldest_age_ns: how long ago the oldest message that waits was sent.
    """

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
        state: STARTING, UP, SUSPECT (silent for a second), STOPPING, STOPPED, DOWN, GIVEN_UP (it fell too often).
        node: where it runs, as Ray calls it.
        messages, messages_per_second: what was taken from all lanes but CONTROL, since it was started, and lately.
        lag_ns: how long ago the oldest message that waits was sent.
        drops: batches of market data of this host that slow subscribers did not get.
        dead_letters: by reason.
        restarts: how often the process was started again; the epoch counts all starts of the host.
        cpu_seconds: of the process; `private_bytes`: memory that it shares with nobody.
        ts_ns: when the host said this; `reason`: why it does not run.
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
    """The tree in a folder; None where none was written yet. Raises `DataError` DATA011 for a file that is none."""
    path = folder / STATUS_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=TreeStatus)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        fix = "It is damaged, or its session runs another version of libra_ray."
        raise DataError("DATA011", str(path), f"is no status: {error}", fix) from error


def live_sessions() -> dict[Path, TreeStatus | DataError]:
    """What each session of this user that runs on this machine says of itself, by its folder; or why it cannot be read.

    One that has not said anything yet, and a folder that is no deployment's, is left out.
    """
    found: dict[Path, TreeStatus | DataError] = {}
    for folder in live_folders():
        try:
            tree = read_status(folder)
        except DataError as error:
            found[folder] = error
        else:
            if tree is not None:
                found[folder] = tree
    return found
