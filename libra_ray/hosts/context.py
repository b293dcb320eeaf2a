"""What a process is given to become a host: its name, where its peers are, and whom it carries.

A `HostProgram` travels to the process by Ray's control plane (cloudpickle); nothing of it crosses the wire.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from libra_ray.errors import ConfigError, quoted
from libra_ray.runtime.actor import Actor
from libra_ray.runtime.rank import Kind

if TYPE_CHECKING:
    from libra_ray.bus.wire.letter import Faults
    from libra_ray.hosts.actor_host import ActorHost

__all__ = ["BUS", "SUPERVISOR", "HostProgram", "ImportedActor", "MadeActor", "PeerAddress", "Resident"]

BUS = "bus"
"""The id of the host that routes topics and owns the table."""
SUPERVISOR = "supervisor"
"""The id under which the supervisor's port is known."""


@dataclass(frozen=True, slots=True)
class PeerAddress:
    """Where a host listens, in which of its lives, and its public key where the link is encrypted."""

    host_id: str
    address: str
    epoch: int = 1
    server_key: bytes | None = None


class Resident(Protocol):
    """Somebody who will live in a host. It is made there, not before, and anew in each life of the host."""

    @property
    def actor_id(self) -> str:
        """The id that the actor will have."""

    def make(self, host: "ActorHost") -> Actor:
        """Build the actor, add it to `host` and wire it; `host.bus` reaches all other hosts."""


@dataclass(frozen=True, slots=True)
class MadeActor:
    """An actor of a class, made of its configuration. What the classes of a notebook travel in."""

    actor_class: type[Actor]
    actor_id: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    kind: Kind = Kind.ACTOR

    def make(self, host: "ActorHost") -> Actor:
        """Build and adopt it."""
        actor = self.actor_class(**{**self.settings, "actor_id": self.actor_id})
        host.adopt(actor, self.kind)
        return actor


@dataclass(frozen=True, slots=True)
class ImportedActor:
    """An actor by the path of its class, `package.module:Class`: what a command may carry, and live runs use."""

    path: str
    actor_id: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    kind: Kind = Kind.ACTOR

    def make(self, host: "ActorHost") -> Actor:
        """Import, build and adopt it. Raises `ConfigError` CONF003 or CONF004 for a path that leads to no actor."""
        return MadeActor(imported_class(self.path), self.actor_id, self.settings, self.kind).make(host)


def imported_class(path: str) -> type[Actor]:
    """The class at `package.module:Class`."""
    module_name, _, class_name = path.partition(":")
    try:
        found = getattr(importlib.import_module(module_name), class_name, None)
    except ImportError as error:
        what = f"module {quoted(module_name)} not found ({path})"
        raise ConfigError("CONF003", None, what, "Write it as package.module:Class.", path) from error
    if not (isinstance(found, type) and issubclass(found, Actor)):
        raise ConfigError("CONF004", None, f"{quoted(path)} is not an Actor", "Name a class of actors.", path)
    return found


@dataclass(frozen=True, slots=True)
class HostProgram:
    """All that a process needs to become a host.

    Attributes:
        host_id, epoch: its name, and which life of that name this is, from 1.
        folder: the session's private folder; the journal and segments are kept there.
        address: where it binds, `ipc://{folder}/{host_id}-{epoch}` or `tcp://host:port` (port `*` for any).
        supervisor: who is sent heartbeats and gives commands; None where nobody does (tests).
        bus: the bus host; None when this is it.
        keys_path: where its keys are (`Keys.read`), for links between nodes; None for links that need none.
        residents: whom it carries, made in this order.
        node: the machine it runs on; hosts of one node share memory.
        is_journaled: keep a journal, so that the next life continues where this one is killed.
        starts_itself: start all residents as soon as the bus knows this host, without a command.
        save_every_ns: how often `on_save` of all is asked for the journal, while messages come.
        search_path: folders in which the modules of residents are found.
        ends_with_parent: end when the process that started this one is gone (Ray sees to that for its own).
        faults: what goes wrong with what it sends, by order of a test.
    """

    host_id: str
    epoch: int
    folder: Path
    address: str
    supervisor: PeerAddress | None = None
    bus: PeerAddress | None = None
    seed: int = 0
    residents: tuple[Resident, ...] = ()
    keys_path: Path | None = None
    node: str = ""
    is_journaled: bool = True
    starts_itself: bool = False
    save_every_ns: int = 5_000_000_000
    search_path: tuple[str, ...] = ()
    ends_with_parent: bool = False
    faults: "Faults | None" = None
