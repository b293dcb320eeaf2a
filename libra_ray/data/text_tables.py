"""A delimited text file as a table: cut into blocks of whole lines, each read by compiled code or by Arrow's reader."""

import csv
import sys
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv

from libra_ray.data.raw_files import RawFile
from libra_ray.data.raw_tables import RawBatch, refuse_too_many
from libra_ray.data.read_ahead import read_ahead
from libra_ray.data.text_cells import Cells
from libra_ray.data.text_scan import TextFacts, line_of_row, scan_text
from libra_ray.errors import DataError, quoted

__all__ = ["CellBatch", "TextTable"]

BLOCK_BYTES: Final = 4 << 20
COMPILED_BYTES_MIN: Final = 4 << 20
"""Below it Arrow's reader is done before compiled code is loaded."""
LOADED_BYTES_MIN: Final = 1 << 16
COMPILED: Final = "libra_ray.data.formats.cell_scan"
DELIMITERS: Final = ",;\t|"
_FEED, _QUOTE = 10, 34
_BOM: Final = b"\xef\xbb\xbf"


class CellBatch(NamedTuple):
    """As `RawBatch`, with columns of plain blocks as `Cells`."""

    first_row: int
    columns: list[pa.Array | Cells]
    rows: None = None


class TextTable:
    """A CSV file, packed or not. All values are texts. Raises `DataError` DATA008, DATA011, DATA015, DATA017.

    Args:
        column_names: of a file without a header line.
        delimiter: None = the most frequent of `, ; | tab` in the first line.
        skip_lines: so many lines stand above the header, or above the first row.

    """

    def __init__(
        self, file: RawFile, *, column_names: Sequence[str] = (), delimiter: str | None = None, skip_lines: int = 0
    ) -> None:
        self._file, self._has_header = file, not column_names
        with file.stream() as stream:
            self._facts: TextFacts = scan_text(stream, file.name)
        with file.stream() as stream:
            self._skipped = sum(
                bool(stream.readline().strip(b"\r\n")) for _ in range(min(skip_lines, self._facts.lines))
            )
            first, self._header_lines = _first_line(stream, behind=skip_lines)
        self._lines_before = self._header_lines if self._has_header else skip_lines
        self.delimiter = delimiter or max(DELIMITERS, key=first.count)
        self.header_place = f"{file.name}:{max(self._header_lines, 1)}"
        header = list(column_names) if column_names else _fields(first, self.delimiter, self.header_place)
        if not first:
            raise DataError("DATA008", file.name, "0 data rows", "Check the file or the date range.")
        refuse_too_many(header, file.name)
        self.header: Sequence[str] = header
        self.rows = self._facts.lines - self._facts.blank - self._skipped - self._has_header

    def place(self, row: int) -> str:
        """The file and the line."""
        return f"{self._file.name}:{self._line(row)}"

    def row_word(self, row: int) -> str:
        """The line alone."""
        return f"row {self._line(row)}"

    def batches(self, indices: Sequence[int]) -> Iterator[RawBatch]:
        """The columns as texts, a block at a time. Raises `DataError` DATA011 for a damaged line."""
        row = 0
        for block in self._blocks():
            columns = self._by_arrow(block, indices, row)
            if len(columns[0]):
                yield RawBatch(row, columns)
            row += len(columns[0])

    def cells(self, indices: Sequence[int]) -> Iterator[CellBatch]:
        """As `batches`; what compiled code can read is not cut into texts."""
        if self._facts.bytes < _compiled_from() or not self.delimiter.isascii():
            for batch in self.batches(indices):
                yield CellBatch(batch.first_row, list(batch.columns))
            return
        row = 0
        cut = ((block, self._by_code(block, indices)) for block in self._blocks())
        for block, cells in read_ahead(cut):
            columns = list(self._by_arrow(block, indices, row)) if cells is None else cells
            if len(columns[0]):
                yield CellBatch(row, columns)
            row += len(columns[0])

    def _blocks(self) -> Iterator[npt.NDArray[np.uint8]]:
        """Whole lines behind the header, some MiB at a time; the last line gets its line feed."""
        with self._file.stream() as stream:
            for _ in range(self._lines_before):
                stream.readline()
            begin = b"" if self._lines_before else stream.read(len(_BOM)).removeprefix(_BOM)
            tail = np.frombuffer(begin, np.uint8)
            while True:
                block = np.empty(len(tail) + BLOCK_BYTES + 1, np.uint8)
                block[: len(tail)] = tail
                count = _read_into(stream, memoryview(block.data)[len(tail) : -1])
                filled = len(tail) + count
                if not count:
                    if filled:
                        block[filled] = _FEED
                        yield block[: filled + 1]
                    return
                end = _last_feed(block, filled) + 1
                tail = block[end:filled]
                if end:
                    yield block[:end]

    def _by_code(self, block: npt.NDArray[np.uint8], indices: Sequence[int]) -> list[pa.Array | Cells] | None:
        """The columns as cells; None where a block has quotes or a line of another number of fields."""
        from libra_ray.data.formats.cell_scan import WHOLE, find_cells

        slots = np.full(len(self.header), -1, np.int64)
        wanted = sorted(set(indices))
        slots[wanted] = np.arange(len(wanted))
        room = int(np.count_nonzero(block == _FEED))
        starts = np.empty((len(wanted), room + 1), np.int32)
        ends = np.empty((len(wanted), room + 1), np.int32)
        doubtful = np.zeros(len(wanted), bool)
        count, why = find_cells(block, ord(self.delimiter), slots, starts, ends, doubtful)
        if why != WHOLE:
            return None
        rows = [int(slots[index]) for index in indices]
        return [Cells(block, starts[row, :count], ends[row, :count], doubtful=bool(doubtful[row])) for row in rows]

    def _by_arrow(self, block: npt.NDArray[np.uint8], indices: Sequence[int], first_row: int) -> list[pa.Array]:
        """The columns as texts. Raises `DataError` DATA011 for a line of another number of fields."""
        names = [str(index) for index in range(len(self.header))]
        bad: list[pa_csv.InvalidRow] = []

        def note(row: pa_csv.InvalidRow) -> str:
            bad.append(row)
            return "error"

        try:
            table = pa_csv.read_csv(
                pa.BufferReader(pa.py_buffer(block)),
                pa_csv.ReadOptions(block_size=len(block) + 1, column_names=names, use_threads=False),
                pa_csv.ParseOptions(delimiter=self.delimiter, invalid_row_handler=note),
                pa_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    include_columns=[names[index] for index in indices],
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowException as error:
            raise self._damaged(bad, error, first_row) from error
        if (block == _QUOTE).any():
            self._refuse_long_fields(block, table.num_rows, first_row)
        return [_one_chunk(column) for column in table.columns]

    def _refuse_long_fields(self, block: npt.NDArray[np.uint8], rows: int, first_row: int) -> None:
        """A quote that nobody closed makes one field of many lines, and their rows would be gone.

        Raises `DataError` DATA011 for a field that goes on in the next line.
        """
        if int(np.count_nonzero(block == _FEED)) == rows:
            return
        lines = [line for line in block.tobytes().split(b"\n") if line.strip(b"\r")]
        if len(lines) == rows:  # but for blank ones
            return
        odd = next((number for number, line in enumerate(lines) if line.count(b'"') % 2), 0)
        text = lines[odd].decode(errors="replace").rstrip("\r")
        what = f"a quoted field goes on in the next line: {quoted(text)}"
        raise DataError(
            "DATA011", self.place(first_row + odd), what, "Close the quotes, or write it in one line.", text
        )

    def _line(self, row: int) -> int:
        number = row + self._skipped + self._has_header
        if not self._facts.blank:
            return number + 1
        with self._file.stream() as stream:
            return line_of_row(stream, number)

    def _damaged(self, bad: Sequence["pa_csv.InvalidRow"], error: Exception, first_row: int) -> DataError:
        if not bad:
            what = f"cannot be read as columns ({str(error).splitlines()[0]})"
            return DataError("DATA011", self._file.name, what, "Correct the file.")
        row = bad[0]
        place = self.place(first_row + int(row.number) - 1) if row.number is not None else self._file.name
        what = f"{_counted(row.actual_columns)} where the file has {row.expected_columns}: {quoted(row.text)}"
        return DataError("DATA011", place, what, "The line is damaged; correct it.", row.text)


def _compiled_from() -> int:
    """From how many bytes on compiled code is used: few, once it is there."""
    return min(COMPILED_BYTES_MIN, LOADED_BYTES_MIN) if COMPILED in sys.modules else COMPILED_BYTES_MIN


def _read_into(stream: BinaryIO, view: memoryview) -> int:
    """As many bytes as fit or there are."""
    filled = 0
    while filled < len(view):
        count = stream.readinto(view[filled:])  # type: ignore[attr-defined]  # typeshed leaves it out of BinaryIO
        if not count:
            break
        filled += count
    return filled


def _last_feed(block: npt.NDArray[np.uint8], filled: int) -> int:
    """Where the last line feed lies; -1 where there is none."""
    size = 1 << 12
    while True:
        start = max(filled - size, 0)
        feeds = np.flatnonzero(block[start:filled] == _FEED)
        if len(feeds) or not start:
            return start + int(feeds[-1]) if len(feeds) else -1
        size *= 8


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks or [pa.array([], pa.string())])


def _first_line(stream: BinaryIO, *, behind: int) -> tuple[str, int]:
    """The first line that is not blank, and its number from 1, behind so many others."""
    number = behind
    for line in stream:
        number += 1
        text = line.removeprefix(_BOM).strip(b"\r\n")
        if text:
            return text.decode(), number
    return "", number


def _fields(line: str, delimiter: str, place: str) -> list[str]:
    try:
        return [field.strip() for field in next(csv.reader([line], delimiter=delimiter))]
    except csv.Error as error:
        raise DataError("DATA011", place, f"the header cannot be read ({error})", "Correct the line.") from error


def _counted(fields: int) -> str:
    return "1 field" if fields == 1 else f"{fields} fields"
