"""Foreign files and tables to batches of our types: read by their format, checked, with every change counted.

The checks and their order: the id and the options; the file itself; its packing and encoding; its columns; its size;
then the rows (`faults.Check`). The first error does not depend on how the file is cut into batches; nothing is written.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import pyarrow as pa

from libra_ray.data.arrow_arrays import Int64s
from libra_ray.data.arrow_tables import MemoryTable
from libra_ray.data.column_names import guessed_kind, is_open_time
from libra_ray.data.dataset import Dataset, Stream
from libra_ray.data.foreign_tables import arrow_table
from libra_ray.data.formats.frames import Frame
from libra_ray.data.formats.registry import detected, format_named
from libra_ray.data.formats.table_format import TableFormat, table_frames
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.import_profile import PROFILE_KEYS, read_profile
from libra_ray.data.import_report import ImportReport
from libra_ray.data.import_stream import ImportStream
from libra_ray.data.mapped_rows import MappedRows, mapped_rows
from libra_ray.data.raw_files import RawFile
from libra_ray.errors import ConfigError, DataError, did_you_mean, quoted
from libra_ray.messages.schemas import BARS, SCHEMAS, Schema
from libra_ray.model.identifiers import check_instrument_id, period_ns
from libra_ray.model.instruments import Instrument

__all__ = [
    "Import",
    "ImportReport",
    "ImportStream",
    "OpenedFile",
    "check_kind",
    "import_all",
    "import_file",
    "import_table",
    "open_file",
    "open_import",
    "open_imports",
]

TABLE_FORMATS: Final = ("parquet", "feather", "jsonl", "csv")
SEVERAL: Final = 2
SYMBOLS_SHOWN: Final = 10


@dataclass(frozen=True, eq=False)
class Import:
    """Checked rows in the order of their replay, in one chunk or many, and how they came about.

    Attributes:
        wide: columns of codes that are mapped at full width: of an import with `streaming`.

    """

    schema: Schema
    instrument: Instrument
    period: str
    table: pa.Table
    report: ImportReport
    wide: Mapping[str, Int64s] = field(default_factory=dict)

    @cached_property
    def stream(self) -> Stream:
        """The rows as a stream: many chunks become one, by a copy."""
        rows = MappedRows(self.table, self.wide)
        return Stream.of_mapped(self.schema, self.instrument, self.period, rows, order_known=True)

    @property
    def dataset(self) -> Dataset:
        """The rows as a dataset of one stream."""
        return Dataset([self.stream])


def import_file(
    path: str | os.PathLike[str],
    instrument: Instrument,
    kind: str | None = None,
    *,
    period: str = "",
    format: str | None = None,  # noqa: A002  # the word that users know
    options: ImportOptions | None = None,
    **given: Any,  # noqa: ANN401  # the fields of ImportOptions, checked there
) -> Import:
    """Read a file of one type of rows into memory: any format of `FORMATS`, packed as `.gz` or `.zip` or not.

    Without `kind` it is what the file holds; without `format` it is what the file looks like. `given` are fields of
    `ImportOptions`, instead of `options`: `import_file("b.csv", eurusd, "quotes", tz="UTC")`; `profile=` names a file
    that remembers them, and what is given beside it wins.
    Raises `ConfigError` for a wrong option, `DataError` for the first fault of the file, with the others in `more`.
    """
    return _read(open_import(path, instrument, kind, period=period, format=format, options=options, **given))


def import_all(
    path: str | os.PathLike[str],
    instrument: Instrument,
    *,
    period: str = "",
    format: str | None = None,  # noqa: A002  # as above
    options: ImportOptions | None = None,
    **given: Any,  # noqa: ANN401  # as above
) -> list[Import]:
    """Read everything that a file holds of one instrument, such as trades, quotes and a book of a capture."""
    streams = open_imports(path, instrument, period=period, format=format, options=options, **given)
    return [_read(each) for each in streams]


def import_table(
    table: Any,  # noqa: ANN401  # of a library that need not be there
    instrument: Instrument,
    kind: str | None = None,
    *,
    period: str = "",
    name: str = "table",
    options: ImportOptions | None = None,
    **given: Any,  # noqa: ANN401  # as above
) -> Import:
    """As `import_file`, from a pandas or polars frame, an Arrow table, or a mapping of names to columns.

    Messages call it `name`. An index of pandas that has a name, or holds times, is a column.
    """
    chosen, remembered = _options(options, given)
    kind, period = kind or remembered.get("type"), period or remembered.get("period", "")
    check_instrument_id(instrument.id)
    raw = MemoryTable(arrow_table(table, name), name)
    kind = guessed_kind(raw.header, chosen.columns) if kind is None else _known(kind)
    opened = OpenedFile(name, "table", "", tuple(table_frames(raw, chosen, kind)), chosen)
    return _read(opened.stream(opened.single_of(instrument, kind), instrument, period))


def open_import(
    path: str | os.PathLike[str],
    instrument: Instrument,
    kind: str | None = None,
    *,
    period: str = "",
    format: str | None = None,  # noqa: A002  # as above
    options: ImportOptions | None = None,
    **given: Any,  # noqa: ANN401  # as above
) -> ImportStream:
    """As `import_file`, to be gone through batch by batch: for files larger than the memory, with `streaming`."""
    chosen, remembered = _options(options, given)
    kind, period = kind or remembered.get("type"), period or remembered.get("period", "")
    if kind is not None and (period or kind != BARS.name):  # a file of bars may know its period
        check_kind(kind, period)
    check_instrument_id(instrument.id)
    opened = open_file(path, kind, format=format or remembered.get("format"), options=chosen)
    return opened.stream(opened.single_of(instrument, kind), instrument, period)


def open_imports(
    path: str | os.PathLike[str],
    instrument: Instrument,
    *,
    period: str = "",
    format: str | None = None,  # noqa: A002  # as above
    options: ImportOptions | None = None,
    **given: Any,  # noqa: ANN401  # as above
) -> list[ImportStream]:
    """As `import_all`, to be gone through batch by batch."""
    chosen, remembered = _options(options, given)
    period = period or remembered.get("period", "")
    check_instrument_id(instrument.id)
    opened = open_file(path, remembered.get("type"), format=format or remembered.get("format"), options=chosen)
    return [
        opened.stream(frame, instrument, period if frame.kind == BARS.name else "")
        for frame in opened.frames_of(instrument)
    ]


def open_file(
    path: str | os.PathLike[str],
    kind: str | None = None,
    *,
    format: str | None = None,  # noqa: A002  # as above
    options: ImportOptions,
) -> "OpenedFile":
    """The frames of a file, before an instrument is known. Declared columns make it a table, whatever its name says."""
    fixed = None if format is None else format_named(format)
    file = RawFile.check(path, max_decompressed_bytes=options.max_decompressed_bytes)
    is_table = bool(options.column_names or options.columns or options.skip_lines)
    found = fixed or detected(file, TABLE_FORMATS if is_table else None)
    if isinstance(found, TableFormat):
        frames = table_frames(found.table(file, options), options, kind)
    else:
        frames = found.frames(file, options)
    return OpenedFile(file.name, found.name, file.packing, tuple(frames), options)


@dataclass(frozen=True)
class OpenedFile:
    """A file whose format is known.

    Attributes:
        source: the file's name.
        packing: `gz`, `zip` or empty.

    """

    source: str
    format_name: str
    packing: str
    frames: tuple[Frame, ...]
    options: ImportOptions

    def frames_of(self, instrument: Instrument | None, kind: str | None = None) -> list[Frame]:
        """The frames of one instrument, or of all, and type.

        Raises `ConfigError` CONF008 when no frame is the instrument's, and when none is given where the file has
        several symbols whose venue it does not say.
        """
        symbols = sorted({frame.hint.symbol for frame in self.frames if frame.hint.symbol})
        found = list(self.frames)
        if len(symbols) < SEVERAL:
            return [frame for frame in found if kind is None or frame.kind == kind]
        if instrument is not None:
            ours = {instrument.symbol.upper(), instrument.raw_symbol.upper()}
            found = [each for each in found if ours & {each.hint.symbol.upper(), each.hint.raw_symbol.upper()}]
        is_table = not all(frame.hint.venue for frame in self.frames)
        if not found or (instrument is None and is_table):
            more = f" and {len(symbols) - SYMBOLS_SHOWN:,} more" if len(symbols) > SYMBOLS_SHOWN else ""
            asked = "" if instrument is None else f", not {instrument.symbol}"
            what = f"the file holds {', '.join(symbols[:SYMBOLS_SHOWN])}{more}{asked}"
            none = f", or use {self.options.wording.column('symbol', '')} if all rows are of one" if is_table else ""
            fix = f"Give an instrument of one of these symbols{none}."
            raise ConfigError("CONF008", self.source, what, fix, None if instrument is None else instrument.id)
        return [frame for frame in found if kind is None or frame.kind == kind]

    def single_of(self, instrument: Instrument, kind: str | None = None) -> Frame:
        """The one frame of an instrument and type. Raises `ConfigError` CONF008 when there are none or several."""
        found = self.frames_of(instrument, kind)
        if len(found) == 1:
            return found[0]
        held = ", ".join(sorted({f"{frame.kind} {frame.period}".strip() for frame in self.frames})) or "nothing"
        asked = "one type" if kind is None else kind
        fix = "Give the type that is wanted." if kind is None else "Give one of these types."
        raise ConfigError("CONF008", self.source, f"the file holds {held}, not {asked}", fix, asked)

    def stream(self, frame: Frame, instrument: Instrument, period: str = "") -> ImportStream:
        """One frame on its way. Raises `ConfigError` CONF002 for a wrong period, `DataError` for undeclared opens."""
        return _stream(frame, instrument, period, self.options, source=self.source, format_name=self.format_name)


def _stream(
    frame: Frame, instrument: Instrument, period: str, options: ImportOptions, *, source: str, format_name: str
) -> ImportStream:
    """The frame with its period; bars need one, and open-stamped ones a word of it."""
    if frame.period and period and frame.period != period:
        fix = "Leave it out, or give the file's own."
        raise ConfigError("CONF002", "period", f"{quoted(period)} is not the file's {frame.period}", fix, period)
    length = (frame.period or period) if frame.kind == BARS.name else period
    check_kind(frame.kind, length)
    _check_stamp(frame, options)
    return ImportStream(frame, instrument, length, options, source=source, format_name=format_name)


def _check_stamp(frame: Frame, options: ImportOptions) -> None:
    """Bars carry their close: times that are called opens are moved only when that is declared."""
    header = frame.columns.get("ts", "")
    declared = "stamp" in options.model_fields_set or "stamp" in frame.declared
    if frame.kind == BARS.name and is_open_time(header) and not declared:
        wording = options.wording
        what = f"column '{header}' is the open of a bar, and bars carry their close"
        fix = f"Use {wording.option('stamp', 'open')} to move it by the period, or {wording.option('stamp', 'close')}."
        raise DataError("DATA004", frame.table.header_place, what, fix, header)


def _read(stream: ImportStream) -> Import:
    """All batches behind each other: in memory, or mapped from nameless temporary files."""
    if stream.options.streaming:
        rows = mapped_rows(stream, stream.arrow, stream.source)
    else:
        rows = MappedRows(pa.concat_tables(list(stream)), {})
    return Import(stream.schema, stream.instrument, stream.period, rows.table, stream.report, rows.wide)


def _options(options: ImportOptions | None, given: Mapping[str, Any]) -> tuple[ImportOptions, dict[str, Any]]:
    """The options, with those of a profile below what is given, and what else the profile says."""
    if options is not None:
        return options, {}
    values = dict(given)
    profile = values.pop("profile", None)
    kept = {} if profile is None else read_profile(profile)
    remembered: dict[str, Any] = {key: kept.pop(key) for key in PROFILE_KEYS if key in kept}
    return ImportOptions.of({**kept, **values}), remembered


def _known(kind: str) -> str:
    if kind not in SCHEMAS:
        fix = did_you_mean(kind, list(SCHEMAS))
        raise ConfigError("CONF002", "kind", f"{quoted(kind)} is not importable", fix, kind)
    return kind


def check_kind(kind: str, period: str) -> None:
    """Raise `ConfigError` CONF002 for an unknown type, for bars without a period, and for a period of others."""
    if _known(kind) == BARS.name:
        period_ns(period)
    elif period:
        raise ConfigError("CONF002", "period", f"{kind} have no period", "Leave it out.", period)
