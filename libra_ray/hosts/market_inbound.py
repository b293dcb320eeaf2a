"""Market data on its way in: read where it lies, counted, credited, and given to who listens here."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
import pyarrow as pa

from libra_ray.bus import DeadReason
from libra_ray.bus.patterns import matcher
from libra_ray.bus.wire.descriptors import Descriptors
from libra_ray.bus.wire.frames import Frame, Kind
from libra_ray.bus.wire.mapped_files import SegmentError
from libra_ray.bus.wire.port import Letter, Port
from libra_ray.bus.wire.segment_reader import SegmentReader
from libra_ray.bus.wire.segments import memory_folder
from libra_ray.clock import Clock
from libra_ray.hosts.market_flow import InboundFlow
from libra_ray.hosts.market_outbound import DESCRIBED_TABLE
from libra_ray.messages.codec import DecodeError, decode, encode
from libra_ray.runtime.delivery import Delivery
from libra_ray.runtime.inbox import Lane
from libra_ray.runtime.views import Handler

__all__ = ["Audience", "MarketInbound"]

RELEASE_EVERY: Final = 64
RELEASE_NS: Final = 50_000_000
REPEAT_NS: Final = 5_000_000_000

_decode_descriptors = msgspec.msgpack.Decoder(Descriptors).decode


class Audience(Protocol):
    """What it needs of the bus of its host."""

    def arrived(self, topic: str) -> tuple[Handler, ...]:
        """Who is called for a batch that came."""

    def deliver_market(self, message: object, handlers: tuple[Handler, ...]) -> None:
        """Give them the batch."""

    def deliver_late(self, topic: str, read: Callable[[], object], handlers: tuple[Handler, ...]) -> None:
        """Give them the batch that `read` gives, unless that is None; where all can wait, when it is looked at."""

    def bury(self, reason: DeadReason, destination: str, message: Any) -> None:  # noqa: ANN401 - any message
        """Make a dead letter."""


class _Source:
    """A publishing host: its flow, the last `seq` of each of its topics, and topics of which something may be lost."""

    __slots__ = ("flow", "joiners", "seqs", "suspect")

    def __init__(self, epoch: int) -> None:
        self.flow = InboundFlow(epoch)
        self.seqs: dict[str, int] = {}
        self.suspect: set[str] = set()
        self.joiners: dict[str, list[tuple[Handler, int]]] = {}


class MarketInbound:
    """Takes in what other hosts publish.

    Attributes:
        batches: how many came.
    """

    def __init__(self, folder: Path, port: Port, clock: Clock) -> None:
        self.batches = 0
        self._folder, self._port, self._clock = folder, port, clock
        self._sources: dict[str, _Source] = {}
        self._reader: SegmentReader | None = None
        self._unreleased = 0
        self._released_ns = self._repeated_ns = 0

    def take(self, letter: Letter, audience: Audience) -> None:
        """Take a frame BATCH or SNAPSHOT. What it holds is consumed when this returns."""
        frame = letter.frame
        source = self._source(letter.peer, frame.epoch)
        if source is None:
            return
        topic = frame.destination
        if frame.type in (Descriptors.__name__, DESCRIBED_TABLE):
            try:
                items = _decode_descriptors(letter.body).items
            except msgspec.MsgspecError as error:
                audience.bury(DeadReason.UNDECODABLE, topic, str(error))
                return
        else:
            items = ()
        count = len(items) or 1
        lost = source.flow.arrived(frame.extra - count + 1, frame.extra)
        if lost < 0:
            return
        if lost:
            self._suspect(letter.peer, source)
        handlers = self._receivers(source, frame, count, audience)
        if items:
            self._read_all(items, frame, handlers, audience)
        elif handlers:
            audience.deliver_late(topic, partial(_read, letter, audience), handlers)
        self.batches += count
        position = source.flow.due()
        if position is not None:
            self._credit(letter.peer, position)

    def probed(self, letter: Letter) -> None:
        """The publisher asks how far this host is: all that it sent before has come or never will."""
        source = self._source(letter.peer, letter.frame.epoch)
        if source is None:
            return
        if source.flow.arrived(letter.frame.extra + 1, letter.frame.extra) > 0:
            self._suspect(letter.peer, source)
        position = source.flow.due(everything=True)
        self._credit(letter.peer, source.flow.consumed if position is None else position)

    def joined(self, pattern: str, handler: Handler) -> None:
        """A handler of this host listens from now on: where others listened before, it needs a snapshot of its own."""
        matches = matcher(pattern)
        for peer_id, source in self._sources.items():
            for topic, seq in source.seqs.items():
                if matches(topic):
                    source.joiners.setdefault(topic, []).append((handler, seq))
                    self._ask_snapshot(peer_id, topic)

    def on_time(self, now_ns: int) -> None:
        """Say what was not said yet."""
        if self._reader is None:
            return
        if now_ns >= self._repeated_ns + REPEAT_NS:
            self._repeated_ns = now_ns
            self._release(everything=True)
        elif self._unreleased and now_ns >= self._released_ns + RELEASE_NS:
            self._release()

    @property
    def is_owing(self) -> bool:
        """Batches were read of which their publisher was not told yet."""
        return self._unreleased > 0

    @property
    def lost(self) -> int:
        """Batches that never came."""
        return sum(source.flow.lost for source in self._sources.values())

    def positions(self) -> dict[str, int]:
        """By publishing host, up to where its batches were consumed."""
        return {host_id: source.flow.consumed for host_id, source in self._sources.items()}

    def close(self) -> None:
        """Map nothing any more."""
        if self._reader is not None:
            self._reader.close()

    # --- inside -------------------------------------------------------------------------------------------------

    def _source(self, peer_id: str, epoch: int) -> _Source | None:
        """The publisher in its present life; None for an older one."""
        source = self._sources.get(peer_id)
        if source is None or source.flow.epoch < epoch:
            source = self._sources[peer_id] = _Source(epoch)
        return None if source.flow.epoch > epoch else source

    def _receivers(self, source: _Source, frame: Frame, count: int, audience: Audience) -> tuple[Handler, ...]:
        """Who is given the batches of a frame. Tells of a gap before them."""
        topic, last_seq = frame.destination, frame.seq
        first_seq = last_seq - count + 1
        known = source.seqs.get(topic)
        if known is not None and first_seq <= known:
            if frame.kind != Kind.SNAPSHOT or last_seq < known:
                return ()
            joiners = source.joiners.pop(topic, [])
            source.suspect.discard(topic)
            return tuple(handler for handler, seq in joiners if seq == known)
        source.seqs[topic] = last_seq
        handlers = audience.arrived(topic)
        if known is not None and first_seq > known + 1 and topic in source.suspect:  # else who sent left them out
            _tell_gap(handlers, topic, known + 1, first_seq - 1)
        source.suspect.discard(topic)
        source.joiners.pop(topic, None)
        return handlers

    def _read_all(self, items: Sequence[Any], frame: Frame, handlers: tuple[Handler, ...], audience: Audience) -> None:
        if self._reader is None:
            self._reader = SegmentReader(memory_folder(self._folder))
        reader, is_table = self._reader, frame.type == DESCRIBED_TABLE
        for item in items:
            if handlers:
                try:
                    batch = reader.read(item)
                except SegmentError as error:
                    audience.bury(DeadReason.UNDECODABLE, frame.destination, str(error))
                else:
                    audience.deliver_market(pa.Table.from_batches([batch]) if is_table else batch, handlers)
                    del batch
            reader.release(item)
        self._unreleased += len(items)
        if self._unreleased >= RELEASE_EVERY:
            self._release()

    def _release(self, *, everything: bool = False) -> None:
        if self._reader is None:
            return
        self._unreleased = 0
        self._released_ns = self._clock.now_ns()
        for release in self._reader.releases(everything=everything):
            type_name, body = encode(release)
            self._port.post_unreliable(release.writer_id, Kind.RELEASE, "", type_name, body, ts_ns=self._released_ns)

    def _suspect(self, peer_id: str, source: _Source) -> None:
        """Something of some topic is lost: ask for the state of all."""
        for topic in source.seqs:
            if topic not in source.suspect:
                source.suspect.add(topic)
                self._ask_snapshot(peer_id, topic)

    def _ask_snapshot(self, peer_id: str, topic: str) -> None:
        self._port.post_unreliable(peer_id, Kind.SUBSCRIBE, topic, "", b"", ts_ns=self._clock.now_ns())

    def _credit(self, peer_id: str, position: int) -> None:
        self._port.post_unreliable(
            peer_id, Kind.CREDIT, "", "", b"", lane=Lane.CONTROL, ts_ns=self._clock.now_ns(), extra=position
        )


def _read(letter: Letter, audience: Audience) -> object:
    """The batch inside a frame; None, and a dead letter, where there is none."""
    try:
        return decode(letter.frame.type, letter.body)
    except DecodeError as error:
        audience.bury(DeadReason.UNDECODABLE, letter.frame.destination, str(error))
        return None


def _tell_gap(handlers: tuple[Handler, ...], topic: str, from_seq: int, to_seq: int) -> None:
    """`on_gap` of each actor among them, once."""
    actors = {handler.actor.actor_id: handler for handler in handlers if isinstance(handler, Delivery)}
    for delivery in actors.values():
        delivery.host.deliver_now(delivery.actor, delivery.actor.on_gap, topic, from_seq, to_seq)
