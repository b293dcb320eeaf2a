"""The table of all hosts: the bus host owns it, all others have a copy, and all of it is said again until it arrives.

A host says all that it receives (`Announcement`); the bus host puts it into the table and sends the whole table to all
(`TableState`); each host says which version it has seen (`TableSeen`); what all living hosts have seen is settled
(`TableSettled`), and only then does a host go on that has just subscribed: nothing it causes can be missed by it.
"""

from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from typing import Final

import msgspec

from libra_ray.bus.patterns import literal_length
from libra_ray.bus.table import RoutingTable
from libra_ray.runtime.topics import check_pattern, check_topic

__all__ = [
    "Announcement",
    "HostEntry",
    "TableCopy",
    "TableOwner",
    "TableSeen",
    "TableSettled",
    "TableState",
    "TableVersion",
    "host_number",
]

NUMBER_BITS: Final = 24

TableVersion = tuple[int, int]
"""(epoch of the bus host, change within it): later ones are greater."""


class HostEntry(msgspec.Struct, frozen=True):
    """One host: where it is and what it receives. `change` counts its announcements within its epoch.

    Hosts of one `node` share its memory.
    """

    host_id: str
    epoch: int
    address: str
    server_key: bytes | None
    change: int
    patterns: tuple[str, ...]
    endpoints: tuple[str, ...]
    node: str = ""


class Announcement(msgspec.Struct, frozen=True):
    """All that a host receives. Sent at each change, and again until the table has it."""

    entry: HostEntry


class TableState(msgspec.Struct, frozen=True):
    """The whole table, hosts in the order in which they came.

    `refused` are (host, endpoint) that another host had before, `gone` hosts that will not come back.
    """

    version: TableVersion
    hosts: tuple[HostEntry, ...]
    refused: tuple[tuple[str, str], ...] = ()
    gone: tuple[str, ...] = ()


class TableSeen(msgspec.Struct, frozen=True):
    """A host works with this version from here on."""

    version: TableVersion


class TableSettled(msgspec.Struct, frozen=True):
    """All living hosts have seen this version."""

    version: TableVersion


def host_number(host_id: str) -> int:
    """A number of 24 bits that stands for the host in correlation ids; the table refuses two hosts of one number."""
    return int.from_bytes(blake2b(host_id.encode(), digest_size=NUMBER_BITS // 8).digest(), "big")


class TableCopy:
    """What one host knows of all others.

    Attributes:
        version: of the state it has, (0, 0) before the first; settled: what all living hosts have.
        hosts: entries by id, this host's own included.
        changes: how often it was replaced; `on_change` is called each time.
    """

    def __init__(self, host_id: str, epoch: int) -> None:
        self.host_id, self.epoch = host_id, epoch
        self.version: TableVersion = (0, 0)
        self.settled: TableVersion = (0, 0)
        self.hosts: dict[str, HostEntry] = {}
        self.changes = 0
        self.on_change: list[Callable[[], object]] = []
        self._by_number: dict[int, str] = {host_number(host_id): host_id}
        self._table: RoutingTable[str] = RoutingTable()
        self._owners: dict[str, str] = {}

    def apply(self, state: TableState) -> bool:
        """Take over `state`; False when this or a later one is here already."""
        if state.version <= self.version:
            return False
        self.version, self.changes = state.version, self.changes + 1
        self.hosts = {entry.host_id: entry for entry in state.hosts}
        self._by_number = {host_number(host_id): host_id for host_id in (self.host_id, *self.hosts)}
        self._table = _table_of(entry for entry in state.hosts if entry.host_id != self.host_id)
        self._owners = {}
        for entry in state.hosts:
            for endpoint in entry.endpoints:
                self._owners.setdefault(endpoint, entry.host_id)
        for call in self.on_change:
            call()
        return True

    def others_for(self, topic: str) -> tuple[str, ...]:
        """The other hosts with a subscription that matches `topic`, each once. O(patterns with wildcards).

        First who has named the topic, last who wants all there is: that one keeps books, the other acts.
        """
        return tuple(dict.fromkeys(self._table.resolve(topic)))

    def owner(self, endpoint: str) -> str | None:
        """The other host that receives at `endpoint`; None when none does."""
        owner = self._owners.get(endpoint)
        return None if owner == self.host_id else owner

    def host_of_number(self, number: int) -> str | None:
        """The host that `number` stands for."""
        return self._by_number.get(number)

    def has_settled(self, change: int) -> bool:
        """Whether announcement `change` of this life of this host is known to all living hosts."""
        return self.has_heard(change) and self.settled >= self.version

    def has_heard(self, change: int) -> bool:
        """Whether announcement `change` of this life of this host is in the table."""
        entry = self.hosts.get(self.host_id)
        return entry is not None and (entry.epoch, entry.change) >= (self.epoch, change)


class TableOwner:
    """The table itself, in the bus host. It is told what hosts say and knows what they are to be told.

    Attributes:
        settled: the version that all living hosts have seen.
    """

    def __init__(self, epoch: int, restored: TableState | None = None) -> None:
        """`restored` is the table of the bus host's last life; hosts correct it by what they announce."""
        self._epoch = epoch
        self._change = 0
        self._entries: dict[str, HostEntry] = {}
        self._dead: set[str] = set()
        self._seen: dict[str, TableVersion] = {}
        self.settled: TableVersion = (epoch, 0)
        self._refused: tuple[tuple[str, str], ...] = ()
        self._gone: dict[str, None] = {}
        self._table: RoutingTable[str] = RoutingTable()
        if restored is not None:
            self._entries = {entry.host_id: entry for entry in restored.hosts}
            self._gone = dict.fromkeys(restored.gone)
            self._rebuild()

    @property
    def version(self) -> TableVersion:
        """Of what `state` gives now."""
        return (self._epoch, self._change)

    @property
    def state(self) -> TableState:
        """The whole table."""
        return TableState(self.version, tuple(self._entries.values()), self._refused, tuple(self._gone))

    @property
    def hosts(self) -> Mapping[str, HostEntry]:
        """Entries by id."""
        return self._entries

    def announce(self, entry: HostEntry) -> bool:
        """Take in what a host says of itself; whether that changed the table. An older life or change is ignored.

        The first announcement of a later life says only where it is: what it received before is kept for it until it
        has started and says more. An endpoint that another host has is refused to this one: who came first keeps it.
        Raises `ValueError` for patterns and endpoints that are none, and for a host that has another one's number.
        """
        for pattern in entry.patterns:
            check_pattern(pattern)
        for endpoint in entry.endpoints:
            check_topic(endpoint)
        known = self._entries.get(entry.host_id)
        if known is not None and (entry.epoch, entry.change) <= (known.epoch, known.change):
            return False
        if known is None:
            numbers = {host_number(host_id): host_id for host_id in self._entries}
            twin = numbers.get(host_number(entry.host_id))
            if twin is not None:
                raise ValueError(f"host {entry.host_id} has the number of {twin}; give it another name")
        elif entry.epoch > known.epoch and entry.change == 1:
            entry = msgspec.structs.replace(entry, patterns=known.patterns, endpoints=known.endpoints)
        taken = {e: other.host_id for other in self._entries.values() if other is not known for e in other.endpoints}
        lost = [endpoint for endpoint in entry.endpoints if endpoint in taken]
        if lost:
            kept = tuple(endpoint for endpoint in entry.endpoints if endpoint not in taken)
            entry = msgspec.structs.replace(entry, endpoints=kept)
        others = tuple(pair for pair in self._refused if pair[0] != entry.host_id)
        self._refused = (*others, *((entry.host_id, endpoint) for endpoint in lost))
        if known is None or known.epoch != entry.epoch:
            self._dead.discard(entry.host_id)
            self._seen.pop(entry.host_id, None)
        self._gone.pop(entry.host_id, None)
        self._entries[entry.host_id] = entry
        self._rebuild()
        return True

    def died(self, host_id: str, epoch: int) -> bool:
        """That life of a host is over: nobody waits for it, what it receives is kept for its next life."""
        entry = self._entries.get(host_id)
        if entry is None or entry.epoch > epoch or host_id in self._dead:
            return False
        self._dead.add(host_id)
        return True

    def forget(self, host_id: str) -> bool:
        """A host is gone for good. False when it was not known."""
        if self._entries.pop(host_id, None) is None:
            return False
        self._gone[host_id] = None
        self._dead.discard(host_id)
        self._seen.pop(host_id, None)
        self._refused = tuple(pair for pair in self._refused if pair[0] != host_id)
        self._rebuild()
        return True

    def saw(self, host_id: str, version: TableVersion) -> None:
        """A host has that version."""
        if host_id in self._entries:
            self._seen[host_id] = max(version, self._seen.get(host_id, version))

    def settle(self) -> TableSettled | None:
        """The version that all living hosts have seen, when that is news; else None."""
        living = [self._seen.get(host_id, (0, 0)) for host_id in self._entries if host_id not in self._dead]
        settled = min(living, default=self.version)
        if settled <= self.settled:
            return None
        self.settled = settled
        return TableSettled(settled)

    def behind(self) -> list[str]:
        """Living hosts that have not said that they saw the present version."""
        return [h for h in self._entries if h not in self._dead and self._seen.get(h, (0, 0)) < self.version]

    def hosts_for(self, topic: str) -> tuple[str, ...]:
        """Hosts with a subscription that matches `topic`, each once, in the same order as `TableCopy.others_for`."""
        return tuple(dict.fromkeys(self._table.resolve(topic)))

    def _rebuild(self) -> None:
        self._change += 1
        self._table = _table_of(self._entries.values())


def _table_of(entries: Iterable[HostEntry]) -> RoutingTable[str]:
    """Who names more of a topic before the first wildcard is served first; else who came first."""
    table: RoutingTable[str] = RoutingTable()
    pairs = [(pattern, entry.host_id) for entry in entries for pattern in entry.patterns]
    for pattern, host_id in sorted(pairs, key=lambda pair: -literal_length(pair[0])):
        table.subscribe(pattern, host_id)
    return table
