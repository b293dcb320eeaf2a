"""A file as a table of raw columns: names, a place for each row, and batches of what was written there."""

import csv
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from libra_ray.data.raw_files import RawFile
from libra_ray.data.text_scan import TextFacts, line_of_row, scan_text
from libra_ray.errors import DataError, quoted

__all__ = ["ParquetTable", "RawBatch", "RawTable", "TextTable"]

COLUMNS_MAX: Final = 4_096
TEXT_BLOCK_BYTES: Final = 8 << 20
PARQUET_BATCH_ROWS: Final = 131_072
DELIMITERS: Final = ",;\t|"


class RawBatch(NamedTuple):
    """Consecutive rows from number `first_row` (from 0) on; columns as they were asked for."""

    first_row: int
    columns: list[pa.Array]


class RawTable(Protocol):
    """What an importer reads, whatever the format."""

    header: Sequence[str]
    header_place: str
    rows: int

    def place(self, row: int) -> str:
        """How messages name data row `row` (from 0)."""
        ...

    def row_word(self, row: int) -> str:
        """The row's number as its place counts it, to be named beside another place."""
        ...

    def batches(self, indices: Sequence[int]) -> Iterator[RawBatch]:
        """The columns of these numbers, some rows at a time."""
        ...


class TextTable:
    """A CSV file, packed or not. All values are texts. Raises `DataError` DATA008, DATA011, DATA015, DATA017."""

    def __init__(self, file: RawFile, *, column_names: Sequence[str], delimiter: str | None) -> None:
        self._file, self._has_header = file, not column_names
        with file.stream() as stream:
            self._facts: TextFacts = scan_text(stream, file.name)
        with file.stream() as stream:
            first, self._header_lines = _first_line(stream)
        self._delimiter = delimiter or max(DELIMITERS, key=first.count)
        self.header_place = f"{file.name}:{max(self._header_lines, 1)}"
        header = list(column_names) if column_names else _fields(first, self._delimiter, self.header_place)
        if not first:
            raise DataError("DATA008", file.name, "0 data rows", "Check the file or the date range.")
        _refuse_too_many(header, file.name)
        self.header: Sequence[str] = header
        self.rows = self._facts.lines - self._facts.blank - self._has_header

    def place(self, row: int) -> str:
        return f"{self._file.name}:{self._line(row)}"

    def row_word(self, row: int) -> str:
        return f"row {self._line(row)}"

    def batches(self, indices: Sequence[int]) -> Iterator[RawBatch]:
        names = [str(index) for index in range(len(self.header))]
        bad: list[pa_csv.InvalidRow] = []

        def note(row: pa_csv.InvalidRow) -> str:
            bad.append(row)
            return "error"

        with self._file.stream() as stream:
            if self._has_header:
                for _ in range(self._header_lines):
                    stream.readline()
            try:
                reader = pa_csv.open_csv(
                    stream,
                    pa_csv.ReadOptions(block_size=TEXT_BLOCK_BYTES, column_names=names, use_threads=False),
                    pa_csv.ParseOptions(delimiter=self._delimiter, invalid_row_handler=note),
                    pa_csv.ConvertOptions(
                        column_types=dict.fromkeys(names, pa.string()),
                        include_columns=[names[index] for index in indices],
                        strings_can_be_null=False,
                    ),
                )
                row = 0
                for batch in reader:
                    yield RawBatch(row, batch.columns)
                    row += batch.num_rows
            except pa.ArrowException as error:
                raise self._damaged(bad, error) from error

    def _line(self, row: int) -> int:
        number = row + self._has_header
        if not self._facts.blank:
            return number + 1
        with self._file.stream() as stream:
            return line_of_row(stream, number)

    def _damaged(self, bad: Sequence["pa_csv.InvalidRow"], error: Exception) -> DataError:
        if not bad:
            what = f"cannot be read as columns ({str(error).splitlines()[0]})"
            return DataError("DATA011", self._file.name, what, "Correct the file.")
        row = bad[0]
        place = self.place(int(row.number) - 1) if row.number is not None else self._file.name
        what = f"{_counted(row.actual_columns)} where the file has {row.expected_columns}: {quoted(row.text)}"
        return DataError("DATA011", place, what, "The line is damaged; correct it.", row.text)


class ParquetTable:
    """A Parquet file. Raises `DataError` DATA011 for a damaged one, DATA017, DATA020."""

    def __init__(self, file: RawFile) -> None:
        self._file = file
        try:
            self._parquet = pq.ParquetFile(str(file.path), memory_map=False)
            metadata = self._parquet.metadata
            self.rows = int(metadata.num_rows)
            count = int(metadata.num_columns)
            sizes = [int(metadata.row_group(index).total_byte_size) for index in range(metadata.num_row_groups)]
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _footer_error(file, error) from error
        if count > COLUMNS_MAX:
            _refuse_too_many([""] * count, file.name)
        if max(sizes, default=0) > file.max_decompressed_bytes:
            what = f"a row group expands beyond the limit of {file.max_decompressed_bytes:,} bytes"
            raise DataError("DATA020", file.name, what, "Raise data.max_decompressed_bytes if the file is right.")
        try:
            self.header: Sequence[str] = list(self._parquet.schema_arrow.names)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _footer_error(file, error) from error
        self.header_place = file.name

    def place(self, row: int) -> str:
        return f"{self._file.name} row {row:,}"

    def row_word(self, row: int) -> str:
        return f"row {row:,}"

    def batches(self, indices: Sequence[int]) -> Iterator[RawBatch]:
        names = [self.header[index] for index in indices]
        row = 0
        try:
            # A thread reads ahead and keeps several row groups in memory; one is enough here.
            for batch in self._parquet.iter_batches(PARQUET_BATCH_ROWS, columns=names, use_threads=False):
                by_name = dict(zip(batch.schema.names, batch.columns, strict=True))
                yield RawBatch(row, [_flat(by_name[name]) for name in names])
                row += batch.num_rows
        except (pa.ArrowException, OSError, ValueError, KeyError) as error:
            what = f"unreadable ({str(error).splitlines()[0]})"
            raise DataError("DATA011", self.place(row), what, "The file is damaged; copy it again.") from error


def _flat(column: pa.Array) -> pa.Array:
    """Texts in all their forms as plain texts."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _flat(column.dictionary_decode())
    is_text = pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_null(kind)
    return column.cast(pa.string()) if is_text else column


def _first_line(stream: BinaryIO) -> tuple[str, int]:
    """The first line that is not blank, and its number from 1."""
    number = 0
    for line in stream:
        number += 1
        text = line.removeprefix(b"\xef\xbb\xbf").strip(b"\r\n")
        if text:
            return text.decode(), number
    return "", number


def _fields(line: str, delimiter: str, place: str) -> list[str]:
    try:
        return [field.strip() for field in next(csv.reader([line], delimiter=delimiter))]
    except csv.Error as error:
        raise DataError("DATA011", place, f"the header cannot be read ({error})", "Correct the line.") from error


def _refuse_too_many(header: Sequence[str], name: str) -> None:
    if len(header) > COLUMNS_MAX:
        what = f"{len(header):,} columns exceed the limit of {COLUMNS_MAX:,}"
        raise DataError("DATA017", name, what, "Keep the columns that are needed.")


def _counted(fields: int) -> str:
    return "1 field" if fields == 1 else f"{fields} fields"


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
