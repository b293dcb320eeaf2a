"""What a run reads: streams of rows, each of one instrument and type, and the set of them with its digest."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import InitVar, dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from libra_ray.data.horizon import horizon_ns
from libra_ray.data.instruments_json import instrument_from_json, instrument_to_json
from libra_ray.data.mapped_rows import MEMORY_BYTES_MAX, MappedRows, mapped_rows
from libra_ray.data.merge import merged_runs
from libra_ray.data.times import time_text
from libra_ray.data.wide_codes import open_wide, write_wide
from libra_ray.errors import ConfigError, DataError, LibraError
from libra_ray.messages.schemas import BARS, SCHEMAS, Schema, raw_column
from libra_ray.model.identifiers import InstrumentId, period_ns
from libra_ray.model.instruments import Instrument

__all__ = ["Dataset", "Stream"]

INDEX_NAME: Final = "dataset.json"
DIGEST_BYTES: Final = 16
ORDER_BLOCK_ROWS: Final = 1 << 20
_BOOK_TOPICS: Final = {"book_deltas": "book.deltas", "book_snapshots": "book.snapshots"}


@dataclass(frozen=True, eq=False)
class Stream:
    """Rows of one type and instrument in the order of their replay, `ts_init_ns` never falling.

    Attributes:
        period: of bars, such as `1h`; else empty.
        table: as `schema.arrow(instrument, period=period)` says; joined to one chunk if it had several.
        order_known: skip the look at every time, for tables that were looked at before.

    Raises `DataError` DATA002 where a time falls, `ValueError` for a table of other columns.

    """

    schema: Schema
    instrument: Instrument
    period: str
    table: pa.Table
    order_known: InitVar[bool] = False

    def __post_init__(self, order_known: bool) -> None:
        if (self.schema is BARS) != bool(self.period):
            raise ValueError(f"{self.schema.name} with period {self.period!r}")
        if self.period:
            period_ns(self.period)
        wanted = self.schema.arrow(self.instrument, period=self.period)
        if self.table.column_names != wanted.names or self.table.schema.types != wanted.types:
            raise ValueError(f"{self.topic} needs the columns {wanted.to_string(show_schema_metadata=False)}")
        if any(column.num_chunks != 1 for column in self.table.columns):
            object.__setattr__(self, "table", self.table.combine_chunks())
        if not order_known:
            self._refuse_falling_times()
        if (end_ns := horizon_ns()) is not None:
            stop = int(np.searchsorted(self.ts_ns, end_ns, side="left"))
            object.__setattr__(self, "table", self.table.slice(0, stop))

    @classmethod
    def of_mapped(
        cls, schema: Schema, instrument: Instrument, period: str, rows: MappedRows, *, order_known: bool = False
    ) -> "Stream":
        """Rows with those of their codes that are mapped at full width. Raises as the constructor does."""
        made = cls(schema, instrument, period, rows.table, order_known)
        made.__dict__["wide"] = rows.wide
        return made

    @property
    def ts_ns(self) -> npt.NDArray[np.int64]:
        """The times that order the replay: a read-only view of `ts_init_ns`."""
        return self.raw("ts_init_ns")  # type: ignore[return-value]  # times are int64 in both precisions

    @property
    def rows(self) -> int:
        """How many rows."""
        return int(self.table.num_rows)

    @property
    def nbytes(self) -> int:
        """Bytes of the columns."""
        return int(self.table.nbytes)

    @property
    def topic(self) -> str:
        """Where the bus publishes these rows: `data.bars.EURUSD.SIM-1h`, `data.quotes.SIM.EURUSD`."""
        if self.schema is BARS:
            return f"data.bars.{self.instrument.id}-{self.period}"
        kind = _BOOK_TOPICS.get(self.schema.name, self.schema.name)
        return f"data.{kind}.{self.instrument.venue}.{self.instrument.symbol}"

    @cached_property
    def digest(self) -> str:
        """BLAKE2b-128 over type, period, instrument facts and the values of all columns, however they lie in memory."""
        facts = [self.schema.name, self.period, instrument_to_json(self.instrument), self.rows]
        state = blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=DIGEST_BYTES)
        for column in self.table.columns:
            for view in _value_bytes(column.chunk(0)):
                state.update(view)
        return state.hexdigest()

    def raw(self, name: str) -> npt.NDArray[np.int64] | list[int]:
        """A column's raw integers: a read-only view, or Python integers in high precision."""
        wide = self._wide.get(name)
        return raw_column(self.table, name) if wide is None else wide[: self.rows]

    @property
    def _wide(self) -> Mapping[str, npt.NDArray[np.int64]]:
        """Columns of codes that are mapped at full width; none where the dataset lies in memory alone."""
        found: Mapping[str, npt.NDArray[np.int64]] = self.__dict__.get("wide", {})
        return found

    def slice(self, start_ns: int | None = None, end_ns: int | None = None) -> "Stream":
        """Rows with `start_ns <= ts < end_ns`, without a copy."""
        ts_ns = self.ts_ns
        first = 0 if start_ns is None else int(np.searchsorted(ts_ns, start_ns, side="left"))
        stop = len(ts_ns) if end_ns is None else int(np.searchsorted(ts_ns, end_ns, side="left"))
        return self.rows_between(first, max(first, stop))

    def rows_between(self, start: int, stop: int) -> "Stream":
        """Rows `start` to `stop` (exclusive), without a copy."""
        if (start, stop) == (0, self.rows):
            return self
        rows = self.table.slice(start, stop - start)
        part = Stream(self.schema, self.instrument, self.period, rows, order_known=True)
        part.__dict__["wide"] = {name: column[start:stop] for name, column in self._wide.items()}
        return part

    def _refuse_falling_times(self) -> None:
        ts_ns = self.ts_ns
        first = falls = 0
        for start in range(0, len(ts_ns), ORDER_BLOCK_ROWS):
            block = ts_ns[start : start + ORDER_BLOCK_ROWS + 1]
            found = np.flatnonzero(block[1:] < block[:-1])
            if len(found) and not falls:
                first = start + int(found[0]) + 1
            falls += len(found)
        if falls:
            now, before = time_text(int(ts_ns[first])), time_text(int(ts_ns[first - 1]))
            rows = "row" if falls == 1 else "rows"
            what = f"time {now} is earlier than {before} before it ({falls:,} such {rows})"
            raise DataError("DATA002", f"{self.topic} row {first:,}", what, "Sort the rows by ts_init_ns.", now)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Streams that are replayed together, in the order of `merged_runs`: equal times go by the order of `streams`.

    Raises `ConfigError` CONF007 for two streams of one topic or two definitions of one instrument.
    """

    streams: tuple[Stream, ...]

    def __init__(self, streams: Iterable[Stream]) -> None:
        object.__setattr__(self, "streams", tuple(streams))
        topics: set[str] = set()
        instruments: dict[str, Instrument] = {}
        for stream in self.streams:
            if stream.topic in topics:
                raise ConfigError("CONF007", None, f"two streams of {stream.topic}", "Give each stream once.")
            if instruments.setdefault(stream.instrument.id, stream.instrument) != stream.instrument:
                what = f"instrument '{stream.instrument.id}' has two definitions"
                raise ConfigError("CONF007", None, what, "Use one definition for all of its data.")
            topics.add(stream.topic)

    def __add__(self, other: "Dataset") -> "Dataset":
        """Both, `other` behind; streams of one topic are joined by a copy, which is mapped if it is large.

        Raises `DataError` DATA013 where they overlap, DATA007 where the disk has no room for the copy.
        """
        if not isinstance(other, Dataset):
            return NotImplemented
        joined = {stream.topic: stream for stream in self.streams}
        for stream in other.streams:
            known = joined.get(stream.topic)
            joined[stream.topic] = stream if known is None else _joined(known, stream)
        return Dataset(joined.values())

    def __iter__(self) -> Iterator[Stream]:
        return iter(self.streams)

    def __len__(self) -> int:
        """How many streams."""
        return len(self.streams)

    @cached_property
    def instruments(self) -> Mapping[InstrumentId, Instrument]:
        """The instruments by id."""
        return {stream.instrument.id: stream.instrument for stream in self.streams}

    @property
    def rows(self) -> int:
        """Rows of all streams."""
        return sum(stream.rows for stream in self.streams)

    @property
    def nbytes(self) -> int:
        """Bytes of all columns."""
        return sum(stream.nbytes for stream in self.streams)

    @property
    def start_ns(self) -> int:
        """The first time. Raises `DataError` DATA008 when there is no row."""
        return min(int(stream.ts_ns[0]) for stream in self._filled())

    @property
    def end_ns(self) -> int:
        """The last time. Raises `DataError` DATA008 when there is no row."""
        return max(int(stream.ts_ns[-1]) for stream in self._filled())

    @cached_property
    def digest(self) -> str:
        """BLAKE2b-128 over the digests of the streams, in order: the dataset's identity wherever it is stored."""
        return blake2b("".join(stream.digest for stream in self.streams).encode(), digest_size=DIGEST_BYTES).hexdigest()

    def between(self, start_ns: int | None = None, end_ns: int | None = None) -> "Dataset":
        """Rows with `start_ns <= ts < end_ns`, without a copy."""
        return Dataset(stream.slice(start_ns, end_ns) for stream in self.streams)

    def prefix(self, rows: int) -> "Dataset":
        """The first `rows` rows of the merged order, without a copy."""
        taken = [0] * len(self.streams)
        left = rows
        for run in merged_runs([stream.ts_ns for stream in self.streams]):
            if left <= 0:
                break
            count = min(left, run.stop - run.start)
            taken[run.stream] = run.start + count
            left -= count
        return Dataset(stream.rows_between(0, stop) for stream, stop in zip(self.streams, taken, strict=True))

    def write(self, folder: str | os.PathLike[str]) -> Path:
        """One uncompressed Arrow IPC file per stream, named by its digest, then the index; returns the folder.

        A file that is there already is kept: its name says what it holds. The index appears last and at once.
        """
        root = Path(folder)
        root.mkdir(parents=True, exist_ok=True)
        entries = []
        for stream in self.streams:
            path = root / f"{stream.digest}.arrow"
            if not path.exists():
                _write_ipc(path, stream.table)
            write_wide(root, stream.digest, stream.table)
            facts = {"type": stream.schema.name, "period": stream.period, "rows": stream.rows, "file": path.name}
            entries.append({**facts, "digest": stream.digest, "instrument": instrument_to_json(stream.instrument)})
        index = {"format": 1, "digest": self.digest, "streams": entries}
        draft = root / f"{INDEX_NAME}.{os.getpid()}.tmp"
        draft.write_text(json.dumps(index, indent=1, sort_keys=True))
        draft.replace(root / INDEX_NAME)
        return root

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> "Dataset":
        """What `write` wrote, mapped read-only: pages are shared by all processes of a node and read when touched.

        Raises `ConfigError` CONF008 when there is nothing, `DataError` DATA011 when it is damaged.
        """
        path = Path(folder) / INDEX_NAME
        if not path.is_file():
            raise ConfigError("CONF008", None, f"'{folder}' holds no dataset", "Check the folder.", str(folder))
        try:
            index = json.loads(path.read_text())
            made = cls(_open_stream(path.parent, entry) for entry in index["streams"])
            made.__dict__["digest"] = str(index["digest"])
        except LibraError:
            raise
        except (ValueError, KeyError, TypeError, OSError, pa.ArrowException) as error:
            fix = "The dataset is damaged; write it again."
            raise DataError("DATA011", path.name, f"unreadable ({error})", fix) from error
        return made

    def _filled(self) -> list[Stream]:
        filled = [stream for stream in self.streams if stream.rows]
        if not filled:
            raise DataError("DATA008", None, "0 data rows", "Check the file or the date range.")
        return filled


def _joined(first: Stream, second: Stream) -> Stream:
    """Two stretches of one stream as one."""
    if not first.rows or not second.rows:
        return first if first.rows else second
    if first.instrument != second.instrument:
        what = f"instrument '{first.instrument.id}' has two definitions"
        raise ConfigError("CONF007", None, what, "Use one definition for all of its data.")
    early, late = sorted((first, second), key=lambda stream: int(stream.ts_ns[0]))
    if late.ts_ns[0] <= early.ts_ns[-1]:
        spans = [f"{time_text(int(s.ts_ns[0]))} - {time_text(int(s.ts_ns[-1]))}" for s in (early, late)]
        raise DataError("DATA013", None, f"{first.topic}: {spans[0]} and {spans[1]} overlap", "Give each time once.")
    tables, topic = [early.table, late.table], first.topic
    if early.nbytes + late.nbytes > MEMORY_BYTES_MAX:
        rows = mapped_rows(tables, early.table.schema, topic)
        return Stream.of_mapped(first.schema, first.instrument, first.period, rows, order_known=True)
    return Stream(first.schema, first.instrument, first.period, pa.concat_tables(tables))


def _value_bytes(column: pa.Array) -> Iterator[memoryview]:
    """The bytes that carry a column's values, wherever in its buffers it begins. Columns have no nulls."""
    start, count, data = column.offset, len(column), column.buffers()[-1]
    if pa.types.is_string(column.type):
        ends = np.frombuffer(column.buffers()[1], np.int32, count + 1, start * 4)
        yield memoryview((ends - ends[0]).tobytes())
        yield memoryview(data or b"")[int(ends[0]) : int(ends[-1])]
    elif data is not None:
        width = column.type.bit_width // 8
        yield memoryview(data)[start * width : (start + count) * width]


def _write_ipc(path: Path, table: pa.Table) -> None:
    """One record batch, uncompressed, so that a reader can use the file's memory as it is."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with pa.OSFile(str(draft), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    draft.replace(path)


def _open_stream(root: Path, entry: dict[str, Any]) -> Stream:
    name = str(entry["file"])
    if Path(name).name != name:
        raise ValueError(f"file name {name!r}")
    table = pa.ipc.open_file(pa.memory_map(str(root / name), "r")).read_all()
    instrument = instrument_from_json(entry["instrument"], place=INDEX_NAME)
    stream = Stream(SCHEMAS[entry["type"]], instrument, str(entry["period"]), table, order_known=True)
    if stream.rows != entry["rows"]:
        raise ValueError(f"{name} has {stream.rows:,} rows, not {entry['rows']:,}")
    stream.__dict__["digest"] = str(entry["digest"])
    stream.__dict__["wide"] = open_wide(root, stream.digest, table)
    return stream
