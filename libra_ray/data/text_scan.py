"""The first pass over a text file: how many lines, whether they are UTF-8, before any value is read."""

import codecs
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np

from libra_ray.errors import DataError

__all__ = ["TextFacts", "line_of_row", "scan_text"]

BLOCK_BYTES: Final = 1 << 17  # in the cache of a core, and below the size for which memory is asked from the system
LINE_BYTES_MAX: Final = 4 << 20
BOM: Final = codecs.BOM_UTF8
_FEED, _RETURN = 10, 13
TAR_MAGIC_AT: Final = 257
_OTHERS: Final = {
    b"\x28\xb5\x2f\xfd": ("packed by zstd", "Unpack the file."),
    b"\xfd7zXZ": ("packed by xz", "Unpack the file."),
    b"BZh": ("packed by bzip2", "Unpack the file."),
    b"\x04\x22\x4d\x18": ("packed by lz4", "Unpack the file."),
    b"7z\xbc\xaf": ("a 7z archive", "Unpack the file."),
    b"PK\x03\x04": ("a zip archive once more", "Unpack the file."),
    b"\x1f\x8b": ("packed by gzip once more", "Unpack the file."),
    b"\xd0\xcf\x11\xe0": ("a workbook of Excel", "Save it as CSV, UTF-8."),
}
"""How files begin that are no text, what they are, and what helps."""


@dataclass(frozen=True)
class TextFacts:
    """Lines and bytes of a text file; `blank` lines hold nothing and are no rows."""

    lines: int
    blank: int
    bytes: int


def scan_text(stream: BinaryIO, name: str) -> TextFacts:
    """Count lines, in blocks.

    Raises `DataError` DATA015 for other encodings and inner byte order marks, DATA011 for bare carriage returns, for
    lines of more than 4 MiB, and for packings that are not read.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    done = lines = blank = line_bytes = 0
    tail, before = b"", b"\n"
    while block := stream.read(BLOCK_BYTES):
        if not done:
            _refuse_others(block, name)
        if not block.isascii() or tail or decoder.getstate()[0]:
            _check_encoding(decoder, block, name, lines + 1)
            _check_marks(tail, block, name, lines + 1, at_start=done == 0)
            tail = block[-2:] if not block.isascii() else b""
        line_bytes = _longest_checked(block, line_bytes, name, lines + 1)
        found = _count_lines(before, block, name)
        lines, blank, done = lines + found.lines, blank + found.blank, done + len(block)
        before = (before + block)[-2:]
    if before.endswith(b"\r"):
        raise _bare_returns(name)
    _check_encoding(decoder, b"", name, lines + 1, final=True)
    return TextFacts(lines + (line_bytes > 0), blank, done)


def _refuse_others(block: bytes, name: str) -> None:
    for magic, (what, fix) in _OTHERS.items():
        if block.startswith(magic):
            raise DataError("DATA011", name, f"is {what}, not text", fix)
    if block[TAR_MAGIC_AT:].startswith(b"ustar"):
        raise DataError("DATA011", name, "is a tar archive, not text", "Unpack the file.")


def _longest_checked(block: bytes, line_bytes: int, name: str, line: int) -> int:
    """The bytes of the line that the block leaves open. A block is shorter than the longest line allowed."""
    first = block.find(b"\n")
    open_bytes = len(block) - 1 - block.rfind(b"\n") if first >= 0 else line_bytes + len(block)
    if line_bytes + max(first, 0) > LINE_BYTES_MAX or open_bytes > LINE_BYTES_MAX:
        what = f"line of more than {LINE_BYTES_MAX:,} bytes"
        raise DataError("DATA011", f"{name}:{line}", what, "The file is damaged or no table of rows.")
    return open_bytes


def _count_lines(before: bytes, block: bytes, name: str) -> TextFacts:
    """Ends of lines in the block, and how many of them end nothing; `before` are the bytes before it, a feed first."""
    data = np.frombuffer(before + block, np.uint8)
    own = len(before)
    feeds = data == _FEED
    blank = np.count_nonzero(feeds[own:] & feeds[own - 1 : -1])
    if before.endswith(b"\r") or b"\r" in block:
        returns = data == _RETURN
        followed = np.count_nonzero(returns[:-1] & feeds[1:])
        if np.count_nonzero(returns[:-1]) > followed:
            raise _bare_returns(name)
        if len(data) > 2:  # noqa: PLR2004  # a feed, a return and a feed
            blank += np.count_nonzero(feeds[2:] & returns[1:-1] & feeds[:-2])
    return TextFacts(int(np.count_nonzero(feeds[own:])), int(blank), len(block))


def _bare_returns(name: str) -> DataError:
    """A carriage return stands before a line feed only."""
    return DataError("DATA011", name, "lines end with bare carriage returns", "Save the file with line feeds.")


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
