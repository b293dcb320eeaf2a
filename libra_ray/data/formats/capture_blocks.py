"""A capture in blocks of whole lines, each scanned into rows of integers. The first bad line is named and ends it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np

from libra_ray.data.formats import capture_scan as scan
from libra_ray.data.formats.json_scan import BAD, Bytes, Ints
from libra_ray.data.raw_files import RawFile
from libra_ray.data.read_ahead import read_ahead
from libra_ray.errors import DataError, quoted

__all__ = ["Block", "capture_blocks"]

BLOCK_BYTES: Final = 2 << 20
LINE_BYTES_MAX: Final = 64 << 20
_LINE_FEED, _LIST_END = ord("\n"), ord("]")
_FAULTS: Final = {
    scan.NO_MESSAGE: ("DATA011", "is no whole JSON message", "The line is damaged; correct or remove it."),
    scan.NO_FIELD: ("DATA011", "lacks a field of its kind of message", "The line is damaged; correct or remove it."),
    scan.NO_NUMBER: ("DATA009", "has a price or size that is not a finite decimal", "Correct the value."),
    scan.NO_LEVELS: ("DATA011", "has levels that are no pairs of decimals", "The line is damaged; correct it."),
}


@dataclass(frozen=True, eq=False)
class Block:
    """The messages of consecutive lines.

    Attributes:
        data: the text itself, for symbols.
        messages, levels: as `capture_scan` has them, no row more than there are.
        first_line: the number of the block's line 0 in the file, from 1.

    """

    data: Bytes
    messages: Ints
    levels: Ints
    first_line: int


def capture_blocks(file: RawFile) -> Iterator[Block]:
    """Scan the whole file, 2 MiB of text at a time; the next text is unpacked beside the scan.

    Raises `DataError` DATA008 for no line, DATA009 and DATA011 for a line that is no message, DATA020.
    """
    first_line = 1
    with file.stream() as stream, closing(read_ahead(_texts(stream, file.name))) as texts:
        for text in texts:
            data = np.frombuffer(text, np.uint8)
            ends = np.flatnonzero(data == _LINE_FEED)
            if not len(ends) or ends[-1] < len(data) - 1:
                ends = np.append(ends, len(data))
            messages = np.zeros((len(ends), scan.COLUMNS), np.int64)
            levels = np.zeros((int(np.count_nonzero(data == _LIST_END)), scan.LEVEL_COLUMNS), np.int64)
            count, made, bad, why = scan.scan_lines(data, ends, messages, levels)
            if bad != BAD:
                start = int(ends[bad - 1]) + 1 if bad else 0
                raise _line_error(file.name, first_line + bad, text[start : int(ends[bad])], why)
            yield Block(data, messages[:count], levels[:made], first_line)
            first_line += len(ends)
    if first_line == 1:
        raise DataError("DATA008", file.name, "0 data rows", "Check the file or the date range.")


def _texts(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """Pieces of about 2 MiB that end with a line."""
    rest: list[bytes] = []
    waiting = 0
    while piece := stream.read(BLOCK_BYTES):
        cut = piece.rfind(b"\n") + 1
        if cut:
            yield b"".join((*rest, piece[:cut]))
            rest, waiting = [], 0
        rest.append(piece[cut:])
        waiting += len(piece) - cut
        if waiting > LINE_BYTES_MAX:
            what = f"line of more than {LINE_BYTES_MAX:,} bytes"
            raise DataError("DATA011", name, what, "The file is damaged or no capture.")
    if waiting:
        yield b"".join(rest)


def _line_error(name: str, number: int, line: bytes, why: int) -> DataError:
    code, what, fix = _FAULTS[why]
    text = line.decode(errors="replace")
    return DataError(code, f"{name}:{number}", f"{quoted(text)} {what}", fix, text)
