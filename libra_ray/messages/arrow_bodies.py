"""Arrow data as bytes and back: an Arrow IPC stream, and the kind of thing it was.

Record batches, tables, arrays and chunked arrays come back as themselves. A class of a user that has an Arrow door
comes back as itself if it has `from_arrow(table)`, and as pyarrow's own type if not. What is read is checked to the
last offset, since a wrong one would read foreign memory, and compressed bodies are refused, since a short one could
fill all memory.
"""

import struct
from typing import Any, Final

import pyarrow as pa

from libra_ray.messages.class_names import class_of, has_arrow_door, name_of

__all__ = ["arrow_bytes", "arrow_value", "is_arrow_name"]

_BATCH: Final = "arrow.batch"
_TABLE: Final = "arrow.table"
_ARRAY: Final = "arrow.array"
_CHUNKS: Final = "arrow.chunks"
_OWN_NAMES: Final = (_BATCH, _TABLE, _ARRAY, _CHUNKS)

_ALIGNMENT: Final = 8
_PREFIX: Final = struct.Struct("<II")  # of each message of a stream: a mark, and the length of its metadata
_END: Final = pa.py_buffer(b"\xff\xff\xff\xff\x00\x00\x00\x00")
_SCHEMAS_MAX: Final = 1_024
_HEADER_TYPE, _HEADER = 1, 2  # fields of the flatbuffer `Message`
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3  # values of its header type
_DICTIONARY_DATA: Final = 1  # field of `DictionaryBatch`
_COMPRESSION: Final = 3  # field of `RecordBatch`


def is_arrow_name(name: str) -> bool:
    """Whether `name` is that of one of pyarrow's own types."""
    return name in _OWN_NAMES


def arrow_bytes(value: Any) -> tuple[str, bytes]:  # noqa: ANN401 - whatever has an Arrow door
    """The type name of `value` and its IPC stream. Raises what pyarrow or the value's door raises."""
    if isinstance(value, pa.RecordBatch):
        return _BATCH, _stream(value.schema, [value])
    if isinstance(value, pa.Table):
        return _TABLE, _stream(value.schema, value.to_batches())
    if isinstance(value, pa.Array):
        return _ARRAY, _column_stream(value)
    if isinstance(value, pa.ChunkedArray):
        return _CHUNKS, _column_stream(value)
    cls = type(value)
    if hasattr(cls, "from_arrow"):
        name = name_of(cls)
        if name is None:
            raise ValueError(f"{cls.__qualname__} cannot be found by its name")
        table = pa.table(value)
        return name, _stream(table.schema, table.to_batches())
    try:
        return arrow_bytes(pa.table(value))
    except (pa.ArrowException, TypeError, ValueError):  # a door to one column
        return arrow_bytes(pa.chunked_array(value) if hasattr(cls, "__arrow_c_stream__") else pa.array(value))


def arrow_value(name: str, body: Any) -> object:  # noqa: ANN401 - any buffer
    """What `arrow_bytes` was given, over the memory of `body`. Raises `ValueError`, or what pyarrow raises."""
    schema, batches = _read(body)
    if name in (_BATCH, _ARRAY):
        if len(batches) != 1:
            raise ValueError(f"{len(batches):,} batches instead of one")
        return batches[0] if name == _BATCH else batches[0].column(0)
    if name == _CHUNKS:
        return pa.chunked_array([batch.column(0) for batch in batches], schema.field(0).type)
    table = pa.Table.from_batches(batches, schema)
    if name == _TABLE:
        return table
    cls = class_of(name)
    if cls is None or not has_arrow_door(cls) or not hasattr(cls, "from_arrow"):
        raise ValueError("no such Arrow type is loaded here")
    return cls.from_arrow(table)


def _stream(schema: pa.Schema, batches: list[pa.RecordBatch]) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return bytes(memoryview(sink.getvalue()))


def _column_stream(column: pa.Array | pa.ChunkedArray) -> bytes:
    chunks = [column] if isinstance(column, pa.Array) else column.chunks
    schema = pa.schema([pa.field("values", column.type)])
    return _stream(schema, [pa.RecordBatch.from_arrays([chunk], schema=schema) for chunk in chunks])


def _read(body: Any) -> tuple[pa.Schema, list[pa.RecordBatch]]:  # noqa: ANN401 - any buffer
    buffer = pa.py_buffer(body)
    if buffer.address % _ALIGNMENT:
        buffer = pa.py_buffer(bytes(body))
    head = _schema_bytes(buffer)
    schema = _schemas.get(head)
    batch = None if schema is None else _only_batch(buffer, len(head), schema)
    if batch is None:
        schema, batches = _read_stream(buffer)
        if len(_schemas) == _SCHEMAS_MAX:
            _schemas.clear()
        _schemas[head] = schema
    else:
        batches = [batch]
    for batch in batches:
        batch.validate(full=True)
    return schema, batches


_schemas: dict[bytes, pa.Schema] = {}
"""Schemas that came, by their bytes: all streams of a topic begin alike, and this part takes longest to read."""


def _schema_bytes(buffer: pa.Buffer) -> bytes:
    """What a stream begins with, up to its first batch."""
    if buffer.size < _PREFIX.size:
        return b""
    _, length = _PREFIX.unpack_from(buffer)
    return bytes(memoryview(buffer)[: _PREFIX.size + length])


def _only_batch(buffer: pa.Buffer, start: int, schema: pa.Schema) -> pa.RecordBatch | None:
    """The batch that begins at `start` of a stream; None where something else comes, or more."""
    if buffer.size - start <= _PREFIX.size:
        return None
    _, length = _PREFIX.unpack_from(buffer, start)
    message = pa.ipc.read_message(buffer.slice(start))
    end = start + _PREFIX.size + length + message.body.size
    if message.type != "record batch" or not buffer.slice(end).equals(_END):
        return None
    _refuse_compressed(message)
    return pa.ipc.read_record_batch(message, schema)


def _read_stream(buffer: pa.Buffer) -> tuple[pa.Schema, list[pa.RecordBatch]]:
    for message in pa.ipc.MessageReader.open_stream(buffer):
        _refuse_compressed(message)
    reader = pa.ipc.open_stream(buffer)
    batches = list(reader)
    schema = reader.schema
    schema.names  # noqa: B018 - raises where one is no UTF-8
    return schema, batches


def _refuse_compressed(message: pa.Message) -> None:
    if _is_compressed(memoryview(message.metadata)):
        raise ValueError("compressed Arrow data")


def _is_compressed(metadata: memoryview) -> bool:
    """Whether the message holds a record batch with compressed buffers. pyarrow has verified the flatbuffer."""
    message = _table_at(metadata, 0)
    kind_at = _field_at(metadata, message, _HEADER_TYPE)
    header_at = _field_at(metadata, message, _HEADER)
    if not kind_at or not header_at or metadata[kind_at] not in (_DICTIONARY_BATCH, _RECORD_BATCH):
        return False
    batch = _table_at(metadata, header_at)
    if metadata[kind_at] == _DICTIONARY_BATCH:
        data_at = _field_at(metadata, batch, _DICTIONARY_DATA)
        if not data_at:
            return False
        batch = _table_at(metadata, data_at)
    return _field_at(metadata, batch, _COMPRESSION) != 0


def _table_at(metadata: memoryview, place: int) -> int:
    """The table that the offset at `place` leads to."""
    return place + int(struct.unpack_from("<I", metadata, place)[0])


def _field_at(metadata: memoryview, table: int, field: int) -> int:
    """Where a table's field lies; 0 where it is absent."""
    vtable = table - struct.unpack_from("<i", metadata, table)[0]
    entry = 4 + 2 * field
    if entry >= struct.unpack_from("<H", metadata, vtable)[0]:
        return 0
    offset = int(struct.unpack_from("<H", metadata, vtable + entry)[0])
    return table + offset if offset else 0
