"""What a catalog holds: one JSON file that is replaced as a whole, after everything that it names is on the disk."""

import hashlib
import json
import os
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, fields, replace
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from libra_ray.data.instruments_json import instrument_from_json, instrument_to_json
from libra_ray.errors import DataError
from libra_ray.model.instruments import Instrument

if TYPE_CHECKING:
    from libra_ray.data.catalog_store import Store

__all__ = ["DIGEST_BYTES", "Entry", "Manifest", "file_digest", "sync_folder"]

MANIFEST_NAME: Final = "catalog.json"
FORMAT: Final = 1
DIGEST_BYTES: Final = 16
_LATER: Final = ("notes", "groups_ns")


@dataclass(frozen=True, order=True)
class Entry:
    """One Parquet file: rows of one instrument and type, a stretch of time that no other file of theirs touches.

    Attributes:
        file: path below the catalog's folder.
        start_ns, end_ns: first and last `ts_init_ns`, both inside.
        digest: BLAKE2b-128 of the file's bytes.
        source: the name of the file it was imported from, or empty.
        counts: what policies did on import: `dropped_null`, `rounded_values` and so on, only those above 0.
        notes: sentences of the import.
        groups_ns: the first `ts_init_ns` of each row group.

    """

    type: str
    instrument_id: str
    period: str
    start_ns: int
    end_ns: int
    rows: int
    bytes: int
    file: str
    digest: str
    source: str = ""
    counts: dict[str, int] = field(default_factory=dict, compare=False)
    notes: tuple[str, ...] = field(default=(), compare=False)
    groups_ns: tuple[int, ...] = field(default=(), compare=False)

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is of: type, instrument, period."""
        return self.type, self.instrument_id, self.period


@dataclass(frozen=True)
class Manifest:
    """The entries in order of type, instrument, period and time, and the instruments they are of."""

    entries: tuple[Entry, ...] = ()
    instruments: dict[str, Instrument] = field(default_factory=dict)

    def with_entry(self, entry: Entry, instrument: Instrument, *, without: Collection[Entry] = ()) -> "Manifest":
        """One file more, and others less."""
        entries = tuple(sorted((*(each for each in self.entries if each not in without), entry)))
        return replace(self, entries=entries, instruments={**self.instruments, instrument.id: instrument})

    @classmethod
    def read_from(cls, store: "Store") -> "Manifest":
        """The manifest of a catalog; an empty one where there is none.

        Raises `DataError` DATA011 when it is unreadable, DATA023 when it was changed by something else.
        """
        path = f"{store.place}/{MANIFEST_NAME}"
        try:
            text = store.read(MANIFEST_NAME)
        except FileNotFoundError:
            return cls()
        except OSError as error:
            what = f"manifest unreadable ({str(error).splitlines()[0]})"
            raise DataError("DATA011", path, what, "Check the place and your rights there.") from error
        try:
            stored = json.loads(text)
            content, digest = stored["content"], stored["digest"]
            entries = tuple(_entry(facts) for facts in content["entries"])
            definitions = {str(facts["id"]): facts for facts in content["instruments"]}
        except (ValueError, KeyError, TypeError) as error:
            what = f"manifest unreadable ({error})"
            raise DataError("DATA011", path, what, "Restore the file, or import the data again.") from error
        if digest != _content_digest(content):
            what = "the manifest's hash differs from its content"
            raise DataError("DATA023", path, what, "Restore the file, or import the data again.")
        for entry in entries:
            if ".." in PurePosixPath(entry.file).parts or PurePosixPath(entry.file).is_absolute():
                raise DataError("DATA012", path, f"file '{entry.file}' is outside of the catalog", "Restore the file.")
        instruments = {key: instrument_from_json(facts, place=path) for key, facts in definitions.items()}
        return cls(entries, instruments)

    def write_to(self, store: "Store") -> None:
        """Replace the catalog's manifest at once; on return it lasts."""
        content = {
            "format": FORMAT,
            "entries": [asdict(entry) for entry in self.entries],
            "instruments": [instrument_to_json(self.instruments[key]) for key in sorted(self.instruments)],
        }
        text = json.dumps({"digest": _content_digest(content), "content": content}, indent=1)
        store.replace(MANIFEST_NAME, text.encode())


def _entry(facts: dict[str, Any]) -> Entry:
    """An entry as it is stored; catalogs of before have no notes and do not say where row groups begin."""
    known = {item.name: facts[item.name] for item in fields(Entry) if item.name not in _LATER}
    return Entry(**known, notes=tuple(facts.get("notes", ())), groups_ns=tuple(facts.get("groups_ns", ())))


def file_digest(file: BinaryIO) -> str:
    """BLAKE2b-128 of what is left of a file, read in blocks."""
    return hashlib.file_digest(file, lambda: blake2b(digest_size=DIGEST_BYTES)).hexdigest()  # type: ignore[arg-type]


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` last through a loss of power. Windows has no such call and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _content_digest(content: dict[str, Any]) -> str:
    return blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=DIGEST_BYTES).hexdigest()
