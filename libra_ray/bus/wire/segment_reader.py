"""Segments, the reading side: a batch is read where it lies, and whoever keeps it keeps the memory.

The host says when it is done with a batch. Whether something in it still refers to one, it need not know: each stretch
of reading gives its batches a lease, and when nobody but the reader refers to them the lease is gone.
"""

import weakref
from pathlib import Path

import pyarrow as pa

from libra_ray.bus.wire.descriptors import Descriptor, Release, RowsDescriptor
from libra_ray.bus.wire.mapped_files import (
    OWN_STREAM,
    SEGMENT_ALIGNMENT,
    SegmentError,
    SegmentFault,
    inside,
    mapped,
)

__all__ = ["RowsReader", "SegmentReader"]


class _Lease:
    """Lives as long as something refers to a batch that was read under it."""

    __slots__ = ("__weakref__", "memory")

    def __init__(self, memory: pa.Buffer) -> None:
        self.memory = memory


class _Mapping:
    """A segment as its reader sees it. A schema says too whether its batches are checked to the last value."""

    __slots__ = ("_buffer", "_earlier", "_memory", "_schemas", "size", "turn")

    def __init__(self, path: Path) -> None:
        self._memory = mapped(path)
        self.size: int = self._memory.size
        self.turn = 0
        self._buffer: pa.Buffer | None = None
        self._earlier: list[weakref.ref[_Lease]] = []
        self._schemas: dict[int, tuple[pa.Schema, bool]] = {}

    def begin(self, turn: int) -> None:
        """The segment is filled anew: what is known of its earlier content is forgotten."""
        self.turn = turn
        self._schemas.clear()

    def part(self, offset: int, length: int) -> pa.Buffer:
        """Some bytes of the segment. Raises `SegmentError` OUT_OF_RANGE."""
        if offset < 0 or length <= 0 or offset + length > self.size or offset % SEGMENT_ALIGNMENT:
            what = f"{length:,} bytes at {offset:,} of {self.size:,}"
            raise SegmentError(SegmentFault.OUT_OF_RANGE, what)
        if self._buffer is None:
            lease = _Lease(self._memory)
            self._earlier.append(weakref.ref(lease))
            self._buffer = pa.foreign_buffer(self._memory.address, self.size, lease)
        return self._buffer.slice(offset, length)

    def batch(self, descriptor: Descriptor) -> pa.RecordBatch:
        """The batch, checked so far that nothing in it leads outside. Raises what pyarrow raises, or `SegmentError`."""
        content = self.part(descriptor.offset, descriptor.length)
        if descriptor.schema_offset == OWN_STREAM:
            batch, is_checked = pa.ipc.open_stream(content).read_next_batch(), True
        else:
            schema, is_checked = self._schemas.get(descriptor.schema_offset) or self._schema(descriptor.schema_offset)
            batch = pa.ipc.read_record_batch(content, schema)
        batch.validate(full=is_checked)
        return batch

    def is_kept(self) -> bool:
        """Whether anybody but this reader refers to a batch of the segment."""
        self._buffer = None
        self._earlier = [lease for lease in self._earlier if lease() is not None]
        return bool(self._earlier)

    def _schema(self, offset: int) -> tuple[pa.Schema, bool]:
        schema = pa.ipc.read_schema(self.part(offset, self.size - offset))
        # Columns of one width are safe when their length is right; in others a wrong offset reads foreign memory.
        known = self._schemas[offset] = (schema, not all(_is_flat(field.type) for field in schema))
        return known


class SegmentReader:
    """Reads batches where they lie, in the segments of all hosts of the node. Owned by one thread.

    For each descriptor that has come the host calls `release` once, whether it has read it or not, and sends what
    `releases` gives to the hosts that it names. A batch that somebody keeps stays as it is, released or not.
    """

    def __init__(self, folder: Path) -> None:
        """Read from `folder`, see `memory_folder`, and from nowhere else."""
        self.folder = folder
        self._mappings: dict[str, _Mapping] = {}
        self._done: dict[str, tuple[int, int]] = {}
        self._unsaid: dict[str, None] = {}

    @property
    def names(self) -> list[str]:
        """Segments that are mapped, oldest first."""
        return list(self._mappings)

    def read(self, descriptor: Descriptor) -> pa.RecordBatch:
        """The batch, read-only, without a copy. Raises `SegmentError` where the descriptor leads to none."""
        mapping = self._mappings.get(descriptor.segment) or self._map(descriptor.segment)
        if descriptor.turn != mapping.turn:
            if descriptor.turn < mapping.turn:
                what = f"turn {descriptor.turn:,} of {descriptor.segment} was released"
                raise SegmentError(SegmentFault.NOT_THERE, what)
            mapping.begin(descriptor.turn)
        try:
            batch = mapping.batch(descriptor)
        except SegmentError:
            raise
        except Exception as error:  # pyarrow has errors of many kinds for bytes that are none of its own
            what = f"no batch at {descriptor.offset:,} of {descriptor.segment}"
            raise SegmentError(SegmentFault.DAMAGED, what) from error
        if batch.num_rows != descriptor.rows:
            what = f"{batch.num_rows:,} rows at {descriptor.offset:,} of {descriptor.segment}, not {descriptor.rows:,}"
            raise SegmentError(SegmentFault.DAMAGED, what)
        return batch

    def release(self, descriptor: Descriptor) -> None:
        """The host is done with a batch that was announced to it."""
        name, turn = descriptor.segment, descriptor.turn
        known_turn, total = self._done.get(name, (turn, 0))
        if turn >= known_turn:
            self._done[name] = (turn, total + 1 if turn == known_turn else 1)
            self._unsaid[name] = None

    def releases(self, *, everything: bool = False) -> list[Release]:
        """What the writers have not been told yet, to be sent now; `everything` after a connection was lost."""
        names = list(self._done) if everything else list(self._unsaid)
        self._unsaid.clear()
        return [Release(name, *self._done[name], self._is_kept(name)) for name in names]

    def close(self) -> None:
        """Map nothing any more. Batches that somebody refers to stay."""
        for held in (self._mappings, self._done, self._unsaid):
            held.clear()

    def _is_kept(self, name: str) -> bool:
        mapping = self._mappings.get(name)
        return mapping is not None and mapping.is_kept()

    def _map(self, name: str) -> _Mapping:
        """Map a segment, and let those go whose writer has removed them."""
        path = inside(self.folder, name)
        for known in [*self._mappings]:
            if not (self.folder / known).exists():
                del self._mappings[known]
                self._done.pop(known, None)
                self._unsaid.pop(known, None)
        mapping = self._mappings[name] = _Mapping(path)
        return mapping


class RowsReader:
    """Reads rows of a dataset's files (`Dataset.write`) where they lie, mapped read-only. Owned by one thread."""

    def __init__(self, folder: Path) -> None:
        """Read from the dataset in `folder`, and from nowhere else."""
        self.folder = folder
        self._batches: dict[str, pa.RecordBatch] = {}

    def read(self, descriptor: RowsDescriptor) -> pa.RecordBatch:
        """The rows, without a copy. Raises `SegmentError` where the descriptor leads to none."""
        batch = self._batches.get(descriptor.file)
        if batch is None:
            batch = self._batches[descriptor.file] = self._open(descriptor.file)
        start, rows = descriptor.start, descriptor.rows
        if start < 0 or rows < 0 or start + rows > batch.num_rows:
            what = f"{rows:,} rows at {start:,} of {batch.num_rows:,} in {descriptor.file}"
            raise SegmentError(SegmentFault.OUT_OF_RANGE, what)
        return batch.slice(start, rows)

    def close(self) -> None:
        """Map nothing any more. Rows that somebody refers to stay."""
        self._batches.clear()

    def _open(self, name: str) -> pa.RecordBatch:
        buffer = mapped(inside(self.folder, name))
        try:
            file = pa.ipc.open_file(buffer)
            (batch,) = (file.get_batch(index) for index in range(file.num_record_batches))
            batch.validate()
        except Exception as error:  # as above
            raise SegmentError(SegmentFault.DAMAGED, f"{name} is no file of a dataset") from error
        return batch


def _is_flat(kind: pa.DataType) -> bool:
    """Whether values of the type have one width and lie side by side."""
    return bool(pa.types.is_primitive(kind) or pa.types.is_decimal(kind))
