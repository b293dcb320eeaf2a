"""The first pass over a text file: how many lines, whether they are UTF-8, before any value is read."""

import codecs
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np

from libra_ray.errors import DataError

__all__ = ["TextFacts", "line_of_row", "scan_text"]

BLOCK_BYTES: Final = 1 << 20
LINE_BYTES_MAX: Final = 4 << 20
BOM: Final = codecs.BOM_UTF8


@dataclass(frozen=True)
class TextFacts:
    """Lines of a text file; `blank` of them hold nothing and are no rows."""

    lines: int
    blank: int


def scan_text(stream: BinaryIO, name: str) -> TextFacts:
    """Count lines in blocks of 1 MiB.

    Raises `DataError` DATA015 for other encodings and inner byte order marks, DATA011 for bare carriage returns and for
    lines of more than 4 MiB.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    done = lines = blank = line_bytes = 0
    tail, open_return = b"", False
    while block := stream.read(BLOCK_BYTES):
        if not block.isascii() or tail or decoder.getstate()[0]:
            _check_encoding(decoder, block, name, lines + 1)
            _check_marks(tail, block, name, lines + 1, at_start=done == 0)
            tail = block[-2:] if not block.isascii() else b""
        ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
        starts = np.concatenate(([-line_bytes], ends + 1))
        lengths = ends - starts[:-1]
        line_bytes = len(block) - int(starts[-1])
        if line_bytes > LINE_BYTES_MAX or (len(lengths) and int(lengths.max()) > LINE_BYTES_MAX):
            long = lines + (int(lengths.argmax()) if line_bytes <= LINE_BYTES_MAX else len(ends)) + 1
            what = f"line of more than {LINE_BYTES_MAX:,} bytes"
            raise DataError("DATA011", f"{name}:{long}", what, "The file is damaged or no table of rows.")
        blank += int(np.count_nonzero(lengths == 0))
        blank += sum(block[end - 1 : end] == b"\r" for end in ends[lengths == 1].tolist() if end)
        lines += len(ends)
        done += len(block)
        open_return = _check_returns(block, name, after_return=open_return)
    _check_returns(b" ", name, after_return=open_return)
    _check_encoding(decoder, b"", name, lines + 1, final=True)
    return TextFacts(lines + (line_bytes > 0), blank)


def _check_returns(block: bytes, name: str, *, after_return: bool) -> bool:
    """A carriage return stands before a line feed only. Whether the block ends with one that waits for its feed."""
    data = b"\r" + block if after_return else block
    waits = data.endswith(b"\r")
    if data.count(b"\r") - waits > data.count(b"\r\n"):
        fix = "Save the file with line feeds."
        raise DataError("DATA011", name, "lines end with bare carriage returns", fix)
    return waits


def line_of_row(stream: BinaryIO, row: int) -> int:
    """The number (from 1) of the line that holds non-blank line number `row` (from 0)."""
    number = 0
    for line in stream:
        number += 1
        if line.strip(b"\r\n"):
            if row == 0:
                return number
            row -= 1
    return number


def _check_encoding(
    decoder: codecs.IncrementalDecoder, block: bytes, name: str, line: int, *, final: bool = False
) -> None:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError as error:
        place = f"{name}:{line + error.object[: error.start].count(10)}"
        value = f"0x{error.object[error.start]:02X}"
        raise DataError("DATA015", place, f"byte {value} is not UTF-8", "Save the file as UTF-8.", value) from error


def _check_marks(tail: bytes, block: bytes, name: str, line: int, *, at_start: bool) -> None:
    """A byte order mark begins a file; anywhere else two files were joined."""
    joined = tail + block
    found = joined.find(BOM, 1 if at_start else 0)
    if found >= 0:
        place = f"{name}:{line + joined[:found].count(10) - tail.count(10)}"
        raise DataError("DATA015", place, "byte order mark inside the file", "Remove it.", "\\ufeff")
