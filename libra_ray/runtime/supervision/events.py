"""What a supervision tree is told, and what it wants done."""

from typing import TypeAlias

import msgspec

from libra_ray.runtime.supervision.specs import Node

__all__ = [
    "Action",
    "Activate",
    "Activated",
    "Added",
    "Begin",
    "Ended",
    "Escalate",
    "Event",
    "Finish",
    "Halt",
    "Hung",
    "Kill",
    "Launch",
    "Launched",
    "Removed",
    "Stop",
    "StopAsked",
    "Tick",
]

# --- events: what has happened ------------------------------------------------------------------------------------


class Begin(msgspec.Struct, frozen=True):
    """Start these, for the first time or again after a stop or after they were given up."""

    node_ids: tuple[str, ...]


class Launched(msgspec.Struct, frozen=True):
    """The child's process runs and answers; its actors wait to be started."""

    node_id: str
    epoch: int


class Activated(msgspec.Struct, frozen=True):
    """The child's actors have been started."""

    node_id: str
    epoch: int


class Ended(msgspec.Struct, frozen=True):
    """The child's process is gone. `is_bad`: it did not end by itself in good order."""

    node_id: str
    epoch: int
    is_bad: bool = True
    reason: str = ""


class Hung(msgspec.Struct, frozen=True):
    """The child is there and does nothing, or nobody hears of it."""

    node_id: str
    epoch: int
    reason: str = ""


class StopAsked(msgspec.Struct, frozen=True):
    """Let the child end in good order and do not start it again."""

    node_id: str


class Added(msgspec.Struct, frozen=True):
    """There is one node more, at the end of a supervisor's order. It is not started by that."""

    parent_id: str
    node: Node


class Removed(msgspec.Struct, frozen=True):
    """Forget a node below which nothing runs."""

    node_id: str


class Finish(msgspec.Struct, frozen=True):
    """The whole is about to stop: whatever ends from now on stays ended."""


class Tick(msgspec.Struct, frozen=True):
    """Time has passed."""


Event: TypeAlias = Begin | Launched | Activated | Ended | Hung | StopAsked | Added | Removed | Finish | Tick

# --- actions: what is to be done ----------------------------------------------------------------------------------


class Launch(msgspec.Struct, frozen=True):
    """Start the child's process as `epoch`; answer with `Launched`, or with `Ended` when that fails."""

    node_id: str
    epoch: int


class Activate(msgspec.Struct, frozen=True):
    """All of these have been launched: start their actors, in this order; answer with `Activated` for each."""

    node_ids: tuple[str, ...]


class Kill(msgspec.Struct, frozen=True):
    """End the child's process at once; answer with `Ended`. A new epoch does not wait long for that."""

    node_id: str
    epoch: int
    reason: str


class Stop(msgspec.Struct, frozen=True):
    """Have the child end in good order; answer with `Ended`."""

    node_id: str
    epoch: int


class Escalate(msgspec.Struct, frozen=True):
    """A supervisor has had too many restarts and failed; its parent decides. Nothing needs to be done."""

    node_id: str
    parent_id: str
    reason: str


class Halt(msgspec.Struct, frozen=True):
    """The root gives up on one of its nodes: trading must halt. Children of other nodes go on."""

    node_id: str
    reason: str


Action: TypeAlias = Launch | Activate | Kill | Stop | Escalate | Halt
