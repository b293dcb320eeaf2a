"""One new file of a catalog, row group after row group: named by the manifest when all of it lasts, or gone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from libra_ray.data.arrow_arrays import int64s_of
from libra_ray.data.catalog_manifest import Entry, Manifest
from libra_ray.data.catalog_store import HashedFile, Store, writes_to
from libra_ray.data.times import time_text
from libra_ray.errors import ConfigError, DataError
from libra_ray.messages.schemas import SCHEMAS, Schema
from libra_ray.model.identifiers import check_instrument_id
from libra_ray.model.instruments import Instrument

__all__ = ["ROW_GROUP_ROWS", "CatalogWriter", "refuse_overlap"]

ROW_GROUP_ROWS: Final = 1 << 19


class CatalogWriter:
    """Context manager, made by `Catalog.appending`, that holds the catalog's lock.

    Rows come in order of `ts_init_ns`; small tables are collected into row groups of half a million rows, so memory is
    bounded by one. A block that ends without `commit` leaves nothing.
    """

    def __init__(self, store: Store, instrument: Instrument, schema: Schema, period: str, source: str) -> None:
        check_instrument_id(instrument.id)
        self.schema, self.instrument, self.period = schema, instrument, period
        self._store = store
        self._sources, self._counts, self._notes = {source: None} if source else {}, Counter[str](), dict[str, None]()
        self._key = (schema.name, instrument.id, period)
        self._wanted = schema.arrow(instrument, period=period)
        self._name = source or schema.name
        self._folder = f"{schema.name}/{instrument.id}{f'-{period}' if period else ''}"
        self._lock = store.writing()
        self._draft = ""
        self._writer: pq.ParquetWriter | None = None
        self._file: HashedFile | None = None
        self._waiting: list[pa.Table] = []
        self._waiting_rows = self._rows = self._seen = 0
        self._start_ns = self._end_ns = 0
        self._groups_ns: list[int] = []
        self._replaced: tuple[Entry, ...] = ()

    def __enter__(self) -> Self:
        with writes_to(self._store):
            self._lock.__enter__()
        try:
            self._manifest = Manifest.read_from(self._store)
            self._check_definition()
            with writes_to(self._store):
                remove_orphans(self._store, self._manifest)
        except BaseException as error:
            self._lock.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._draft:
                try:
                    with suppress(OSError):  # a full disk has no room for the end of what is thrown away either
                        self._close()
                finally:
                    self._store.discard(self._draft)
        finally:
            self._lock.__exit__(kind, error, trace)

    @property
    def manifest(self) -> Manifest:
        """What the catalog held when the lock was taken."""
        return self._manifest

    def replaces(self, entries: Sequence[Entry]) -> None:
        """The new file stands for these, and has their counts, sources and notes: the manifest names them no more."""
        self._replaced = tuple(entries)
        for entry in entries:
            self._counts.update(entry.counts)
            self._notes.update(dict.fromkeys(entry.notes))
        told = [source for entry in entries for source in entry.source.split(", ") if source]
        self._sources = dict.fromkeys((*told, *self._sources))

    def write(self, table: pa.Table) -> None:
        """Take rows.

        Raises `DataError` DATA001 for a missing value, DATA002 where a time falls, DATA004 for a missing column,
        DATA013 where the catalog has that time range, DATA011 where it cannot be written.
        """
        if not table.num_rows:
            return
        rows = self.checked(table)
        self._check_times(rows)
        kept = [entry for entry in self._manifest.entries if entry not in self._replaced]
        refuse_overlap(kept, self._key, self._start_ns, self._end_ns, self._name)
        self._waiting.append(rows)
        self._waiting_rows += rows.num_rows
        self._rows += rows.num_rows
        if self._waiting_rows >= ROW_GROUP_ROWS:
            self._flush(self._waiting_rows - self._waiting_rows % ROW_GROUP_ROWS)

    def checked(self, table: pa.Table) -> pa.Table:
        """The columns that are wanted, in their types. Raises `DataError` DATA001, DATA004."""
        for field in self._wanted:
            if field.name not in table.column_names:
                fix = f"The columns are {', '.join(self._wanted.names)}."
                raise DataError("DATA004", self._name, f"column '{field.name}' not found", fix, field.name)
            if not field.nullable and table.column(field.name).null_count:
                fix = "Drop or fill the row."
                raise DataError("DATA001", self._name, f"column '{field.name}' has no value", fix, field.name)
        return table.select(self._wanted.names).cast(self._wanted)

    def commit(self, *, counts: Mapping[str, int] | None = None, notes: Sequence[str] = ()) -> Entry:
        """Make the file last and name it in the manifest.

        Raises `DataError` DATA008 for no rows, DATA011 where they cannot be written.
        """
        if not self._rows:
            raise DataError("DATA008", self._name, "0 data rows", "Check the file or the date range.")
        self._flush(self._waiting_rows)
        with writes_to(self._store):
            self._close()
            name = self._store.publish(self._draft, self._free_name())
        assert self._file is not None  # noqa: S101  # rows were written
        self._draft = ""
        self._counts.update(counts or {})
        entry = Entry(
            *self._key,
            start_ns=self._start_ns,
            end_ns=self._end_ns,
            rows=self._rows,
            bytes=self._file.size,
            file=name,
            digest=self._file.digest,
            source=", ".join(self._sources),
            counts={kind: count for kind, count in self._counts.items() if count},
            notes=tuple(dict.fromkeys((*self._notes, *notes))),
            groups_ns=tuple(self._groups_ns),
        )
        with writes_to(self._store):
            self._manifest.with_entry(entry, self.instrument, without=self._replaced).write_to(self._store)
        return entry

    def _check_definition(self) -> None:
        if self._manifest.instruments.get(self.instrument.id, self.instrument) != self.instrument:
            what = f"instrument '{self.instrument.id}' is in the catalog with another definition"
            fix = "Use that one, or another folder."
            raise ConfigError("CONF007", self._store.place, what, fix, self.instrument.id)

    def _check_times(self, table: pa.Table) -> None:
        for chunk in table.column("ts_init_ns").chunks:
            ts_ns = int64s_of(chunk)
            if not len(ts_ns):
                continue
            first = not self._seen
            joined = ts_ns if first else np.concatenate((np.array([self._end_ns], np.int64), ts_ns))
            falls = np.flatnonzero(joined[1:] < joined[:-1])
            if len(falls):
                at = int(falls[0])
                now, before = time_text(int(joined[at + 1])), time_text(int(joined[at]))
                place = f"{self._name} row {self._seen + at + first:,}"
                raise DataError(
                    "DATA002", place, f"time {now} is earlier than {before} before it", "Sort the rows.", now
                )
            if first:
                self._start_ns = int(ts_ns[0])
            self._end_ns = int(ts_ns[-1])
            self._seen += len(ts_ns)

    def _flush(self, rows: int) -> None:
        """Write so many of the rows that wait: whole row groups, until the last."""
        if not rows:
            return
        with writes_to(self._store):
            self._write_group(rows)

    def _write_group(self, rows: int) -> None:
        if self._writer is None:
            self._draft, file = self._store.draft(self._folder)
            self._file = HashedFile(file)
            self._writer = pq.ParquetWriter(
                self._file,
                self._wanted,
                compression="zstd",
                use_dictionary=False,
                store_decimal_as_integer=True,
                write_page_checksum=True,
            )
        table = pa.concat_tables(self._taken(rows))
        self._writer.write_table(table, row_group_size=ROW_GROUP_ROWS)
        times = table.column("ts_init_ns")
        self._groups_ns += [times[at].as_py() for at in range(0, rows, ROW_GROUP_ROWS)]

    def _taken(self, rows: int) -> list[pa.Table]:
        """So many of the rows that wait; what is left of a table keeps that table alone in memory."""
        taken: list[pa.Table] = []
        self._waiting_rows -= rows
        while rows:
            table = self._waiting.pop(0)
            taken.append(table.slice(0, rows))
            if table.num_rows > rows:
                self._waiting.insert(0, table.slice(rows))
            rows -= taken[-1].num_rows
        return taken

    def _close(self) -> None:
        writer, self._writer = self._writer, None
        try:
            if writer is not None:
                writer.close()
        finally:
            if self._file is not None:
                self._file.close()

    def _free_name(self) -> str:
        named = {entry.file for entry in self._manifest.entries}
        stem = f"{self._folder}/{self._start_ns}-{self._end_ns}"
        name, number = f"{stem}.parquet", 2
        while name in named:
            name, number = f"{stem}-{number}.parquet", number + 1
        return name


def refuse_overlap(entries: Sequence[Entry], key: tuple[str, str, str], start_ns: int, end_ns: int, name: str) -> None:
    """Raises `DataError` DATA013 where one of `entries` has rows of that time range."""
    for entry in entries:
        if entry.key == key and start_ns <= entry.end_ns and entry.start_ns <= end_ns:
            label = " ".join(part for part in (key[1], key[0], key[2]) if part)
            ours = f"{time_text(start_ns)} to {time_text(end_ns)}"
            theirs = f"{time_text(entry.start_ns)} to {time_text(entry.end_ns)}"
            known = f"'{entry.source}'" if entry.source else entry.file
            what = f"{ours} overlaps {known}, {theirs}, of {label}"
            raise DataError(
                "DATA013", name, what, "Import each time range once, or say with on-overlap which rows stay.", ours
            )


def remove_orphans(store: Store, manifest: Manifest) -> None:
    """Files of a writer that died before the manifest named them, and those that were replaced. Only the lock's holder
    may; who reads on what it opened before is not disturbed.
    """  # noqa: D205  # what it may do needs the line
    named = {entry.file for entry in manifest.entries}
    kinds = {*SCHEMAS, *(entry.type for entry in manifest.entries)}
    for name in store.names(sorted(kinds)):
        if name not in named and name.endswith((".tmp", ".parquet")):
            store.remove(name)
