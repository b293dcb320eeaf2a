"""Hosts in one process, each with a bus of its own, and a network that encodes and decodes all that it carries.

A link keeps the order of what is sent over it; which link is served next is chance, and a seed. Topics go through a bus
in the middle, what is sent to an endpoint goes straight, as between processes.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from libra_ray.bus import Bus
from libra_ray.bus.wire.frames import Frame, Kind
from libra_ray.clock import VirtualClock
from libra_ray.data import Dataset, Stream
from libra_ray.data.merge import merged_runs
from libra_ray.execution import RunRecord
from libra_ray.hosts.actor_host import ActorHost, Saved
from libra_ray.hosts.context import HostProgram
from libra_ray.hosts.lanes import lane_of
from libra_ray.hosts.market_views import MarketViews
from libra_ray.kernel.apart.execution_desk import ExecutionDesk
from libra_ray.kernel.apart.host_view import HostView
from libra_ray.messages.codec import decode, encode
from libra_ray.messages.schemas import BOOK_DELTAS, Row, RowSpec
from libra_ray.runtime import Actor
from libra_ray.sessions.residents import KernelResident, Placeable, residents
from libra_ray.simulation import System
from libra_ray.simulation.tables import fills_table, orders_table
from libra_ray.testing.random_draw import Draw

MIDDLE = "bus"
Outcome = tuple[list[dict[str, Any]], list[dict[str, Any]]]


class FarBus(Bus):
    """`Bus` that reaches the other hosts of a network."""

    def __init__(self, network: "Network", name: str, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.name, self.network = name, network
        self.is_muted = False
        self.views = MarketViews()
        self.call: Any = None

    @property
    def version(self) -> int:
        return sum(host.bus.table.version for host in self.network.hosts.values())

    def publish(self, topic: str, message: object) -> None:
        if self.network.listeners(topic, self.name) and not self.is_muted:
            self.network.post(self.name, MIDDLE, Kind.PUBLISH, topic, message)
        super().publish(topic, message)

    def receivers(self, topic: str) -> tuple[Callable[[Any], object], ...]:
        others = self.network.listeners(topic, self.name)
        return (*super().receivers(topic), *([_elsewhere] if others else []))

    def arrived(self, topic: str) -> tuple[Callable[[Any], object], ...]:
        return super().receivers(topic)

    def take(self, endpoint: str) -> Callable[[Any], object] | None:
        return self.table.receiver(endpoint)

    def has_endpoint(self, endpoint: str) -> bool:
        return super().has_endpoint(endpoint) or self.network.owner(endpoint) is not None

    def link(self, endpoint: str) -> Callable[[Any], object]:
        if self.table.receiver(endpoint) is None and self.network.owner(endpoint) is not None:
            return lambda message: self.send(endpoint, message)
        return super().link(endpoint)

    def send(self, endpoint: str, message: object) -> bool:
        owner = self.network.owner(endpoint)
        if owner is None or owner == self.name:
            return super().send(endpoint, message)
        if not self.is_muted:
            self.network.post(self.name, owner, Kind.SEND, endpoint, message)
        return True


def _elsewhere(_message: object) -> None:
    """Stands for the handlers of other hosts."""


class Network:
    """All hosts, and what is under way between them.

    Attributes:
        journals: what each host has taken in since its state was saved last, which is in `saved`.
    """

    def __init__(self, seed: int) -> None:
        self.clock = VirtualClock()
        self.hosts: dict[str, ActorHost] = {}
        self.links: dict[tuple[str, str], deque[tuple[Frame, bytes]]] = {}
        self.journals: dict[str, list[tuple[Frame, bytes]]] = {}
        self.saved: dict[str, Saved] = {}
        self.dead: dict[str, None] = {}
        self._draw = Draw(seed)

    def add_host(self, name: str, epoch: int = 1) -> ActorHost:
        program = HostProgram(name, epoch, Path("nowhere"), "nowhere")
        host = self.hosts[name] = ActorHost(program, self.clock, FarBus(self, name, self.clock))  # type: ignore[arg-type]
        self.journals.setdefault(name, [])
        return host

    def host(self, name: str) -> ActorHost:
        """The host of that name, made when it is asked for first."""
        return self.hosts.get(name) or self.add_host(name)

    def owner(self, endpoint: str) -> str | None:
        return next((name for name, host in self.hosts.items() if host.bus.table.receiver(endpoint)), None)

    def listeners(self, topic: str, but: str) -> list[str]:
        return [name for name, host in self.hosts.items() if name != but and _wants(host, topic)]

    def post(self, source: str, target: str, kind: Kind, destination: str, message: object) -> None:
        name, body = encode(message)
        frame = Frame(1, kind, source, 1, lane_of(message), destination, 0, self.clock.ts_ns, name)
        self.links.setdefault((source, target), deque()).append((frame, body))

    def drain(self, steps: int = sys.maxsize) -> None:
        """Carry until nothing is under way, except to hosts that are dead; or so many steps."""
        for host in self.living:
            host.settle()
        while steps and (busy := [at for at, waiting in self.links.items() if waiting and at[1] not in self.dead]):
            self.step(self._draw.pick(busy))
            steps -= 1

    @property
    def living(self) -> list[ActorHost]:
        return [host for name, host in self.hosts.items() if name not in self.dead]

    def save(self, name: str) -> None:
        """What a host does from time to time: its state now, and nothing taken in since."""
        self.saved[name] = self.hosts[name].save_all(self.saved.get(name, {}))
        self.journals[name].clear()

    def kill(self, name: str) -> None:
        """Whatever it has sent is under way; what comes for it waits."""
        self.dead[name] = None

    def revive(self, name: str, make: Callable[[ActorHost], list[str]], *, early: int = 0) -> ActorHost:
        """The next life of a host: `make` builds its residents and says who they are. `early` letters come before."""
        letters, before = self.journals[name], self.hosts[name]
        self.journals[name] = []
        host = self.add_host(name, before.epoch + 1)
        actor_ids = make(host)
        del self.dead[name]
        self.drain(early)
        missed, self.journals[name] = letters, [*letters, *self.journals[name]]
        for actor_id in host.start_together(
            actor_ids, self.saved.get(name, {}), [(frame, memoryview(body)) for frame, body in missed]
        ):
            host.complete_start(actor_id)
        self.drain()
        return host

    def step(self, link: tuple[str, str]) -> None:
        frame, body = self.links[link].popleft()
        source, target = link
        if target == MIDDLE:
            for name in self.listeners(frame.destination, source):
                self.links.setdefault((MIDDLE, name), deque()).append((frame, body))
            return
        host = self.hosts[target]
        self.journals[target].append((frame, body))
        host.receive(frame, memoryview(body))
        host.settle()
        assert not host.bus.dead_letters, host.bus.dead_letters

    def advance_to(self, ts_ns: int) -> None:
        """Let time pass, timer by timer, each settled everywhere."""
        while True:
            host = min(self.living, key=lambda one: one.timers.next_ns)
            if host.timers.next_ns > ts_ns:
                break
            self.clock.ts_ns = max(self.clock.ts_ns, host.timers.next_ns)
            host.fire_next()
            self.drain()
        self.clock.ts_ns = ts_ns

    def row(self, stream: Stream, row: Row) -> None:
        """A row reaches the hosts one after the other, those of the market first, and all settles.

        A change of a book comes as a batch of one row, and actors are given the book.
        """
        message: object = row
        if stream.schema is BOOK_DELTAS:
            values = zip(stream.schema.names, msgspec.structs.astuple(row)[1:], strict=True)
            message = stream.schema.table(stream.instrument, {name: [value] for name, value in values})
        body = encode(message)
        for host in sorted(self.living, key=_distance_from_market):
            if _wants(host, stream.topic):
                handlers = host.bus.arrived(stream.topic)
                if not host.bus.views.put_off(stream.topic, partial(decode, *body), handlers):
                    host.bus.views.deliver(decode(*body), handlers, host.call)
                host.settle()
                self.drain()


def _wants(host: ActorHost, topic: str) -> bool:
    return any(not getattr(receiver, "only_follows", False) for receiver in host.bus.table.resolve(topic))


def _distance_from_market(host: ActorHost) -> int:
    """Venues have a row before anybody can act on it; those who look at prices before those who send orders."""
    ids = list(host.actors)
    if any(name.endswith("-client") for name in ids):
        return 0
    return 1 + max((actor.rank_no for actor in host.actors.values()), default=0)


class ApartSystem:
    """A system whose actors live on hosts of their own, or as `placement` (actor id to host) says."""

    def __init__(
        self, system: System, data: Dataset, *, seed: int = 0, placement: dict[str, str] | None = None
    ) -> None:
        self.network = Network(seed)
        self.data = data
        self.places: tuple[Placeable, ...] = residents(system, instruments=data.instruments.values())
        first = self.places[0].resident
        assert isinstance(first, KernelResident)
        self.plan = first.plan
        self.actors: dict[str, Actor] = {}
        self.host_of: dict[str, ActorHost] = {}
        self.network.clock.ts_ns = data.start_ns
        for place in self.places:
            name = (placement or {}).get(place.actor_id, place.actor_id)
            host = self.network.host(name)
            self.host_of[place.actor_id] = host
            self.actors[place.actor_id] = place.resident.make(host)
            self.network.drain()

    def revive(self, actor_id: str, *, early: int = 0) -> Actor:
        """The host of an actor, which lives there alone, lives again."""
        resident = next(place.resident for place in self.places if place.actor_id == actor_id)

        def make(host: ActorHost) -> list[str]:
            self.host_of[actor_id] = host
            self.actors[actor_id] = resident.make(host)
            return [actor_id]

        self.network.revive(actor_id, make, early=early)
        return self.actors[actor_id]

    def start(self) -> None:
        for place in self.places:
            self.host_of[place.actor_id].start(place.actor_id)
        self.network.drain()

    def run(self, rows: Iterable[tuple[Stream, Row]] | None = None) -> None:
        """Replay the data, the next row when all is settled."""
        for stream, row in rows or rows_of(self.data):
            self.network.advance_to(row.ts_ns - 1)
            self.network.clock.ts_ns = row.ts_ns
            self.network.row(stream, row)
        self.network.advance_to(self.network.clock.ts_ns)

    @property
    def desk(self) -> ExecutionDesk:
        """Where the authority over orders, positions and accounts is."""
        desk = self.host_of["ExecEngine"].keepers["#ExecEngine"]
        assert isinstance(desk, ExecutionDesk)
        return desk

    @property
    def views(self) -> dict[str, HostView]:
        """By host, where there is one."""
        kept = {name: host.keepers.get("#view") for name, host in self.network.hosts.items()}
        return {name: view for name, view in kept.items() if isinstance(view, HostView)}

    @property
    def record(self) -> RunRecord:
        return self.desk.record

    def faults(self) -> list[str]:
        return [
            f"{f.actor_id} {f.hook}: {f.reason} {f.place}" for host in self.network.hosts.values() for f in host.faults
        ]


def rows_of(data: Dataset) -> Iterable[tuple[Stream, Row]]:
    """All rows in the order of their replay."""
    iterators = [
        iter(stream.schema.rows(RowSpec.of(stream.instrument, stream.period), stream.table)) for stream in data.streams
    ]
    for run in merged_runs([stream.ts_ns for stream in data.streams]):
        for _ in range(run.start, run.stop):
            yield data.streams[run.stream], next(iterators[run.stream])


def outcome(record: RunRecord) -> Outcome:
    """Orders and fills, to be compared as sets."""
    orders, fills = orders_table(record), fills_table(record)
    return sorted(orders.to_pylist(), key=str), sorted(fills.to_pylist(), key=str)
