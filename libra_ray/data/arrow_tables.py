"""Columns that have types already: Parquet and Arrow IPC (Feather) files, and tables in memory."""

import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from libra_ray.data.ipc_blocks import ipc_blocks
from libra_ray.data.parquet_pages import check_pages
from libra_ray.data.raw_files import RawFile
from libra_ray.data.raw_tables import COLUMNS_MAX, RawBatch, refuse_too_many
from libra_ray.errors import DataError

__all__ = ["FeatherTable", "MemoryTable", "ParquetTable"]

BATCH_ROWS: Final = 131_072
TEXT_BYTES_MAX: Final = 1 << 16
"""A longer text in one cell is no number, time or word."""
BROKEN: Final = (pa.ArrowException, OSError, ValueError, LookupError, TypeError, RuntimeError, struct.error)


class _Rows(ABC):
    """Rows that are counted from 0, as binary files have them."""

    header: Sequence[str]
    header_place: str
    rows: int

    def place(self, row: int) -> str:
        """The file and the row."""
        return f"{self.header_place} row {row:,}"

    def row_word(self, row: int) -> str:
        """The row alone."""
        return f"row {row:,}"

    @abstractmethod
    def column_type(self, index: int) -> pa.DataType:
        """The type of a column before it is read."""

    def _unreadable(self, row: int, error: Exception) -> DataError:
        what = f"unreadable ({_first_line(error)})"
        return DataError("DATA011", self.place(row), what, "The file is damaged; copy it again.")


class ParquetTable(_Rows):
    """A Parquet file. Raises `DataError` DATA011 for a damaged one, DATA017, DATA020."""

    def __init__(self, file: RawFile) -> None:
        self._file, self.header_place = file, file.name
        try:
            self._parquet = pq.ParquetFile(str(file.path), memory_map=False)
            metadata = self._parquet.metadata
            self.rows = int(metadata.num_rows)
            count = int(metadata.num_columns)
            sizes = [int(metadata.row_group(index).total_byte_size) for index in range(metadata.num_row_groups)]
        except BROKEN as error:
            raise _footer_error(file, error) from error
        if count > COLUMNS_MAX:
            refuse_too_many([""] * count, file.name)
        if max(sizes, default=0) > file.max_decompressed_bytes:
            raise _too_large(file, "a row group")
        try:
            self._schema = self._parquet.schema_arrow
            self.header = list(self._schema.names)
        except BROKEN as error:
            raise _footer_error(file, error) from error

    def column_type(self, index: int) -> pa.DataType:
        """The type of a column before it is read."""
        return self._schema.field(index).type

    def batches(self, indices: Sequence[int]) -> Iterator[RawBatch]:
        """The columns, some rows at a time. Raises `DataError` DATA011 for damage, DATA020 for what expands too far."""
        names = [self.header[index] for index in indices]
        row = 0
        try:
            check_pages(self._file, names)
            # Texts of a dictionary stay in it until their lengths were looked at: a short file may repeat a long one.
            texts = [name for name in names if pa.types.is_string(self._schema.field(name).type)]
            reader = pq.ParquetFile(str(self._file.path), memory_map=False, read_dictionary=texts)
            # A thread reads ahead and keeps several row groups in memory; one is enough here.
            for batch in reader.iter_batches(BATCH_ROWS, columns=names, use_threads=False):
                by_name = dict(zip(batch.schema.names, batch.columns, strict=True))
                for column in by_name.values():
                    if not pa.types.is_primitive(column.type):
                        column.validate(full=True)  # whether texts are UTF-8
                yield RawBatch(row, [_flat(by_name[name], self.place(row)) for name in names])
                row += batch.num_rows
        except DataError:
            raise
        except BROKEN as error:
            raise self._unreadable(row, error) from error
        if row != self.rows:
            raise self._unreadable(row, ValueError(f"it ends before row {self.rows:,}"))


class FeatherTable(_Rows):
    """An Arrow IPC file, which is what Feather is since its version 2. Raises as `ParquetTable`."""

    def __init__(self, file: RawFile) -> None:
        self._file, self.header_place = file, file.name
        try:
            source = pa.memory_map(str(file.path))
            blocks = list(ipc_blocks(memoryview(source.read_buffer())))
            self._schema = pa.ipc.open_file(pa.memory_map(str(file.path))).schema
            self.header = list(self._schema.names)
        except BROKEN as error:
            what = f"footer unreadable ({_first_line(error)})"
            fix = "The file is truncated or not Arrow IPC; copy it again."
            raise DataError("DATA011", file.name, what, fix) from error
        self.rows = sum(block.rows for block in blocks if not block.is_dictionary)
        refuse_too_many(self.header, file.name)
        if max((block.unpacked_bytes for block in blocks), default=0) > file.max_decompressed_bytes:
            raise _too_large(file, "a record batch")

    def column_type(self, index: int) -> pa.DataType:
        """The type of a column before it is read."""
        return self._schema.field(index).type

    def batches(self, indices: Sequence[int]) -> Iterator[RawBatch]:
        """The columns, some rows at a time. Raises `DataError` DATA011 for damage, DATA020 for what expands too far."""
        row = 0
        try:
            options = pa.ipc.IpcReadOptions(included_fields=sorted(set(indices)), use_threads=False)
            reader = pa.ipc.open_file(pa.memory_map(str(self._file.path)), options=options)
            places = [sorted(set(indices)).index(index) for index in indices]
            for number in range(reader.num_record_batches):
                batch = reader.get_batch(number)
                batch.validate(full=True)
                for start in range(0, batch.num_rows, BATCH_ROWS):
                    part = batch.slice(start, BATCH_ROWS)
                    yield RawBatch(row, [_flat(part.column(place), self.place(row)) for place in places])
                    row += part.num_rows
        except DataError:
            raise
        except BROKEN as error:
            raise self._unreadable(row, error) from error


class MemoryTable(_Rows):
    """A table of Arrow, pandas or polars, or a mapping of names to columns. Rows are counted from 0."""

    def __init__(self, table: pa.Table, name: str = "table") -> None:
        self._table, self.header_place = table, name
        self.header = list(table.column_names)
        self.rows = int(table.num_rows)
        refuse_too_many(self.header, name)

    def column_type(self, index: int) -> pa.DataType:
        """The type of a column before it is read."""
        return self._table.schema.field(index).type

    def batches(self, indices: Sequence[int]) -> Iterator[RawBatch]:
        """The columns, some rows at a time. Raises `DataError` DATA011 for damage, DATA020 for what expands too far."""
        row = 0
        for batch in self._table.select(list(indices)).to_batches(BATCH_ROWS):
            if batch.num_rows:
                yield RawBatch(row, [_flat(column, self.place(row)) for column in batch.columns])
            row += batch.num_rows


def _flat(column: pa.Array, place: str) -> pa.Array:
    """Texts in all their forms as plain texts, none of them too long to be a value."""
    kind = column.type
    if isinstance(column, pa.ExtensionArray):
        return _flat(column.storage, place)
    if pa.types.is_dictionary(kind):
        # Plain texts first: Arrow does not take views out of a dictionary, and polars writes them there.
        plain = _flat(column.dictionary, place)
        return pa.DictionaryArray.from_arrays(column.indices, plain).dictionary_decode()
    if pa.types.is_run_end_encoded(kind):
        _refuse_long(column.values, place)
        return _flat(pc.run_end_decode(column), place)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_null(kind):
        _refuse_long(column, place)
        return column.cast(pa.string())
    if pa.types.is_string(kind):
        _refuse_long(column, place)
    return column


def _refuse_long(texts: pa.Array, place: str) -> None:
    """A text longer than any value: the file is a bomb or no table."""
    kind = texts.type
    if not len(texts) or not (
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    ):
        return
    if pa.types.is_string_view(kind):
        # A view is 16 bytes, the first four of which are the length.
        views = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset * 4 : (texts.offset + len(texts)) * 4 : 4]
        lengths = int(views.max())
    else:
        lengths = pc.max(pc.binary_length(texts)).as_py() or 0
    if lengths > TEXT_BYTES_MAX:
        what = f"a text of {lengths:,} bytes exceeds the limit of {TEXT_BYTES_MAX:,} for one value"
        raise DataError("DATA020", place, what, "Map another column.")


def _too_large(file: RawFile, part: str) -> DataError:
    what = f"{part} expands beyond the limit of {file.max_decompressed_bytes:,} bytes"
    return DataError("DATA020", file.name, what, "Raise data.max_decompressed_bytes if the file is right.")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].strip() if str(error).strip() else "it ends early"


def _footer_error(file: RawFile, error: Exception) -> DataError:
    """Where the footer should be: its length and magic are the last 8 bytes."""
    with file.path.open("rb") as stream:
        stream.seek(max(file.size - 8, 0))
        end = stream.read(8)
    at = max(file.size - 4, 0)
    if end[4:] == b"PAR1":
        length = int.from_bytes(end[:4], "little")
        at = file.size - 8 - length if length <= file.size - 8 else file.size - 8
    what = f"footer unreadable at byte {at:,} of {file.size:,}"
    made = DataError("DATA011", file.name, what, "The file is truncated or not Parquet; copy it again.")
    made.__cause__ = error
    return made
