"""What a host has consumed and sent, as a file that survives the host.

It is appended to by one `write` per record and lies in the page cache, so that it outlives the process, however that is
killed; with `is_synced` it outlives the machine. A record that a kill cut short is the last one, and is cut off when
the file is opened. When it has grown and most of it is past, it is written anew, under another name until it is whole.
"""

import os
import struct
import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeAlias

import msgspec

from libra_ray.errors import JournalError, quoted

try:
    import fcntl as _fcntl
except ImportError:  # Windows: no such lock; that a host lives once is then the supervisor's word alone
    fcntl: ModuleType | None = None
else:
    fcntl = _fcntl

__all__ = ["Checkpoint", "Commit", "Entry", "Forgotten", "Journal", "Mark", "PeerLife", "Saved", "State"]

MAGIC: Final = b"libra-j1"
REWRITE_BYTES_MIN: Final = 4 << 20
"""A file below this is not written anew."""
REWRITE_GROWTH: Final = 4
"""It is when it has grown to so many times what it was when it was written last."""
LOCK_TRIES: Final = 100
LOCK_PAUSE_S: Final = 0.01
"""A killed process lets its lock go a moment after its death is known."""

_HEAD: Final = struct.Struct("<III")
_LENGTH_MASK: Final = 0x5A5A5A5A


class Entry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One frame. A consumed one that is not to be replayed has no header and no body."""

    peer: str
    lane: int
    seq: int
    header: bytes
    body: bytes


class Mark(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A sequence number of one peer and lane."""

    peer: str
    lane: int
    seq: int


class PeerLife(msgspec.Struct, array_like=True, frozen=True, gc=False, tag=3):
    """A peer was heard of in a new life. `consumed` is where its numbers stand, by lane."""

    peer: str
    epoch: int
    birth: int
    consumed: tuple[int, ...]


class Checkpoint(msgspec.Struct, array_like=True, frozen=True, tag=0):
    """All that counts, at the head of a file.

    Attributes:
        host_id, birth: whose journal, and the epoch in which its numbers began.
        confirmed: of outbound links, the last that the peer has consumed.
        unconfirmed: the frames behind it, sent or to be sent; in order within their link.
        snapshot: the last saved state.
    """

    host_id: str
    birth: int
    peers: Sequence[PeerLife] = ()
    confirmed: Sequence[Mark] = ()
    unconfirmed: Sequence[Entry] = ()
    snapshot: bytes | None = None


class Commit(msgspec.Struct, array_like=True, frozen=True, tag=1):
    """Turns that are done: what they consumed, what they sent, and what peers have confirmed meanwhile.

    A consumed entry of seq 0 counts in no link: it is there to be replayed.
    """

    consumed: Sequence[Entry]
    outputs: Sequence[Entry]
    confirmed: Sequence[Mark]


class Saved(msgspec.Struct, array_like=True, frozen=True, tag=2):
    """The state after all turns before; what they consumed is not replayed."""

    state: bytes


class Forgotten(msgspec.Struct, array_like=True, frozen=True, tag=4):
    """A peer is gone for good."""

    peer: str


Record: TypeAlias = Commit | Saved | PeerLife | Forgotten
Row: TypeAlias = tuple[Any, ...]
LinkKey: TypeAlias = tuple[str, int]


class State:
    """The sum of the records of a file."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.host_id, self.birth = checkpoint.host_id, checkpoint.birth
        self.lives: dict[str, PeerLife] = {}
        self.consumed: dict[LinkKey, int] = {}
        self.confirmed: dict[LinkKey, int] = {(m.peer, m.lane): m.seq for m in checkpoint.confirmed}
        self.last = dict(self.confirmed)
        self.unconfirmed: dict[LinkKey, dict[int, Entry]] = {}
        self.snapshot = checkpoint.snapshot
        self.letters: list[Entry] = []
        for life in checkpoint.peers:
            self.apply(life)
        self._send(checkpoint.unconfirmed)

    def apply(self, record: Record) -> None:
        """Add one record."""
        match record:
            case Commit():
                self._commit(record)
            case Saved():
                self.snapshot = record.state
                self.letters.clear()
            case PeerLife():
                self.lives[record.peer] = record
                self.consumed.update({(record.peer, lane): seq for lane, seq in enumerate(record.consumed)})
            case Forgotten():
                self._forget(record.peer)

    def _commit(self, record: Commit) -> None:
        for entry in record.consumed:
            if entry.seq:
                self.consumed[entry.peer, entry.lane] = entry.seq
            if entry.header:
                self.letters.append(entry)
        self._send(record.outputs)
        for mark in record.confirmed:
            key = (mark.peer, mark.lane)
            frames = self.unconfirmed.get(key, {})
            for seq in range(self.confirmed.get(key, 0) + 1, mark.seq + 1):
                frames.pop(seq, None)
            self.confirmed[key] = mark.seq

    def _send(self, outputs: Sequence[Entry]) -> None:
        for entry in outputs:
            key = (entry.peer, entry.lane)
            self.unconfirmed.setdefault(key, {})[entry.seq] = entry
            self.last[key] = entry.seq

    def _forget(self, peer: str) -> None:
        self.lives.pop(peer, None)
        tables: tuple[dict[LinkKey, Any], ...] = (self.consumed, self.confirmed, self.last, self.unconfirmed)
        for table in tables:
            for key in [key for key in table if key[0] == peer]:
                del table[key]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Record).decode
_decode_head = msgspec.msgpack.Decoder(Checkpoint).decode


class Journal:
    """The file, open to be appended to. One process at a time has it.

    Attributes:
        state: what the file held when it was opened; None for a new one. Drop it when it is used.
        cut_bytes: what a kill had left of an unfinished record.
        size: bytes of the file.
    """

    def __init__(self, path: Path, new: Checkpoint, *, is_synced: bool = False) -> None:
        """Open, or begin with `new`.

        Raises `JournalError` JRN002 when another process has it and JRN003 when it is damaged or another host's.
        """
        self.path = path
        self.state: State | None = None
        self.cut_bytes = 0
        self.size = self._rewrite_size = 0
        self._is_synced = is_synced
        self._fd: int | None = None
        self._lock_fd = _locked(path)
        try:
            if path.exists():
                self._open(new.host_id)
            else:
                self.rewrite(new)
        except BaseException:
            self.close()
            raise

    def commit(self, consumed: Sequence[Row], outputs: Sequence[Row], confirmed: Sequence[Row]) -> None:
        """Append a `Commit`; its parts are given as plain tuples, which encode alike and cost less."""
        self._append((1, consumed, outputs, confirmed))

    def write(self, record: Record) -> None:
        """Append a record."""
        self._append(record)

    def rewrite(self, checkpoint: Checkpoint) -> None:
        """Begin the file anew. Killed before the end, the former file is still there and whole."""
        draft = self.path.with_name(f"{self.path.name}.draft")
        fd = os.open(draft, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _write_all(fd, MAGIC + _framed(checkpoint), self.path)
            if self._is_synced:
                os.fsync(fd)
            draft.replace(self.path)
        except BaseException:
            os.close(fd)
            raise
        self._take_over(fd, os.fstat(fd).st_size)

    @property
    def is_grown(self) -> bool:
        """Whether it is time to begin anew."""
        return self.size > self._rewrite_size

    def close(self) -> None:
        """Let the file and its lock go. May be called twice."""
        fds, self._fd, self._lock_fd = (self._fd, self._lock_fd), None, None
        for fd in fds:
            if fd is not None:
                os.close(fd)

    def _append(self, record: object) -> None:
        """One write. What does not fit on the disk is taken back, so that the file stays whole."""
        if self._fd is None:
            raise ValueError(f"{self.path} is closed")
        framed = _framed(record)
        try:
            _write_all(self._fd, framed, self.path)
        except JournalError:
            os.ftruncate(self._fd, self.size)
            raise
        if self._is_synced:
            os.fdatasync(self._fd)
        self.size += len(framed)

    def _open(self, host_id: str) -> None:
        data = self.path.read_bytes()
        records = _records(data, str(self.path))
        try:
            start, head = next(records, (0, b""))
            self.state = State(_decode_head(head))
            end = head_end = start
            for record_end, payload in records:
                self.state.apply(_decode(payload))
                end = record_end
        except msgspec.MsgspecError as error:
            raise _damaged(str(self.path), f"a record does not decode ({error})") from error
        if self.state.host_id != host_id:
            raise _damaged(str(self.path), f"it is the journal of host {quoted(self.state.host_id)}")
        self.cut_bytes = len(data) - end
        fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        os.ftruncate(fd, end)
        self._take_over(fd, end, head_end)

    def _take_over(self, fd: int, size: int, head_size: int | None = None) -> None:
        former, self._fd = self._fd, fd
        if former is not None:
            os.close(former)
        self.size = size
        self._rewrite_size = max(REWRITE_BYTES_MIN, REWRITE_GROWTH * (size if head_size is None else head_size))


def _framed(record: object) -> bytes:
    """`record` with its length and checksum before it."""
    payload = _encode(record)
    length = len(payload)
    return _HEAD.pack(length, length ^ _LENGTH_MASK, zlib.crc32(payload)) + payload


def _records(data: bytes, place: str) -> Iterator[tuple[int, memoryview]]:
    """(end, payload) of each whole record, up to a torn tail. Raises `JournalError` where more is wrong than that."""
    if not data.startswith(MAGIC):
        raise _damaged(place, "it does not begin as a journal does")
    view, start, total = memoryview(data), len(MAGIC), len(data)
    while total - start >= _HEAD.size:
        length, masked, checksum = _HEAD.unpack_from(data, start)
        begin = start + _HEAD.size
        end = begin + length
        if length ^ masked != _LENGTH_MASK:
            if any(view[start:]):
                raise _damaged(place, f"byte {start:,} begins no record")
            return  # a machine that stopped leaves zeros where nothing was written
        if end > total:
            return
        if zlib.crc32(view[begin:end]) != checksum:
            if end < total:
                raise _damaged(place, f"byte {start:,}: checksum differs and later records exist")
            return
        yield end, view[begin:end]
        start = end


def _write_all(fd: int, data: bytes, place: Path) -> None:
    """Raises `JournalError` JRN001 when the disk is full or fails."""
    written = 0
    try:
        written = os.write(fd, data)
        while written < len(data):
            written += os.write(fd, data[written:])
    except OSError as error:
        what = f"cannot be written ({error.strerror}), {len(data) - written:,} bytes missing"
        raise JournalError("JRN001", str(place), what, "Make room on the disk and start again.") from error


def _locked(path: Path) -> int | None:
    """Hold the journal: a lock that falls with its process."""
    if fcntl is None:
        return None
    fd = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    pause = threading.Event()
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pause.wait(LOCK_PAUSE_S)
        else:
            return fd
    os.close(fd)
    raise JournalError("JRN002", str(path), "another process has this journal", "Stop it first.", None, 2)


def _damaged(place: str, what: str) -> JournalError:
    return JournalError(
        "JRN003", place, what, "Move it away to start without it: orders under way are not known then.", None, 3
    )
