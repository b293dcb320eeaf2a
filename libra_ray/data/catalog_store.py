"""Where a catalog lies: a folder on this machine, or a place behind a URL that Arrow or fsspec can open.

Here a file is written beside its name, synced and renamed; there a whole object appears at once or not at all, under a
name that no other has. The lock of a local folder is the system's, and ends with its holder; behind a URL an object
says who writes (`remote_lock`).
"""

import io
import os
import re
import secrets  # noqa: TID251  # names of objects that no other writer gives
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final, cast
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.fs as pa_fs
import pyarrow.parquet as pq

from libra_ray.data.catalog_manifest import DIGEST_BYTES, file_digest, sync_folder
from libra_ray.data.remote_lock import remote_lock
from libra_ray.data.writer_lock import writer_lock
from libra_ray.errors import ConfigError, DataError

__all__ = ["HashedFile", "LocalStore", "RemoteStore", "Store", "store_of", "writes_to"]

LOCK_NAME: Final = "catalog.lock"


class Store(ABC):
    """Files by their names below the catalog's root, with `/` between folders."""

    @property
    @abstractmethod
    def place(self) -> str:
        """The root, for people."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """All bytes of a file.

        Raises `FileNotFoundError`; behind a URL `DataError` DATA011 where there is not even the place.
        """

    @abstractmethod
    def replace(self, name: str, content: bytes) -> None:
        """A file's new content, at once; on return it lasts."""

    @abstractmethod
    def parquet(self, name: str) -> pq.ParquetFile:
        """A file, opened. Raises `FileNotFoundError` and what Arrow raises."""

    @abstractmethod
    def draft(self, folder: str) -> "tuple[str, BinaryIO]":
        """A new file in a folder that no manifest names, and its name."""

    @abstractmethod
    def publish(self, draft: str, name: str) -> str:
        """Give a closed draft its name, where files can be renamed; on return it lasts under the name returned."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""

    def discard(self, draft: str) -> None:
        """Remove a draft that is not wanted, with what was made for it."""
        self.remove(draft)

    @abstractmethod
    def names(self, folders: Iterable[str]) -> list[str]:
        """All files two levels below these folders of the root."""

    @abstractmethod
    def facts(self, name: str) -> tuple[int, str] | None:
        """A file's size and digest; None where there is none."""

    @abstractmethod
    def writing(self) -> Any:  # noqa: ANN401  # a context manager
        """Hold the lock while the block runs, and make the root. Raises `DataError` DATA023 where another has it."""


class HashedFile(io.RawIOBase):
    """A file that is written from beginning to end, with its size and digest so far."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._state = blake2b(digest_size=DIGEST_BYTES)
        self.size = 0

    @property
    def digest(self) -> str:
        """BLAKE2b-128 of what was written, in hex."""
        return self._state.hexdigest()

    def writable(self) -> bool:
        """It is for that."""
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401  # any buffer
        """Write all of the bytes."""
        count = memoryview(data).nbytes
        self._file.write(data)
        self._state.update(data)
        self.size += count
        return count

    def close(self) -> None:
        """Close the file too."""
        if not self.closed:
            super().close()
            self._file.close()


class LocalStore(Store):
    """A folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def place(self) -> str:
        return str(self.root)

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def replace(self, name: str, content: bytes) -> None:
        draft = self.root / f"{name}.tmp"
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.root / name)
        sync_folder(self.root)

    def parquet(self, name: str) -> pq.ParquetFile:
        return pq.ParquetFile(self.root / name, pre_buffer=False, page_checksum_verification=True)

    def draft(self, folder: str) -> tuple[str, BinaryIO]:
        (self.root / folder).mkdir(parents=True, exist_ok=True)
        name = f"{folder}/{os.getpid()}.tmp"
        return name, (self.root / name).open("wb")

    def publish(self, draft: str, name: str) -> str:
        path = self.root / draft
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        path.replace(self.root / name)
        folder = (self.root / name).parent
        for changed in (folder, folder.parent, self.root):
            sync_folder(changed)
        return name

    def remove(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)

    def discard(self, draft: str) -> None:
        self.remove(draft)
        for folder in (self.root / draft).parents:
            if folder == self.root or any(folder.iterdir()):
                break
            folder.rmdir()

    def names(self, folders: Iterable[str]) -> list[str]:
        return [
            path.relative_to(self.root).as_posix() for folder in folders for path in (self.root / folder).glob("*/*")
        ]

    def facts(self, name: str) -> tuple[int, str] | None:
        path = self.root / name
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return path.stat().st_size, file_digest(file)

    @contextmanager
    def writing(self) -> Iterator[None]:
        made = [folder for folder in (self.root, *self.root.absolute().parents) if not folder.exists()]
        with writer_lock(self.root / LOCK_NAME):
            try:
                yield
            except BaseException:
                self._take_back(made)
                raise

    def _take_back(self, made: list[Path]) -> None:
        """Folders that a failed first write made, as far as they are empty but for the lock, which is still held."""
        for folder in made:
            if folder.is_dir():
                left = [path for path in folder.iterdir() if path.name != LOCK_NAME]
                if not left:
                    (folder / LOCK_NAME).unlink(missing_ok=True)
                    folder.rmdir()


class RemoteStore(Store):
    """Behind a URL."""

    def __init__(self, url: str, filesystem: pa_fs.FileSystem, base: str) -> None:
        self._url, self._files, self._base = url, filesystem, base.rstrip("/")

    @property
    def place(self) -> str:
        return _shown(self._url)

    def read(self, name: str) -> bytes:
        try:
            with self._files.open_input_stream(self._path(name)) as file:
                return bytes(file.read())
        except FileNotFoundError as error:
            if self._files.get_file_info(self._base).type is pa_fs.FileType.NotFound:
                fix = "Check the URL, or import into it: the first import makes it."
                raise DataError("DATA011", self.place, "nothing is there", fix, self.place) from error
            raise

    def replace(self, name: str, content: bytes) -> None:
        with self._files.open_output_stream(self._path(name)) as file:
            file.write(content)

    def parquet(self, name: str) -> pq.ParquetFile:
        return pq.ParquetFile(
            self._files.open_input_file(self._path(name)), pre_buffer=True, page_checksum_verification=True
        )

    def draft(self, folder: str) -> tuple[str, BinaryIO]:
        self._files.create_dir(self._path(folder), recursive=True)
        name = f"{folder}/{secrets.token_hex(8)}.parquet"
        return name, cast("BinaryIO", self._files.open_output_stream(self._path(name)))

    def publish(self, draft: str, name: str) -> str:
        del name  # an object store copies to rename, and some cannot; the manifest names the object as it is
        return draft

    def remove(self, name: str) -> None:
        if self._files.get_file_info(self._path(name)).type is not pa_fs.FileType.NotFound:
            self._files.delete_file(self._path(name))

    def names(self, folders: Iterable[str]) -> list[str]:
        found: list[str] = []
        for folder in folders:
            selector = pa_fs.FileSelector(self._path(folder), recursive=True, allow_not_found=True)
            found += [
                PurePosixPath(info.path).relative_to(PurePosixPath(self._base)).as_posix()
                for info in self._files.get_file_info(selector)
                if info.is_file
            ]
        return found

    def facts(self, name: str) -> tuple[int, str] | None:
        info = self._files.get_file_info(self._path(name))
        if not info.is_file:
            return None
        with self._files.open_input_stream(self._path(name)) as file:
            return int(info.size), file_digest(file)

    @contextmanager
    def writing(self) -> Iterator[None]:
        with remote_lock(self._files, self._path(LOCK_NAME), self.place):
            yield

    def _path(self, name: str) -> str:
        return f"{self._base}/{name}"


@contextmanager
def writes_to(store: Store) -> Iterator[None]:
    """Its own failures, such as a full disk, as `DataError` DATA011. Around calls of the store and nothing else."""
    try:
        yield
    except OSError as error:
        what = f"cannot be written ({error.strerror or str(error).splitlines()[0]})"
        fix = "Check the room and your rights there; nothing was added."
        raise DataError("DATA011", store.place, what, fix) from error


def store_of(location: str | os.PathLike[str]) -> Store:
    """The store of a path, or of a URL such as `s3://bucket/catalog`, `gs://...`, `abfs://...`, `memory://catalog`.

    Arrow opens s3, gs and abfs by itself; any other scheme, and these with another client, by the package fsspec (extra
    `remote`). Raises `ConfigError` CONF008 for a URL that nothing here can open.
    """
    text = os.fspath(location)
    scheme = urlsplit(text).scheme
    if len(scheme) < 2 or "://" not in text:  # noqa: PLR2004  # one letter is a drive
        return LocalStore(Path(text))
    if scheme == "file":
        return LocalStore(Path(urlsplit(text).path))
    try:
        filesystem, base = pa_fs.FileSystem.from_uri(text)
    except (pa.ArrowException, ValueError, OSError):
        return _by_fsspec(text, scheme)
    return RemoteStore(text, filesystem, base)


def _shown(url: str) -> str:
    """A URL without the keys that may stand in it."""
    return re.sub(r"\?.*$", "?***", re.sub(r"//[^?]*@", "//***@", url))


def _by_fsspec(url: str, scheme: str) -> RemoteStore:
    try:
        import fsspec

        found, base = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        fix = "Install what opens it: pip install libra-ray[remote], and the client of that scheme."
        what = f"nothing here opens {scheme}:// ({type(error).__name__})"
        raise ConfigError("CONF008", _shown(url), what, fix, _shown(url)) from error
    return RemoteStore(url, pa_fs.PyFileSystem(_FreshHandler(found)), base)


class _FreshHandler(pa_fs.FSSpecHandler):  # type: ignore[misc]  # pyarrow has no types
    """Lists as they are: clients of fsspec keep those that they have seen, and another writer changes them."""

    def get_file_info(self, paths: list[str]) -> list[pa_fs.FileInfo]:
        self.fs.invalidate_cache()
        found: list[pa_fs.FileInfo] = super().get_file_info(paths)
        return found

    def get_file_info_selector(self, selector: pa_fs.FileSelector) -> list[pa_fs.FileInfo]:
        self.fs.invalidate_cache()
        found: list[pa_fs.FileInfo] = super().get_file_info_selector(selector)
        return found
