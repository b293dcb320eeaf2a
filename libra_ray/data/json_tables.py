"""JSON lines as a table: one object a line, its values as the texts that stand there."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import pyarrow as pa

from libra_ray.data.arrow_arrays import arrow_texts
from libra_ray.data.raw_files import RawFile
from libra_ray.data.raw_tables import RawBatch, refuse_too_many
from libra_ray.data.text_scan import line_of_row, scan_text
from libra_ray.errors import DataError, quoted

__all__ = ["JsonLinesTable"]

HEADER_LINES: Final = 100
"""So many first lines name the columns."""
BLOCK_ROWS: Final = 32_768
BROKEN: Final = (msgspec.MsgspecError, ValueError, TypeError, RecursionError)


class JsonLinesTable:
    """A file of JSON objects, one a line, packed or not. Raises `DataError` DATA008, DATA011, DATA015, DATA017.

    The columns are the keys of the first 100 lines, in the order of their appearance; a key that a line lacks, or that
    is `null` there, has no value. Numbers keep the decimals that they are written with.
    """

    def __init__(self, file: RawFile) -> None:
        self._file = file
        with file.stream() as stream:
            self._facts = scan_text(stream, file.name)
        self.rows = self._facts.lines - self._facts.blank
        if not self.rows:
            raise DataError("DATA008", file.name, "0 data rows", "Check the file or the date range.")
        names: dict[str, None] = {}
        decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
        for row, line in enumerate(self._lines()):
            if row == HEADER_LINES:
                break
            try:
                names.update(dict.fromkeys(decoder.decode(line)))
            except BROKEN as error:
                raise self._damaged(row, line, error) from error
        self.header_place = self.place(0)
        self.header: Sequence[str] = list(names)
        refuse_too_many(self.header, file.name)

    def place(self, row: int) -> str:
        """The file and the line."""
        return f"{self._file.name}:{self._line(row)}"

    def row_word(self, row: int) -> str:
        """The line alone."""
        return f"row {self._line(row)}"

    def batches(self, indices: Sequence[int]) -> Iterator[RawBatch]:
        """The columns as texts, a block at a time. Raises `DataError` DATA011 for a damaged line."""
        distinct = sorted(set(indices))  # one column may be several of ours
        places = [distinct.index(index) for index in indices]
        fields = [f"f{number}" for number in range(len(distinct))]
        wanted = dict(zip(fields, (self.header[index] for index in distinct), strict=True))
        line_type = msgspec.defstruct(
            "Line", [(name, msgspec.Raw, msgspec.Raw(b"null")) for name in fields], rename=wanted, gc=False
        )
        decoder = msgspec.json.Decoder(line_type)
        columns: list[list[bytes]] = [[] for _ in fields]
        row = first = 0
        for row, line in enumerate(self._lines()):
            try:
                value = decoder.decode(line)
            except BROKEN as error:
                raise self._damaged(row, line, error) from error
            for name, column in zip(fields, columns, strict=True):
                column.append(bytes(getattr(value, name)))
            if len(columns[0]) == BLOCK_ROWS:
                yield self._batch(first, columns, places)
                columns, first = [[] for _ in fields], row + 1
        if columns[0]:
            yield self._batch(first, columns, places)

    def _batch(self, first: int, columns: list[list[bytes]], places: Sequence[int]) -> RawBatch:
        texts = [self._texts(column, first) for column in columns]
        return RawBatch(first, [texts[place] for place in places])

    def _lines(self) -> Iterator[bytes]:
        with self._file.stream() as stream:
            for number, line in enumerate(stream):
                text = line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line
                if text.strip(b"\r\n"):
                    yield text

    def _texts(self, values: list[bytes], first: int) -> pa.Array:
        """Raw JSON values as texts: strings without their quotes, null as an empty one."""
        return arrow_texts([self._text(value, first + number) for number, value in enumerate(values)])

    def _text(self, value: bytes, row: int) -> bytes:
        if value[:1] != b'"':
            return b"" if value == b"null" else value
        if b"\\" not in value:
            return value[1:-1]
        try:
            text: str = msgspec.json.decode(value, type=str)
            return text.encode()
        except BROKEN as error:
            raise self._damaged(row, value, error) from error

    def _line(self, row: int) -> int:
        if not self._facts.blank:
            return row + 1
        with self._file.stream() as stream:
            return line_of_row(stream, row)

    def _damaged(self, row: int, line: bytes, error: Any) -> DataError:  # noqa: ANN401  # what a decoder raises
        text = line.decode(errors="replace").strip()
        if text.startswith("[") and row == 0:
            fix = "Write one JSON object a line."
            return DataError("DATA011", self.place(row), f"{quoted(text)} is no JSON object", fix, text)
        what = f"{quoted(text)} is no JSON object ({str(error).splitlines()[0]})"
        return DataError("DATA011", self.place(row), what, "The line is damaged; correct it.", text)
