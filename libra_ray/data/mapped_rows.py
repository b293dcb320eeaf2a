"""Rows in nameless temporary files that are mapped: each column in one piece, however many rows, in no private memory.

The files lie in the folder for temporary files (`TMPDIR`), which should be on a disk. Their pages can leave the memory
when it is short; the system takes the files back when the rows are gone or the process ends, however it ends.
"""

import mmap
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import IO, Final, NamedTuple

import numpy as np
import pyarrow as pa

from libra_ray.data.arrow_arrays import Int64s
from libra_ray.data.wide_codes import WIDE, is_code, widened
from libra_ray.errors import DataError

__all__ = ["MEMORY_BYTES_MAX", "MappedRows", "mapped_rows", "nameless_file", "room_for"]

MEMORY_BYTES_MAX: Final = 64 << 20
"""Rows of more are mapped rather than held in private memory, where nobody says otherwise."""
TEXT_BYTES_MAX: Final = 2**31 - 1


class MappedRows(NamedTuple):
    """A table, and those of its columns of codes that are mapped at full width (see `wide_codes`), all read-only."""

    table: pa.Table
    wide: Mapping[str, Int64s]


def mapped_rows(batches: Iterable[pa.RecordBatch | pa.Table], schema: pa.Schema, name: str) -> MappedRows:
    """All rows of the batches, which have the columns of `schema` without nulls. Private memory is that of one batch.

    Errors call them `name`. Raises `DataError` DATA007 where the disk has no room for them, or a column has more text
    than Arrow counts, and what going through the batches raises.
    """
    rows = 0
    with ExitStack() as files:
        columns = [_Column(field, name, files) for field in schema]
        for batch in batches:
            rows += batch.num_rows
            with room_for(name, rows):
                for column, values in zip(columns, batch.columns, strict=True):
                    for chunk in values.chunks if isinstance(values, pa.ChunkedArray) else (values,):
                        column.add(chunk)
        with room_for(name, rows):
            arrays = [column.array(rows) for column in columns]
        wide = {column.name: column.wide_codes() for column in columns if column.is_code and rows}
    return MappedRows(pa.Table.from_arrays(arrays, schema=schema), wide)


@contextmanager
def room_for(name: str, rows: int | None = None) -> Iterator[None]:
    """Around writes to nameless files: a full disk is `DataError` DATA007."""
    try:
        yield
    except OSError as error:
        rows_text = "its rows" if rows is None else f"{rows:,} rows"
        what = f"{rows_text} do not fit into {tempfile.gettempdir()} ({error.strerror or error})"
        raise DataError("DATA007", name, what, "Set TMPDIR to a folder on a disk with more room.") from error


def nameless_file() -> IO[bytes]:
    """A file without a name in the folder for temporary files; the system takes it back when it is closed."""
    return tempfile.TemporaryFile()


class _Column:
    """One column on its way to its files: its values, and beside them where texts end, or codes at full width."""

    def __init__(self, field: pa.Field, rows_name: str, files: ExitStack) -> None:
        self.name, self._kind, self._rows_name = field.name, field.type, rows_name
        self.is_code, self._is_text = is_code(field.type), pa.types.is_string(field.type)
        self._values, self._beside = files.enter_context(nameless_file()), files.enter_context(nameless_file())
        self._text_bytes = 0
        if self._is_text:
            self._beside.write(bytes(4))

    def add(self, chunk: pa.Array) -> None:
        """The values of one array behind those that are there."""
        start, count = chunk.offset, len(chunk)
        if not count:
            return
        data = memoryview(chunk.buffers()[-1] or b"")
        if self._is_text:
            ends = np.frombuffer(chunk.buffers()[1], np.int32, count + 1, start * 4)
            data = data[int(ends[0]) : int(ends[-1])]
            if self._text_bytes + len(data) > TEXT_BYTES_MAX:
                what = f"column '{self.name}' has more than {TEXT_BYTES_MAX:,} bytes of text"
                raise DataError("DATA007", self._rows_name, what, "Ask for a shorter range.")
            self._beside.write((ends[1:] - ends[0] + np.int32(self._text_bytes)).astype(np.int32).tobytes())
            self._text_bytes += len(data)
        else:
            width = self._kind.bit_width // 8
            data = data[start * width : (start + count) * width]
            if self.is_code:
                self._beside.write(widened(chunk))
        self._values.write(data)

    def array(self, rows: int) -> pa.Array:
        """All values, mapped."""
        values = _mapped(self._values)
        buffers = [None, _mapped(self._beside), values] if self._is_text else [None, values]
        return pa.Array.from_buffers(self._kind, rows, buffers)

    def wide_codes(self) -> Int64s:
        """The codes at full width, mapped."""
        return np.frombuffer(_mapped(self._beside), WIDE)


def _mapped(file: IO[bytes]) -> pa.Buffer:
    file.flush()
    if not file.tell():
        return pa.py_buffer(b"")
    return pa.py_buffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
