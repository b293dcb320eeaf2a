"""What crosses a bus, as records of an append-only file.

A record is a head of twelve bytes (length and checksum of what follows, checksum of these two) and a msgpack array. A
record that a kill has torn is the last one and is cut; whatever else does not add up is damage and is said.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

import msgspec

from libra_ray.errors import DataError
from libra_ray.messages.arrow_bodies import arrow_value, is_arrow_name
from libra_ray.messages.class_names import class_of, has_arrow_door
from libra_ray.messages.codec import MESSAGE_BYTES_MAX, decode
from libra_ray.runtime.inbox import Lane

__all__ = ["RECORD_BYTES_MAX", "Crossing", "TrafficWriter", "read_traffic"]

RECORD_BYTES_MAX: Final = 64 << 20
"""The longest record, which bounds the memory of a reader."""

_MAGIC: Final = b"libra-ray traffic 1\n"
_HEAD: Final = struct.Struct("<III")
_PAIR: Final = struct.Struct("<II")
_BUFFER_BYTES: Final = 64 << 10


class Crossing(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One message on its way, or one timer that fired.

    Attributes:
        ts_ns: when, by the clock of the host that recorded it.
        lane: its priority. source: the actor that sent it, empty where it came from outside of all actors.
        seq: which one of this source, from 1; between hosts the place in its link.
        kind: PUBLISH, SEND, REQUEST, REPLY, TIMER or DEADLINE (of a request); between hosts the frame's kind.
        destination: topic, endpoint, `reply:{correlation}` or the timer's name.
        type, body: the message, see `libra_ray.messages.codec`; of a request, what is asked.
        extra: the correlation of a request, its reply and its deadline; when a timer was due.
        timeout_ns: of a request.
        host, epoch, peer: of live hosts, which one sent it and to which, if to another.
    """

    ts_ns: int
    lane: int
    source: str
    seq: int
    kind: str
    destination: str
    type: str = ""
    body: bytes = b""
    extra: int = 0
    timeout_ns: int = 0
    host: str = ""
    epoch: int = 0
    peer: str = ""

    @property
    def message(self) -> object:
        """The message itself; None for a timer. Raises `DecodeError`."""
        if not self.type:
            return None
        if len(self.body) > MESSAGE_BYTES_MAX:  # inside a host batches have no limit
            cls = class_of(self.type)
            if is_arrow_name(self.type) or (cls is not None and has_arrow_door(cls)):
                return arrow_value(self.type, self.body)
        return decode(self.type, self.body)

    def __str__(self) -> str:
        lane, source = Lane(self.lane).name, self.source or "(outside)"
        way = f" {self.host}-{self.epoch} > {self.peer}" if self.peer else ""
        return f"{self.ts_ns} {lane} {source} {self.seq}{way} {self.kind} {self.destination} {self.type}".rstrip()


class TrafficWriter:
    """Appends to `path`, which may be a file that is there: a torn end of it is cut first.

    Raises `DataError` DATA011 for a file that is something else or is damaged.
    """

    def __init__(self, path: Path, *, buffer_bytes: int = _BUFFER_BYTES) -> None:
        """So many bytes wait in memory before they are written; 0 writes each record at once."""
        self.path, self.written = path, 0
        self._encode = msgspec.msgpack.Encoder().encode
        self._buffer, self._buffer_bytes = bytearray(), buffer_bytes
        end = _end_of(path) if path.exists() else 0
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        os.ftruncate(self._fd, end)
        if not end:
            self._buffer += _MAGIC

    def write(self, crossing: Crossing) -> None:
        """Append one. Raises `ValueError` for one that is longer than 64 MiB or when this is closed."""
        if self._fd < 0:
            raise ValueError(f"{self.path} is closed")
        body = self._encode(crossing)
        if len(body) > RECORD_BYTES_MAX:
            raise ValueError(f"{crossing}: {len(body):,} bytes; a record has at most {RECORD_BYTES_MAX:,}")
        pair = _PAIR.pack(len(body), zlib.crc32(body))
        self._buffer += _HEAD.pack(len(body), zlib.crc32(body), zlib.crc32(pair))
        self._buffer += body
        self.written += 1
        if len(self._buffer) >= self._buffer_bytes:
            self.flush()

    def flush(self) -> None:
        """Write what waits: it then survives the end of this process."""
        while self._buffer and self._fd >= 0:
            done = os.write(self._fd, self._buffer)
            del self._buffer[:done]

    def close(self) -> None:
        """Write what waits and close the file; twice is fine."""
        if self._fd >= 0:
            self.flush()
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_traffic(path: Path) -> Iterator[Crossing]:
    """What was recorded, in order, one at a time. A torn record at the end is not there.

    Raises `DataError` DATA011 for a file that is no recording, at the first damaged record of one that is.
    """
    with path.open("rb") as file:
        for crossing, _ in _records(path, file):
            yield crossing


def _end_of(path: Path) -> int:
    """Where the last whole record of a recording ends; 0 for an empty file."""
    with path.open("rb") as file:
        ends = [len(_MAGIC)] if file.read(len(_MAGIC)) == _MAGIC else [0]
        file.seek(0)
        for _, end in _records(path, file):
            ends[0] = end
        return ends[0]


def _records(path: Path, file: BinaryIO) -> Iterator[tuple[Crossing, int]]:
    """Each record and where it ends."""
    size = os.fstat(file.fileno()).st_size
    magic = file.read(len(_MAGIC))
    if magic != _MAGIC:
        if _MAGIC.startswith(magic.rstrip(b"\0")) and _is_blank(file):  # killed before anything was written
            return
        raise DataError("DATA011", str(path), "it is no recording of bus traffic", "Give one made by a Recorder.")
    read = msgspec.msgpack.Decoder(Crossing).decode
    place, number = len(_MAGIC), 0
    while len(head := file.read(_HEAD.size)) == _HEAD.size:
        number += 1
        length, checksum, head_checksum = _HEAD.unpack(head)
        if zlib.crc32(head[: _PAIR.size]) != head_checksum or length > RECORD_BYTES_MAX:
            if _is_blank(file):  # the machine went down, and the end of the file was never written
                return
            raise _damage(path, number, place, size, "its length is damaged")
        body = file.read(length)
        end = place + _HEAD.size + length
        if len(body) < length:
            return
        if zlib.crc32(body) != checksum:
            if _is_blank(file):
                return
            raise _damage(path, number, place, size, "checksum differs and later records exist")
        try:
            crossing = read(body)
        except msgspec.MsgspecError as error:
            raise _damage(path, number, place, size, f"it is of another form: {error}") from error
        yield crossing, end
        place = end


def _is_blank(file: BinaryIO) -> bool:
    """Whether nothing follows but zeros."""
    while block := file.read(_BUFFER_BYTES):
        if any(block):
            return False
    return True


def _damage(path: Path, number: int, place: int, size: int, what: str) -> DataError:
    where = f"record {number:,} at byte {place:,} of {size:,}: {what}"
    return DataError("DATA011", str(path), where, "The file is damaged; record the session again.")
