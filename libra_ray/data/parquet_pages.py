"""What the pages of a Parquet file unpack to, by their own headers: the footer may say less.

A page is unpacked as a whole, into memory of the size that its header names. Footer and headers are structs of Thrift's
compact protocol (`FileMetaData` and `PageHeader` of `parquet.thrift`). They are read here because Arrow ends the
process when it is asked for the place of a column whose statistics are damaged, and tells no page's size at all.
"""

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final, NamedTuple, TypeAlias

from libra_ray.data.raw_files import RawFile
from libra_ray.errors import DataError

__all__ = ["check_pages"]

MAGIC: Final = b"PAR1"
TAIL_BYTES: Final = 8
HEADER_BYTES: Final = 1 << 12
HEADER_BYTES_MAX: Final = 1 << 20
PAGES_MAX: Final = 200_000
_UNPACKED, _PACKED = 2, 3
_ROW_GROUPS, _COLUMNS, _META_DATA = 4, 1, 3
_PATH, _CHUNK_BYTES, _DATA_PAGE, _DICTIONARY_PAGE = 3, 7, 9, 11
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_DEPTH_MAX: Final = 12

_Value: TypeAlias = "int | bytes | list[_Value] | dict[int, _Value] | None"


class _Chunk(NamedTuple):
    """The pages of one column in one row group: where they begin, and their bytes in the file."""

    name: str
    start: int
    size: int


def check_pages(file: RawFile, names: Sequence[str]) -> None:
    """Look at the headers of all pages of these columns.

    Raises `DataError` DATA020 when the largest pages of the columns, which lie in memory together, exceed the file's
    limit; `ValueError`, `TypeError` or `IndexError` for a footer or headers that are none.
    """
    wanted = set(names)
    with file.path.open("rb") as stream:
        for chunks in _row_groups(stream, file.size):
            total = sum(_largest(stream, chunk) for chunk in chunks if chunk.name in wanted)
            if total > file.max_decompressed_bytes:
                what = f"pages expand beyond the limit of {file.max_decompressed_bytes:,} bytes"
                fix = "Raise data.max_decompressed_bytes if the file is right."
                raise DataError("DATA020", file.name, what, fix)


def _row_groups(stream: BinaryIO, size: int) -> Iterator[list[_Chunk]]:
    """The columns of each row group, as the footer has them."""
    stream.seek(max(size - TAIL_BYTES, 0))
    tail = stream.read(TAIL_BYTES)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != MAGIC or length > size - TAIL_BYTES:
        raise ValueError("no footer")
    stream.seek(size - TAIL_BYTES - length)
    footer = _Compact(stream.read(length)).struct(_DEPTH_MAX)
    for group in _structs(footer.get(_ROW_GROUPS)):
        yield [_chunk(_struct(column.get(_META_DATA))) for column in _structs(group.get(_COLUMNS))]


def _chunk(facts: "dict[int, _Value]") -> _Chunk:
    path, size, data, dictionary = (facts.get(each) for each in (_PATH, _CHUNK_BYTES, _DATA_PAGE, _DICTIONARY_PAGE))
    if not (isinstance(path, list) and path and isinstance(path[0], bytes)):
        raise ValueError("a column without a path")
    if not isinstance(size, int) or not isinstance(data, int):
        raise TypeError("a column without a place")
    start = min(data, dictionary) if isinstance(dictionary, int) and dictionary > 0 else data
    return _Chunk(path[0].decode(), start, size)


def _structs(value: _Value) -> "list[dict[int, _Value]]":
    if not isinstance(value, list):
        raise TypeError("a footer without its lists")
    return [_struct(each) for each in value]


def _struct(value: _Value) -> "dict[int, _Value]":
    if not isinstance(value, dict):
        raise TypeError("a footer without its structs")
    return value


def _largest(stream: BinaryIO, chunk: _Chunk) -> int:
    """The bytes of a column chunk's largest page, unpacked."""
    at, end, largest = chunk.start, chunk.start + chunk.size, 0
    if at < 0:
        raise ValueError("a page before the file")
    for _ in range(PAGES_MAX):
        if at >= end:
            return largest
        unpacked, packed, header = _header(stream, at)
        largest = max(largest, unpacked)
        at += header + packed
    raise ValueError(f"more than {PAGES_MAX:,} pages in one column")


def _header(stream: BinaryIO, at: int) -> tuple[int, int, int]:
    """Unpacked and packed bytes of the page at `at`, and those of its header."""
    size = HEADER_BYTES
    while True:
        stream.seek(at)
        data = stream.read(size)
        reader = _Compact(data)
        try:
            found = reader.struct(_DEPTH_MAX)
        except IndexError:
            if len(data) < size or size >= HEADER_BYTES_MAX:
                raise ValueError("a page without a header") from None
            size = HEADER_BYTES_MAX
            continue
        unpacked, packed = found.get(_UNPACKED), found.get(_PACKED)
        if not isinstance(unpacked, int) or not isinstance(packed, int) or unpacked < 0 or packed < 0:
            raise ValueError("a page of no size")
        return unpacked, packed, reader.at


class _Compact:
    """Reads Thrift's compact protocol from its beginning; `at` is what was read."""

    def __init__(self, data: bytes) -> None:
        self._data, self.at = data, 0

    def struct(self, depth: int) -> "dict[int, _Value]":
        """A struct's fields by their numbers; flags and floats are passed over. Raises `IndexError` where data end."""
        if depth < 0:
            raise ValueError("a header too deep")
        found: dict[int, _Value] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            found[number] = self._value(head & 15, depth, in_struct=True)
        return found

    def _value(self, kind: int, depth: int, *, in_struct: bool) -> _Value:
        if kind in (_I16, _I32, _I64):
            return self._integer()
        if kind == _BINARY:
            length = self._varint()
            self._skip(length)
            return self._data[self.at - length : self.at]
        if kind in (_LIST, _SET):
            head = self._byte()
            count = head >> 4 if head >> 4 != 15 else self._varint()  # noqa: PLR2004  # all bits: a longer one
            return [self._value(head & 15, depth - 1, in_struct=False) for _ in range(count)]
        if kind == _STRUCT:
            return self.struct(depth - 1)
        if kind in (_TRUE, _FALSE, _BYTE):
            self._skip(0 if in_struct and kind != _BYTE else 1)
        elif kind == _DOUBLE:
            self._skip(8)
        else:
            raise ValueError(f"a header with a field of kind {kind}")
        return None

    def _byte(self) -> int:
        byte = self._data[self.at]
        self.at += 1
        return byte

    def _skip(self, count: int) -> None:
        self.at += count
        if self.at > len(self._data):
            raise IndexError

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:  # noqa: PLR2004  # the last of a number has no high bit
                return value
            if shift > 63:  # noqa: PLR2004  # 64 bits
                raise ValueError("a number of more than 64 bits")

    def _integer(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
