"""The record batches of an Arrow IPC file by its footer: rows and unpacked sizes, known before anything is unpacked.

The footer and each batch's head are flatbuffers (`File.fbs`, `Message.fbs` of the Arrow format); the few fields needed
are read here, because Arrow's own reader tells neither without unpacking the batch.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

__all__ = ["IpcBlock", "ipc_blocks", "ipc_head"]

MAGIC: Final = b"ARROW1"
_DICTIONARY_BATCH: Final = 2
_BLOCK: Final = struct.Struct("<qixxxxq")
_BUFFER: Final = struct.Struct("<qq")
_TAIL: Final = struct.Struct("<i6s")
_PREFIX: Final = 8
BLOCKS_MAX: Final = 1 << 20


class IpcBlock(NamedTuple):
    """One batch: its rows (of a dictionary, its values) and the bytes that its buffers unpack to."""

    rows: int
    unpacked_bytes: int
    is_dictionary: bool


def ipc_blocks(data: memoryview) -> Iterator[IpcBlock]:
    """All dictionaries, then all batches. Raises `ValueError` or `struct.error` for a damaged file."""
    size = len(data)
    if size < len(MAGIC) + _TAIL.size or bytes(data[: len(MAGIC)]) != MAGIC:
        raise ValueError("no Arrow file")
    length, magic = _TAIL.unpack_from(data, size - _TAIL.size)
    if magic != MAGIC or not 0 < length <= size - _TAIL.size:
        raise ValueError("no footer")
    footer = data[size - _TAIL.size - length : size - _TAIL.size]
    root = _table(footer, 0)
    for slot in (2, 3):  # dictionaries, record batches
        for at in _vector(footer, root, slot, _BLOCK.size):
            offset, head_bytes, body_bytes = _BLOCK.unpack_from(footer, at)
            if min(offset, head_bytes, body_bytes) < 0 or offset + head_bytes + body_bytes > size:
                raise ValueError("a batch lies outside of the file")
            yield ipc_head(data[offset : offset + head_bytes], data[offset + head_bytes :][:body_bytes])


def ipc_head(head: memoryview, body: memoryview) -> IpcBlock:
    """What the head of one message says of its batch; `head` may begin with the marks of a message.

    Raises as `ipc_blocks` does.
    """
    message = head[_PREFIX:] if bytes(head[:4]) == b"\xff\xff\xff\xff" else head
    root = _table(message, 0)
    kind = _field(message, root, 1)
    batch = _table(message, _needed(_field(message, root, 2)))
    is_dictionary = kind is not None and struct.unpack_from("B", message, kind)[0] == _DICTIONARY_BATCH
    if is_dictionary:
        batch = _table(message, _needed(_field(message, batch, 1)))
    rows = _field(message, batch, 0)
    is_packed = _field(message, batch, 3) is not None
    total = 0
    for at in _vector(message, batch, 2, _BUFFER.size):
        offset, length = _BUFFER.unpack_from(message, at)
        if min(offset, length) < 0 or offset + length > len(body):
            raise ValueError("a buffer lies outside of its batch")
        unpacked = struct.unpack_from("<q", body, offset)[0] if is_packed and length >= _PREFIX else -1
        total += length if unpacked < 0 else unpacked
    return IpcBlock(0 if rows is None else struct.unpack_from("<q", message, rows)[0], total, is_dictionary)


def _needed(place: int | None) -> int:
    if place is None:
        raise ValueError("a batch without a head")
    return place


def _table(data: memoryview, at: int) -> int:
    """Where the table lies to which the offset at `at` points."""
    return int(at + struct.unpack_from("<I", data, at)[0])


def _field(data: memoryview, table: int, slot: int) -> int | None:
    """Where a field of a table lies; None where it has its default."""
    layout = table - struct.unpack_from("<i", data, table)[0]
    if not 0 <= layout < len(data):
        raise ValueError("a table without a layout")
    size = struct.unpack_from("<H", data, layout)[0]
    at = 4 + 2 * slot
    offset = struct.unpack_from("<H", data, layout + at)[0] if at < size else 0
    return table + offset if offset else None


def _vector(data: memoryview, table: int, slot: int, width: int) -> Iterator[int]:
    """Where each item of a vector of structs lies."""
    place = _field(data, table, slot)
    if place is None:
        return
    start = _table(data, place)
    count = struct.unpack_from("<I", data, start)[0]
    if count > BLOCKS_MAX or start + 4 + count * width > len(data):
        raise ValueError("a list longer than its file")
    yield from range(start + 4, start + 4 + count * width, width)
