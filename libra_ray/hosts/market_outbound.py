"""Market data on its way out: to each host that listens, inline when small, by descriptor of shared memory when not."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import pyarrow as pa

from libra_ray.bus.wire.descriptors import Descriptor, Descriptors, Release
from libra_ray.bus.wire.frames import BODY_BYTES_MAX, INLINE_BYTES_MAX, Kind
from libra_ray.bus.wire.mapped_files import SegmentError, SegmentFault
from libra_ray.bus.wire.port import Port
from libra_ray.bus.wire.segments import TOTAL_BYTES_MAX, SegmentWriter, memory_folder
from libra_ray.clock import Clock
from libra_ray.errors import StrategyError, UnsendableError
from libra_ray.hosts.host_table import HostEntry
from libra_ray.hosts.market_flow import OutboundFlow
from libra_ray.messages.codec import encode
from libra_ray.runtime.inbox import FullPolicy, Lane

__all__ = ["DESCRIBED_TABLE", "MarketOutbound", "SnapshotMaker"]

SnapshotMaker: TypeAlias = Callable[[str], object | None]
"""What a late subscriber of a topic is given first; None: the last batch."""

DESCRIBED_TABLE: Final = "Descriptors/table"
"""Type of a frame whose batches were published as tables; else it is that of `Descriptors`."""
OFFERS_A_FLUSH: Final = 64
ITEMS_A_FRAME: Final = 64
SMALL_BYTES: Final = 4_096
PROBE_NS: Final = 200_000_000

_BATCHES = (pa.Table, pa.RecordBatch)


class _Batch:
    """One publication, encoded or written once for all hosts. `held`: where it lies, by host it is announced to."""

    __slots__ = ("_inline", "held", "is_described", "kind", "lies_at", "message", "seq", "ts_ns", "type_name")

    def __init__(self, message: Any, seq: int, ts_ns: int, size: int, kind: Kind = Kind.BATCH) -> None:  # noqa: ANN401
        """`size`: bytes that go through sockets when it goes inline to all; 0 for what is no Arrow batch."""
        self.message, self.seq, self.ts_ns, self.kind = message, seq, ts_ns, kind
        self.is_described = size > INLINE_BYTES_MAX
        self.type_name = DESCRIBED_TABLE if isinstance(message, pa.Table) else Descriptors.__name__
        self.lies_at: Descriptor | None = None
        self.held: dict[str, Descriptor] = {}
        self._inline: tuple[str, bytes] | None = None

    def inline(self) -> tuple[str, bytes]:
        """Type and bytes. Raises `UnsendableError`."""
        if self._inline is None:
            self._inline = encode(self.message)
            if len(self._inline[1]) > BODY_BYTES_MAX:
                raise UnsendableError(self._inline[0], f"(itself: {len(self._inline[1]):,} bytes)")
        return self._inline


class _Topic:
    """A topic that is published here."""

    __slots__ = ("hosts", "last", "policy", "seq")

    def __init__(self, hosts: tuple[str, ...], policy: FullPolicy) -> None:
        self.hosts, self.policy = hosts, policy
        self.last: _Batch | None = None
        self.seq = 0


class _Reader:
    """A host that listens: its flow, its life, and whether it can map what lies in this node's memory."""

    __slots__ = ("epoch", "flow", "is_near", "moved_ns", "told_drops")

    def __init__(self, epoch: int, *, is_near: bool) -> None:
        self.epoch, self.is_near = epoch, is_near
        self.flow: OutboundFlow[_Batch] = OutboundFlow()
        self.moved_ns = 0
        self.told_drops = 0


class MarketOutbound:
    """Publishes to other hosts. What is published leaves with `flush`, at the end of the turn at the latest.

    Attributes:
        snapshot_of: what late subscribers are given instead of the last batch, where the last batch is not enough.
        policies: by beginning of topics, what is done when a host is slow; `conflate` where nothing is said.
    """

    def __init__(self, host_id: str, epoch: int, node: str, folder: Path, port: Port, clock: Clock) -> None:
        self.snapshot_of: SnapshotMaker | None = None
        self.policies: dict[str, FullPolicy] = {}
        self._host_id, self._epoch, self._node, self._folder = host_id, epoch, node, folder
        self._port, self._clock = port, clock
        self._topics: dict[str, _Topic] = {}
        self._readers: dict[str, _Reader] = {}
        self._writer: SegmentWriter | None = None
        self._dirty: dict[str, None] = {}
        self._offers = 0
        self._is_short = False

    def publish(self, topic: str, hosts: tuple[str, ...], message: object) -> None:
        """Send `message` to these hosts and keep it for late ones.

        Raises `UnsendableError` for what does not encode or is larger than all shared memory, `StrategyError` STRAT007
        when too much waits for a host and the policy does not allow to drop.
        """
        size = _size_of(message) if isinstance(message, _BATCHES) else 0
        if size > BODY_BYTES_MAX // 2:
            if size > TOTAL_BYTES_MAX // 2:
                raise UnsendableError(type(message).__name__, f"(itself: {size:,} bytes)")
            if any(not self._reader(host_id).is_near for host_id in hosts):
                for part in _parts(message, size):
                    self._publish(topic, hosts, part, _size_of(part))
                return
        self._publish(topic, hosts, message, size)

    def _publish(self, topic: str, hosts: tuple[str, ...], message: object, size: int) -> None:
        known = self._topics.get(topic)
        if known is None:
            known = self._topics[topic] = _Topic(hosts, self._policy(topic))
        batch = _Batch(message, known.seq + 1, self._clock.now_ns(), size * len(hosts))
        if hosts and not batch.is_described:
            batch.inline()  # what does not encode is refused now, at the sender
        known.seq += 1
        known.last = batch
        for host_id in hosts:
            self._offer(host_id, topic, batch, known.policy)
        if self._offers >= OFFERS_A_FLUSH:
            self.flush()

    def is_full(self, topic: str) -> bool:
        """A host that listens to `topic` has no room now: a feed that must not lose anything waits until it has."""
        known = self._topics.get(topic)
        return known is not None and any(self._reader(host_id).flow.is_full for host_id in known.hosts)

    # --- who listens --------------------------------------------------------------------------------------------

    def retarget(self, hosts: Mapping[str, HostEntry], others_for: Callable[[str], tuple[str, ...]]) -> None:
        """The table has changed: who listens now and did not before is given a snapshot."""
        fresh = set()
        for host_id in list(self._readers):
            entry = hosts.get(host_id)
            if entry is None or entry.epoch != self._readers[host_id].epoch:
                del self._readers[host_id]
                if self._writer is not None:
                    self._writer.forget(host_id)
        for host_id, entry in hosts.items():
            if host_id != self._host_id and host_id not in self._readers:
                self._readers[host_id] = _Reader(entry.epoch, is_near=entry.node == self._node)
                fresh.add(host_id)
        for topic, known in self._topics.items():
            listening = others_for(topic)
            for host_id in listening:
                if host_id in fresh or host_id not in known.hosts:
                    self.send_snapshot(host_id, topic)
            known.hosts = listening

    def send_snapshot(self, host_id: str, topic: str) -> None:
        """Give a host the state of a topic, if it was ever published here."""
        known = self._topics.get(topic)
        if known is None or known.last is None or host_id not in self._readers:
            return
        made = None if self.snapshot_of is None else self.snapshot_of(topic)
        message: Any = known.last.message if made is None else made
        size = _size_of(message) if isinstance(message, _BATCHES) else 0
        if size > BODY_BYTES_MAX // 2 and not self._reader(host_id).is_near:
            *_, message = _parts(message, size)
            size = _size_of(message)
        batch = _Batch(message, known.seq, known.last.ts_ns, size, Kind.SNAPSHOT)
        try:
            if not batch.is_described:
                batch.inline()
        except UnsendableError:
            return  # nobody listened when it was published; whoever publishes the next one is told
        self._offer(host_id, topic, batch, known.policy)

    def credit(self, host_id: str, position: int) -> None:
        """A host has consumed up to there."""
        reader = self._readers.get(host_id)
        if reader is not None and reader.flow.credit(position):
            reader.moved_ns = self._clock.now_ns()
            if reader.flow.waits:
                self._dirty[host_id] = None

    def released(self, host_id: str, release: Release) -> None:
        """A host is done with batches in shared memory."""
        if self._writer is not None:
            self._writer.released(host_id, release)
            if self._is_short:
                self._is_short = False
                self._dirty.update((each, None) for each, reader in self._readers.items() if reader.flow.waits)

    # --- sending ------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Send what may leave."""
        if not self._dirty:
            return
        dirty, self._dirty, self._offers = self._dirty, {}, 0
        for host_id in dirty:
            reader = self._readers.get(host_id)
            if reader is not None:
                self._send_all(host_id, reader)

    def _send_all(self, host_id: str, reader: _Reader) -> None:
        flow = reader.flow
        left = flow.next()
        while left is not None:
            topic, batch = left
            if batch.is_described and reader.is_near:
                run, left = self._run_of(host_id, reader, topic, batch)
                if not run:
                    return
                last = flow.position - (left is not None)
                if not self._send_run(host_id, last, topic, run):
                    if left is not None:
                        flow.put_back(*left)
                    for each in reversed(run):
                        flow.put_back(topic, each)
                    return
            else:
                if not self._send_inline(host_id, flow.position, topic, batch):
                    flow.put_back(topic, batch)
                    return
                left = flow.next()

    def _send_inline(self, host_id: str, position: int, topic: str, batch: _Batch) -> bool:
        type_name, body = batch.inline()
        return self._port.post_unreliable(
            host_id, batch.kind, topic, type_name, body,
            lane=Lane.MARKET_DATA, seq=batch.seq, ts_ns=batch.ts_ns, extra=position,
        )  # fmt: skip

    def _run_of(
        self, host_id: str, reader: _Reader, topic: str, first: _Batch
    ) -> tuple[list[_Batch], tuple[str, _Batch] | None]:
        """Batches of one topic that are announced together, and what comes after them. None at all: no room."""
        run: list[_Batch] = []
        left: tuple[str, _Batch] | None = (topic, first)
        while left is not None:
            next_topic, batch = left
            if run and not (next_topic == topic and _continues(run[-1], batch) and len(run) < ITEMS_A_FRAME):
                break
            if not self._lie(host_id, topic, batch):
                reader.flow.put_back(next_topic, batch)
                return run, None
            run.append(batch)
            left = reader.flow.next()
        return run, left

    def _send_run(self, host_id: str, position: int, topic: str, run: list[_Batch]) -> bool:
        items = Descriptors(tuple(batch.held[host_id] for batch in run))
        _, body = encode(items)
        first = run[0]
        return self._port.post_unreliable(
            host_id, first.kind, topic, first.type_name, body,
            lane=Lane.MARKET_DATA, seq=run[-1].seq, ts_ns=run[-1].ts_ns, extra=position,
        )  # fmt: skip

    def _lie(self, host_id: str, topic: str, batch: _Batch) -> bool:
        """Write the batch into shared memory, or find where it lies there. False: no room."""
        if host_id in batch.held:
            return True
        if self._writer is None:
            self._writer = SegmentWriter(memory_folder(self._folder), self._host_id, self._epoch)
        at = batch.lies_at
        if at is None or not self._writer.hold(host_id, at):
            try:
                at = self._writer.write(topic, _as_batch(batch.message), (host_id,))
            except SegmentError as error:
                if error.reason is not SegmentFault.NO_SPACE:
                    raise
                at = None
            if at is None:
                self._is_short = True
                return False
            batch.lies_at = at
        batch.held[host_id] = at
        return True

    # --- time ---------------------------------------------------------------------------------------------------

    def on_time(self, now_ns: int) -> None:
        """Ask hosts that have been full for long how far they are: what was lost last is never confirmed by itself."""
        for host_id, reader in self._readers.items():
            flow = reader.flow
            if not flow.waits:
                continue
            self._dirty[host_id] = None
            if flow.is_full and now_ns >= reader.moved_ns + PROBE_NS:
                reader.moved_ns = now_ns
                self._port.post_unreliable(
                    host_id, Kind.CREDIT, "", "", b"", lane=Lane.MARKET_DATA, ts_ns=now_ns, extra=flow.position
                )
        self.flush()

    @property
    def waits(self) -> bool:
        """Something has not left."""
        return any(reader.flow.waits for reader in self._readers.values())

    def positions(self) -> dict[str, int]:
        """By host, how many batches have left for it or wait to."""
        return {host_id: reader.flow.position + reader.flow.waits for host_id, reader in self._readers.items()}

    def drops(self) -> Iterator[tuple[str, int, int]]:
        """Of each host that was slow since this was asked last: its id, how many were dropped since, and in all."""
        for host_id, reader in self._readers.items():
            total = reader.flow.dropped
            if total > reader.told_drops:
                dropped, reader.told_drops = total - reader.told_drops, total
                yield host_id, dropped, total

    @property
    def dropped(self) -> int:
        """Batches that a newer one replaced, of all hosts there are."""
        return sum(reader.flow.dropped for reader in self._readers.values())

    def close(self) -> None:
        """Remove what lies in shared memory."""
        if self._writer is not None:
            self._writer.close()

    # --- inside -------------------------------------------------------------------------------------------------

    def _offer(self, host_id: str, topic: str, batch: _Batch, policy: FullPolicy) -> None:
        try:
            self._reader(host_id).flow.offer(topic, batch, policy)
        except OverflowError as error:
            fix = "Let the feed wait while market.is_full(topic), or let the topic conflate."
            raise StrategyError("STRAT007", None, f"{error} for host {host_id} on {topic}", fix, topic) from error
        self._dirty[host_id] = None
        self._offers += 1

    def _reader(self, host_id: str) -> _Reader:
        return self._readers[host_id]

    def _policy(self, topic: str) -> FullPolicy:
        fitting = [prefix for prefix in self.policies if topic.startswith(prefix)]
        return self.policies[max(fitting, key=len)] if fitting else FullPolicy.CONFLATE


def _continues(last: _Batch, batch: _Batch) -> bool:
    """Whether `batch` may be announced together with the one before it on its topic."""
    return (
        batch.seq == last.seq + 1
        and batch.is_described
        and batch.type_name is last.type_name
        and batch.kind is last.kind
    )


def _as_batch(message: pa.Table | pa.RecordBatch) -> pa.RecordBatch:
    if isinstance(message, pa.RecordBatch):
        return message
    (batch,) = message.combine_chunks().to_batches()
    return batch


def _size_of(message: pa.Table | pa.RecordBatch) -> int:
    """Bytes as IPC, or of all its memory where that is little anyway: asking `nbytes` costs 40 us."""
    memory = int(message.get_total_buffer_size())
    if memory <= SMALL_BYTES:
        return memory
    batches = [message] if isinstance(message, pa.RecordBatch) else message.to_batches()
    return sum(int(pa.ipc.get_record_batch_size(batch)) for batch in batches)


def _parts(message: pa.Table | pa.RecordBatch, size: int) -> Iterator[pa.Table | pa.RecordBatch]:
    """Rows in pieces that go inline, about a quarter of what a frame may hold."""
    rows = max(1, message.num_rows * (BODY_BYTES_MAX // 4) // size)
    for start in range(0, message.num_rows, rows):
        yield message.slice(start, rows)
