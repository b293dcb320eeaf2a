"""The Parquet catalog: few large files per instrument and type, and a manifest that says what holds.

A file is written beside its final name, synced and renamed before the manifest names it, so that a death at any moment
leaves the catalog as it was or as it should be. Other tools read the files as they are: decimals stay DECIMAL.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from libra_ray.data.arrow_arrays import Int64s, int64s_of
from libra_ray.data.catalog_manifest import Entry, Manifest, file_digest, sync_folder
from libra_ray.data.dataset import Dataset, Stream
from libra_ray.data.importer import Import
from libra_ray.data.times import instant_ns, time_text
from libra_ray.data.writer_lock import writer_lock
from libra_ray.errors import ConfigError, DataError, did_you_mean
from libra_ray.messages.schemas import BARS, QUOTES, SCHEMAS, TRADES, Schema
from libra_ray.model.identifiers import check_instrument_id, period_ns
from libra_ray.model.instruments import Instrument

__all__ = ["Catalog", "CatalogCheck", "Entry", "Gap", "catalog"]

LOCK_NAME: Final = "catalog.lock"
ROW_GROUP_ROWS: Final = 1 << 20


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
    """A folder of Parquet files. Reading needs no lock: what the manifest names is complete and never changes."""

    root: Path

    def bars(
        self, instrument_id: str, period: str, *, start: int | str | None = None, end: int | str | None = None
    ) -> Dataset:
        """Bars with `start <= ts < end` (ns or ISO text). Raises `ConfigError` CONF008 when there are none."""
        return Dataset([self.stream(BARS, instrument_id, period, start=start, end=end)])

    def quotes(self, instrument_id: str, *, start: int | str | None = None, end: int | str | None = None) -> Dataset:
        """Quotes, as `bars`."""
        return Dataset([self.stream(QUOTES, instrument_id, start=start, end=end)])

    def trades(self, instrument_id: str, *, start: int | str | None = None, end: int | str | None = None) -> Dataset:
        """Trades, as `bars`."""
        return Dataset([self.stream(TRADES, instrument_id, start=start, end=end)])

    def instrument(self, instrument_id: str) -> Instrument:
        """The definition that the data was written with. Raises `ConfigError` CONF008."""
        known = Manifest.read(self.root).instruments
        if instrument_id not in known:
            what = f"instrument '{instrument_id}' is not in the catalog"
            raise ConfigError("CONF008", str(self.root), what, did_you_mean(instrument_id, list(known)), instrument_id)
        return known[instrument_id]

    def ls(self) -> list[Entry]:
        """All files, by type, instrument, period and time."""
        return list(Manifest.read(self.root).entries)

    def stream(
        self,
        schema: Schema,
        instrument_id: str,
        period: str = "",
        *,
        start: int | str | None = None,
        end: int | str | None = None,
    ) -> Stream:
        """Rows of one type and instrument; only row groups that touch the time range are read."""
        first = None if start is None else instant_ns(start)
        stop = None if end is None else instant_ns(end)
        instrument = self.instrument(instrument_id)
        label = " ".join(part for part in (instrument_id, schema.name, period) if part)
        entries = [entry for entry in self.ls() if entry.key == (schema.name, instrument_id, period)]
        if not entries:
            held = sorted({f"{e.type} {e.period}".strip() for e in self.ls() if e.instrument_id == instrument_id})
            fix = f"It holds {', '.join(held)}."
            raise ConfigError("CONF008", str(self.root), f"{label} is not in the catalog", fix, instrument_id)
        wanted = schema.arrow(instrument, period=period)
        tables = [
            _read(self.root / entry.file, wanted, first, stop) for entry in entries if _touches(entry, first, stop)
        ]
        stream = Stream(
            schema, instrument, period, pa.concat_tables([pa.Table.from_batches([], wanted), *tables])
        ).slice(first, stop)
        if not stream.rows:
            span = f"{time_text(entries[0].start_ns)} to {time_text(entries[-1].end_ns)}"
            what = f"{label} has no rows in the time range; it has {span}"
            raise ConfigError("CONF008", str(self.root), what, "Check the date range.", label)
        return stream

    def add(self, imported: Import) -> Entry:
        """Write what `import_file` gave, with its counts. As `write`."""
        report = imported.report
        counts = {
            "dropped_null": report.dropped_null,
            "dropped_bad_bars": report.dropped_bad_bars,
            "dropped_duplicates": report.dropped_duplicates,
            "sorted_rows": report.sorted_rows,
            "rounded_values": report.rounded_values,
            "off_tick_rows": report.off_tick_rows,
        }
        return self.write(
            imported.instrument,
            imported.schema,
            imported.table,
            imported.period,
            source=report.source,
            counts=counts,
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
    ) -> Entry:
        """One new file with these rows, chunk by chunk; on return it is on the disk and in the manifest.

        Raises `DataError` DATA013 when the catalog has rows of that time range, DATA023 while another process writes,
        DATA002 when times fall, DATA008 for no rows; `ConfigError` CONF007 when the instrument is defined otherwise.
        """
        check_instrument_id(instrument.id)
        name = source or schema.name
        start_ns, end_ns = _checked_span(table, name)
        self.root.mkdir(parents=True, exist_ok=True)
        with writer_lock(self.root / LOCK_NAME):
            manifest = Manifest.read(self.root)
            self._refuse_other_definition(manifest, instrument)
            key = (schema.name, instrument.id, period)
            _refuse_overlap(manifest, key, start_ns, end_ns, name)
            self._remove_orphans(manifest)
            folder = Path(schema.name) / (f"{instrument.id}-{period}" if period else instrument.id)
            (self.root / folder).mkdir(parents=True, exist_ok=True)
            path = folder / f"{start_ns}-{end_ns}.parquet"
            draft = self.root / path.with_suffix(".tmp")
            _write_parquet(draft, table.cast(schema.arrow(instrument, period=period)))
            entry = Entry(
                *key,
                start_ns=start_ns,
                end_ns=end_ns,
                rows=table.num_rows,
                bytes=draft.stat().st_size,
                file=path.as_posix(),
                digest=file_digest(draft),
                source=source,
                counts={kind: count for kind, count in (counts or {}).items() if count},
            )
            draft.replace(self.root / path)
            for changed in (self.root / folder, self.root / folder.parent, self.root):
                sync_folder(changed)
            manifest.with_entry(entry, instrument).write(self.root)
        return entry

    def check(self) -> CatalogCheck:
        """Read every file: its hash, its rows, the order of its times; and list the gaps in bars. Reads all bytes."""
        manifest = Manifest.read(self.root)
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
        path = self.root / entry.file
        fix = "Restore the file, or import the data again."
        if not path.is_file():
            raise DataError("DATA023", entry.file, "the file that the manifest names is not there", fix)
        if file_digest(path) != entry.digest:
            raise DataError("DATA023", entry.file, "the file's hash differs from the manifest's", fix)
        schema, instrument = SCHEMAS[entry.type], manifest.instruments[entry.instrument_id]
        wanted = schema.arrow(instrument, period=entry.period)
        stream = Stream(schema, instrument, entry.period, _read(path, wanted, None, None))
        found = (stream.rows, int(stream.ts_ns[0]), int(stream.ts_ns[-1]))
        if found != (entry.rows, entry.start_ns, entry.end_ns):
            raise DataError("DATA023", entry.file, "rows or time range differ from the manifest's", fix)
        return stream

    def _refuse_other_definition(self, manifest: Manifest, instrument: Instrument) -> None:
        if manifest.instruments.get(instrument.id, instrument) != instrument:
            what = f"instrument '{instrument.id}' is in the catalog with another definition"
            raise ConfigError("CONF007", str(self.root), what, "Use that one, or another folder.", instrument.id)

    def _remove_orphans(self, manifest: Manifest) -> None:
        """Files of a writer that died before the manifest named them. Only the holder of the lock may."""
        named = {entry.file for entry in manifest.entries}
        for kind in SCHEMAS:
            for pattern in ("*/*.tmp", "*/*.parquet"):
                for path in (self.root / kind).glob(pattern):
                    if path.relative_to(self.root).as_posix() not in named:
                        path.unlink()


def catalog(path: str | os.PathLike[str]) -> Catalog:
    """The catalog in a folder, which the first `write` makes."""
    return Catalog(Path(path))


def _checked_span(table: pa.Table, name: str) -> tuple[int, int]:
    """First and last time, after a look at all."""
    if not table.num_rows:
        raise DataError("DATA008", name, "0 data rows", "Check the file or the date range.")
    column = table.column("ts_init_ns")
    last: int | None = None
    row = 0
    for chunk in column.chunks:
        ts_ns = int64s_of(chunk)
        if not len(ts_ns):
            continue
        joined = ts_ns if last is None else np.concatenate((np.array([last], np.int64), ts_ns))
        falls = np.flatnonzero(joined[1:] < joined[:-1])
        if len(falls):
            at = int(falls[0])
            now, before = time_text(int(joined[at + 1])), time_text(int(joined[at]))
            place = f"{name} row {row + at + (last is None):,}"
            raise DataError("DATA002", place, f"time {now} is earlier than {before} before it", "Sort the rows.", now)
        last = int(ts_ns[-1])
        row += len(ts_ns)
    return int(column[0].as_py()), int(column[-1].as_py())


def _refuse_overlap(manifest: Manifest, key: tuple[str, str, str], start_ns: int, end_ns: int, name: str) -> None:
    for entry in manifest.entries:
        if entry.key == key and start_ns <= entry.end_ns and entry.start_ns <= end_ns:
            label = " ".join(part for part in (key[1], key[0], key[2]) if part)
            ours = f"{time_text(start_ns)} to {time_text(end_ns)}"
            theirs = f"{time_text(entry.start_ns)} to {time_text(entry.end_ns)}"
            known = f"'{entry.source}'" if entry.source else entry.file
            what = f"{ours} overlaps {known}, {theirs}, of {label}"
            raise DataError("DATA013", name, what, "Import each time range once.", ours)


def _touches(entry: Entry, first: int | None, stop: int | None) -> bool:
    return (first is None or entry.end_ns >= first) and (stop is None or entry.start_ns < stop)


def _write_parquet(path: Path, table: pa.Table) -> None:
    with path.open("wb") as file:
        with pq.ParquetWriter(
            file, table.schema, compression="zstd", use_dictionary=False, store_decimal_as_integer=True
        ) as writer:
            writer.write_table(table, row_group_size=ROW_GROUP_ROWS)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path, wanted: pa.Schema, first: int | None, stop: int | None) -> pa.Table:
    """Row groups that touch the range, in the types of `wanted`."""
    try:
        with pq.ParquetFile(path) as file:
            groups = [
                index
                for index in range(file.metadata.num_row_groups)
                if _group_touches(file.metadata.row_group(index).column(0).statistics, first, stop)
            ]
            return file.read_row_groups(groups, columns=wanted.names).cast(wanted)
    except FileNotFoundError as error:
        fix = "Restore the file, or import the data again."
        raise DataError("DATA023", path.name, "the file that the manifest names is not there", fix) from error
    except (pa.ArrowException, OSError, ValueError) as error:
        what = f"unreadable ({str(error).splitlines()[0]})"
        raise DataError("DATA011", path.name, what, "The file is damaged; import the data again.") from error


def _group_touches(statistics: "pq.Statistics | None", first: int | None, stop: int | None) -> bool:
    if statistics is None or not statistics.has_min_max:
        return True
    return (first is None or statistics.max >= first) and (stop is None or statistics.min < stop)


def _gaps(times: Int64s, entry: Entry) -> list[Gap]:
    """Distances of more than a period between neighbouring bars."""
    length = period_ns(entry.period)
    missing = (times[1:] - times[:-1]) // length - 1
    return [
        Gap(entry.instrument_id, entry.period, int(times[at]), int(times[at + 1]), int(missing[at]))
        for at in np.flatnonzero(missing > 0).tolist()
    ]
