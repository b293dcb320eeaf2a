"""A file as it was given: refused if it is no regular file, unpacked under a limit, read as often as needed."""

import gzip
import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, Final

from libra_ray.errors import DataError

__all__ = ["RawFile"]

MEMBERS_MAX: Final = 1_000
WORKBOOK_PART: Final = "[Content_Types].xml"
PARQUET_SUFFIXES: Final = (".parquet", ".pq")
PARQUET_MAGIC: Final = b"PAR1"
DAMAGE: Final = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)
_KINDS: Final = {
    stat.S_ISLNK: "a symbolic link",
    stat.S_ISFIFO: "a FIFO",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
    stat.S_ISSOCK: "a socket",
    stat.S_ISDIR: "a folder",
}


@dataclass(frozen=True)
class RawFile:
    """A regular file that can be read. `name` is what messages call it.

    Attributes:
        size: bytes on disk.
        packing: `gz`, `zip` or empty.
        member: the file in an archive that is read; empty = its only one.

    """

    path: Path
    name: str
    size: int
    packing: str
    is_parquet: bool
    max_decompressed_bytes: int
    member: str = ""

    @classmethod
    def check(cls, path: str | os.PathLike[str], *, max_decompressed_bytes: int) -> "RawFile":
        """Look at the file without waiting on it. Raises `DataError` DATA017 for what is no file, DATA011 if absent."""
        given = Path(path)
        name = given.name
        try:
            mode = os.lstat(given)
        except (OSError, ValueError) as error:
            what = f"cannot be read ({getattr(error, 'strerror', None) or error})"
            raise DataError("DATA011", name, what, "Check the path.", str(path)) from error
        for is_kind, word in _KINDS.items():
            if is_kind(mode.st_mode):
                raise DataError("DATA017", name, f"is {word}, not a regular file", "Give the file itself.", str(path))
        try:
            with given.open("rb") as file:
                magic = file.read(4)
        except OSError as error:
            raise DataError("DATA011", name, f"cannot be read ({error.strerror})", "Check its permissions.") from error
        suffix = given.suffix.lower()
        is_parquet = suffix in PARQUET_SUFFIXES or magic == PARQUET_MAGIC
        packing = "gz" if magic[:2] == b"\x1f\x8b" else "zip" if magic == b"PK\x03\x04" or suffix == ".zip" else ""
        return cls(given, name, mode.st_size, "" if is_parquet else packing, is_parquet, max_decompressed_bytes)

    @property
    def inner_name(self) -> str:
        """The name of what is packed: of an archive's only member, or of the one chosen, else the file's own without
        `.gz`. Empty for an archive that cannot be read or holds several files.
        """  # noqa: D205  # what it is needs the line
        if self.packing != "zip":
            return self.name.removesuffix(".gz")
        try:
            with open(self.path, "rb", opener=_open_file) as file, zipfile.ZipFile(file) as archive:
                return self._chosen_member(archive).filename
        except (DataError, *DAMAGE, ValueError, struct.error):
            return ""

    def members(self) -> "tuple[RawFile, ...]":
        """The files of an archive of several, in its order; else the file alone.

        Raises `DataError` DATA011 for a damaged archive, or more files than it may hold; DATA020 where all of them
        together expand beyond the limit.
        """
        if self.packing != "zip" or self.member:
            return (self,)
        try:
            with open(self.path, "rb", opener=_open_file) as file, zipfile.ZipFile(file) as archive:
                found = _files_of(archive)
        except (*DAMAGE, ValueError, struct.error) as error:
            raise self._damaged(error) from error
        names = [each.filename for each in found]
        if len(names) <= 1:
            return (self,)
        if len(names) > MEMBERS_MAX or len(set(names)) < len(names) or not all(map(str.isprintable, names)):
            raise self._several(found)
        if sum(each.file_size for each in found) > self.max_decompressed_bytes:
            raise self._too_large()
        return tuple(replace(self, name=f"{self.name}/{PurePosixPath(each).name}", member=each) for each in names)

    @contextmanager
    def stream(self) -> Iterator[BinaryIO]:
        """The unpacked bytes from their beginning.

        Raises `DataError` DATA011 when the packing is damaged, DATA020 as soon as more than the limit comes out.
        """
        with ExitStack() as opened:
            try:
                file = opened.enter_context(open(self.path, "rb", opener=_open_file))
                unpacked = self._unpacked(file, opened)
            except DataError:
                raise
            except (*DAMAGE, ValueError, struct.error) as error:
                raise self._damaged(error) from error
            try:
                yield unpacked
            except DAMAGE as error:
                raise self._damaged(error) from error

    def _unpacked(self, file: BinaryIO, opened: ExitStack) -> BinaryIO:
        if self.packing == "gz":
            return self._limited(opened.enter_context(gzip.GzipFile(fileobj=file)))
        if self.packing == "zip":
            archive = opened.enter_context(zipfile.ZipFile(file))
            return self._limited(opened.enter_context(archive.open(self._chosen_member(archive))))
        return file

    def _damaged(self, error: Exception) -> DataError:
        text = str(error).splitlines()[0] if str(error) else "it ends early"
        what = f"{self.packing or 'file'} unreadable ({text})"
        return DataError("DATA011", self.name, what, "The file is damaged; copy it again.")

    def _chosen_member(self, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
        found = _files_of(archive)
        if self.member:
            found = [each for each in found if each.filename == self.member]
        if len(found) != 1:
            raise self._several(found)
        if found[0].file_size > self.max_decompressed_bytes:
            raise self._too_large()
        return found[0]

    def _several(self, found: list[zipfile.ZipInfo]) -> DataError:
        if any(each.filename == WORKBOOK_PART for each in found):
            return DataError("DATA011", self.name, "is a workbook of Excel, not text", "Save it as CSV, UTF-8.")
        what = f"the archive holds {len(found):,} files"
        return DataError("DATA011", self.name, what, "Unpack it and give each file by itself.")

    def _limited(self, unpacked: IO[bytes] | gzip.GzipFile) -> BinaryIO:
        return io.BufferedReader(_Limited(unpacked, self), 1 << 20)

    def _too_large(self) -> DataError:
        what = f"expands beyond the limit of {self.max_decompressed_bytes:,} bytes"
        return DataError("DATA020", self.name, what, "Raise data.max_decompressed_bytes if the file is right.")


class _Limited(io.RawIOBase):
    """A stream that refuses to give more than its file may expand to."""

    def __init__(self, unpacked: IO[bytes] | gzip.GzipFile, file: RawFile) -> None:
        self._unpacked, self._file, self._left = unpacked, file, file.max_decompressed_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401  # `Buffer` has a type from Python 3.12 on
        view = memoryview(buffer)
        data = self._unpacked.read(min(len(view), self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise self._file._too_large()  # noqa: SLF001  # one class in two halves
        view[: len(data)] = data
        return len(data)


def _files_of(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [member for member in archive.infolist() if member.filename and not member.is_dir()]


def _open_file(path: str, flags: int) -> int:
    """A link or pipe put there since the check is not followed and not waited on."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
