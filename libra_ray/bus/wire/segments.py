"""Segments, the writing side: batches lie once per node in shared memory and are announced by a short descriptor.

A segment is a file that one host fills and the hosts of its node map read-only. When all to whom something in it was
announced have released it, it is filled anew, which costs no new memory; but only if none of them still refers to what
lies there. If one does, or has died and may not be quite dead, the name of the file is removed instead and who has
mapped it keeps what he has. The schema of a topic stands once in each turn of a segment, before its first batch there;
a batch with dictionaries stands as a stream of its own.
"""

import errno
import mmap
import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

import pyarrow as pa

from libra_ray.bus.wire.descriptors import Descriptor, Release, segment_name
from libra_ray.bus.wire.mapped_files import OWN_STREAM, SEGMENT_ALIGNMENT, SegmentError, SegmentFault
from libra_ray.errors import quoted
from libra_ray.runtime.private_folders import SHARED_MEMORY, memory_twin

__all__ = ["SEGMENT_BYTES", "TOTAL_BYTES_MAX", "SegmentWriter", "memory_folder"]

SEGMENT_BYTES: Final = 2 << 20
"""Room of a segment; a batch that is larger gets one of its own."""
TOTAL_BYTES_MAX: Final = 256 << 20
"""Room of all segments of a host together."""

_FREE_MAX: Final = (
    24  # segments that wait to be filled anew, as many as a full flow of 1,000-row batches; more are removed
)
_HOST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def memory_folder(session_folder: Path) -> Path:
    """The folder in shared memory that goes with a session's private one; that one itself where there is none.

    It is made, mode 0700, where it is not there yet: all hosts of a node get the same, and it goes with the session's
    (`PrivateFolder`). Raises `SegmentError` UNSAFE where somebody else has it.
    """
    folder = memory_twin(session_folder)
    if not os.access(folder.parent, os.W_OK | os.X_OK):
        return session_folder
    _make_private(folder)
    return folder


class _Topic:
    """The schema of a topic's batches, and how they are written."""

    __slots__ = ("is_whole", "schema", "schema_bytes")

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self.is_whole = any(_has_dictionary(field.type) for field in schema)
        self.schema_bytes = memoryview(b"" if self.is_whole else schema.serialize())

    def content(self, batch: pa.RecordBatch) -> memoryview:
        """The bytes of a batch."""
        if not self.is_whole:
            return memoryview(batch.serialize())
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.schema) as writer:
            writer.write_batch(batch)
        return memoryview(sink.getvalue())


class _Segment:
    """One file as its writer sees it. `announced` and `released` count batches of this turn by peer.

    `is_tainted`: somebody may look at it who cannot be asked.
    """

    __slots__ = (
        "announced",
        "is_full",
        "is_tainted",
        "keepers",
        "memory",
        "name",
        "released",
        "room",
        "schema_offsets",
        "turn",
        "used",
    )

    def __init__(self, path: Path, room: int) -> None:
        self.name, self.room = path.name, room
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            if hasattr(os, "posix_fallocate"):  # a page that is missing when it is written to would end the process
                os.posix_fallocate(fd, 0, room)
            else:
                os.truncate(fd, room)
            self.memory = mmap.mmap(fd, room)
        except OSError:
            path.unlink()
            raise
        finally:
            os.close(fd)
        self.turn = 0
        self.is_tainted = False
        self.schema_offsets: dict[_Topic, int] = {}
        self.announced: dict[str, int] = {}
        self.released: dict[str, int] = {}
        self.keepers: dict[str, bool] = {}
        self.begin()

    def begin(self) -> None:
        """Begin the next turn, empty."""
        self.turn += 1
        self.used, self.is_full = 0, False
        for counts in (self.schema_offsets, self.announced, self.released, self.keepers):
            counts.clear()

    def append(self, content: memoryview) -> int:
        """Write at the end; returns where."""
        start = self.used
        self.memory[start : start + len(content)] = content
        self.used = start + _aligned(len(content))
        return start

    @property
    def is_released(self) -> bool:
        """Nothing more comes, and all have released what was announced to them."""
        return self.is_full and all(self.released.get(peer, 0) >= count for peer, count in self.announced.items())


class SegmentWriter:
    """Fills the segments of one host. Owned by one thread."""

    def __init__(
        self,
        folder: Path,
        host_id: str,
        epoch: int,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        total_bytes_max: int = TOTAL_BYTES_MAX,
    ) -> None:
        """Write into `folder`, see `memory_folder`. What earlier epochs of the host have left there is removed.

        Raises `ValueError` for a host id that cannot be part of a file name.
        """
        if _HOST_ID.fullmatch(host_id) is None:
            raise ValueError(f"host id {quoted(host_id)}: at most 64 letters, digits, '.', '_' and '-'")
        self.folder = folder
        self._host_id, self._epoch = host_id, epoch
        self._segment_bytes, self._total_bytes_max = min(segment_bytes, total_bytes_max), total_bytes_max
        self._topics: dict[str, _Topic] = {}
        self._segments: dict[str, _Segment] = {}
        self._free: list[_Segment] = []
        self._current: _Segment | None = None
        self._made = 0
        self._remove_earlier()

    @property
    def names(self) -> list[str]:
        """Segments in which something is held or will be written, oldest first."""
        return list(self._segments)

    @property
    def nbytes(self) -> int:
        """Memory that is taken, by those too that wait to be filled anew."""
        return sum(segment.room for segment in (*self._segments.values(), *self._free))

    def write(self, topic: str, batch: pa.RecordBatch, peers: Iterable[str]) -> Descriptor | None:
        """Write a batch that will be announced to `peers`; each holds it until it is released.

        None where all room is held: write again when something was released. Raises `SegmentError` TOO_LARGE where it
        will never fit, and NO_SPACE where the system has no memory for even one segment.
        """
        schema = batch.schema
        known = self._topics.get(topic)
        if known is None or not known.schema.equals(schema, check_metadata=True):
            known = self._topics[topic] = _Topic(schema)
        content = known.content(batch)
        room = _aligned(len(content)) + _aligned(len(known.schema_bytes))
        segment = self._current
        if segment is None or segment.used + room > segment.room:
            segment = self._next(room)
            if segment is None:
                return None
        schema_offset = segment.schema_offsets.get(known)
        if schema_offset is None:
            schema_offset = OWN_STREAM if known.is_whole else segment.append(known.schema_bytes)
            segment.schema_offsets[known] = schema_offset
        offset = segment.append(content)
        announced = segment.announced
        for peer in peers:
            announced[peer] = announced.get(peer, 0) + 1
        return Descriptor(segment.name, segment.turn, offset, len(content), batch.num_rows, schema_offset)

    def hold(self, peer: str, descriptor: Descriptor) -> bool:
        """A batch that is written is announced to one more peer. False: it is not there any more, write it again."""
        segment = self._segments.get(descriptor.segment)
        if segment is None or segment.turn != descriptor.turn:
            return False
        segment.announced[peer] = segment.announced.get(peer, 0) + 1
        return True

    def withdraw(self, peer: str, descriptor: Descriptor) -> None:
        """A batch is not announced to a peer after all: a newer one has taken its place before it was sent."""
        segment = self._segments.get(descriptor.segment)
        if segment is not None and segment.turn == descriptor.turn and segment.announced.get(peer, 0) > 0:
            segment.announced[peer] -= 1
            self._reclaim(segment)

    def released(self, peer: str, release: Release) -> None:
        """A peer says what it is done with. What it says of segments that are gone, or twice, changes nothing."""
        segment = self._segments.get(release.segment)
        if segment is None or segment.turn != release.turn or peer not in segment.announced:
            return
        if release.total >= segment.released.get(peer, 0):
            segment.released[peer] = release.total
            segment.keepers[peer] = release.is_kept
            self._reclaim(segment)

    def holds(self, peer: str) -> bool:
        """Whether something that was announced to the peer is not released."""
        return any(
            segment.announced.get(peer, 0) > segment.released.get(peer, 0) for segment in self._segments.values()
        )

    def forget(self, peer: str) -> None:
        """A peer has died, or the connection to it: it holds nothing any more.

        What was announced to it is not written over, since it might still look; what comes goes into other segments.
        """
        for segment in list(self._segments.values()):
            if segment.announced.pop(peer, None) is not None:
                segment.is_tainted = True
                if segment is self._current:
                    self._seal()
                else:
                    self._reclaim(segment)

    def close(self) -> None:
        """Remove all segments, and the folder in shared memory where nobody else has anything in it."""
        self._current = None
        for segment in (*self._segments.values(), *self._free):
            self._remove(segment)
        self._segments.clear()
        self._free.clear()
        if self.folder.parent == SHARED_MEMORY:
            with suppress(OSError):  # others have theirs in it, or were faster
                self.folder.rmdir()

    def _next(self, room: int) -> _Segment | None:
        """An empty segment with at least so much room, if there may be one more."""
        if room > self._total_bytes_max:
            what = f"a batch of {room:,} bytes; all segments together have {self._total_bytes_max:,}"
            raise SegmentError(SegmentFault.TOO_LARGE, what)
        self._seal()
        if self._free and room <= self._segment_bytes:
            segment = self._free.pop()
        else:
            room = max(room, self._segment_bytes)
            while self._free and self.nbytes + room > self._total_bytes_max:
                self._remove(self._free.pop())
            if self.nbytes + room > self._total_bytes_max:
                return None
            try:
                segment = self._make(room)
            except SegmentError as error:
                if error.reason is SegmentFault.NO_SPACE and self._segments:  # there will be, when they are released
                    return None
                raise
        self._current = self._segments[segment.name] = segment
        return segment

    def _seal(self) -> None:
        """Nothing more goes into the current segment."""
        segment, self._current = self._current, None
        if segment is not None:
            segment.is_full = True
            self._reclaim(segment)

    def _make(self, room: int) -> _Segment:
        self._made += 1
        path = self.folder / segment_name(self._host_id, self._epoch, self._made)
        _make_private(self.folder)  # whoever left last may have removed it
        try:
            return _Segment(path, room)
        except OSError as error:
            is_full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.ENOMEM)
            reason = SegmentFault.NO_SPACE if is_full else SegmentFault.UNSAFE
            raise SegmentError(reason, f"no room for {path.name}, {room:,} bytes") from error

    def _reclaim(self, segment: _Segment) -> None:
        """Let a segment that is released be filled anew, or remove it."""
        if not segment.is_released:
            return
        del self._segments[segment.name]
        is_kept = segment.is_tainted or any(segment.keepers.values())
        if is_kept or segment.room > self._segment_bytes or len(self._free) >= _FREE_MAX:
            self._remove(segment)
        else:
            segment.begin()
            self._free.append(segment)

    def _remove(self, segment: _Segment) -> None:
        segment.memory.close()
        (self.folder / segment.name).unlink(missing_ok=True)

    def _remove_earlier(self) -> None:
        pattern = re.compile(rf"libra-{re.escape(self._host_id)}-(\d+)-\d+\.seg", re.ASCII)
        for path in self.folder.glob("libra-*.seg"):
            match = pattern.fullmatch(path.name)
            if match is not None and int(match[1]) < self._epoch:
                path.unlink(missing_ok=True)


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise SegmentError(SegmentFault.UNSAFE, f"{folder} is no folder of this user alone")


def _has_dictionary(kind: pa.DataType) -> bool:
    """Whether values of the type are looked up in a dictionary, at any depth."""
    if pa.types.is_dictionary(kind):
        return True
    if isinstance(kind, pa.BaseExtensionType):
        return _has_dictionary(kind.storage_type)
    return any(_has_dictionary(kind.field(index).type) for index in range(kind.num_fields))


def _aligned(size: int) -> int:
    return -(-size // SEGMENT_ALIGNMENT) * SEGMENT_ALIGNMENT
