"""What the pages of a Parquet file unpack to, by their own headers: the footer may say less.

A page is unpacked as a whole, into memory of the size that its header names. The header is a struct of Thrift's compact
protocol (`PageHeader` of `parquet.thrift`); its first three fields are read here and the others are passed over.
"""

from collections.abc import Sequence
from typing import Any, BinaryIO, Final

from libra_ray.data.raw_files import RawFile
from libra_ray.errors import DataError

__all__ = ["check_pages"]

HEADER_BYTES: Final = 1 << 12
HEADER_BYTES_MAX: Final = 1 << 20
PAGES_MAX: Final = 200_000
_UNPACKED, _PACKED = 2, 3
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)
_DEPTH_MAX: Final = 8


def check_pages(file: RawFile, metadata: Any, names: Sequence[str]) -> None:  # noqa: ANN401  # pyarrow has no type for it
    """Look at the headers of all pages of these columns.

    Raises `DataError` DATA020 when the largest pages of the columns, which lie in memory together, exceed the file's
    limit; `ValueError` for headers that are none.
    """
    wanted = set(names)
    with file.path.open("rb") as stream:
        for group in range(metadata.num_row_groups):
            total = 0
            for number in range(metadata.num_columns):
                chunk = metadata.row_group(group).column(number)
                if chunk.path_in_schema.split(".")[0] in wanted:
                    total += _largest(stream, chunk)
            if total > file.max_decompressed_bytes:
                what = f"pages expand beyond the limit of {file.max_decompressed_bytes:,} bytes"
                fix = "Raise data.max_decompressed_bytes if the file is right."
                raise DataError("DATA020", file.name, what, fix)


def _largest(stream: BinaryIO, chunk: Any) -> int:  # noqa: ANN401  # pyarrow has no type for it
    """The bytes of a column chunk's largest page, unpacked."""
    at = min(place for place in (chunk.data_page_offset, chunk.dictionary_page_offset) if place is not None)
    end, largest = at + chunk.total_compressed_size, 0
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
        unpacked, packed = found.get(_UNPACKED, -1), found.get(_PACKED, -1)
        if unpacked < 0 or packed < 0:
            raise ValueError("a page of no size")
        return unpacked, packed, reader.at


class _Compact:
    """Reads Thrift's compact protocol from its beginning; `at` is what was read."""

    def __init__(self, data: bytes) -> None:
        self._data, self.at = data, 0

    def struct(self, depth: int) -> dict[int, int]:
        """The integers among a struct's fields. Raises `IndexError` where the data end."""
        if depth < 0:
            raise ValueError("a header too deep")
        found, number = {}, 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            value = self._value(head & 15, depth, in_struct=True)
            if value is not None:
                found[number] = value
        return found

    def _value(self, kind: int, depth: int, *, in_struct: bool) -> int | None:
        if kind in (_I16, _I32, _I64):
            return self._integer()
        if kind in (_TRUE, _FALSE, _BYTE):
            self._skip(0 if in_struct and kind != _BYTE else 1)
        elif kind == _DOUBLE:
            self._skip(8)
        elif kind == _BINARY:
            self._skip(self._varint())
        elif kind in (_LIST, _SET):
            head = self._byte()
            for _ in range(head >> 4 if head >> 4 != 15 else self._varint()):  # noqa: PLR2004  # all bits: a longer one
                self._value(head & 15, depth - 1, in_struct=False)
        elif kind == _STRUCT:
            self.struct(depth - 1)
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
