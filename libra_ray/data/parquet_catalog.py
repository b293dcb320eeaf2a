"""The Parquet catalog: few large files per instrument and type, and a manifest that says what holds.

A file is written beside its final name, synced and renamed before the manifest names it, so that a death at any moment
leaves the catalog as it was or as it should be. Other tools read the files as they are: decimals stay DECIMAL.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
import pyarrow as pa

from libra_ray.data.arrow_arrays import Int64s
from libra_ray.data.catalog_manifest import Entry, Manifest
from libra_ray.data.catalog_reader import (
    EntriesNow,
    batches_of,
    read_entry,
    rows_at_most,
    schema_of,
    tables_of,
    touches,
)
from libra_ray.data.catalog_store import LocalStore, Store, store_of
from libra_ray.data.catalog_writer import CatalogWriter
from libra_ray.data.dataset import Dataset, Stream
from libra_ray.data.horizon import horizon_ns
from libra_ray.data.importer import Import
from libra_ray.data.mapped_rows import MEMORY_BYTES_MAX, mapped_rows
from libra_ray.data.merge import MergedBatch, merge_batches
from libra_ray.data.read_ahead import read_ahead
from libra_ray.data.times import instant_ns, time_text
from libra_ray.errors import ConfigError, DataError, did_you_mean, quoted
from libra_ray.messages.schemas import BARS, QUOTES, TRADES, Schema, schema_named
from libra_ray.model.identifiers import period_ns
from libra_ray.model.instruments import Instrument

__all__ = ["Catalog", "CatalogCheck", "Entry", "Gap", "OnOverlap", "StreamKey", "catalog"]

BATCH_ROWS: Final = 65_536
TEXT_BYTES: Final = 16
"""What a text is reckoned at."""
FILE_ROWS_MAX: Final = 1 << 26
Instant = int | str | None
OnOverlap: TypeAlias = Literal["error", "keep", "replace"]
StreamKey = tuple[Schema, str, str]
"""Type, instrument id and period (empty but for bars)."""


@dataclass(frozen=True)
class Gap:
    """Bars that are not there: `missing` periods between two that are."""

    instrument_id: str
    period: str
    after_ns: int
    before_ns: int
    missing: int


@dataclass(frozen=True)
class CatalogCheck:
    """What a check of all files found: faults as errors that were not raised, and gaps, which may be legitimate."""

    entries: int
    rows: int
    errors: tuple[DataError, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True)
class Catalog:
    """Parquet files in one place. Reading needs no lock: what the manifest names is complete and never changes.

    Attributes:
        memory_bytes_max: a stream of more is mapped from nameless temporary files (`TMPDIR`) instead of lying in
            private memory, so that runs go over any range that the disk has room for.

    """

    store: Store
    memory_bytes_max: int = MEMORY_BYTES_MAX

    @property
    def root(self) -> Path:
        """The folder of a catalog on this machine. Raises `ConfigError` CONF008 for another."""
        if not isinstance(self.store, LocalStore):
            raise ConfigError(
                "CONF008", None, f"{self.store.place} is no folder", "Give a local path.", self.store.place
            )
        return self.store.root

    def bars(self, instrument_id: str, period: str, *, start: Instant = None, end: Instant = None) -> Dataset:
        """Bars with `start <= ts < end` (ns or ISO text). Raises as `stream` does."""
        return Dataset([self.stream(BARS, instrument_id, period, start=start, end=end)])

    def quotes(self, instrument_id: str, *, start: Instant = None, end: Instant = None) -> Dataset:
        """Quotes, as `bars`."""
        return Dataset([self.stream(QUOTES, instrument_id, start=start, end=end)])

    def trades(self, instrument_id: str, *, start: Instant = None, end: Instant = None) -> Dataset:
        """Trades, as `bars`."""
        return Dataset([self.stream(TRADES, instrument_id, start=start, end=end)])

    def instrument(self, instrument_id: str) -> Instrument:
        """The definition that the data was written with. Raises `ConfigError` CONF008."""
        known = Manifest.read_from(self.store).instruments
        if instrument_id not in known:
            what = f"instrument '{instrument_id}' is not in the catalog"
            fix = did_you_mean(instrument_id, list(known))
            raise ConfigError("CONF008", self.store.place, what, fix, instrument_id)
        return known[instrument_id]

    def ls(self) -> list[Entry]:
        """All files, by type, instrument, period and time."""
        return list(Manifest.read_from(self.store).entries)

    # ------------------------------------------------------------------ reading

    def stream(
        self, schema: Schema, instrument_id: str, period: str = "", *, start: Instant = None, end: Instant = None
    ) -> Stream:
        """Rows of one type and instrument; only row groups that touch the time range are read.

        Raises `ConfigError` CONF008 when there are none; `DataError` DATA007 where they are more than
        `memory_bytes_max` and the disk has no room for them.
        """
        first, stop = _span(start, end)
        instrument, entries = self._entries(schema, instrument_id, period)
        wanted, now = schema.arrow(instrument, period=period), self._now(entries[0].key)
        label = _label(schema, instrument_id, period)
        if rows_at_most(self.store, now, first, stop) * _row_bytes(wanted) > self.memory_bytes_max:
            batches = batches_of(self.store, now, wanted, first, stop, BATCH_ROWS)
            stream = Stream.of_mapped(schema, instrument, period, mapped_rows(read_ahead(batches), wanted, label))
        else:
            tables = [pa.Table.from_batches([], wanted), *tables_of(self.store, now, wanted, first, stop)]
            stream = Stream(schema, instrument, period, pa.concat_tables(tables))
        if not stream.rows:
            span = f"{time_text(entries[0].start_ns)} to {time_text(entries[-1].end_ns)}"
            what = f"{label} has no rows in the time range; it has {span}"
            raise ConfigError("CONF008", self.store.place, what, "Check the date range.", label)
        return stream

    def scan(
        self,
        schema: Schema,
        instrument_id: str,
        period: str = "",
        *,
        start: Instant = None,
        end: Instant = None,
        columns: Sequence[str] | None = None,
        batch_rows: int = BATCH_ROWS,
    ) -> Iterator[pa.RecordBatch]:
        """The rows of `stream` batch by batch, for sets larger than memory; nothing outside the range is given.

        `columns`: those wanted, and the time; all by default. Raises `ConfigError` CONF008 before the first batch.
        """
        first, stop = _span(start, end)
        instrument, entries = self._entries(schema, instrument_id, period)
        wanted = schema_of(schema.arrow(instrument, period=period), columns)
        return batches_of(self.store, self._now(entries[0].key), wanted, first, stop, batch_rows)

    def merged(
        self, keys: Sequence[StreamKey], *, start: Instant = None, end: Instant = None, batch_rows: int = BATCH_ROWS
    ) -> Iterator[MergedBatch]:
        """Rows of many streams in one order: by time, then by the place in `keys`, then by row.

        Memory is bounded by two batches a stream. Raises as `scan` does.
        """
        scans = [self.scan(*key, start=start, end=end, batch_rows=batch_rows) for key in keys]
        return merge_batches(scans)

    def _now(self, key: tuple[str, str, str]) -> EntriesNow:
        return lambda: [entry for entry in self.ls() if entry.key == key]

    def _entries(self, schema: Schema, instrument_id: str, period: str) -> tuple[Instrument, list[Entry]]:
        instrument = self.instrument(instrument_id)
        all_entries = self.ls()
        entries = [entry for entry in all_entries if entry.key == (schema.name, instrument_id, period)]
        if not entries:
            held = sorted({f"{e.type} {e.period}".strip() for e in all_entries if e.instrument_id == instrument_id})
            what = f"{_label(schema, instrument_id, period)} is not in the catalog"
            raise ConfigError("CONF008", self.store.place, what, f"It holds {', '.join(held)}.", instrument_id)
        return instrument, entries

    # ------------------------------------------------------------------ writing

    def appending(self, instrument: Instrument, schema: Schema, period: str = "", *, source: str = "") -> CatalogWriter:
        """A writer of one new file, table by table: a block that ends without its `commit` leaves nothing.

        Raises in the block's beginning `DataError` DATA023 while another process writes, `ConfigError` CONF007 where
        the instrument is defined otherwise; then as `CatalogWriter.write` and `commit` do.
        """
        return CatalogWriter(self.store, instrument, schema, period, source)

    def add(self, imported: Import, *, on_overlap: OnOverlap = "error") -> Entry:
        """Write what `import_file` gave, with its counts. As `write`."""
        report = imported.report
        return self.write(
            imported.instrument,
            imported.schema,
            imported.table,
            imported.period,
            source=report.source,
            counts=report.changes,
            notes=report.notes,
            on_overlap=on_overlap,
        )

    def write(
        self,
        instrument: Instrument,
        schema: Schema,
        table: pa.Table,
        period: str = "",
        *,
        source: str = "",
        counts: Mapping[str, int] | None = None,
        notes: Sequence[str] = (),
        on_overlap: OnOverlap = "error",
    ) -> Entry:
        """One new file with these rows; on return it is on the disk and in the manifest.

        `on_overlap`: where the catalog has rows of that time range, `error` refuses, `keep` keeps those of the catalog
        and takes only rows outside of their files' ranges, `replace` takes these in place of all rows of the range. The
        files concerned become one; `counts` tells `overlap_kept` or `overlap_replaced` rows.

        Raises `DataError` DATA013 for an overlap, DATA023 while another process writes, DATA002 when times fall,
        DATA008 for no rows; `ConfigError` CONF007 when the instrument is defined otherwise.
        """
        if on_overlap not in get_args(OnOverlap):
            fix = 'Give "error", "keep" or "replace".'
            raise ConfigError("CONF002", "on_overlap", f"{quoted(on_overlap)} is no policy", fix, on_overlap)
        with self.appending(instrument, schema, period, source=source) as writer:
            if on_overlap == "error" or not table.num_rows:
                writer.write(table)
                return writer.commit(counts=counts, notes=notes)
            parts, changes = self._resolved(writer, table, on_overlap)
            for part in parts:
                writer.write(part)
            return writer.commit(counts={**(counts or {}), **changes}, notes=notes)

    def compact(self, *, rows_max: int = FILE_ROWS_MAX) -> list[Entry]:
        """Join neighbouring files of one stream to files of at most `rows_max` rows; returns the new ones.

        Row groups go through memory one at a time. Files that were replaced are removed by the next write; who reads
        meanwhile goes on with the new one. Raises `DataError` DATA023 while another process writes.
        """
        made: list[Entry] = []
        for key, group in groupby(self.ls(), key=lambda entry: entry.key):
            for _ in range(len(list(group))):
                joined = self._joined(key, rows_max)
                if joined is None:
                    break
                made.append(joined)
        return made

    def _joined(self, key: tuple[str, str, str], rows_max: int) -> Entry | None:
        """The first run of files that can be joined, as one; None where there is none."""
        schema, instrument = schema_named(key[0]), self.instrument(key[1])
        with self.appending(instrument, schema, key[2]) as writer:
            run = _run([entry for entry in writer.manifest.entries if entry.key == key], rows_max)
            if not run:
                return None
            writer.replaces(run)
            wanted = schema.arrow(instrument, period=key[2])
            for batch in batches_of(self.store, lambda: run, wanted, None, None, BATCH_ROWS):
                writer.write(pa.Table.from_batches([batch]))
            return writer.commit()

    def _resolved(self, writer: CatalogWriter, table: pa.Table, policy: str) -> tuple[list[pa.Table], dict[str, int]]:
        """What is written in place of the files that the rows overlap, in order of time."""
        schema, instrument, period = writer.schema, writer.instrument, writer.period
        wanted = schema.arrow(instrument, period=period)
        new = Stream(schema, instrument, period, writer.checked(table))
        start_ns, end_ns = int(new.ts_ns[0]), int(new.ts_ns[-1])
        met = tuple(
            entry
            for entry in writer.manifest.entries
            if entry.key == (schema.name, instrument.id, period) and touches(entry, start_ns, end_ns + 1)
        )
        if not met:
            return [new.table], {}
        writer.replaces(met)
        old = [Stream(schema, instrument, period, read_entry(self.store, e, wanted)) for e in met]
        if policy == "replace":
            parts = [each.slice(None, start_ns) for each in old]
            parts += [new, *(each.slice(end_ns + 1, None) for each in old)]
            lost = sum(each.rows for each in old) - sum(each.rows for each in parts) + new.rows
            return [part.table for part in parts if part.rows], {"overlap_replaced": lost}
        parts, cursor_ns = [], start_ns
        for each, entry in zip(old, met, strict=True):
            parts += [new.slice(cursor_ns, entry.start_ns), each]
            cursor_ns = entry.end_ns + 1
        parts.append(new.slice(cursor_ns, None))
        kept = sum(each.rows for each in parts) - sum(each.rows for each in old)
        return [part.table for part in parts if part.rows], {"overlap_kept": new.rows - kept}

    # ------------------------------------------------------------------ checking

    def check(self) -> CatalogCheck:
        """Read every file: its hash, its rows, the order of its times; and list the gaps in bars. Reads all bytes."""
        manifest = Manifest.read_from(self.store)
        errors: list[DataError] = []
        gaps: list[Gap] = []
        last: Entry | None = None
        for entry in manifest.entries:
            try:
                stream = self._checked(manifest, entry)
            except DataError as error:
                errors.append(error)
                continue
            if entry.period:
                before = [last.end_ns] if last is not None and last.key == entry.key else []
                times = np.concatenate((np.array(before, np.int64), stream.ts_ns))
                gaps += _gaps(times, entry)
            last = entry
        return CatalogCheck(len(manifest.entries), sum(e.rows for e in manifest.entries), tuple(errors), tuple(gaps))

    def _checked(self, manifest: Manifest, entry: Entry) -> Stream:
        fix = "Restore the file, or import the data again."
        facts = self.store.facts(entry.file)
        if facts is None:
            raise DataError("DATA023", entry.file, "the file that the manifest names is not there", fix)
        if facts[1] != entry.digest:
            raise DataError("DATA023", entry.file, "the file's hash differs from the manifest's", fix)
        schema, instrument = schema_named(entry.type), manifest.instruments[entry.instrument_id]
        wanted = schema.arrow(instrument, period=entry.period)
        stream = Stream(schema, instrument, entry.period, read_entry(self.store, entry, wanted))
        found = (stream.rows, int(stream.ts_ns[0]), int(stream.ts_ns[-1]))
        if found != (entry.rows, entry.start_ns, entry.end_ns):
            raise DataError("DATA023", entry.file, "rows or time range differ from the manifest's", fix)
        return stream


def catalog(path: str | os.PathLike[str], *, memory_bytes_max: int = MEMORY_BYTES_MAX) -> Catalog:
    """The catalog in a folder, or behind a URL (`s3://`, `gs://`, `abfs://` ...), which the first `write` makes.

    A stream of more than `memory_bytes_max` is mapped from temporary files. Raises `ConfigError` CONF008 for a URL that
    nothing here can open.
    """
    return Catalog(store_of(path), memory_bytes_max)


def _span(start: Instant, end: Instant) -> tuple[int | None, int | None]:
    """The range in nanoseconds, which ends at a horizon where one holds."""
    ends = [each for each in (None if end is None else instant_ns(end), horizon_ns()) if each is not None]
    return None if start is None else instant_ns(start), min(ends, default=None)


def _row_bytes(schema: pa.Schema) -> int:
    """Bytes of a row in memory."""
    return sum(TEXT_BYTES if pa.types.is_string(kind) else kind.bit_width // 8 for kind in schema.types)


def _label(schema: Schema, instrument_id: str, period: str) -> str:
    return " ".join(part for part in (instrument_id, schema.name, period) if part)


def _run(entries: Sequence[Entry], rows_max: int) -> list[Entry]:
    """The first neighbours that are to be joined: two or more, together within the limit; none where there are none."""
    run: list[Entry] = []
    for entry in entries:
        if run and sum(each.rows for each in run) + entry.rows > rows_max:
            if len(run) > 1:
                return run
            run = []
        run.append(entry)
    return run if len(run) > 1 else []


def _gaps(times: Int64s, entry: Entry) -> list[Gap]:
    """Distances of more than a period between neighbouring bars."""
    length = period_ns(entry.period)
    missing = (times[1:] - times[:-1]) // length - 1
    return [
        Gap(entry.instrument_id, entry.period, int(times[at]), int(times[at + 1]), int(missing[at]))
        for at in np.flatnonzero(missing > 0).tolist()
    ]
